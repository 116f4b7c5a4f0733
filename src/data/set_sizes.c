#include "dtrain/data/set_sizes.h"

#include "dtrain/base/log.h"
#include "dtrain/base/text.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_FEW = 5 };

/* Of which class all rows are: " of class 'no' alone"; "": of several, or values. */
static void say_class(char *out, size_t bytes, const dt_set_sizes *sizes, dt_set set)
{
    char shown[DT_TEXT_SHOWN_BYTES + 4];
    out[0] = '\0';
    for (size_t c = 0; c < sizes->C; c++) {
        if (sizes->class_rows[set][c] != sizes->rows[set])
            continue;
        if (sizes->class_names == NULL)
            (void)snprintf(out, bytes, " of class %zu alone", c);
        else
            (void)snprintf(
                out, bytes, " of class '%s' alone",
                dt_text_show(shown, sizes->class_names[c], strlen(sizes->class_names[c])));
    }
}

void dt_set_sizes_warn(const dt_set_sizes *sizes)
{
    char alone[DT_TEXT_SHOWN_BYTES + 32];
    for (int set = DT_VALIDATION; set < DT_SET_COUNT; set++) {
        const uint64_t rows = sizes->rows[set];
        if (rows == 0)
            continue;
        say_class(alone, sizeof alone, sizes, (dt_set)set);
        if (rows < ROWS_FEW || alone[0] != '\0')
            dt_log_warn("the %s set has %llu row%s%s: its scores say little; use %s",
                        dt_set_name((dt_set)set), (unsigned long long)rows, rows == 1 ? "" : "s",
                        alone,
                        rows < ROWS_FEW ? "more rows, or a larger share" : "rows of each class");
    }
}
