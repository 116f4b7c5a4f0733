#include "keras_fixture.h"

#include "status_checks.h"

#include "dtrain/model/onnx.h"

#include <stdlib.h>
#include <string.h>

const float keras_params[KERAS_P] = {0.5f, 1.5f, 2.5f,  3.5f, 4.5f, -5.5f, -1.0f,  -2,     10,
                                     11,   12,   1e-3f, 14,   15,   20,    1e-45f, 1.1e38f};
const float keras_m[KERAS_P] = {1,   -2, 3,   -4, 5,   -6, 7,   -8,    9,
                                -10, 11, -12, 13, -14, 15, -16, 1e-30f};
const float keras_v[KERAS_P] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f,  0.9f,
                                1.0f, 1.1f, 1.2f, 1.3f, 1.4f, 1.5f, 0.0f, 1e-40f};
const float keras_mean[] = {1.0f / 3.0f, -1e-20f, 16777216.0f};
const float keras_variance[] = {2.0f / 3.0f, 0.0f, 3.4e38f};
const char *const keras_classes[] = {"no", "na\xc3\xafve", "yes"};

const dt_target_scale keras_scale[] = {{1e6 + 1.0 / 3.0, 0.1}, {-2.5, 1e-3}, {0.0, 1.0 / 3.0}};

static const dt_keras_layer keras_layers[] = {
    {.units = 2, .activation = "tanh", .kernel = keras_params, .bias = keras_params + 6},
    {.units = 3, .activation = "softmax", .kernel = keras_params + 8, .bias = keras_params + 14},
};

const dt_keras_model keras_full = {
    .inputs = 3,
    .layer_count = 2,
    .layers = keras_layers,
    .optimizer = {.kind = &dt_adam,
                  .learning_rate = 0.002,
                  .numbers = {0.8, 0.99, 1e-8},
                  .step = 77,
                  .P = KERAS_P,
                  .states = {(float *)keras_m, (float *)keras_v}}, /* read only */
    .mean = keras_mean,
    .variance = keras_variance,
    .recipe_json = "{\"format\": 1}\n",
    .class_names = keras_classes,
    .class_name_count = 3,
};

static const dt_keras_layer value_layers[] = {
    {.units = 2, .activation = "tanh", .kernel = keras_params, .bias = keras_params + 6},
    {.units = 3, .activation = "linear", .kernel = keras_params + 8, .bias = keras_params + 14},
};

/* Lays out the network, without parameters. */
static dt_status plan(dt_network *out, const dt_keras_model *keras)
{
    dt_layer *layers = calloc(keras->layer_count + 1, sizeof *layers);
    size_t count = 0;
    if (layers == NULL)
        return DT_MEMORY;
    if (keras->mean != NULL)
        layers[count++] = (dt_layer){.kind = &dt_layer_normalization};
    for (size_t l = 0; l < keras->layer_count; l++)
        layers[count++] = (dt_layer){.kind = &dt_layer_dense,
                                     .H = (size_t)keras->layers[l].units,
                                     .activation = dt_activation_find(keras->layers[l].activation)};
    const dt_status status = dt_network_plan(out, (size_t)keras->inputs, layers, count);
    free(layers);
    return status;
}

/* The model, whose network is its own, with constants; all else is borrowed. */
static dt_status make_model(dt_model *out, const dt_keras_model *keras)
{
    *out = (dt_model){.optimizer = keras->optimizer,
                      .recipe_json = (char *)keras->recipe_json,
                      .class_names = (char **)keras->class_names,
                      .class_name_count = keras->class_name_count};
    dt_status status = plan(&out->network, keras);
    if (status == DT_OK && keras->loss != NULL)
        status = dt_network_set_loss(&out->network, keras->loss, keras->loss_number, keras->scale);
    if (status != DT_OK)
        return status;
    dt_network *network = &out->network;
    if (network->constant_count > 0) {
        network->constants = calloc(network->constant_count, sizeof(float));
        memcpy(network->constants, keras->mean, network->D * sizeof(float));
        memcpy(network->constants + network->D, keras->variance, network->D * sizeof(float));
    }
    return DT_OK;
}

/* Weights that are too many to be looked at are not copied. */
static dt_status add_weights(dt_network *network, const dt_keras_model *keras)
{
    float *next = network->params = calloc(network->P, sizeof(float));
    uint64_t inputs = keras->inputs;
    for (size_t l = 0; l < keras->layer_count && network->P < 1 << 24; l++) {
        const dt_keras_layer *layer = &keras->layers[l];
        memcpy(next, layer->kernel, (size_t)(inputs * layer->units) * sizeof(float));
        next += inputs * layer->units;
        memcpy(next, layer->bias, (size_t)layer->units * sizeof(float));
        next += layer->units;
        inputs = layer->units;
    }
    return network->params != NULL ? DT_OK : DT_MEMORY;
}

/* Makes the model of its description, gives it to one of the writers, and frees it. */
static dt_status with_model(const dt_keras_model *keras, const char *path, dt_h5 *h5,
                            dt_status (*save)(const dt_model *model, const char *path))
{
    dt_model model;
    dt_status status = make_model(&model, keras);
    if (status == DT_OK)
        status = add_weights(&model.network, keras);
    if (status == DT_OK)
        status = h5 != NULL ? dt_keras_model_write(&model, h5) : save(&model, path);
    dt_network_clear(&model.network);
    return status;
}

dt_status keras_write(const dt_keras_model *model, dt_h5 *h5)
{
    return with_model(model, NULL, h5, NULL);
}

dt_status keras_archive_save(const dt_keras_model *model, const char *path)
{
    return with_model(model, path, NULL, dt_keras_archive_save);
}

dt_status keras_onnx_save(const dt_keras_model *model, const char *path)
{
    return with_model(model, path, NULL, dt_onnx_save);
}

dt_status keras_save(const dt_keras_model *model, const char *path)
{
    dt_status status = DT_OK;
    const dt_optimizer *adam = &model->optimizer;
    dt_h5 *h5 = NULL;
    DT_TRY(dt_h5_new(&h5));
    DT_TRY(keras_write(model, h5));
    if (adam->P > 0) {
        const uint64_t P = adam->P;
        DT_TRY(dt_h5_make_group(h5, "/dtrain"));
        DT_TRY(dt_h5_set_int(h5, "/dtrain", "adam_iterations", adam->step));
        DT_TRY(dt_h5_write_array(h5, "/dtrain/adam_m", DT_H5_F32, 1, &P, adam->states[0]));
        DT_TRY(dt_h5_write_array(h5, "/dtrain/adam_v", DT_H5_F32, 1, &P, adam->states[1]));
    }
    DT_TRY(dt_h5_save(h5, path));
out:
    dt_h5_free(h5);
    return status;
}

dt_keras_model keras_plain(void)
{
    dt_keras_model plain = keras_full;
    plain.mean = plain.variance = NULL;
    plain.optimizer.P = 0;
    plain.optimizer.step = 0;
    memset(plain.optimizer.states, 0, sizeof plain.optimizer.states);
    plain.recipe_json = NULL;
    plain.class_names = NULL;
    plain.class_name_count = 0;
    return plain;
}

dt_keras_model keras_values(void)
{
    dt_keras_model values = keras_plain();
    values.layers = value_layers;
    values.loss = &dt_mean_squared_error;
    values.scale = keras_scale;
    return values;
}

void keras_expect_floats(const float *found, const float *expected, size_t count)
{
    assert_int_equal(found == NULL, expected == NULL);
    if (expected != NULL)
        assert_memory_equal(found, expected, count * sizeof *expected);
}

void keras_expect_model(const char *path, const dt_keras_model *expected)
{
    dt_keras_loaded found;
    assert_ok(dt_keras_model_load(&found, path));
    const dt_keras_model *model = &found.model;
    assert_int_equal(model->inputs, 3);
    assert_int_equal(model->layer_count, 2);
    assert_int_equal(found.parameter_count, KERAS_P);
    keras_expect_floats(found.params, keras_params, KERAS_P);
    for (size_t l = 0; l < 2; l++) {
        assert_int_equal(model->layers[l].units, keras_layers[l].units);
        assert_string_equal(model->layers[l].activation, expected->layers[l].activation);
    }
    assert_memory_equal(&model->optimizer.learning_rate, &expected->optimizer.learning_rate,
                        sizeof(double));
    assert_memory_equal(model->optimizer.numbers, expected->optimizer.numbers, 3 * sizeof(double));
    assert_ptr_equal(model->loss, expected->loss != NULL ? expected->loss : &dt_cross_entropy);
    assert_memory_equal(&model->loss_number, &expected->loss_number, sizeof(double));
    assert_int_equal(model->scale == NULL, expected->scale == NULL);
    if (expected->scale != NULL)
        assert_memory_equal(model->scale, expected->scale, sizeof keras_scale);
    keras_expect_floats(model->mean, expected->mean, 3);
    keras_expect_floats(model->variance, expected->variance, 3);
    assert_int_equal(model->optimizer.step, expected->optimizer.step);
    for (size_t i = 0; i < 2; i++)
        keras_expect_floats(model->optimizer.states[i], expected->optimizer.states[i], KERAS_P);
    assert_int_equal(model->recipe_json == NULL, expected->recipe_json == NULL);
    if (expected->recipe_json != NULL)
        assert_string_equal(model->recipe_json, expected->recipe_json);
    assert_int_equal(model->class_name_count, expected->class_name_count);
    for (size_t i = 0; i < expected->class_name_count; i++)
        assert_string_equal(model->class_names[i], expected->class_names[i]);
    assert_string_equal(found.left_out, "");
    dt_keras_loaded_clear(&found);
}

void keras_refuse(const char *path, const char *part)
{
    dt_keras_loaded found;
    const dt_keras_loaded zeros = {0};
    const dt_status status = dt_keras_model_load(&found, path);
    if (status != DT_DATA || strstr(dt_status_text(), part) == NULL ||
        strstr(dt_status_text(), strrchr(path, '/')) == NULL)
        fail_msg("status %d, no \"%s\" in: %s", (int)status, part, dt_status_text());
    assert_memory_equal(&found, &zeros, sizeof zeros);
}
