#include "prepare_internal.h"

#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- by a column ---- */

static bool set_of_word(dt_set *out, const char *word)
{
    static const struct {
        const char *word;
        dt_set set;
    } words[] = {{"train", DT_TRAIN},      {"training", DT_TRAIN}, {"validation", DT_VALIDATION},
                 {"valid", DT_VALIDATION}, {"val", DT_VALIDATION}, {"dev", DT_VALIDATION},
                 {"test", DT_TEST},        {"testing", DT_TEST}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(word, words[i].word) == 0) {
            *out = words[i].set;
            return true;
        }
    return false;
}

static dt_status split_by_column(dt_prepare *p)
{
    dt_dictionary *values = &p->surveys[p->split_column].values;
    if (p->columns[p->split_column].missing > 0)
        return dt_fail(DT_DATA, "%s: row %llu (line %llu): column '%s' does not name a set",
                       dt_csv_path(p->csv),
                       (unsigned long long)p->surveys[p->split_column].missing_row,
                       (unsigned long long)p->surveys[p->split_column].missing_line,
                       p->names[p->split_column]);
    for (size_t i = 0; i < values->count; i++) {
        dt_dictionary_entry *entry = &values->entries[i];
        char shown[DT_TEXT_SHOWN_BYTES + 4];
        dt_set set = DT_TRAIN;
        if (!set_of_word(&set, entry->text))
            return dt_fail(DT_DATA, "%s: column '%s' is '%s'; expected train, validation or test",
                           dt_csv_path(p->csv), p->names[p->split_column],
                           dt_text_show(shown, entry->text, entry->bytes));
        entry->index = (int32_t)set;
        p->set_rows[set] += entry->count;
    }
    return DT_OK;
}

/* ---- by shares or numbers ---- */

/* A share of the rows as a number of rows, or the number itself. */
static dt_status rows_of(uint64_t *out, const dt_prepare *p, double asked, const char *option)
{
    const double rows = asked < 1.0 ? floor((double)p->rows * asked + 0.5) : asked;
    if (rows != floor(rows))
        return dt_fail(DT_USAGE,
                       "--%s is %g, but must be a share below 1 or a whole number of rows", option,
                       asked);
    if (rows >= (double)p->rows)
        return dt_fail(DT_DATA, "%s: --%s %g leaves none of the %llu rows for training",
                       dt_csv_path(p->csv), option, asked, (unsigned long long)p->rows);
    *out = (uint64_t)rows;
    return DT_OK;
}

static dt_status split_by_number(dt_prepare *p)
{
    dt_status status = DT_OK;
    uint64_t validation = 0, test = 0;
    const uint64_t all = p->rows;
    DT_TRY(rows_of(&validation, p, p->plan->validation, "validation-split"));
    DT_TRY(rows_of(&test, p, p->plan->test, "test-split"));
    if (validation + test >= all)
        DT_TRY(dt_fail(DT_DATA,
                       "%s: %llu validation and %llu test rows leave none of the %llu for training",
                       dt_csv_path(p->csv), (unsigned long long)validation,
                       (unsigned long long)test, (unsigned long long)all));
    const bool stratified = p->split_method == DT_SPLIT_STRATIFIED;
    p->set_rows[DT_VALIDATION] = validation;
    p->set_rows[DT_TEST] = test;
    p->set_rows[DT_TRAIN] = all - validation - test;
    if (p->split_method == DT_SPLIT_ORDERED)
        goto out;
    DT_TRY(dt_split_new(&p->split, stratified ? p->all_class_rows : &all,
                        stratified ? p->class_count : 1, (double)validation / (double)all,
                        (double)test / (double)all, p->plan->seed));
    for (int set = 0; set < DT_SET_COUNT; set++) {
        p->set_rows[set] = 0;
        for (size_t c = 0; c < (stratified ? p->class_count : 1); c++)
            p->set_rows[set] += dt_split_rows(p->split, (dt_set)set, c);
    }
out:
    return status;
}

/* Split class by class, small classes have only training rows. */
static dt_status fail_empty(const dt_prepare *p, dt_set set)
{
    char why[160] = "", name[DT_TEXT_SHOWN_BYTES + 4];
    const size_t c = p->targets[0];
    if (p->split_by != SIZE_MAX)
        (void)snprintf(why, sizeof why,
                       ": '%s' has %zu group%s; use a larger share, or another --seed",
                       dt_text_show(name, p->names[p->split_by], strlen(p->names[p->split_by])),
                       p->groups.count, p->groups.count == 1 ? "" : "s");
    else if (p->split_method == DT_SPLIT_STRATIFIED && p->split_column == SIZE_MAX)
        (void)snprintf(why, sizeof why, ": the %zu classes of '%s' have too few%s", p->class_count,
                       dt_text_show(name, p->names[c], strlen(p->names[c])),
                       p->surveys[c].texts == 0 ? "; use --task regression if it is a quantity"
                                                : "");
    return dt_fail(DT_DATA, "%s: none of its %llu rows is left for the %s set%s",
                   dt_csv_path(p->csv), (unsigned long long)p->rows, dt_set_name(set), why);
}

dt_status dt_prepare_plan_split(dt_prepare *p)
{
    dt_status status = DT_OK;
    if (p->split_column != SIZE_MAX)
        DT_TRY(split_by_column(p));
    else if (p->split_by != SIZE_MAX)
        memcpy(p->set_rows, p->group_rows, sizeof p->set_rows);
    else
        DT_TRY(split_by_number(p));
    const bool wanted[DT_SET_COUNT] = {
        [DT_TRAIN] = true,
        [DT_VALIDATION] = p->split_column == SIZE_MAX && p->plan->validation > 0.0,
        [DT_TEST] = p->split_column == SIZE_MAX && p->plan->test > 0.0};
    for (int set = 0; set < DT_SET_COUNT; set++)
        if (wanted[set] && p->set_rows[set] == 0)
            DT_TRY(fail_empty(p, (dt_set)set));
out:
    return status;
}

/* ---- row by row ---- */

dt_status dt_prepare_next_set(dt_set *out, dt_prepare *p, const dt_csv_row *row, size_t label,
                              bool fit)
{
    const uint64_t at = p->next_row++;
    const bool stratified = p->split_method == DT_SPLIT_STRATIFIED;
    if (p->split_column != SIZE_MAX) {
        const dt_csv_field *cell = &row->fields[p->split_column];
        const dt_dictionary_entry *entry =
            dt_dictionary_find(&p->surveys[p->split_column].values, cell->text, cell->bytes);
        if (entry == NULL)
            return dt_prepare_fail_changed(p);
        *out = (dt_set)entry->index;
    } else if (p->split_by != SIZE_MAX) {
        *out = dt_prepare_set_of_group(p, &row->fields[p->split_by]);
    } else if (p->split_method == DT_SPLIT_ORDERED) {
        *out = at < p->set_rows[DT_TRAIN]                                ? DT_TRAIN
               : at < p->set_rows[DT_TRAIN] + p->set_rows[DT_VALIDATION] ? DT_VALIDATION
                                                                         : DT_TEST;
    } else if (fit) {
        /* A class cannot have more rows than in the survey. */
        uint64_t assigned = 0;
        for (int set = 0; set < DT_SET_COUNT; set++)
            assigned += p->class_rows[set][label];
        if (assigned >= p->all_class_rows[label])
            return dt_prepare_fail_changed(p);
        *out = dt_split_assign(p->split, stratified ? label : 0);
    } else {
        *out = dt_split_set_of(p->split, at);
    }
    /* The column of sets may have changed, too; but the arrays' shapes have been written. */
    return p->given_rows[*out]++ < p->set_rows[*out] ? DT_OK : dt_prepare_fail_changed(p);
}
