#include "dtrain/train/phases.h"

const char *dt_phase_name(dt_phase phase)
{
    static const char *const names[DT_PHASE_COUNT] = {"load",       "forward", "backward",
                                                      "all-reduce", "update",  "validate"};
    return names[phase];
}
