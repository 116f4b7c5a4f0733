#include "dtrain/train/time_limit.h"

#include "dtrain/base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#define OWN_MARGIN_S 1.0
#define SLURM_MARGIN_S 10.0
#define LONG_PAST_S 300.0

dt_time_limit dt_time_limit_start(double limit_s, double started_s)
{
    dt_time_limit limit = {.end_s = INFINITY};
    const char *slurm = getenv("SLURM_JOB_END_TIME"); /* seconds since 1970 */
    char *end = NULL;
    if (limit_s > 0.0)
        limit = (dt_time_limit){
            .set = true, .end_s = started_s + limit_s - OWN_MARGIN_S, .what = "the time limit"};
    const double slurm_s = slurm != NULL ? strtod(slurm, &end) : 0.0;
    if (slurm == NULL || end == slurm || *end != '\0')
        return limit;
    const double left_s = slurm_s - (double)time(NULL), end_s = dt_clock_s() + left_s;
    if (left_s > -LONG_PAST_S && end_s - SLURM_MARGIN_S < limit.end_s)
        limit = (dt_time_limit){
            .set = true, .end_s = end_s - SLURM_MARGIN_S, .what = "the end of the Slurm job"};
    return limit;
}

bool dt_time_limit_is_near(const dt_time_limit *limit, double step_s, double save_s)
{
    return limit->set && dt_clock_s() + 2.0 * (step_s + save_s) >= limit->end_s;
}
