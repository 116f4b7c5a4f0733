/*
 * Training: the same bits on any number of ranks. Each rank also trains alone, as a job of one
 * rank, and once more by hand, shard by shard in another order; all results must agree.
 */
#include "run_fixture.h"
#include "same_evaluation.h"

#include "dtrain/base/random.h"
#include "dtrain/comm/exact_sum.h"
#include "dtrain/nn/loss.h"
#include "dtrain/nn/optimizer.h"
#include "dtrain/nn/spec.h"

#include <math.h>

/* ---- by hand ---- */

typedef struct hand {
    const dt_dataset *sets;
    dt_network net;
    dt_optimizer adam;
    dt_workspace workspace;
    float *x, *gradient;
    dt_target *y;
    dt_loss_rows rows;
    int64_t *sums;
    dt_exact_grid grid;
    int64_t outside;
} hand;

static void add_terms(void *context, const dt_gradient_block *block, const float *gradient,
                      bool fresh, bool last, int thread)
{
    (void)fresh, (void)last, (void)thread; /* fresh to the pass, not to these sums */
    hand *h = context;
    for (size_t i = 0; i < block->rows; i++)
        for (size_t j = 0; j < block->columns; j++)
            h->outside +=
                dt_exact_add(h->sums + block->first + i * block->row_step + j * block->column_step,
                             &gradient[i * DT_PANEL + j], 1, &h->grid);
}

/* Loss of rows that stand in h->x and h->y, as a segment of their own. */
static double loss_of(hand *h, size_t rows)
{
    const size_t start[2] = {0, rows};
    const dt_segments segments = {1, start};
    float *logits = dt_network_forward(&h->net, &h->workspace, h->x, &segments);
    dt_cross_entropy.gradient(logits, h->y, rows, h->net.C, 0.0, &h->rows);
    double sum = 0;
    for (size_t i = 0; i < rows; i++)
        sum += (double)h->rows.loss[i];
    return sum;
}

static double step_by_hand(hand *h, uint32_t *const *orders, size_t first, size_t count)
{
    const dt_dataset *set = &h->sets[DT_TRAIN];
    double loss = 0;
    h->grid = dt_exact_grid_for(count, 0);
    memset(h->sums, 0, h->net.P * sizeof *h->sums);
    for (size_t s = set->S; s-- > 0;) { /* the other way round */
        size_t rows = 0;
        for (size_t q = first; q < first + count; q++) {
            if (q % set->S != s)
                continue;
            const size_t at = set->shard_start[s] + orders[s][q / set->S];
            memcpy(h->x + rows * set->D, set->x + at * set->D, set->D * sizeof(float));
            h->y[rows++] = set->y[at];
        }
        if (rows == 0)
            continue;
        const size_t start[2] = {0, rows};
        const dt_segments segments = {1, start};
        loss += loss_of(h, rows);
        dt_network_backward(&h->net, &h->workspace, &segments, add_terms, NULL, h);
    }
    dt_exact_finish(h->gradient, h->sums, h->net.P, &h->grid, 1.0 / (double)count);
    dt_optimizer_begin_step(&h->adam);
    dt_optimizer_update(&h->adam, h->net.params, h->gradient, 0, h->net.P, false);
    return loss;
}

static double epoch_by_hand(hand *h, uint64_t epoch, size_t batch)
{
    const dt_dataset *set = &h->sets[DT_TRAIN];
    uint32_t **orders = calloc(set->S, sizeof *orders);
    double loss = 0;
    for (size_t s = 0; s < set->S; s++) {
        dt_random random = dt_random_start(7, DT_RANDOM_SHUFFLE, epoch << 32 | s);
        orders[s] = calloc(set->N / set->S + 1, sizeof **orders);
        dt_random_permutation(&random, orders[s], set->shard_start[s + 1] - set->shard_start[s]);
    }
    for (size_t first = 0; first < set->N; first += batch)
        loss += step_by_hand(h, orders, first, set->N - first < batch ? set->N - first : batch);
    for (size_t s = 0; s < set->S; s++)
        free(orders[s]);
    free(orders);
    return loss / (double)set->N;
}

static double validation_by_hand(hand *h)
{
    const dt_dataset *set = &h->sets[DT_VALIDATION];
    double loss = 0;
    for (size_t i = 0; i < set->N; i++) {
        memcpy(h->x, set->x + i * set->D, set->D * sizeof(float));
        h->y[0] = set->y[i];
        loss += loss_of(h, 1);
    }
    return loss / (double)set->N;
}

/* Fills in epochs' weights_crc and losses; the epochs are those of `like`, trained before. */
static void train_by_hand(history *out, const run *r, int epochs)
{
    const dt_comm alone = ranks_alone();
    dt_dataset sets[DT_SET_COUNT];
    hand h = {.sets = sets};
    *out = (history){0};
    assert_all_int(run_load(sets, &alone, r), DT_OK);
    const size_t N = r->rows[DT_TRAIN];
    assert_all_int(
        dt_spec_make(&h.net, r->D, r->hidden, r->hidden_count, r->activation, sets[DT_TRAIN].C, 7),
        DT_OK);
    assert_all_int(dt_optimizer_init(&h.adam, &dt_adam, h.net.P, r->learning_rate), DT_OK);
    assert_all_int(dt_workspace_init(&h.workspace, &h.net, N, DT_BOTH_PASSES), DT_OK);
    h.x = calloc(N * r->D, sizeof *h.x);
    h.y = calloc(N, sizeof *h.y);
    assert_all_int(dt_loss_rows_init(&h.rows, &dt_cross_entropy, N), DT_OK);
    h.gradient = calloc(h.net.P, sizeof *h.gradient);
    h.sums = calloc(h.net.P, sizeof *h.sums);
    for (int e = 0; e < epochs; e++) {
        out->epochs[e].train.loss = epoch_by_hand(&h, (uint64_t)e + 1, (size_t)r->batch);
        out->epochs[e].validation.loss = validation_by_hand(&h);
        out->epochs[e].weights_crc = dt_trainer_crc(&h.net);
    }
    assert_all_int(h.outside, 0);
    free(h.x);
    free(h.y);
    dt_loss_rows_clear(&h.rows);
    free(h.gradient);
    free(h.sums);
    dt_workspace_clear(&h.workspace);
    dt_optimizer_clear(&h.adam);
    dt_network_clear(&h.net);
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_dataset_clear(&sets[p]);
}

/* ---- comparing ---- */

static void check_same_history(const history *a, const history *b)
{
    assert_all_int(a->status, b->status);
    assert_all_string(a->text, b->text);
    assert_all_int(a->count, b->count);
    assert_all_int(a->crc, b->crc);
    assert_all_int(a->result.weights_crc, b->result.weights_crc);
    assert_all_int(a->result.best_epoch, b->result.best_epoch);
    assert_all_int(a->result.epochs, b->result.epochs);
    for (int e = 0; e < a->count; e++) {
        assert_all_int(a->epochs[e].weights_crc, b->epochs[e].weights_crc);
        assert_all_int(a->epochs[e].epoch, e + 1);
        assert_all(same_metrics(a->epochs[e].train, b->epochs[e].train));
        assert_all(same_metrics(a->epochs[e].validation, b->epochs[e].validation) ||
                   isnan(a->epochs[e].validation.loss));
        assert_all_int(a->epochs[e].improved, b->epochs[e].improved);
    }
    for (int p = 0; p < DT_SET_COUNT; p++) {
        assert_all(same_metrics(a->result.metrics[p], b->result.metrics[p]) ||
                   isnan(a->result.metrics[p].loss));
        assert_all(same_evaluation(&a->result.evaluation[p], &b->result.evaluation[p]));
    }
}

/* The evaluations against the metrics beside them, and what the sets are known to hold. */
static void check_evaluations(const history *h, const run *r)
{
    for (int p = 0; p < DT_SET_COUNT; p++) {
        const dt_evaluation *e = &h->result.evaluation[p];
        int64_t rows = 0;
        assert_all_int(e->N, r->rows[p]);
        assert_all_int(e->C, e->N > 0 ? r->C : 0);
        for (size_t i = 0; i < e->C * e->C; i++)
            rows += e->confusion[i];
        assert_all_int(rows, r->rows[p]);
        if (e->N == 0)
            continue;
        assert_all(e->model.accuracy == h->result.metrics[p].accuracy);
        /* Clipped, and clipped less. */
        assert_all(e->model.loss <= e->model.log_loss + 1e-6);
        assert_all(e->model.log_loss <= h->result.metrics[p].loss + 1e-5);
        if (h->result.metrics[p].loss < 1)
            assert_all_close(e->model.log_loss, h->result.metrics[p].loss, 1e-5);
        assert_all(isnan(e->model.roc_auc) == (p == DT_TRAIN)); /* no curves there */
        assert_all((e->roc_count > 0) == (p != DT_TRAIN && e->C == 2));
    }
}

static void check_run(const run *r)
{
    const dt_comm all = ranks_all(), alone = ranks_alone();
    history together, single, by_hand;
    run_write_data(r);
    run_train(&together, &all, r);
    assert_all_string(together.text, "");
    assert_all_same(&together.crc, sizeof together.crc);
    run_train(&single, &alone, r);
    check_same_history(&together, &single);
    check_evaluations(&together, r);
    train_by_hand(&by_hand, r, together.count);
    for (int e = 0; e < together.count; e++) {
        const dt_epoch *got = &together.epochs[e], *expected = &by_hand.epochs[e];
        assert_all_int(got->weights_crc, expected->weights_crc);
        assert_all_close(got->train.loss, expected->train.loss, 2e-6);
        if (r->rows[DT_VALIDATION] > 0)
            assert_all_close(got->validation.loss, expected->validation.loss, 2e-6);
    }
    assert_all(together.crc != together.crc_before);
    dt_result_clear(&together.result);
    dt_result_clear(&single.result);
}

static void test_same_bits_on_any_number_of_ranks(void **state)
{
    (void)state;
    check_run(&ordinary);
    run r = ordinary;
    r.S = 11;
    r.hidden[1] = 7;
    r.hidden_count = 2;
    r.activation = DT_ACTIVATION_TANH;
    check_run(&r);
    r.hidden_count = 0;
    r.batch = 1;
    r.epochs = 2;
    check_run(&r);
}

/* Parameters beyond one block of the update, and beyond one gradient panel. */
static void test_a_wide_network(void **state)
{
    (void)state;
    run r = ordinary;
    r.D = 60;
    r.hidden[0] = 2400;
    r.epochs = 2;
    r.activation = DT_ACTIVATION_SIGMOID;
    check_run(&r);
}

static void test_odd_sizes(void **state)
{
    (void)state;
    run r = ordinary;
    r.batch = 3; /* fewer rows a step than shards: some ranks have none */
    r.epochs = 2;
    check_run(&r);
    r.batch = 100000; /* one step an epoch */
    check_run(&r);
    r.batch = 203;
    check_run(&r);
    const run tiny = {.rows = {3, 2, 0}, /* fewer rows than ranks */
                      .D = 1,
                      .C = 2,
                      .S = 8,
                      .hidden = {1},
                      .hidden_count = 1,
                      .batch = 2,
                      .epochs = 3,
                      .patience = 9,
                      .learning_rate = 0.1};
    check_run(&tiny);
}

/* Gradients beyond the finest grid are summed on coarser ones, and come out the same as well. */
static void test_unstandardised_inputs(void **state)
{
    (void)state;
    const dt_comm all = ranks_all(), alone = ranks_alone();
    for (double scale = 1e5; scale < 1e9; scale *= 1000) {
        run r = ordinary;
        history together, single;
        r.scale = scale;
        run_write_data(&r);
        run_train(&together, &all, &r);
        assert_all_string(together.text, "");
        assert_all_int(together.result.epochs, r.epochs);
        run_train(&single, &alone, &r);
        check_same_history(&together, &single);
        dt_result_clear(&together.result);
        dt_result_clear(&single.result);
    }
}

static void test_without_validation(void **state)
{
    (void)state;
    run r = ordinary;
    r.rows[DT_VALIDATION] = 0;
    r.rows[DT_TEST] = 0;
    r.patience = 0;
    check_run(&r);
    const dt_comm all = ranks_all();
    history h;
    run_train(&h, &all, &r);
    assert_all_int(h.result.epochs, r.epochs);
    assert_all_int(h.result.best_epoch, r.epochs);
    assert_all(isnan(h.epochs[0].validation.loss) && isnan(h.result.metrics[DT_VALIDATION].loss));
    assert_all(h.result.evaluation[DT_VALIDATION].classes == NULL);
    dt_result_clear(&h.result);
}

/* Labels that mean nothing: the validation loss rises, training stops, the best weights return. */
static void test_with_early_stopping(void **state)
{
    (void)state;
    run r = ordinary;
    r.noise = true;
    r.patience = 3;
    r.epochs = MAX_EPOCHS;
    r.learning_rate = 0.03;
    check_run(&r);
    r.no_restore_best = true;
    check_run(&r);
}

static const struct CMUnitTest tests[] = {
    with_folder(test_same_bits_on_any_number_of_ranks),
    with_folder(test_a_wide_network),
    with_folder(test_odd_sizes),
    with_folder(test_unstandardised_inputs),
    with_folder(test_without_validation),
    with_folder(test_with_early_stopping),
};

MPI_SUITE(test_trainer, tests);
