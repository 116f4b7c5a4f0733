/* Data that must be refused: all ranks return the same status and line, and free everything. */
#include "table_fixture.h"

#include <math.h>

/* What the targets are said to be: fractions are no labels only if they are to be classes. */
static dt_targets said;

static void check_refused(const char *name, const char *expected)
{
    dt_dataset sets[DT_SET_COUNT], zero[DT_SET_COUNT];
    char text[DT_STATUS_TEXT_BYTES];
    const dt_deal deal = {.S = 8, .targets = said, .host_ranks = test_size};
    memset(zero, 0, sizeof zero);
    dt_status_set_text("an older text");
    assert_all_int(table_load(sets, name, &deal), DT_DATA);
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    assert_all_same(text, strlen(text) + 1);
    const bool found = strstr(text, expected) != NULL;
    if (!found && test_rank == 0)
        print_error("no \"%s\" in: %s\n", expected, text);
    assert_all(found);
    assert_all(memcmp(sets, zero, sizeof zero) == 0);
}

static void check_bad(const table *t, const char *expected)
{
    assert_all(test_rank != 0 || write_table("bad.npz", t));
    check_refused(scratch_path("bad.npz"), expected);
}

static void test_bad_inputs(void **state)
{
    (void)state;
    table t = {.N = 29,
               .D = 6,
               .C = 3,
               .x_type = "'<f4'",
               .y_type = "'<i8'",
               .damaged = 1 + 17 * 6 + 4,
               .value = NAN};
    check_bad(&t, "bad.npz: x: row 17, column 4 is NaN");
    t.value = -INFINITY;
    check_bad(&t, "bad.npz: x: row 17, column 4 is infinite");
    t.x_type = "'>f8'";
    t.value = 1e300;
    check_bad(&t, "bad.npz: x: row 17, column 4 is beyond the range of float32");
    t.x_fortran = true;
    check_bad(&t, "bad.npz: x: row 17, column 4 is beyond the range of float32");
    t.value = NAN;
    check_bad(&t, "bad.npz: x: row 17, column 4 is NaN (a missing value?)");
    t.x_shape = "(29, 2, 3)";
    t.middle = 3;
    check_bad(&t, "bad.npz: x: row 17, column 4 is NaN");
    const table last = {.N = 300000,
                        .D = 2,
                        .C = 2,
                        .x_type = "'<f4'",
                        .y_type = "'|u1'",
                        .damaged = 600000,
                        .value = INFINITY};
    check_bad(&last, "row 299999, column 1 is infinite"); /* after whole tiles have been dealt */
}

static void test_bad_labels(void **state)
{
    (void)state;
    table t = {.N = 29,
               .D = 2,
               .C = 3,
               .x_type = "'<f4'",
               .y_type = "'<f8'",
               .wrong_label = 1 + 20,
               .label = 0.5};
    said = DT_TARGETS_CLASSES;
    check_bad(&t, "bad.npz: y: row 20 is 0.5; class ids are whole numbers");
    said = DT_TARGETS_AUTO;
    t.label = NAN;
    check_bad(&t, "bad.npz: y: row 20 has no label (nan)");
    t.label = INFINITY;
    check_bad(&t, "bad.npz: y: row 20 is inf; class ids");
    t.one_hot = true;
    assert_all(table_class(&t, 20) == 0 && table_class(&t, 21) == 1);
    t.label = 0; /* no 1 at all */
    check_bad(&t, "bad.npz: y: row 20 is not one-hot");
    t.wrong_label = 1 + 21;
    t.label = 1; /* two of them */
    check_bad(&t, "bad.npz: y: row 21 is not one-hot");
    t.label = 2; /* and one that is neither */
    check_bad(&t, "bad.npz: y: row 21 is not one-hot");
    t.y_fortran = true;
    check_bad(&t, "bad.npz: y: row 21 is not one-hot");
    t.label = 0.5;
    said = DT_TARGETS_CLASSES;
    check_bad(&t, "bad.npz: y: row 21 is not one-hot");
    said = DT_TARGETS_AUTO;
    t.label = NAN;
    check_bad(&t, "bad.npz: y: row 21 is not one-hot");
    t.wrong_label = 1 + 20;
    t.label = 0; /* no 1 at all */
    check_bad(&t, "bad.npz: y: row 20 is not one-hot");
    table large = t; /* in the last of several chunks */
    large.N = 600000;
    large.y_type = "'|u1'";
    large.wrong_label = 1 + 599996;
    assert_all(table_class(&large, 599996) != 0);
    large.label = 1;
    check_bad(&large, "bad.npz: y: row 599996 is not one-hot");
    const table single = {.N = 5, .D = 2, .C = 1, .x_type = "'<f4'", .y_type = "'<i8'"};
    check_bad(&single, "bad.npz: y: every row is class 0; there is nothing to learn");
}

static void test_bad_validation_labels(void **state)
{
    (void)state;
    const table train = {.N = 9, .D = 2, .C = 3, .x_type = "'<f4'", .y_type = "'<i8'"};
    table validation = train;
    validation.wrong_label = 1 + 4;
    validation.label = 3;
    assert_all(test_rank != 0 ||
               (write_table("train.npz", &train) && write_table("val.npz", &validation)));
    check_refused(scratch_folder, "val.npz: y: row 4 is class 3, but the training set's classes "
                                  "are 0 to 2");
}

/* Found only when the last byte has been read: the rows have been dealt by then. */
static void test_damaged_members(void **state)
{
    (void)state;
    table t = {.N = 290, .D = 6, .C = 3, .x_type = "'<f4'", .y_type = "'<i8'", .crc_change = 1};
    check_bad(&t, "bad.npz");
    t.deflate = true;
    check_bad(&t, "bad.npz");
    t.crc_change = 0;
    t.cut = 20;
    check_bad(&t, "bad.npz");
    /* Nothing of it stays: a sound set loads after it. */
    dt_dataset sets[DT_SET_COUNT];
    const dt_deal deal = {.S = 8, .host_ranks = test_size};
    t.cut = 0;
    assert_all(test_rank != 0 || write_table("good.npz", &t));
    assert_all_int(table_load(sets, scratch_path("good.npz"), &deal), DT_OK);
    assert_all_int(sets[DT_TRAIN].N, 290);
    dt_dataset_clear(&sets[DT_TRAIN]);
    dt_dataset_clear(&sets[DT_VALIDATION]);
    dt_dataset_clear(&sets[DT_TEST]);
}

static const struct CMUnitTest tests[] = {
    with_folder(test_bad_inputs),
    with_folder(test_bad_labels),
    with_folder(test_bad_validation_labels),
    with_folder(test_damaged_members),
};

MPI_SUITE(test_dataset_errors, tests);
