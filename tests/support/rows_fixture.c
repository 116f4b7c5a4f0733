#include "rows_fixture.h"

#include "scratch_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double text_age(uint64_t row)
{
    return (double)(row * 37 % 1000) / 8 - 20;
}

bool text_is_unseen(const text_table *t, uint64_t row)
{
    return t->every_unseen > 0 && row % t->every_unseen == 0;
}

uint64_t text_write(const char *name, const text_table *t)
{
    static const char *const jobs[] = {"cook", "mate", "pilot"};
    const char s = t->separator != 0 ? t->separator : ',';
    uint64_t line = 2, bad_line = 0;
    FILE *file = fopen(scratch_path(name), "wb");
    if (file == NULL)
        return 0;
    (void)fprintf(file, "note%cjob%cage%crate", s, s, s);
    if (!t->no_target)
        (void)fprintf(file, "%ckind", s);
    (void)fprintf(file, "\n");
    for (uint64_t row = 1; row <= t->rows; row++) {
        char age[64];
        (void)snprintf(age, sizeof age, "%.3f", text_age(row));
        if (t->decimal == ',')
            *strchr(age, '.') = ',';
        if (row == t->bad_row || row == t->bad_too) {
            bad_line = bad_line == 0 ? line : bad_line;
            if (t->bad_cell != NULL)
                (void)snprintf(age, sizeof age, "%s", t->bad_cell);
        }
        if (row % 7 == 3) {
            (void)fprintf(file, "\"%" PRIu64 "\nsaid \"\"%c\"\"\r\nand\n%0*d\"", row, s,
                          (int)(row % 101), 0);
            line += 3;
        } else {
            (void)fprintf(file, "%0*d", (int)(row % 41) + 1, 0);
        }
        (void)fprintf(file, "%c%s%c%s%c%s", s, text_is_unseen(t, row) ? "astronaut" : jobs[row % 3],
                      s, age, s,
                      row % 5 == 0   ? ""
                      : row % 2 == 0 ? "1"
                                     : "3");
        if (!t->no_target)
            (void)fprintf(file, "%c%s", s, row % 4 == 0 ? "yes" : "no");
        (void)fprintf(file, "%s\n", row == t->bad_row && t->bad_cell == NULL ? ",more" : "");
        line++;
    }
    (void)fclose(file);
    return bad_line;
}

void text_recipe(dt_recipe *out)
{
    static const char json[] =
        "{\"dtrain_recipe\": 1, \"separator\": \",\", \"decimal\": \".\", \"missing\": [\"NA\"], "
        "\"unseen\": \"ignore\", \"target\": {\"column\": \"kind\", \"classes\": [\"no\", "
        "\"yes\"]}, "
        "\"columns\": ["
        "{\"name\": \"age\", \"role\": \"numeric\", \"scale\": \"standard\", \"center\": 7.3, "
        "\"spread\": 3.1, \"fill\": \"error\"},"
        "{\"name\": \"job\", \"role\": \"categorical\", \"categories\": [\"cook\", \"mate\"], "
        "\"rare\": false, \"fill\": \"error\"},"
        "{\"name\": \"rate\", \"role\": \"numeric\", \"scale\": \"none\", "
        "\"fill\": \"indicator\", \"fill_number\": 0.7},"
        "{\"name\": \"gone\", \"role\": \"dropped\"}, {\"name\": \"kind\", \"role\": \"target\"}], "
        "\"inputs\": 5}";
    const dt_status status = dt_recipe_from_json(out, json, strlen(json), "recipe");
    assert_all_string(status == DT_OK ? "" : dt_status_text(), "");
}

float text_input(const text_table *t, uint64_t row, size_t column)
{
    const bool missing = row % 5 == 0, unseen = text_is_unseen(t, row);
    switch (column) {
    case 0:
        return (float)((text_age(row) - 7.3) / 3.1);
    case 1:
        return missing ? (float)0.7 : row % 2 == 0 ? 1.0f : 3.0f;
    case 2:
        return missing ? 1.0f : 0.0f;
    case 3:
        return !unseen && row % 3 == 0 ? 1.0f : 0.0f;
    default:
        return !unseen && row % 3 == 1 ? 1.0f : 0.0f;
    }
}

void given_start(given *out, uint64_t rows, size_t D, size_t batch_rows, bool labels)
{
    *out = (given){.rows = rows, .D = D, .batch_rows = batch_rows, .labels = labels};
    out->times = calloc(rows, sizeof *out->times);
    out->x = calloc(rows * D, sizeof *out->x);
    out->y = calloc(rows, sizeof *out->y);
    assert_all(out->times != NULL && out->x != NULL && out->y != NULL);
}

void given_clear(given *k)
{
    free(k->times);
    free(k->x);
    free(k->y);
    *k = (given){0};
}

dt_status given_take(void *context, const dt_row_batch *rows)
{
    given *k = context;
    k->calls++;
    k->wrong += rows->count == 0 || rows->count > k->batch_rows || (rows->y != NULL) != k->labels;
    for (size_t i = 0; i < rows->count; i++) {
        const uint64_t row = rows->first + i;
        if (row < 1 || row > k->rows || row <= k->high) {
            k->wrong++; /* beyond the data, or not in order */
            continue;
        }
        k->low = k->low == 0 ? row : k->low;
        k->high = row;
        k->times[row - 1]++;
        memcpy(k->x + (row - 1) * k->D, rows->x + i * k->D, k->D * sizeof(float));
        if (rows->y != NULL)
            k->y[row - 1] = rows->y[i].label;
    }
    return k->calls == k->stop_at ? dt_fail(DT_OUTPUT, "rank %d cannot take it", test_rank) : DT_OK;
}

bool given_in_order(given *k, uint64_t *last)
{
    uint64_t all[64][2];
    const uint64_t mine[2] = {k->low, k->high};
    dt_mpi_allgather(mine, 2, all, 2, MPI_UINT64_T, MPI_COMM_WORLD);
    uint64_t low = UINT64_MAX, high = *last;
    bool right = true, ended = false;
    for (int rank = 0; rank < test_size; rank++) {
        if (all[rank][0] == 0) {
            ended = true; /* who gets none comes behind all who get some */
            continue;
        }
        right = right && !ended && all[rank][0] == high + 1;
        low = all[rank][0] < low ? all[rank][0] : low;
        high = all[rank][1] > high ? all[rank][1] : high;
    }
    right = right && (high == *last || low == *last + 1);
    *last = high;
    k->low = k->high = 0;
    return right;
}

void given_gather(given *k)
{
    dt_mpi_allreduce(MPI_IN_PLACE, k->times, (int)k->rows, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    /* bits: what the others have there is 0 */
    dt_mpi_allreduce(MPI_IN_PLACE, k->x, (int)(k->rows * k->D), MPI_UINT32_T, MPI_SUM,
                     MPI_COMM_WORLD);
    dt_mpi_allreduce(MPI_IN_PLACE, k->y, (int)k->rows, MPI_INT32_T, MPI_SUM, MPI_COMM_WORLD);
    uint64_t not_once = 0;
    for (uint64_t row = 0; row < k->rows; row++)
        not_once += k->times[row] != 1;
    assert_all_int(not_once, 0);
    assert_all_int(k->wrong, 0);
}

void check_failed(dt_status status, dt_status code, const char *part)
{
    char text[DT_STATUS_TEXT_BYTES] = "";
    assert_all_int(status, code);
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    assert_all_same(text, sizeof text);
    if (strstr(text, part) == NULL)
        assert_all_string(text, part);
}
