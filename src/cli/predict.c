#include "commands.h"
#include "predict_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/comm/watchdog.h"
#include "dtrain/io/json.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- options ---- */

#define AT(field) offsetof(dt_predict_settings, field)

static const dt_option options[] = {
    {"out", "FILE", DT_OPTION_TEXT, AT(out), 0, 0, NULL, NULL,
     "a .csv, or a .npz with predicted [N] and probabilities [N,C], for values predicted [N,T]; "
     "the default is CSV on stdout"},
    {"inputs", "NAME", DT_OPTION_TEXT, AT(scoring.inputs), 0, 0, NULL, NULL,
     "array of inputs in a .npz; usual names are found without this option"},
    {"set", "NAME", DT_OPTION_CHOICE, AT(scoring.set), 0, 0, "train|validation|test", "test",
     "set to use of a folder or prefix with several sets"},
    {"keep", "NAME,...", DT_OPTION_TEXT, AT(keep), 0, 0, NULL, NULL,
     "columns of a table to copy unchanged in front of the predictions, for example id,\"a, "
     "b\",#7"},
    {"brief", NULL, DT_OPTION_FLAG, AT(brief), 0, 0, NULL, NULL,
     "omit the row numbers and probabilities of a CSV"},
    {"on-error", "NAME", DT_OPTION_CHOICE, AT(on_error), 0, 0, DT_ON_ERROR_NAMES, "stop",
     "for a row of a table with a cell that cannot be prepared, or with another number of cells: "
     "stop, skip the row, or leave its prediction empty (NaN and -1 in a .npz)"},
    DT_SCORING_TABLE_OPTIONS,
    {"json", NULL, DT_OPTION_FLAG, AT(json), 0, 0, NULL, NULL,
     "with --out: print the summary as one JSON object, and nothing else"},
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "with --out: print no progress"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage = "Usage: dtrain predict MODEL ROWS [--out FILE] [OPTIONS]\n"
             "       mpirun -np 8 dtrain predict MODEL ROWS [--out FILE] [OPTIONS]\n"
             "\n"
             "Predicts for each row the most probable class and the probability of every\n"
             "class, or the values in the units of the targets. A model with a threshold\n"
             "predicts class 1 if its probability is at least the threshold. Rows keep their\n"
             "order on any number of ranks.\n"
             "\n"
             "MODEL is a .h5 or .keras file, or a run's folder. ROWS is a table of text with\n"
             "the columns of the training table in any order, with or without the target (- is\n"
             "stdin); or a .npz, .npy or .h5 with prepared inputs. If it has the arrays row\n"
             "and id of dtrain prepare, they are printed.",
};

void dt_cli_predict_help(void)
{
    dt_options_print_help(&table);
}

/* A .npz contains only numbers, and its number of rows is fixed at the start. */
static dt_status check_form(const dt_predict_settings *s, bool keeps)
{
    const char *option = keeps                             ? "--keep"
                         : s->brief                        ? "--brief"
                         : s->on_error == DT_ON_ERROR_SKIP ? "--on-error skip"
                                                           : NULL;
    if (option == NULL || !dt_text_ends_in(s->out, ".npz"))
        return DT_OK;
    return dt_fail(DT_USAGE,
                   "%s and --out %s were given, but only a CSV supports that; name a .csv", option,
                   s->out);
}

static dt_status parse(dt_predict_settings *out, int argc, char **argv)
{
    dt_status status = DT_OK;
    int words = 0;
    dt_options_set_defaults(&table, out);
    DT_TRY(dt_options_parse_words(&table, out, argc, argv, &words));
    DT_TRY(dt_scoring_parse_words(&out->scoring, words, argv, false,
                                  "predict requires a model and rows"));
    out->scoring.set_asked = dt_options_given(&table, out, "set");
    if (out->out[0] != '\0' && !dt_text_ends_in(out->out, ".csv") &&
        !dt_text_ends_in(out->out, ".npz"))
        DT_TRY(dt_fail(DT_USAGE, "--out is %s, but must end in .csv or .npz", out->out));
    if (out->json && out->out[0] == '\0')
        DT_TRY(dt_fail(DT_USAGE, "--json prints the summary of --out FILE; add --out, or remove "
                                 "--json: without --out the predictions are on stdout"));
    DT_TRY(check_form(out, dt_options_given(&table, out, "keep")));
out:
    return status;
}

/* ---- a run ---- */

/* A field of a CSV, in quotes if necessary, as for an empty name. */
static dt_status quote_name(char **out, const char *name)
{
    dt_status status = dt_memory_alloc(out, 2 * strlen(name) + 4, 1, "class name");
    if (status != DT_OK)
        return status;
    (*out)[name[0] != '\0' ? dt_text_put_field(*out, name, strlen(name))
                           : dt_text_put_quoted(*out, name, 0)] = '\0';
    return DT_OK;
}

static dt_status quote_names(dt_predict_run *r)
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

static dt_status find_ids(dt_predict_run *r)
{
    dt_status status = DT_OK;
    bool numbers = r->scoring.class_names != NULL && !r->scoring.has_recipe;
    DT_TRY(dt_memory_alloc(&r->ids, r->C, sizeof *r->ids, "class ids"));
    for (size_t c = 0; numbers && c < r->C; c++) /* "01" and "1" are not the same label */
        numbers = dt_text_to_whole(&r->ids[c], r->scoring.class_names[c]);
    for (size_t c = 0; !numbers && c < r->C; c++)
        r->ids[c] = (int64_t)c;
out:
    return status;
}

/* ---- rank 0: all rows, in order ---- */

static dt_status put_text(dt_predict_run *r, const char *text, size_t bytes)
{
    if (r->form == FORM_CSV)
        return dt_file_write(r->file, text, bytes);
    if (fwrite(text, 1, bytes, stdout) != bytes)
        return dt_fail(DT_OUTPUT, "stdout: cannot write the predictions");
    return DT_OK;
}

static dt_status put_record(dt_predict_run *r, const char *record)
{
    const float *p = (const float *)(const void *)record;
    const uint64_t row = r->written++;
    if (row >= r->N)
        return dt_fail(DT_DATA, "%s: the table grew while it was read", r->settings.scoring.data);
    if (r->classes)
        memcpy(&r->predicted[row], record + r->C * sizeof *p, sizeof *r->predicted);
    return dt_npz_writer_write(r->npz, p, r->C * sizeof *p);
}

static dt_status put_records(dt_predict_run *r, const char *all, size_t total)
{
    dt_status status = DT_OK;
    for (size_t at = 0; at < total && status == DT_OK; at += dt_predict_record_bytes(r))
        status = put_record(r, all + at);
    return status;
}

static dt_status put_header(dt_predict_run *r)
{
    dt_status status = DT_OK;
    const bool brief = r->settings.brief;
    char *kept = NULL;
    if (r->kept != NULL)
        DT_TRY(dt_predict_name_kept(&kept, r));
    if (r->kept != NULL)
        DT_TRY(put_text(r, kept, strlen(kept)));
    if (!brief)
        DT_TRY(put_text(r, r->classes ? "row," : "row", r->classes ? 4 : 3));
    if (r->classes)
        DT_TRY(put_text(r, "class", 5));
    for (size_t c = 0; !(r->classes && brief) && c < r->C; c++) {
        const bool quoted = r->names[c][0] == '"';
        const char *prefix = r->classes ? (quoted ? "\"p_" : "p_") : (quoted ? "\"" : "");
        if (r->classes || !brief || c > 0)
            DT_TRY(put_text(r, ",", 1));
        DT_TRY(put_text(r, prefix, strlen(prefix)));
        DT_TRY(put_text(r, r->names[c] + quoted, strlen(r->names[c]) - quoted));
    }
    DT_TRY(put_text(r, "\n", 1));
out:
    dt_memory_free(kept);
    return status;
}

/* The header comes with the first lines: until then an error leaves stdout empty. */
static dt_status put_lines(dt_predict_run *r, const char *text, size_t bytes)
{
    dt_status status = DT_OK;
    if (!r->has_header)
        DT_TRY(put_header(r));
    r->has_header = true;
    status = put_text(r, text, bytes);
out:
    return status;
}

/* Gathers the results of a round on rank 0, and writes them. */
static dt_status write_round(dt_predict_run *r)
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
            status = dt_predict_grow(&r->all, &r->all_capacity, 0, total, 1);
        DT_TRY(dt_comm_agree(comm, status));
        dt_comm_gatherv(comm, 0, r->all, r->bytes, r->mine, r->used);
        all = r->all;
    }
    if (r->scoring.root)
        status = r->form == FORM_NPZ ? put_records(r, all, total) : put_lines(r, all, total);
    r->used = 0;
    status = dt_comm_agree(comm, status);
out:
    return status;
}

/* ---- the run ---- */

static dt_status begin_output(dt_predict_run *r)
{
    dt_status status = DT_OK;
    const char *path = r->settings.out;
    char model[DT_OPTION_TEXT_BYTES + 16];
    (void)dt_model_find(model, sizeof model, r->settings.scoring.model);
    if (dt_file_same(path, dt_rows_file(r->scoring.rows)) || dt_file_same(path, model))
        DT_TRY(dt_fail(DT_USAGE, "--out %s would overwrite an input", path));
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
out:
    return status;
}

static dt_status end_output(dt_predict_run *r)
{
    dt_status status = DT_OK;
    dt_file *file = r->file;
    dt_npz_writer *npz = r->npz;
    if (r->form != FORM_NPZ)
        DT_TRY(put_lines(r, "", 0)); /* of no rows */
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
        const int64_t id = r->predicted[i] >= 0 ? r->ids[r->predicted[i]] : -1;
        DT_TRY(dt_npz_writer_write(npz, &id, sizeof id));
    }
    r->npz = NULL;
    status = dt_npz_writer_finish(npz);
out:
    return status;
}

/* Requests to a table beside its inputs. */
static dt_status ask_more(dt_predict_run *r)
{
    dt_status status = DT_OK;
    const dt_predict_settings *s = &r->settings;
    const bool takes_bad = s->on_error != DT_ON_ERROR_STOP;
    if (s->keep[0] != '\0' && !dt_rows_are_table(r->scoring.rows))
        DT_TRY(dt_fail(DT_USAGE, "--keep requires a table of text, but %s has arrays; remove it",
                       s->scoring.data));
    if (dt_rows_have_ids(r->scoring.rows)) {
        const char *name = r->scoring.recipe.id != NULL ? r->scoring.recipe.id : DT_SOURCE_ID;
        DT_TRY(dt_comm_agree(r->scoring.comm, quote_name(&r->id_name, name)));
        r->kept = r->id_name;
    }
    if (s->keep[0] != '\0')
        DT_TRY(dt_rows_keep(&r->kept, r->scoring.rows, s->keep));
    if (takes_bad)
        DT_TRY(dt_scoring_take_bad(&r->scoring, s->scoring.data, false));
out:
    return status;
}

static dt_status predict_all(dt_predict_run *r)
{
    dt_status status = DT_OK;
    const dt_comm *comm = r->scoring.comm;
    for (;;) {
        bool more = false;
        DT_TRY(dt_rows_next(r->scoring.rows, dt_predict_take_rows, r, &more));
        if (!more)
            break;
        DT_TRY(write_round(r));
        if (r->scoring.root && r->form != FORM_STDOUT)
            dt_log_progress("predicting", dt_rows_share(r->scoring.rows));
    }
    r->all_rows = r->rows;
    dt_comm_sum_i64(comm, &r->all_rows, 1);
    if (r->settings.on_error != DT_ON_ERROR_STOP)
        DT_TRY(dt_scoring_report_bad(&r->bad, &r->scoring, r->all_rows,
                                     r->settings.on_error == DT_ON_ERROR_SKIP));
    DT_TRY(dt_scoring_warn(&r->scoring)); /* or no output at all */
    if (r->scoring.root)
        status = end_output(r);
    if (r->scoring.root && r->form != FORM_STDOUT)
        dt_log_progress("predicting", 1.0);
    status = dt_comm_agree(comm, status);
out:
    return status;
}

/* Of predictions that went to a file. */
DT_MUST_USE static dt_status report_summary(const dt_predict_run *r)
{
    const bool takes_bad = r->settings.on_error != DT_ON_ERROR_STOP;
    dt_json *json = NULL;
    if (!r->settings.json) {
        dt_log_summary("out", "%s", r->settings.out);
        dt_log_result("summary.rows=%lld\n", (long long)r->all_rows);
        if (takes_bad)
            dt_log_result("summary.bad_rows=%lld\n", (long long)r->bad);
        dt_log_result("summary.status=ok\n");
        return DT_OK;
    }
    const dt_status status = dt_json_new(&json);
    if (status != DT_OK)
        return status;
    dt_json_add_text(json, "model", r->settings.scoring.model);
    dt_json_add_text(json, "data", r->settings.scoring.data);
    dt_json_add_text(json, "out", r->settings.out);
    dt_json_add_int(json, "rows", r->all_rows);
    dt_json_add_int(json, "bad_rows", r->bad);
    dt_json_add_int(json, "rows_outside_range", r->outside);
    return dt_json_print(json);
}

static dt_status run_all(dt_predict_run *r, const dt_comm *comm, int argc, char **argv)
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
    if (r->form == FORM_STDOUT) /* a pager that blocks the output is not a stall */
        dt_comm_set_stall_timeout(comm, 0.0);
    r->settings.scoring.advises_skip = r->settings.on_error == DT_ON_ERROR_STOP;
    r->settings.scoring.once = r->form != FORM_NPZ; /* else the rows are counted first */
    dt_log_init(root, r->settings.quiet || r->settings.json);
    DT_TRY(dt_scoring_open(&r->scoring, comm, &r->settings.scoring, false));
    r->C = r->scoring.model.network.C;
    r->classes = r->scoring.model.network.loss->classes;
    status = quote_names(r);
    if (status == DT_OK)
        status = find_ids(r);
    if (status == DT_OK)
        status = dt_memory_alloc(&r->bytes, (size_t)dt_comm_size(comm), sizeof *r->bytes, "sizes");
    DT_TRY(dt_comm_agree(comm, status));
    if (r->form == FORM_NPZ)
        DT_TRY(dt_rows_count(r->scoring.rows, &r->N));
    DT_TRY(ask_more(r));
    DT_TRY(dt_comm_agree(comm, root ? begin_output(r) : DT_OK));
    DT_TRY(predict_all(r));
    dt_comm_sum_i64(comm, &r->outside, 1);
    if (root && r->outside > 0)
        dt_log_warn("%s: in %lld of %lld rows an input is outside the range of the training rows",
                    r->settings.scoring.data, (long long)r->outside, (long long)r->all_rows);
    if (r->form != FORM_STDOUT)
        status = dt_comm_agree(comm, root ? report_summary(r) : DT_OK);
out:
    return status;
}

dt_status dt_cli_predict(const dt_comm *comm, int argc, char **argv)
{
    dt_predict_run *r = NULL; /* too large for the stack */
    dt_status status = dt_comm_agree(comm, dt_memory_alloc(&r, 1, sizeof *r, "run"));
    if (status == DT_OK)
        status = run_all(r, comm, argc, argv);
    if (r == NULL)
        return status;
    dt_file_discard(r->file);
    dt_npz_writer_discard(r->npz);
    dt_memory_free_texts(r->names, r->C);
    dt_memory_free(r->id_name);
    dt_memory_free(r->ids);
    dt_memory_free(r->mine);
    dt_memory_free(r->bytes);
    dt_memory_free(r->all);
    dt_memory_free(r->predicted);
    dt_scoring_clear(&r->scoring);
    dt_memory_free(r);
    return status;
}
