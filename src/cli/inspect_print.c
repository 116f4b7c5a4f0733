#include "inspect_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

dt_status dt_inspect_print_json(dt_json *json)
{
    char *text = NULL;
    dt_status status = dt_json_finish(&text, json);
    if (status == DT_OK)
        dt_log_result("%s", text);
    dt_memory_free(text);
    return status;
}
