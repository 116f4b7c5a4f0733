#include "dtrain/cli/prepare.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/options.h"
#include "dtrain/data/prepare.h"
#include "dtrain/io/file.h"
#include "dtrain/io/npz.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- options ---- */

enum { SEPARATOR_AUTO, SEPARATOR_COMMA, SEPARATOR_SEMICOLON, SEPARATOR_TAB, SEPARATOR_BAR };
enum { DECIMAL_AUTO, DECIMAL_POINT, DECIMAL_COMMA };

typedef struct settings {
    uint64_t given;
    char target[DT_OPTION_TEXT_BYTES], out[DT_OPTION_TEXT_BYTES];
    char drop[DT_OPTION_TEXT_BYTES], numeric[DT_OPTION_TEXT_BYTES];
    char categorical[DT_OPTION_TEXT_BYTES];
    char scale[DT_OPTION_TEXT_BYTES], fill[DT_OPTION_TEXT_BYTES], missing[DT_OPTION_TEXT_BYTES];
    int unseen; /* a dt_unseen */
    int64_t max_categories;
    double validation_split, test_split;
    int split; /* a dt_division */
    char split_column[DT_OPTION_TEXT_BYTES];
    int64_t seed;
    int separator, decimal;
    bool store, quiet;
    char config[DT_OPTION_TEXT_BYTES];
} settings;

#define AT(field) offsetof(settings, field)
#define LARGEST_INT 9007199254740991.0 /* 2^53 - 1: what a double counts to */

static const dt_option options[] = {
    {"target", "COLUMN", DT_OPTION_TEXT, AT(target), 0, 0, NULL, NULL,
     "what is to be predicted: its values are the classes"},
    {"out", "DIR", DT_OPTION_TEXT, AT(out), 0, 0, NULL, NULL, "folder of the results"},
    {"drop", "COLUMNS", DT_OPTION_TEXT, AT(drop), 0, 0, NULL, NULL,
     "columns to leave out, as id,duration"},
    {"numeric", "COLUMNS", DT_OPTION_TEXT, AT(numeric), 0, 0, NULL, NULL,
     "columns to take as numbers, whatever they look like"},
    {"categorical", "COLUMNS", DT_OPTION_TEXT, AT(categorical), 0, 0, NULL, NULL,
     "columns to take as categories, as day,month"},
    {"scale", "LIST", DT_OPTION_TEXT, AT(scale), 0, 0, NULL, "standard",
     "of numbers: " DT_SCALE_NAMES ", or COLUMN=METHOD, as standard,balance=log"},
    {"fill", "LIST", DT_OPTION_TEXT, AT(fill), 0, 0, NULL, "error",
     "for missing cells: " DT_FILL_NAMES ", or COLUMN=METHOD, as mean,category,age=median"},
    {"missing", "LIST", DT_OPTION_TEXT, AT(missing), 0, 0, NULL,
     "NA,N/A,n/a,NaN,nan,NULL,null,#N/A", "cells that mean a missing value, beside empty ones"},
    {"unseen", "NAME", DT_OPTION_CHOICE, AT(unseen), 0, 0, DT_UNSEEN_NAMES, "ignore",
     "what becomes of a category that no training row has"},
    {"max-categories", "N", DT_OPTION_INT, AT(max_categories), 2, 1000000, NULL, "100",
     "of a column; if it has more, the rarest become one"},
    {"validation-split", "F", DT_OPTION_FLOAT, AT(validation_split), 0, 1e15, NULL, "0.1",
     "rows for validation: a share below 1, or their number"},
    {"test-split", "F", DT_OPTION_FLOAT, AT(test_split), 0, 1e15, NULL, "0.1",
     "rows for testing: a share below 1, or their number"},
    {"split", "NAME", DT_OPTION_CHOICE, AT(split), 0, 0, DT_DIVISION_NAMES, "stratified",
     "how rows are divided: at random class by class, at random, or in the table's order"},
    {"split-column", "COLUMN", DT_OPTION_TEXT, AT(split_column), 0, 0, NULL, NULL,
     "column that says train, validation or test"},
    {"seed", "N", DT_OPTION_INT, AT(seed), 0, LARGEST_INT, NULL, "1", "of the split"},
    {"separator", "NAME", DT_OPTION_CHOICE, AT(separator), 0, 0, "auto|comma|semicolon|tab|bar",
     "auto", "between the cells"},
    {"decimal", "NAME", DT_OPTION_CHOICE, AT(decimal), 0, 0, "auto|point|comma", "auto",
     "in numbers"},
    {"store", NULL, DT_OPTION_FLAG, AT(store), 0, 0, NULL, NULL,
     "leave the arrays uncompressed: larger, and faster"},
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "print the summary alone"},
    {"config", "FILE", DT_OPTION_TEXT, AT(config), 0, 0, NULL, NULL,
     "read options from FILE, lines of name = value; the command line wins"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage =
        "Usage: dtrain prepare TABLE.csv --target COLUMN --out DIR [OPTIONS]\n\n"
        "Makes DIR/train.npz, validation.npz and test.npz from a table of text, and recipe.json,\n"
        "which says how: numbers are scaled, categories become 0 and 1, all by what the training\n"
        "rows alone say. `dtrain train DIR` goes on from there.",
};

void dt_cli_prepare_help(void)
{
    dt_options_print_help(&table);
}

static dt_status parse(settings *out, const char **path, int argc, char **argv)
{
    dt_status status = DT_OK;
    int words = 0;
    memset(out, 0, sizeof *out);
    dt_options_set_defaults(&table, out);
    DT_TRY(dt_options_parse_words(&table, out, argc, argv, &words));
    if (out->config[0] != '\0')
        DT_TRY(dt_options_parse_file(&table, out, out->config));
    if (words != 1)
        DT_TRY(dt_fail(DT_USAGE, "dtrain prepare takes one table, not %d words; --help says more",
                       words));
    *path = argv[0];
    if (out->out[0] == '\0')
        DT_TRY(dt_fail(DT_USAGE, "--out DIR is needed: the folder for the results"));
    if (out->split_column[0] != '\0')
        for (size_t i = 0; i < 3; i++) {
            static const char *const others[] = {"split", "validation-split", "test-split"};
            if (dt_options_given(&table, out, others[i]))
                DT_TRY(dt_fail(DT_USAGE, "--%s was given, but --split-column says the sets",
                               others[i]));
        }
out:
    return status;
}

/* ---- the sets' files ---- */

enum { BUFFER_BYTES = 64 * 1024, LEVEL = 3 };

/* One set's file, and what is to be written into its member next. */
typedef struct set_file {
    dt_npz_writer *writer; /* NULL: no such set */
    char *buffer;
    size_t used, capacity;
} set_file;

typedef struct run {
    settings settings;
    dt_csv *csv;
    dt_prepare *prepare;
    set_file files[DT_PART_COUNT];
    size_t D;
    char *recipe; /* JSON */
    bool folder_made; /* of --out's path, what is beyond its first present_bytes */
    size_t present_bytes;
} run;

static dt_status flush_file(set_file *file)
{
    dt_status status = dt_npz_writer_write(file->writer, file->buffer, file->used);
    file->used = 0;
    return status;
}

static dt_status put(set_file *file, const void *items, size_t bytes)
{
    if (file->capacity - file->used < bytes) {
        dt_status status = flush_file(file);
        if (status != DT_OK)
            return status;
    }
    memcpy(file->buffer + file->used, items, bytes);
    file->used += bytes;
    return DT_OK;
}

static dt_status take_label(void *context, dt_part part, int32_t label, const float *x)
{
    run *r = context;
    (void)x;
    const int64_t item = label;
    return put(&r->files[part], &item, sizeof item);
}

static dt_status take_inputs(void *context, dt_part part, int32_t label, const float *x)
{
    run *r = context;
    (void)label;
    return put(&r->files[part], x, r->D * sizeof *x);
}

static dt_status begin_members(run *r, const char *name, const char *descr, size_t width,
                               size_t item_bytes)
{
    dt_status status = DT_OK;
    const dt_prepare_table *found = dt_prepare_table_of(r->prepare);
    for (int part = 0; part < DT_PART_COUNT; part++) {
        set_file *file = &r->files[part];
        const uint64_t shape[2] = {found->part_rows[part], width};
        if (file->writer == NULL)
            continue;
        DT_TRY(dt_npz_writer_begin(file->writer, name, descr, width > 0 ? 2 : 1, shape));
        dt_memory_free(file->buffer);
        const size_t row_bytes = (width > 0 ? width : 1) * item_bytes;
        file->capacity = row_bytes > BUFFER_BYTES ? row_bytes : BUFFER_BYTES;
        DT_TRY(dt_memory_alloc(&file->buffer, file->capacity, 1, "writing buffer"));
    }
out:
    return status;
}

static dt_status flush_all(run *r)
{
    dt_status status = DT_OK;
    for (int part = 0; part < DT_PART_COUNT && status == DT_OK; part++)
        if (r->files[part].writer != NULL)
            status = flush_file(&r->files[part]);
    return status;
}

/* ---- the folder ---- */

static dt_status make_folder(run *r)
{
    struct stat info;
    char folder[DT_OPTION_TEXT_BYTES];
    (void)snprintf(folder, sizeof folder, "%s", r->settings.out);
    char *slash = folder;
    while (folder[0] != '\0' && stat(folder, &info) != 0 && slash != NULL) {
        slash = strrchr(folder, '/');
        *(slash != NULL ? slash : folder) = '\0';
    }
    r->present_bytes = strlen(folder);
    r->folder_made = true;
    return dt_file_make_folder(r->settings.out);
}

/* After a failure; a folder that something is in stays. */
static void remove_folder(run *r)
{
    char *folder = r->settings.out;
    while (r->folder_made && strlen(folder) > r->present_bytes) {
        char *slash = strrchr(folder, '/');
        (void)rmdir(folder);
        *(slash != NULL ? slash : folder) = '\0';
    }
}

/* A set of an earlier preparation beside the new ones would be taken for one of them. */
static dt_status open_files(run *r)
{
    dt_status status = DT_OK;
    const dt_prepare_table *found = dt_prepare_table_of(r->prepare);
    char path[DT_OPTION_TEXT_BYTES + 32];
    DT_TRY(make_folder(r));
    for (int part = 0; part < DT_PART_COUNT; part++) {
        (void)snprintf(path, sizeof path, "%s/%s.npz", r->settings.out,
                       dt_part_name((dt_part)part));
        if (found->part_rows[part] > 0)
            DT_TRY(dt_npz_writer_open(&r->files[part].writer, path, r->settings.store ? 0 : LEVEL));
        else if (access(path, F_OK) == 0)
            DT_TRY(dt_fail(DT_OUTPUT,
                           "%s is there already, and this preparation makes no %s set; remove it, "
                           "or choose another --out",
                           path, dt_part_name((dt_part)part)));
    }
out:
    return status;
}

static dt_status put_in_place(run *r)
{
    dt_status status = DT_OK;
    char path[DT_OPTION_TEXT_BYTES + 32];
    for (int part = 0; part < DT_PART_COUNT; part++) {
        dt_npz_writer *writer = r->files[part].writer;
        r->files[part].writer = NULL;
        if (writer != NULL)
            DT_TRY(dt_npz_writer_finish(writer));
    }
    (void)snprintf(path, sizeof path, "%s/recipe.json", r->settings.out);
    DT_TRY(dt_file_replace(path, r->recipe, strlen(r->recipe)));
out:
    return status;
}

/* ---- what a person is told ---- */

static const char *name_of(char out[32], const char *names, int index)
{
    while (index-- > 0)
        names = strchr(names, '|') + 1;
    (void)snprintf(out, 32, "%.*s", (int)strcspn(names, "|"), names);
    return out;
}

/* Columns of bytes that begin a character, so that names in UTF-8 line up too. */
static int shown_width(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void describe(char *out, size_t bytes, const dt_prepare_column *column, size_t most)
{
    char scale[32];
    switch (column->role) {
    case DT_ROLE_NUMERIC:
        (void)snprintf(out, bytes, "%.6g to %.6g; scale %s", column->minimum, column->maximum,
                       name_of(scale, DT_SCALE_NAMES, (int)column->scale));
        break;
    case DT_ROLE_CATEGORICAL:
        (void)snprintf(out, bytes, "%.16s to %.16s; one-hot%s", column->first ? column->first : "",
                       column->last ? column->last : "",
                       column->distinct > most ? ", the rarest as one" : "");
        if (column->first == NULL)
            (void)snprintf(out, bytes, "%.6g to %.6g; one-hot%s", column->minimum, column->maximum,
                           column->distinct > most ? ", the rarest as one" : "");
        break;
    case DT_ROLE_TARGET:
        (void)snprintf(out, bytes, "classes");
        break;
    case DT_ROLE_DROPPED:
        (void)snprintf(out, bytes, "%s", column->why);
        break;
    }
    const size_t used = strlen(out);
    const bool filled = column->role == DT_ROLE_NUMERIC || column->role == DT_ROLE_CATEGORICAL;
    if (filled && column->missing > 0)
        (void)snprintf(out + used, bytes - used, "; fill %s", dt_recipe_fill_name(column->fill));
}

static void report_columns(const run *r, const char *path)
{
    static const char *const roles[] = {"numeric", "categorical", "target", "dropped"};
    const dt_prepare_table *found = dt_prepare_table_of(r->prepare);
    const dt_csv_format *format = dt_csv_format_of(r->csv);
    int width = 6;
    for (size_t c = 0; c < found->column_count; c++) {
        const int name = shown_width(found->columns[c].name);
        width = name > width ? name : width;
    }
    width = width > 32 ? 32 : width;
    dt_log_say("table    %s: %llu rows, %zu columns between %s; decimal %s\n\n", path,
               (unsigned long long)(found->rows + found->dropped_rows), found->column_count,
               format->separator == ','    ? "commas"
               : format->separator == ';'  ? "semicolons"
               : format->separator == '\t' ? "tabs"
                                           : "bars",
               format->decimal == ',' ? "comma" : "point");
    dt_log_say("%-*s  %-11s  %8s  %8s  what\n", width, "column", "role", "missing", "distinct");
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        char what[160], distinct[32];
        describe(what, sizeof what, column, (size_t)r->settings.max_categories);
        (void)snprintf(distinct, sizeof distinct, "%s%llu", column->distinct_is_more ? ">" : "",
                       (unsigned long long)column->distinct);
        const bool asked = column->role == DT_ROLE_DROPPED && column->distinct == 0;
        dt_log_say("%s%*s  %-11s  %8llu  %8s  %s\n", column->name,
                   width > shown_width(column->name) ? width - shown_width(column->name) : 0, "",
                   roles[column->role], (unsigned long long)column->missing, asked ? "" : distinct,
                   what);
    }
    dt_log_say("\n");
}

static void report_split(const run *r)
{
    enum { CLASSES_SHOWN = 10 };
    const dt_prepare_table *found = dt_prepare_table_of(r->prepare);
    char kind[32];
    if (found->dropped_rows > 0)
        dt_log_say("dropped  %llu rows, in which something is missing\n",
                   (unsigned long long)found->dropped_rows);
    dt_log_say("split    %llu training, %llu validation, %llu test rows; ",
               (unsigned long long)found->part_rows[DT_TRAIN],
               (unsigned long long)found->part_rows[DT_VALIDATION],
               (unsigned long long)found->part_rows[DT_TEST]);
    if (r->settings.split_column[0] != '\0')
        dt_log_say("by column '%s'\n", r->settings.split_column);
    else if (r->settings.split == DT_DIVISION_ORDERED)
        dt_log_say("in the table's order\n");
    else
        dt_log_say("%s, seed %lld\n", name_of(kind, DT_DIVISION_NAMES, r->settings.split),
                   (long long)r->settings.seed);
    dt_log_say("classes ");
    for (size_t c = 0; c < found->class_count && c < CLASSES_SHOWN; c++) {
        uint64_t rows = 0;
        for (int part = 0; part < DT_PART_COUNT; part++)
            rows += found->class_rows[part][c];
        dt_log_say("%s %s %.4f", c > 0 ? "," : "", found->classes[c],
                   (double)rows / (double)found->rows);
    }
    dt_log_say(found->class_count > CLASSES_SHOWN ? " ... of all rows\n" : " of all rows\n");
    dt_log_say("inputs   %zu\n\n", r->D);
    const unsigned long long unseen = dt_prepare_unseen(r->prepare);
    if (unseen > 0)
        dt_log_warn(
            "%llu cell%s of the validation and test rows %s a category that no training row "
            "has; ignored",
            unseen, unseen == 1 ? "" : "s", unseen == 1 ? "holds" : "hold");
}

static void report_summary(const run *r)
{
    const dt_prepare_table *found = dt_prepare_table_of(r->prepare);
    dt_log_result("summary.folder=%s\n", r->settings.out);
    dt_log_result("summary.rows=%llu\n", (unsigned long long)found->rows);
    dt_log_result("summary.dropped_rows=%llu\n", (unsigned long long)found->dropped_rows);
    for (int part = 0; part < DT_PART_COUNT; part++)
        dt_log_result("summary.%s_rows=%llu\n", dt_part_name((dt_part)part),
                      (unsigned long long)found->part_rows[part]);
    dt_log_result("summary.inputs=%zu\n", r->D);
    dt_log_result("summary.classes=%zu\n", found->class_count);
    dt_log_result("summary.status=ok\n");
}

static void tell(void *context, const char *pass, double share)
{
    (void)context;
    dt_log_progress(pass, share);
}

/* ---- the run ---- */

static dt_status open_table(run *r, const char *path)
{
    static const char separators[] = {0, ',', ';', '\t', '|'};
    static const char decimals[] = {0, '.', ','};
    const dt_csv_format format = {.separator = separators[r->settings.separator],
                                  .decimal = decimals[r->settings.decimal]};
    dt_status status = dt_csv_open(&r->csv, path, &format);
    if (status != DT_OK || r->settings.target[0] != '\0')
        return status;
    /* The names are what the person needs now. */
    char list[512] = "";
    size_t used = 0;
    for (size_t c = 0; c < dt_csv_format_of(r->csv)->columns && used < sizeof list; c++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", c > 0 ? ", " : "",
                                 dt_csv_name(r->csv, c));
    return dt_fail(DT_USAGE, "--target COLUMN is needed, one of: %s%s", list,
                   used >= sizeof list ? "..." : "");
}

static dt_status run_all(run *r, const char *path)
{
    dt_status status = DT_OK;
    const settings *s = &r->settings;
    DT_TRY(open_table(r, path));
    const dt_prepare_plan plan = {.target = s->target,
                                  .drop = s->drop,
                                  .numeric = s->numeric,
                                  .categorical = s->categorical,
                                  .scale = s->scale,
                                  .fill = s->fill,
                                  .missing = s->missing,
                                  .unseen = (dt_unseen)s->unseen,
                                  .max_categories = (size_t)s->max_categories,
                                  .division = (dt_division)s->split,
                                  .split_column = s->split_column,
                                  .validation = s->validation_split,
                                  .test = s->test_split,
                                  .seed = (uint64_t)s->seed};
    DT_TRY(dt_prepare_survey(&r->prepare, r->csv, &plan, tell, NULL));
    report_columns(r, path);
    DT_TRY(open_files(r));
    DT_TRY(begin_members(r, "targets", "<i8", 0, sizeof(int64_t)));
    DT_TRY(dt_prepare_fit(r->prepare, take_label, r));
    DT_TRY(flush_all(r));
    DT_TRY(dt_recipe_to_json(&r->recipe, dt_prepare_recipe(r->prepare)));
    r->D = dt_prepare_recipe(r->prepare)->D;
    DT_TRY(begin_members(r, "inputs", "<f4", r->D, sizeof(float)));
    DT_TRY(dt_prepare_apply(r->prepare, take_inputs, r));
    DT_TRY(flush_all(r));
    DT_TRY(put_in_place(r));
    report_split(r);
    report_summary(r);
out:
    return status;
}

dt_status dt_cli_prepare(int argc, char **argv)
{
    run *r = NULL; /* too large for the stack */
    const char *path = NULL;
    dt_status status = dt_memory_alloc(&r, 1, sizeof *r, "run");
    if (status != DT_OK)
        return status;
    status = parse(&r->settings, &path, argc, argv);
    if (status == DT_OK) {
        dt_log_init(true, r->settings.quiet);
        status = run_all(r, path);
    }
    for (int part = 0; part < DT_PART_COUNT; part++) {
        dt_npz_writer_discard(r->files[part].writer);
        dt_memory_free(r->files[part].buffer);
    }
    if (status != DT_OK)
        remove_folder(r);
    dt_prepare_free(r->prepare);
    dt_csv_close(r->csv);
    dt_memory_free(r->recipe);
    dt_memory_free(r);
    return status;
}
