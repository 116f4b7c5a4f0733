#include "dtrain/train/early_stopping.h"

#include <math.h>

dt_early_stopping dt_early_stopping_start(bool larger_is_better, int64_t patience, double min_delta)
{
    return (dt_early_stopping){
        .larger_is_better = larger_is_better,
        .min_delta = fabs(min_delta),
        .patience = patience,
        .baseline = NAN,
        .best = NAN,
        .best_epoch = -1,
    };
}

static bool is_better(const dt_early_stopping *stopping, double value, double reference)
{
    return stopping->larger_is_better ? value - stopping->min_delta > reference
                                      : value + stopping->min_delta < reference;
}

dt_verdict dt_early_stopping_judge(dt_early_stopping *stopping, int64_t epoch, double value)
{
    dt_verdict verdict = {0};
    if (epoch < stopping->start_from_epoch)
        return verdict;
    stopping->wait++;
    if (!stopping->has_best || is_better(stopping, value, stopping->best)) {
        stopping->has_best = true;
        stopping->best = value;
        stopping->best_epoch = epoch;
        verdict.improved = true;
        if (isnan(stopping->baseline) || is_better(stopping, value, stopping->baseline))
            stopping->wait = 0;
    } else if (stopping->wait >= stopping->patience && epoch > 0) {
        stopping->stopped_epoch = epoch;
        verdict.stop = true;
    }
    return verdict;
}
