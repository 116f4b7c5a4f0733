/* rooms: model */
/*
 * Reading Keras models: files as Keras 2 and 3 write them, made with HDF5 alone, and files that are
 * no such model, or only nearly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h5_files.h"
#include "keras_fixture.h"

#include "dtrain/model/keras_model.h"

#include <math.h>
#include <stdio.h>

/* 3 inputs, 2 units, 2 classes. */
static const float kernel_0[] = {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, -5.5f}, bias_0[] = {-1, -2};
static const float kernel_1[] = {10, 11, 12, 13}, bias_1[] = {20, 21};

#define INPUT_2 "{\"class_name\":\"InputLayer\",\"config\":{\"batch_input_shape\":[null,3]}}"
#define INPUT_3                                                                                    \
    "{\"module\":\"keras.layers\",\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[32,"  \
    "3],"                                                                                          \
    "\"dtype\":\"float32\",\"sparse\":false,\"name\":\"in\"},\"registered_name\":null}"
#define DTYPE                                                                                      \
    "{\"module\":\"keras\",\"class_name\":\"DTypePolicy\",\"config\":{\"name\":\"float32\"}}"
#define LAYER(class, name, rest)                                                                   \
    "{\"class_name\":\"" class "\",\"config\":{\"name\":\"" name "\",\"dtype\":" DTYPE "," rest "}}"
#define DENSE(name, units, activation)                                                             \
    LAYER("Dense", name, "\"units\":" units ",\"activation\":" activation ",\"use_bias\":true")
#define ACTIVATION(name, activation) LAYER("Activation", name, "\"activation\":" activation)
#define DROPOUT(name) LAYER("Dropout", name, "\"rate\":0.5")
#define SEQUENTIAL(layers)                                                                         \
    "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" layers "]}}"
#define FIRST DENSE("a", "2", "\"relu\"")
#define LAST DENSE("b", "2", "\"softmax\"")
#define GOOD SEQUENTIAL(INPUT_2 "," FIRST "," LAST)

static void add_weights(hid_t file, const char *layer, const char *const *names, size_t count)
{
    char path[128];
    const hsize_t shape = count;
    (void)snprintf(path, sizeof path, "/model_weights/%s", layer);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    assert_true(H5Pset_create_intermediate_group(links, 1) >= 0);
    hid_t group = H5Gcreate2(file, path, links, H5P_DEFAULT, H5P_DEFAULT);
    hid_t text = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    /* Keras writes an empty list as one of doubles. */
    h5_add_attribute(group, "weight_names", count > 0 ? text : H5T_IEEE_F64LE, 1, &shape,
                     count > 0 ? names : NULL);
    h5_close_id(text);
    h5_close_id(group);
    h5_close_id(links);
}

static void set_text(hid_t object, const char *name, const char *value)
{
    hid_t text = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_ASCII);
    if (H5Aexists(object, name) > 0)
        assert_true(H5Adelete(object, name) >= 0);
    h5_add_attribute(object, name, text, 0, NULL, &value);
    h5_close_id(text);
}

static void set_texts(hid_t file, const char *name, const char *const *values, hsize_t count)
{
    hid_t group = H5Gopen2(file, "/model_weights", H5P_DEFAULT);
    hid_t text = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_ASCII);
    if (H5Aexists(group, name) > 0)
        assert_true(H5Adelete(group, name) >= 0);
    h5_add_attribute(group, name, text, 1, &count, values);
    h5_close_id(text);
    h5_close_id(group);
}

/* The weights of GOOD, with a layer without any between. Left open, for a test to spoil. */
static hid_t start_file(const char *model_config)
{
    static const char *const layers[] = {"a", "drop", "b"};
    static const char *const a[] = {"s/a/kernel", "s/a/bias"}, *const b[] = {"k", "b:0"};
    hid_t file = h5_create();
    set_text(file, "model_config", model_config);
    add_weights(file, "a", a, 2);
    add_weights(file, "drop", NULL, 0);
    add_weights(file, "b", b, 2);
    set_texts(file, "layer_names", layers, 3);
    h5_add_f32(file, "/model_weights/a/s/a/kernel", 2, 3, 2, kernel_0);
    h5_add_f32(file, "/model_weights/a/s/a/bias", 1, 2, 0, bias_0);
    h5_add_f32(file, "/model_weights/b/k", 2, 2, 2, kernel_1);
    h5_add_f32(file, "/model_weights/b/b:0", 1, 2, 0, bias_1);
    return file;
}

static void expect_layer(const dt_keras_loaded *found, size_t l, const char *activation,
                         const float *kernel, size_t count, const float *bias)
{
    const dt_keras_layer *layer = &found->model.layers[l];
    assert_int_equal(layer->units, 2);
    assert_string_equal(layer->activation, activation);
    assert_memory_equal(layer->kernel, kernel, count * sizeof *kernel);
    assert_memory_equal(layer->bias, bias, 2 * sizeof *bias);
}

/* Closes the file, and expects the weights of GOOD with these activations. */
static void expect_model(hid_t file, const char *first, const char *second)
{
    dt_keras_loaded found;
    h5_close_id(file);
    assert_ok(dt_keras_model_load(&found, scratch_path("file.h5")));
    assert_int_equal(found.model.inputs, 3);
    assert_int_equal(found.model.layer_count, 2);
    assert_int_equal(found.parameter_count, 6 + 2 + 4 + 2);
    assert_ptr_equal(found.model.layers[0].kernel, found.params);
    assert_ptr_equal(found.model.layers[1].bias, found.params + 12);
    expect_layer(&found, 0, first, kernel_0, 6, bias_0);
    expect_layer(&found, 1, second, kernel_1, 4, bias_1);
    dt_keras_loaded_clear(&found);
}

/* Closes the file, and expects one line that has `part` and the file's name. */
static void refuse(hid_t file, const char *part)
{
    dt_keras_loaded found;
    h5_close_id(file);
    assert_status(dt_keras_model_load(&found, scratch_path("file.h5")), DT_DATA);
    if (strstr(dt_status_text(), part) == NULL || strstr(dt_status_text(), "file.h5") == NULL)
        fail_msg("no \"%s\" in: %s", part, dt_status_text());
    assert_null(found.params);
    assert_null(found.layers);
    assert_int_equal(found.model.layer_count, 0);
}

static void refuse_config(const char *model_config, const char *part)
{
    refuse(start_file(model_config), part);
}

/* ---- what is taken ---- */

static void test_sequential(void **state)
{
    (void)state;
    expect_model(start_file(GOOD), "relu", "softmax");
    expect_model(start_file(SEQUENTIAL(INPUT_3 "," FIRST "," DROPOUT("d") "," LAST)), "relu",
                 "softmax");
    /* Keras below 2.2.3 has the list itself, and the shape in the first layer. */
    expect_model(
        start_file("{\"class_name\":\"Sequential\",\"config\":[" LAYER(
            "Dense", "a",
            "\"units\":2,\"activation\":\"tanh\",\"batch_input_shape\":[null,3]") "," LAST "]}"),
        "tanh", "softmax");
    /* A configuration that leaves the inputs open: the weights have them. */
    expect_model(
        start_file(SEQUENTIAL(
            "{\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,null]}}," FIRST
            "," LAST)),
        "relu", "softmax");
    expect_model(start_file(SEQUENTIAL(FIRST "," LAST)), "relu", "softmax");
}

static void test_activations(void **state)
{
    (void)state;
    expect_model(
        start_file(SEQUENTIAL(
            INPUT_2
            "," DENSE("a", "2", "\"linear\"") "," ACTIVATION("x", "\"sigmoid\"") "," DROPOUT(
                "d") "," DENSE("b", "2", "null") "," ACTIVATION("y", "\"softmax\""))),
        "sigmoid", "softmax");
    expect_model(start_file(SEQUENTIAL(INPUT_2 "," DENSE("a", "2", "\"tanh\"") "," ACTIVATION(
                     "x", "\"linear\"") "," LAST)),
                 "tanh", "softmax");
    expect_model(
        start_file(SEQUENTIAL(INPUT_2 "," DENSE(
            "a", "2",
            "{\"module\":\"builtins\",\"class_name\":\"function\",\"config\":\"relu\"}") "," LAST)),
        "relu", "softmax");
    expect_model(start_file(SEQUENTIAL(INPUT_2 "," DENSE("a", "2", "\"leaky_relu\"") "," LAST)),
                 "leaky_relu", "softmax");
    refuse_config(SEQUENTIAL(INPUT_2 "," DENSE("a", "2", "\"mish\"") "," LAST),
                  "layer 'a' has the activation mish");
    refuse_config(SEQUENTIAL(INPUT_2 "," DENSE("a", "2",
                                               "{\"class_name\":\"PReLU\","
                                               "\"config\":{}}") "," LAST),
                  "layer 'a' has the activation PReLU");
    refuse_config(SEQUENTIAL(INPUT_2 "," DENSE("a", "2", "7") "," LAST), "has the activation ?");
    refuse_config(SEQUENTIAL(INPUT_2 "," DENSE("a", "2", "\"softmax\"") "," LAST),
                  "layer 'a' is not the last");
}

#define LINK_2(from) "\"inbound_nodes\":[[[\"" from "\",0,0,{}]]]"
#define LINK_3(from)                                                                               \
    "\"inbound_nodes\":[{\"args\":[{\"class_name\":\"__keras_tensor__\",\"config\":{"              \
    "\"keras_history\":[\"" from "\",0,0]}}],\"kwargs\":{}}]"
#define FUNCTIONAL(first, last, output)                                                            \
    "{\"class_name\":\"Functional\",\"config\":{\"layers\":["                                      \
    "{\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,3],\"name\":\"in\"},"        \
    "\"inbound_nodes\":[]},"                                                                       \
    "{\"class_name\":\"Dense\",\"config\":{\"name\":\"a\",\"units\":2,\"activation\":\"relu\"}"    \
    "," first "},"                                                                                 \
    "{\"class_name\":\"Dense\",\"config\":{\"name\":\"b\",\"units\":2,\"activation\":\"softmax\"}" \
    "," last "}],\"output_layers\":" output "}}"

static void test_functional(void **state)
{
    (void)state;
    expect_model(start_file(FUNCTIONAL(LINK_2("in"), LINK_2("a"), "[[\"b\",0,0]]")), "relu",
                 "softmax");
    expect_model(start_file(FUNCTIONAL(LINK_3("in"), LINK_3("a"), "[\"b\",0,0]")), "relu",
                 "softmax");
    refuse_config(FUNCTIONAL(LINK_3("in"), LINK_3("in"), "[\"b\",0,0]"),
                  "layer 'b' (Dense) follows 'in', not 'a'; dtrain accepts a chain");
    refuse_config(
        FUNCTIONAL(LINK_2("in"), "\"inbound_nodes\":[[[\"a\",0,0],[\"in\",0,0]]]", "[\"b\",0,0]"),
        "layer 'b' (Dense) does not follow exactly one layer");
    refuse_config(FUNCTIONAL(LINK_2("in"), "\"inbound_nodes\":7", "[\"b\",0,0]"),
                  "does not follow");
    refuse_config(
        FUNCTIONAL(LINK_2("in"), "\"inbound_nodes\":[[[\"a\",0,0]],[[\"a\",1,0]]]", "[\"b\",0,0]"),
        "layer 'b' (Dense) is used in several places");
    refuse_config(FUNCTIONAL(LINK_2("in"), "\"x\":0", "[\"b\",0,0]"), "does not follow");
    refuse_config(FUNCTIONAL(LINK_2("in"), LINK_2("a"),
                             "[[\"b\",0,0]],\"input_layers\":{\"p\":[\"in\",0,0],\"q\":0}"),
                  "has 2 inputs");
    refuse_config(FUNCTIONAL(LINK_2("in"), LINK_2("a"), "[[\"b\",0,0],[\"a\",0,0]]"),
                  "has 2 outputs; dtrain accepts models of one");
    refuse_config(FUNCTIONAL(LINK_2("in"), LINK_2("a"), "[\"a\",0,0]"), "its output is not");
    refuse_config(FUNCTIONAL(LINK_2("in"), LINK_2("a"), "{}"), "its output is not");
}

#define LOSS(class, logits)                                                                        \
    "{\"loss\":{\"module\":\"keras.losses\",\"class_name\":\"" class "\",\"config\":{\"from_"      \
                                                                     "logits\":" logits "}}}"

static void test_logits(void **state)
{
    (void)state;
    static const struct {
        const char *training;
        bool taken;
    } cases[] = {
        {LOSS("SparseCategoricalCrossentropy", "true"), true},
        {LOSS("CategoricalCrossentropy", "true"), true},
        {"{\"loss\":[{\"class_name\":\"CategoricalCrossentropy\",\"config\":{\"from_logits\":true}}"
         "]}",
         true},
        {LOSS("SparseCategoricalCrossentropy", "false"), false},
        {LOSS("SparseCategoricalCrossentropy", "1"), false},
        {LOSS("BinaryCrossentropy", "true"), false},
        {"{\"loss\":\"log_cosh\"}", false},
        {"[]", false},
        {NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hid_t file = start_file(SEQUENTIAL(INPUT_2 "," FIRST "," DENSE("b", "2", "\"linear\"")));
        if (cases[i].training != NULL)
            set_text(file, "training_config", cases[i].training);
        if (cases[i].taken)
            expect_model(file, "relu", "softmax");
        else
            refuse(file, "its last layer 'b' has 2 linear units, and no loss");
    }
}

#define CLASS(name, config)                                                                        \
    "{\"loss\":{\"class_name\":\"" name "\",\"config\":{\"name\":\"x\"" config "}}}"
#define NAME(name) "{\"loss\":\"" name "\"}"
#define VALUES(units, behind)                                                                      \
    SEQUENTIAL(INPUT_2 "," FIRST "," DENSE("b", units, "\"linear\"") behind)
#define RESCALING(name, rest) LAYER("Rescaling", name, rest)
#define RESCALED(rest) VALUES("2", "," RESCALING("r", rest))

/* Closes the file, and expects values by this loss; scale NULL: not rescaled. */
static void expect_values(hid_t file, const dt_loss *loss, double number,
                          const dt_target_scale *scale, const char *left_out)
{
    dt_keras_loaded found;
    h5_close_id(file);
    assert_ok(dt_keras_model_load(&found, scratch_path("file.h5")));
    expect_layer(&found, 1, "linear", kernel_1, 4, bias_1);
    assert_string_equal(found.model.loss->name, loss->name);
    assert_memory_equal(&found.model.loss_number, &number, sizeof number);
    assert_int_equal(found.model.scale == NULL, scale == NULL);
    for (size_t j = 0; scale != NULL && j < 2; j++)
        assert_memory_equal(&found.model.scale[j], &scale[j], sizeof *scale);
    assert_string_equal(found.left_out, left_out);
    dt_keras_loaded_clear(&found);
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *training;
        const dt_loss *loss;
        double number;
    } cases[] = {
        {NAME("mse"), &dt_mean_squared_error, 0},
        {NAME("mean_squared_error"), &dt_mean_squared_error, 0},
        {CLASS("MeanSquaredError", ""), &dt_mean_squared_error, 0},
        {"{\"loss\":[\"mae\"]}", &dt_mean_absolute_error, 0},
        {"{\"loss\":{\"class_name\":\"function\",\"config\":\"mean_absolute_error\"}}",
         &dt_mean_absolute_error, 0},
        {NAME("huber"), &dt_huber, 1},
        {CLASS("Huber", ",\"delta\":0.25"), &dt_huber, 0.25},
        {CLASS("Huber", ""), &dt_huber, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hid_t file = start_file(VALUES("2", ""));
        set_text(file, "training_config", cases[i].training);
        expect_values(file, cases[i].loss, cases[i].number, NULL, "");
    }
    hid_t file = start_file(VALUES("2", ""));
    set_text(file, "training_config", CLASS("Huber", ",\"delta\":-1"));
    expect_values(file, &dt_huber, 1, NULL, "delta of the loss");
    static const char *const classes[] = {NAME("binary_crossentropy"),
                                          LOSS("BinaryCrossentropy", "false"),
                                          NAME("sparse_categorical_crossentropy")};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        file = start_file(VALUES("1", ""));
        set_text(file, "training_config", classes[i]);
        refuse(file, "its last layer 'b' has 1 linear unit, and no loss");
    }
    refuse_config(VALUES("2", ""), "its last layer 'b' has 2 linear units, and no loss");
}

/* One output can only be a value. */
static void test_one_value(void **state)
{
    (void)state;
    dt_keras_loaded found;
    hid_t file = start_file(VALUES("1", ""));
    assert_true(H5Ldelete(file, "/model_weights/b/k", H5P_DEFAULT) >= 0);
    assert_true(H5Ldelete(file, "/model_weights/b/b:0", H5P_DEFAULT) >= 0);
    h5_add_f32(file, "/model_weights/b/k", 2, 2, 1, kernel_1);
    h5_add_f32(file, "/model_weights/b/b:0", 1, 1, 0, bias_1);
    h5_close_id(file);
    assert_ok(dt_keras_model_load(&found, scratch_path("file.h5")));
    assert_ptr_equal(found.model.loss, &dt_mean_squared_error);
    assert_null(found.model.scale);
    assert_string_equal(found.left_out, "");
    dt_keras_loaded_clear(&found);
}

static void test_rescaling(void **state)
{
    (void)state;
    static const dt_target_scale both[] = {{3, 0.1}, {-4, 8}}, same[] = {{3, 0.1}, {3, 0.1}};
    static const dt_target_scale no_offset[] = {{0, 0.1}, {0, 8}};
    const dt_loss *mse = &dt_mean_squared_error;
    expect_values(start_file(RESCALED("\"scale\":[0.1,8],\"offset\":[3,-4.0]")), mse, 0, both, "");
    expect_values(start_file(RESCALED("\"scale\":[[0.1,8]],\"offset\":[[3,-4]]")), mse, 0, both,
                  "");
    expect_values(start_file(RESCALED("\"scale\":0.1,\"offset\":3")), mse, 0, same, "");
    expect_values(start_file(RESCALED("\"scale\":[0.1],\"offset\":[3,3]")), mse, 0, same, "");
    expect_values(start_file(RESCALED("\"scale\":[0.1,8]")), mse, 0, no_offset, "");
    expect_values(
        start_file(RESCALED("\"scale\":{\"class_name\":\"__numpy__\",\"config\":{\"value\":"
                            "[0.1,8],\"dtype\":\"float32\"}},\"offset\":[3,-4]")),
        mse, 0, both, "");
    /* Keras's delta is in the targets' units. */
    hid_t file = start_file(RESCALED("\"scale\":0.1,\"offset\":3"));
    set_text(file, "training_config", CLASS("Huber", ",\"delta\":0.07"));
    expect_values(file, &dt_huber, 0.7, same, "");
    file = start_file(RESCALED("\"scale\":[0.1,8],\"offset\":[3,-4]"));
    set_text(file, "training_config", CLASS("Huber", ",\"delta\":0.07"));
    expect_values(file, &dt_huber, 1, both, "delta of the loss");
}

static void test_wrong_rescaling(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {RESCALED("\"scale\":[1,2,3]"), "layer 'r': its scale has 3 numbers; expected 1 or 2"},
        {RESCALED("\"scale\":2,\"offset\":[1,2,3]"), "its offset has 3 numbers; expected 1 or 2"},
        {RESCALED("\"scale\":[]"), "layer 'r': its scale is empty"},
        {RESCALED("\"offset\":1"), "layer 'r': value 0 of its scale is not a finite number"},
        {RESCALED("\"scale\":{}"), "value 0 of its scale is not a finite number"},
        {RESCALED("\"scale\":\"2\""), "value 0 of its scale is not a finite number"},
        {RESCALED("\"scale\":[1,1e39]"), "value 1 of its scale is not a finite number"},
        {RESCALED("\"scale\":2,\"offset\":null"), "value 0 of its offset is not a finite number"},
        {SEQUENTIAL(INPUT_2 "," FIRST "," LAST "," RESCALING("r", "\"scale\":2")),
         "layer 'r' rescales the outputs of softmax"},
        {VALUES("4611686018427387904", "," RESCALING("r", "\"scale\":2")),
         "layer 'b': expected weights of the shape (2, 4611686018427387904), found (2, 2)"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuse_config(wrong[i][0], wrong[i][1]);
    /* Scaled logits are not values. */
    static const char *const classes[] = {LOSS("SparseCategoricalCrossentropy", "true"),
                                          NAME("sparse_categorical_crossentropy")};
    for (size_t i = 0; i < 2; i++) {
        hid_t file = start_file(RESCALED("\"scale\":2"));
        set_text(file, "training_config", classes[i]);
        refuse(file, "its last layer 'b' has 2 linear units, and no loss");
    }
}

static void test_without_bias(void **state)
{
    (void)state;
    static const char *const only[] = {"s/a/kernel"};
    dt_keras_loaded found;
#define NO_BIAS(value)                                                                             \
    SEQUENTIAL(INPUT_2 "," LAYER("Dense", "a", "\"units\":2,\"use_bias\":" value) "," LAST)
    hid_t file = start_file(NO_BIAS("false"));
    assert_true(H5Ldelete(file, "/model_weights/a", H5P_DEFAULT) >= 0);
    add_weights(file, "a", only, 1);
    h5_add_f32(file, "/model_weights/a/s/a/kernel", 2, 3, 2, kernel_0);
    h5_close_id(file);
    assert_ok(dt_keras_model_load(&found, scratch_path("file.h5")));
    assert_null(found.layers[0].bias);
    assert_int_equal(found.layers[0].layer.biases, DT_BIAS_NONE);
    assert_memory_equal(found.layers[0].kernel, kernel_0, sizeof kernel_0);
    expect_layer(&found, 1, "softmax", kernel_1, 4, bias_1);
    dt_keras_loaded_clear(&found);
    refuse_config(NO_BIAS("false"), "layer 'a': expected a kernel, found 2 arrays");
    refuse_config(NO_BIAS("\"no\""), "use_bias is neither true nor false");
}

static void test_optimizer(void **state)
{
    (void)state;
    static const char sgd[] = "{\"optimizer_config\":{\"class_name\":\"SGD\",\"config\":{"
                              "\"learning_rate\":0.5}}}";
    static const char adam[] = "{\"optimizer_config\":{\"class_name\":\"Adam\",\"config\":{"
                               "\"learning_rate\":0.25,\"beta_1\":0.5,\"beta_2\":1.5,"
                               "\"epsilon\":\"x\"}}}";
    for (int i = 0; i < 2; i++) {
        dt_keras_loaded found;
        hid_t file = start_file(GOOD);
        set_text(file, "training_config", i == 0 ? sgd : adam);
        h5_close_id(file);
        assert_ok(dt_keras_model_load(&found, scratch_path("file.h5")));
        const double expected[] = {i == 0 ? 0.001 : 0.25, i == 0 ? 0.9 : 0.5, 0.999, 1e-7};
        assert_memory_equal(&found.model.optimizer.learning_rate, expected, sizeof *expected);
        assert_memory_equal(found.model.optimizer.numbers, expected + 1, 3 * sizeof *expected);
        dt_keras_loaded_clear(&found);
    }
}

/* Keras splits lists that are too long for an attribute. */
static void test_split_names(void **state)
{
    (void)state;
    static const char *const first[] = {"a"}, *const second[] = {"drop", "b"};
    hid_t file = start_file(GOOD);
    hid_t group = H5Gopen2(file, "/model_weights", H5P_DEFAULT);
    assert_true(H5Adelete(group, "layer_names") >= 0);
    h5_close_id(group);
    set_texts(file, "layer_names0", first, 1);
    set_texts(file, "layer_names1", second, 2);
    expect_model(file, "relu", "softmax");
}

/* What dtrain saved comes back, to the bit, and from memory too. */
static void test_own_models(void **state)
{
    (void)state;
    const dt_keras_layer layers[] = {{2, "sigmoid", kernel_0, bias_0},
                                     {2, "softmax", kernel_1, bias_1}};
    const dt_keras_model model = {
        .inputs = 3,
        .layer_count = 2,
        .layers = layers,
        .optimizer = {.kind = &dt_adam, .learning_rate = 0.02, .numbers = {0.8, 0.99, 1e-8}}};
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        dt_keras_loaded found;
        dt_h5 *h5 = NULL;
        if (in_memory) {
            assert_ok(dt_h5_new(&h5));
            assert_ok(keras_write(&model, h5));
            assert_ok(dt_keras_model_read(&found, h5, "memory"));
            dt_h5_free(h5);
        } else {
            assert_ok(keras_save(&model, scratch_path("file.h5")));
            assert_ok(dt_keras_model_load(&found, scratch_path("file.h5")));
        }
        expect_layer(&found, 0, "sigmoid", kernel_0, 6, bias_0);
        expect_layer(&found, 1, "softmax", kernel_1, 4, bias_1);
        assert_memory_equal(found.model.optimizer.numbers, model.optimizer.numbers,
                            3 * sizeof(double));
        dt_keras_loaded_clear(&found);
    }
}

/* ---- what is not ---- */

static void test_other_models(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"{", "its model_config is not valid JSON"},
        {"", "its model_config is not valid JSON"},
        {"[]", "its model is of the class ?"},
        {"{\"class_name\":7}", "its model is of the class ?"},
        {"{\"class_name\":\"Ranker\",\"config\":{}}", "its model is of the class Ranker"},
        {"{\"class_name\":\"Sequential\"}", "no Dense layer"},
        {"{\"class_name\":\"Sequential\",\"config\":{\"layers\":7}}", "no Dense layer"},
        {SEQUENTIAL(""), "no Dense layer"},
        {SEQUENTIAL("7"), "layer '?' is a ?"},
        {SEQUENTIAL(INPUT_2 "," LAYER("Conv2D", "conv2d", "\"filters\":3")),
         "layer 'conv2d' is a Conv2D; dtrain accepts chains of Dense"},
        {SEQUENTIAL(INPUT_2 "," LAYER("Sequential", "s", "\"layers\":[]")), "no Dense layer"},
        {SEQUENTIAL(INPUT_2 "," LAYER("Functional", "s", "\"layers\":[" FIRST "]") "," LAST),
         "its output is not that of its last layer"},
        {SEQUENTIAL(INPUT_2 "," LAYER("Embedding", "e", "\"x\":3")), "layer 'e' is an Embedding"},
        {SEQUENTIAL(INPUT_2 "," INPUT_2 "," FIRST "," LAST), "is an InputLayer"},
        {SEQUENTIAL("{\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,28,28],"
                    "\"name\":\"in\"}}," FIRST "," LAST),
         "layer 'a', a Dense, takes inputs of 3 dimensions"},
        {SEQUENTIAL("{\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,28,null],"
                    "\"name\":\"in\"}}," FIRST "," LAST),
         "layer 'in' takes inputs of 3 dimensions"},
        {SEQUENTIAL(
             "{\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":[null,-3]}}," FIRST),
         "rows of a fixed number"},
        {SEQUENTIAL("{\"class_name\":\"InputLayer\",\"config\":{\"batch_shape\":\"3\"}}," FIRST),
         "rows of a fixed number"},
        {SEQUENTIAL(INPUT_2 "," DENSE("a", "0", "\"relu\"") "," LAST),
         "'a' has no number of units"},
        {SEQUENTIAL(INPUT_2 "," DENSE("a", "-2", "\"relu\"") "," LAST), "no number of units"},
        {SEQUENTIAL(INPUT_2 "," DENSE("a", "2.0", "\"relu\"") "," LAST), "no number of units"},
        {SEQUENTIAL(INPUT_2 "," DENSE("a", "1e400", "\"relu\"") "," LAST), "not valid JSON"},
        {SEQUENTIAL(INPUT_2 "," FIRST "," DENSE("b", "2", "\"sigmoid\"")),
         "its last layer 'b' has 2 sigmoid units, one for each of several labels"},
        {SEQUENTIAL(INPUT_2 "," FIRST "," DENSE("b", "1", "\"softmax\"")), "has 1 softmax unit;"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuse_config(wrong[i][0], wrong[i][1]);
}

static void test_deep_json(void **state)
{
    (void)state;
    enum { DEPTH = 100000 };
    char *deep = malloc(DEPTH + 1);
    assert_non_null(deep);
    memset(deep, '[', DEPTH);
    deep[DEPTH] = '\0';
    refuse_config(deep, "not valid JSON");
    free(deep);
    char *large = malloc((16 << 20) + 2);
    assert_non_null(large);
    memset(large, ' ', (16 << 20) + 1);
    large[(16 << 20) + 1] = '\0';
    refuse_config(large, "its model_config is longer than");
    free(large);
}

static void test_other_files(void **state)
{
    (void)state;
    hid_t file = h5_create();
    refuse(file, "is not a Keras model: it has no model_config");
    file = h5_create();
    h5_close_id(H5Gcreate2(file, "/epochs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    refuse(file, "is the log of a run");
    file = h5_create();
    h5_close_id(H5Gcreate2(file, "/layers", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    refuse(file, "has weights only");
    file = h5_create();
    set_text(file, "model_config", GOOD);
    refuse(file, "it has no /model_weights");
    file = start_file(GOOD);
    set_text(file, "training_config", "{");
    refuse(file, "its training_config is not valid JSON");
    file = h5_create();
    h5_add_attribute(file, "model_config", H5T_STD_I32LE, 0, NULL, &(int){1});
    refuse(file, "model_config of /: expected one text");
}

/* `dims` 0 leaves the dataset out. */
static void spoil(const char *path, int dims, const hsize_t *shape, hid_t type, const char *part)
{
    static const float many[64] = {0};
    hid_t file = start_file(GOOD);
    assert_true(H5Ldelete(file, path, H5P_DEFAULT) >= 0);
    if (dims > 0)
        h5_add_dataset(file, path, type, dims, shape, H5P_DEFAULT, H5T_NATIVE_FLOAT, many);
    refuse(file, part);
}

static void test_wrong_weights(void **state)
{
    (void)state;
    static const char kernel[] = "/model_weights/a/s/a/kernel", bias[] = "/model_weights/b/b:0";
    const hsize_t swapped[] = {2, 3}, larger[] = {3, 3}, cube[] = {3, 2, 1}, six = 6, three = 3;
    const hsize_t column[] = {2, 1};
    spoil(kernel, 0, NULL, -1, "it has no /model_weights/a/s/a/kernel");
    spoil(
        kernel, 2, swapped, H5T_IEEE_F32LE,
        "layer 'a': expected weights of the shape (3, 2), found (2, 3) in /model_weights/a/s/a/k");
    spoil(kernel, 2, larger, H5T_IEEE_F32LE, "found (3, 3)");
    spoil(kernel, 3, cube, H5T_IEEE_F32LE, "found (3, 2, 1)");
    spoil(kernel, 1, &six, H5T_IEEE_F32LE, "found (6,)");
    spoil(kernel, 2, (const hsize_t[]){3, 2}, H5T_STD_I32LE, "expected floating-point numbers");
    spoil(bias, 1, &three, H5T_IEEE_F32LE, "layer 'b': expected weights of the shape (2,)");
    spoil(bias, 2, column, H5T_IEEE_F32LE, "found (2, 1)");
    spoil("/model_weights/b", 0, NULL, -1, "it has no /model_weights/b");
    /* The configuration claims far more than is there. */
    refuse_config(SEQUENTIAL(INPUT_2 "," DENSE("a", "9223372036854775807", "\"relu\"") "," LAST),
                  "expected weights of the shape (3, 9223372036854775807), found (3, 2)");
}

static void test_values_not_finite(void **state)
{
    (void)state;
    const float wrong[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        float bias[] = {1, wrong[i]};
        hid_t file = start_file(GOOD);
        assert_true(H5Ldelete(file, "/model_weights/b/b:0", H5P_DEFAULT) >= 0);
        h5_add_f32(file, "/model_weights/b/b:0", 1, 2, 0, bias);
        refuse(file, i == 0 ? "b:0: number 1 is NaN" : "b:0: number 1 is infinite");
    }
    /* Finite in double precision. */
    const double large[] = {1, 1e300};
    hid_t file = start_file(GOOD);
    assert_true(H5Ldelete(file, "/model_weights/b/b:0", H5P_DEFAULT) >= 0);
    h5_add_dataset(file, "/model_weights/b/b:0", H5T_IEEE_F64LE, 1, &(hsize_t){2}, H5P_DEFAULT,
                   H5T_NATIVE_DOUBLE, large);
    refuse(file, "number 1 is infinite");
}

static void test_wrong_names(void **state)
{
    (void)state;
    static const char *const too_many[] = {"a", "b", "b"}, *const too_few[] = {"a", "drop"};
    static const char *const none[] = {"a", "none"}, *const three[] = {"k", "b:0", "x"};
    char name[5000];
    const char *const long_name[] = {name};
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    hid_t file = start_file(GOOD);
    set_texts(file, "layer_names", too_many, 3);
    refuse(file, "more layers with weights than the 2 of its model_config");
    file = start_file(GOOD);
    set_texts(file, "layer_names", too_few, 2);
    refuse(file, "layer 'b' has no weights");
    file = start_file(GOOD);
    set_texts(file, "layer_names", none, 2);
    refuse(file, "it has no /model_weights/none");
    file = start_file(GOOD);
    set_texts(file, "layer_names", long_name, 1);
    refuse(file, "name of a layer is too long");
    file = start_file(GOOD);
    assert_true(H5Ldelete(file, "/model_weights/b", H5P_DEFAULT) >= 0);
    add_weights(file, "b", three, 3);
    refuse(file, "layer 'b': expected a kernel and a bias, found 3 arrays");
    file = start_file(GOOD);
    assert_true(H5Ldelete(file, "/model_weights/b", H5P_DEFAULT) >= 0);
    add_weights(file, "b", (const char *const[]){"k", name}, 2);
    h5_add_f32(file, "/model_weights/b/k", 2, 2, 2, kernel_1);
    refuse(file, "the name of its weights is too long");
    file = start_file(GOOD);
    hid_t group = H5Gopen2(file, "/model_weights", H5P_DEFAULT);
    assert_true(H5Adelete(group, "layer_names") >= 0);
    h5_close_id(group);
    refuse(file, "it has no attribute layer_names");
}

/* Weights that lie elsewhere, or nowhere. */
static void test_hostile_weights(void **state)
{
    (void)state;
    static const char kernel[] = "/model_weights/b/k";
    const hsize_t shape[] = {2, 2};
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(scratch_write(scratch_path("secret"), kernel_1, sizeof kernel_1));
    assert_true(H5Pset_external(creation, scratch_path("secret"), 0, sizeof kernel_1) >= 0);
    hid_t file = start_file(GOOD);
    assert_true(H5Ldelete(file, kernel, H5P_DEFAULT) >= 0);
    h5_add_dataset(file, kernel, H5T_IEEE_F32LE, 2, shape, creation, -1, NULL);
    h5_close_id(creation);
    refuse(file, "its values lie in another file");
    file = start_file(GOOD);
    assert_true(H5Ldelete(file, kernel, H5P_DEFAULT) >= 0);
    assert_true(
        H5Lcreate_soft("/model_weights/a/s/a/kernel", file, kernel, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    refuse(file, "is a soft or external link");
    file = start_file(SEQUENTIAL(INPUT_2 "," DENSE("a", "1099511627776", "\"relu\"") "," LAST));
    assert_true(H5Ldelete(file, "/model_weights/a/s/a/kernel", H5P_DEFAULT) >= 0);
    h5_add_dataset(file, "/model_weights/a/s/a/kernel", H5T_IEEE_F32LE, 2,
                   (const hsize_t[]){3, 1ull << 40}, H5P_DEFAULT, -1, NULL);
    refuse(file, "has a shape, but no values");
}

/* One array under the names of many layers would make a small file a large model. */
static void test_one_array_for_many_layers(void **state)
{
    (void)state;
    enum { SIDE = 64, LAYERS = 40 };
    static const float square[SIDE * SIDE] = {0};
    static const char *const names[] = {"k", "b"};
    static char config[16384];
    const char *layers[LAYERS];
    size_t used =
        (size_t)snprintf(config, sizeof config, "{\"class_name\":\"Sequential\",\"config\":[");
    for (int i = 0; i < LAYERS; i++) {
        layers[i] = "a";
        used += (size_t)snprintf(config + used, sizeof config - used,
                                 "%s{\"class_name\":\"Dense\",\"config\":{\"units\":64,"
                                 "\"activation\":\"%s\"}}",
                                 i > 0 ? "," : "", i + 1 < LAYERS ? "relu" : "softmax");
    }
    (void)snprintf(config + used, sizeof config - used, "]}");
    hid_t file = h5_create();
    set_text(file, "model_config", config);
    add_weights(file, "a", names, 2);
    set_texts(file, "layer_names", layers, LAYERS);
    h5_add_f32(file, "/model_weights/a/k", 2, SIDE, SIDE, square);
    h5_add_f32(file, "/model_weights/a/b", 1, SIDE, 0, square);
    refuse(file, "its arrays have more bytes than the file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_sequential, scratch_empty),
        cmocka_unit_test_teardown(test_activations, scratch_empty),
        cmocka_unit_test_teardown(test_functional, scratch_empty),
        cmocka_unit_test_teardown(test_logits, scratch_empty),
        cmocka_unit_test_teardown(test_values, scratch_empty),
        cmocka_unit_test_teardown(test_one_value, scratch_empty),
        cmocka_unit_test_teardown(test_rescaling, scratch_empty),
        cmocka_unit_test_teardown(test_wrong_rescaling, scratch_empty),
        cmocka_unit_test_teardown(test_without_bias, scratch_empty),
        cmocka_unit_test_teardown(test_optimizer, scratch_empty),
        cmocka_unit_test_teardown(test_split_names, scratch_empty),
        cmocka_unit_test_teardown(test_own_models, scratch_empty),
        cmocka_unit_test_teardown(test_other_models, scratch_empty),
        cmocka_unit_test_teardown(test_deep_json, scratch_empty),
        cmocka_unit_test_teardown(test_other_files, scratch_empty),
        cmocka_unit_test_teardown(test_wrong_weights, scratch_empty),
        cmocka_unit_test_teardown(test_values_not_finite, scratch_empty),
        cmocka_unit_test_teardown(test_wrong_names, scratch_empty),
        cmocka_unit_test_teardown(test_hostile_weights, scratch_empty),
        cmocka_unit_test_teardown(test_one_array_for_many_layers, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
