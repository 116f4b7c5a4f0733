/* rooms: train */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/train/learning_rate.h"

#include <math.h>

enum { STEPS = 10, EPOCHS = 20 }; /* steps of an epoch */

static dt_plan plan_of(const dt_schedule *schedule, double warmup)
{
    return (dt_plan){.epochs = EPOCHS,
                     .monitor = &dt_classification.metrics[0],
                     .learning_rate = 0.5,
                     .schedule = schedule,
                     .schedule_factor = 0.1,
                     .schedule_every = 2,
                     .warmup = warmup,
                     .task = &dt_classification};
}

/* The rate rises from 0 in a line to the schedule's first; then the schedule takes all steps that
 * are left. */
static void test_warmup(void **state)
{
    (void)state;
    for (size_t s = 0; s < DT_SCHEDULE_COUNT; s++) {
        const dt_plan plan = plan_of(dt_schedules[s], 2.5);
        const dt_schedule_point start = {.factor = 0.1, .every = 2};
        const double first = 0.5 * dt_schedules[s]->factor(&start);
        for (uint64_t t = 0; t <= 25; t++)
            assert_true(fabs(dt_learning_rate(&plan, STEPS, t, 0) - first * (double)t / 25) <
                        1e-15);
        for (uint64_t t = 25; t < EPOCHS * STEPS; t++) {
            const double since = (double)t - 25;
            const dt_schedule_point at = {since / 175, since / STEPS, 0, 0.1, 2};
            assert_true(dt_learning_rate(&plan, STEPS, t, 0) == 0.5 * dt_schedules[s]->factor(&at));
        }
    }
}

/* Keras's CosineDecay(0.0, 175, warmup_target=0.5, warmup_steps=25) at these steps. */
static void test_keras_cosine(void **state)
{
    (void)state;
    static const struct {
        uint64_t step;
        double rate;
    } rows[] = {{0, 0.0},         {10, 0.2},         {25, 0.5},
                {60, 0.45225425}, {112, 0.25224391}, {199, 4.02778e-05}};
    const dt_plan plan = plan_of(&dt_schedule_cosine, 2.5);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(fabs(dt_learning_rate(&plan, STEPS, rows[i].step, 0) - rows[i].rate) < 1e-7);
}

static void test_no_warmup(void **state)
{
    (void)state;
    const dt_plan constant = plan_of(&dt_schedule_constant, 0),
                  step = plan_of(&dt_schedule_step, 0);
    assert_true(dt_learning_rate(&constant, STEPS, 0, 0) == 0.5);
    for (uint64_t t = 0; t < EPOCHS * STEPS; t++)
        assert_true(fabs(dt_learning_rate(&step, STEPS, t, 0) / (0.5 * pow(0.1, (double)(t / 20))) -
                         1.0) < 1e-14);
}

/* Judges losses of epochs; returns the reductions before each of the next, as a text. */
static const char *reductions(char *out, const dt_plan *plan, const double *losses, size_t count)
{
    dt_plateaus plateaus = dt_plateaus_start(plan);
    for (size_t i = 0; i < count; i++) {
        dt_metrics metrics = dt_metrics_none();
        metrics.loss = losses[i];
        dt_plateaus_judge(&plateaus, plan, (int64_t)i, &metrics);
        out[i] = (char)('0' + plateaus.count);
    }
    out[count] = '\0';
    return out;
}

/* As Keras's ReduceLROnPlateau(patience=2) reduces for the same losses. */
static void test_plateau(void **state)
{
    (void)state;
    static const double losses[] = {1,    0.9,  0.91,    0.92, 0.93, 0.8999,
                                    0.89, 0.89, 0.88995, 0.95, 0.5,  0.6};
    enum { COUNT = sizeof losses / sizeof *losses };
    char text[COUNT + 1];
    dt_plan plan = plan_of(&dt_schedule_plateau, 0);
    assert_string_equal(reductions(text, &plan, losses, COUNT), "000112223333");
    plan = plan_of(&dt_schedule_constant, 0);
    assert_string_equal(reductions(text, &plan, losses, COUNT), "000000000000");
    plan = plan_of(&dt_schedule_plateau, 0);
    assert_true(fabs(dt_learning_rate(&plan, STEPS, 77, 2) - 0.005) < 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_keras_cosine),
        cmocka_unit_test(test_no_warmup),
        cmocka_unit_test(test_plateau),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
