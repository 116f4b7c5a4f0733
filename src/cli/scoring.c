#include "scoring.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

dt_status dt_scoring_parse_words(dt_scoring_settings *out, int words, char **argv, bool pair,
                                 const char *usage)
{
    char *const to[] = {out->model, out->data, out->targets_file};
    const bool arrays =
        pair && words == 3 && dt_text_ends_in(argv[1], ".npy") && dt_text_ends_in(argv[2], ".npy");
    if (words != 2 && !arrays)
        return dt_fail(DT_USAGE, "dtrain %s, but found %d word%s; see --help", usage, words,
                       words == 1 ? "" : "s");
    for (int i = 0; i < words; i++) {
        if (argv[i][0] == '\0' || strlen(argv[i]) >= DT_OPTION_TEXT_BYTES)
            return dt_fail(DT_USAGE, "a path is empty, or longer than %d bytes",
                           DT_OPTION_TEXT_BYTES - 1);
        (void)snprintf(to[i], DT_OPTION_TEXT_BYTES, "%s", argv[i]);
    }
    return DT_OK;
}

/* The two words are easily exchanged. */
static dt_status check_model(const char *asked, const char *path)
{
    char log[DT_OPTION_TEXT_BYTES + 16];
    if (dt_text_ends_in(path, ".onnx"))
        return dt_fail(DT_DATA,
                       "%s: dtrain writes .onnx, but does not read it; name the .h5 or .keras "
                       "file, or the run's folder",
                       asked);
    if (access(path, F_OK) == 0)
        return DT_OK;
    (void)snprintf(log, sizeof log, "%s/run.h5", asked);
    if (access(log, F_OK) == 0)
        return dt_fail(DT_DATA,
                       "%s: no model.h5 in this folder, but the log of a run: the run has not "
                       "ended, or failed; see dtrain report",
                       asked);
    (void)snprintf(log, sizeof log, "%s/search.h5", asked);
    if (access(log, F_OK) == 0)
        return dt_fail(DT_DATA, "%s: is the folder of a search; name its best model, %s/best",
                       asked, asked);
    (void)snprintf(log, sizeof log, "%s/saved_model.pb", asked);
    if (access(log, F_OK) == 0)
        return dt_fail(DT_DATA,
                       "%s: is a SavedModel of TensorFlow; save it in Keras 2, as "
                       "tf_keras.models.load_model('%.200s').save('model.h5')",
                       asked, asked);
    if (strcmp(asked, path) != 0)
        return dt_fail(
            DT_DATA, "%s: no model.h5 in this folder; the model comes first, then the data", asked);
    return dt_fail(DT_DATA,
                   "%s: no such file or folder; expected a model (.h5, .keras) or a run's folder",
                   asked);
}

static dt_status read_recipe(dt_scoring *s, const char *path)
{
    const char *json = s->model.recipe_json;
    s->class_names = s->model.class_name_count > 0 ? s->model.class_names : NULL;
    if (json == NULL)
        return DT_OK;
    dt_status status = dt_recipe_from_json(&s->recipe, json, strlen(json), path);
    if (status != DT_OK)
        return status;
    s->has_recipe = true;
    const bool classes = s->recipe.class_count > 0;
    const size_t outputs = classes ? s->recipe.class_count : s->recipe.T;
    s->class_names = classes ? s->recipe.classes : s->recipe.targets;
    if (classes != s->model.network.loss->classes)
        return dt_fail(DT_DATA, "%s: its recipe prepares %s, but its loss is for %s", path,
                       classes ? "classes" : "values", classes ? "values" : "classes");
    if (s->recipe.D != s->model.network.D || outputs != s->model.network.C)
        return dt_fail(
            DT_DATA,
            "%s: its recipe prepares %zu inputs and %zu %s, but its network has %zu and %zu", path,
            s->recipe.D, outputs, classes ? "classes" : "values", s->model.network.D,
            s->model.network.C);
    return DT_OK;
}

/* Layers without weights are free in the file, but their outputs need memory. */
DT_MUST_USE static dt_status check_memory(const dt_scoring *s)
{
    enum { ROWS = 4 * DT_PREDICTOR_BLOCK, BYTES_A_PARAMETER = 2 * 4, BYTES_A_UNIT = 4 };
    const dt_network *network = &s->model.network;
    const int ranks = s->environment.launch.host_size;
    double units = 2.0 * (double)network->D; /* as they come, and prepared */
    for (size_t l = 0; l < network->layer_count; l++)
        units += (double)network->layers[l].H;
    const double others = (double)network->other_count * (double)network->P;
    return dt_memory_check((units * ROWS * BYTES_A_UNIT + (double)network->P * BYTES_A_PARAMETER +
                            others * sizeof(float)) *
                               ranks,
                           ranks, "the outputs of the model's layers", "use fewer ranks a host");
}

dt_status dt_scoring_open(dt_scoring *out, const dt_comm *comm, const dt_scoring_settings *settings,
                          bool labels)
{
    dt_status status = DT_OK;
    dt_scoring *s = out;
    char path[DT_OPTION_TEXT_BYTES + 16];
    memset(s, 0, sizeof *s);
    s->comm = comm;
    s->root = dt_comm_rank(comm) == 0;
    (void)dt_model_find(path, sizeof path, settings->model);
    DT_TRY(dt_environment_survey(&s->environment, comm, 1, DT_ENGINE_AUTO));
    DT_TRY(dt_comm_agree(comm, s->root ? check_model(settings->model, path) : DT_OK));
    status = dt_model_load(&s->model, comm, path);
    if (status == DT_DATA && !dt_text_ends_in(path, ".h5") && !dt_text_ends_in(path, ".keras"))
        status = dt_fail(status, "%s; the model comes first, then the data", dt_status_text());
    if (status != DT_OK)
        goto out;
    DT_TRY(dt_comm_agree(comm, read_recipe(s, path)));
    DT_TRY(dt_comm_agree(comm, check_memory(s)));
    DT_TRY(dt_comm_agree(comm, dt_predictor_init(&s->predictor, &s->model.network, true)));
    DT_TRY(
        dt_comm_agree(comm, dt_text_split_items(&s->columns, &s->column_count, settings->columns)));
    const dt_rows_plan plan = {
        .path = settings->data,
        .targets_path = settings->targets_file,
        .keys = !labels,
        .set = (dt_set)settings->set,
        .set_asked = settings->set_asked,
        .inputs = settings->inputs,
        .targets = settings->targets,
        .labels = labels,
        .values = !s->model.network.loss->classes,
        .D = s->model.network.D,
        .C = s->model.network.C,
        .class_names = s->model.network.loss->classes ? s->class_names : NULL,
        .recipe = s->has_recipe ? &s->recipe : NULL,
        .format = {.csv = {.separator = dt_csv_separator(settings->separator),
                           .names = (const char *const *)s->columns,
                           .name_count = s->column_count,
                           .encoding = (dt_csv_encoding)settings->encoding,
                           .header = (dt_csv_header)settings->header,
                           .skip_lines = (size_t)settings->skip_lines,
                           .once = settings->once},
                   .decimals = settings->decimal,
                   .thousands = settings->thousands,
                   .numeric = settings->numeric,
                   .missing = settings->missing,
                   .advice =
                       settings->advises_skip ? "use --on-error skip to skip such rows" : NULL},
        .batch_rows = s->predictor.capacity,
        .host_ranks = s->environment.launch.host_size};
    DT_TRY(dt_rows_open(&s->rows, comm, &plan));
out:
    return status;
}

void dt_scoring_clear(dt_scoring *scoring)
{
    dt_rows_close(scoring->rows);
    dt_memory_free_texts(scoring->columns, scoring->column_count);
    dt_predictor_clear(&scoring->predictor);
    dt_recipe_clear(&scoring->recipe);
    dt_model_clear(&scoring->model);
    dt_environment_clear(&scoring->environment);
    memset(scoring, 0, sizeof *scoring);
}

const char *dt_scoring_output(char *out, size_t bytes, const dt_scoring *scoring, size_t index)
{
    if (scoring->class_names != NULL)
        (void)snprintf(out, bytes, "%s", scoring->class_names[index]);
    else if (scoring->model.network.loss->classes)
        (void)snprintf(out, bytes, "%zu", index);
    else if (scoring->model.network.C == 1)
        (void)snprintf(out, bytes, "prediction");
    else
        (void)snprintf(out, bytes, "prediction_%zu", index);
    return out;
}

dt_status dt_scoring_take_bad(const dt_scoring *scoring, const char *data, bool skip)
{
    if (!dt_rows_are_table(scoring->rows))
        return dt_fail(DT_USAGE,
                       "--on-error requires a table of text, but %s has arrays; remove it", data);
    return dt_comm_agree(scoring->comm, dt_rows_take_bad(scoring->rows, skip));
}

dt_status dt_scoring_report_bad(int64_t *count, const dt_scoring *scoring, int64_t rows,
                                bool skipped)
{
    dt_row_note bad;
    dt_status status = DT_OK;
    DT_TRY(dt_rows_bad(&bad, scoring->rows));
    *count = (int64_t)bad.count;
    const int64_t all = rows + (skipped ? *count : 0);
    if (*count > 0 && *count == all)
        DT_TRY(dt_fail(DT_DATA, "%s; and so in all %lld rows", bad.example, (long long)all));
    if (*count > 0 && scoring->root)
        dt_log_warn("%lld of %lld rows cannot be prepared, and %s; the first is %s",
                    (long long)*count, (long long)all,
                    skipped ? "are skipped" : "have an empty prediction", bad.example);
out:
    return status;
}

dt_status dt_scoring_warn(const dt_scoring *scoring)
{
    dt_row_note unseen;
    dt_status status = dt_rows_judge(&unseen, scoring->rows);
    if (status == DT_OK && unseen.count > 0)
        dt_log_warn("%llu cell%s a category that no training row had, as %s; ignored",
                    (unsigned long long)unseen.count, unseen.count == 1 ? " holds" : "s hold",
                    unseen.example);
    return status;
}
