/* rooms: model */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/memory.h"
#include "dtrain/model/keras_model.h"
#include "h5_reading.h"
#include "keras_fixture.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/dtrain-test-keras-XXXXXX";
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    (void)snprintf(path, sizeof path, "%s/model.h5", folder);
    return 0;
}

/* Fails when a test left a temporary file behind. */
static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

/* 3 inputs, 2 units, 4 units, 2 classes; every weight differs. */
static const float kernel_0[] = {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, -5.5f};
static const float bias_0[] = {-1.0f, -2.0f};
static const float kernel_1[] = {10, 11, 12, 13, 14, 15, 16, 17};
static const float bias_1[] = {20, 21, 22, 23};
static const float kernel_2[] = {30, 31, 32, 33, 34, 35, 36, 1e-45f};
static const float bias_2[] = {40, 41};
static const dt_keras_layer layers[] = {
    {.units = 2, .activation = "relu", .kernel = kernel_0, .bias = bias_0},
    {.units = 4, .activation = "tanh", .kernel = kernel_1, .bias = bias_1},
    {.units = 2, .activation = "softmax", .kernel = kernel_2, .bias = bias_2},
};
static const dt_keras_model model = {
    .inputs = 3,
    .layer_count = 3,
    .layers = layers,
    .optimizer = {.kind = &dt_adam, .learning_rate = 0.001, .numbers = {0.9, 0.999, 1e-7}},
};

static hid_t save_and_open(const dt_keras_model *saved)
{
    assert_ok(keras_save(saved, path));
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static void assert_weights(hid_t file, const char *object, int dims, hsize_t rows, hsize_t columns,
                           const float *expected)
{
    float found[16];
    hsize_t extent[2] = {0, 0};
    hid_t dataset = H5Dopen2(file, object, H5P_DEFAULT);
    assert_true(dataset >= 0);
    hid_t type = H5Dget_type(dataset);
    hid_t space = H5Dget_space(dataset);
    hid_t creation = H5Dget_create_plist(dataset);
    assert_true(H5Tequal(type, H5T_IEEE_F32LE) > 0);
    assert_int_equal(H5Pget_layout(creation), H5D_CONTIGUOUS);
    assert_int_equal(H5Sget_simple_extent_ndims(space), dims);
    assert_int_equal(H5Sget_simple_extent_dims(space, extent, NULL), dims);
    assert_int_equal(extent[0], rows);
    assert_int_equal(extent[1], dims == 2 ? columns : 0);
    size_t count = (size_t)(rows * (dims == 2 ? columns : 1));
    assert_true(count <= sizeof found / sizeof found[0]);
    assert_true(H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, found) >= 0);
    assert_memory_equal(found, expected, count * sizeof found[0]);
    H5Pclose(creation);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(dataset);
}

static void test_configuration(void **state)
{
    (void)state;
    hid_t file = save_and_open(&model);
    assert_h5_text(file, "/", "keras_version", "2.13.1");
    assert_h5_text(file, "/", "backend", "tensorflow");
    assert_h5_text(file, "/", "model_config",
                   "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"sequential\",\"layers\":["
                   "{\"class_name\":\"InputLayer\",\"config\":{\"batch_input_shape\":[null,3],"
                   "\"dtype\":\"float32\",\"name\":\"input_1\"}},"
                   "{\"class_name\":\"Dense\",\"config\":{\"name\":\"dense\",\"trainable\":true,"
                   "\"dtype\":\"float32\",\"units\":2,\"activation\":\"relu\",\"use_bias\":true}},"
                   "{\"class_name\":\"Dense\",\"config\":{\"name\":\"dense_1\",\"trainable\":true,"
                   "\"dtype\":\"float32\",\"units\":4,\"activation\":\"tanh\",\"use_bias\":true}},"
                   "{\"class_name\":\"Dense\",\"config\":{\"name\":\"dense_2\",\"trainable\":true,"
                   "\"dtype\":\"float32\",\"units\":2,\"activation\":\"softmax\","
                   "\"use_bias\":true}}]}}");
    assert_h5_text(file, "/", "training_config",
                   "{\"loss\":\"sparse_categorical_crossentropy\",\"metrics\":[\"accuracy\"],"
                   "\"weighted_metrics\":null,\"loss_weights\":null,\"optimizer_config\":{"
                   "\"class_name\":\"Adam\",\"config\":{\"name\":\"Adam\",\"learning_rate\":0.001,"
                   "\"beta_1\":0.9,\"beta_2\":0.999,\"epsilon\":1e-7}}}");
    H5Fclose(file);
}

static void test_values(void **state)
{
    (void)state;
    dt_keras_model values = keras_values();
    hid_t file = save_and_open(&values);
    assert_h5_text(
        file, "/", "model_config",
        "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"sequential\",\"layers\":["
        "{\"class_name\":\"InputLayer\",\"config\":{\"batch_input_shape\":[null,3],"
        "\"dtype\":\"float32\",\"name\":\"input_1\"}},"
        "{\"class_name\":\"Dense\",\"config\":{\"name\":\"dense\",\"trainable\":true,"
        "\"dtype\":\"float32\",\"units\":2,\"activation\":\"tanh\",\"use_bias\":true}},"
        "{\"class_name\":\"Dense\",\"config\":{\"name\":\"dense_1\",\"trainable\":true,"
        "\"dtype\":\"float32\",\"units\":3,\"activation\":\"linear\",\"use_bias\":true}},"
        "{\"class_name\":\"Rescaling\",\"config\":{\"name\":\"rescaling\","
        "\"trainable\":true,\"dtype\":\"float32\","
        "\"scale\":[0.10000000000000001,0.001,0.33333333333333331],"
        "\"offset\":[1000000.3333333334,-2.5,0.0]}}]}}");
    assert_h5_text(file, "/", "training_config",
                   "{\"loss\":\"mean_squared_error\",\"metrics\":[\"RootMeanSquaredError\","
                   "\"mean_absolute_error\"],\"weighted_metrics\":null,\"loss_weights\":null,"
                   "\"optimizer_config\":{\"class_name\":\"Adam\",\"config\":{\"name\":\"Adam\","
                   "\"learning_rate\":0.002,\"beta_1\":0.8,\"beta_2\":0.99,\"epsilon\":1e-8}}}");
    H5Fclose(file);
}

/* Huber's delta is in the targets' units; a loss that Keras does not have is null. */
static void test_losses(void **state)
{
    (void)state;
    static const dt_target_scale same[] = {{1, 4}, {2, 4}, {3, 4}};
    static const struct {
        const dt_loss *loss;
        const dt_target_scale *scale;
        const char *config;
    } cases[] = {
        {&dt_mean_absolute_error, same, "{\"loss\":\"mean_absolute_error\","},
        {&dt_huber, same,
         "{\"loss\":{\"class_name\":\"Huber\",\"config\":{\"name\":\"huber\",\"delta\":2.0}},"},
        {&dt_huber, NULL,
         "{\"loss\":{\"class_name\":\"Huber\",\"config\":{\"name\":\"huber\",\"delta\":0.5}},"},
        {&dt_huber, keras_scale, "{\"loss\":null,"},
        {&dt_quantile, same, "{\"loss\":null,"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dt_keras_model values = keras_values();
        values.loss = cases[i].loss;
        values.loss_number = 0.5;
        values.scale = cases[i].scale;
        char *found = NULL;
        dt_h5 *h5 = NULL;
        assert_ok(keras_save(&values, path));
        assert_ok(dt_h5_open(&h5, path));
        assert_ok(dt_h5_get_text(&found, h5, "/", "training_config"));
        if (strncmp(found, cases[i].config, strlen(cases[i].config)) != 0)
            fail_msg("expected %s, found %s", cases[i].config, found);
        dt_memory_free(found);
        dt_h5_free(h5);
    }
}

static void test_weights(void **state)
{
    (void)state;
    const char *const names[] = {"dense", "dense_1", "dense_2"};
    const char *const weights_0[] = {"dense/kernel:0", "dense/bias:0"};
    const char *const weights_2[] = {"dense_2/kernel:0", "dense_2/bias:0"};
    hid_t file = save_and_open(&model);
    assert_h5_text(file, "/model_weights", "keras_version", "2.13.1");
    assert_h5_text(file, "/model_weights", "backend", "tensorflow");
    assert_h5_texts(file, "/model_weights", "layer_names", names, 3);
    assert_h5_texts(file, "/model_weights/dense", "weight_names", weights_0, 2);
    assert_h5_texts(file, "/model_weights/dense_2", "weight_names", weights_2, 2);
    assert_weights(file, "/model_weights/dense/dense/kernel:0", 2, 3, 2, kernel_0);
    assert_weights(file, "/model_weights/dense/dense/bias:0", 1, 2, 0, bias_0);
    assert_weights(file, "/model_weights/dense_1/dense_1/kernel:0", 2, 2, 4, kernel_1);
    assert_weights(file, "/model_weights/dense_1/dense_1/bias:0", 1, 4, 0, bias_1);
    assert_weights(file, "/model_weights/dense_2/dense_2/kernel:0", 2, 4, 2, kernel_2);
    assert_weights(file, "/model_weights/dense_2/dense_2/bias:0", 1, 2, 0, bias_2);
    H5Fclose(file);
}

/* With the optimizer's state Keras 3 loads the file, and cannot fit. */
static void test_no_optimizer_state(void **state)
{
    (void)state;
    H5G_info_t info;
    hid_t file = save_and_open(&model);
    assert_int_equal(H5Lexists(file, "optimizer_weights", H5P_DEFAULT), 0);
    assert_true(H5Gget_info(file, &info) >= 0);
    assert_int_equal(info.nlinks, 1);
    H5Fclose(file);
}

static double number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

static void assert_same_double(double found, double expected)
{
    assert_memory_equal(&found, &expected, sizeof found);
}

/* Numbers that need all 17 digits come back to the last bit. */
static void test_long_numbers(void **state)
{
    (void)state;
    dt_keras_model odd = model;
    odd.optimizer.learning_rate = 1.0 / 3.0;
    odd.optimizer.numbers[0] = 0.1 + 0.2;
    odd.optimizer.numbers[1] = 1.0 - 1e-16;
    odd.optimizer.numbers[2] = 0.0;
    hid_t file = save_and_open(&odd);
    char *text = h5_read_text(file, "/", "training_config");
    assert_same_double(number_after(text, "\"learning_rate\":"), odd.optimizer.learning_rate);
    assert_same_double(number_after(text, "\"beta_1\":"), odd.optimizer.numbers[0]);
    assert_same_double(number_after(text, "\"beta_2\":"), odd.optimizer.numbers[1]);
    assert_same_double(number_after(text, "\"epsilon\":"), odd.optimizer.numbers[2]);
    free(text);
    H5Fclose(file);
}

/* As many layers as make the JSON longer than the 64 KiB that an attribute itself can hold; and
 * dense_10 is after dense_9, though not in the alphabet. */
static void test_many_layers(void **state)
{
    (void)state;
    enum { MANY = 700 };
    const float zeros[4] = {0};
    dt_keras_layer many[MANY];
    char names[MANY][16];
    const char *texts[MANY];
    for (size_t i = 0; i < MANY; i++) {
        many[i] = (dt_keras_layer){2, i + 1 < MANY ? "relu" : "softmax", zeros, zeros};
        (void)snprintf(names[i], sizeof names[i], i == 0 ? "dense" : "dense_%zu", i);
        texts[i] = names[i];
    }
    const dt_keras_model deep = {
        .inputs = 2, .layer_count = MANY, .layers = many, .optimizer = model.optimizer};
    hid_t file = save_and_open(&deep);
    assert_h5_texts(file, "/model_weights", "layer_names", texts, MANY);
    assert_weights(file, "/model_weights/dense_699/dense_699/kernel:0", 2, 2, 2, zeros);
    char *text = h5_read_text(file, "/", "model_config");
    assert_true(strlen(text) > 65536);
    assert_non_null(strstr(text, "\"name\":\"dense_699\""));
    assert_int_equal(text[strlen(text) - 1], '}');
    free(text);
    H5Fclose(file);
}

static void test_what_keras_ignores_rides_along(void **state)
{
    (void)state;
    const char *const classes[] = {"no", "yes"};
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_new(&h5));
    assert_ok(keras_write(&model, h5));
    assert_ok(dt_h5_set_texts(h5, "/", "dtrain_classes", classes, 2));
    assert_ok(dt_h5_save(h5, path));
    dt_h5_free(h5);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_h5_texts(file, "/", "dtrain_classes", classes, 2);
    assert_weights(file, "/model_weights/dense/dense/kernel:0", 2, 3, 2, kernel_0);
    H5Fclose(file);
}

static size_t read_bytes(unsigned char *data, size_t bytes)
{
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    size_t found = fread(data, 1, bytes, stream);
    fclose(stream);
    return found;
}

static void test_same_model_same_bytes(void **state)
{
    (void)state;
    static unsigned char one[65536];
    static unsigned char two[65536];
    assert_ok(keras_save(&model, path));
    size_t bytes = read_bytes(one, sizeof one);
    assert_in_range(bytes, 1000, sizeof one - 1);
    assert_ok(keras_save(&model, path));
    assert_int_equal(read_bytes(two, sizeof two), bytes);
    assert_memory_equal(one, two, bytes);
    dt_keras_model other = model;
    other.optimizer.numbers[2] = 1e-8;
    assert_ok(keras_save(&other, path));
    assert_int_equal(read_bytes(two, sizeof two), bytes);
    assert_memory_not_equal(one, two, bytes);
}

static void test_missing_folder(void **state)
{
    (void)state;
    char missing[160];
    (void)snprintf(missing, sizeof missing, "%s/none/model.h5", folder);
    assert_status(keras_save(&model, missing), DT_OUTPUT);
    assert_non_null(strstr(dt_status_text(), missing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_no_optimizer_state),
        cmocka_unit_test(test_long_numbers),
        cmocka_unit_test(test_many_layers),
        cmocka_unit_test(test_what_keras_ignores_rides_along),
        cmocka_unit_test(test_same_model_same_bytes),
        cmocka_unit_test(test_missing_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
