#ifndef DTRAIN_TESTS_SAME_EVALUATION_H
#define DTRAIN_TESTS_SAME_EVALUATION_H

#include "dtrain/task/evaluation.h"

#include <stdbool.h>

/** Returns whether two evaluations are equal, bit for bit; both may be of a set without rows. */
bool same_evaluation(const dt_evaluation *a, const dt_evaluation *b);

#endif
