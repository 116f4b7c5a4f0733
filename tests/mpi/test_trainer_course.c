/* The course of a run: the best weights, the two ways to add up, and all reasons to stop. */
#include "dtrain/nn/spec.h"
#include "run_fixture.h"

#include <math.h>

/* Labels that mean nothing: the validation loss rises soon, and the best epoch is not the last. */
static void test_the_best_weights_come_back(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    run r = ordinary;
    history h;
    r.noise = true;
    r.patience = 3;
    r.epochs = MAX_EPOCHS;
    r.learning_rate = 0.03;
    run_write_data(&r);
    run_train(&h, &all, &r);
    int best = 0;
    for (int e = 0; e < h.count; e++) {
        best = h.epochs[e].validation.loss < h.epochs[best].validation.loss ? e : best;
        assert_all_int(h.epochs[e].improved, best == e);
    }
    assert_all(h.count < MAX_EPOCHS);
    assert_all_int(h.count, best + 1 + r.patience);
    assert_all_int(h.result.epochs, h.count);
    assert_all_int(h.result.best_epoch, best + 1);
    assert_all_int(h.result.weights_crc, h.epochs[best].weights_crc);
    assert_all_int(h.crc, h.epochs[best].weights_crc);
    assert_all(same_metrics(h.result.metrics[DT_VALIDATION], h.epochs[best].validation));
    dt_result_clear(&h.result);

    r.no_restore_best = true;
    run_train(&h, &all, &r);
    assert_all_int(h.result.best_epoch, best + 1);
    assert_all_int(h.crc, h.epochs[h.count - 1].weights_crc);
    assert_all(same_metrics(h.result.metrics[DT_VALIDATION], h.epochs[h.count - 1].validation));
    dt_result_clear(&h.result);
}

static void test_it_learns(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    run r = ordinary;
    history exact, fast;
    r.epochs = 15;
    run_write_data(&r);
    run_train(&exact, &all, &r);
    assert_all(exact.epochs[14].train.loss < 0.75 * exact.epochs[0].train.loss);
    /* Float32 sums: other bits, the same training; and still the same weights on all ranks. */
    r.sum = DT_SUM_FAST;
    run_train(&fast, &all, &r);
    assert_all_string(fast.text, "");
    assert_all_same(&fast.crc, sizeof fast.crc);
    assert_all_int(fast.count, 15);
    for (int e = 0; e < 15; e++) {
        assert_all_close(fast.epochs[e].train.loss, exact.epochs[e].train.loss, 1e-3);
        assert_all_close(fast.epochs[e].validation.loss, exact.epochs[e].validation.loss, 1e-3);
    }
    assert_all_close(fast.epochs[0].train.accuracy, exact.epochs[0].train.accuracy, 1e-9);
    dt_result_clear(&exact.result);
    dt_result_clear(&fast.result);
    r.batch = 3; /* ranks without rows in a step */
    r.epochs = 2;
    run_train(&fast, &all, &r);
    r.sum = DT_SUM_EXACT;
    run_train(&exact, &all, &r);
    assert_all_close(fast.epochs[1].train.loss, exact.epochs[1].train.loss, 1e-3);
    dt_result_clear(&exact.result);
    dt_result_clear(&fast.result);
}

/* ---- what must end the run, on all ranks alike ---- */

static void check_fails(const run *r, dt_status status, const char *expected)
{
    const dt_comm all = ranks_all();
    history h;
    run_write_data(r);
    run_train(&h, &all, r);
    assert_all_int(h.status, status);
    assert_all_same(h.text, sizeof h.text);
    if (strstr(h.text, expected) == NULL && test_rank == 0)
        print_error("no \"%s\" in: %s\n", expected, h.text);
    assert_all(strstr(h.text, expected) != NULL);
    if (h.count == 0 && status == DT_DIVERGED && strstr(h.text, "step 1:") != NULL)
        assert_all_int(h.crc, h.crc_before); /* the step was not made */
    dt_result_clear(&h.result);
}

static void test_divergence(void **state)
{
    (void)state;
    run r = ordinary;
    r.learning_rate = 1e6;
    r.scale = 1000;
    check_fails(&r, DT_DIVERGED, "epoch 1, step 2: the loss is not finite");
    r.sum = DT_SUM_FAST;
    check_fails(&r, DT_DIVERGED, "epoch 1, step 2: the loss is not finite");
    r = ordinary;
    r.scale = 1e13; /* finite, but beyond what is added up */
    check_fails(&r, DT_DIVERGED, "epoch 1, step 1: the loss is not finite, or beyond 2^38");
}

static void test_a_rank_with_other_weights_is_found(void **state)
{
    (void)state;
    char expected[128];
    run r = ordinary;
    r.corrupt = true;
    if (test_size == 1)
        return;
    (void)snprintf(expected, sizeof expected,
                   "the checksum of the initial weights differs on rank %d: ", test_size - 1);
    check_fails(&r, DT_INTERNAL, expected);
}

static void spoil_a_weight(void *context, const dt_epoch *epoch)
{
    dt_network *net = context;
    (void)epoch;
    net->params[net->P / 2] += 1e-3f;
}

/* Rank 0's weights change behind its back; each rank has its own. */
static void test_weights_that_drift_apart_are_found(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    const run r = ordinary;
    dt_dataset sets[DT_SET_COUNT];
    dt_network net = {0};
    dt_optimizer adam;
    dt_result result;
    const dt_plan plan = {.batch = (uint64_t)r.batch,
                          .learning_rate = r.learning_rate,
                          .schedule = &dt_schedule_constant,
                          .task = &dt_classification,
                          .monitor = &dt_classification.metrics[0],
                          .epochs = 4,
                          .patience = 9,
                          .seed = 7,
                          .reduce = DT_REDUCE_ALLREDUCE};
    const dt_observer observer = {.epoch_ended = spoil_a_weight, .context = &net};
    run_write_data(&r);
    assert_all_int(run_load(sets, &all, &r), DT_OK);
    assert_all_int(run_make_network(&net, &adam, &r), DT_OK);
    const dt_status status =
        dt_trainer_run(&result, &all, &one_host, &plan, sets, &net, &adam, NULL, &observer);
    assert_all_int(status, test_size > 1 ? DT_INTERNAL : DT_OK);
    if (test_size > 1)
        assert_all(strstr(dt_status_text(),
                          "epoch 2: the checksum of the weights differs on rank ") != NULL);
    dt_result_clear(&result);
    dt_optimizer_clear(&adam);
    dt_network_clear(&net);
    for (int set = 0; set < DT_SET_COUNT; set++)
        dt_dataset_clear(&sets[set]);
}

/* ---- what comes after the training ---- */

/* Rows of one set that float32 holds, but not what the network makes of them. */
static void spoil(const run *r, int set)
{
    run spoiled = *r;
    spoiled.scale = 1e37;
    assert_all(test_rank != 0 || run_write_set(&spoiled, set));
    dt_mpi_barrier(MPI_COMM_WORLD);
}

/* The set that cannot be evaluated costs neither the weights nor what is known of the others. */
static void test_a_set_that_cannot_be_evaluated(void **state)
{
    (void)state;
    const dt_comm all = ranks_all(), alone = ranks_alone();
    run r = ordinary;
    history good, h, single;
    r.noise = true;
    r.patience = 3;
    r.epochs = MAX_EPOCHS;
    r.learning_rate = 0.03;
    run_write_data(&r);
    run_train(&good, &all, &r);
    assert_all_string(good.text, "");
    spoil(&r, DT_TEST);
    run_train(&h, &all, &r);
    assert_all_int(h.status, DT_DIVERGED);
    assert_all_same(h.text, sizeof h.text);
    assert_all(strncmp(h.text, "test set: the loss is not finite", 32) == 0);
    assert_all(h.result.best_epoch < h.result.epochs); /* so the best weights had to come back */
    assert_all_int(h.crc, good.crc);
    assert_all_int(h.result.weights_crc, good.crc);
    assert_all_int(h.result.epochs, good.result.epochs);
    assert_all_int(h.result.best_epoch, good.result.best_epoch);
    for (int p = DT_TRAIN; p < DT_TEST; p++) {
        assert_all(same_metrics(h.result.metrics[p], good.result.metrics[p]));
        assert_all_int(h.result.evaluation[p].N, r.rows[p]);
    }
    assert_all(isnan(h.result.metrics[DT_TEST].loss) && isnan(h.result.metrics[DT_TEST].accuracy));
    assert_all_int(h.result.evaluation[DT_TEST].N, 0);
    assert_all(h.result.evaluation[DT_TEST].classes == NULL);
    run_train(&single, &alone, &r);
    assert_all_string(single.text, h.text);
    assert_all_int(single.crc, h.crc);
    dt_result_clear(&good.result);
    dt_result_clear(&h.result);
    dt_result_clear(&single.result);
}

/* Training itself knows nothing of the sets' evaluations. */
static void test_a_run_that_is_not_evaluated(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    run r = ordinary;
    dt_dataset sets[DT_SET_COUNT];
    dt_network net = {0};
    dt_optimizer adam;
    dt_result result;
    history h = {0};
    const dt_plan plan = {.batch = (uint64_t)r.batch,
                          .epochs = 2,
                          .learning_rate = 0.01,
                          .schedule = &dt_schedule_constant,
                          .task = &dt_classification,
                          .monitor = &dt_classification.metrics[0],
                          .patience = 9,
                          .seed = 7};
    const dt_observer observer = {.epoch_ended = run_keep_epoch, .context = &h};
    run_write_data(&r);
    spoil(&r, DT_TEST);
    assert_all_int(run_load(sets, &all, &r), DT_OK);
    assert_all_int(dt_spec_make(&net, r.D, r.hidden, r.hidden_count, r.activation, r.C, 7), DT_OK);
    assert_all_int(dt_optimizer_init(&adam, &dt_adam, net.P, 0.01), DT_OK);
    assert_all_int(
        dt_trainer_run(&result, &all, &one_host, &plan, sets, &net, &adam, NULL, &observer), DT_OK);
    dt_optimizer_clear(&adam);
    assert_all_int(result.weights_crc, dt_trainer_crc(&net));
    assert_all_int(result.epochs, 2);
    for (int p = 0; p < DT_SET_COUNT; p++) {
        assert_all(isnan(result.metrics[p].loss) && isnan(result.metrics[p].accuracy));
        assert_all_int(result.evaluation[p].N, 0);
        dt_dataset_clear(&sets[p]);
    }
    dt_network_clear(&net);
    dt_result_clear(&result);
}

static const struct CMUnitTest tests[] = {
    with_folder(test_the_best_weights_come_back),
    with_folder(test_it_learns),
    with_folder(test_divergence),
    with_folder(test_a_rank_with_other_weights_is_found),
    with_folder(test_weights_that_drift_apart_are_found),
    with_folder(test_a_set_that_cannot_be_evaluated),
    with_folder(test_a_run_that_is_not_evaluated),
};

MPI_SUITE(test_trainer_course, tests);
