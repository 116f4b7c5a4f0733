#include "dtrain/data/table.h"

#include "table_internal.h"

#include "dtrain/base/memory.h"

#include <stdio.h>
#include <string.h>

/* The size of a rank's block: long enough for the network, short enough for a cache. */
enum { BLOCK_BYTES = 256 * 1024, COUNTING_BYTES = 4 << 20 };

/* With many classes each row has many probabilities: then blocks are short. */
enum { CLASSES_A_BLOCK = 64 };

/* ---- opening ---- */

/* The facts about the table that rank 0 sends before the names' texts. */
typedef struct opening {
    dt_csv_format format;
    uint64_t names_bytes;
} opening;

static void share_names(dt_table *t, char *names, size_t bytes)
{
    if (t->root) {
        char *to = names;
        for (size_t c = 0; c < t->format.columns; c++) {
            const size_t length = strlen(dt_csv_name(t->csv, c)) + 1;
            memcpy(to, dt_csv_name(t->csv, c), length);
            to += length;
        }
    }
    dt_comm_broadcast(t->comm, names, bytes);
    for (size_t c = 0; c < t->format.columns; c++) {
        t->names[c] = names;
        names += strlen(names) + 1;
    }
}

static dt_status allocate(dt_table *t, const opening *known, char **names)
{
    dt_status status = DT_OK;
    const size_t ranks = (size_t)dt_comm_size(t->comm);
    size_t items = 0;
    if (__builtin_mul_overflow(t->batch_rows, t->D, &items))
        DT_TRY(dt_fail(DT_MEMORY, "%zu rows of %zu inputs are too many", t->batch_rows, t->D));
    DT_TRY(dt_memory_alloc(names, (size_t)known->names_bytes, 1, "columns' names"));
    DT_TRY(dt_memory_alloc(&t->names, t->format.columns, sizeof *t->names, "columns' names"));
    DT_TRY(dt_memory_alloc(&t->shares, ranks, sizeof *t->shares, "shares"));
    DT_TRY(dt_memory_alloc(&t->bytes, ranks, sizeof *t->bytes, "shares"));
    DT_TRY(dt_memory_alloc(&t->x, items, sizeof *t->x, "rows"));
    DT_TRY(dt_memory_alloc(&t->y, t->batch_rows, t->T * sizeof *t->y, "targets"));
    DT_TRY(dt_memory_alloc(&t->w, t->batch_rows, sizeof *t->w, "weights"));
out:
    return status;
}

/* The recipe has the names, and the table's rules for them. */
static dt_status open_file(dt_table *t, const dt_recipe *recipe, const dt_table_format *asked)
{
    dt_status status = DT_OK;
    dt_csv_format format = asked->csv;
    const char **names = NULL;
    bool *optional = NULL;
    DT_TRY(dt_memory_alloc(&names, recipe->column_count, sizeof *names, "columns' names"));
    DT_TRY(dt_memory_alloc(&optional, recipe->column_count, sizeof *optional, "columns' names"));
    for (size_t c = 0; c < recipe->column_count; c++) {
        const dt_role role = recipe->columns[c].role;
        names[c] = recipe->columns[c].name;
        optional[c] = role == DT_ROLE_WEIGHTS || (role == DT_ROLE_TARGET && !t->labels);
    }
    if (format.name_count == 0 && format.header == DT_CSV_HEADER_AUTO)
        format.header = recipe->headerless ? DT_CSV_HEADER_IF_NAMED : DT_CSV_HEADER_SOME_NAMED;
    format.usual_separator = recipe->separator;
    format.usual_decimal = recipe->decimal;
    if (format.name_count == 0 && format.header != DT_CSV_HEADER_YES) {
        format.names = names;
        format.optional = optional;
        format.name_count = recipe->column_count;
    }
    DT_TRY(dt_csv_open(&t->csv, t->path, &format));
    dt_csv_print_warnings(t->csv);
out:
    dt_memory_free(names);
    dt_memory_free(optional);
    return status;
}

static dt_status open_all(dt_table *t, const dt_recipe *recipe, const dt_table_format *asked)
{
    dt_status status = DT_OK;
    opening known = {0};
    char *names = NULL;
    if (t->root)
        status = open_file(t, recipe, asked);
    DT_TRY(dt_comm_agree(t->comm, status));
    if (t->root) {
        known.format = *dt_csv_format_of(t->csv);
        for (size_t c = 0; c < known.format.columns; c++)
            known.names_bytes += strlen(dt_csv_name(t->csv, c)) + 1;
    }
    dt_comm_broadcast(t->comm, &known, sizeof known);
    t->format = known.format;
    t->format.takes_malformed = true; /* to add the command's advice */
    t->advice = asked->advice;
    DT_TRY(dt_comm_agree(t->comm, allocate(t, &known, &names)));
    share_names(t, names, (size_t)known.names_bytes);
    names = NULL; /* t->names[0] owns it now */
    const dt_preprocess_plan plan = {.path = t->path,
                                     .names = (const char *const *)t->names,
                                     .count = t->format.columns,
                                     .nameless = t->format.header == DT_CSV_HEADER_NO,
                                     .labels = t->labels,
                                     .decimal = t->format.decimal,
                                     .decimals = asked->decimals,
                                     .thousands = asked->thousands,
                                     .numeric = asked->numeric,
                                     .missing = asked->missing,
                                     .advice = asked->advice};
    DT_TRY(dt_comm_agree(t->comm, dt_preprocess_new(&t->preprocess, recipe, &plan)));
out:
    dt_memory_free(names);
    return status;
}

dt_status dt_table_open(dt_table **out, const dt_comm *comm, const char *path,
                        const dt_recipe *recipe, const dt_table_format *format, bool labels,
                        size_t batch_rows)
{
    dt_table *t = NULL;
    *out = NULL;
    dt_status status = dt_memory_alloc(&t, 1, sizeof *t, "table");
    if (status == DT_OK) {
        *t = (dt_table){.comm = comm,
                        .root = dt_comm_rank(comm) == 0,
                        .D = recipe->D,
                        .T = recipe->T,
                        .labels = labels,
                        .batch_rows = batch_rows,
                        .block_bytes = BLOCK_BYTES / (1 + recipe->class_count / CLASSES_A_BLOCK)};
        status = dt_memory_copy_text(&t->path, path);
    }
    DT_TRY(dt_comm_agree(comm, status));
    DT_TRY(open_all(t, recipe, format));
    *out = t;
out:
    if (status != DT_OK)
        dt_table_close(t);
    return status;
}

void dt_table_close(dt_table *table)
{
    dt_table *t = table;
    if (t == NULL)
        return;
    if (t->names != NULL)
        dt_memory_free(t->names[0]);
    dt_memory_free(t->names);
    dt_csv_close(t->csv);
    dt_preprocess_free(t->preprocess);
    dt_memory_free(t->path);
    dt_memory_free(t->shares);
    dt_memory_free(t->bytes);
    dt_memory_free(t->text);
    dt_memory_free(t->x);
    dt_memory_free(t->y);
    dt_memory_free(t->w);
    dt_memory_free(t->bad);
    dt_kept_clear(&t->kept);
    dt_memory_free(t);
}

dt_status dt_table_count(dt_table *table, uint64_t *rows)
{
    dt_status status = DT_OK;
    dt_csv_block block = {.bytes = 1};
    *rows = 0;
    DT_TRY(dt_csv_rewind(table->csv));
    while (block.bytes > 0) {
        DT_TRY(dt_csv_next_block(table->csv, COUNTING_BYTES, &block));
        *rows += block.rows;
    }
    DT_TRY(dt_csv_rewind(table->csv));
out:
    return status;
}

bool dt_table_weighted(const dt_table *table)
{
    return dt_preprocess_has_weights(table->preprocess);
}

double dt_table_share(const dt_table *table)
{
    return (double)dt_csv_bytes_read(table->csv) / (double)dt_csv_bytes(table->csv);
}

/* ---- more than inputs ---- */

dt_status dt_table_keep(const char **header, dt_table *table, const char *list)
{
    dt_table *t = table;
    const dt_columns columns = {.path = t->path,
                                .names = (const char *const *)t->names,
                                .count = t->format.columns,
                                .nameless = t->format.header == DT_CSV_HEADER_NO};
    const dt_status status =
        dt_comm_agree(t->comm, dt_kept_find(&t->kept, list, &columns, t->batch_rows));
    *header = t->kept.header;
    return status;
}

dt_status dt_table_take_bad(dt_table *table, bool skip)
{
    table->skip_bad = skip;
    return dt_memory_alloc(&table->bad, table->batch_rows, sizeof *table->bad, "bad rows");
}

static void note_bad(dt_table *t, uint64_t row)
{
    if (t->bad_rows.count++ > 0)
        return;
    t->bad_rows.row = row;
    (void)snprintf(t->bad_rows.example, sizeof t->bad_rows.example, "%s", dt_status_text());
}

dt_status dt_table_bad(dt_row_note *out, const dt_table *table)
{
    return dt_table_gather(out, table, &table->bad_rows);
}

/* ---- dealing ---- */

static dt_status make_room(dt_table *t, size_t used, size_t bytes)
{
    if (t->text_capacity - used >= bytes)
        return DT_OK;
    const size_t capacity = used + bytes + BLOCK_BYTES;
    dt_status status = dt_memory_grow(&t->text, used, capacity, 1, "records");
    t->text_capacity = status == DT_OK ? capacity : 0;
    if (status != DT_OK) {
        dt_memory_free(t->text);
        t->text = NULL;
    }
    return status;
}

/* Rank 0 reads a block for each rank; after a failure the ranks left get none. */
static dt_status read_blocks(dt_table *t)
{
    dt_status status = DT_OK;
    size_t used = 0;
    const int ranks = dt_comm_size(t->comm);
    memset(t->shares, 0, (size_t)ranks * sizeof *t->shares);
    memset(t->bytes, 0, (size_t)ranks * sizeof *t->bytes);
    for (int rank = 0; rank < ranks; rank++) {
        dt_csv_block block = {0};
        DT_TRY(dt_csv_next_block(t->csv, t->block_bytes, &block));
        if (block.bytes == 0)
            break;
        DT_TRY(make_room(t, used, block.bytes));
        memcpy(t->text + used, block.text, block.bytes);
        used += block.bytes;
        t->bytes[rank] = block.bytes;
        t->shares[rank] = (dt_table_block){
            .bytes = block.bytes, .row = block.row, .line = block.line, .rows = block.rows};
    }
out:
    return status;
}

static dt_status flush_rows(dt_table *t)
{
    dt_row_batch rows = t->rows;
    t->rows.count = 0;
    rows.kept = t->kept.text;
    return rows.count > 0 ? t->take(t->context, &rows) : DT_OK;
}

static dt_status fail_malformed(const dt_table *t)
{
    return t->advice == NULL || t->bad != NULL
               ? DT_DATA
               : dt_fail(DT_DATA, "%s; %s", dt_status_text(), t->advice);
}

static dt_status take_row(void *context, const dt_csv_row *row)
{
    dt_table *t = context;
    dt_status status = DT_OK;
    if (t->rows.count == t->batch_rows)
        DT_TRY(flush_rows(t));
    if (t->rows.count == 0)
        t->rows.first = row->row;
    const size_t at = t->rows.count++;
    status = row->malformed ? fail_malformed(t)
                            : dt_preprocess_row(t->preprocess, row, t->x + at * t->D,
                                                t->y + at * t->T, t->w + at);
    if (t->bad != NULL) {
        t->bad[at] = status == DT_DATA;
        if (t->bad[at]) {
            note_bad(t, row->row);
            if (t->skip_bad) {
                t->rows.count--;
                return DT_OK;
            }
            memset(t->x + at * t->D, 0, t->D * sizeof *t->x);
            status = DT_OK;
        }
    }
    if (status == DT_OK && t->kept.count > 0)
        status = dt_kept_add(&t->kept, at, row);
out:
    return status;
}

dt_status dt_table_next(dt_table *table, dt_row_take *take, void *context, bool *more)
{
    dt_table *t = table;
    dt_status status = DT_OK;
    const int rank = dt_comm_rank(t->comm);
    if (t->root)
        status = read_blocks(t);
    dt_comm_broadcast(t->comm, t->shares, (size_t)dt_comm_size(t->comm) * sizeof *t->shares);
    const dt_table_block mine = t->shares[rank];
    *more = t->shares[0].bytes > 0;
    /* The ranks must allocate before anything is sent. */
    if (!t->root)
        status = make_room(t, 0, (size_t)mine.bytes);
    DT_TRY(dt_comm_agree(t->comm, status));
    if (!*more && t->root)
        dt_csv_print_warnings(t->csv); /* of what came late in the file */
    if (!*more)
        goto out;
    dt_comm_scatterv(t->comm, t->text, (size_t)mine.bytes, t->text, t->bytes);
    const dt_csv_block block = {.text = t->text,
                                .bytes = (size_t)mine.bytes,
                                .row = mine.row,
                                .line = mine.line,
                                .rows = mine.rows};
    t->take = take;
    t->context = context;
    t->rows = (dt_row_batch){.x = t->x,
                             .y = t->labels ? t->y : NULL,
                             .w = dt_preprocess_has_weights(t->preprocess) ? t->w : NULL,
                             .bad = t->bad,
                             .kept_at = t->kept.at};
    if (block.bytes > 0)
        status = dt_csv_parse(t->path, &t->format, &block, take_row, t);
    if (status == DT_OK)
        status = flush_rows(t);
    status = dt_comm_agree(t->comm, status);
out:
    return status;
}
