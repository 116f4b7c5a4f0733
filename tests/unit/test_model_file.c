/* rooms: model */
/* dtrain's own part of a model file: what is saved comes back, and what does not fit is refused. */
#include "h5_files.h"
#include "h5_writing.h"

#include "dtrain/base/memory.h"
#include "dtrain/model/model.h"
#include "dtrain/model/model_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { D = 3, C = 2 };

static const char *model_path(void)
{
    return scratch_path("model.h5");
}

/* Normalization, two hidden layers with dropout, and an optimizer of that kind with its state. */
static dt_model make(const dt_optimizer_kind *kind)
{
    const dt_layer layers[] = {
        {.kind = &dt_layer_normalization},
        {.kind = &dt_layer_dense, .H = 5, .activation = DT_ACTIVATION_TANH},
        {.kind = &dt_layer_dropout, .rate = 0.1},
        {.kind = &dt_layer_dense, .H = 4, .activation = DT_ACTIVATION_SIGMOID},
        {.kind = &dt_layer_dropout, .rate = 1.0 / 3.0},
        {.kind = &dt_layer_dense, .H = C, .activation = DT_ACTIVATION_LINEAR},
    };
    dt_model model = {0};
    dt_network *network = &model.network;
    dt_optimizer *optimizer = &model.optimizer;
    assert_ok(dt_network_make(network, D, layers, sizeof layers / sizeof *layers));
    dt_network_fill(network, DT_INIT_GLOROT_UNIFORM, 5);
    for (size_t i = 0; i < network->constant_count; i++)
        network->constants[i] = 1.0f / (float)(i + 1);
    assert_ok(dt_optimizer_init(optimizer, kind, network->P, 0.1 + 0.2));
    optimizer->weight_decay = 1.0 / 7.0;
    optimizer->step = ((int64_t)1 << 53) - 1;
    for (size_t n = 0; n < kind->number_count; n++)
        optimizer->numbers[n] = kind->numbers[n].is_flag ? 1.0 : 1.0 / (double)(n + 3);
    for (size_t s = 0; s < kind->state_count; s++)
        for (size_t i = 0; i < network->P; i++)
            optimizer->states[s][i] = (float)(i + s) / 8.0f;
    return model;
}

static void expect_same(const dt_model *found, const dt_model *saved)
{
    const dt_network *is = &found->network, *was = &saved->network;
    const dt_optimizer *a = &found->optimizer, *b = &saved->optimizer;
    assert_int_equal(is->layer_count, was->layer_count);
    for (size_t l = 0; l < was->layer_count; l++) {
        assert_ptr_equal(is->layers[l].kind, was->layers[l].kind);
        assert_int_equal(is->layers[l].H, was->layers[l].H);
        assert_int_equal(is->layers[l].activation, was->layers[l].activation);
        assert_memory_equal(&is->layers[l].rate, &was->layers[l].rate, sizeof(double));
        assert_memory_equal(&is->layers[l].epsilon, &was->layers[l].epsilon, sizeof(double));
        assert_memory_equal(&is->layers[l].deviation, &was->layers[l].deviation, sizeof(double));
    }
    assert_int_equal(is->P, was->P);
    assert_memory_equal(is->params, was->params, was->P * sizeof(float));
    assert_int_equal(is->constant_count, was->constant_count);
    assert_memory_equal(is->constants, was->constants, was->constant_count * sizeof(float));
    assert_ptr_equal(a->kind, b->kind);
    assert_memory_equal(&a->learning_rate, &b->learning_rate, sizeof(double));
    assert_memory_equal(&a->weight_decay, &b->weight_decay, sizeof(double));
    assert_memory_equal(a->numbers, b->numbers, sizeof a->numbers);
    assert_int_equal(a->step, b->step);
    assert_int_equal(a->P, b->P);
    for (size_t s = 0; b->P > 0 && s < b->kind->state_count; s++)
        assert_memory_equal(a->states[s], b->states[s], b->P * sizeof(float));
}

/* Every optimizer that is listed, and without its state. */
static void test_comes_back(void **state)
{
    (void)state;
    for (size_t k = 0; k < DT_OPTIMIZER_COUNT; k++)
        for (int has_state = 0; has_state < 2; has_state++) {
            dt_model saved = make(dt_optimizer_kinds[k]), found;
            dt_optimizer *optimizer = &saved.optimizer;
            if (has_state == 0) {
                dt_memory_free(optimizer->states[0]);
                memset(optimizer->states, 0, sizeof optimizer->states);
                optimizer->P = 0;
            }
            assert_ok(dt_model_save(&saved, model_path()));
            assert_ok(dt_model_read(&found, model_path()));
            expect_same(&found, &saved);
            assert_int_equal(dt_model_state_crc(&found), dt_model_state_crc(&saved));
            dt_model_clear(&found);
            dt_model_clear(&saved);
        }
}

/* An ensemble: each network has its parameters and its targets' scales. */
static void test_ensemble(void **state)
{
    (void)state;
    enum { NETWORKS = 3 };
    dt_model saved = {0}, found;
    const dt_layer layers[] = {
        {.kind = &dt_layer_normalization},
        {.kind = &dt_layer_dense, .H = 5, .activation = DT_ACTIVATION_TANH},
        {.kind = &dt_layer_dense, .H = C, .activation = DT_ACTIVATION_LINEAR},
    };
    for (size_t m = 0; m < NETWORKS; m++) {
        dt_network network;
        const dt_target_scale scale[C] = {{(double)m, 1.5}, {-1.0 / 3.0, 2.0 + (double)m}};
        assert_ok(dt_network_make(&network, D, layers, sizeof layers / sizeof *layers));
        dt_network_fill(&network, DT_INIT_GLOROT_UNIFORM, m);
        network.constants[0] = 7.0f;
        assert_ok(dt_network_set_loss(&network, &dt_huber, 2.0, scale));
        if (m == 0)
            saved.network = network;
        else
            assert_ok(dt_network_add(&saved.network, &network));
    }
    assert_ok(dt_optimizer_init(&saved.optimizer, &dt_adam, 0, 0.001));
    assert_ok(dt_model_save(&saved, model_path()));
    assert_ok(dt_model_read(&found, model_path()));
    expect_same(&found, &saved);
    assert_int_equal(found.network.other_count, NETWORKS - 1);
    for (size_t m = 0; m < NETWORKS; m++) {
        const dt_network *is = dt_network_member(&found.network, m);
        const dt_network *was = dt_network_member(&saved.network, m);
        assert_memory_equal(is->params, was->params, was->P * sizeof(float));
        assert_memory_equal(is->scale, was->scale, C * sizeof *was->scale);
        assert_ptr_equal(is->loss, &dt_huber);
        assert_int_equal(is->layer_count, was->layer_count);
    }
    dt_model_clear(&found);
    assert_int_equal(dt_model_save(&saved, scratch_path("m.keras")), DT_USAGE);
    assert_int_equal(dt_model_save(&saved, scratch_path("m.onnx")), DT_USAGE);
    assert_non_null(strstr(dt_status_text(), "the 3 networks of an ensemble"));

    /* Without a network's weights the file is not an ensemble of so many. */
    hid_t file = H5Fopen(model_path(), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Aexists(file, "model_config") == 0);
    assert_true(H5Ldelete(file, "/dtrain/others/2/tensors/dense_1/bias", H5P_DEFAULT) >= 0);
    h5_close_id(file);
    assert_int_equal(dt_model_read(&found, model_path()), DT_DATA);
    assert_non_null(strstr(dt_status_text(), "/dtrain/others/2/tensors/dense_1/bias"));
    dt_model_clear(&saved);
}

/* The file of a network that Keras has no layers for has no part for Keras, and is not .keras. */
static void test_periodic(void **state)
{
    (void)state;
    const dt_layer layers[] = {
        {.kind = &dt_layer_periodic, .encoded = 1, .frequencies = 3, .width = 4, .deviation = 0.5},
        {.kind = &dt_layer_dense, .H = C, .activation = DT_ACTIVATION_LINEAR},
    };
    dt_model saved = {0}, found;
    assert_ok(dt_network_make(&saved.network, D, layers, 2));
    dt_network_fill(&saved.network, DT_INIT_GLOROT_UNIFORM, 5);
    assert_ok(dt_optimizer_init(&saved.optimizer, &dt_adam, 0, 0.001));
    assert_ok(dt_model_save(&saved, model_path()));
    assert_int_equal(dt_model_read(&found, model_path()), DT_DATA);
    assert_non_null(
        strstr(dt_status_text(), "layer 1 (periodic): 0 inputs are encoded; expected 1"));
    saved.network.constants[saved.network.layers[0].is_encoded + 1] = 1.0f;
    assert_ok(dt_model_save(&saved, model_path()));
    assert_ok(dt_model_read(&found, model_path()));
    expect_same(&found, &saved);
    assert_int_equal(found.network.layers[0].frequencies, 3);
    assert_true(found.network.layers[0].deviation == 0.5);
    dt_model_clear(&found);
    hid_t file = H5Fopen(model_path(), H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0 && H5Lexists(file, "model_weights", H5P_DEFAULT) == 0);
    H5Fclose(file);
    assert_int_equal(dt_model_save(&saved, "waves.keras"), DT_USAGE);
    assert_non_null(strstr(dt_status_text(), "waves.keras: Keras has no layer for the sines"));
    dt_model_clear(&saved);
}

/* Every kind of layer that is listed is in the file; those without a counterpart in Keras keep it
 * from the formats of others. */
static void test_each_layer_kind(void **state)
{
    (void)state;
    const dt_layer layers[] = {
        {.kind = &dt_layer_normalization},
        {.kind = &dt_layer_piecewise_linear, .encoded = 1, .edges = 3, .width = 4},
        {.kind = &dt_layer_category_embedding, .encoded = 2, .groups = 1, .width = 3},
        {.kind = &dt_layer_member_scale, .members = 2},
        {.kind = &dt_layer_dense, .H = 5, .activation = DT_ACTIVATION_LINEAR},
        {.kind = &dt_layer_dropout, .rate = 0.1},
        {.kind = &dt_layer_dense, .H = 5, .activation = DT_ACTIVATION_SIGMOID},
        {.kind = &dt_layer_add, .source = 5},
        {.kind = &dt_layer_layer_norm, .epsilon = 0.5},
        {.kind = &dt_layer_activation, .activation = DT_ACTIVATION_TANH},
        {.kind = &dt_layer_rectifier, .slope = 0.3, .threshold = 0.5, .limit = 6.0, .curve = 0.1},
        {.kind = &dt_layer_prelu, .slopes = DT_SLOPES_ONE},
        {.kind = &dt_layer_rms_norm, .epsilon = 0.25},
        {.kind = &dt_layer_batch_norm, .epsilon = 0.125, .momentum = 0.75},
        {.kind = &dt_layer_noise, .deviation = 0.3},
        {.kind = &dt_layer_dense, .H = 5, .biases = DT_BIAS_NONE},
        {.kind = &dt_layer_member_scale,
         .members = 2,
         .start = DT_SCALES_ONES,
         .shifts = DT_SHIFTS_MEMBERS},
        {.kind = &dt_layer_member_dense, .H = C},
    };
    enum { COUNT = sizeof layers / sizeof *layers };
    dt_model saved = {0}, found;
    assert_ok(dt_network_make(&saved.network, D, layers, COUNT));
    for (size_t k = 0; k < DT_LAYER_KIND_COUNT; k++) {
        bool here = dt_layer_kinds[k] == &dt_layer_periodic; /* by itself: test_periodic */
        for (size_t l = 0; l < COUNT; l++)
            here = here || layers[l].kind == dt_layer_kinds[k];
        assert_true(here);
    }
    dt_network_fill(&saved.network, DT_INIT_GLOROT_UNIFORM, 5);
    const dt_layer *bins = &saved.network.layers[1];
    saved.network.constants[bins->edge_counts + 2] = 3.0f;
    for (size_t i = 0; i < 3; i++)
        saved.network.constants[bins->edge_values + i] = (float)i / 3.0f;
    const dt_layer *categories = &saved.network.layers[2];
    for (size_t d = categories->D - 2; d < categories->D; d++)
        saved.network.constants[categories->group_of + d] = 1.0f;
    assert_ok(dt_optimizer_init(&saved.optimizer, &dt_adam, 0, 0.001));
    saved.recipe_json = "{}";
    assert_ok(dt_model_save(&saved, model_path()));
    assert_ok(dt_model_read(&found, model_path()));
    expect_same(&found, &saved);
    assert_string_equal(found.recipe_json, "{}");
    assert_int_equal(found.network.layers[7].source, 5);
    assert_int_equal(found.network.layers[1].width, 4);
    assert_int_equal(found.network.layers[2].groups, 1);
    assert_int_equal(found.network.layers[2].lead, 4);
    assert_int_equal(found.network.K, 2);
    assert_int_equal(found.network.layers[15].biases, DT_BIAS_NONE);
    assert_int_equal(found.network.layers[16].start, DT_SCALES_ONES);
    assert_int_equal(found.network.layers[16].shifts, DT_SHIFTS_MEMBERS);
    dt_model_clear(&found);
    hid_t file = H5Fopen(model_path(), H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(H5Aexists(file, "model_config") > 0);
    h5_close_id(file);
    assert_ok(dt_model_save(&saved, scratch_path("m.keras")));
    assert_int_equal(dt_model_read(&found, scratch_path("m.keras")), DT_DATA);
    assert_non_null(strstr(dt_status_text(), "dtrain does not read back; use model.h5"));
    saved.recipe_json = NULL;
    dt_model_clear(&saved);
}

/* Options that came later are in the file only if they differ from their defaults, so that older
 * programs read the networks that they know. */
static void test_later_options(void **state)
{
    (void)state;
    static const char *const later[] = {"\"start\": \"ones\"", "\"shifts\": \"members\"",
                                        "\"bias\": \"none\""};
    static const char *const names[] = {"\"start\"", "\"shifts\"", "\"bias\""};
    dt_layer layers[] = {{.kind = &dt_layer_member_scale, .members = 2},
                         {.kind = &dt_layer_dense, .H = 5, .activation = DT_ACTIVATION_TANH},
                         {.kind = &dt_layer_member_dense, .H = C}};
    dt_optimizer optimizer;
    assert_ok(dt_optimizer_init(&optimizer, &dt_adam, 0, 0.001));
    for (int changed = 0; changed < 2; changed++) {
        dt_network network;
        char *json = NULL;
        assert_ok(dt_network_make(&network, D, layers, 3));
        assert_ok(dt_model_json_write(&json, &network, &optimizer));
        for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
            assert_int_equal(strstr(json, later[i]) != NULL, changed);
            assert_int_equal(strstr(json, names[i]) != NULL, changed);
        }
        dt_memory_free(json);
        dt_network_clear(&network);
        layers[0].start = DT_SCALES_ONES;
        layers[0].shifts = DT_SHIFTS_MEMBERS;
        layers[1].biases = DT_BIAS_NONE;
    }
}

/* A tensor is in the file once, under Keras's name and ours. */
static void test_one_dataset_two_names(void **state)
{
    (void)state;
    dt_model saved = make(&dt_adam);
    assert_ok(dt_model_save(&saved, model_path()));
    hid_t file = H5Fopen(model_path(), H5F_ACC_RDWR, H5P_DEFAULT);
    const float changed[4 * C] = {1, 2, 3, 4, 5, 6, 7, 8};
    float found[4 * C] = {0};
    hid_t ours = H5Dopen2(file, "/dtrain/tensors/dense_2/kernel", H5P_DEFAULT);
    hid_t theirs = H5Dopen2(file, "/model_weights/dense_2/dense_2/kernel:0", H5P_DEFAULT);
    assert_true(H5Dwrite(ours, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, changed) >= 0);
    assert_true(H5Dread(theirs, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, found) >= 0);
    assert_memory_equal(found, changed, sizeof found);
    h5_close_id(ours);
    h5_close_id(theirs);
    h5_close_id(file);
    dt_model_clear(&saved);
}

/* ---- what is refused ---- */

/* Saves the model, with the text `from` of its JSON replaced. */
static void spoil_json(const char *from, const char *to)
{
    char text[4096], *json = NULL;
    dt_model saved = make(&dt_adam);
    assert_ok(dt_model_save(&saved, model_path()));
    hid_t file = H5Fopen(model_path(), H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t group = H5Gopen2(file, "/dtrain", H5P_DEFAULT);
    json = h5_read_text(file, "/dtrain", "model");
    const char *at = strstr(json, from);
    if (at == NULL)
        fail_msg("no %s in %s", from, json);
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
    free(json);
    const char *value = text;
    hid_t type = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    assert_true(H5Adelete(group, "model") >= 0);
    h5_add_attribute(group, "model", type, 0, NULL, &value);
    h5_close_id(type);
    h5_close_id(group);
    h5_close_id(file);
    dt_model_clear(&saved);
}

static void refuse(const char *part)
{
    dt_model found;
    const dt_model zeros = {0};
    const dt_status status = dt_model_read(&found, model_path());
    if (status != DT_DATA || strstr(dt_status_text(), part) == NULL ||
        strstr(dt_status_text(), "model.h5: ") == NULL)
        fail_msg("status %d, no \"%s\" in: %s", (int)status, part, dt_status_text());
    assert_memory_equal(&found, &zeros, sizeof zeros);
}

static void test_spoiled_json(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"{", "[", "its model: not valid JSON in line"},
        {"\"tanh\"", "\"mish\"", "layer 2 (dense): activation"},
        {"\"units\": 5", "\"units\": 0", "layer 2 (dense): units is 0, but must be between 1 and"},
        {"\"units\": 5", "\"units\": 5.5",
         "layer 2 (dense): units takes a whole number, not '5.5'"},
        {"\"units\": 5", "\"units\": \"5x\"", "layer 2 (dense): units takes a whole number"},
        {"\"units\": 5", "\"units\": [5]",
         "layer 2 (dense): units must be a number or a text, but is a list"},
        {"\"units\": 5", "\"width\": 5", "layer 2 (dense): units is missing"},
        {"\"units\": 5", "\"units\": 5, \"groups\": 2",
         "layer 2 (dense): has the member 'groups', which this"},
        {"\"units\": 5", "\"units\": 2000000000", "dense/kernel does not fit the model's layers"},
        {"\"units\": 5", "\"units\": 6", "dense/kernel does not fit the model's layers"},
        {"\"rate\": 0.1", "\"rate\": 1.1", "layer 3 (dropout): rate is 1.1"},
        {"\"dropout\"", "\"conv2d\"", "layer 3: the kind is 'conv2d', which this dtrain does not"},
        {"\"linear\"", "\"relu\"", "the last layer is of the kind 'dense' with activation relu"},
        {"\"inputs\": 3", "\"inputs\": 0",
         "its model: inputs is 0, but must be at least 1 and at most"},
        {"\"inputs\": 3", "\"inputs\": 4", "normalization/mean does not fit"},
        {"\"inputs\": 3", "\"inputs\": 3, \"x\": 1", "its model: has the member 'x', which this"},
        {"\"inputs\": 3", "\"inputs\": 3, \"threshold\": 1.5",
         "its threshold is 1.5; expected a probability, of two classes"},
        {"\"inputs\": 3", "\"inputs\": 3, \"threshold\": \"f1\"",
         "threshold must be a number, but is a text"},
        {"\"sparse_", "\"dense_", "the loss is 'dense_categorical_crossentropy', which"},
        {"\"kind\": \"adam\"", "\"kind\": \"lion\"",
         "optimizer: the kind is 'lion', which this dtrain"},
        {"\"beta_1\"", "\"beta_3\"", "optimizer (adam): beta_1 is missing"},
        {"\"beta_2\": 0.25", "\"beta_2\": 1", "beta_2 is 1, but must be at least 0 and below 1"},
        {"\"epsilon\": 0.2", "\"epsilon\": \"x\", \"y\": 0.2",
         "epsilon must be a number, but is a text"},
        {"\"step\": 9", "\"step\": 1.5, \"x\": 9", "step must be a whole number, but is a number"},
        {"\"has_state\": true", "\"has_state\": 1",
         "has_state must be true or false, but is a whole number"},
        {"\"units\": 2,", "\"units\": 1,", "the last layer has 1 unit; expected one a class"},
        {"\"step\": 9", "\"step\": 19", ", but must be at least 0 and at most 9007199254740991"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spoil_json(cases[i][0], cases[i][1]);
        refuse(cases[i][2]);
    }
}

/* Flags came later: a file without one means that it is off. */
static void test_flag(void **state)
{
    (void)state;
    static const char sgd[] = "{\"kind\": \"sgd\", \"learning_rate\": 0.1, \"weight_decay\": 0, "
                              "\"momentum\": 0.9, \"step\": 1, \"has_state\": false%s}";
    static const struct {
        const char *member;
        dt_status status;
        double flag;
    } cases[] = {{"", DT_OK, 0.0},
                 {", \"nesterov\": false", DT_OK, 0.0},
                 {", \"nesterov\": true", DT_OK, 1.0},
                 {", \"nesterov\": 1", DT_DATA, 0.0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[256];
        dt_optimizer found;
        bool has_state = false;
        (void)snprintf(json, sizeof json, sgd, cases[i].member);
        assert_int_equal(dt_model_json_read_optimizer(&found, &has_state, json, "m"),
                         cases[i].status);
        if (cases[i].status == DT_OK)
            assert_true(*dt_optimizer_number_at(&found, "nesterov") == cases[i].flag);
        else
            assert_string_equal(
                dt_status_text(),
                "m: its optimizer (sgd): nesterov must be true or false, but is a whole number");
        dt_optimizer_clear(&found);
    }
}

static void set_version(int64_t version)
{
    hid_t file = H5Fopen(model_path(), H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t group = H5Gopen2(file, "/dtrain", H5P_DEFAULT);
    assert_true(H5Adelete(group, "format_version") >= 0);
    h5_add_attribute(group, "format_version", H5T_NATIVE_INT64, 0, NULL, &version);
    h5_close_id(group);
    h5_close_id(file);
}

/* Replaces an array of `count` numbers by that one. */
static void replace(const char *path, int dims, hsize_t rows, hsize_t columns, const float *values)
{
    const hsize_t shape[] = {rows, columns};
    hid_t file = H5Fopen(model_path(), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Ldelete(file, path, H5P_DEFAULT) >= 0);
    if (values != NULL)
        h5_add_dataset(file, path, H5T_IEEE_F32LE, dims, shape, H5P_DEFAULT, H5T_NATIVE_FLOAT,
                       values);
    h5_close_id(file);
}

static void test_spoiled_arrays(void **state)
{
    (void)state;
    enum { P = (D + 1) * 5 + 6 * 4 + 5 * C };
    float values[P] = {0};
    const struct {
        const char *path;
        int dims;
        hsize_t rows, columns;
        float third; /* of `values` */
        bool missing;
        const char *part;
    } cases[] = {
        {"/dtrain/tensors/dense/bias", 1, 5, 0, NAN, false, "dense/bias: number 2 is NaN"},
        {"/dtrain/tensors/dense/bias", 1, 4, 0, 0.0f, false, "dense/bias does not fit"},
        {"/dtrain/tensors/dense/bias", 2, 5, 1, 0.0f, false, "dense/bias does not fit"},
        {"/dtrain/tensors/dense_1/kernel", 2, 4, 5, 0.0f, false, "dense_1/kernel does not fit"},
        {"/dtrain/tensors/dense_1/kernel", 0, 0, 0, 0.0f, true, "dense_1/kernel"},
        {"/dtrain/tensors/normalization/variance", 1, D, 0, -1.0f, false,
         "normalization/variance: number 2 is -1; expected 0 or a positive number"},
        {"/dtrain/optimizer/v", 1, P, 0, -0.5f, false, "optimizer/v: number 2 is -0.5"},
        {"/dtrain/optimizer/v", 1, P - 1, 0, 0.0f, false, "optimizer/v does not fit"},
        {"/dtrain/optimizer/m", 0, 0, 0, 0.0f, true, "optimizer/m"},
    };
    dt_model saved = make(&dt_adam);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(dt_model_save(&saved, model_path()));
        values[2] = cases[i].third;
        replace(cases[i].path, cases[i].dims, cases[i].rows, cases[i].columns,
                cases[i].missing ? NULL : values);
        refuse(cases[i].part);
    }
    assert_ok(dt_model_save(&saved, model_path()));
    set_version(2);
    refuse("format version of /dtrain is 2; this dtrain reads 1");
    dt_model_clear(&saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_comes_back, scratch_empty),
        cmocka_unit_test_teardown(test_ensemble, scratch_empty),
        cmocka_unit_test_teardown(test_periodic, scratch_empty),
        cmocka_unit_test_teardown(test_each_layer_kind, scratch_empty),
        cmocka_unit_test_teardown(test_later_options, scratch_empty),
        cmocka_unit_test_teardown(test_one_dataset_two_names, scratch_empty),
        cmocka_unit_test_teardown(test_spoiled_json, scratch_empty),
        cmocka_unit_test_teardown(test_flag, scratch_empty),
        cmocka_unit_test_teardown(test_spoiled_arrays, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
