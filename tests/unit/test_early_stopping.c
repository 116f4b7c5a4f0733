/* rooms: train */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/train/early_stopping.h"

#include <math.h>
#include <string.h>

enum { MAX_EPOCHS = 8 };

/* What Keras 3.16 did with a sequence of values: the golden traces A to L; M to Q by
 * 3.15.1. */
typedef struct trace {
    const char *id;
    bool larger_is_better;
    double values[MAX_EPOCHS];
    int count;
    int64_t patience;
    double min_delta;
    int64_t start_from;
    double baseline; /* 0: none */
    bool restore;
    int epochs_run;
    int64_t stopped_epoch;
    double best;
    int weights_of; /* counted from 0: the epoch whose weights remain */
} trace;

static const trace traces[] = {
    {"A", false, {5, 4, 3, 3, 3, 3, 3}, 7, 2, 0, 0, 0, false, 5, 4, 3, 4},
    {"B", false, {5, 4, 3, 3, 3, 3, 3}, 7, 2, 0, 0, 0, true, 5, 4, 3, 2},
    {"C", false, {5, 4.95, 4.91, 4.85, 4.8}, 5, 2, 0.1, 0, 0, true, 3, 2, 5, 0},
    {"D", false, {5, 6, 7}, 3, 0, 0, 0, 0, false, 2, 1, 5, 1},
    {"E", false, {5, 6, 7}, 3, 1, 0, 0, 0, false, 2, 1, 5, 1},
    {"F", false, {NAN, 1, 1, 1, 1}, 5, 2, 0, 0, 0, false, 3, 2, NAN, 2},
    {"G", false, {3, NAN, NAN, 2}, 4, 2, 0, 0, 0, false, 3, 2, 3, 2},
    {"H", false, {9, 1, 5, 4, 3, 4, 4, 4}, 8, 2, 0, 2, 0, true, 7, 6, 3, 4},
    {"I", false, {5, 4, 3, 2.5, 2.4}, 5, 2, 0, 0, 2.0, true, 5, 0, 2.4, 4},
    {"J", false, {5, 4, 3}, 3, 10, 0, 0, 0, true, 3, 0, 3, 2},
    {"K", false, {5, 4, 4.5}, 3, 10, 0, 0, 0, true, 3, 0, 4, 1},
    {"M", false, {.5, .4, .3, .2, .25, .3, .35}, 7, 2, 0, 3, 0, true, 6, 5, .2, 3},
    {"N", true, {.9, .2, .5, .6, .65, .6, .7}, 7, 3, 0, 1, .55, true, 7, 0, .7, 6},
    {"O", true, {.1, .2, .3, .4, .5, .4}, 6, 2, 0, 0, .9, true, 6, 5, .5, 4},
    {"P", true, {.1, .2, .3, .25, .5, .4}, 6, 2, 0, 0, .9, true, 4, 3, .3, 2},
    {"Q", false, {3, 2, 1, 1.5, 1.6}, 5, 0, .1, 2, 1.05, true, 4, 3, 1, 2},
    {"L", true, {.5, .6, .6, .6}, 4, 2, 0, 0, 0, false, 4, 3, .6, 3},
};

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || a == b || (isnan(a) && isnan(b));
}

/* Keeps and gives back weights as the trainer does: keep when improved, give back at the end. */
static void run_trace(const trace *t)
{
    dt_early_stopping stopping =
        dt_early_stopping_start(t->larger_is_better, t->patience, t->min_delta);
    stopping.start_from_epoch = t->start_from;
    if (t->baseline != 0)
        stopping.baseline = t->baseline;
    int weights = -1, kept = -1, epochs = 0;
    bool stop = false;
    for (; epochs < t->count && !stop; epochs++) {
        weights = epochs;
        dt_verdict verdict = dt_early_stopping_judge(&stopping, epochs, t->values[epochs]);
        if (verdict.improved)
            kept = epochs;
        assert_false(verdict.improved && verdict.stop);
        stop = verdict.stop;
    }
    if (t->restore)
        weights = kept;
    if (epochs != t->epochs_run || stopping.stopped_epoch != t->stopped_epoch ||
        !same(stopping.best, t->best) || weights != t->weights_of)
        fail_msg("trace %s: %d epochs, stopped_epoch %d, best %g, weights of %d", t->id, epochs,
                 (int)stopping.stopped_epoch, stopping.best, weights);
    assert_int_equal(stopping.best_epoch, kept);
    assert_true(stopping.has_best);
}

static void test_golden_traces(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof traces / sizeof *traces; i++)
        run_trace(&traces[i]);
}

static void test_starts_with_nothing(void **state)
{
    (void)state;
    dt_early_stopping stopping = dt_early_stopping_start(false, 2, -0.5);
    assert_false(stopping.larger_is_better);
    assert_false(stopping.has_best);
    assert_true(isnan(stopping.best));
    assert_true(isnan(stopping.baseline));
    assert_int_equal(stopping.best_epoch, -1);
    assert_int_equal(stopping.stopped_epoch, 0);
    assert_true(same(stopping.min_delta, 0.5)); /* as Keras: the sign is the mode's */
    assert_true(dt_early_stopping_start(true, 2, 0).larger_is_better);
}

static void test_improvement_is_strict(void **state)
{
    (void)state;
    dt_early_stopping down = dt_early_stopping_start(false, 100, 0.25);
    dt_early_stopping up = dt_early_stopping_start(true, 100, 0.25);
    assert_true(dt_early_stopping_judge(&down, 0, 1.0).improved);
    assert_true(dt_early_stopping_judge(&up, 0, 0.5).improved);
    assert_false(dt_early_stopping_judge(&down, 1, 0.75).improved); /* exactly min_delta */
    assert_false(dt_early_stopping_judge(&up, 1, 0.75).improved);
    assert_true(dt_early_stopping_judge(&down, 2, nextafter(0.75, 0)).improved);
    assert_true(dt_early_stopping_judge(&up, 2, nextafter(0.75, 1)).improved);
}

static void test_never_stops_in_the_first_epoch(void **state)
{
    (void)state;
    dt_early_stopping stopping = dt_early_stopping_start(false, 0, 0);
    assert_false(dt_early_stopping_judge(&stopping, 0, 1.0).stop);
    dt_early_stopping again = stopping;
    assert_false(dt_early_stopping_judge(&again, 0, 2.0).stop); /* worse, but epoch 0 */
    assert_true(dt_early_stopping_judge(&stopping, 1, 2.0).stop);
}

static void test_epochs_before_the_start_change_nothing(void **state)
{
    (void)state;
    dt_early_stopping stopping = dt_early_stopping_start(false, 1, 0);
    stopping.start_from_epoch = 3;
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        dt_verdict verdict = dt_early_stopping_judge(&stopping, epoch, 10.0 - (double)epoch);
        assert_false(verdict.improved || verdict.stop);
    }
    assert_int_equal(stopping.wait, 0);
    assert_int_equal(stopping.best_epoch, -1);
    assert_true(dt_early_stopping_judge(&stopping, 3, 11.0).improved);
}

static void test_baseline(void **state)
{
    (void)state;
    dt_early_stopping stopping = dt_early_stopping_start(false, 2, 0);
    stopping.baseline = 2.0;
    assert_true(dt_early_stopping_judge(&stopping, 0, 3.0).improved);
    assert_int_equal(stopping.wait, 1); /* improved, but not better than the baseline */
    assert_true(dt_early_stopping_judge(&stopping, 1, 1.5).improved);
    assert_int_equal(stopping.wait, 0);
    assert_false(dt_early_stopping_judge(&stopping, 2, 1.7).stop);
    assert_true(dt_early_stopping_judge(&stopping, 3, 1.7).stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_traces),
        cmocka_unit_test(test_starts_with_nothing),
        cmocka_unit_test(test_improvement_is_strict),
        cmocka_unit_test(test_never_stops_in_the_first_epoch),
        cmocka_unit_test(test_epochs_before_the_start_change_nothing),
        cmocka_unit_test(test_baseline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
