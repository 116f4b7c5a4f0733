#include "dtrain/train/learning_rate.h"

dt_plateaus dt_plateaus_start(const dt_plan *plan)
{
    const double min_delta = 1e-4; /* Keras's default */
    return (dt_plateaus){.judge =
                             dt_early_stopping_start(plan->monitor->larger_is_better,
                                                     (int64_t)plan->schedule_every, min_delta)};
}

void dt_plateaus_judge(dt_plateaus *plateaus, const dt_plan *plan, int64_t epoch,
                       const dt_metrics *validation)
{
    const double value = dt_metric_value(validation, plan->monitor);
    if (plan->schedule->judges && dt_early_stopping_judge(&plateaus->judge, epoch, value).stop) {
        plateaus->count++;
        plateaus->judge.wait = 0;
    }
}

double dt_learning_rate(const dt_plan *plan, uint64_t steps, uint64_t done, int64_t plateaus)
{
    const double epoch = (double)steps, warmup = plan->warmup * epoch;
    const double left = epoch * (double)plan->epochs - warmup; /* above 0 */
    const double since = (double)done - warmup;
    const bool warm = since >= 0.0;
    const dt_schedule_point at = {.done = warm ? since / left : 0.0,
                                  .epochs = warm ? since / epoch : 0.0,
                                  .plateaus = plateaus,
                                  .factor = plan->schedule_factor,
                                  .every = plan->schedule_every};
    const double rate = plan->learning_rate * plan->schedule->factor(&at);
    return warm ? rate : rate * ((double)done / warmup);
}
