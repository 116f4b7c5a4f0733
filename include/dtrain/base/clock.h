#ifndef DTRAIN_BASE_CLOCK_H
#define DTRAIN_BASE_CLOCK_H

#include <stddef.h>

/** Returns seconds on a monotonic clock with an arbitrary zero. Cost: about 25 ns. */
double dt_clock_s(void);

/** Writes the time of day in UTC in the format of strftime; "" if it is not known. */
void dt_clock_utc(char *out, size_t bytes, const char *format);

/** ISO 8601: "2026-01-31T23:59:59Z". */
#define DT_CLOCK_ISO "%Y-%m-%dT%H:%M:%SZ"

#endif
