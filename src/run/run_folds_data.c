/* Which rows are in which fold, and the sets of one fold. */
#include "run_folds.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/folds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t count_rows(const dt_run *r)
{
    return r->sets[DT_TRAIN].N + r->sets[DT_VALIDATION].N;
}

/* ---- ids or groups (rank 0) ---- */

typedef struct row_id {
    const char *text;
    uint64_t row;
} row_id;

static int compare_ids(const void *a, const void *b)
{
    const row_id *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    return order != 0 ? order : x->row < y->row ? -1 : x->row > y->row;
}

/* The ids that keep rows together; NULL: none. */
static const dt_row_texts *texts_of(const dt_run *r, int p)
{
    return r->settings.folds_by_id              ? &r->sets[p].ids
           : r->sets[DT_TRAIN].groups.count > 0 ? &r->sets[p].groups
                                                : NULL;
}

/* Assigns the same group, from 0, to rows with the same text. *out [training and validation rows]
 * is the caller's; *count: groups. */
DT_MUST_USE static dt_status find_groups(uint64_t **out, uint64_t *count, const dt_run *r)
{
    dt_status status = DT_OK;
    row_id *rows = NULL;
    uint64_t N = 0;
    *count = 0;
    DT_TRY(dt_memory_alloc(&rows, count_rows(r), sizeof *rows, "ids of rows"));
    DT_TRY(dt_memory_alloc(out, count_rows(r), sizeof **out, "ids of rows"));
    for (int p = DT_TRAIN; p <= DT_VALIDATION; p++)
        for (uint64_t n = 0; n < r->sets[p].N; n++, N++)
            rows[N] = (row_id){texts_of(r, p)->text + texts_of(r, p)->at[n], N};
    qsort(rows, N, sizeof *rows, compare_ids);
    for (uint64_t i = 0; i < N; i++) {
        *count += i == 0 || strcmp(rows[i].text, rows[i - 1].text) != 0;
        (*out)[rows[i].row] = *count - 1;
    }
out:
    dt_memory_free(rows);
    return status;
}

DT_MUST_USE static dt_status check_ids(const dt_run *r)
{
    dt_status status = DT_OK;
    uint64_t *groups = NULL, count = 0;
    for (int p = DT_TRAIN; p <= DT_VALIDATION; p++)
        if (texts_of(r, p)->count != r->sets[p].N)
            return dt_fail(DT_USAGE,
                           "--folds-by-id was given, but the %s rows have no ids; name the column "
                           "of a table with --id, or add an array id",
                           p == DT_TRAIN ? "training" : "validation");
    DT_TRY(find_groups(&groups, &count, r));
    if (count < (uint64_t)r->settings.folds)
        DT_TRY(dt_fail(DT_DATA, "--folds is %lld, but there are only %llu %s; use fewer folds",
                       (long long)r->settings.folds, (unsigned long long)count,
                       r->settings.folds_by_id ? "ids" : "groups"));
out:
    dt_memory_free(groups);
    return status;
}

/* ---- classes ---- */

/* Rank 0 has the classes' names. */
DT_MUST_USE static dt_status fail_class(const dt_run *r, size_t c, uint64_t rows)
{
    char *const *names = dt_run_class_names(r);
    char id[32];
    (void)snprintf(id, sizeof id, "%zu", c);
    return dt_fail(DT_DATA,
                   "--folds is %lld, but class %.80s has only %llu training and validation row%s; "
                   "a fold needs one row of each class. Use fewer folds, or remove the class",
                   (long long)r->settings.folds, names != NULL ? names[c] : id,
                   (unsigned long long)rows, rows == 1 ? "" : "s");
}

DT_MUST_USE static dt_status check(const dt_run *r)
{
    const uint64_t K = (uint64_t)r->settings.folds;
    const dt_dataset *train = &r->sets[DT_TRAIN], *validation = &r->sets[DT_VALIDATION];
    if (texts_of(r, DT_TRAIN) != NULL)
        return check_ids(r);
    for (size_t c = 0; c < train->C; c++) {
        const uint64_t rows = train->class_rows[c] + validation->class_rows[c];
        if (rows > 0 && rows < K)
            return fail_class(r, c, rows);
    }
    if (train->C == 0 && count_rows(r) < 2 * K) /* one row has no deviation */
        return dt_fail(DT_DATA,
                       "--folds is %lld, but there are only %llu training and validation rows; a "
                       "fold needs two. Use fewer folds",
                       (long long)r->settings.folds, (unsigned long long)count_rows(r));
    return DT_OK;
}

/* A fold's rows need memory beside the original rows, and again while they are sent. */
DT_MUST_USE static dt_status check_room(const dt_run *r)
{
    const int ranks = r->environment.launch.host_size;
    const dt_dataset *train = &r->sets[DT_TRAIN];
    const double words = (double)(train->D + train->T + (train->w != NULL ? 1 : 0));
    const double rows = (double)count_rows(r) / dt_comm_size(r->comm) * ranks;
    char what[64];
    (void)snprintf(what, sizeof what, "the rows of a fold, beside %.4g rows",
                   (double)count_rows(r));
    return dt_memory_check(2.0 * rows * words * sizeof(float), ranks, what, "use more hosts");
}

dt_status dt_run_check_folds(const dt_run *r)
{
    dt_status status = r->root ? check(r) : DT_OK;
    if (status == DT_OK)
        status = check_room(r);
    return dt_comm_agree(r->comm, status);
}

/* ---- folds ---- */

/* The classes of the training rows, then of the validation rows, on rank 0. */
DT_MUST_USE static dt_status gather_labels(int32_t **out, const dt_run *r)
{
    dt_status status = DT_OK;
    const dt_dataset *train = &r->sets[DT_TRAIN], *validation = &r->sets[DT_VALIDATION];
    if (train->C == 0)
        return DT_OK;
    if (r->root)
        status = dt_memory_alloc(out, count_rows(r), sizeof **out, "classes of rows");
    DT_TRY(dt_comm_agree(r->comm, status));
    int32_t *second = r->root ? *out + train->N : NULL;
    DT_TRY(dt_dataset_gather(*out, r->comm, train, train->y, sizeof **out));
    DT_TRY(dt_dataset_gather(second, r->comm, validation, validation->y, sizeof **out));
out:
    return status;
}

DT_MUST_USE static dt_status assign(uint16_t *out, const dt_run *r, const int32_t *labels,
                                    const dt_fold_plan *plan)
{
    dt_status status = DT_OK;
    uint64_t *groups = NULL, count = 0;
    if (texts_of(r, DT_TRAIN) == NULL)
        return dt_folds_assign(out, labels, count_rows(r), plan);
    DT_TRY(find_groups(&groups, &count, r));
    DT_TRY(dt_folds_assign_groups(out, groups, count_rows(r), count, plan));
out:
    dt_memory_free(groups);
    return status;
}

dt_status dt_run_find_folds(uint16_t **out, const dt_run *r, int64_t repeat)
{
    dt_status status = DT_OK;
    int32_t *labels = NULL;
    const uint64_t N = count_rows(r);
    const dt_fold_plan plan = {.K = (size_t)r->settings.folds,
                               .C = r->sets[DT_TRAIN].C,
                               .seed = (uint64_t)dt_settings_split_seed(&r->settings),
                               .repeat = (uint64_t)repeat};
    *out = NULL;
    DT_TRY(gather_labels(&labels, r));
    status = dt_memory_alloc(out, N, sizeof **out, "folds of rows");
    if (status == DT_OK && r->root)
        status = assign(*out, r, labels, &plan);
    DT_TRY(dt_comm_agree(r->comm, status));
    dt_comm_broadcast(r->comm, *out, N * sizeof **out);
out:
    dt_memory_free(labels);
    return status;
}

/* Makes both sets: the rows outside the fold, and those in it. */
DT_MUST_USE static dt_status divide(dt_dataset out[2], const dt_run *from, int64_t number)
{
    dt_status status = DT_OK;
    const int64_t K = from->settings.folds;
    const uint16_t fold = (uint16_t)((number - 1) % K);
    const dt_dataset *const sets[] = {&from->sets[DT_TRAIN], &from->sets[DT_VALIDATION]};
    const uint64_t N = count_rows(from);
    uint16_t *folds = NULL;
    unsigned char *wanted = NULL;
    DT_TRY(dt_run_find_folds(&folds, from, (number - 1) / K));
    DT_TRY(dt_comm_agree(from->comm, dt_memory_alloc(&wanted, N, 1, "rows of a fold")));
    for (int held_out = 0; held_out < 2; held_out++) {
        for (uint64_t n = 0; n < N; n++)
            wanted[n] = (folds[n] == fold) == (held_out == 1);
        DT_TRY(dt_dataset_select(&out[held_out], from->comm, sets, 2, wanted));
    }
out:
    dt_memory_free(folds);
    dt_memory_free(wanted);
    return status;
}

dt_status dt_run_take_fold(dt_run *run, const dt_run *from)
{
    dt_dataset divided[2] = {{0}};
    const dt_status status = divide(divided, from, run->settings.fold);
    if (status != DT_OK) {
        dt_dataset_clear(&divided[0]);
        dt_dataset_clear(&divided[1]);
        return status;
    }
    if (run == from) { /* no other run owns them */
        run->undivided = run->sets[DT_TRAIN];
        run->measured = &run->undivided;
        dt_dataset_clear(&run->sets[DT_VALIDATION]);
        dt_memory_free(run->scale);
    } else {
        run->measured = &from->sets[DT_TRAIN];
    }
    run->scale = NULL;
    run->sets[DT_TRAIN] = divided[0];
    run->sets[DT_VALIDATION] = divided[1];
    return dt_run_take_targets(run);
}
