/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/data/source.h"
#include "npz_fixture.h"
#include "scratch_folder.h"

#include <limits.h>

/* Every array holds the same 24 zeros; only names and shapes matter here. */
static const double zeros[24];

static npz_array array(const char *name, const char *shape, size_t count)
{
    return (npz_array){.name = name,
                       .descr = "'<f8'",
                       .shape = shape,
                       .items = zeros,
                       .bytes = count * sizeof *zeros};
}

static void write_file(const char *file, const npz_array *arrays, size_t count)
{
    assert_true(npz_build(scratch_path(file), arrays, count));
}

/* Writes a pair of `rows` rows of two columns under two names. */
static void write_pair(const char *file, const char *x, const char *y, unsigned rows)
{
    char x_shape[32], y_shape[32];
    (void)snprintf(x_shape, sizeof x_shape, "(%u, 2)", rows);
    (void)snprintf(y_shape, sizeof y_shape, "(%u,)", rows);
    const npz_array arrays[] = {array(x, x_shape, 2 * (size_t)rows), array(y, y_shape, rows)};
    write_file(file, arrays, 2);
}

static dt_status open_one(dt_source *out, const char *path)
{
    return dt_source_open(out, &path, 1, "", "");
}

/* Opens what `path` names and checks the rows of the three sets, 0 for an absent one. */
static void check_rows(const char *path, const char *name, uint64_t train, uint64_t validation,
                       uint64_t test)
{
    dt_source source;
    const uint64_t expected[] = {train, validation, test};
    if (open_one(&source, path) != DT_OK)
        fail_msg("%s: %s", path, dt_status_text());
    for (int p = 0; p < DT_SET_COUNT; p++) {
        assert_int_equal(dt_source_rows(&source.sets[p]), expected[p]);
        assert_true((source.sets[p].inputs == NULL) == (expected[p] == 0));
    }
    assert_int_equal(dt_source_columns(&source.sets[DT_TRAIN]), 2);
    if (name != NULL)
        assert_string_equal(source.name, name);
    dt_source_clear(&source);
    dt_source_clear(&source); /* a zeroed one is allowed */
}

static void check_refused(dt_status status, const char *text)
{
    assert_int_equal(status, DT_DATA);
    if (strstr(dt_status_text(), text) == NULL)
        fail_msg("no \"%s\" in: %s", text, dt_status_text());
}

static void check_path_refused(const char *path, const char *text)
{
    dt_source source;
    check_refused(open_one(&source, path), text);
    assert_int_equal(source.file_count, 0); /* nothing stays open */
    assert_null(source.sets[DT_TRAIN].inputs);
}

static void test_folder(void **state)
{
    (void)state;
    write_pair("train.npz", "x.npy", "y.npy", 4);
    check_rows(scratch_folder, NULL, 4, 0, 0);
    write_pair("val.npz", "x.npy", "y.npy", 2);
    write_pair("test.npz", "x.npy", "y.npy", 3);
    check_rows(scratch_folder, NULL, 4, 2, 3);
    write_pair("validation.npz", "x.npy", "y.npy", 5); /* the full word comes first */
    check_rows(scratch_folder, NULL, 4, 5, 3);
    check_rows(scratch_path(""), NULL, 4, 5, 3); /* with a slash behind */
}

static void test_folder_with_a_prefix(void **state)
{
    (void)state;
    write_pair("deposit-train.npz", "x.npy", "y.npy", 4);
    write_pair("deposit-validation.npz", "x.npy", "y.npy", 2);
    write_pair("other-test.npz", "x.npy", "y.npy", 3);
    check_rows(scratch_folder, NULL, 4, 2, 0); /* another prefix's test set is not its own */
    write_pair("b_train.npz", "x.npy", "y.npy", 9);
    check_path_refused(scratch_folder, "contains more than one data set");
    write_pair("train.npz", "x.npy", "y.npy", 7); /* the plain name wins */
    check_rows(scratch_folder, NULL, 7, 0, 0);
}

static void test_prefix(void **state)
{
    (void)state;
    static const char separators[] = "-_.";
    for (int i = 0; i < 3; i++) {
        char name[3][64];
        static const char *const words[] = {"train", "val", "test"};
        for (int p = 0; p < 3; p++) {
            (void)snprintf(name[p], sizeof name[p], "set%c%s.npz", separators[i], words[p]);
            write_pair(name[p], "x.npy", "y.npy", 5 - (unsigned)p);
        }
        check_rows(scratch_path("set"), "set", 5, 4, 3);
        for (int p = 0; p < 3; p++)
            (void)remove(scratch_path(name[p]));
    }
    write_pair("p_train.npz", "x.npy", "y.npy", 2);
    write_pair("p-valid.npz", "x.npy", "y.npy", 3);
    write_pair("p.dev.npz", "x.npy", "y.npy", 4);
    check_rows(scratch_path("p"), "p", 2, 3, 0);
}

static void test_one_file_with_all_sets(void **state)
{
    (void)state;
    static const char *const letters[] = {"x", "X"}, *const words[] = {"val", "valid",
                                                                       "validation"};
    for (int l = 0; l < 2; l++)
        for (int w = 0; w < 3; w++) {
            char names[2][32];
            (void)snprintf(names[0], sizeof names[0], "%s_%s.npy", letters[l], words[w]);
            (void)snprintf(names[1], sizeof names[1], "y_%s.npy", words[w]);
            const npz_array arrays[] = {array(l == 0 ? "x_train.npy" : "X_train.npy", "(5, 2)", 10),
                                        array("y_train.npy", "(5,)", 5),
                                        array(names[0], "(3, 2)", 6),
                                        array(names[1], "(3,)", 3),
                                        array(l == 0 ? "x_test.npy" : "X_test.npy", "(4, 2)", 8),
                                        array("y_test.npy", "(4,)", 4)};
            write_file("all.npz", arrays, 6);
            check_rows(scratch_path("all.npz"), "all", 5, 3, 4);
            write_file("all.npz", arrays, 4);
            check_rows(scratch_path("all.npz"), "all", 5, 3, 0);
            write_file("all.npz", arrays, 2);
            check_rows(scratch_path("all.npz"), "all", 5, 0, 0);
        }
    /* A test set alone is no data set to train on. */
    write_pair("all.npz", "x_test.npy", "y_test.npy", 4);
    check_path_refused(scratch_path("all.npz"),
                       "it contains x_test [4,2], y_test [4]: use --inputs x_test");
}

static void test_pairs_by_priority(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"inputs", "targets"}, {"x", "y"}, {"X", "y"}, {"data", "labels"}, {"features", "target"}};
    enum { PAIRS = 5 };
    /* With every pair from `best` on in the file, that one is taken. */
    for (size_t best = 0; best < PAIRS; best++) {
        char names[PAIRS][2][32];
        npz_array arrays[2 * PAIRS];
        size_t count = 0;
        for (size_t i = PAIRS; i-- > best;) {
            (void)snprintf(names[i][0], sizeof names[i][0], "%s.npy", pairs[i][0]);
            (void)snprintf(names[i][1], sizeof names[i][1], "%s.npy", pairs[i][1]);
            arrays[count++] = array(names[i][0], "(3, 2)", 6);
            if (i != 1 || best > 2) /* x and X share their y */
                arrays[count++] = array(names[i][1], "(3,)", 3);
        }
        write_file("one.npz", arrays, count);
        dt_source source;
        if (open_one(&source, scratch_path("one.npz")) != DT_OK)
            fail_msg("%s", dt_status_text());
        assert_string_equal(source.sets[DT_TRAIN].inputs->name, pairs[best][0]);
        assert_string_equal(source.sets[DT_TRAIN].targets->name, pairs[best][1]);
        dt_source_clear(&source);
    }
}

static void test_names_given(void **state)
{
    (void)state;
    dt_source source;
    const npz_array arrays[] = {array("x.npy", "(3, 2)", 6), array("y.npy", "(3,)", 3),
                                array("rows.npy", "(4, 5)", 20), array("kinds.npy", "(4,)", 4)};
    write_file("one.npz", arrays, 4);
    const char *path = scratch_path("one.npz");
    assert_int_equal(dt_source_open(&source, &path, 1, "rows", "kinds"), DT_OK);
    assert_int_equal(dt_source_rows(&source.sets[DT_TRAIN]), 4);
    assert_int_equal(dt_source_columns(&source.sets[DT_TRAIN]), 5);
    dt_source_clear(&source);
    /* One name alone: the other is looked for. */
    check_refused(dt_source_open(&source, &path, 1, "rows", ""), "rows has 4 rows, but y has 3");
    check_refused(dt_source_open(&source, &path, 1, "", "kinds"), "x has 3 rows, but kinds has 4");
    check_refused(dt_source_open(&source, &path, 1, "nothing", "kinds"), "nothing");
    check_refused(dt_source_open(&source, &path, 1, "rows", "nothing"), "nothing");
}

static void test_three_files(void **state)
{
    (void)state;
    write_pair("a.npz", "x.npy", "y.npy", 4);
    write_pair("b.npz", "inputs.npy", "targets.npy", 3);
    write_pair("c.npz", "data.npy", "labels.npy", 2);
    const char *paths[] = {scratch_path("a.npz"), scratch_path("b.npz"), scratch_path("c.npz")};
    dt_source source;
    assert_int_equal(dt_source_open(&source, paths, 3, "", ""), DT_OK);
    assert_int_equal(dt_source_rows(&source.sets[DT_TRAIN]), 4);
    assert_int_equal(dt_source_rows(&source.sets[DT_VALIDATION]), 3);
    assert_int_equal(dt_source_rows(&source.sets[DT_TEST]), 2);
    assert_string_equal(source.name, "a");
    dt_source_clear(&source);
    assert_int_equal(dt_source_open(&source, paths, 2, "", ""), DT_USAGE);
    assert_non_null(strstr(dt_status_text(), "not 2"));
    paths[2] = scratch_path("missing.npz");
    check_refused(dt_source_open(&source, paths, 3, "", ""), "missing.npz");
    assert_int_equal(source.file_count, 0);
}

/* The words of sets and arrays in every order and spelling. */
static void test_spellings(void **state)
{
    (void)state;
    static const char *const names[][6] = {
        {"X_train", "Y_train", "X_val", "Y_val", "X_test", "Y_test"},
        {"train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"},
        {"trainX", "trainY", "validX", "validY", "testX", "testY"},
        {"Xtrain", "ytrain", "Xdev", "ydev", "Xtest", "ytest"},
        {"train/inputs", "train/targets", "dev/inputs", "dev/targets", "test/inputs",
         "test/targets"},
        {"FEATURES-TRAINING", "TARGET-TRAINING", "features.validation", "target.validation",
         "Testing Features", "Testing Target"},
        {"train_set_x", "train_set_y", "val_set_x", "val_set_y", "test_set_x", "test_set_y"},
        {"data_tr", "label_tr", "data_va", "label_va", "data_te", "label_te"},
        {"x", "y", "x_val", "y_val", "x_test", "y_test"},
        {"trainData", "trainLabel", "evalData", "evalLabel", "testData", "testLabel"}};
    static const char *const shapes[] = {"(5, 2)", "(5,)", "(3, 2)", "(3,)", "(4, 2)", "(4,)"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        npz_array arrays[6];
        char files[6][64];
        for (size_t a = 0; a < 6; a++) {
            (void)snprintf(files[a], sizeof files[a], "%s.npy", names[i][a]);
            arrays[a] = array(files[a], shapes[a], 12);
            arrays[a].bytes = (a % 2 == 0 ? 2 : 1) * (size_t)(shapes[a][1] - '0') * sizeof *zeros;
        }
        write_file("all.npz", arrays, 6);
        check_rows(scratch_path("all.npz"), "all", 5, 3, 4);
    }
}

/* --inputs and --targets without the set, or those of the training set. */
static void test_base_names(void **state)
{
    (void)state;
    const npz_array arrays[] = {array("train_a.npy", "(5, 2)", 10), array("train_b.npy", "(5,)", 5),
                                array("a_test.npy", "(4, 2)", 8),   array("b_test.npy", "(4,)", 4),
                                array("tea.npy", "(3, 2)", 6),      array("teb.npy", "(3,)", 3)};
    static const char *const given[][2] = {{"a", "b"}, {"train_a", "train_b"}, {"A", "B"}};
    write_file("all.npz", arrays, 6);
    const char *path = scratch_path("all.npz");
    dt_source source;
    for (size_t i = 0; i < 3; i++) {
        if (dt_source_open(&source, &path, 1, given[i][0], given[i][1]) != DT_OK)
            fail_msg("%s", dt_status_text());
        assert_string_equal(source.sets[DT_TRAIN].inputs->name, "train_a");
        assert_string_equal(source.sets[DT_TEST].targets->name, "b_test");
        assert_null(source.sets[DT_VALIDATION].inputs);
        dt_source_clear(&source);
    }
    /* A model sees the very arrays that are named. */
    assert_int_equal(dt_source_open_rows(&source, (const char *[]){path}, 1, DT_TEST, "train_a",
                                         "train_b", true),
                     DT_OK);
    assert_int_equal(dt_source_rows(&source.sets[DT_TRAIN]), 5);
    dt_source_clear(&source);
    assert_int_equal(
        dt_source_open_rows(&source, (const char *[]){path}, 1, DT_TEST, "a", "b", true), DT_OK);
    assert_int_equal(dt_source_rows(&source.sets[DT_TRAIN]), 4);
    dt_source_clear(&source);
    check_refused(dt_source_open(&source, &path, 1, "c", "b"), "no array 'c', found: train_a");
}

/* Names that say nothing: as of numpy.savez(file, *train_test_split(X, y)). */
static void test_guesses(void **state)
{
    (void)state;
    dt_source source;
    const npz_array arrays[] = {array("arr_0.npy", "(5, 2)", 10), array("arr_1.npy", "(3, 2)", 6),
                                array("arr_2.npy", "(5,)", 5),    array("arr_3.npy", "(3, 1)", 3),
                                array("arr_4.npy", "(5,)", 5),    array("arr_5.npy", "(3, 3)", 9)};
    const npz_array turned[] = {arrays[1], arrays[0], arrays[3], arrays[2]};
    const npz_array pairs[] = {arrays[0], arrays[2], arrays[1], arrays[3]};
    const char *path = scratch_path("any.npz");
    write_file("any.npz", arrays, 4);
    check_rows(path, "any", 5, 0, 3);
    write_file("any.npz", pairs, 4);
    check_rows(path, "any", 5, 0, 3);
    write_file("any.npz", pairs, 2);
    check_rows(path, "any", 5, 0, 0);
    write_file("any.npz", turned, 4); /* the larger set is the one to train on */
    check_path_refused(path, "use --inputs arr_1 --targets arr_3");
    assert_int_equal(dt_source_open(&source, &path, 1, "arr_1", "arr_3"), DT_OK); /* it works */
    dt_source_clear(&source);
    write_file("any.npz", arrays, 5);
    check_path_refused(path, "arr_0 [5,2], arr_1 [3,2], arr_2 [5], arr_3 [3,1], arr_4 [5]: use "
                             "--inputs arr_0 --targets arr_2");
    const npz_array rest[] = {arrays[5], arrays[1]};
    write_file("any.npz", rest, 2);
    check_path_refused(path, "use --inputs arr_5 --targets arr_1");
    write_file("any.npz", &arrays[0], 1);
    check_path_refused(path, "contains only arr_0 [5,2]; inputs and targets must be in one .npz");
    const npz_array apart[] = {arrays[0], arrays[3]};
    write_file("any.npz", apart, 2);
    check_path_refused(path, "save inputs [rows, columns] and targets [rows] as x and y");
}

/* Each file may call its arrays after its set; those names come before any other pair. */
static void test_own_names(void **state)
{
    (void)state;
    static const char *const files[] = {"p-train.npz", "p-val.npz", "p-test.npz"};
    write_pair(files[0], "X_train.npy", "y_train.npy", 4);
    write_pair(files[1], "x_validation.npy", "y_validation.npy", 3);
    write_pair(files[2], "x_test.npy", "y_test.npy", 2);
    check_rows(scratch_path("p"), "p", 4, 3, 2);
    check_rows(scratch_folder, NULL, 4, 3, 2);
    write_pair(files[1], "X_val.npy", "y_val.npy", 5);
    char names[3][128];
    const char *const paths[] = {names[0], names[1], names[2]};
    for (int p = 0; p < 3; p++)
        (void)snprintf(names[p], sizeof names[p], "%s", scratch_path(files[p]));
    dt_source source;
    assert_int_equal(dt_source_open(&source, paths, 3, "", ""), DT_OK);
    assert_int_equal(dt_source_rows(&source.sets[DT_VALIDATION]), 5);
    assert_int_equal(dt_source_rows(&source.sets[DT_TEST]), 2);
    dt_source_clear(&source);
    const npz_array arrays[] = {array("x.npy", "(3, 2)", 6),        array("y.npy", "(3,)", 3),
                                array("x_train.npy", "(6, 2)", 12), array("y_train.npy", "(6,)", 6),
                                array("x_test.npy", "(7, 2)", 14),  array("y_test.npy", "(7,)", 7)};
    write_file(files[2], arrays, 6);
    check_rows(scratch_path("p"), "p", 4, 5, 7);
    write_file(files[2], arrays, 4); /* another set's names are a pair like others, after x and y */
    check_rows(scratch_path("p"), "p", 4, 5, 3);
    /* Names that are given are used alone. */
    write_file(files[0], arrays, 6);
    write_file(files[1], arrays, 6);
    write_file(files[2], arrays, 6);
    assert_int_equal(dt_source_open(&source, paths, 3, "x", "y"), DT_OK);
    for (int p = 0; p < 3; p++)
        assert_int_equal(dt_source_rows(&source.sets[p]), 3);
    dt_source_clear(&source);
    assert_int_equal(dt_source_open(&source, paths, 3, "", "y"), DT_OK);
    assert_string_equal(source.sets[DT_TEST].inputs->name, "x");
    dt_source_clear(&source);
}

static void test_names_of_runs(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"deposit-train.npz", "deposit"}, {"deposit_train.npz", "deposit"},
        {"deposit.npz", "deposit"},       {"mytrain.npz", "mytrain"}, /* part of a word */
        {"train.npz", "train"},           {"train-train.npz", NULL}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_pair(files[i][0], "x.npy", "y.npy", 3);
        check_rows(scratch_path(files[i][0]), files[i][1], 3, 0, 0);
    }
}

static void check_shapes(const char *x, size_t x_count, const char *y, size_t y_count,
                         const char *text)
{
    const npz_array arrays[] = {array("x.npy", x, x_count), array("y.npy", y, y_count)};
    write_file("bad.npz", arrays, 2);
    check_path_refused(scratch_path("bad.npz"), text);
}

static void test_shapes(void **state)
{
    (void)state;
    check_shapes("(3, 2)", 6, "(4,)", 4, "x has 3 rows, but y has 4");
    check_shapes("(0, 2)", 0, "(0,)", 0, "x has 0 rows");
    check_shapes("(3, 0)", 0, "(3,)", 3, "x has 0 columns");
    check_shapes("(3, 2)", 6, "(3, 0)", 0, "y has 0 columns");
    check_shapes("()", 1, "(3,)", 3, "x is a single number");
    check_shapes("(3, 2)", 6, "()", 1, "y is a single number");
    check_shapes("(3, 2)", 6, "(3, 1, 1)", 3, "y has 3 dimensions");
    dt_source source;
    const npz_array arrays[] = {array("x.npy", "(2, 3, 4)", 24), array("y.npy", "(2, 5)", 10)};
    write_file("good.npz", arrays, 2);
    assert_int_equal(open_one(&source, scratch_path("good.npz")), DT_OK);
    assert_int_equal(dt_source_columns(&source.sets[DT_TRAIN]), 12);
    assert_int_equal(dt_source_rows(&source.sets[DT_TEST]), 0);
    dt_source_clear(&source);
}

/* Writes one row of `columns` inputs; of their zeros so few are there that only opening works. */
static void write_wide(const char *file, uint64_t columns)
{
    enum { STORED = 600000 };
    char shape[32];
    static unsigned char items[STORED];
    zip_builder zip = {0};
    zip_bytes head = {0}, x = {0}, y = {0};
    (void)snprintf(shape, sizeof shape, "(1, %llu)", (unsigned long long)columns);
    zip_npy(&head, 1, "'|u1'", "False", shape, NULL, 0);
    zip_deflate(&x, head.data, head.count);
    zip_append(&x, items, sizeof items);
    zip_npy(&y, 1, "'|u1'", "False", "(1,)", items, 1);
    zip_add(&zip, &(zip_member){.name = "x.npy",
                                .plain = x.data,
                                .plain_bytes = x.count,
                                .method = 8,
                                .plain_claim = head.count + columns});
    zip_add(&zip, &(zip_member){.name = "y.npy", .plain = y.data, .plain_bytes = y.count});
    zip_end(&zip, &(zip_ending){0});
    assert_true(scratch_write(scratch_path(file), zip.file.data, zip.file.count));
    zip_free(&zip.file);
    zip_free(&head);
    zip_free(&x);
    zip_free(&y);
}

static void test_columns(void **state)
{
    (void)state;
    dt_source source;
    write_wide("wide.npz", INT_MAX / 4);
    if (open_one(&source, scratch_path("wide.npz")) != DT_OK)
        fail_msg("%s", dt_status_text());
    assert_int_equal(dt_source_columns(&source.sets[DT_TRAIN]), INT_MAX / 4);
    dt_source_clear(&source);
    write_wide("wide.npz", INT_MAX / 4 + UINT64_C(1));
    check_path_refused(scratch_path("wide.npz"),
                       "wide.npz: x has 536870912 columns; expected at most 536870911");
}

static void test_sets_that_do_not_fit(void **state)
{
    (void)state;
    write_pair("train.npz", "x.npy", "y.npy", 4);
    const npz_array arrays[] = {array("x.npy", "(4, 3)", 12), array("y.npy", "(4,)", 4)};
    write_file("test.npz", arrays, 2);
    check_path_refused(scratch_folder, "test.npz: x has 3 columns, but the training set has 2");
    const npz_array unclear[] = {array("x.npy", "(3, 2)", 6), array("z.npy", "(3,)", 3),
                                 array("u.npy", "(3,)", 3)};
    write_file("test.npz", unclear, 3);
    check_path_refused(
        scratch_folder,
        "no arrays that fit together as inputs and targets; it contains x [3,2], z [3], u [3]: "
        "use --inputs x --targets z");
}

/* ---- one set, for a model to see ---- */

/* Of what `path` names, `set` has these rows; the array is called `inputs`. */
static void check_set(const char *path, dt_set set, bool labels, uint64_t rows, const char *inputs)
{
    dt_source source;
    if (dt_source_open_rows(&source, (const char *[]){path}, 1, set, "", "", labels) != DT_OK)
        fail_msg("%s: %s", path, dt_status_text());
    assert_int_equal(dt_source_rows(&source.sets[DT_TRAIN]), rows);
    assert_string_equal(source.sets[DT_TRAIN].inputs->name, inputs);
    assert_true((source.sets[DT_TRAIN].targets != NULL) == labels);
    assert_null(source.sets[DT_VALIDATION].inputs);
    assert_null(source.sets[DT_TEST].inputs);
    assert_true(source.name[0] != '\0');
    dt_source_clear(&source);
}

static void check_set_refused(const char *path, dt_set set, bool labels, const char *text)
{
    dt_source source;
    check_refused(dt_source_open_rows(&source, (const char *[]){path}, 1, set, "", "", labels),
                  text);
    assert_int_equal(source.file_count, 0);
    assert_null(source.sets[DT_TRAIN].inputs);
}

static void test_rows_of_a_folder(void **state)
{
    (void)state;
    write_pair("train.npz", "x.npy", "y.npy", 4);
    for (int labels = 0; labels < 2; labels++) { /* another set than was asked for is no answer */
        check_set(scratch_folder, DT_TRAIN, labels == 1, 4, "x");
        check_set_refused(scratch_folder, DT_TEST, labels == 1,
                          "no test set; choose another --set");
    }
    write_pair("test.npz", "inputs.npy", "targets.npy", 3);
    for (int labels = 0; labels < 2; labels++) {
        check_set(scratch_folder, DT_TRAIN, labels == 1, 4, "x");
        check_set(scratch_folder, DT_TEST, labels == 1, 3, "inputs");
        check_set_refused(scratch_folder, DT_VALIDATION, labels == 1,
                          "no validation set; choose another --set");
    }
    check_set(scratch_path("test.npz"), DT_VALIDATION, true, 3, "inputs");
    check_set_refused(scratch_path("absent"), DT_TEST, true, "no such file or folder");
    check_set_refused(scratch_path("absent.npz"), DT_TEST, false, "absent.npz: no such file");
}

static void test_rows_of_one_file_with_sets(void **state)
{
    (void)state;
    const npz_array arrays[] = {array("x_test.npy", "(3, 2)", 6), array("y_test.npy", "(3,)", 3),
                                array("x_train.npy", "(5, 2)", 10), array("y_train.npy", "(5,)", 5),
                                array("X_val.npy", "(4, 2)", 8)};
    write_file("all.npz", arrays, 4);
    for (int labels = 0; labels < 2; labels++) {
        check_set(scratch_path("all.npz"), DT_TRAIN, labels == 1, 5, "x_train");
        check_set(scratch_path("all.npz"), DT_TEST, labels == 1, 3, "x_test");
        check_set_refused(scratch_path("all.npz"), DT_VALIDATION, labels == 1,
                          "all.npz: it has no validation set");
    }
    write_file("all.npz", arrays, 5); /* validation rows that nobody has labelled */
    check_set(scratch_path("all.npz"), DT_VALIDATION, false, 4, "X_val");
    check_set_refused(scratch_path("all.npz"), DT_VALIDATION, true, "no validation set");
    write_file("p-test.npz", arrays, 2); /* a test set alone is one to be seen */
    for (int labels = 0; labels < 2; labels++)
        check_set(scratch_path("p-test.npz"), DT_TEST, labels == 1, 3, "x_test");
    write_file("one.npz", arrays + 4, 1);
    check_set(scratch_path("one.npz"), DT_VALIDATION, false, 4, "X_val");
    check_set_refused(scratch_path("one.npz"), DT_TEST, false, "one.npz: it has no test set");
}

static void test_rows_without_labels(void **state)
{
    (void)state;
    dt_source source;
    const npz_array arrays[] = {array("mine.npy", "(3, 2)", 6), array("more.npy", "(4, 2)", 8),
                                array("x.npy", "(5, 2)", 10), array("y.npy", "(6,)", 6)};
    write_file("rows.npz", arrays, 1); /* the only one needs no name */
    check_set(scratch_path("rows.npz"), DT_TEST, false, 3, "mine");
    check_set_refused(scratch_path("rows.npz"), DT_TEST, true, "contains only mine [3,2]");
    write_file("rows.npz", arrays, 2);
    check_set_refused(scratch_path("rows.npz"), DT_TEST, false,
                      "rows.npz: no array named inputs or x; it contains mine [3,2], more [4,2]: "
                      "use --inputs mine");
    assert_int_equal(dt_source_open_rows(&source, (const char *[]){scratch_path("rows.npz")}, 1,
                                         DT_TEST, "more", "", false),
                     DT_OK);
    assert_int_equal(dt_source_rows(&source.sets[DT_TRAIN]), 4);
    dt_source_clear(&source);
    check_refused(dt_source_open_rows(&source, (const char *[]){scratch_path("rows.npz")}, 1,
                                      DT_TEST, "none", "", false),
                  "none");
    write_file("rows.npz", arrays, 4); /* labels that do not fit are not looked at */
    check_set(scratch_path("rows.npz"), DT_TEST, false, 5, "x");
    check_set_refused(scratch_path("rows.npz"), DT_TEST, true, "x has 5 rows, but y has 6");
    const npz_array scalar = array("x.npy", "()", 1), none = array("x.npy", "(0, 2)", 0);
    write_file("rows.npz", &scalar, 1);
    check_set_refused(scratch_path("rows.npz"), DT_TEST, false, "x is a single number");
    write_file("rows.npz", &none, 1);
    check_set_refused(scratch_path("rows.npz"), DT_TEST, false, "x has 0 rows");
}

/* The recipe that lies beside the sets of a folder. */
static void test_recipe(void **state)
{
    (void)state;
    dt_source source;
    write_pair("train.npz", "x.npy", "y.npy", 4);
    assert_int_equal(open_one(&source, scratch_folder), DT_OK);
    assert_string_equal(source.recipe, "");
    dt_source_clear(&source);
    assert_true(scratch_write(scratch_path("recipe.json"), "{}", 2));
    assert_int_equal(open_one(&source, scratch_folder), DT_OK);
    assert_string_equal(source.recipe, scratch_path("recipe.json"));
    dt_source_clear(&source);
    assert_int_equal(open_one(&source, scratch_path("train.npz")), DT_OK);
    assert_string_equal(source.recipe, "");
    dt_source_clear(&source);
}

static void test_nothing_there(void **state)
{
    (void)state;
    check_path_refused(scratch_folder, "contains neither train.npz, nor *-train.npz");
    check_path_refused(scratch_path("absent"), "no such file or folder, and no");
    check_path_refused(scratch_path("absent.npz"), "absent.npz: no such file");
    assert_null(strstr(dt_status_text(), "either"));
    write_pair("test.npz", "x.npy", "y.npy", 4);
    check_path_refused(scratch_folder, "contains neither train.npz");
    assert_true(scratch_write(scratch_path("text.npz"), "no zip", 6));
    check_path_refused(scratch_path("text.npz"), "text.npz");
    write_file("empty.npz", NULL, 0);
    check_path_refused(scratch_path("empty.npz"), "empty.npz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_folder, scratch_empty),
        cmocka_unit_test_teardown(test_folder_with_a_prefix, scratch_empty),
        cmocka_unit_test_teardown(test_prefix, scratch_empty),
        cmocka_unit_test_teardown(test_one_file_with_all_sets, scratch_empty),
        cmocka_unit_test_teardown(test_pairs_by_priority, scratch_empty),
        cmocka_unit_test_teardown(test_names_given, scratch_empty),
        cmocka_unit_test_teardown(test_three_files, scratch_empty),
        cmocka_unit_test_teardown(test_spellings, scratch_empty),
        cmocka_unit_test_teardown(test_base_names, scratch_empty),
        cmocka_unit_test_teardown(test_guesses, scratch_empty),
        cmocka_unit_test_teardown(test_own_names, scratch_empty),
        cmocka_unit_test_teardown(test_names_of_runs, scratch_empty),
        cmocka_unit_test_teardown(test_shapes, scratch_empty),
        cmocka_unit_test_teardown(test_columns, scratch_empty),
        cmocka_unit_test_teardown(test_sets_that_do_not_fit, scratch_empty),
        cmocka_unit_test_teardown(test_nothing_there, scratch_empty),
        cmocka_unit_test_teardown(test_rows_of_a_folder, scratch_empty),
        cmocka_unit_test_teardown(test_rows_of_one_file_with_sets, scratch_empty),
        cmocka_unit_test_teardown(test_rows_without_labels, scratch_empty),
        cmocka_unit_test_teardown(test_recipe, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
