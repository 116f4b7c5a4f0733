/*
 * Models as the program uses them, in both of Keras's formats: written by rank 0, read by rank 0,
 * the same on all ranks.
 */
#include "ranks.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"
#include "dtrain/model/keras_model.h"
#include "dtrain/model/model.h"
#include "dtrain/nn/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 7, CLASSES = 3, ROWS = 5 };

static char *names[] = {"no", "", "vielleicht gr\xc3\xbc\xc3\x9f"};

static const char *const formats[] = {"model.h5", "model.keras"};

/* The file that is tested now. */
static const char *format = "model.h5";

/* The path of a file that rank 0 has made; the scratch folder is the same on all. */
static const char *model_path(void)
{
    return scratch_path(format);
}

/* A network that was not trained, the same on all ranks, and Adam's numbers without its state. */
static dt_model make_model(size_t C)
{
    const size_t hidden[] = {6, 4};
    dt_model model = {
        .optimizer = {.kind = &dt_adam, .learning_rate = 0.003, .numbers = {0.8, 0.99, 1e-5}}};
    const dt_status status =
        dt_spec_make(&model.network, INPUTS, hidden, 2, DT_ACTIVATION_TANH, C, 42);
    assert_all_int(status, DT_OK);
    model.network.layers[1].activation = DT_ACTIVATION_RELU;
    for (size_t h = 0; h < 4; h++) /* biases are zeros otherwise */
        model.network.params[model.network.layers[1].bias + h] = 0.25f * (float)h;
    return model;
}

/* Gives a model the state of an Adam that has done `steps` updates. */
static void add_adam(dt_model *model, int64_t steps)
{
    const size_t P = model->network.P;
    assert_all_int(dt_optimizer_allocate(&model->optimizer, P), DT_OK);
    model->optimizer.step = steps;
    for (size_t i = 0; i < P; i++) {
        model->optimizer.states[0][i] = ((float)i - 30.0f) / 7.0f;
        model->optimizer.states[1][i] = (float)i / 1e6f; /* never below 0 */
    }
}

static void add_normalization(dt_model *model)
{
    const float mean[INPUTS] = {0.0f, -1.5f, 1e6f, 1e-20f, 3.0f, 0.1f, 2.0f};
    const float variance[INPUTS] = {1.0f, 4.0f, 1e10f, 0.0f, 2.0f, 1e-16f, 0.3f};
    dt_network *network = &model->network, next;
    dt_layer layers[4] = {{.kind = &dt_layer_normalization}};
    memcpy(layers + 1, network->layers, 3 * sizeof *layers);
    assert_all_int(dt_network_make(&next, INPUTS, layers, 4), DT_OK);
    memcpy(next.params, network->params, network->P * sizeof(float));
    memcpy(next.constants + next.layers[0].mean, mean, sizeof mean);
    memcpy(next.constants + next.layers[0].variance, variance, sizeof variance);
    dt_network_clear(network);
    *network = next;
}

/* Clears what is the model's own; texts are borrowed. */
static void clear_made(dt_model *model)
{
    dt_network_clear(&model->network);
    dt_optimizer_clear(&model->optimizer);
}

/* Saves on rank 0 alone. */
static void save(const dt_model *model)
{
    const dt_status status = test_rank == 0 ? dt_model_save(model, model_path()) : DT_OK;
    assert_all_string(status == DT_OK ? "" : dt_status_text(), "");
}

static void load(dt_model *out)
{
    const dt_comm comm = ranks_all();
    /* The path counts on rank 0 only. */
    const dt_status status = dt_model_load(out, &comm, test_rank == 0 ? model_path() : "/nowhere");
    assert_all_string(status == DT_OK ? "" : dt_status_text(), "");
}

static void logits_of(const dt_network *network, float *out)
{
    const size_t start[] = {0, ROWS};
    const dt_segments segments = {1, start};
    dt_workspace workspace;
    float x[ROWS * INPUTS];
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        x[i] = (float)((i * 37) % 11) / 5.0f - 1.0f;
    const dt_status status = dt_workspace_init(&workspace, network, ROWS, DT_BOTH_PASSES);
    assert_all_int(status, DT_OK);
    memcpy(out, dt_network_forward(network, &workspace, x, &segments),
           ROWS * network->C * sizeof *out);
    dt_workspace_clear(&workspace);
}

static uint32_t crc_of(const dt_network *network)
{
    return dt_crc32(0, network->params, network->P * sizeof(float));
}

static void expect_network(const dt_network *found, const dt_network *expected)
{
    assert_all_int(found->D, expected->D);
    assert_all_int(found->C, expected->C);
    assert_all_int(found->P, expected->P);
    assert_all_int(found->layer_count, expected->layer_count);
    for (size_t l = 0; l < expected->layer_count; l++) {
        assert_all_int(found->layers[l].activation, expected->layers[l].activation);
        assert_all_int(found->layers[l].kernel, expected->layers[l].kernel);
        assert_all_int(found->layers[l].bias, expected->layers[l].bias);
    }
    assert_all_int(crc_of(found), crc_of(expected));
    assert_all_same(found->params, found->P * sizeof(float));
}

static void expect_numbers(const dt_optimizer *found, const dt_optimizer *expected)
{
    assert_all_close(found->learning_rate, expected->learning_rate, 0.0);
    for (size_t i = 0; i < 3; i++)
        assert_all_close(found->numbers[i], expected->numbers[i], 0.0);
}

static void test_comes_back(void **state)
{
    (void)state;
    float expected[ROWS * CLASSES], found[ROWS * CLASSES];
    dt_model saved = make_model(CLASSES), loaded;
    save(&saved);
    load(&loaded);
    expect_network(&loaded.network, &saved.network);
    logits_of(&saved.network, expected);
    logits_of(&loaded.network, found);
    assert_all(memcmp(found, expected, sizeof found) == 0);
    assert_all_same(found, sizeof found);
    expect_numbers(&loaded.optimizer, &saved.optimizer);
    assert_all(loaded.optimizer.states[0] == NULL && loaded.optimizer.states[1] == NULL);
    assert_all_int(loaded.optimizer.step, 0);
    assert_all_int(loaded.network.constant_count, 0);
    assert_all(loaded.recipe_json == NULL && loaded.class_names == NULL);
    assert_all_int(loaded.class_name_count, 0);
    assert_all_string(loaded.left_out, "");
    dt_model_clear(&loaded);
    assert_all(loaded.network.params == NULL);
    clear_made(&saved);
}

/* One update by a gradient that all have. */
static void update(dt_model *model)
{
    float gradient[256];
    const size_t P = model->network.P;
    assert_all(P <= 256);
    for (size_t i = 0; i < P; i++)
        gradient[i] = (float)(i % 13) / 13.0f - 0.4f;
    dt_optimizer_begin_step(&model->optimizer);
    dt_optimizer_update(&model->optimizer, model->network.params, gradient, 0, P, false);
}

/* State and numbers; and the next update is the one that the saved optimizer would have done. */
static void test_adam(void **state)
{
    (void)state;
    const int64_t steps[] = {1, 12345, 5000000000};
    for (size_t s = 0; s < 3; s++) {
        dt_model saved = make_model(CLASSES), loaded;
        add_adam(&saved, steps[s]);
        const size_t bytes = saved.network.P * sizeof(float);
        save(&saved);
        load(&loaded);
        expect_numbers(&loaded.optimizer, &saved.optimizer);
        assert_all_int(loaded.optimizer.P, saved.network.P);
        assert_all_int(loaded.optimizer.step, steps[s]);
        assert_all(loaded.optimizer.states[0] != NULL &&
                   memcmp(loaded.optimizer.states[0], saved.optimizer.states[0], bytes) == 0);
        assert_all(loaded.optimizer.states[1] != NULL &&
                   memcmp(loaded.optimizer.states[1], saved.optimizer.states[1], bytes) == 0);
        update(&saved);
        update(&loaded);
        assert_all_int(crc_of(&loaded.network), crc_of(&saved.network));
        dt_model_clear(&loaded);
        clear_made(&saved);
    }
}

static void test_normalization(void **state)
{
    (void)state;
    dt_model saved = make_model(CLASSES), loaded;
    add_normalization(&saved);
    save(&saved);
    load(&loaded);
    const dt_network *was = &saved.network, *is = &loaded.network;
    assert_all(is->layers[0].kind == &dt_layer_normalization && dt_network_prepares(is));
    assert_all_int(is->constant_count, 2 * INPUTS);
    assert_all(memcmp(is->constants, was->constants, 2 * INPUTS * sizeof(float)) == 0);
    assert_all_int(crc_of(&loaded.network), crc_of(&saved.network));
    dt_model_clear(&loaded);
    assert_all(loaded.network.constants == NULL);
    clear_made(&saved);
}

/* All that a model can have; the recipe is longer than an attribute's own 64 KiB. */
static void test_recipe_and_names(void **state)
{
    (void)state;
    enum { LENGTH = 200000 };
    dt_model saved = make_model(CLASSES), loaded;
    char *recipe = malloc(LENGTH + 1);
    assert_all(recipe != NULL);
    for (size_t i = 0; i < LENGTH; i++)
        recipe[i] = (char)('a' + i % 23);
    recipe[LENGTH] = '\0';
    add_adam(&saved, 17);
    add_normalization(&saved);
    saved.recipe_json = recipe;
    saved.class_names = names;
    saved.class_name_count = CLASSES;
    save(&saved);
    load(&loaded);
    assert_all_string(loaded.recipe_json, recipe);
    assert_all_int(loaded.class_name_count, CLASSES);
    for (size_t c = 0; c < CLASSES; c++)
        assert_all_string(loaded.class_names[c], names[c]);
    expect_network(&loaded.network, &saved.network);
    assert_all_int(loaded.optimizer.step, 17);
    assert_all_int(loaded.network.constant_count, 2 * INPUTS);
    dt_model_clear(&loaded);
    clear_made(&saved);
    free(recipe);
}

/* Runs a test with each of the two formats. */
static void each_format(void (*test)(void **state))
{
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        format = formats[f];
        test(NULL);
    }
    format = formats[0];
}

static void test_both_formats(void **state)
{
    (void)state;
    each_format(test_comes_back);
    each_format(test_adam);
    each_format(test_normalization);
    each_format(test_recipe_and_names);
}

/* What was read and is written in the other format says the same; what a file is, its first bytes
 * tell, and not its name. */
static void test_from_format_to_format(void **state)
{
    (void)state;
    dt_model saved = make_model(CLASSES), once, twice;
    add_adam(&saved, 3);
    add_normalization(&saved);
    format = formats[0];
    save(&saved);
    load(&once);
    format = formats[1];
    save(&once);
    const bool renamed =
        test_rank != 0 || rename(scratch_path(formats[1]), scratch_path(formats[0])) == 0;
    assert_all(renamed);
    format = formats[0];
    load(&twice);
    const size_t bytes = saved.network.P * sizeof(float);
    expect_network(&twice.network, &saved.network);
    expect_numbers(&twice.optimizer, &saved.optimizer);
    assert_all_int(twice.optimizer.step, 3);
    assert_all(memcmp(twice.optimizer.states[0], saved.optimizer.states[0], bytes) == 0);
    assert_all(memcmp(twice.optimizer.states[1], saved.optimizer.states[1], bytes) == 0);
    assert_all(
        memcmp(twice.network.constants, saved.network.constants, 2 * INPUTS * sizeof(float)) == 0);
    dt_model_clear(&once);
    dt_model_clear(&twice);
    clear_made(&saved);
}

static void test_find(void **state)
{
    (void)state;
    char path[512];
    assert_all_string(dt_model_find(path, sizeof path, "some/where.h5"), "some/where.h5");
    const char *found = dt_model_find(path, sizeof path, scratch_folder);
    assert_all(strncmp(found, scratch_folder, strlen(scratch_folder)) == 0);
    assert_all_string(found + strlen(scratch_folder), "/model.h5");
}

static void test_more_names_than_an_attribute_holds(void **state)
{
    (void)state;
    enum { MANY = DT_H5_TEXTS_MAX + 1 };
    static char *many[MANY];
    dt_model saved = make_model(MANY), loaded;
    for (size_t c = 0; c < MANY; c++)
        many[c] = "class";
    saved.class_names = many;
    saved.class_name_count = MANY;
    save(&saved);
    load(&loaded);
    assert_all_int(loaded.network.C, MANY);
    assert_all_int(loaded.class_name_count, 0);
    dt_model_clear(&loaded);
    clear_made(&saved);
}

/* Expects the same failure on all ranks, and nothing to free. */
static void refuse(const char *path, const char *part)
{
    const dt_comm comm = ranks_all();
    dt_model loaded = {.class_name_count = 99};
    const dt_status status = dt_model_load(&loaded, &comm, path);
    assert_all_int(status, DT_DATA);
    assert_all_string(strstr(dt_status_text(), part) != NULL ? part : dt_status_text(), part);
    assert_all_same(dt_status_text(), strlen(dt_status_text()));
    assert_all(loaded.network.params == NULL && loaded.network.layers == NULL);
    assert_all_int(loaded.class_name_count, 0);
}

/* Sets an attribute of the saved model's root, as dtrain would not. */
static bool spoil(const dt_model *model, const char *const *texts, size_t count)
{
    dt_h5 *h5 = NULL;
    const bool good = dt_h5_new(&h5) == DT_OK && dt_keras_model_write(model, h5) == DT_OK &&
                      (texts != NULL ? dt_h5_set_texts(h5, "/", "dtrain_classes", texts, count)
                                     : dt_h5_set_int(h5, "/", "dtrain_recipe", 1)) == DT_OK &&
                      dt_h5_save(h5, model_path()) == DT_OK;
    dt_h5_free(h5);
    return good;
}

static void test_failures(void **state)
{
    (void)state;
    dt_model model = make_model(CLASSES);
    refuse(scratch_path("none.h5"), "none.h5: cannot be opened");
    refuse(scratch_folder, "is a folder");
    assert_all(test_rank != 0 || scratch_write(model_path(), "PK\3\4", 4));
    refuse(model_path(), "model.h5: truncated ZIP archive");
    assert_all(test_rank != 0 || spoil(&model, (const char *const *)names, 2));
    refuse(model_path(), "dtrain_classes holds 2 names, expected one for each of the 3 classes");
    assert_all(test_rank != 0 || spoil(&model, NULL, 0));
    refuse(model_path(), "dtrain_recipe of /: expected one text");
    clear_made(&model);
}

/* Archives: cut off anywhere, and with a byte changed in the middle. */
static void test_spoilt_archives(void **state)
{
    (void)state;
    enum { MOST = 1 << 20 };
    dt_model model = make_model(CLASSES);
    char *bytes = malloc(MOST);
    size_t count = 0;
    format = formats[1];
    save(&model);
    if (test_rank == 0) {
        FILE *file = fopen(model_path(), "rb");
        count = file != NULL ? fread(bytes, 1, MOST, file) : 0;
        (void)fclose(file);
    }
    assert_all(test_rank != 0 || (count > 1000 && count < MOST));
    const double shares[] = {0.001, 0.5, 0.9, 0.999};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        assert_all(test_rank != 0 ||
                   scratch_write(model_path(), bytes, (size_t)(shares[i] * (double)count)));
        refuse(model_path(), "model.keras");
    }
    if (test_rank == 0)
        bytes[count / 2] = (char)(bytes[count / 2] ^ 0x10);
    assert_all(test_rank != 0 || scratch_write(model_path(), bytes, count));
    refuse(model_path(), "model.keras");
    format = formats[0];
    free(bytes);
    clear_made(&model);
}

static void test_no_place_to_save(void **state)
{
    (void)state;
    dt_model model = make_model(CLASSES);
    const char *const paths[] = {"none/model.h5", "none/model.keras"};
    for (size_t i = 0; i < 2; i++) {
        const dt_status status =
            test_rank == 0 ? dt_model_save(&model, scratch_path(paths[i])) : DT_OUTPUT;
        assert_all_int(status, DT_OUTPUT);
    }
    clear_made(&model);
}

static const struct CMUnitTest tests[] = {
    with_folder(test_both_formats),
    with_folder(test_from_format_to_format),
    with_folder(test_find),
    with_folder(test_more_names_than_an_attribute_holds),
    with_folder(test_failures),
    with_folder(test_spoilt_archives),
    with_folder(test_no_place_to_save),
};

MPI_SUITE(test_model, tests);
