#include "dtrain/run/preparation.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <stdio.h>

dt_status dt_preparation_open(dt_preparation *p, const char *path)
{
    const dt_prepare_settings *s = &p->settings;
    dt_status status = dt_text_split_items(&p->names, &p->name_count, s->columns);
    if (status != DT_OK)
        return status;
    const dt_csv_format format = {.separator = dt_csv_separator(s->separator),
                                  .encoding = (dt_csv_encoding)s->encoding,
                                  .header = (dt_csv_header)s->header,
                                  .takes_malformed = true, /* the survey refuses, or skips */
                                  .skip_lines = (size_t)s->skip_lines,
                                  .names = (const char *const *)p->names,
                                  .name_count = p->name_count};
    status = dt_csv_open(&p->csv, path, &format);
    if (status != DT_OK)
        return status;
    dt_csv_print_warnings(p->csv);
    if (s->target[0] != '\0')
        return DT_OK;
    /* The user needs the names now. */
    char list[512] = "";
    size_t used = 0;
    for (size_t c = 0; c < dt_csv_format_of(p->csv)->columns && used < sizeof list; c++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", c > 0 ? ", " : "",
                                 dt_csv_name(p->csv, c));
    return dt_fail(DT_USAGE, "--target COLUMN is required, one of: %s%s", list,
                   used >= sizeof list ? "..." : "");
}

dt_status dt_preparation_survey(dt_preparation *p, bool split_asked, dt_prepare_progress *progress,
                                void *context)
{
    const dt_prepare_settings *s = &p->settings;
    p->plan = (dt_prepare_plan){.target = s->target,
                                .task = (dt_targets)s->task,
                                .weights = s->weights,
                                .id = s->id,
                                .drop = s->drop,
                                .numeric = s->numeric,
                                .categorical = s->categorical,
                                .scale = s->scale,
                                .fill = s->fill,
                                .missing = s->missing,
                                .missing_only = s->missing_only,
                                .decimal = s->decimal,
                                .thousands = s->thousands,
                                .dates = s->dates,
                                .skips_malformed = s->skips != 0,
                                .unseen = (dt_unseen)s->unseen,
                                .max_categories = (size_t)s->max_categories,
                                .split_method = (dt_split_method)s->split,
                                .split_asked = split_asked,
                                .split_column = s->split_column,
                                .split_by = s->split_by,
                                .drop_duplicates = s->drop_duplicates,
                                .validation = s->validation_split,
                                .test = s->test_split,
                                .seed = (uint64_t)s->seed};
    return dt_prepare_survey(&p->prepare, p->csv, &p->plan, progress, context);
}

void dt_preparation_close(dt_preparation *p)
{
    dt_prepare_free(p->prepare);
    dt_csv_close(p->csv);
    p->prepare = NULL;
    p->csv = NULL;
    dt_memory_free_texts(p->names, p->name_count);
    p->names = NULL;
    p->name_count = 0;
}
