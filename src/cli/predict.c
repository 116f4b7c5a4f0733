#include "commands.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/comm/watchdog.h"
#include "dtrain/io/file.h"
#include "dtrain/io/npz.h"
#include "dtrain/nn/bins.h"
#include "scoring.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- options ---- */

typedef struct settings {
    dt_option_set given;
    dt_scoring_settings scoring;
    char out[DT_OPTION_TEXT_BYTES];
    bool quiet;
} settings;

#define AT(field) offsetof(settings, field)

static const dt_option options[] = {
    {"out", "FILE", DT_OPTION_TEXT, AT(out), 0, 0, NULL, NULL,
     "a .csv, or a .npz with predicted [N] and probabilities [N,C], of values predicted [N,T]; "
     "stdout as CSV without it"},
    {"inputs", "NAME", DT_OPTION_TEXT, AT(scoring.inputs), 0, 0, NULL, NULL,
     "array of inputs in a .npz; found by itself when it has a usual name"},
    {"set", "NAME", DT_OPTION_CHOICE, AT(scoring.set), 0, 0, "train|validation|test", "test",
     "of a folder or prefix with several sets, the one to take"},
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "with --out: print no progress"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage = "Usage: dtrain predict MODEL ROWS [--out FILE] [OPTIONS]\n"
             "       mpirun -np 8 dtrain predict MODEL ROWS [--out FILE] [OPTIONS]\n\n"
             "Gives each row's most probable class (of a model with a threshold: class 1 from\n"
             "that probability on) and the probability of every class; or its values in the\n"
             "targets' units. Rows keep their order, on any number of ranks.\n\n"
             "MODEL is a .h5 or .keras file, or a run's folder. ROWS is a table of text with the\n"
             "columns that the model was prepared from, in any order, the target not needed; or\n"
             "a .npz with prepared inputs.",
};

void dt_cli_predict_help(void)
{
    dt_options_print_help(&table);
}

static dt_status parse(settings *out, int argc, char **argv)
{
    dt_status status = DT_OK;
    int words = 0;
    dt_options_set_defaults(&table, out);
    DT_TRY(dt_options_parse_words(&table, out, argc, argv, &words));
    DT_TRY(dt_scoring_parse_words(&out->scoring, words, argv, "predict takes a model and rows"));
    out->scoring.set_asked = dt_options_given(&table, out, "set");
    if (out->out[0] != '\0' && !dt_text_ends_in(out->out, ".csv") &&
        !dt_text_ends_in(out->out, ".npz"))
        DT_TRY(dt_fail(DT_USAGE, "--out is %s, but must end in .csv or .npz", out->out));
out:
    return status;
}

/* ---- a run ---- */

typedef enum form { FORM_STDOUT, FORM_CSV, FORM_NPZ } form;

typedef struct run {
    settings settings;
    dt_scoring scoring;
    form form;
    bool classes; /* the model gives classes, not values */
    size_t C; /* classes, or values of a row */
    char **names; /* [C]: the outputs' names as fields of a CSV */
    size_t longest_name;

    char *mine; /* this rank's results of this round: text, or records */
    size_t used, capacity;

    /* Rank 0: */
    size_t *bytes; /* [ranks] */
    char *all; /* all ranks' results of a round, rank after rank */
    size_t all_capacity;
    dt_file *file;
    dt_npz_writer *npz;
    int32_t *predicted; /* [N], for a .npz: written behind the probabilities */
    uint64_t N, written; /* rows, for a .npz */
    int64_t rows; /* that this rank predicted; of all ranks in the end */
    int64_t outside; /* of them, those with an input that training did not see the like of */
} run;

/* A row's numbers on their way to rank 0: C probabilities or values, then the predicted class. */
static size_t record_bytes(const run *r)
{
    return r->C * sizeof(float) + (r->classes ? sizeof(int32_t) : 0);
}

/* A field of a CSV: in quotes where it needs them. */
static dt_status quote_name(char **out, const char *name)
{
    const bool plain = strpbrk(name, ",\"\r\n") == NULL && name[0] != ' ' && name[0] != '\0' &&
                       name[strlen(name) - 1] != ' ';
    if (plain)
        return dt_memory_copy_text(out, name);
    dt_status status = dt_memory_alloc(out, 2 * strlen(name) + 3, 1, "class name");
    if (status != DT_OK)
        return status;
    char *to = *out;
    *to++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"')
            *to++ = '"';
        *to++ = *name;
    }
    *to++ = '"';
    *to = '\0';
    return DT_OK;
}

static dt_status quote_names(run *r)
{
    dt_status status = DT_OK;
    DT_TRY(dt_memory_alloc(&r->names, r->C, sizeof *r->names, "class names"));
    for (size_t c = 0; c < r->C; c++) {
        char text[DT_OPTION_TEXT_BYTES];
        const char *name = r->scoring.class_names != NULL
                               ? r->scoring.class_names[c]
                               : dt_scoring_output(text, sizeof text, &r->scoring, c);
        DT_TRY(quote_name(&r->names[c], name));
        const size_t length = strlen(r->names[c]);
        r->longest_name = length > r->longest_name ? length : r->longest_name;
    }
out:
    return status;
}

/* ---- each rank: its rows ---- */

enum { VALUE_BYTES = 24 };

/* Nine digits tell float32 numbers apart. */
static size_t format_values(const run *r, char *out, uint64_t row, const float *values)
{
    size_t used = dt_text_whole(out, row);
    for (size_t j = 0; j < r->C; j++)
        used += (size_t)snprintf(out + used, VALUE_BYTES, ",%.9g", (double)values[j]);
    out[used++] = '\n';
    return used;
}

static size_t format_row(const run *r, char *out, uint64_t row, const float *p, int32_t predicted)
{
    size_t used = dt_text_whole(out, row);
    const char *name = r->names[predicted];
    const size_t length = strlen(name);
    out[used++] = ',';
    memcpy(out + used, name, length);
    used += length;
    for (size_t c = 0; c < r->C; c++) {
        out[used++] = ',';
        used += dt_text_probability(out + used, p[c]);
    }
    out[used++] = '\n';
    return used;
}

static size_t longest_row(const run *r)
{
    return 24 + r->longest_name + 24 * r->C;
}

static dt_status grow(void *block, size_t *capacity, size_t used, size_t more, size_t size)
{
    if (*capacity - used >= more)
        return DT_OK;
    const size_t wanted = 2 * used + more;
    dt_status status = dt_memory_grow(block, used, wanted, size, "predictions");
    if (status == DT_OK)
        *capacity = wanted;
    return status;
}

/* One NaN among a row's logits makes all of its probabilities NaN. */
static bool is_sound(const run *r, const float *p)
{
    bool sound = true;
    for (size_t j = 0; j < (r->classes ? 1 : r->C); j++)
        sound = sound && isfinite(p[j]);
    return sound;
}

static dt_status take_rows(void *context, const dt_row_batch *rows)
{
    run *r = context;
    dt_predictor *predictor = &r->scoring.predictor;
    const size_t row_bytes = r->form != FORM_NPZ ? longest_row(r) : record_bytes(r);
    dt_status status = grow(&r->mine, &r->capacity, r->used, rows->count * row_bytes, 1);
    if (status != DT_OK)
        return status;
    dt_predictor_run(predictor, rows->x, NULL, rows->count);
    r->rows += (int64_t)rows->count;
    r->outside += (int64_t)dt_bins_count_outside(predictor->network, rows->x, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        const float *p = predictor->p + i * r->C;
        char *to = r->mine + r->used;
        if (!is_sound(r, p))
            return dt_fail(DT_DIVERGED,
                           "%s: row %llu: its %s not finite; check that the inputs are prepared as "
                           "in training",
                           r->settings.scoring.data, (unsigned long long)(rows->first + i),
                           r->classes ? "probabilities are" : "prediction is");
        if (r->form == FORM_NPZ) {
            memcpy(to, p, r->C * sizeof *p);
            if (r->classes)
                memcpy(to + r->C * sizeof *p, &predictor->rows.predicted[i], sizeof(int32_t));
            r->used += row_bytes;
        } else if (r->classes) {
            r->used += format_row(r, to, rows->first + i, p, predictor->rows.predicted[i]);
        } else {
            r->used += format_values(r, to, rows->first + i, p);
        }
    }
    return DT_OK;
}

/* ---- rank 0: all rows, in order ---- */

static dt_status put_text(run *r, const char *text, size_t bytes)
{
    if (r->form == FORM_CSV)
        return dt_file_write(r->file, text, bytes);
    if (fwrite(text, 1, bytes, stdout) != bytes)
        return dt_fail(DT_OUTPUT, "stdout: the predictions could not be written");
    return DT_OK;
}

static dt_status put_record(run *r, const char *record)
{
    const float *p = (const float *)(const void *)record;
    const uint64_t row = r->written++;
    if (row >= r->N)
        return dt_fail(DT_DATA, "%s: the table grew while it was read", r->settings.scoring.data);
    if (r->classes)
        memcpy(&r->predicted[row], record + r->C * sizeof *p, sizeof *r->predicted);
    return dt_npz_writer_write(r->npz, p, r->C * sizeof *p);
}

static dt_status put_records(run *r, const char *all, size_t total)
{
    dt_status status = DT_OK;
    for (size_t at = 0; at < total && status == DT_OK; at += record_bytes(r))
        status = put_record(r, all + at);
    return status;
}

/* Brings the results of a round to rank 0, and writes them. */
static dt_status write_round(run *r)
{
    dt_status status = DT_OK;
    const dt_comm *comm = r->scoring.comm;
    size_t total = r->used;
    const char *all = r->mine;
    if (dt_comm_size(comm) > 1) {
        dt_comm_allgather(comm, r->bytes, &r->used, sizeof r->used);
        total = 0;
        for (int rank = 0; rank < dt_comm_size(comm); rank++)
            total += r->bytes[rank];
        if (r->scoring.root)
            status = grow(&r->all, &r->all_capacity, 0, total, 1);
        DT_TRY(dt_comm_agree(comm, status));
        dt_comm_gatherv(comm, 0, r->all, r->bytes, r->mine, r->used);
        all = r->all;
    }
    if (r->scoring.root)
        status = r->form != FORM_NPZ ? put_text(r, all, total) : put_records(r, all, total);
    r->used = 0;
    status = dt_comm_agree(comm, status);
out:
    return status;
}

/* ---- the run ---- */

static dt_status begin_output(run *r)
{
    dt_status status = DT_OK;
    const char *path = r->settings.out;
    char model[DT_OPTION_TEXT_BYTES + 16];
    (void)dt_model_find(model, sizeof model, r->settings.scoring.model);
    if (dt_file_same(path, dt_rows_file(r->scoring.rows)) || dt_file_same(path, model))
        DT_TRY(dt_fail(DT_USAGE, "--out %s would be written over what is read", path));
    const uint64_t shape[2] = {r->N, r->C};
    if (r->form == FORM_NPZ && !r->classes) {
        DT_TRY(dt_npz_writer_open(&r->npz, path, 0));
        DT_TRY(dt_npz_writer_begin(r->npz, "predicted", "<f4", r->C > 1 ? 2 : 1, shape));
        goto out;
    }
    if (r->form == FORM_NPZ) {
        DT_TRY(dt_memory_alloc(&r->predicted, (size_t)r->N, sizeof *r->predicted, "predictions"));
        DT_TRY(dt_npz_writer_open(&r->npz, path, 0));
        DT_TRY(dt_npz_writer_begin(r->npz, "probabilities", "<f4", 2, shape));
        goto out;
    }
    if (r->form == FORM_CSV)
        DT_TRY(dt_file_create(&r->file, path));
    DT_TRY(r->classes ? put_text(r, "row,class", 9) : put_text(r, "row", 3));
    for (size_t c = 0; c < r->C; c++) {
        const bool quoted = r->names[c][0] == '"';
        if (r->classes)
            DT_TRY(put_text(r, quoted ? ",\"p_" : ",p_", quoted ? 4 : 3));
        else
            DT_TRY(put_text(r, ",\"", quoted ? 2 : 1));
        DT_TRY(put_text(r, r->names[c] + quoted, strlen(r->names[c]) - quoted));
    }
    DT_TRY(put_text(r, "\n", 1));
out:
    return status;
}

static dt_status end_output(run *r)
{
    dt_status status = DT_OK;
    dt_file *file = r->file;
    dt_npz_writer *npz = r->npz;
    if (r->form == FORM_CSV) {
        r->file = NULL;
        return dt_file_commit(file);
    }
    if (r->form != FORM_NPZ)
        return DT_OK;
    if (r->written != r->N)
        return dt_fail(DT_DATA, "%s: the table shrank while it was read", r->settings.scoring.data);
    if (r->classes)
        DT_TRY(dt_npz_writer_begin(npz, "predicted", "<i8", 1, &r->N));
    for (uint64_t i = 0; r->classes && i < r->N; i++) {
        const int64_t item = r->predicted[i];
        DT_TRY(dt_npz_writer_write(npz, &item, sizeof item));
    }
    r->npz = NULL;
    status = dt_npz_writer_finish(npz);
out:
    return status;
}

static dt_status predict_all(run *r)
{
    dt_status status = DT_OK;
    const dt_comm *comm = r->scoring.comm;
    for (;;) {
        bool more = false;
        DT_TRY(dt_rows_next(r->scoring.rows, take_rows, r, &more));
        if (!more)
            break;
        DT_TRY(write_round(r));
        if (r->scoring.root && r->form != FORM_STDOUT)
            dt_log_progress("predicting", dt_rows_share(r->scoring.rows));
    }
    DT_TRY(dt_scoring_warn(&r->scoring)); /* or no output at all */
    if (r->scoring.root)
        status = end_output(r);
    if (r->scoring.root && r->form != FORM_STDOUT)
        dt_log_progress("predicting", 1.0);
    status = dt_comm_agree(comm, status);
out:
    return status;
}

static dt_status run_all(run *r, const dt_comm *comm, int argc, char **argv)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(comm) == 0;
    if (root)
        status = parse(&r->settings, argc, argv);
    DT_TRY(dt_comm_agree(comm, status));
    dt_comm_broadcast(comm, &r->settings, sizeof r->settings);
    r->form = r->settings.out[0] == '\0'                 ? FORM_STDOUT
              : dt_text_ends_in(r->settings.out, ".npz") ? FORM_NPZ
                                                         : FORM_CSV;
    if (r->form == FORM_STDOUT) /* whoever reads it in a pager is no stall */
        dt_comm_set_stall_timeout(comm, 0.0);
    dt_log_init(root, r->settings.quiet);
    DT_TRY(dt_scoring_open(&r->scoring, comm, &r->settings.scoring, false));
    r->C = r->scoring.model.network.C;
    r->classes = r->scoring.model.network.loss->classes;
    status = quote_names(r);
    if (status == DT_OK)
        status = dt_memory_alloc(&r->bytes, (size_t)dt_comm_size(comm), sizeof *r->bytes, "sizes");
    DT_TRY(dt_comm_agree(comm, status));
    if (r->form == FORM_NPZ)
        DT_TRY(dt_rows_count(r->scoring.rows, &r->N));
    DT_TRY(dt_comm_agree(comm, root ? begin_output(r) : DT_OK));
    DT_TRY(predict_all(r));
    dt_comm_sum_i64(comm, &r->rows, 1);
    dt_comm_sum_i64(comm, &r->outside, 1);
    if (root && r->outside > 0)
        dt_log_warn("%s: %lld of %lld rows: an input is outside the range of the training rows",
                    r->settings.scoring.data, (long long)r->outside, (long long)r->rows);
    if (r->form != FORM_STDOUT)
        dt_log_result("summary.out=%s\nsummary.rows=%lld\nsummary.status=ok\n", r->settings.out,
                      (long long)r->rows);
out:
    return status;
}

dt_status dt_cli_predict(const dt_comm *comm, int argc, char **argv)
{
    run *r = NULL; /* too large for the stack */
    dt_status status = dt_comm_agree(comm, dt_memory_alloc(&r, 1, sizeof *r, "run"));
    if (status == DT_OK)
        status = run_all(r, comm, argc, argv);
    if (r == NULL)
        return status;
    dt_file_discard(r->file);
    dt_npz_writer_discard(r->npz);
    for (size_t c = 0; r->names != NULL && c < r->C; c++)
        dt_memory_free(r->names[c]);
    dt_memory_free(r->names);
    dt_memory_free(r->mine);
    dt_memory_free(r->bytes);
    dt_memory_free(r->all);
    dt_memory_free(r->predicted);
    dt_scoring_clear(&r->scoring);
    dt_memory_free(r);
    return status;
}
