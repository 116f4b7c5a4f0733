/*
 * model.h5 as the program uses it: written by rank 0, read by rank 0, the same on all ranks.
 */
#include "ranks.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/crc32.h"
#include "dtrain/io/keras_model.h"
#include "dtrain/train/model.h"

#include <string.h>

enum { INPUTS = 7, CLASSES = 3, ROWS = 5 };

static char *names[] = {"no", "", "vielleicht gr\xc3\xbc\xc3\x9f"};

/* The path of a file that rank 0 has made; the scratch folder is the same on all. */
static const char *model_path(void)
{
    return scratch_path("model.h5");
}

/* A network that was not trained, the same on all ranks. */
static dt_model make_model(size_t C)
{
    const size_t hidden[] = {6, 4};
    dt_model model = {0};
    const dt_status status =
        dt_network_init(&model.network, INPUTS, hidden, 2, DT_ACTIVATION_TANH, C, 42);
    assert_all_int(status, DT_OK);
    model.network.layers[1].activation = DT_ACTIVATION_RELU;
    for (size_t h = 0; h < 4; h++) /* biases are zeros otherwise */
        model.network.params[model.network.layers[1].bias + h] = 0.25f * (float)h;
    return model;
}

/* Saves on rank 0 alone. */
static void save(const dt_model *model, double learning_rate)
{
    const dt_status status =
        test_rank == 0 ? dt_model_save(model, learning_rate, model_path()) : DT_OK;
    assert_all_int(status, DT_OK);
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
    const dt_status status = dt_workspace_init(&workspace, network, ROWS);
    assert_all_int(status, DT_OK);
    memcpy(out, dt_network_forward(network, &workspace, x, &segments),
           ROWS * network->C * sizeof *out);
    dt_workspace_clear(&workspace);
}

static uint32_t crc_of(const dt_network *network)
{
    return dt_crc32(0, network->params, network->P * sizeof(float));
}

static void test_comes_back(void **state)
{
    (void)state;
    float expected[ROWS * CLASSES], found[ROWS * CLASSES];
    dt_model saved = make_model(CLASSES), loaded;
    save(&saved, 0.001);
    load(&loaded);
    assert_all_int(loaded.network.D, INPUTS);
    assert_all_int(loaded.network.C, CLASSES);
    assert_all_int(loaded.network.P, saved.network.P);
    assert_all_int(loaded.network.layer_count, 3);
    for (size_t l = 0; l < 3; l++) {
        assert_all_int(loaded.network.layers[l].activation, saved.network.layers[l].activation);
        assert_all_int(loaded.network.layers[l].bias, saved.network.layers[l].bias);
    }
    assert_all_int(crc_of(&loaded.network), crc_of(&saved.network));
    logits_of(&saved.network, expected);
    logits_of(&loaded.network, found);
    assert_all(memcmp(found, expected, sizeof found) == 0);
    assert_all_same(found, sizeof found);
    assert_all(loaded.recipe_json == NULL && loaded.class_names == NULL);
    assert_all_int(loaded.class_name_count, 0);
    dt_model_clear(&loaded);
    assert_all(loaded.network.params == NULL);
    dt_network_clear(&saved.network);
}

/* The recipe is longer than an attribute's own 64 KiB. */
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
    saved.recipe_json = recipe;
    saved.class_names = names;
    saved.class_name_count = CLASSES;
    save(&saved, 0.5);
    load(&loaded);
    assert_all_string(loaded.recipe_json, recipe);
    assert_all_int(loaded.class_name_count, CLASSES);
    for (size_t c = 0; c < CLASSES; c++)
        assert_all_string(loaded.class_names[c], names[c]);
    assert_all_int(crc_of(&loaded.network), crc_of(&saved.network));
    dt_model_clear(&loaded);
    dt_network_clear(&saved.network);
    free(recipe);

    /* The learning rate is there for who goes on training. */
    dt_keras_loaded keras = {0};
    dt_status status = test_rank == 0 ? dt_keras_model_load(&keras, model_path()) : DT_OK;
    assert_all_int(status, DT_OK);
    assert_all_close(test_rank == 0 ? keras.model.learning_rate : 0.5, 0.5, 0.0);
    assert_all_close(test_rank == 0 ? keras.model.epsilon : 1e-7, 1e-7, 0.0);
    dt_keras_loaded_clear(&keras);
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
    save(&saved, 0.001);
    load(&loaded);
    assert_all_int(loaded.network.C, MANY);
    assert_all_int(loaded.class_name_count, 0);
    dt_model_clear(&loaded);
    dt_network_clear(&saved.network);
}

/* Expects the same failure on all ranks, and nothing to free. */
static void refuse(const char *path, const char *part)
{
    const dt_comm comm = ranks_all();
    dt_model loaded = {.class_name_count = 99};
    const dt_status status = dt_model_load(&loaded, &comm, path);
    assert_all_int(status, DT_DATA);
    assert_all(strstr(dt_status_text(), part) != NULL);
    assert_all_same(dt_status_text(), strlen(dt_status_text()));
    assert_all(loaded.network.params == NULL && loaded.network.layers == NULL);
    assert_all_int(loaded.class_name_count, 0);
}

/* Sets an attribute of the saved model's root, as dtrain would not. */
static bool spoil(const dt_model *model, const char *const *texts, size_t count)
{
    const float *params = model->network.params;
    const dt_keras_layer layer = {CLASSES, "softmax", params, params + (size_t)INPUTS * CLASSES};
    const dt_keras_model keras = {INPUTS, 1, &layer, 0.001, 0.9, 0.999, 1e-7};
    dt_h5 *h5 = NULL;
    const bool good = dt_h5_new(&h5) == DT_OK && dt_keras_model_write(&keras, h5) == DT_OK &&
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
    refuse(model_path(), "is a ZIP archive");
    assert_all(test_rank != 0 || spoil(&model, (const char *const *)names, 2));
    refuse(model_path(), "dtrain_classes holds 2 names, expected one for each of the 3 classes");
    assert_all(test_rank != 0 || spoil(&model, NULL, 0));
    refuse(model_path(), "dtrain_recipe of /: expected one text");
    dt_network_clear(&model.network);
}

static void test_no_place_to_save(void **state)
{
    (void)state;
    dt_model model = make_model(CLASSES);
    const dt_status status =
        test_rank == 0 ? dt_model_save(&model, 0.001, scratch_path("none/model.h5")) : DT_OUTPUT;
    assert_all_int(status, DT_OUTPUT);
    dt_network_clear(&model.network);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        with_folder(test_comes_back),
        with_folder(test_recipe_and_names),
        with_folder(test_more_names_than_an_attribute_holds),
        with_folder(test_failures),
        with_folder(test_no_place_to_save),
    };
    return run_mpi_tests(argc, argv, tests);
}
