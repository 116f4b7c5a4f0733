#include "dtrain/base/log.h"
#include "report_internal.h"

#include <string.h>

static void tell_of_unfinished(dt_report_run *const *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[DT_TEXT_TABLE_CELL_BYTES];
        if (runs[i]->epochs.rows == 0)
            dt_log_result("%s: no epochs%s\n",
                          dt_text_table_printable(name, sizeof name, runs[i]->name),
                          strcmp(runs[i]->status, "running") == 0 ? " yet" : "");
        else if (strcmp(runs[i]->status, "running") == 0)
            dt_log_result("%s: under way, or killed; its validation metrics are the best epoch's\n",
                          dt_text_table_printable(name, sizeof name, runs[i]->name));
    }
}

dt_status dt_report_print(dt_report_run *const *runs, size_t count, size_t width)
{
    dt_status status = DT_OK;
    dt_text_table table;
    DT_TRY(dt_report_fill_differences(&table, runs, count));
    if (table.columns == 0)
        dt_log_result("no difference in options, data or machine\n\n");
    DT_TRY(dt_text_table_print_within(&table, width));
    for (size_t from = 0, same = 0; from < count; from += same) {
        same = dt_report_group(runs + from, count - from);
        for (int which = REPORT_METRICS; which <= REPORT_QUALITIES; which++) {
            dt_report_fill_results(&table, which, runs + from, same);
            DT_TRY(dt_text_table_print_within(&table, width));
        }
    }
    dt_report_fill_results(&table, REPORT_COURSE, runs, count);
    DT_TRY(dt_text_table_print_within(&table, width));
    tell_of_unfinished(runs, count);
out:
    return status;
}
