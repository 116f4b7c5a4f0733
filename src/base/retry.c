#include "dtrain/base/retry.h"

#include <unistd.h>

dt_status dt_retry_output(dt_status (*attempt)(void *context), void *context)
{
    enum { TRIES = 3 };
    dt_status status = attempt(context);
    for (int i = 1; i < TRIES && status == DT_OUTPUT; i++) {
        (void)sleep(1);
        status = attempt(context);
    }
    return status;
}
