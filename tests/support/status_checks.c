#include "status_checks.h"

void assert_says(const char *part)
{
    if (strstr(dt_status_text(), part) == NULL)
        fail_msg("expected '%s' in: %s", part, dt_status_text());
    if (strchr(dt_status_text(), '\n') != NULL)
        fail_msg("more than one line: %s", dt_status_text());
}
