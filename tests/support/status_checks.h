#ifndef DTRAIN_TESTS_STATUS_CHECKS_H
#define DTRAIN_TESTS_STATUS_CHECKS_H

/** Checks of the status that a call returns, and of the status text. For cmocka tests. */

#include "with_cmocka.h"

#include "dtrain/base/status.h"

#include <string.h>

/** Fails unless the call returns DT_OK. */
#define assert_ok(call) assert_status((call), DT_OK)

/** Fails unless the call returns `expected`. */
#define assert_status(call, expected)                                                              \
    do {                                                                                           \
        dt_status got = (call);                                                                    \
        if (got != (expected))                                                                     \
            fail_msg("%s: %d, %s", #call, (int)got, dt_status_text());                             \
    } while (0)

/** Fails unless the call returns DT_DATA and the status text contains all of the given texts. */
#define assert_data(call, ...)                                                                     \
    do {                                                                                           \
        static const char *const parts[] = {__VA_ARGS__};                                          \
        assert_status((call), DT_DATA);                                                            \
        for (size_t part_ = 0; part_ < sizeof parts / sizeof *parts; part_++)                      \
            if (strstr(dt_status_text(), parts[part_]) == NULL)                                    \
                fail_msg("no \"%s\" in: %s", parts[part_], dt_status_text());                      \
    } while (0)

/** Fails unless the status text is one line that contains `part`. */
void assert_says(const char *part);

#endif
