#include "commands.h"

#include "dtrain/base/log.h"
#include "dtrain/base/options.h"
#include "dtrain/base/text.h"
#include "dtrain/io/file.h"
#include "dtrain/io/h5.h"
#include "dtrain/io/npz.h"
#include "dtrain/model/keras_model.h"
#include "dtrain/model/model.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct settings {
    dt_option_set given;
    char to[DT_OPTION_TEXT_BYTES];
} settings;

static const dt_option options[] = {
    {"to", "FILE", DT_OPTION_TEXT, offsetof(settings, to), 0, 0, NULL, NULL,
     "file to write; its ending names the format"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = offsetof(settings, given),
    .usage = "Usage: dtrain export MODEL --to FILE\n"
             "\n"
             "Writes a model for other programs. MODEL is a .h5 or .keras file, or a run's\n"
             "folder. The ending of FILE names the format:\n"
             "  .keras  Keras 3, with the optimizer's state, so that fit resumes; without it\n"
             "          if the targets were standardised, or if the network has an encoding\n"
             "          or members. dtrain does not read such a network back from .keras.\n"
             "          Keras has no layers for --numeric-embedding periodic\n"
             "  .h5     Keras 2 and 3; dtrain also reads dropout, weight decay and the\n"
             "          optimizer's state from it\n"
             "  .onnx   ONNX Runtime and others\n"
             "  .npz    NumPy: kernel_0 [inputs,units], bias_0, kernel_1 ..., and mean and\n"
             "          variance if the inputs are normalised; dtrain inspect shows the\n"
             "          activations. Values are outputs * target_deviation + target_mean, if\n"
             "          these are there. Of an encoding: edge_counts [inputs], edges of all\n"
             "          inputs, slope_0 and shift_0 [encoded,width], bins_0 [all bins,width];\n"
             "          of a periodic one: encoded [inputs], periodic_frequencies_0,\n"
             "          periodic_kernel_0 [2 frequencies,width] and periodic_bias_0;\n"
             "          of categories: groups [inputs], table_0 [categories,width];\n"
             "          of members: member_scale_0 [members,inputs], and of the last layer\n"
             "          member_kernel_0 [members,inputs,units] and member_bias_0; of\n"
             "          --members-kind full also, of hidden layer i, no bias_i but\n"
             "          member_scale_2i before it, and member_scale_2i+1 and\n"
             "          member_shift_2i+1 behind it. Of an ensemble network_1_kernel_0 ...\n"
             "An ensemble can only be exported to .h5 and .npz; the folders of the restarts or\n"
             "folds contain its members.",
};

void dt_cli_export_help(void)
{
    dt_options_print_help(&table);
}

/* ---- arrays for NumPy ---- */

/* "kernel_1"; constants have no number, because only one layer has any. `prefix` tells the networks
 * of an ensemble apart. */
static void print_name(char *out, size_t bytes, const dt_layer *layer, const dt_tensor *tensor,
                       const char *prefix)
{
    const bool member =
        layer->kind == &dt_layer_member_scale || layer->kind == &dt_layer_member_dense;
    const char *kind = member ? "member_" : layer->kind == &dt_layer_periodic ? "periodic_" : "";
    (void)snprintf(out, bytes, "%s%s%s_%zu", prefix, kind, tensor->name, layer->number);
}

/* A kernel of members is [K,D,C]. */
DT_MUST_USE static dt_status write_tensor(dt_npz_writer *npz, const dt_network *network,
                                          const dt_tensor *tensor, const char *prefix,
                                          bool is_constant)
{
    dt_status status = DT_OK;
    const dt_layer *layer = &network->layers[tensor->layer];
    const float *values = is_constant ? network->constants : network->params;
    uint64_t shape[3] = {tensor->dims[0], tensor->dims[1]};
    unsigned dims = shape[1] > 0 ? 2 : 1;
    char name[96];
    if (is_constant)
        (void)snprintf(name, sizeof name, "%s", tensor->name);
    else
        print_name(name, sizeof name, layer, tensor, prefix);
    if (layer->kind == &dt_layer_member_dense && tensor->first == layer->kernel) {
        shape[2] = shape[1];
        shape[1] = layer->D;
        shape[0] = layer->K;
        dims = 3;
    }
    DT_TRY(dt_npz_writer_begin(npz, name, "<f4", dims, shape));
    DT_TRY(dt_npz_writer_write(npz, values + tensor->first, tensor->count * sizeof *values));
out:
    return status;
}

/* One of the numbers of each target. */
DT_MUST_USE static dt_status write_scale(dt_npz_writer *npz, const dt_network *network,
                                         const char *prefix, bool deviations)
{
    dt_status status = DT_OK;
    const uint64_t C = network->C;
    char name[96];
    (void)snprintf(name, sizeof name, "%starget_%s", prefix, deviations ? "deviation" : "mean");
    DT_TRY(dt_npz_writer_begin(npz, name, "<f8", 1, &C));
    for (size_t j = 0; j < network->C; j++) {
        const dt_target_scale *scale = &network->scale[j];
        DT_TRY(dt_npz_writer_write(npz, deviations ? &scale->deviation : &scale->mean,
                                   sizeof(double)));
    }
out:
    return status;
}

/* The prefix of the names of network m; empty unless it is an ensemble. */
static const char *prefix_of(char out[32], const dt_network *network, size_t m)
{
    out[0] = '\0';
    if (network->other_count > 0)
        (void)snprintf(out, 32, "network_%zu_", m + 1);
    return out;
}

DT_MUST_USE static dt_status write_arrays(dt_npz_writer *npz, const dt_network *network)
{
    dt_status status = DT_OK;
    const size_t networks = network->other_count + 1;
    char prefix[32];
    for (size_t m = 0; m < networks; m++)
        for (size_t t = 0; t < network->tensor_count; t++)
            DT_TRY(write_tensor(npz, dt_network_member(network, m), &network->tensors[t],
                                prefix_of(prefix, network, m), false));
    for (size_t t = 0; t < network->constant_tensor_count; t++)
        DT_TRY(write_tensor(npz, network, &network->constant_tensors[t], "", true));
    for (size_t m = 0; network->scale != NULL && m < networks; m++) {
        const dt_network *member = dt_network_member(network, m);
        DT_TRY(write_scale(npz, member, prefix_of(prefix, network, m), false));
        DT_TRY(write_scale(npz, member, prefix_of(prefix, network, m), true));
    }
out:
    return status;
}

DT_MUST_USE static dt_status save_arrays(const dt_model *model, const char *path)
{
    dt_status status = DT_OK;
    dt_npz_writer *npz = NULL;
    DT_TRY(dt_npz_writer_open(&npz, path, 0));
    DT_TRY(write_arrays(npz, &model->network));
    dt_npz_writer *whole = npz;
    npz = NULL; /* finished in any case */
    status = dt_npz_writer_finish(whole);
out:
    dt_npz_writer_discard(npz);
    return status;
}

/* ---- the command ---- */

DT_MUST_USE static dt_status parse(settings *out, const char **model, int argc, char **argv)
{
    dt_status status = DT_OK;
    int words = 0;
    dt_options_set_defaults(&table, out);
    DT_TRY(dt_options_parse_words(&table, out, argc, argv, &words));
    if (words == 2 && out->to[0] == '\0')
        DT_TRY(dt_fail(DT_USAGE, "the file to write needs --to: dtrain export %s --to %s", argv[0],
                       argv[1]));
    if (words != 1 || argv[0][0] == '\0')
        DT_TRY(dt_fail(
            DT_USAGE,
            "dtrain export requires one model, but found %d words; see dtrain export --help",
            words));
    if (out->to[0] == '\0')
        DT_TRY(dt_fail(DT_USAGE, "dtrain export requires --to FILE (.keras, .h5, .onnx or .npz)"));
    if (!dt_text_ends_in(out->to, ".keras") && !dt_text_ends_in(out->to, ".h5") &&
        !dt_text_ends_in(out->to, ".npz") && !dt_text_ends_in(out->to, ".onnx"))
        DT_TRY(
            dt_fail(DT_USAGE, "--to is %s, but must end in .keras, .h5, .onnx or .npz", out->to));
    *model = argv[0];
out:
    return status;
}

/* Of any format version. */
static bool is_log(const char *path)
{
    dt_h5 *h5 = NULL;
    const bool is = dt_h5_open(&h5, path) == DT_OK && dt_h5_has(h5, "/epochs") == DT_H5_DATASET;
    dt_h5_free(h5);
    return is;
}

/* A model does not overwrite a file that cannot be made from it again. */
DT_MUST_USE static dt_status check_output(const char *to, const char *model)
{
    if (dt_file_same(to, model))
        return dt_fail(DT_USAGE, "--to %s: is the model itself; choose another file", to);
    if (is_log(to))
        return dt_fail(DT_USAGE, "--to %s: is the log of a run; choose another file", to);
    return DT_OK;
}

/* Other formats contain only one network. */
DT_MUST_USE static dt_status check_networks(const dt_model *model, const char *word, const char *to)
{
    const size_t networks = model->network.other_count + 1;
    if (networks == 1 || dt_text_ends_in(to, ".npz") || dt_text_ends_in(to, ".h5"))
        return DT_OK;
    return dt_fail(DT_USAGE,
                   "%s: is an ensemble of %zu networks, which %s cannot contain; export its "
                   "members, the models in the folders restart-1 ... (or fold-1 ...) of its run",
                   word, networks, strrchr(to, '.'));
}

/* Keras computes the loss of targets in their own units. */
static void warn_of_targets(const dt_model *model, const char *to)
{
    const dt_network *network = &model->network;
    double number = 0.0;
    if (!dt_keras_loss_in_units(&number, network))
        dt_log_warn("%s: does not contain the loss %s; .h5 does", to, network->loss->option);
    if (network->loss->classes && network->loss_number > 0.0)
        dt_log_warn("%s: does not contain the label smoothing %g; .h5 does", to,
                    network->loss_number);
    if (!dt_keras_keeps_state(network) && model->optimizer.P > 0)
        dt_log_warn("%s: does not contain %s's state, because the model has %s; .h5 does", to,
                    model->optimizer.kind->title,
                    network->scale != NULL ? "standardised targets" : "an encoding or members");
}

/* Parts that only dtrain's own file contains. */
static void warn_of_training(const dt_model *model, const char *to)
{
    const double threshold = model->network.threshold;
    if (dt_text_ends_in(to, ".h5"))
        return;
    if (!isnan(threshold))
        dt_log_warn("%s: does not contain the threshold %.9g: predict class 1 if its probability "
                    "is at least that; .h5 does for dtrain",
                    to, threshold);
    if (dt_network_first(&model->network, &dt_layer_dropout) != NULL)
        dt_log_warn("%s: does not contain the model's dropout; .h5 does", to);
    if (dt_network_first(&model->network, &dt_layer_noise) != NULL)
        dt_log_warn("%s: does not contain the model's noise; .h5 does", to);
    if (!dt_text_ends_in(to, ".keras"))
        return;
    warn_of_targets(model, to);
    if (!(model->optimizer.weight_decay > 0.0))
        return;
    if (model->optimizer.kind->weight_decay > 0.0)
        dt_log_warn("%s: Keras's %s also decays the biases, which dtrain does not", to,
                    model->optimizer.kind->title);
    else
        dt_log_warn("%s: does not contain the weight decay %g; .h5 does", to,
                    model->optimizer.weight_decay);
}

static void warn_of_losses(const dt_model *model, const char *to)
{
    warn_of_training(model, to);
    if (model->left_out[0] != '\0')
        dt_log_warn("%s: it has no %s", to, model->left_out);
    /* A recipe has them too. */
    if (dt_text_ends_in(to, ".h5") && model->recipe_json == NULL &&
        model->class_name_count > DT_H5_TEXTS_MAX)
        dt_log_warn("%s: does not contain the names of the %zu classes, because a .h5 has room for "
                    "at most %d",
                    to, model->class_name_count, DT_H5_TEXTS_MAX);
}

static void note_state(char out[64], const dt_model *model, const char *path)
{
    const bool keras = dt_text_ends_in(path, ".keras") && dt_keras_keeps_state(&model->network);
    out[0] = '\0';
    if (model->optimizer.P > 0 && (keras || dt_text_ends_in(path, ".h5")))
        (void)snprintf(out, 64, ", and %s's state%s", model->optimizer.kind->title,
                       keras ? "" : ", which only dtrain reads");
}

dt_status dt_cli_export(int argc, char **argv)
{
    dt_status status = DT_OK;
    settings s = {0};
    const char *word = NULL;
    char path[DT_OPTION_TEXT_BYTES + 16], note[64];
    dt_model model = {0};
    DT_TRY(parse(&s, &word, argc, argv));
    DT_TRY(check_output(s.to, dt_model_find(path, sizeof path, word)));
    DT_TRY(dt_model_read(&model, path));
    DT_TRY(check_networks(&model, word, s.to));
    if (dt_text_ends_in(s.to, ".npz"))
        DT_TRY(save_arrays(&model, s.to));
    else
        DT_TRY(dt_model_save(&model, s.to));
    note_state(note, &model, s.to);
    dt_log_result("%s: %zu parameters%s\n", s.to, model.network.P * (model.network.other_count + 1),
                  note);
    warn_of_losses(&model, s.to);
out:
    dt_model_clear(&model);
    return status;
}
