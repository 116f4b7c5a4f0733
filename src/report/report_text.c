#include "dtrain/base/log.h"
#include "report_internal.h"

#include <string.h>

static void tell_of_unfinished(dt_report_run *const *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[DT_TEXT_TABLE_CELL_BYTES];
        if (runs[i]->epochs.rows == 0)
            dt_log_show("%s: no epochs%s\n",
                        dt_text_table_printable(name, sizeof name, runs[i]->name),
                        strcmp(runs[i]->status, "running") == 0 ? " yet" : "");
        else if (strcmp(runs[i]->status, "running") == 0)
            dt_log_show(
                "%s: running, or killed; its validation metrics are those of the best epoch\n",
                dt_text_table_printable(name, sizeof name, runs[i]->name));
    }
}

/* Above an empty line. */
DT_MUST_USE static dt_status print_table(dt_text_table *table)
{
    const bool any = table->columns > 0;
    const dt_status status = dt_text_table_print(table);
    if (any)
        dt_log_show("\n");
    return status;
}

dt_status dt_report_print(dt_report_run *const *runs, size_t count)
{
    dt_status status = DT_OK;
    dt_text_table table;
    DT_TRY(dt_report_fill_differences(&table, runs, count));
    if (table.columns == 0)
        dt_log_show("no difference in options, data or machine\n\n");
    DT_TRY(print_table(&table));
    for (size_t from = 0, same = 0; from < count; from += same) {
        same = dt_report_group(runs + from, count - from);
        for (int which = REPORT_METRICS; which <= REPORT_QUALITIES; which++) {
            dt_report_fill_results(&table, which, runs + from, same);
            DT_TRY(print_table(&table));
        }
    }
    dt_report_fill_results(&table, REPORT_COURSE, runs, count);
    DT_TRY(print_table(&table));
    tell_of_unfinished(runs, count);
out:
    return status;
}
