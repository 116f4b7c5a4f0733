#include "run_parts.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/nn/spec.h"
#include "dtrain/run/preset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

DT_MUST_USE static dt_status check_memory(const dt_run *r, const dt_network *network)
{
    /* Weights, the best ones, two moments in float32 and perhaps averaged weights, the gradient's
     * sums in 8 bytes, and the weights in the layout of products: as they are and transposed for
     * training, as they are for evaluating. The ranks of a host share weights and moments once
     * more, and on several hosts sums (comm/window.h). Rank 0 needs BYTES_SAVING (measured) while
     * it writes a checkpoint. A run that is resumed holds the best weights twice.
     * Of an ensemble all parts' weights are there in the end. Outputs of a
     * batch's rows and of an evaluation's 1024, and gradients of outputs; a dropout layer has them
     * and its factors, too, for a batch's rows; so do slopes of activations and residuals. */
    enum {
        BYTES_A_PARAMETER = 4 * 4 + 8 + 3 * 4,
        BYTES_SHARED = 3 * 4 + 8,
        BYTES_SAVING = 56,
        BYTES_RESUMING = 4,
        BYTES_AVERAGING = 2 * 4,
        BYTES_A_NETWORK = 4,
        BYTES_A_UNIT = 8,
        BYTES_KEPT = 4,
        EVALUATION_ROWS = 1024
    };
    const double batch_rows =
        (double)dt_dataset_take_capacity(&r->sets[DT_TRAIN], (uint64_t)r->settings.batch);
    const double rows =
        batch_rows + EVALUATION_ROWS + (r->settings.dropout > 0.0 ? 1.5 * batch_rows : 0);
    const double P = (double)network->P;
    double units = r->settings.noise > 0.0 ? (double)network->D : 0.0, kept = 0.0;
    for (size_t l = 0; l < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        units += (double)layer->H * (double)layer->K + (double)layer->frequencies;
        if (layer->kind == &dt_layer_add || dt_activation_keeps_slopes(layer->activation))
            kept += (double)layer->H * (double)layer->K;
    }
    const int ranks = r->environment.launch.host_size;
    const double needed =
        (P * (BYTES_A_PARAMETER + (r->settings.resume[0] != '\0' ? BYTES_RESUMING : 0) +
              (r->settings.ema > 0.0 ? BYTES_AVERAGING : 0) +
              (double)(dt_run_kept_parts(r) - 1) * BYTES_A_NETWORK) +
         units * rows * BYTES_A_UNIT + kept * batch_rows * BYTES_KEPT) *
            ranks +
        P * (BYTES_SAVING + (ranks > 1 ? BYTES_SHARED : 0));
    char what[64];
    (void)snprintf(what, sizeof what, "%.4g parameters", P);
    return dt_memory_check(needed, ranks, what,
                           "use fewer ranks a host, smaller --hidden layers, or fewer --members");
}

void dt_run_set_optimizer(dt_run *r)
{
    dt_optimizer *optimizer = &r->model.optimizer;
    for (size_t i = 0; i < optimizer->kind->number_count; i++) {
        (void)dt_settings_number(&optimizer->numbers[i], &r->settings,
                                 optimizer->kind->numbers[i].name);
    }
    optimizer->learning_rate = r->settings.learning_rate;
    optimizer->weight_decay = r->settings.weight_decay;
    optimizer->ema = r->settings.ema;
}

/* The optimizer of the settings, at its start. */
DT_MUST_USE static dt_status make_optimizer(dt_run *r)
{
    const dt_settings *settings = &r->settings;
    dt_optimizer *optimizer = &r->model.optimizer;
    const dt_status status = dt_optimizer_init(optimizer, dt_optimizer_kinds[settings->optimizer],
                                               r->model.network.P, settings->learning_rate);
    dt_run_set_optimizer(r);
    return status;
}

/* The plan comes first because it takes almost no memory. */
DT_MUST_USE static dt_status make_new(dt_run *r, const dt_bins *bins, const bool *numbers,
                                      const size_t *columns)
{
    dt_status status = DT_OK;
    const dt_settings *settings = &r->settings;
    dt_model *model = &r->model;
    const dt_spec spec = {.hidden = settings->hidden,
                          .activations = settings->activation,
                          .norm = (dt_norm)settings->norm,
                          .residual = settings->residual,
                          .embedding = (dt_embedding)settings->numeric_embedding,
                          .inputs = {r->input_mean, r->input_variance},
                          .bins = bins,
                          .numbers = numbers,
                          .frequencies = (size_t)settings->frequencies,
                          .frequency_scale = settings->frequency_scale,
                          .embedding_width = (size_t)settings->embedding_width,
                          .columns = columns,
                          .category_width = (size_t)settings->category_embedding,
                          .members = (size_t)settings->members,
                          .members_kind = (dt_members_kind)settings->members_kind};
    const dt_dataset *train = &r->sets[DT_TRAIN];
    DT_TRY(dt_spec_plan(&model->network, train->D, &spec, train->C > 0 ? train->C : train->T));
    DT_TRY(dt_run_set_loss(r, r->scale));
    DT_TRY(check_memory(r, &model->network));
    DT_TRY(dt_network_allocate(&model->network));
    dt_network_fill(&model->network, (dt_init)settings->init, (uint64_t)settings->seed);
    dt_spec_put(&model->network, &spec);
    DT_TRY(dt_network_check_constants(&model->network));
    DT_TRY(make_optimizer(r));
out:
    return status;
}

/* ---- a model to begin with ---- */

/* Dense layers but the last. */
static size_t count_hidden(const dt_network *network)
{
    size_t count = 0;
    while (dt_network_dense(network, count + 1) != NULL)
        count++;
    return count;
}

DT_MUST_USE static dt_status check_depth(const dt_network *network, const char *path)
{
    if (count_hidden(network) > DT_OPTION_LIST_MAX)
        return dt_fail(DT_DATA, "%s: has more than %d hidden layers", path, DT_OPTION_LIST_MAX);
    return DT_OK;
}

DT_MUST_USE static dt_status check_fit(const dt_run *r, const char *path)
{
    const dt_network *network = &r->model.network;
    const dt_dataset *set = &r->sets[DT_TRAIN];
    if (network->other_count > 0)
        return dt_fail(DT_USAGE,
                       "--init-from %s: it is an ensemble of %zu networks, but training starts "
                       "from one; name the folder of one of its restarts or folds",
                       path, network->other_count + 1);
    if (r->model.predicts_only[0] != '\0')
        return dt_fail(
            DT_DATA,
            "%s: %s, which dtrain cannot train; use this model only with predict and evaluate",
            path, r->model.predicts_only);
    if (r->settings.data_count == 0 && r->model.recipe_json != NULL)
        return dt_fail(DT_USAGE,
                       "--init-from %s was given without DATA, but the model was trained on a "
                       "prepared table, not on the built-in example; name DATA",
                       path);
    if (network->loss->classes != (set->C > 0))
        return dt_fail(
            DT_DATA,
            "%s: was trained for %s, but the targets are %s; use --task if they are misjudged",
            path, dt_task_of(network->loss)->name, set->C > 0 ? "classes" : "values");
    if (set->C == 0 && (network->D != set->D || network->C != set->T))
        return dt_fail(DT_DATA,
                       "%s: has %zu inputs and %zu output values, but the data has %zu and %zu",
                       path, network->D, network->C, set->D, set->T);
    if (set->C == 0)
        return check_depth(network, path);
    if (network->D != set->D || network->C < set->C)
        return dt_fail(DT_DATA, "%s: has %zu inputs and %zu classes, but the data has %zu and %zu",
                       path, network->D, network->C, set->D, set->C);
    if (network->C > set->C)
        return dt_fail(DT_DATA,
                       "%s: has %zu classes, but the training rows have %zu; they must include the "
                       "last class of the model",
                       path, network->C, set->C);
    return check_depth(network, path);
}

/* Sets an option to the model's value, unless it was given. */
DT_MUST_USE static dt_status take_number(dt_settings *s, const char *name, double value,
                                         const char *path)
{
    const dt_option_table *table = dt_settings_table();
    const dt_option_set given = s->given;
    char text[64];
    if (dt_options_given(table, s, name))
        return DT_OK;
    (void)snprintf(text, sizeof text, "%.17g", value);
    if (dt_options_set(table, s, name, text) != DT_OK)
        return dt_fail(DT_DATA, "%s: its %s is %g, which dtrain does not accept; set --%s", path,
                       name, value, name);
    s->given = given;
    return DT_OK;
}

/* If there are several rates, the first one represents all. */
static double find_dropout(const dt_network *network)
{
    const dt_layer *dropout = dt_network_first(network, &dt_layer_dropout);
    return dropout != NULL ? dropout->rate : 0.0;
}

static double find_noise(const dt_network *network)
{
    const dt_layer *noise = dt_network_first(network, &dt_layer_noise);
    return noise != NULL ? noise->deviation : 0.0;
}

/* One name for each of `count` hidden layers. */
static void spell_out(dt_option_list *list, size_t count)
{
    for (size_t i = 1; list->count == 1 && i < count; i++)
        list->values[i] = list->values[0];
    list->count = count;
}

/* Sets the options of the network to the model's values; a given option must have that value. The
 * first of several kinds of norm layers represents all; the model file has each. */
DT_MUST_USE static dt_status take_spec(dt_settings *s, const dt_network *network, const char *path)
{
    static const char *const names[] = {"hidden",
                                        "activation",
                                        "norm",
                                        "residual",
                                        "members",
                                        "members_kind",
                                        "numeric_embedding",
                                        "embedding_width",
                                        "frequencies",
                                        "frequency_scale",
                                        "category_embedding"};
    const dt_option_table *table = dt_settings_table();
    const dt_settings was = *s;
    dt_option_list given = s->activation;
    dt_spec spec;
    dt_spec_of(&spec, network);
    s->hidden = spec.hidden;
    s->norm = (int)spec.norm;
    s->residual = spec.residual;
    s->members = spec.members > 1 ? (int64_t)spec.members : 1;
    s->members_kind = (int)spec.members_kind;
    s->numeric_embedding = (int)spec.embedding;
    s->category_embedding = (int64_t)spec.category_width;
    if (spec.embedding_width > 0)
        s->embedding_width = (int64_t)spec.embedding_width;
    if (spec.embedding == DT_EMBEDDING_PERIODIC) {
        s->frequencies = (int64_t)spec.frequencies;
        s->frequency_scale = spec.frequency_scale;
    }
    if (spec.hidden.count > 0)
        s->activation = spec.activations;
    spell_out(&spec.activations, spec.hidden.count);
    if (given.count == 1)
        spell_out(&given, spec.hidden.count);
    if (memcmp(&given, &spec.activations, sizeof given) == 0)
        s->activation = was.activation;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const dt_option *option = dt_settings_option(names[i]);
        char now[DT_OPTION_TEXT_BYTES], found[DT_OPTION_TEXT_BYTES];
        (void)dt_options_format(now, sizeof now, option, &was);
        (void)dt_options_format(found, sizeof found, option, s);
        if (dt_options_given(table, s, option->name) && strcmp(now, found) != 0)
            return dt_fail(DT_USAGE, "--%s is %s, but %s has %s; remove --%s", option->name, now,
                           path, found, option->name);
    }
    if (dt_options_given(table, s, "init"))
        return dt_fail(DT_USAGE, "--init was given, but the weights are those of %s; remove --init",
                       path);
    if (dt_options_given(table, s, "bins") || dt_options_given(table, s, "bins-by")) {
        const char *name = dt_options_given(table, s, "bins") ? "bins" : "bins-by";
        return dt_fail(DT_USAGE, "--%s was given, but the bins are those of %s; remove --%s", name,
                       path, name);
    }
    return DT_OK;
}

/* Sets the settings to the model's values, because the settings are logged. */
DT_MUST_USE static dt_status take_settings(dt_run *r, const char *path)
{
    dt_status status = DT_OK;
    dt_settings *s = &r->settings;
    const dt_option_table *table = dt_settings_table();
    const dt_network *network = &r->model.network;
    const dt_optimizer *optimizer = &r->model.optimizer;
    DT_TRY(take_spec(s, network, path));
    if (!dt_options_given(table, s, "optimizer"))
        for (int k = 0; k < DT_OPTIMIZER_COUNT; k++)
            s->optimizer = dt_optimizer_kinds[k] == optimizer->kind ? k : s->optimizer;
    /* For another optimizer these numbers would have another meaning. */
    const bool same = optimizer->kind == dt_optimizer_kinds[s->optimizer];
    for (size_t i = 0; same && i < optimizer->kind->number_count; i++) {
        const char *name = optimizer->kind->numbers[i].name;
        double now;
        if (dt_settings_number(&now, s, name))
            DT_TRY(take_number(s, dt_settings_option(name)->name, optimizer->numbers[i], path));
    }
    if (!(s->momentum > 0.0) && !dt_options_given(table, s, "nesterov"))
        s->nesterov = false; /* the model's, with another momentum */
    if (same)
        DT_TRY(take_number(s, "learning-rate", optimizer->learning_rate, path));
    dt_run_take_loss(r);
    if (network->loss == dt_losses[s->loss - 1] && network->loss->number != NULL)
        DT_TRY(take_number(s, network->loss->number, network->loss_number, path));
    DT_TRY(take_number(s, "weight-decay",
                       same || optimizer->weight_decay > 0.0
                           ? optimizer->weight_decay
                           : dt_optimizer_kinds[s->optimizer]->weight_decay,
                       path));
    DT_TRY(take_number(s, "ema", optimizer->ema, path));
    DT_TRY(take_number(s, "dropout", find_dropout(network), path));
    DT_TRY(take_number(s, "noise", find_noise(network), path));
out:
    return status;
}

/* An optimizer without a state in the file starts with the file's numbers. Another --optimizer
 * starts anew. */
DT_MUST_USE static dt_status complete_optimizer(dt_run *r, const char *path)
{
    dt_optimizer *optimizer = &r->model.optimizer;
    if (optimizer->kind != dt_optimizer_kinds[r->settings.optimizer]) {
        if (r->root && optimizer->P > 0)
            dt_log_warn("%s: the state of %s is not used, because --optimizer is %s", path,
                        optimizer->kind->title, dt_optimizer_kinds[r->settings.optimizer]->name);
        dt_optimizer_clear(optimizer);
        return make_optimizer(r);
    }
    dt_run_set_optimizer(r);
    return optimizer->P > 0 ? DT_OK : dt_optimizer_allocate(optimizer, r->model.network.P);
}

static void report_init(const dt_run *r, const char *path)
{
    if (r->model.left_out[0] != '\0')
        dt_log_warn("%s: training ignores %s", path, r->model.left_out);
    if (r->recipe.D > 0 && r->model.recipe_json != NULL) {
        const char *json = r->model.recipe_json;
        char difference[256];
        dt_recipe its = {0};
        if (dt_recipe_from_json(&its, json, strlen(json), path) != DT_OK ||
            dt_recipe_describe_difference(difference, sizeof difference, &its, &r->recipe) != NULL)
            dt_log_warn("%s: its recipe differs from the recipe of the data, so the inputs have "
                        "another meaning; prepare the data with the model's recipe",
                        path);
        dt_recipe_clear(&its);
    }
}

DT_MUST_USE static dt_status begin_with(dt_run *r)
{
    dt_status status = DT_OK;
    char path[DT_OPTION_TEXT_BYTES + 16];
    (void)dt_model_find(path, sizeof path, r->settings.init_from);
    DT_TRY(dt_model_load(&r->model, r->comm, path));
    r->model.network.threshold = NAN; /* chosen anew, if --threshold is given */
    r->has_init = true;
    r->init_weights_crc = dt_trainer_crc(&r->model.network);
    r->init_state_crc = dt_model_state_crc(&r->model);
    if (r->root)
        status = dt_previous_check_init(&r->previous, path, r->init_weights_crc, r->init_state_crc);
    DT_TRY(dt_comm_agree(r->comm, status));
    DT_TRY(dt_run_take_classes(r, path));
    DT_TRY(dt_comm_agree(r->comm, check_fit(r, path)));
    DT_TRY(dt_comm_agree(r->comm, take_settings(r, path)));
    DT_TRY(dt_comm_agree(r->comm, dt_run_check_settings(&r->settings)));
    /* Weights are only valid in the units that they were trained in. */
    DT_TRY(dt_comm_agree(r->comm, dt_run_set_loss(r, r->model.network.scale)));
    DT_TRY(dt_comm_agree(r->comm, complete_optimizer(r, path)));
    r->init_step = r->model.optimizer.step;
    if (r->root)
        report_init(r, path);
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_network_prepare(&r->model.network, r->sets[p].x, dt_dataset_own_rows(&r->sets[p]));
out:
    return status;
}

DT_MUST_USE static dt_status check_validation(const dt_run *r)
{
    const dt_schedule *schedule = dt_schedules[r->settings.schedule];
    if (r->settings.restarts > 1 && !r->settings.average && r->sets[DT_VALIDATION].N == 0)
        return dt_fail(DT_USAGE,
                       "--restarts %lld needs a validation set to choose the best; use --average, "
                       "or --validation-split",
                       (long long)r->settings.restarts);
    if (!schedule->judges || r->sets[DT_VALIDATION].N > 0 || dt_run_has_folds(r))
        return DT_OK;
    return dt_fail(DT_USAGE,
                   "--schedule %s needs a validation set; use another --schedule, or "
                   "--validation-split",
                   schedule->name);
}

dt_status dt_run_make_model(dt_run *r)
{
    dt_status status = DT_OK;
    dt_bins bins = {0};
    bool *numbers = NULL; /* of a periodic encoding */
    size_t *columns = NULL; /* of categories */
    DT_TRY(dt_run_check_threshold(r));
    DT_TRY(dt_comm_agree(r->comm, check_validation(r)));
    if (r->settings.init_from[0] != '\0') {
        DT_TRY(begin_with(r));
        DT_TRY(dt_comm_agree(r->comm, check_memory(r, &r->model.network)));
    } else {
        if (!dt_options_given(dt_settings_table(), &r->settings, "weight-decay") &&
            !dt_preset_has((dt_preset)r->settings.preset, "weight-decay"))
            r->settings.weight_decay = dt_optimizer_kinds[r->settings.optimizer]->weight_decay;
        DT_TRY(dt_comm_agree(r->comm, dt_run_check_settings(&r->settings)));
        DT_TRY(dt_run_find_numbers(r, &bins, &numbers));
        DT_TRY(dt_run_find_columns(r, &columns));
        DT_TRY(dt_comm_agree(r->comm, make_new(r, &bins, numbers, columns)));
    }
    /* A model's own layers stay as they are unless the option says something else. */
    const double dropout = find_dropout(&r->model.network), noise = find_noise(&r->model.network);
    if (r->settings.dropout < dropout || r->settings.dropout > dropout)
        DT_TRY(dt_comm_agree(r->comm, dt_spec_set_dropout(&r->model.network, r->settings.dropout)));
    if (r->settings.noise < noise || r->settings.noise > noise)
        DT_TRY(dt_comm_agree(r->comm, dt_spec_set_noise(&r->model.network, r->settings.noise)));
    DT_TRY(dt_comm_agree(r->comm,
                         dt_optimizer_start_average(&r->model.optimizer, r->model.network.params,
                                                    r->model.network.P)));
out:
    dt_bins_clear(&bins);
    dt_memory_free(numbers);
    dt_memory_free(columns);
    return status;
}
