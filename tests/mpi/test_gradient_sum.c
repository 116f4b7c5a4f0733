/*
 * Ranks add up gradients piece by piece while later pieces are still computed, or in shared memory:
 * the steps have the same bits as with one all-reduce at the end.
 */
#include "run_fixture.h"

#include "dtrain/comm/background_sum.h"
#include "dtrain/nn/spec.h"
#include "dtrain/train/gradient_sum.h"
#include "dtrain/train/stepper.h"

#include <math.h>

enum { MOST_STEPS = 16, MOST_LAYERS = 24 };

/* ---- sums under way ---- */

/* More at a time than are ever under way, of all lengths, and other collectives in between. */
static void test_sums_under_way(void **state)
{
    (void)state;
    enum { SUMS = 100, MOST = 5000 };
    const dt_comm all = ranks_all();
    dt_background_sum *sum = NULL;
    static int64_t counts[SUMS][MOST];
    static float floats[SUMS][MOST];
    assert_all_int(dt_background_sum_new(&sum, &all), DT_OK);
    for (int round = 0; round < 3; round++) {
        bool right = true;
        for (size_t n = 0; n < SUMS; n++)
            for (size_t i = 0; i < MOST; i++) {
                counts[n][i] = ((int64_t)1 << 40) * (test_rank + 1) + (int64_t)(n + i);
                floats[n][i] = (float)(test_rank + 1) * (float)(n + i);
            }
        for (size_t n = 0; n < SUMS; n++) {
            const size_t count = n * 997 % (MOST + 1);
            dt_background_sum_add_i64(sum, counts[n], count);
            dt_background_sum_add_f32(sum, floats[n], count);
            if (n % 7 == (size_t)test_rank % 7) /* as often as each rank likes */
                dt_background_sum_poll(sum);
            int64_t most = test_rank;
            if (n % 10 == 3)
                dt_comm_max_i64(&all, &most, 1);
            right = right && most == (n % 10 == 3 ? test_size - 1 : test_rank);
        }
        dt_background_sum_wait(sum);
        dt_background_sum_poll(sum);
        dt_background_sum_wait(sum); /* nothing is under way: it returns */
        const int64_t ranks = test_size, triangle = ranks * (ranks + 1) / 2;
        for (size_t n = 0; n < SUMS; n++)
            for (size_t i = 0; i < MOST; i++) {
                const bool summed = i < n * 997 % (MOST + 1);
                const int64_t times = summed ? triangle : test_rank + 1;
                right = right && floats[n][i] == (float)times * (float)(n + i) &&
                        counts[n][i] ==
                            ((int64_t)1 << 40) * times + (summed ? ranks : 1) * (int64_t)(n + i);
            }
        assert_all(right);
    }
    dt_background_sum_free(sum);
    dt_background_sum_free(NULL);
}

/* ---- steps ---- */

/* How a network is trained here. */
typedef struct course {
    const char *what;
    run data;
    size_t hidden[MOST_LAYERS], hidden_count;
    dt_activation activation;
    double learning_rate;
    bool poisoned; /* one weight is not a number */
    bool zeroed; /* all weights are zero */
    size_t steps;
    int64_t stop_at; /* the step before which the last rank wishes to stop; 0: never */
} course;

/* What came of it. */
typedef struct outcome {
    dt_status status;
    char text[DT_STATUS_TEXT_BYTES];
    size_t steps; /* done */
    uint32_t crc[MOST_STEPS]; /* of the weights after each */
    dt_tally tally[MOST_STEPS];
    int exponent[MOST_STEPS]; /* of the exact sum's grid */
    bool stops[MOST_STEPS];
    unsigned long long calls; /* what the watchdog compares */
    bool wait_known;
    bool window;
} outcome;

static void walk(outcome *out, const course *c, dt_comm comm, dt_sum sum, dt_reduction how)
{
    dt_dataset sets[DT_SET_COUNT];
    dt_network net = {0};
    dt_optimizer adam = {0};
    dt_stepper stepper = {0};
    dt_phases phases = {0};
    dt_slot slot = {0};
    *out = (outcome){.status = run_load(sets, &comm, &c->data)};
    comm.slot = &slot;
    if (out->status == DT_OK)
        out->status =
            dt_spec_make(&net, c->data.D, c->hidden, c->hidden_count, c->activation, c->data.C, 5);
    if (out->status == DT_OK)
        out->status = dt_optimizer_init(&adam, &dt_adam, net.P, c->learning_rate);
    const dt_dataset *set = &sets[DT_TRAIN];
    const uint64_t batch = (uint64_t)c->data.batch;
    if (out->status == DT_OK)
        out->status =
            dt_stepper_init(&stepper, &comm, &one_host, set, &net, &adam, sum, batch, how, NULL);
    out->window = stepper.ranks_sum.window != NULL;
    if (c->poisoned && out->status == DT_OK)
        net.params[net.P / 3] = NAN;
    if (c->zeroed && out->status == DT_OK)
        memset(net.params, 0, net.P * sizeof *net.params);
    uint64_t first = 0;
    for (size_t i = 0; i < c->steps && out->status == DT_OK; i++) {
        const uint64_t count = set->N - first < batch ? set->N - first : batch;
        if (first == 0)
            dt_dataset_shuffle(&sets[DT_TRAIN], 3, i);
        stepper.stop_requested =
            (int64_t)i + 1 == c->stop_at && dt_comm_rank(&comm) == dt_comm_size(&comm) - 1;
        out->status = dt_stepper_run(&stepper, first, count, &out->tally[i], &phases);
        out->crc[i] = dt_trainer_crc(&net);
        out->exponent[i] = stepper.grid.exponent;
        out->stops[i] = stepper.stops;
        out->steps = i + (out->status == DT_OK);
        first = first + count < set->N ? first + count : 0;
    }
    if (out->status != DT_OK)
        (void)snprintf(out->text, sizeof out->text, "%s", dt_status_text());
    out->calls = atomic_load(&slot.calls);
    out->wait_known = !isnan(dt_stepper_wait_s(&stepper));
    dt_stepper_clear(&stepper);
    dt_optimizer_clear(&adam);
    dt_network_clear(&net);
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_dataset_clear(&sets[p]);
}

static bool same(const outcome *a, const outcome *b)
{
    return a->status == b->status && strcmp(a->text, b->text) == 0 && a->steps == b->steps &&
           memcmp(a->crc, b->crc, sizeof a->crc) == 0 &&
           memcmp(a->tally, b->tally, sizeof a->tally) == 0 &&
           memcmp(a->exponent, b->exponent, sizeof a->exponent) == 0 &&
           memcmp(a->stops, b->stops, sizeof a->stops) == 0;
}

static const dt_reduction at_once = {0};

/* Every way, on all ranks, comes to what one rank comes to alone. */
static void check(const course *c, outcome *usual)
{
    static const dt_reduction ways[] = {{.window = true}, {.piece = 0},
                                        {.piece = 1},     {.piece = 150},
                                        {.piece = 400},   {.piece = (size_t)1 << 40}};
    outcome *now = calloc(1, sizeof *now);
    const dt_comm all = ranks_all(), alone = ranks_alone();
    run_write_data(&c->data);
    walk(usual, c, alone, DT_SUM_EXACT, at_once);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        walk(now, c, all, DT_SUM_EXACT, ways[i]);
        if (!same(now, usual))
            print_message("%s, %s, piece %zu: '%s', %zu steps; '%s', %zu steps\n", c->what,
                          ways[i].window ? "window" : "messages", ways[i].piece, now->text,
                          now->steps, usual->text, usual->steps);
        assert_all(same(now, usual));
        assert_all(now->window == ways[i].window);
        assert_all(now->wait_known || usual->steps < 8);
        /* Each rank waited as often as any other, and is out of it. */
        assert_all_same(&now->calls, sizeof now->calls);
        assert_all(now->calls % 2 == 0);
        assert_all(test_size == 1 || now->calls > 0);
    }
    free(now);
}

/* 203 rows in batches of 50 leave 3 rows for the last one, and ranks of eight without any. */
static const course plain = {.what = "plain",
                             .data = {.rows = {203, 0, 0}, .D = 9, .C = 3, .S = 8, .batch = 50},
                             .hidden = {30, 17},
                             .hidden_count = 2,
                             .activation = DT_ACTIVATION_TANH,
                             .learning_rate = 0.01,
                             .steps = 15};

static void test_the_same_weights(void **state)
{
    (void)state;
    outcome *got = calloc(1, sizeof *got);
    check(&plain, got);
    assert_all_string(got->text, "");
    assert_all(got->steps == 15 && got->crc[0] != got->crc[14]);
    course c = plain;
    c.what = "one layer";
    c.hidden_count = 0;
    check(&c, got);
    assert_all_int(got->status, DT_OK);
    c = plain;
    c.what = "more pieces than are under way at a time";
    c.hidden_count = MOST_LAYERS;
    c.learning_rate = 0.001;
    c.steps = 9;
    for (size_t l = 0; l < MOST_LAYERS; l++)
        c.hidden[l] = 3 + l * 5 % 11;
    check(&c, got);
    assert_all_int(got->status, DT_OK);
    c = plain;
    c.what = "several panels";
    c.data.D = MAX_D;
    c.hidden[0] = 3000;
    c.steps = 9;
    check(&c, got);
    assert_all_int(got->status, DT_OK);
    c = plain;
    c.what = "one row a step";
    c.data.rows[DT_TRAIN] = 9;
    c.data.batch = 1;
    c.steps = 9;
    check(&c, got);
    assert_all_int(got->status, DT_OK);
    free(got);
}

static void test_a_coarser_grid(void **state)
{
    (void)state;
    outcome *got = calloc(1, sizeof *got);
    course c = plain;
    c.what = "large inputs";
    c.data.scale = 3e5;
    c.activation = DT_ACTIVATION_RELU;
    c.steps = 9;
    check(&c, got);
    assert_all_int(got->status, DT_OK);
    bool coarser = false;
    for (size_t i = 0; i < got->steps; i++)
        coarser = coarser || got->exponent[i] > -30;
    assert_all(coarser);
    free(got);
}

static void test_divergence(void **state)
{
    (void)state;
    outcome *got = calloc(1, sizeof *got);
    course c = plain;
    c.what = "not a number";
    c.poisoned = true;
    check(&c, got);
    assert_all_int(got->status, DT_DIVERGED);
    assert_all(strstr(got->text, "layer 1 (9 to 30)") != NULL);
    c = plain;
    c.what = "beyond every grid";
    c.data.scale = 1e19;
    c.hidden_count = 0;
    c.zeroed = true; /* so that the loss is small */
    check(&c, got);
    assert_all_int(got->status, DT_DIVERGED);
    assert_all(strstr(got->text, "a gradient is not finite, or beyond") != NULL);
    free(got);
}

static void test_a_wish_to_stop(void **state)
{
    (void)state;
    outcome *got = calloc(1, sizeof *got);
    course c = plain;
    c.what = "a wish to stop";
    c.steps = 10;
    for (c.stop_at = 8; c.stop_at <= 9; c.stop_at++) { /* the wait is measured in the eighth step */
        check(&c, got);
        for (int64_t i = 0; i < 10; i++)
            assert_all(got->stops[i] == (i + 1 == c.stop_at));
    }
    free(got);
}

/* The fast sum promises no bits but these: all ranks have the same, and have them again. */
static void test_the_fast_sum(void **state)
{
    (void)state;
    outcome *got = calloc(3, sizeof *got);
    course c = plain;
    const dt_comm all = ranks_all();
    run_write_data(&c.data);
    walk(&got[0], &c, all, DT_SUM_FAST, at_once);
    assert_all_string(got[0].text, "");
    static const dt_reduction ways[] = {
        {.window = true}, {.piece = 1}, {.piece = 150}, {.piece = 100000}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        walk(&got[1], &c, all, DT_SUM_FAST, ways[i]);
        walk(&got[2], &c, all, DT_SUM_FAST, ways[i]);
        assert_all_string(got[1].text, "");
        assert_all(same(&got[1], &got[2]));
        assert_all_same(got[1].crc, sizeof got[1].crc);
        for (size_t k = 0; k < c.steps; k++)
            assert_all_close(dt_tally_mean(&got[1].tally[k], DT_TALLY_LOSS),
                             dt_tally_mean(&got[0].tally[k], DT_TALLY_LOSS), 1e-4);
    }
    c.stop_at = 3;
    c.steps = 3;
    walk(&got[1], &c, all, DT_SUM_FAST, ways[2]);
    assert_all(!got[1].stops[1] && got[1].stops[2]);
    c.poisoned = true;
    walk(&got[0], &c, all, DT_SUM_FAST, at_once);
    assert_all_int(got[0].status, DT_DIVERGED);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        walk(&got[1], &c, all, DT_SUM_FAST, ways[i]);
        assert_all_int(got[1].status, DT_DIVERGED);
        assert_all_string(got[1].text, got[0].text);
    }
    /* Finite, but the sum over many ranks need not be. */
    c = plain;
    c.data.scale = 1e36;
    c.hidden_count = 0;
    c.zeroed = true; /* so that the loss is small */
    run_write_data(&c.data);
    walk(&got[0], &c, all, DT_SUM_FAST, at_once);
    assert_all_int(got[0].status, DT_DIVERGED);
    assert_all(strstr(got[0].text, "a gradient is not finite, or beyond 4.1") != NULL);
    walk(&got[1], &c, all, DT_SUM_FAST, ways[0]);
    assert_all_string(got[1].text, got[0].text);
    free(got);
}

/* ---- the choice ---- */

static void test_the_choice(void **state)
{
    (void)state;
    enum { SMALL = 1627, LARGE = 2000000 };
    static const struct {
        dt_reduce reduce;
        dt_overlap overlap;
        int ranks, hosts;
        size_t P;
        bool window, pieces;
    } cases[] = {
        {DT_REDUCE_AUTO, DT_OVERLAP_AUTO, 1, 1, LARGE, false, false},
        {DT_REDUCE_WINDOW, DT_OVERLAP_AUTO, 1, 1, LARGE, false, false},
        {DT_REDUCE_AUTO, DT_OVERLAP_ON, 1, 1, LARGE, false, false},
        {DT_REDUCE_AUTO, DT_OVERLAP_AUTO, 8, 1, LARGE, true, false},
        {DT_REDUCE_AUTO, DT_OVERLAP_AUTO, 2, 2, LARGE, false, true},
        {DT_REDUCE_AUTO, DT_OVERLAP_AUTO, 2, 2, SMALL, false, false},
        {DT_REDUCE_AUTO, DT_OVERLAP_AUTO, 8, 2, SMALL, true, false},
        {DT_REDUCE_AUTO, DT_OVERLAP_OFF, 8, 8, LARGE, false, false},
        {DT_REDUCE_AUTO, DT_OVERLAP_OFF, 8, 2, LARGE, true, false},
        {DT_REDUCE_AUTO, DT_OVERLAP_ON, 8, 1, SMALL, false, true},
        {DT_REDUCE_ALLREDUCE, DT_OVERLAP_AUTO, 8, 1, LARGE, false, false},
        {DT_REDUCE_ALLREDUCE, DT_OVERLAP_AUTO, 8, 2, LARGE, false, true},
        {DT_REDUCE_WINDOW, DT_OVERLAP_AUTO, 8, 2, LARGE, true, false},
        {DT_REDUCE_WINDOW, DT_OVERLAP_OFF, 8, 8, SMALL, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t bytes = 4; bytes <= 8; bytes += 4) {
            const dt_reduction how =
                dt_gradient_sum_choose(cases[i].reduce, cases[i].overlap, cases[i].ranks,
                                       cases[i].hosts, cases[i].P, bytes);
            assert_all(how.window == cases[i].window && (how.piece > 0) == cases[i].pieces);
        }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sums_under_way), with_folder(test_the_same_weights),
    with_folder(test_a_coarser_grid),      with_folder(test_divergence),
    with_folder(test_a_wish_to_stop),      with_folder(test_the_fast_sum),
    cmocka_unit_test(test_the_choice),
};

MPI_SUITE(test_gradient_sum, tests);
