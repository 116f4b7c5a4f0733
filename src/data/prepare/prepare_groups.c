/* A split that keeps groups together: a group's set depends only on its text and the seed, so that
 * one pass is enough, and rows may come in any order. */
#include "prepare_internal.h"

#include <string.h>

/* The number of rows is not known yet, so sets are given by shares. */
static dt_status check_shares(const dt_prepare *p)
{
    const struct {
        const char *option;
        double share;
    } shares[] = {{"validation-split", p->plan->validation}, {"test-split", p->plan->test}};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        if (shares[i].share >= 1.0)
            return dt_fail(DT_USAGE, "--%s is %g, but with --split-by it must be a share below 1",
                           shares[i].option, shares[i].share);
    if (p->plan->validation + p->plan->test >= 1.0)
        return dt_fail(DT_USAGE,
                       "--validation-split %g and --test-split %g leave no rows for training",
                       p->plan->validation, p->plan->test);
    return DT_OK;
}

dt_status dt_prepare_read_groups(dt_prepare *p)
{
    dt_status status = DT_OK;
    p->split_by = SIZE_MAX;
    if (p->plan->split_by == NULL || p->plan->split_by[0] == '\0')
        return DT_OK;
    DT_TRY(check_shares(p));
    DT_TRY(dt_prepare_find_column(&p->split_by, p, p->plan->split_by));
    dt_survey *survey = &p->surveys[p->split_by];
    dt_prepare_column *column = &p->columns[p->split_by];
    if (survey->asked && (column->role == DT_ROLE_TARGET || column->role == DT_ROLE_WEIGHTS))
        DT_TRY(dt_fail(DT_USAGE, "--split-by takes a column of groups, but '%s' is %s",
                       p->names[p->split_by], dt_prepare_role_words(column->role)));
    if (survey->asked && column->role != DT_ROLE_DROPPED)
        goto out;
    survey->asked = true;
    column->role = DT_ROLE_DROPPED;
    column->why = "keeps groups together";
out:
    return status;
}

void dt_prepare_begin_groups(dt_prepare *p)
{
    dt_hash_set_empty(&p->groups);
    memset(p->group_rows, 0, sizeof p->group_rows);
    memset(p->group_counts, 0, sizeof p->group_counts);
}

dt_set dt_prepare_set_of_group(const dt_prepare *p, const dt_csv_field *cell)
{
    dt_random random =
        dt_random_start(p->plan->seed, DT_RANDOM_GROUP, dt_hash64(cell->text, cell->bytes, 0));
    const double draw = dt_random_uniform(&random);
    return draw < p->plan->validation                   ? DT_VALIDATION
           : draw < p->plan->validation + p->plan->test ? DT_TEST
                                                        : DT_TRAIN;
}

dt_status dt_prepare_see_group(dt_prepare *p, const dt_csv_row *row)
{
    const dt_csv_field *cell = &row->fields[p->split_by];
    bool is_new = false;
    if (dt_missing_is(&p->missing, cell))
        return dt_fail(DT_DATA,
                       "%s: row %llu (line %llu): column '%s' is empty, so the row has no group; "
                       "use --fill '%s=drop' to drop such rows",
                       dt_csv_path(p->csv), (unsigned long long)row->row,
                       (unsigned long long)row->line, p->names[p->split_by], p->names[p->split_by]);
    const dt_set set = dt_prepare_set_of_group(p, cell);
    const dt_status status =
        dt_hash_set_add(&p->groups, dt_hash64(cell->text, cell->bytes, 0), 0, &is_new);
    p->group_rows[set]++;
    p->group_counts[set] += is_new;
    return status;
}
