/*
 * The choice of trials that continue. Without --halving there is one rung with all trials. With it,
 * a rung ends when all of its trials have its epochs, so that the choice depends on nothing else.
 */
#include "search_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t dt_search_rungs(const dt_search *s)
{
    int64_t rungs = 1;
    if (s->settings.halving > 1)
        for (int64_t left = s->trials / s->settings.halving; left > 0; left /= s->settings.halving)
            rungs++;
    return rungs;
}

int64_t dt_search_rung_epochs(const dt_search *s, int64_t rung)
{
    const int64_t rungs = dt_search_rungs(s);
    int64_t parts = 1; /* of all epochs this rung ends after one */
    if (rung >= rungs)
        return 0;
    for (int64_t i = rung; i < rungs; i++)
        parts *= s->settings.halving;
    return (s->run->settings.epochs + parts - 1) / parts;
}

static bool has_state(const dt_trial *row, const char *state)
{
    return strcmp(row->state, state) == 0;
}

/* The trial has a model, or may get one. */
static bool is_promising(const dt_trial *row)
{
    return has_state(row, "ok") || has_state(row, "paused");
}

bool dt_search_is_due(const dt_search *s, const dt_trial *row)
{
    const int64_t epochs = dt_search_rung_epochs(s, s->dealer.rung);
    if (has_state(row, "waiting"))
        return true;
    return has_state(row, "paused") && (epochs == 0 || row->epochs < epochs);
}

/* ---- ranking ---- */

static int compare(const void *a, const void *b)
{
    const dt_ranked *first = a, *second = b;
    if (first->value < second->value || first->value > second->value)
        return first->value < second->value ? -1 : 1;
    return first->trial < second->trial ? -1 : first->trial > second->trial;
}

static double sign_of(const dt_search *s)
{
    return dt_settings_monitor(&s->run->settings)->larger_is_better ? -1.0 : 1.0;
}

/* The best value in the epochs of this rung: a trial that is resumed may have more. */
static double value_in_rung(const dt_search *s, int64_t trial, int64_t epochs)
{
    const dt_curve *curve = &s->dealer.curves[trial - 1];
    double best = INFINITY;
    if (!is_promising(&s->dealer.rows[trial - 1]))
        return best;
    for (size_t i = 0; i < curve->count && (int64_t)i < epochs; i++)
        best = fmin(best, sign_of(s) * curve->epochs[i].value); /* a NaN loses */
    return best;
}

static int compare_numbers(const void *a, const void *b)
{
    const int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return first < second ? -1 : first > second;
}

/* Keeps the best of the queue, in the order of their numbers. */
static void keep_best(dt_search *s)
{
    dt_dealer *d = &s->dealer;
    dt_ranked *ranking = d->ranking;
    const int64_t epochs = dt_search_rung_epochs(s, d->rung), count = d->queue_count;
    const int64_t kept = count / s->settings.halving;
    for (int64_t i = 0; i < count; i++)
        ranking[i] = (dt_ranked){d->queue[i], value_in_rung(s, d->queue[i], epochs)};
    qsort(ranking, (size_t)count, sizeof *ranking, compare);
    d->queue_count = 0;
    for (int64_t i = 0; i < count; i++) {
        dt_trial *row = &d->rows[ranking[i].trial - 1];
        if (i < kept && isfinite(ranking[i].value)) {
            d->queue[d->queue_count++] = ranking[i].trial;
        } else if (has_state(row, "paused")) {
            memcpy(row->state, "dropped", sizeof "dropped");
            dt_search_remove_checkpoint(s, row->trial);
        }
    }
    qsort(d->queue, (size_t)d->queue_count, sizeof *d->queue, compare_numbers);
}

bool dt_search_begin_rung(dt_search *s)
{
    dt_dealer *d = &s->dealer;
    if (d->rung == dt_search_rungs(s))
        return false;
    if (d->rung == 0) {
        d->queue_count = s->trials;
        for (int64_t i = 0; i < s->trials; i++)
            d->queue[i] = i + 1;
    } else {
        keep_best(s);
    }
    d->rung++;
    d->queue_next = 0;
    for (int64_t i = 0; i < d->queue_count; i++)
        d->rows[d->queue[i] - 1].rung = d->rung;
    return d->queue_count > 0;
}

int64_t dt_search_best(const dt_search *s)
{
    int64_t best = -1;
    for (int64_t i = 0; i < s->trials; i++) {
        const dt_trial *row = &s->dealer.rows[i];
        if (!has_state(row, "ok") || isnan(row->value))
            continue;
        if (best < 0 || sign_of(s) * row->value < sign_of(s) * s->dealer.rows[best].value)
            best = i;
    }
    return best;
}
