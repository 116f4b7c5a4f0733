/* A preparation from its beginning to its end. */
#include "dtrain/data/prepare.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/preprocess.h"
#include "prepare_internal.h"

static dt_status start(dt_prepare *p)
{
    dt_status status = DT_OK;
    p->count = dt_csv_format_of(p->csv)->columns;
    DT_TRY(dt_memory_alloc(&p->names, p->count, sizeof *p->names, "columns"));
    DT_TRY(dt_memory_alloc(&p->columns, p->count, sizeof *p->columns, "columns"));
    DT_TRY(dt_memory_alloc(&p->surveys, p->count, sizeof *p->surveys, "columns"));
    for (size_t c = 0; c < p->count; c++) {
        p->names[c] = dt_csv_name(p->csv, c);
        p->columns[c] = (dt_prepare_column){.name = p->names[c], .why = "", .kind = ""};
    }
    DT_TRY(dt_prepare_check_names(p)); /* before the plan's, among which they could not be found */
    DT_TRY(dt_prepare_read_plan(p));
out:
    return status;
}

static void fill_table(dt_prepare *p)
{
    p->table =
        (dt_prepare_table){.column_count = p->count,
                           .columns = p->columns,
                           .decimal = p->decimal,
                           .rows = p->rows,
                           .dropped_rows = p->dropped_rows,
                           .malformed_rows = p->malformed_rows,
                           .malformed = p->malformed,
                           .repeated_rows = p->repeats.count,
                           .split_by = p->split_by != SIZE_MAX ? p->names[p->split_by] : NULL,
                           .split_method = p->split_method,
                           .weights = p->weights != SIZE_MAX ? p->names[p->weights] : NULL,
                           .guessed = p->guessed,
                           .T = p->T,
                           .targets = p->measured,
                           .class_count = p->class_count,
                           .classes = p->classes,
                           .codes_advice = p->codes_advice,
                           .similar = {p->similar[0], p->similar[1]},
                           .equal = {p->equal[0], p->equal[1]}};
    for (int set = 0; set < DT_SET_COUNT; set++) {
        p->table.set_rows[set] = p->set_rows[set];
        p->table.class_rows[set] = p->class_rows[set];
        p->table.group_counts[set] = p->group_counts[set];
    }
}

/* Surveys all columns again without the known repeats, which it keeps. */
static dt_status survey_table(dt_prepare **out, dt_csv *csv, const dt_prepare_plan *plan,
                              dt_prepare_progress *progress, void *context, dt_repeats *repeats)
{
    dt_status status = DT_OK;
    dt_prepare *p = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&p, 1, sizeof *p, "preparation"));
    p->csv = csv;
    p->plan = plan;
    p->progress = progress;
    p->progress_context = context;
    p->repeats = *repeats;
    *repeats = (dt_repeats){0};
    DT_TRY(start(p));
    DT_TRY(dt_prepare_survey_all(p));
    DT_TRY(dt_prepare_find_targets(p));
    DT_TRY(dt_prepare_decide_roles(p));
    *out = p;
    p = NULL;
out:
    dt_prepare_free(p);
    return status;
}

/* The survey decides which columns count; its counts are wrong after the repeats are removed. */
dt_status dt_prepare_survey(dt_prepare **out, dt_csv *csv, const dt_prepare_plan *plan,
                            dt_prepare_progress *progress, void *context)
{
    dt_status status = DT_OK;
    dt_prepare *p = NULL;
    dt_repeats repeats = {0};
    *out = NULL;
    DT_TRY(survey_table(&p, csv, plan, progress, context, &repeats));
    if (plan->drop_duplicates)
        DT_TRY(dt_prepare_find_repeats(&repeats, p));
    if (repeats.count > 0) {
        dt_prepare_free(p);
        DT_TRY(survey_table(&p, csv, plan, progress, context, &repeats));
    }
    DT_TRY(dt_prepare_plan_split(p));
    fill_table(p);
    *out = p;
    p = NULL;
out:
    dt_prepare_clear_repeats(&repeats);
    dt_prepare_free(p);
    return status;
}

const dt_prepare_table *dt_prepare_table_of(const dt_prepare *prepare)
{
    return &prepare->table;
}

void dt_prepare_free(dt_prepare *prepare)
{
    dt_prepare *p = prepare;
    if (p == NULL)
        return;
    for (size_t c = 0; p->surveys != NULL && c < p->count; c++) {
        dt_dictionary_clear(&p->surveys[c].values);
        dt_memory_free(p->surveys[c].sample);
    }
    for (int set = 0; set < DT_SET_COUNT; set++)
        dt_memory_free(p->class_rows[set]);
    dt_split_free(p->split);
    dt_hash_set_clear(&p->groups);
    dt_prepare_clear_repeats(&p->repeats);
    dt_memory_free(p->traces);
    dt_preprocess_free(p->preprocess);
    dt_recipe_clear(&p->recipe);
    dt_memory_free_texts(p->missing_texts, p->missing_count);
    dt_memory_free(p->names);
    dt_memory_free(p->columns);
    dt_memory_free(p->surveys);
    dt_memory_free(p->classes);
    dt_memory_free(p->all_class_rows);
    dt_memory_free(p->targets);
    dt_memory_free(p->values);
    dt_memory_free(p->measured);
    dt_memory_free(p->x);
    dt_memory_free(p->y);
    dt_memory_free(p);
}
