/* Rows for a model, from arrays or from a table: every row once, in the order of the calls. */
#include "rows_fixture.h"
#include "table_fixture.h"

#include <math.h>

static dt_rows_plan plan_of(const char *name, size_t D, size_t C, bool labels, size_t batch_rows)
{
    return (dt_rows_plan){.path = scratch_path(name),
                          .set = DT_TEST,
                          .inputs = "",
                          .targets = "",
                          .labels = labels,
                          .D = D,
                          .C = C,
                          .batch_rows = batch_rows,
                          .host_ranks = test_size};
}

static uint64_t unseen_of(const dt_rows *rows)
{
    dt_row_note unseen;
    assert_all_int(dt_rows_judge(&unseen, rows), DT_OK);
    assert_all((unseen.count > 0) == (unseen.example[0] != '\0'));
    return unseen.count;
}

/* Reads all that the plan names into `k`. */
static void read_all(const dt_rows_plan *plan, uint64_t rows, given *k, bool text)
{
    const dt_comm comm = ranks_all();
    dt_rows *r = NULL;
    uint64_t count = 0, last = 0;
    bool more = true;
    const dt_status status = dt_rows_open(&r, &comm, plan);
    assert_all_string(status == DT_OK ? "" : dt_status_text(), "");
    assert_all_int(dt_rows_count(r, &count), DT_OK);
    assert_all_int(count, rows);
    assert_all(test_rank != 0 || dt_rows_share(r) < (rows > 100 ? 0.01 : 1.0));
    given_start(k, rows, plan->D, plan->batch_rows, plan->labels);
    while (more) {
        const double before = test_rank == 0 ? dt_rows_share(r) : 0.0;
        assert_all_int(dt_rows_next(r, given_take, k, &more), DT_OK);
        assert_all_same(&more, sizeof more);
        assert_all(more || k->low == 0);
        assert_all(test_rank != 0 || (dt_rows_share(r) >= before && dt_rows_share(r) <= 1.0));
        assert_all(given_in_order(k, &last));
    }
    assert_all_int(last, rows);
    assert_all(test_rank != 0 || dt_rows_share(r) >= 1.0);
    assert_all_int(dt_rows_next(r, given_take, k, &more), DT_OK); /* it stays at the end */
    assert_all(!more);
    if (!text)
        assert_all_int(unseen_of(r), 0);
    dt_rows_close(r);
    given_gather(k);
}

static void check_arrays(const table *t, bool labels, size_t batch_rows)
{
    given k;
    size_t wrong = 0;
    assert_all(test_rank != 0 || write_table("t.npz", t));
    const dt_rows_plan plan = plan_of("t.npz", t->D, t->C, labels, batch_rows);
    read_all(&plan, t->N, &k, false);
    for (size_t n = 0; n < t->N; n++) {
        for (size_t j = 0; j < t->D; j++)
            wrong += fabs((double)k.x[n * t->D + j] - table_input(t, n, j)) > 0;
        wrong += k.y[n] != (labels ? (int32_t)table_class(t, n) : 0);
    }
    assert_all_int(wrong, 0);
    given_clear(&k);
}

static void test_arrays(void **state)
{
    (void)state;
    static const size_t rows[] = {1, 2, 5, 8, 9, 64, 1000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int kind = 0; kind < 4; kind++)
            check_arrays(&(table){.N = rows[i],
                                  .D = 6,
                                  .C = 3,
                                  .x_type = i % 2 == 0 ? "'<f4'" : "'>f8'",
                                  .y_type = "'<i8'",
                                  .x_fortran = kind % 2 == 1,
                                  .y_fortran = kind % 2 == 1,
                                  .one_hot = kind >= 2 && rows[i] > 1,
                                  .deflate = i % 2 == 1},
                         kind != 1,
                         i % 3 == 0   ? 4
                         : i % 3 == 1 ? 1
                                      : 100);
}

/* One class is enough for a model that knows how many there are; labels that nobody asks for are
 * not looked at. */
static void test_labels(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    dt_rows *r = NULL;
    table t = {.N = 10, .D = 4, .C = 1, .x_type = "'<f4'", .y_type = "'<f4'"};
    check_arrays(&t, true, 4);
    t.C = 3;
    t.wrong_label = 8;
    static const double labels[] = {3.0, -1.0, 0.5};
    for (size_t i = 0; i < 3; i++) {
        t.label = labels[i];
        assert_all(test_rank != 0 || write_table("t.npz", &t));
        dt_rows_plan plan = plan_of("t.npz", 4, 3, true, 4);
        check_failed(dt_rows_open(&r, &comm, &plan), DT_DATA, "t.npz: y");
        assert_all(r == NULL);
        plan.labels = false;
        const dt_status status = dt_rows_open(&r, &comm, &plan);
        assert_all_string(status == DT_OK ? "" : dt_status_text(), "");
        dt_rows_close(r);
    }
}

static void test_sets_of_a_folder(void **state)
{
    (void)state;
    const table train = {.N = 20, .D = 4, .C = 3, .x_type = "'<f4'", .y_type = "'<i8'"};
    const table test = {.N = 11, .D = 4, .C = 3, .x_type = "'<f8'", .y_type = "'<i8'"};
    given k;
    assert_all(test_rank != 0 ||
               (write_table("train.npz", &train) && write_table("test.npz", &test)));
    dt_rows_plan plan = plan_of("", 4, 3, true, 3);
    read_all(&plan, 11, &k, false);
    given_clear(&k);
    plan.set = DT_TRAIN;
    read_all(&plan, 20, &k, false);
    given_clear(&k);
}

static void test_text(void **state)
{
    (void)state;
    const text_table t = {.rows = 20000, .every_unseen = 9};
    dt_recipe recipe;
    given k;
    uint64_t wrong = 0;
    if (test_rank == 0)
        (void)text_write("t.txt", &t); /* whatever it is called */
    dt_mpi_barrier(MPI_COMM_WORLD);
    text_recipe(&recipe);
    dt_rows_plan plan = plan_of("t.txt", TEXT_D, 2, true, 128);
    plan.recipe = &recipe;
    read_all(&plan, t.rows, &k, true);
    for (uint64_t row = 1; row <= t.rows; row++) {
        for (size_t j = 0; j < TEXT_D; j++) {
            const float right = text_input(&t, row, j);
            wrong += memcmp(&k.x[(row - 1) * TEXT_D + j], &right, sizeof right) != 0;
        }
        wrong += k.y[row - 1] != (row % 4 == 0);
    }
    assert_all_int(wrong, 0);
    given_clear(&k);
    dt_recipe_clear(&recipe);
}

static void check_refused(const dt_rows_plan *plan, const char *part)
{
    const dt_comm comm = ranks_all();
    dt_rows *r = (dt_rows *)&comm;
    check_failed(dt_rows_open(&r, &comm, plan), DT_DATA, part);
    assert_all(r == NULL);
    dt_rows_close(r);
}

static void test_refused(void **state)
{
    (void)state;
    const table t = {.N = 9, .D = 4, .C = 3, .x_type = "'<f4'", .y_type = "'<i8'"};
    table nan = t;
    nan.damaged = 1 + 5 * 4 + 2;
    nan.value = NAN;
    dt_recipe recipe;
    text_recipe(&recipe);
    if (test_rank == 0) {
        (void)write_table("t.npz", &t);
        (void)write_table("nan.npz", &nan);
        (void)text_write("t.csv", &(text_table){.rows = 5});
    }
    dt_mpi_barrier(MPI_COMM_WORLD);
    dt_rows_plan plan = plan_of("t.npz", 5, 3, true, 4);
    check_refused(&plan, "t.npz: x has 4 columns, but the model takes 5 inputs");
    plan = plan_of("nan.npz", 4, 3, true, 4);
    check_refused(&plan, "nan.npz: x");
    plan = plan_of("absent.npz", 4, 3, true, 4);
    check_refused(&plan, "absent.npz: no such file");
    plan = plan_of("absent.csv", 5, 2, true, 4);
    plan.recipe = &recipe;
    check_refused(&plan, "absent.csv: cannot open");
    plan = plan_of("t.csv", 5, 2, true, 4);
    check_refused(&plan, "t.csv: a table of text, but the model has no recipe");
    dt_recipe_clear(&recipe);
}

static void test_takers_that_fail(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    const table t = {.N = 50, .D = 4, .C = 3, .x_type = "'<f4'", .y_type = "'<i8'"};
    assert_all(test_rank != 0 || write_table("t.npz", &t));
    for (int rank = 0; rank < test_size; rank++) {
        const dt_rows_plan plan = plan_of("t.npz", 4, 3, true, 2);
        dt_rows *r = NULL;
        given k;
        char text[64];
        bool more = true;
        assert_all_int(dt_rows_open(&r, &comm, &plan), DT_OK);
        given_start(&k, t.N, 4, 2, true);
        k.stop_at = test_rank == rank ? 2 : 0;
        assert_all_int(dt_rows_next(r, given_take, &k, &more), DT_OK);
        (void)snprintf(text, sizeof text, "rank %d cannot take it", rank);
        check_failed(dt_rows_next(r, given_take, &k, &more), DT_OUTPUT, text);
        dt_rows_close(r);
        given_clear(&k);
    }
}

static const struct CMUnitTest tests[] = {
    with_folder(test_arrays), with_folder(test_labels),  with_folder(test_sets_of_a_folder),
    with_folder(test_text),   with_folder(test_refused), with_folder(test_takers_that_fail),
};

MPI_SUITE(test_rows, tests);
