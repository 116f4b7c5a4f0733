/* rooms: model */
/*
 * .h5 files beyond the chain of dense layers: Normalization, Adam's state of ours and of Keras 3,
 * and what a model has that dtrain would not train with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keras_fixture.h"

#include <math.h>

static const char *model_path(void)
{
    return scratch_path("file.h5");
}

/* ---- files of ours, spoiled ---- */

static hid_t save_and_open(const dt_keras_model *model)
{
    assert_ok(keras_save(model, model_path()));
    hid_t file = H5Fopen(model_path(), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static void set_text(hid_t file, const char *name, const char *value)
{
    hid_t text = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    if (H5Aexists(file, name) > 0)
        assert_true(H5Adelete(file, name) >= 0);
    h5_add_attribute(file, name, text, 0, NULL, &value);
    h5_close_id(text);
}

static void refuse(hid_t file, const char *part)
{
    h5_close_id(file);
    keras_refuse(model_path(), part);
}

static void test_own_state(void **state)
{
    (void)state;
    static const int64_t negative = -5;
    float v[KERAS_P];
    memcpy(v, keras_v, sizeof v);
    hid_t file = save_and_open(&keras_full);
    assert_int_equal(H5Lexists(file, "optimizer_weights", H5P_DEFAULT), 0);
    assert_true(H5Ldelete(file, "/dtrain/adam_m", H5P_DEFAULT) >= 0);
    refuse(file, "it has no /dtrain/adam_m");
    file = save_and_open(&keras_full);
    assert_true(H5Ldelete(file, "/dtrain/adam_v", H5P_DEFAULT) >= 0);
    h5_add_f32(file, "/dtrain/adam_v", 1, KERAS_P - 1, 0, keras_v);
    refuse(file, "/dtrain/adam_v: expected one list of 17 numbers");
    file = save_and_open(&keras_full);
    assert_true(H5Ldelete(file, "/dtrain/adam_v", H5P_DEFAULT) >= 0);
    h5_add_f32(file, "/dtrain/adam_v", 2, KERAS_P, 1, keras_v);
    refuse(file, "in 2 dimensions");
    for (int i = 0; i < 2; i++) {
        v[3] = i == 0 ? -1.0f : NAN;
        file = save_and_open(&keras_full);
        assert_true(H5Ldelete(file, "/dtrain/adam_v", H5P_DEFAULT) >= 0);
        h5_add_f32(file, "/dtrain/adam_v", 1, KERAS_P, 0, v);
        refuse(file, i == 0 ? "v of weight 3 is negative, -1" : "adam_v: number 3 is NaN");
    }
    file = save_and_open(&keras_full);
    hid_t group = H5Gopen2(file, "/dtrain", H5P_DEFAULT);
    assert_true(H5Adelete(group, "adam_iterations") >= 0);
    h5_add_attribute(group, "adam_iterations", H5T_NATIVE_INT64, 0, NULL, &negative);
    h5_close_id(group);
    refuse(file, "-5 iterations; expected 0 to 2^53");
}

/* As many names as an attribute does not hold are left out of .h5, and kept in .keras. */
static void test_many_classes(void **state)
{
    (void)state;
    enum { MANY = DT_H5_TEXTS_MAX + 1 };
    static const float zeros[MANY];
    static const char *names[MANY];
    const dt_keras_layer layer = {MANY, "softmax", zeros, zeros};
    dt_keras_model model = keras_plain();
    for (size_t i = 0; i < MANY; i++)
        names[i] = i == 0 ? "" : "a";
    model.inputs = 1;
    model.layer_count = 1;
    model.layers = &layer;
    model.class_names = names;
    model.class_name_count = MANY;
    dt_keras_loaded found;
    assert_ok(keras_save(&model, model_path()));
    assert_ok(dt_keras_model_load(&found, model_path()));
    assert_int_equal(found.model.class_name_count, 0);
    dt_keras_loaded_clear(&found);
    assert_ok(keras_archive_save(&model, model_path())); /* known by its content, not its name */
    assert_ok(dt_keras_model_load(&found, model_path()));
    assert_int_equal(found.model.class_name_count, MANY);
    assert_string_equal(found.model.class_names[0], "");
    assert_string_equal(found.model.class_names[MANY - 1], "a");
    dt_keras_loaded_clear(&found);
}

static void test_class_names_do_not_fit(void **state)
{
    (void)state;
    const hsize_t two = 2;
    hid_t file = save_and_open(&keras_full);
    hid_t text = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    assert_true(H5Adelete(file, "dtrain_classes") >= 0);
    h5_add_attribute(file, "dtrain_classes", text, 1, &two, keras_classes);
    h5_close_id(text);
    refuse(file, "dtrain_classes holds 2 names, expected one for each of the 3 classes");
}

/* ---- files of Keras ---- */

#define LAYER(class, name, rest)                                                                   \
    "{\"class_name\":\"" class "\",\"config\":{\"name\":\"" name "\"," rest "}}"
#define INPUT LAYER("InputLayer", "in", "\"batch_shape\":[null,3]")
#define DENSE(name, units, activation, rest)                                                       \
    LAYER("Dense", name, "\"units\":" units ",\"activation\":\"" activation "\"" rest)
#define FIRST DENSE("a", "2", "tanh", "")
#define LAST DENSE("b", "3", "softmax", "")
#define SEQUENTIAL(layers)                                                                         \
    "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" layers "]}}"
#define GOOD SEQUENTIAL(INPUT "," FIRST "," LAST)
#define NORMALIZED(rest) SEQUENTIAL(INPUT "," LAYER("Normalization", "n", rest) "," FIRST "," LAST)

/* A model of ours, with another configuration. */
static hid_t start_file(const char *config)
{
    dt_keras_model plain = keras_plain();
    hid_t file = save_and_open(&plain);
    set_text(file, "model_config", config);
    return file;
}

static void set_list(hid_t file, const char *path, const char *name, const char *const *texts,
                     hsize_t count)
{
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    hid_t text = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    assert_true(H5Pset_create_intermediate_group(links, 1) >= 0);
    hid_t group = H5Lexists(file, path, H5P_DEFAULT) > 0
                      ? H5Gopen2(file, path, H5P_DEFAULT)
                      : H5Gcreate2(file, path, links, H5P_DEFAULT, H5P_DEFAULT);
    if (H5Aexists(group, name) > 0)
        assert_true(H5Adelete(group, name) >= 0);
    h5_add_attribute(group, name, text, 1, &count, texts);
    h5_close_id(group);
    h5_close_id(text);
    h5_close_id(links);
}

/* Puts a Normalization's weights before the others. */
static void add_statistics(hid_t file, int dims, hsize_t count, const float *mean,
                           const float *variance)
{
    static const char *const layers[] = {"n", "dense", "dense_1"};
    static const char *const names[] = {"n/mean", "n/variance", "n/count"};
    static const int64_t zero = 0;
    set_list(file, "/model_weights", "layer_names", layers, 3);
    set_list(file, "/model_weights/n", "weight_names", names, 3);
    h5_add_f32(file, "/model_weights/n/n/mean", dims, count, 0, mean);
    h5_add_f32(file, "/model_weights/n/n/variance", dims, count, 0, variance);
    h5_add_dataset(file, "/model_weights/n/n/count", H5T_STD_I64LE, 0, NULL, H5P_DEFAULT,
                   H5T_NATIVE_INT64, &zero);
}

static void expect_normalization(hid_t file, const float *mean, const float *variance)
{
    dt_keras_loaded found;
    h5_close_id(file);
    assert_ok(dt_keras_model_load(&found, model_path()));
    keras_expect_floats(found.model.mean, mean, 3);
    keras_expect_floats(found.model.variance, variance, 3);
    keras_expect_floats(found.params, keras_params, KERAS_P);
    dt_keras_loaded_clear(&found);
}

static void test_normalization(void **state)
{
    (void)state;
    static const float mean[] = {1.5f, -2, 0}, variance[] = {4, 0, 0.25f};
    static const float same_mean[] = {7, 7, 7}, same_variance[] = {9, 9, 9};
    static const char given[] = "\"mean\":[1.5,-2,0.0],\"variance\":[4.0,0,0.25]";
    static const char *const in_weights[] = {
        NORMALIZED("\"axis\":[-1],\"mean\":null,\"variance\":null"), NORMALIZED("\"axis\":-1"),
        NORMALIZED("\"axis\":[1]"), NORMALIZED("\"invert\":false"),
        SEQUENTIAL(LAYER("Normalization", "n", "\"axis\":[-1]") "," FIRST "," LAST)};
    char config[2048];
    for (size_t i = 0; i < sizeof in_weights / sizeof *in_weights; i++) {
        hid_t file = start_file(in_weights[i]);
        add_statistics(file, 1, 3, mean, variance);
        expect_normalization(file, mean, variance);
    }
    for (int i = 0; i < 2; i++) {
        hid_t file = start_file(i == 0 ? NORMALIZED("\"axis\":null") : NORMALIZED("\"axis\":[]"));
        add_statistics(file, 0, 0, same_mean, same_variance);
        expect_normalization(file, same_mean, same_variance);
    }
    (void)snprintf(config, sizeof config, NORMALIZED("\"axis\":[-1],%s"), given);
    expect_normalization(start_file(config), mean, variance);
    expect_normalization(
        start_file(NORMALIZED("\"axis\":-1,\"mean\":[[1.5,-2,0]],\"variance\":[[4,0,0.25]]")), mean,
        variance);
    expect_normalization(start_file(NORMALIZED("\"axis\":null,\"mean\":7,\"variance\":9")),
                         same_mean, same_variance);
    expect_normalization(start_file(NORMALIZED("\"mean\":[7],\"variance\":[9]")), same_mean,
                         same_variance);
}

static void test_wrong_normalization(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {NORMALIZED("\"axis\":0"), "layer 'n' normalizes over another axis"},
        {NORMALIZED("\"axis\":[1,2]"), "normalizes over another axis"},
        {NORMALIZED("\"axis\":\"x\""), "normalizes over another axis"},
        {NORMALIZED("\"invert\":true"), "layer 'n' is an inverted Normalization"},
        {NORMALIZED("\"mean\":[1,2,3]"), "layer 'n' has a mean, but no variance"},
        {NORMALIZED("\"mean\":[1,2,3],\"variance\":[1,2]"), "has 3 means and 2 variances"},
        {NORMALIZED("\"mean\":[1,2],\"variance\":[1,2]"), "its mean has 2 numbers, expected 3"},
        {NORMALIZED("\"axis\":[],\"mean\":[1,2,3],\"variance\":[1,2,3]"), "expected one of each"},
        {NORMALIZED("\"mean\":[1,2,3],\"variance\":[1,2,-3]"), "variance 2 is negative, -3"},
        {NORMALIZED("\"mean\":[1,\"2\",3],\"variance\":[1,2,3]"), "value 1 of its mean is no"},
        {NORMALIZED("\"mean\":[1,1e39,3],\"variance\":[1,2,3]"), "value 1 of its mean is no"},
        {NORMALIZED("\"mean\":[],\"variance\":[]"), "its mean is empty"},
        {NORMALIZED("\"mean\":{},\"variance\":[]"), "value 0 of its mean is not a finite number"},
        {SEQUENTIAL(INPUT "," FIRST "," LAYER("Normalization", "n", "\"axis\":null") "," LAST),
         "layer 'n' is a Normalization with axis=None"},
        {SEQUENTIAL(INPUT "," FIRST "," LAYER("Normalization", "n",
                                              "\"mean\":[1,2,3],"
                                              "\"variance\":[1,2,3]") "," LAST),
         "layer 'n' has 3 numbers, expected 2"},
    };
    static const float two[] = {1, 2}, negative[] = {1, -1, 1}, nan_[] = {1, 1, NAN};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuse(start_file(wrong[i][0]), wrong[i][1]);
    hid_t file = start_file(NORMALIZED("\"axis\":-1"));
    add_statistics(file, 1, 2, two, two);
    refuse(file, "layer 'n': expected weights of the shape (3,), found (2,)");
    file = start_file(NORMALIZED("\"axis\":null"));
    add_statistics(file, 1, 2, two, two);
    refuse(file, "layer 'n': expected weights of the shape (), found (2,)");
    file = start_file(NORMALIZED("\"axis\":-1"));
    add_statistics(file, 1, 3, nan_, keras_variance);
    refuse(file, "n/mean: number 2 is NaN");
    file = start_file(NORMALIZED("\"axis\":-1"));
    add_statistics(file, 1, 3, keras_mean, negative);
    refuse(file, "layer 'n': variance 1 is negative");
    /* Without its weights, those of the next layer would be taken for them. */
    refuse(start_file(NORMALIZED("\"axis\":-1")), "layer 'n': expected weights of the shape (3,)");
}

/* Adam's state where Keras 3 keeps it. */
static void add_keras_state(hid_t file, const char *version)
{
    static const char *const names[] = {"a/i",  "a/r",  "a/0m", "a/0v", "a/1m",
                                        "a/1v", "a/2m", "a/2v", "a/3m", "a/3v"};
    static const int64_t updates = 12;
    static const float rate = 0.01f;
    set_text(file, "keras_version", version);
    set_list(file, "/optimizer_weights", "weight_names", names, 10);
    h5_add_dataset(file, "/optimizer_weights/a/i", H5T_STD_I64LE, 0, NULL, H5P_DEFAULT,
                   H5T_NATIVE_INT64, &updates);
    h5_add_f32(file, "/optimizer_weights/a/r", 0, 0, 0, &rate);
    h5_add_f32(file, "/optimizer_weights/a/0m", 2, 3, 2, keras_m);
    h5_add_f32(file, "/optimizer_weights/a/0v", 2, 3, 2, keras_v);
    h5_add_f32(file, "/optimizer_weights/a/1m", 1, 2, 0, keras_m + 6);
    h5_add_f32(file, "/optimizer_weights/a/1v", 1, 2, 0, keras_v + 6);
    h5_add_f32(file, "/optimizer_weights/a/2m", 2, 2, 3, keras_m + 8);
    h5_add_f32(file, "/optimizer_weights/a/2v", 2, 2, 3, keras_v + 8);
    h5_add_f32(file, "/optimizer_weights/a/3m", 1, 3, 0, keras_m + 14);
    h5_add_f32(file, "/optimizer_weights/a/3v", 1, 3, 0, keras_v + 14);
}

static void test_state_of_keras(void **state)
{
    (void)state;
    dt_keras_loaded found;
    dt_keras_model plain = keras_plain(), expected = plain;
    expected.optimizer = keras_full.optimizer;
    expected.optimizer.step = 12;
    expected.optimizer.learning_rate = 0.01;
    hid_t file = save_and_open(&plain);
    add_keras_state(file, "3.15.1");
    h5_close_id(file);
    keras_expect_model(model_path(), &expected);
    file = save_and_open(&plain);
    add_keras_state(file, "2.13.1");
    h5_close_id(file);
    assert_ok(dt_keras_model_load(&found, model_path()));
    assert_null(found.model.optimizer.states[0]);
    assert_string_equal(found.left_out, "the state of the optimizer (of Keras 2.13.1)");
    dt_keras_loaded_clear(&found);
    plain = keras_values(); /* its gradients are of targets in other units */
    file = save_and_open(&plain);
    add_keras_state(file, "3.15.1");
    h5_close_id(file);
    assert_ok(dt_keras_model_load(&found, model_path()));
    assert_null(found.model.optimizer.states[0]);
    assert_string_equal(found.left_out,
                        "the state of the optimizer (of a loss behind a Rescaling)");
    dt_keras_loaded_clear(&found);
    file = save_and_open(&keras_full); /* what dtrain wrote comes first */
    add_keras_state(file, "3.15.1");
    h5_close_id(file);
    keras_expect_model(model_path(), &keras_full);
}

/* A bias that is not there has neither weights nor moments. */
static void test_moments_without_bias(void **state)
{
    (void)state;
    static const char *const names[] = {"a/i",  "a/r",  "a/0m", "a/0v",
                                        "a/2m", "a/2v", "a/3m", "a/3v"};
    static const char *const kernel[] = {"dense/kernel:0"};
    dt_keras_loaded found;
    hid_t file =
        start_file(SEQUENTIAL(INPUT "," DENSE("a", "2", "tanh", ",\"use_bias\":false") "," LAST));
    add_keras_state(file, "3.3.3");
    set_list(file, "/optimizer_weights", "weight_names", names, 8);
    set_list(file, "/model_weights/dense", "weight_names", kernel, 1);
    h5_close_id(file);
    assert_ok(dt_keras_model_load(&found, model_path()));
    assert_string_equal(found.predicts_only, "");
    assert_int_equal(found.layers[0].layer.biases, DT_BIAS_NONE);
    assert_string_equal(found.left_out, "");
    assert_int_equal(found.model.optimizer.step, 12);
    assert_int_equal(found.parameter_count, 15);
    keras_expect_floats(found.model.optimizer.states[0], keras_m, 6);
    keras_expect_floats(found.model.optimizer.states[0] + 6, keras_m + 8, 9);
    keras_expect_floats(found.model.optimizer.states[1] + 6, keras_v + 8, 9);
    dt_keras_loaded_clear(&found);
}

/* ---- what dtrain would not train with ---- */

static void expect_left_out(const char *config, const char *training, const char *left_out)
{
    dt_keras_loaded found;
    hid_t file = start_file(config);
    if (training != NULL)
        set_text(file, "training_config", training);
    h5_close_id(file);
    assert_ok(dt_keras_model_load(&found, model_path()));
    assert_string_equal(found.left_out, left_out);
    dt_keras_loaded_clear(&found);
}

#define POLICY(name) "\"dtype\":{\"class_name\":\"DTypePolicy\",\"config\":{\"name\":\"" name "\"}}"
#define ADAM(rest) "{\"optimizer_config\":{\"class_name\":\"Adam\",\"config\":{" rest "}}}"

static void test_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *layers, *training, *left_out;
    } cases[] = {
        {INPUT "," FIRST "," LAYER("Dropout", "d", "\"rate\":0.5") "," LAST, NULL, "Dropout 'd'"},
        {INPUT "," FIRST "," LAYER("Dropout", "d", "\"rate\":0.0") "," LAST, NULL, ""},
        {INPUT
         "," DENSE("a", "2", "tanh",
                   ",\"kernel_regularizer\":{\"class_name\":\"L2\"},\"bias_regularizer\":null,"
                   "\"bias_constraint\":{}") "," LAST,
         NULL, "kernel_regularizer of 'a'; bias_constraint of 'a'"},
        {INPUT "," DENSE("a", "2", "tanh", ",\"trainable\":false") "," LAST, NULL,
         "'a' is not trainable"},
        {INPUT "," DENSE("a", "2", "tanh", "," POLICY("mixed_float16")) "," DENSE(
             "b", "3", "softmax", "," POLICY("mixed_float16")),
         NULL, "dtype mixed_float16 of 'a'"},
        {INPUT "," FIRST "," LAST, "{\"loss\":\"mse\"}", "loss mse"},
        {INPUT "," FIRST "," LAST, "{\"loss\":\"categorical_crossentropy\"}", ""},
        {INPUT "," FIRST "," LAST,
         "{\"loss\":{\"class_name\":\"CategoricalCrossentropy\",\"config\":{\"label_smoothing\":"
         "0.1}}}",
         ""},
        {INPUT "," FIRST "," LAST,
         "{\"loss\":{\"class_name\":\"CategoricalFocalCrossentropy\",\"config\":{"
         "\"label_smoothing\":0.1}}}",
         "loss CategoricalFocalCrossentropy; label_smoothing of the loss"},
        {INPUT "," FIRST "," LAST,
         "{\"loss\":{\"class_name\":\"function\",\"config\":\"focal\"},\"optimizer_config\":{"
         "\"class_name\":\"RMSprop\"}}",
         "loss focal; optimizer RMSprop (dtrain reads only Adam; set --optimizer)"},
        {INPUT "," FIRST "," LAST,
         ADAM("\"amsgrad\":true,\"use_ema\":false,\"weight_decay\":0.1,\"clipnorm\":null,"
              "\"learning_rate\":{\"class_name\":\"CosineDecay\"}"),
         "learning rate schedule CosineDecay; weight_decay of Adam; amsgrad of Adam"},
        {INPUT "," FIRST "," LAST, ADAM("\"amsgrad\":false,\"weight_decay\":false"), ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char config[4096];
        (void)snprintf(config, sizeof config, SEQUENTIAL("%s"), cases[i].layers);
        expect_left_out(config, cases[i].training, cases[i].left_out);
    }
}

/* The list stays one printable line of a fixed size. */
static void test_long_left_out(void **state)
{
    (void)state;
    char config[8192], name[64];
    dt_keras_loaded found;
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    for (size_t length = 1; length < sizeof name; length++) {
        size_t used = (size_t)snprintf(config, sizeof config,
                                       "{\"class_name\":\"Sequential\",\"config\":[" FIRST);
        for (int i = 0; i < 30; i++)
            used += (size_t)snprintf(
                config + used, sizeof config - used,
                ",{\"class_name\":\"Dropout\",\"config\":{\"name\":\"%.*s\\u0007\",\"rate\":0.5}}",
                (int)length, name);
        (void)snprintf(config + used, sizeof config - used, "," LAST "]}");
        h5_close_id(start_file(config));
        assert_ok(dt_keras_model_load(&found, model_path()));
        const size_t bytes = strlen(found.left_out);
        assert_in_range(bytes, 150, sizeof found.left_out - 1);
        assert_string_equal(found.left_out + bytes - 5, "; ...");
        assert_null(strchr(found.left_out, '\a'));
        dt_keras_loaded_clear(&found);
    }
}

/* Keras keeps 0.01 as the float32 nearest to it. */
static void test_learning_rates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double expected;
    } cases[] = {{"0.009999999776482582", 0.01},
                 {"0.0010000000474974513", 0.001},
                 {"0.01", 0.01},
                 {"0.25", 0.25},
                 {"1.0", 1.0},
                 {"0", 0.0},
                 {"0.3333333333333333", 1.0 / 3.0},
                 {"9.999999747378752e-05", 1e-4},
                 {"-1.0", 0.001}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dt_keras_loaded found;
        char training[256];
        hid_t file = start_file(GOOD);
        (void)snprintf(training, sizeof training, ADAM("\"learning_rate\":%s"), cases[i].text);
        set_text(file, "training_config", training);
        h5_close_id(file);
        assert_ok(dt_keras_model_load(&found, model_path()));
        assert_memory_equal(&found.model.optimizer.learning_rate, &cases[i].expected,
                            sizeof(double));
        dt_keras_loaded_clear(&found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_own_state, scratch_empty),
        cmocka_unit_test_teardown(test_many_classes, scratch_empty),
        cmocka_unit_test_teardown(test_class_names_do_not_fit, scratch_empty),
        cmocka_unit_test_teardown(test_normalization, scratch_empty),
        cmocka_unit_test_teardown(test_wrong_normalization, scratch_empty),
        cmocka_unit_test_teardown(test_state_of_keras, scratch_empty),
        cmocka_unit_test_teardown(test_moments_without_bias, scratch_empty),
        cmocka_unit_test_teardown(test_left_out, scratch_empty),
        cmocka_unit_test_teardown(test_long_left_out, scratch_empty),
        cmocka_unit_test_teardown(test_learning_rates, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
