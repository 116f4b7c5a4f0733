#include "dtrain/base/clock.h"

#include <time.h>

double dt_clock_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void dt_clock_utc(char *out, size_t bytes, const char *format)
{
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) == NULL || strftime(out, bytes, format, &utc) == 0)
        out[0] = '\0';
}
