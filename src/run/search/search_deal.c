/*
 * Rank 0 deals trials to groups. It leads a group itself: while that trains, rank 0 looks for
 * messages between two steps.
 *
 * A leader reports what came of its trial, and then waits for an order. So the other end always
 * looks for the message, and nobody waits for one that will not come.
 */
#include "search_internal.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/signals.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const double LOOK_S = 0.001, SAVE_S = 2.0;

/* ---- rank 0 ---- */

static void give_order(dt_search *s, int group, dt_order order)
{
    dt_group *g = &s->dealer.groups[group];
    if (group > 0) {
        dt_crew_send(s->crew, group, &order, sizeof order);
    } else if (order.kind == DT_ORDER_STOP) {
        dt_signals_note(order.signal);
    } else {
        g->order = order;
        g->has_order = true;
    }
}

/* No more trials are dealt, and those in progress stop with checkpoints. */
static void stop_all(dt_search *s, dt_status status, const char *text)
{
    dt_dealer *d = &s->dealer;
    if (d->stops)
        return;
    d->stops = true;
    d->status = status;
    (void)snprintf(d->text, sizeof d->text, "%s", text);
    const int pending = dt_signals_pending();
    const dt_order stop = {.kind = DT_ORDER_STOP, .signal = pending != 0 ? pending : SIGTERM};
    for (int g = 0; g < dt_crew_count(s->crew); g++)
        if (d->groups[g].state == DT_GROUP_TRAINS)
            give_order(s, g, stop);
}

static void save(dt_search *s)
{
    if (dt_search_save(s, "running", NULL) != DT_OK && !s->dealer.stops)
        stop_all(s, DT_OUTPUT, dt_status_text());
    s->dealer.saved_s = dt_clock_s();
}

/* Copies the curve. */
static void take_report(dt_search *s, int group, const dt_report *report, dt_curve curve)
{
    dt_dealer *d = &s->dealer;
    if (report->row.trial == 0) { /* its group may have started to train */
        dt_memory_free(curve.epochs);
    } else {
        d->groups[group].state = DT_GROUP_IDLE;
        dt_trial *row = &d->rows[report->row.trial - 1];
        const int64_t rung = row->rung;
        *row = report->row;
        row->rung = rung;
        dt_memory_free(d->curves[row->trial - 1].epochs);
        d->curves[row->trial - 1] = curve;
        if (report->status == DT_OK)
            dt_search_print_trial(s, row);
    }
    if (report->status != DT_OK)
        stop_all(s, (dt_status)report->status, report->text);
    if (dt_clock_s() - d->saved_s >= SAVE_S)
        save(s);
}

/* Receives a message of another leader: a report and its epochs. */
static void receive_report(dt_search *s, int group, size_t bytes)
{
    char *message = NULL;
    dt_report report;
    dt_curve curve = {0};
    dt_status status = dt_memory_alloc(&message, bytes, 1, "reports");
    if (status != DT_OK) /* without a few hundred bytes the job cannot continue */
        dt_assert_failed("there is memory for a report", __FILE__, __LINE__);
    dt_crew_receive(s->crew, group, message, bytes);
    memcpy(&report, message, sizeof report);
    curve.count = (size_t)report.epochs;
    status = dt_memory_alloc(&curve.epochs, curve.count, sizeof *curve.epochs, "epochs of a trial");
    if (status == DT_OK) {
        memcpy(curve.epochs, message + sizeof report, curve.count * sizeof *curve.epochs);
    } else {
        curve.count = 0;
        report.status = (int)status;
        (void)snprintf(report.text, sizeof report.text, "%s", dt_status_text());
    }
    dt_memory_free(message);
    take_report(s, group, &report, curve);
}

/* Finds the next trial of the rung that has to be trained; 0: there is none. */
static int64_t next_trial(dt_dealer *d, const dt_search *s)
{
    while (d->queue_next < d->queue_count) {
        const int64_t trial = d->queue[d->queue_next++];
        if (dt_search_is_due(s, &d->rows[trial - 1]))
            return trial;
    }
    return 0;
}

static int count_groups(const dt_search *s, dt_group_state state)
{
    int count = 0;
    for (int g = 0; g < dt_crew_count(s->crew); g++)
        count += s->dealer.groups[g].state == state;
    return count;
}

/* To all groups, of which none trains. */
static void give_all(dt_search *s, dt_order order)
{
    for (int g = 0; g < dt_crew_count(s->crew); g++)
        give_order(s, g, order);
}

static void deal(dt_search *s);

/* If fewer trials are left than groups, groups may merge first. */
static void begin_rung(dt_search *s)
{
    if (s->dealer.stops || !dt_search_begin_rung(s)) {
        give_all(s, (dt_order){.kind = DT_ORDER_END});
        return;
    }
    int64_t due = 0;
    for (int64_t i = 0; i < s->dealer.queue_count; i++)
        due += dt_search_is_due(s, &s->dealer.rows[s->dealer.queue[i] - 1]);
    const int together = dt_search_choose_merge(s, due);
    if (together > 1)
        give_all(s, (dt_order){.kind = DT_ORDER_REGROUP, .together = together});
    else
        deal(s);
}

/* Gives each idle group a trial. Once no group has one, the next rung begins, or all end. */
static void deal(dt_search *s)
{
    dt_dealer *d = &s->dealer;
    for (int g = 0; g < dt_crew_count(s->crew) && !d->stops; g++) {
        dt_group *group = &d->groups[g];
        if (group->state != DT_GROUP_IDLE)
            continue;
        const int64_t trial = next_trial(d, s);
        if (trial == 0)
            break;
        memcpy(d->rows[trial - 1].state, "running", sizeof "running");
        *group = (dt_group){.state = DT_GROUP_TRAINS, .trial = trial};
        give_order(s, g,
                   (dt_order){.kind = DT_ORDER_TRAIN,
                              .trial = trial,
                              .pause_after = dt_search_rung_epochs(s, d->rung)});
    }
    if (count_groups(s, DT_GROUP_TRAINS) == 0)
        begin_rung(s);
}

/* Checks for messages, and handles them. */
static void serve(dt_search *s)
{
    int group = 0;
    size_t bytes = 0;
    bool changed = false;
    while (dt_crew_arrived(s->crew, &group, &bytes)) {
        receive_report(s, group, bytes);
        changed = true;
    }
    if (dt_signals_pending() != 0 && !s->dealer.stops) {
        stop_all(s, DT_STOPPED, dt_signals_name(dt_signals_pending()));
        changed = true;
    }
    if (changed)
        deal(s);
    dt_search_print_progress(s);
}

/* ---- leaders ---- */

/* Between two steps. */
static void look(void *context)
{
    dt_search *s = context;
    const double now_s = dt_clock_s();
    if (now_s - s->looked_s < LOOK_S)
        return;
    s->looked_s = now_s;
    if (s->root) {
        FILE *output = dt_log_divert(NULL);
        serve(s);
        (void)dt_log_divert(output);
        return;
    }
    int from = 0;
    size_t bytes = 0;
    dt_order order;
    while (dt_crew_arrived(s->crew, &from, &bytes)) {
        dt_crew_receive(s->crew, from, &order, sizeof order);
        DT_ASSERT(order.kind == DT_ORDER_STOP); /* others come after the report */
        dt_signals_note(order.signal);
    }
}

static void send_report(const dt_search *s, const dt_report *report, const dt_curve *curve)
{
    char *message = NULL;
    const size_t bytes = curve->count * sizeof *curve->epochs;
    if (dt_memory_alloc(&message, sizeof *report + bytes, 1, "reports") != DT_OK)
        dt_assert_failed("there is memory for a report", __FILE__, __LINE__);
    memcpy(message, report, sizeof *report);
    if (bytes > 0)
        memcpy(message + sizeof *report, curve->epochs, bytes);
    dt_crew_send(s->crew, 0, message, sizeof *report + bytes);
    dt_memory_free(message);
}

/* A rank that is asked to stop while it waits reports it. */
static void tell_signal(const dt_search *s)
{
    dt_report report = {.status = DT_STOPPED};
    (void)snprintf(report.text, sizeof report.text, "%s", dt_signals_name(dt_signals_pending()));
    send_report(s, &report, &(dt_curve){0});
}

static void wait_for_order(dt_order *out, const dt_search *s)
{
    int from = 0;
    size_t bytes = 0;
    bool told = dt_signals_pending() != 0; /* its report contained it */
    out->kind = DT_ORDER_STOP;
    dt_crew_begin_wait(s->crew);
    for (;;) {
        while (out->kind == DT_ORDER_STOP && dt_crew_arrived(s->crew, &from, &bytes))
            dt_crew_receive(s->crew, from, out, sizeof *out);
        if (out->kind != DT_ORDER_STOP) /* the order came too late: the group had stopped */
            break;
        if (dt_signals_pending() != 0 && !told) {
            tell_signal(s);
            told = true;
        }
        dt_crew_pause(s->crew);
    }
    dt_crew_end_wait(s->crew);
}

/* The order of rank 0 to its own group. */
static void wait_for_own_order(dt_order *out, dt_search *s)
{
    dt_group *own = &s->dealer.groups[0];
    dt_crew_begin_wait(s->crew);
    while (!own->has_order) {
        serve(s);
        if (!own->has_order)
            dt_crew_pause(s->crew);
    }
    dt_crew_end_wait(s->crew);
    own->has_order = false;
    *out = own->order;
}

static void hand_in(dt_search *s, const dt_report *report, dt_curve curve)
{
    if (s->root) {
        take_report(s, 0, report, curve);
        deal(s);
    } else if (s->leads) {
        send_report(s, report, &curve);
        dt_memory_free(curve.epochs);
    }
}

/* Called by all ranks. A failure ends the search, because all ranks get it. */
static void merge_groups(dt_search *s, int together)
{
    const dt_status status = dt_search_regroup(s, s->root ? together : 0);
    if (s->root && status != DT_OK)
        stop_all(s, status, dt_status_text());
    if (s->root)
        deal(s);
}

dt_status dt_search_deal(dt_search *s)
{
    dt_report *report = NULL;
    dt_order order = {0};
    dt_status status =
        dt_comm_agree(s->all, dt_memory_alloc(&report, 1, sizeof *report, "reports"));
    if (status != DT_OK) {
        dt_memory_free(report);
        return status;
    }
    if (s->root)
        deal(s);
    for (;;) {
        dt_curve curve;
        if (s->root)
            wait_for_own_order(&order, s);
        else if (s->leads)
            wait_for_order(&order, s);
        dt_crew_share(s->crew, s->run->comm, &order, sizeof order);
        if (order.kind == DT_ORDER_END)
            break;
        if (order.kind == DT_ORDER_REGROUP) {
            merge_groups(s, order.together);
            continue;
        }
        dt_search_train(report, &curve, s, &order, look);
        hand_in(s, report, curve);
    }
    dt_memory_free(report);
    if (s->root && s->dealer.status != DT_OK)
        status = dt_fail(s->dealer.status, "%s", s->dealer.text);
    return dt_comm_agree(s->all, status);
}
