#include "keras_fixture.h"

#include "status_checks.h"

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

dt_status keras_save(const dt_keras_model *model, const char *path)
{
    dt_status status = DT_OK;
    const dt_optimizer *adam = &model->optimizer;
    dt_h5 *h5 = NULL;
    DT_TRY(dt_h5_new(&h5));
    DT_TRY(dt_keras_model_write(model, h5));
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
    assert_int_equal(dt_keras_model_parameters(model), KERAS_P);
    keras_expect_floats(found.params, keras_params, KERAS_P);
    for (size_t l = 0; l < 2; l++) {
        assert_int_equal(model->layers[l].units, keras_layers[l].units);
        assert_string_equal(model->layers[l].activation, expected->layers[l].activation);
    }
    assert_memory_equal(&model->optimizer.learning_rate, &expected->optimizer.learning_rate,
                        sizeof(double));
    assert_memory_equal(model->optimizer.numbers, expected->optimizer.numbers, 3 * sizeof(double));
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
    assert_string_equal(found.no_bias, "");
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
