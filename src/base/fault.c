#include "dtrain/base/fault.h"

bool (*dt_fault_hook)(const char *point);
