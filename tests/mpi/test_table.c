/* A table of text on all ranks: every row once, in order, the same bits for every number of ranks;
 * and every failure on all of them. */
#include "rows_fixture.h"

#include "dtrain/io/csv.h"

#include <inttypes.h>
#include <math.h>

enum { MANY = 50000 }; /* some 3 MB: several blocks even for eight ranks */

static void write_all(const text_table *t, uint64_t *bad_line)
{
    uint64_t line = 0;
    if (test_rank == 0)
        line = text_write("t.csv", t);
    dt_mpi_bcast(&line, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    if (bad_line != NULL)
        *bad_line = line;
}

static dt_table *open_table(const dt_comm *comm, const dt_recipe *recipe, bool labels,
                            size_t batch_rows)
{
    dt_table *table = NULL;
    const dt_status status = dt_table_open(&table, comm, scratch_path("t.csv"), recipe,
                                           &(dt_table_format){0}, labels, batch_rows);
    assert_all_string(status == DT_OK ? "" : dt_status_text(), "");
    assert_all(table != NULL);
    return table;
}

/* Reads all of t.csv; the rows are gathered in `k`. */
static void read_all(const text_table *t, given *k, bool labels, size_t batch_rows)
{
    const dt_comm comm = ranks_all();
    dt_recipe recipe;
    text_recipe(&recipe);
    dt_table *table = open_table(&comm, &recipe, labels, batch_rows);
    given_start(k, t->rows, TEXT_D, batch_rows, labels);
    bool more = true;
    uint64_t last = 0;
    while (more) {
        const dt_status status = dt_table_next(table, given_take, k, &more);
        assert_all_string(status == DT_OK ? "" : dt_status_text(), "");
        assert_all_same(&more, sizeof more);
        assert_all(more || k->low == 0);
        assert_all(given_in_order(k, &last));
    }
    assert_all_int(last, t->rows);
    assert_all(test_rank != 0 || dt_table_share(table) >= 1.0);
    uint64_t unseen = 0;
    for (uint64_t row = 1; row <= t->rows; row++) /* pilots are not in the recipe either */
        unseen += text_is_unseen(t, row) || row % 3 == 2;
    dt_row_note cells;
    assert_all_int(dt_table_judge(&cells, table), DT_OK);
    assert_all_int(cells.count, unseen);
    assert_all_same(&cells, sizeof cells);
    assert_all((unseen > 0) == (strstr(cells.example, "column '") == cells.example));
    assert_all_int(dt_table_next(table, given_take, k, &more), DT_OK); /* it stays at the end */
    assert_all(!more);
    dt_table_close(table);
    dt_recipe_clear(&recipe);
    given_gather(k);
}

static void check_rows(const text_table *t, const given *k)
{
    uint64_t wrong = 0;
    for (uint64_t row = 1; row <= t->rows; row++) {
        for (size_t j = 0; j < TEXT_D; j++) {
            const float right = text_input(t, row, j);
            wrong += memcmp(&k->x[(row - 1) * TEXT_D + j], &right, sizeof right) != 0;
        }
        wrong += k->y[row - 1] != (k->labels && row % 4 == 0);
    }
    assert_all_int(wrong, 0);
}

static void check_table(const text_table *t, bool labels, size_t batch_rows)
{
    given k;
    write_all(t, NULL);
    read_all(t, &k, labels, batch_rows);
    check_rows(t, &k);
    given_clear(&k);
}

static void test_all_rows_once(void **state)
{
    (void)state;
    const text_table many = {.rows = MANY, .every_unseen = 11};
    const text_table unlabelled = {.rows = 9000, .no_target = true};
    const text_table german = {.rows = 9000, .separator = ';', .decimal = ','};
    check_table(&many, true, 1024);
    check_table(&many, false, 7);
    check_table(&unlabelled, false, 100000);
    check_table(&german, true, 1);
}

static void test_fewer_rows_than_ranks(void **state)
{
    (void)state;
    for (uint64_t rows = 1; rows <= 3; rows++)
        check_table(&(text_table){.rows = rows}, true, 2);
}

/* Records longer than a block: each goes to a rank of its own, whole. */
static void test_long_records(void **state)
{
    (void)state;
    enum { LONG = 20, BYTES = 300000 };
    const text_table t = {.rows = LONG};
    given k;
    if (test_rank == 0) {
        FILE *file = fopen(scratch_path("t.csv"), "wb");
        (void)fprintf(file, "age,job,rate,kind,note\n");
        for (uint64_t row = 1; row <= LONG; row++) {
            (void)fprintf(file, "%.3f,%s,%s,%s,\"", text_age(row),
                          row % 3 == 0   ? "cook"
                          : row % 3 == 1 ? "mate"
                                         : "pilot",
                          row % 5 == 0   ? ""
                          : row % 2 == 0 ? "1"
                                         : "3",
                          row % 4 == 0 ? "yes" : "no");
            for (int i = 0; i < (row % 2 == 0 ? BYTES : 10); i++)
                (void)fputc(i % 100 == 99 ? '\n' : 'n', file);
            (void)fputs("\"\n", file);
        }
        (void)fclose(file);
    }
    dt_mpi_barrier(MPI_COMM_WORLD);
    read_all(&t, &k, true, 64);
    check_rows(&t, &k);
    given_clear(&k);
}

/* What one rank alone reads, all ranks together read, bit for bit. */
static void test_same_bits_as_one_rank(void **state)
{
    (void)state;
    const text_table t = {.rows = MANY};
    const dt_comm alone = ranks_alone();
    dt_recipe recipe;
    given k, one;
    write_all(&t, NULL);
    read_all(&t, &k, true, 300);
    text_recipe(&recipe);
    dt_table *table = open_table(&alone, &recipe, true, 1024);
    given_start(&one, t.rows, TEXT_D, 1024, true);
    dt_status status = DT_OK;
    for (bool more = true; more && status == DT_OK; one.low = one.high = 0)
        status = dt_table_next(table, given_take, &one, &more);
    assert_all_int(status, DT_OK);
    assert_all(memcmp(one.x, k.x, t.rows * TEXT_D * sizeof(float)) == 0);
    assert_all(memcmp(one.y, k.y, t.rows * sizeof(int32_t)) == 0);
    dt_table_close(table);
    dt_recipe_clear(&recipe);
    given_clear(&k);
    given_clear(&one);
}

static void test_count(void **state)
{
    (void)state;
    const text_table t = {.rows = MANY};
    const dt_comm comm = ranks_all();
    dt_recipe recipe;
    given k;
    uint64_t rows = 0;
    write_all(&t, NULL);
    text_recipe(&recipe);
    dt_table *table = open_table(&comm, &recipe, true, 512);
    bool more = true, right = true;
    given_start(&k, t.rows, TEXT_D, 512, true);
    assert_all_int(dt_table_next(table, given_take, &k, &more), DT_OK);
    if (test_rank == 0) { /* counting goes back to the first row */
        right = dt_table_count(table, &rows) == DT_OK && rows == t.rows;
        right = right && dt_table_share(table) < 0.01;
    }
    assert_all(right);
    given_clear(&k);
    given_start(&k, t.rows, TEXT_D, 512, true);
    for (more = true; more; k.low = k.high = 0)
        assert_all_int(dt_table_next(table, given_take, &k, &more), DT_OK);
    given_gather(&k);
    dt_table_close(table);
    dt_recipe_clear(&recipe);
    given_clear(&k);
}

/* ---- failures ---- */

/* Reads until something fails. */
static dt_status read_to_failure(const text_table *t, given *k, bool labels)
{
    const dt_comm comm = ranks_all();
    dt_recipe recipe;
    text_recipe(&recipe);
    dt_table *table = open_table(&comm, &recipe, labels, 64);
    dt_status status = DT_OK;
    bool more = true;
    const uint64_t stop_at = k->stop_at;
    given_start(k, t->rows, TEXT_D, 64, labels);
    k->stop_at = stop_at;
    while (more && status == DT_OK)
        status = dt_table_next(table, given_take, k, &more);
    dt_table_close(table);
    dt_recipe_clear(&recipe);
    return status;
}

static void test_bad_rows(void **state)
{
    (void)state;
    static const uint64_t rows[] = {2, 1500, 9999, 25000, MANY - 1, MANY};
    static const char *const cells[] = {"old", "", "1e99", NULL};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *cell = cells[i % 4];
        const text_table t = {.rows = MANY, .bad_row = rows[i], .bad_cell = cell};
        uint64_t line = 0;
        given k = {0};
        char text[256];
        write_all(&t, &line);
        const dt_status status = read_to_failure(&t, &k, true);
        (void)snprintf(text, sizeof text, "row %" PRIu64 " (line %" PRIu64 "): column 'age'%s",
                       rows[i], line,
                       i % 4 == 0   ? ": 'old' is not a number"
                       : i % 4 == 1 ? " has no value here"
                                    : ": '1e99' is beyond the range of float32");
        if (cell == NULL)
            (void)snprintf(text, sizeof text,
                           "row %" PRIu64 " (lines %" PRIu64 " to %" PRIu64 ") has 6 fields",
                           rows[i], line, line + 3); /* 25000 % 7 is 3 */
        check_failed(status, DT_DATA, text);
        uint64_t beyond = 0; /* the bad row itself is not given to anyone */
        assert_all_int(k.times[rows[i] - 1], 0);
        for (uint64_t row = 0; row < t.rows; row++)
            beyond += k.times[row] > 1;
        assert_all_int(beyond, 0);
        given_clear(&k);
    }
}

/* Of several bad rows the first is told, whichever ranks see them. */
static void test_the_first_bad_row(void **state)
{
    (void)state;
    for (uint64_t apart = 1; apart < 40000; apart *= 6) {
        const text_table t = {
            .rows = MANY, .bad_row = 6000, .bad_too = 6000 + apart, .bad_cell = "old"};
        given k = {0};
        write_all(&t, NULL);
        check_failed(read_to_failure(&t, &k, true), DT_DATA, "row 6000 (line ");
        given_clear(&k);
    }
}

static void test_takers_that_fail(void **state)
{
    (void)state;
    const text_table t = {.rows = MANY};
    char text[64];
    write_all(&t, NULL);
    for (int rank = 0; rank<test_size; rank += test_size> 3 ? 3 : 1)
        for (uint64_t at = 1; at <= 30; at += 29) {
            given k = {.stop_at = test_rank == rank ? at : 0};
            (void)snprintf(text, sizeof text, "rank %d cannot take it", rank);
            check_failed(read_to_failure(&t, &k, true), DT_OUTPUT, text);
            given_clear(&k);
        }
}

static void check_not_opened(const char *name, bool labels, const char *part)
{
    const dt_comm comm = ranks_all();
    dt_recipe recipe;
    text_recipe(&recipe);
    dt_table *table = (dt_table *)&recipe;
    const dt_status status = dt_table_open(&table, &comm, scratch_path(name), &recipe,
                                           &(dt_table_format){0}, labels, 64);
    check_failed(status, DT_DATA, part);
    assert_all(table == NULL);
    dt_table_close(table);
    dt_recipe_clear(&recipe);
}

static void test_tables_not_opened(void **state)
{
    (void)state;
    static const char no_age[] = "note,job,ages,rate\n1,cook,2,3\n";
    static const char unclosed[] = "age,job,rate\n1,cook,3\n2,\"cook,3\n1,cook,3\n";
    write_all(&(text_table){.rows = 5, .no_target = true}, NULL);
    check_not_opened("t.csv", true, "t.csv: no column 'kind'");
    check_not_opened("absent.csv", false, "absent.csv: cannot open");
    if (test_rank == 0) {
        (void)scratch_write(scratch_path("ages.csv"), no_age, strlen(no_age));
        (void)scratch_write(scratch_path("t.csv"), unclosed, strlen(unclosed));
    }
    dt_mpi_barrier(MPI_COMM_WORLD);
    check_not_opened("ages.csv", false, "ages.csv: no column 'age'; did you mean 'ages'?");
    given k = {0}; /* what only rank 0 sees, on the way */
    check_failed(read_to_failure(&(text_table){.rows = 3}, &k, false), DT_DATA, "line 3");
    given_clear(&k);
}

/* ---- values and weights ---- */

enum { VALUE_ROWS = 9000 };

static double price_of(uint64_t row)
{
    return (double)(row * 7919 % 10007) / 8;
}

/* Rows with both targets and, in `weighted`, their weights. */
typedef struct valued {
    uint64_t rows, weighted, wrong;
} valued;

static dt_status take_values(void *context, const dt_row_batch *rows)
{
    valued *v = context;
    for (size_t i = 0; i < rows->count; i++) {
        const uint64_t row = rows->first + i;
        v->wrong += fabs((double)rows->y[2 * i].value + (double)row) > 0;
        v->wrong += fabs((double)rows->y[2 * i + 1].value - price_of(row)) > 0;
        if (rows->w != NULL)
            v->wrong += fabs((double)rows->w[i] - (double)(row % 5) / 4) > 0;
    }
    v->rows += rows->count;
    v->weighted += rows->w != NULL ? rows->count : 0;
    return DT_OK;
}

static void check_values(bool weights)
{
    static const char json[] =
        "{\"dtrain_recipe\": 1, \"separator\": \",\", \"decimal\": \".\", \"missing\": [], "
        "\"unseen\": \"ignore\", \"target\": {\"columns\": [\"rent\", \"price\"]}, \"weights\": "
        "\"n\", \"columns\": [{\"name\": \"price\", \"role\": \"target\"}, {\"name\": \"age\", "
        "\"role\": \"numeric\", \"scale\": \"none\", \"fill\": \"error\"}, {\"name\": \"rent\", "
        "\"role\": \"target\"}, {\"name\": \"n\", \"role\": \"weights\"}], \"inputs\": 1}";
    const dt_comm comm = ranks_all();
    dt_recipe recipe;
    valued v = {0};
    assert_all_int(dt_recipe_from_json(&recipe, json, strlen(json), "recipe"), DT_OK);
    if (test_rank == 0) {
        FILE *file = fopen(scratch_path("t.csv"), "wb");
        (void)fprintf(file, "age,price,rent%s\n", weights ? ",n" : "");
        for (uint64_t row = 1; row <= VALUE_ROWS; row++) {
            (void)fprintf(file, "1,%.3f,-%" PRIu64, price_of(row), row);
            if (weights)
                (void)fprintf(file, ",%g", (double)(row % 5) / 4);
            (void)fprintf(file, "\n");
        }
        (void)fclose(file);
    }
    dt_mpi_barrier(MPI_COMM_WORLD);
    dt_table *table = open_table(&comm, &recipe, true, 64);
    for (bool more = true; more;)
        assert_all_int(dt_table_next(table, take_values, &v, &more), DT_OK);
    dt_mpi_allreduce(MPI_IN_PLACE, &v, 3, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    assert_all_int(v.rows, VALUE_ROWS);
    assert_all_int(v.weighted, weights ? VALUE_ROWS : 0);
    assert_all_int(v.wrong, 0);
    dt_table_close(table);
    dt_recipe_clear(&recipe);
}

static void test_values_and_weights(void **state)
{
    (void)state;
    check_values(true);
    check_values(false); /* a table may come without them */
}

static const struct CMUnitTest tests[] = {
    with_folder(test_all_rows_once),
    with_folder(test_fewer_rows_than_ranks),
    with_folder(test_long_records),
    with_folder(test_same_bits_as_one_rank),
    with_folder(test_count),
    with_folder(test_bad_rows),
    with_folder(test_the_first_bad_row),
    with_folder(test_takers_that_fail),
    with_folder(test_tables_not_opened),
    with_folder(test_values_and_weights),
};

MPI_SUITE(test_table, tests);
