/* rooms: model */
/*
 * .keras files: what is written, read back with HDF5 and byte by byte; files as Keras 3 writes
 * them, made with the ZIP builder; damaged ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keras_fixture.h"
#include "zip_builder.h"

#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *keras_path(void)
{
    return scratch_path("model.keras");
}

/* ---- what dtrain writes ---- */

static void test_round_trip(void **state)
{
    (void)state;
    dt_keras_model model = keras_full;
    for (int which = 0; which < 5; which++) {
        if (which == 1)
            model = keras_plain();
        if (which == 2)
            model.recipe_json = keras_full.recipe_json;
        if (which == 3)
            model.optimizer = keras_full.optimizer, model.optimizer.step = INT64_C(1) << 40;
        if (which == 4)
            model.optimizer.learning_rate = 1.0 / 3.0, model.optimizer.numbers[2] = 0.0,
            model.optimizer.numbers[1] = 1.0 - 1e-16;
        assert_ok(keras_archive_save(&model, keras_path()));
        keras_expect_model(keras_path(), &model);
        assert_ok(keras_save(&model, scratch_path("model.h5")));
        keras_expect_model(scratch_path("model.h5"), &model);
    }
    assert_int_equal(scratch_count(false), 2); /* no temporary files */
}

/* Saves the model in both formats, and expects it back with `expected_loss`. */
static void expect_values(const dt_keras_model *model, const dt_loss *expected_loss)
{
    dt_keras_model expected = *model;
    expected.loss = expected_loss;
    assert_ok(keras_archive_save(model, keras_path()));
    keras_expect_model(keras_path(), &expected);
    assert_ok(keras_save(model, scratch_path("model.h5")));
    keras_expect_model(scratch_path("model.h5"), &expected);
}

static void test_values(void **state)
{
    (void)state;
    const dt_target_scale same[] = {{1, 0.3}, {2, 0.3}, {-3, 0.3}};
    dt_keras_model model = keras_values();
    expect_values(&model, model.loss);
    model.loss = &dt_mean_absolute_error;
    expect_values(&model, model.loss);
    model.scale = NULL;
    expect_values(&model, model.loss);
    model.loss = &dt_huber;
    model.loss_number = 0.7;
    expect_values(&model, model.loss);
    model.scale = same; /* Keras's delta is 0.21 */
    expect_values(&model, model.loss);
}

/* Losses that Keras does not have, and a state whose gradients it does not have. */
static void test_values_without_a_loss(void **state)
{
    (void)state;
    dt_keras_model model = keras_values();
    const dt_loss *const losses[] = {&dt_huber, &dt_quantile};
    for (size_t i = 0; i < 2; i++) {
        model.loss = losses[i];
        expect_values(&model, &dt_mean_squared_error);
    }
    dt_keras_model with_state = model;
    with_state.loss = &dt_mean_squared_error;
    with_state.optimizer = keras_full.optimizer;
    model.loss = with_state.loss;
    model.optimizer.learning_rate = with_state.optimizer.learning_rate;
    assert_ok(keras_archive_save(&with_state, keras_path()));
    keras_expect_model(keras_path(), &model);
    with_state.scale = NULL;
    assert_ok(keras_archive_save(&with_state, keras_path()));
    keras_expect_model(keras_path(), &with_state);
}

/* The bytes of a stored member: found by its local header, with this test's own eyes. */
static const unsigned char *find_member(const unsigned char *zip, size_t bytes, const char *name,
                                        size_t *member_bytes)
{
    for (size_t at = 0; at + 30 <= bytes && memcmp(zip + at, "PK\3\4", 4) == 0;) {
        const unsigned char *h = zip + at;
        const size_t stored = (size_t)(h[18] | h[19] << 8 | h[20] << 16);
        const size_t name_bytes = (size_t)(h[26] | h[27] << 8);
        const size_t extra = (size_t)(h[28] | h[29] << 8);
        assert_int_equal(h[8] | h[9] << 8, 0); /* stored */
        *member_bytes = stored;
        if (name_bytes == strlen(name) && memcmp(h + 30, name, name_bytes) == 0)
            return h + 30 + name_bytes + extra;
        at += 30 + name_bytes + extra + stored;
    }
    return NULL;
}

static void expect_member(const unsigned char *zip, size_t bytes, const char *name,
                          const char *expected)
{
    size_t found_bytes = 0;
    const unsigned char *found = find_member(zip, bytes, name, &found_bytes);
    assert_non_null(found);
    char text[4096];
    assert_true(found_bytes < sizeof text);
    memcpy(text, found, found_bytes);
    text[found_bytes] = '\0';
    assert_string_equal(text, expected);
}

static void test_texts(void **state)
{
    (void)state;
    size_t bytes = 0, weights = 0;
    assert_ok(keras_archive_save(&keras_full, keras_path()));
    unsigned char *zip = scratch_read(keras_path(), &bytes);
    assert_non_null(zip);
    expect_member(zip, bytes, "metadata.json",
                  "{\"keras_version\": \"3.3.3\", \"date_saved\": \"1980-01-01@00:00:00\"}");
    expect_member(
        zip, bytes, "config.json",
        "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"name\":\"sequential\","
        "\"layers\":[{\"module\":\"keras.layers\",\"class_name\":\"InputLayer\",\"config\":{"
        "\"batch_shape\":[null,3],\"dtype\":\"float32\",\"name\":\"input_1\"},"
        "\"registered_name\":null},{\"module\":\"keras.layers\",\"class_name\":\"Normalization\","
        "\"config\":{\"name\":\"normalization\",\"trainable\":true,\"dtype\":\"float32\","
        "\"axis\":[-1],\"mean\":[0.333333343,-9.99999968e-21,16777216.0],"
        "\"variance\":[0.666666687,0.0,3.39999995e38]},\"registered_name\":null},"
        "{\"module\":\"keras.layers\",\"class_name\":\"Dense\",\"config\":{\"name\":\"dense\","
        "\"trainable\":true,\"dtype\":\"float32\",\"units\":2,\"activation\":\"tanh\","
        "\"use_bias\":true},\"registered_name\":null},{\"module\":\"keras.layers\","
        "\"class_name\":\"Dense\",\"config\":{\"name\":\"dense_1\",\"trainable\":true,"
        "\"dtype\":\"float32\",\"units\":3,\"activation\":\"softmax\",\"use_bias\":true},"
        "\"registered_name\":null}]},\"registered_name\":null,\"build_config\":{\"input_shape\":["
        "null,3]},\"compile_config\":{\"loss\":\"sparse_categorical_crossentropy\",\"metrics\":["
        "\"accuracy\"],\"weighted_metrics\":null,\"loss_weights\":null,\"optimizer\":{"
        "\"module\":\"keras.optimizers\",\"class_name\":\"Adam\",\"config\":{\"name\":\"adam\","
        "\"learning_rate\":0.002,\"beta_1\":0.8,\"beta_2\":0.99,\"epsilon\":1e-8},"
        "\"registered_name\":null}}}");
    expect_member(zip, bytes, "dtrain_recipe.json", keras_full.recipe_json);
    expect_member(zip, bytes, "dtrain_classes.json",
                  "{\n  \"classes\": [\n    \"no\",\n    \"na\xc3\xafve\",\n    \"yes\"\n  ]\n}\n");
    assert_non_null(find_member(zip, bytes, "model.weights.h5", &weights));
    free(zip);
}

/* Extracts model.weights.h5 and opens it with HDF5 alone. */
static hid_t open_weights(void)
{
    size_t bytes = 0, member_bytes = 0;
    unsigned char *zip = scratch_read(keras_path(), &bytes);
    assert_non_null(zip);
    const unsigned char *member = find_member(zip, bytes, "model.weights.h5", &member_bytes);
    assert_non_null(member);
    assert_true(scratch_write(scratch_path("weights.h5"), member, member_bytes));
    free(zip);
    hid_t file = H5Fopen(scratch_path("weights.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static void expect_array(hid_t file, const char *path, hid_t type, int dims, hsize_t rows,
                         hsize_t columns, const void *expected)
{
    float found[16];
    hsize_t extent[2] = {0, 0};
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    assert_true(dataset >= 0);
    hid_t found_type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    assert_true(H5Tequal(found_type, type) > 0);
    assert_int_equal(H5Sget_simple_extent_ndims(space), dims);
    assert_int_equal(H5Sget_simple_extent_dims(space, extent, NULL), dims);
    assert_int_equal(extent[0], dims > 0 ? rows : 0);
    assert_int_equal(extent[1], dims > 1 ? columns : 0);
    const size_t count = (size_t)(dims == 0 ? 1 : dims == 1 ? rows : rows * columns);
    assert_true(count <= sizeof found / sizeof *found);
    assert_true(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, found) >= 0);
    assert_memory_equal(found, expected, count * 4);
    h5_close_id(space);
    h5_close_id(found_type);
    h5_close_id(dataset);
}

static hsize_t count_links(hid_t file, const char *path)
{
    H5G_info_t info;
    assert_true(H5Gget_info_by_name(file, path, &info, H5P_DEFAULT) >= 0);
    return info.nlinks;
}

static void test_weights(void **state)
{
    (void)state;
    static const float rate = 0.002f, zeros[6] = {0};
    static const int32_t updates = 77, none = 0;
    dt_keras_model plain = keras_plain();
    assert_ok(keras_archive_save(&keras_full, keras_path()));
    hid_t file = open_weights();
    expect_array(file, "/layers/dense/vars/0", H5T_IEEE_F32LE, 2, 3, 2, keras_params);
    expect_array(file, "/layers/dense/vars/1", H5T_IEEE_F32LE, 1, 2, 0, keras_params + 6);
    expect_array(file, "/layers/dense_1/vars/0", H5T_IEEE_F32LE, 2, 2, 3, keras_params + 8);
    expect_array(file, "/layers/dense_1/vars/1", H5T_IEEE_F32LE, 1, 3, 0, keras_params + 14);
    expect_array(file, "/optimizer/vars/0", H5T_STD_I32LE, 0, 0, 0, &updates);
    expect_array(file, "/optimizer/vars/1", H5T_IEEE_F32LE, 0, 0, 0, &rate);
    expect_array(file, "/optimizer/vars/2", H5T_IEEE_F32LE, 2, 3, 2, keras_m);
    expect_array(file, "/optimizer/vars/3", H5T_IEEE_F32LE, 2, 3, 2, keras_v);
    expect_array(file, "/optimizer/vars/4", H5T_IEEE_F32LE, 1, 2, 0, keras_m + 6);
    expect_array(file, "/optimizer/vars/5", H5T_IEEE_F32LE, 1, 2, 0, keras_v + 6);
    expect_array(file, "/optimizer/vars/8", H5T_IEEE_F32LE, 1, 3, 0, keras_m + 14);
    expect_array(file, "/optimizer/vars/9", H5T_IEEE_F32LE, 1, 3, 0, keras_v + 14);
    assert_int_equal(count_links(file, "/optimizer/vars"), 10);
    assert_int_equal(count_links(file, "/vars"), 0);
    assert_int_equal(count_links(file, "/layers/normalization/vars"), 0);
    assert_int_equal(count_links(file, "/layers"), 3);
    h5_close_id(file);
    /* Without a state Keras gets that of an optimizer that has done nothing. */
    assert_ok(keras_archive_save(&plain, keras_path()));
    file = open_weights();
    expect_array(file, "/optimizer/vars/0", H5T_STD_I32LE, 0, 0, 0, &none);
    expect_array(file, "/optimizer/vars/3", H5T_IEEE_F32LE, 2, 3, 2, zeros);
    assert_int_equal(count_links(file, "/optimizer/vars"), 10);
    assert_int_equal(count_links(file, "/layers"), 2);
    h5_close_id(file);
}

static void test_same_model_same_bytes(void **state)
{
    (void)state;
    size_t bytes = 0, again_bytes = 0;
    assert_ok(keras_archive_save(&keras_full, keras_path()));
    unsigned char *once = scratch_read(keras_path(), &bytes);
    assert_ok(keras_archive_save(&keras_full, keras_path()));
    unsigned char *again = scratch_read(keras_path(), &again_bytes);
    assert_true(once != NULL && again != NULL);
    assert_int_equal(bytes, again_bytes);
    assert_memory_equal(once, again, bytes);
    free(once);
    free(again);
    assert_status(keras_archive_save(&keras_full, scratch_path("none/model.keras")), DT_OUTPUT);
}

/* ---- what Keras writes ---- */

#define POLICY                                                                                     \
    "{\"module\":\"keras\",\"class_name\":\"DTypePolicy\",\"config\":{\"name\":\"float32\"},"      \
    "\"registered_name\":null,\"shared_object_id\":1}"
#define LAYER(class, name, rest)                                                                   \
    "{\"module\":\"keras.layers\",\"class_name\":\"" class "\",\"config\":{\"name\":\"" name       \
                                                           "\",\"trainable\":true,"                \
                                                           "\"dtype\":" POLICY "," rest            \
                                                           "},\"registered_name\":null}"
#define INPUT LAYER("InputLayer", "in", "\"batch_shape\":[null,3]")
#define NORMALIZATION                                                                              \
    LAYER("Normalization", "n", "\"axis\":[-1],\"invert\":false,\"mean\":null,\"variance\":null")
#define DENSE(name, units, activation)                                                             \
    LAYER("Dense", name, "\"units\":" units ",\"activation\":\"" activation "\",\"use_bias\":true")
#define ADAM(rate)                                                                                 \
    "{\"module\":\"keras.optimizers\",\"class_name\":\"Adam\",\"config\":{\"name\":\"adam\","      \
    "\"learning_rate\":" rate                                                                      \
    ",\"weight_decay\":null,\"use_ema\":false,\"beta_1\":0.8,\"beta_2\":0.99,\"epsilon\":1e-08,"   \
    "\"amsgrad\":false},\"registered_name\":null}"
#define COMPILED(optimizer)                                                                        \
    "\"compile_config\":{\"optimizer\":" optimizer                                                 \
    ",\"loss\":\"sparse_categorical_crossentropy\",\"loss_weights\":null,\"metrics\":null}"
#define MODEL(layers, optimizer)                                                                   \
    "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":"   \
    "[" layers "]},\"registered_name\":null," COMPILED(optimizer) "}"
#define LAYERS NORMALIZATION "," DENSE("a", "2", "tanh") "," DENSE("b", "3", "softmax")
#define RATE "0.0020000000949949026" /* 0.002 as a float32 */
#define GOOD MODEL(INPUT "," LAYERS, ADAM(RATE))

static void add_iterations(hid_t file, int64_t value)
{
    h5_add_dataset(file, "/optimizer/vars/0", H5T_STD_I64LE, 0, NULL, H5P_DEFAULT, H5T_NATIVE_INT64,
                   &value);
}

/* The weights of GOOD; left open, for a test to spoil. */
static hid_t start_weights(void)
{
    static const float rate = 0.002f;
    static const int32_t count = 0;
    hid_t file = h5_create();
    h5_add_f32(file, "/layers/normalization/vars/0", 1, 3, 0, keras_mean);
    h5_add_f32(file, "/layers/normalization/vars/1", 1, 3, 0, keras_variance);
    h5_add_dataset(file, "/layers/normalization/vars/2", H5T_STD_I32LE, 0, NULL, H5P_DEFAULT,
                   H5T_NATIVE_INT32, &count);
    h5_add_f32(file, "/layers/dense/vars/0", 2, 3, 2, keras_params);
    h5_add_f32(file, "/layers/dense/vars/1", 1, 2, 0, keras_params + 6);
    h5_add_f32(file, "/layers/dense_1/vars/0", 2, 2, 3, keras_params + 8);
    h5_add_f32(file, "/layers/dense_1/vars/1", 1, 3, 0, keras_params + 14);
    add_iterations(file, 77);
    h5_add_f32(file, "/optimizer/vars/1", 0, 0, 0, &rate);
    h5_add_f32(file, "/optimizer/vars/2", 2, 3, 2, keras_m);
    h5_add_f32(file, "/optimizer/vars/3", 2, 3, 2, keras_v);
    h5_add_f32(file, "/optimizer/vars/4", 1, 2, 0, keras_m + 6);
    h5_add_f32(file, "/optimizer/vars/5", 1, 2, 0, keras_v + 6);
    h5_add_f32(file, "/optimizer/vars/6", 2, 2, 3, keras_m + 8);
    h5_add_f32(file, "/optimizer/vars/7", 2, 2, 3, keras_v + 8);
    h5_add_f32(file, "/optimizer/vars/8", 1, 3, 0, keras_m + 14);
    h5_add_f32(file, "/optimizer/vars/9", 1, 3, 0, keras_v + 14);
    return file;
}

/* Writes the archive; what is NULL is left out. */
static void write_archive(const char *config, const void *weights, size_t weights_bytes,
                          const zip_member *more)
{
    zip_builder zip = {0};
    if (config != NULL)
        zip_add(&zip, &(zip_member){.name = "config.json",
                                    .plain = config,
                                    .plain_bytes = strlen(config),
                                    .deflate = true});
    if (weights != NULL)
        zip_add(&zip, &(zip_member){.name = "model.weights.h5",
                                    .plain = weights,
                                    .plain_bytes = weights_bytes,
                                    .descriptor = true});
    if (more != NULL)
        zip_add(&zip, more);
    zip_end(&zip, &(zip_ending){0});
    assert_true(scratch_write(keras_path(), zip.file.data, zip.file.count));
    zip_free(&zip.file);
    zip_free(&zip.directory);
}

/* Closes the weights and puts them into an archive with the configuration. */
static void pack(const char *config, hid_t weights)
{
    size_t bytes = 0;
    h5_close_id(weights);
    unsigned char *image = scratch_read(scratch_path("file.h5"), &bytes);
    assert_non_null(image);
    write_archive(config, image, bytes, NULL);
    free(image);
}

static void refuse(const char *config, hid_t weights, const char *part)
{
    pack(config, weights);
    keras_refuse(keras_path(), part);
}

static void test_keras_file(void **state)
{
    (void)state;
    dt_keras_model expected = keras_full;
    expected.recipe_json = NULL;
    expected.class_name_count = 0;
    pack(GOOD, start_weights());
    keras_expect_model(keras_path(), &expected);
    pack(MODEL(LAYERS, ADAM(RATE)), start_weights()); /* the inputs are left open */
    keras_expect_model(keras_path(), &expected);
    /* Keras goes by the optimizer's variable. */
    pack(MODEL(LAYERS, ADAM("0.5")), start_weights());
    keras_expect_model(keras_path(), &expected);
    /* Compiled with the name alone. */
    pack(MODEL(LAYERS, "\"adam\""), start_weights());
    expected.optimizer.numbers[0] = 0.9;
    expected.optimizer.numbers[1] = 0.999;
    expected.optimizer.numbers[2] = 1e-7;
    keras_expect_model(keras_path(), &expected);
}

/* ---- a state that is none of Adam's ---- */

static void expect_no_state(const char *config, hid_t weights, const char *left_out)
{
    dt_keras_loaded found;
    pack(config, weights);
    assert_ok(dt_keras_model_load(&found, keras_path()));
    keras_expect_floats(found.params, keras_params, KERAS_P);
    assert_null(found.model.optimizer.states[0]);
    assert_null(found.model.optimizer.states[1]);
    assert_int_equal(found.model.optimizer.step, 0);
    assert_string_equal(found.left_out, left_out);
    dt_keras_loaded_clear(&found);
}

static void test_no_state(void **state)
{
    (void)state;
    static const char other[] = "the state of the optimizer (not two arrays a weight, as Adam has)";
    hid_t file = start_weights();
    assert_true(H5Ldelete(file, "/optimizer", H5P_DEFAULT) >= 0);
    expect_no_state(GOOD, file, "");
    expect_no_state(MODEL(LAYERS, "{\"class_name\":\"SGD\",\"config\":{}}"), start_weights(),
                    "optimizer SGD (dtrain reads only Adam; set --optimizer)");
    file = start_weights();
    assert_true(H5Ldelete(file, "/optimizer", H5P_DEFAULT) >= 0);
    expect_no_state(MODEL(LAYERS, "{\"class_name\":\"Custom>Adam\",\"config\":{}}"), file, "");
    expect_no_state(MODEL(LAYERS, "null"), start_weights(),
                    "the state of an optimizer that the file does not name");
    file = start_weights();
    assert_true(H5Ldelete(file, "/optimizer/vars/9", H5P_DEFAULT) >= 0);
    expect_no_state(GOOD, file, other);
    file = start_weights(); /* as of amsgrad */
    h5_add_f32(file, "/optimizer/vars/10", 2, 3, 2, keras_v);
    expect_no_state(GOOD, file, other);
    file = start_weights(); /* transposed */
    assert_true(H5Ldelete(file, "/optimizer/vars/7", H5P_DEFAULT) >= 0);
    h5_add_f32(file, "/optimizer/vars/7", 2, 3, 2, keras_v);
    expect_no_state(GOOD, file, other);
    file = start_weights(); /* a gap in the numbers */
    assert_true(H5Lmove(file, "/optimizer/vars/9", file, "/optimizer/vars/x", H5P_DEFAULT,
                        H5P_DEFAULT) >= 0);
    expect_no_state(GOOD, file, "the state of the optimizer (of another layout)");
    file = start_weights(); /* never fitted */
    assert_true(H5Ldelete(file, "/optimizer/vars/0", H5P_DEFAULT) >= 0);
    add_iterations(file, 0);
    expect_no_state(GOOD, file, "");
}

static void test_wrong_state(void **state)
{
    (void)state;
    static const float nan_[] = {1, NAN}, negative[] = {1, -1e-30f}, infinite = INFINITY;
    hid_t file = start_weights();
    assert_true(H5Ldelete(file, "/optimizer/vars/0", H5P_DEFAULT) >= 0);
    add_iterations(file, -1);
    refuse(GOOD, file, "the state of Adam: -1 iterations");
    file = start_weights();
    assert_true(H5Ldelete(file, "/optimizer/vars/4", H5P_DEFAULT) >= 0);
    h5_add_f32(file, "/optimizer/vars/4", 1, 2, 0, nan_);
    refuse(GOOD, file, "/optimizer/vars/4: number 1 is NaN");
    file = start_weights();
    assert_true(H5Ldelete(file, "/optimizer/vars/5", H5P_DEFAULT) >= 0);
    h5_add_f32(file, "/optimizer/vars/5", 1, 2, 0, negative);
    refuse(GOOD, file, "v of weight 7 is negative");
    file = start_weights();
    assert_true(H5Ldelete(file, "/optimizer/vars/1", H5P_DEFAULT) >= 0);
    h5_add_f32(file, "/optimizer/vars/1", 0, 0, 0, &infinite);
    refuse(GOOD, file, "/optimizer/vars/1: number 0 is infinite");
}

/* ---- what is no model ---- */

static void test_other_archives(void **state)
{
    (void)state;
    static const char json[] = "{}";
    zip_member more = {.name = "x.npy", .plain = json, .plain_bytes = 2};
    write_archive(NULL, NULL, 0, &more);
    keras_refuse(keras_path(), "is a .npz of arrays, not a Keras model");
    more.name = "readme.txt";
    write_archive(NULL, json, 2, &more);
    keras_refuse(keras_path(), "is a ZIP archive without a config.json");
    write_archive(GOOD, NULL, 0, NULL);
    keras_refuse(keras_path(), "has no model.weights.h5, and therefore no weights");
    more.name = "model.weights.json";
    write_archive(GOOD, NULL, 0, &more);
    keras_refuse(keras_path(), "its weights are in several files (sharded)");
    more.name = "model.weights.npz";
    write_archive(GOOD, NULL, 0, &more);
    keras_refuse(keras_path(), "its weights are a .npz");
    write_archive(GOOD, json, 2, NULL);
    keras_refuse(keras_path(), "model.keras: model.weights.h5");
    write_archive("{", json, 2, NULL);
    keras_refuse(keras_path(), "its config.json is not valid JSON");
    more = (zip_member){.name = "config.json", .plain = "{}\0{}", .plain_bytes = 5};
    write_archive(NULL, json, 2, &more);
    keras_refuse(keras_path(), "its config.json is not text");
    char *large = malloc((16 << 20) + 2);
    assert_non_null(large);
    memset(large, ' ', (16 << 20) + 1);
    large[(16 << 20) + 1] = '\0';
    write_archive(large, json, 2, NULL);
    keras_refuse(keras_path(), "its config.json is longer than 16777216 bytes");
    free(large);
}

/* Keras 2.12 to 2.14 count a layer with weights twice. */
static void test_keras_2(void **state)
{
    (void)state;
    hid_t file = start_weights();
    assert_true(
        H5Lmove(file, "/layers/dense_1", file, "/layers/dense_10", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lmove(file, "/layers/dense", file, "/layers/dense_2", H5P_DEFAULT, H5P_DEFAULT) >=
                0);
    h5_close_id(H5Gcreate2(file, "/layers/dense", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    h5_close_id(H5Gcreate2(file, "/layers/dense_features", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    assert_true(H5Lmove(file, "/layers", file, "/_layer_checkpoint_dependencies", H5P_DEFAULT,
                        H5P_DEFAULT) >= 0);
    dt_keras_loaded found;
    pack(GOOD, file);
    assert_ok(dt_keras_model_load(&found, keras_path()));
    keras_expect_floats(found.params, keras_params, KERAS_P);
    keras_expect_floats(found.model.mean, keras_mean, 3);
    dt_keras_loaded_clear(&found);
}

static void test_wrong_layout(void **state)
{
    (void)state;
    hid_t file = start_weights();
    assert_true(H5Ldelete(file, "/layers/dense_1", H5P_DEFAULT) >= 0);
    refuse(GOOD, file, "layer 'b' has no weights");
    file = start_weights();
    assert_true(H5Ldelete(file, "/layers/dense/vars/0", H5P_DEFAULT) >= 0);
    refuse(GOOD, file, "layer 'a': expected a kernel and a bias, found 1");
    file = start_weights();
    assert_true(H5Ldelete(file, "/layers/dense/vars/0", H5P_DEFAULT) >= 0);
    assert_true(H5Ldelete(file, "/layers/dense/vars/1", H5P_DEFAULT) >= 0);
    refuse(GOOD, file, "layer 'a': expected weights of the shape (3, 2), found (2, 3)");
    file = start_weights();
    assert_true(H5Ldelete(file, "/layers", H5P_DEFAULT) >= 0);
    refuse(GOOD, file, "no group /layers");
    refuse(MODEL(INPUT "," DENSE("a", "7", "tanh") "," DENSE("b", "3", "softmax"), ADAM(RATE)),
           start_weights(), "layer 'a': expected weights of the shape (3, 7), found (3, 2)");
    refuse(MODEL(INPUT "," LAYER("Dense", "a", "\"quantization_config\":{},\"units\":2") "," DENSE(
                     "b", "3", "softmax"),
                 ADAM(RATE)),
           start_weights(), "layer 'a' is quantized");
    /* Weights alone, as save_weights writes them. */
    hid_t weights = start_weights();
    h5_close_id(weights);
    keras_refuse(scratch_path("file.h5"), "has weights only");
}

static void test_wrong_companions(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *part;
    } wrong[] = {
        {"dtrain_classes.json", "{\"classes\":[\"a\"]}", "holds 1 names, expected one for each"},
        {"dtrain_classes.json", "{\"classes\":[\"a\",1,\"b\"]}",
         "what is in classes must be a text, but is a whole number"},
        {"dtrain_classes.json", "[\"a\",\"b\",\"c\"]", "expected an object, but found a list"},
        {"dtrain_classes.json", "{", "not valid JSON in line 1"},
    };
    size_t bytes = 0;
    h5_close_id(start_weights());
    unsigned char *image = scratch_read(scratch_path("file.h5"), &bytes);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const zip_member more = {
            .name = wrong[i].name, .plain = wrong[i].text, .plain_bytes = strlen(wrong[i].text)};
        write_archive(GOOD, image, bytes, &more);
        keras_refuse(keras_path(), wrong[i].part);
    }
    const zip_member recipe = {.name = "dtrain_recipe.json", .plain = "a\0b", .plain_bytes = 3};
    write_archive(GOOD, image, bytes, &recipe);
    keras_refuse(keras_path(), "its dtrain_recipe.json is not text");
    free(image);
}

/* ---- damage ---- */

/* Loading may fail, but with a line, and leaves nothing behind. */
static bool survives(const char *path)
{
    dt_keras_loaded found;
    const dt_status status = dt_keras_model_load(&found, path);
    if (status != DT_OK && status != DT_DATA && status != DT_MEMORY)
        fail_msg("status %d: %s", (int)status, dt_status_text());
    assert_int_equal(found.params == NULL, status != DT_OK);
    dt_keras_loaded_clear(&found);
    return status == DT_OK;
}

static void test_cut_short(void **state)
{
    (void)state;
    size_t bytes = 0;
    assert_ok(keras_archive_save(&keras_full, keras_path()));
    unsigned char *zip = scratch_read(keras_path(), &bytes);
    assert_non_null(zip);
    for (size_t end = 0; end < bytes; end += end + 64 < bytes ? 61 : 1) {
        assert_true(scratch_write(keras_path(), zip, end));
        assert_false(survives(keras_path()));
    }
    free(zip);
}

/* Each byte of a stored member is under its CRC. */
static void test_flipped_bits(void **state)
{
    (void)state;
    size_t bytes = 0, member_bytes = 0;
    assert_ok(keras_archive_save(&keras_full, keras_path()));
    unsigned char *zip = scratch_read(keras_path(), &bytes);
    assert_non_null(zip);
    const unsigned char *member = find_member(zip, bytes, "model.weights.h5", &member_bytes);
    assert_non_null(member);
    for (size_t at = 0; at < member_bytes; at += 97) {
        unsigned char *byte = zip + (member - zip) + at;
        *byte ^= 0x10;
        assert_true(scratch_write(keras_path(), zip, bytes));
        assert_false(survives(keras_path()));
        *byte ^= 0x10;
    }
    assert_true(scratch_write(keras_path(), zip, bytes));
    assert_true(survives(keras_path()));
    free(zip);
}

/* Returns how many of the damaged images are refused; -1: one neither loads nor is refused. */
static int count_refused(unsigned char *image, size_t bytes)
{
    int refused = 0;
    for (size_t at = 0; at < bytes; at += 13) {
        dt_keras_loaded found;
        const unsigned char was = image[at];
        image[at] = (unsigned char)(at % 2 == 0 ? 0xffu : was ^ 1u << at % 8);
        write_archive(GOOD, image, bytes, NULL);
        const dt_status status = dt_keras_model_load(&found, keras_path());
        if (status != DT_OK && status != DT_DATA && status != DT_MEMORY)
            return -1;
        refused += status != DT_OK;
        dt_keras_loaded_clear(&found);
        image[at] = was;
    }
    return refused;
}

/* With a CRC that fits, it is HDF5's and the reader's turn. In a process of its own, which ends
 * without a search for leaks: HDF5 loses some hundred bytes over damaged object headers. */
static void test_damaged_weights(void **state)
{
    (void)state;
    size_t bytes = 0;
    int result = 0;
    h5_close_id(start_weights());
    unsigned char *image = scratch_read(scratch_path("file.h5"), &bytes);
    assert_non_null(image);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(count_refused(image, bytes) > 20 ? 0 : 1);
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    for (size_t end = 0; end < bytes; end += 509) {
        write_archive(GOOD, image, end, NULL);
        assert_false(survives(keras_path()));
    }
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_round_trip, scratch_empty),
        cmocka_unit_test_teardown(test_values, scratch_empty),
        cmocka_unit_test_teardown(test_values_without_a_loss, scratch_empty),
        cmocka_unit_test_teardown(test_texts, scratch_empty),
        cmocka_unit_test_teardown(test_weights, scratch_empty),
        cmocka_unit_test_teardown(test_same_model_same_bytes, scratch_empty),
        cmocka_unit_test_teardown(test_keras_file, scratch_empty),
        cmocka_unit_test_teardown(test_no_state, scratch_empty),
        cmocka_unit_test_teardown(test_wrong_state, scratch_empty),
        cmocka_unit_test_teardown(test_other_archives, scratch_empty),
        cmocka_unit_test_teardown(test_keras_2, scratch_empty),
        cmocka_unit_test_teardown(test_wrong_layout, scratch_empty),
        cmocka_unit_test_teardown(test_wrong_companions, scratch_empty),
        cmocka_unit_test_teardown(test_cut_short, scratch_empty),
        cmocka_unit_test_teardown(test_flipped_bits, scratch_empty),
        cmocka_unit_test_teardown(test_damaged_weights, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
