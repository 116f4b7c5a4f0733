#ifndef DTRAIN_TESTS_MPI_RUN_FIXTURE_H
#define DTRAIN_TESTS_MPI_RUN_FIXTURE_H

/** Small training runs on data made for them, on any communicator. */

#include "ranks.h"

#include "dtrain/base/random.h"
#include "dtrain/train/trainer.h"
#include "npz_fixture.h"

#include <math.h>

enum { MAX_EPOCHS = 32, MAX_D = 64 };

/** A run: data, network, settings. */
typedef struct run {
    size_t rows[DT_PART_COUNT], D, C, S;
    size_t hidden[3], hidden_count;
    dt_activation activation;
    double scale; /* of the inputs; 0: 1 */
    bool noise; /* labels that mean nothing */
    int64_t batch, epochs, patience;
    double learning_rate;
    dt_sum sum;
    bool no_restore_best;
    bool corrupt; /* one weight of the last rank is another */
} run;

/** What came of it. */
typedef struct history {
    dt_status status;
    char text[DT_STATUS_TEXT_BYTES];
    dt_epoch epochs[MAX_EPOCHS];
    int count;
    dt_result result;
    uint32_t crc_before, crc;
} history;

/* ---- data ---- */

static inline bool write_part(const run *r, int part)
{
    char shape[2][64];
    zip_bytes x = {0}, y = {0};
    for (size_t n = 0; n < r->rows[part]; n++) {
        dt_random random = dt_random_start((uint64_t)part, DT_RANDOM_EXAMPLE, n);
        double row[MAX_D];
        for (size_t j = 0; j < r->D; j++) {
            row[j] = dt_random_normal(&random);
            npz_append(&x, "'<f4'", row[j] * (r->scale > 0 ? r->scale : 1));
        }
        const double score = row[0] + fabs(row[1 % r->D]) + 0.5 * dt_random_normal(&random);
        size_t label = score < 0.3 ? 0 : score < 1.3 ? 1 : 2;
        label = r->noise ? dt_random_below(&random, r->C) : label % r->C;
        npz_append(&y, "'<i8'", n < r->C ? (double)n : (double)label); /* every class is there */
    }
    (void)snprintf(shape[0], sizeof shape[0], "(%zu, %zu)", r->rows[part], r->D);
    (void)snprintf(shape[1], sizeof shape[1], "(%zu,)", r->rows[part]);
    const npz_array arrays[] = {{"x.npy", "'<f4'", false, shape[0], x.data, x.count, 0, 0, 0},
                                {"y.npy", "'<i8'", false, shape[1], y.data, y.count, 0, 0, 0}};
    static const char *const names[] = {"train.npz", "val.npz", "test.npz"};
    const bool good = npz_build(scratch_path(names[part]), arrays, 2);
    zip_free(&x);
    zip_free(&y);
    return good;
}

static inline void write_data(const run *r)
{
    bool good = true;
    if (test_rank == 0) {
        (void)scratch_count(true);
        for (int p = 0; p < DT_PART_COUNT; p++)
            good = good && (r->rows[p] == 0 || write_part(r, p));
    }
    assert_all(good);
    MPI_Barrier(MPI_COMM_WORLD);
}

static inline dt_status load(dt_dataset sets[DT_PART_COUNT], const dt_comm *comm, const run *r)
{
    dt_source source = {0};
    const char *path = scratch_folder;
    const dt_deal deal = {.S = r->S, .host_ranks = test_size};
    dt_status status = DT_OK;
    if (dt_comm_rank(comm) == 0)
        status = dt_source_open(&source, &path, 1, "", "");
    status = dt_comm_agree(comm, status);
    if (status == DT_OK)
        status = dt_dataset_load(sets, comm, &source, &deal);
    dt_source_clear(&source);
    return status;
}

/* ---- by the trainer ---- */

static inline void keep_epoch(void *context, const dt_epoch *epoch)
{
    history *h = context;
    h->epochs[h->count++] = *epoch;
}

/** The network and the optimizer that a run begins with. */
static inline dt_status make_network(dt_network *net, dt_adam *adam, const run *r)
{
    dt_status status =
        dt_network_init(net, r->D, r->hidden, r->hidden_count, r->activation, r->C, 7);
    if (status == DT_OK)
        status = dt_adam_init(adam, net->P, r->learning_rate);
    return status;
}

/** Trains what is there; every rank of `comm` gets the same history but for result.phases. */
static inline void train_on(history *out, const dt_comm *comm, const run *r, dt_network *net,
                            dt_adam *adam)
{
    dt_dataset sets[DT_PART_COUNT];
    dt_settings settings = {.batch = r->batch,
                            .epochs = r->epochs,
                            .learning_rate = r->learning_rate,
                            .patience = r->patience,
                            .no_restore_best = r->no_restore_best,
                            .seed = 7,
                            .sum = (int)r->sum};
    const dt_observer observer = {.epoch_ended = keep_epoch, .context = out};
    *out = (history){0};
    out->status = load(sets, comm, r);
    if (out->status == DT_OK) {
        out->crc_before = dt_trainer_crc(net);
        out->status =
            dt_trainer_run(&out->result, comm, 1, &settings, sets, net, adam, NULL, &observer);
        if (out->status == DT_OK)
            out->status = dt_trainer_evaluate(&out->result, comm, sets, net);
        out->crc = dt_trainer_crc(net);
    }
    if (out->status != DT_OK)
        (void)snprintf(out->text, sizeof out->text, "%s", dt_status_text());
    dt_comm_broadcast(comm, &out->count, sizeof out->count);
    dt_comm_broadcast(comm, out->epochs, sizeof out->epochs);
    for (int p = 0; p < DT_PART_COUNT; p++)
        dt_dataset_clear(&sets[p]);
}

/** Trains a new network. */
static inline void train(history *out, const dt_comm *comm, const run *r)
{
    dt_network net = {0};
    dt_adam adam = {0};
    *out = (history){.status = make_network(&net, &adam, r)};
    if (out->status == DT_OK) {
        if (r->corrupt && test_rank == test_size - 1)
            net.params[net.P / 2] += 1e-3f;
        train_on(out, comm, r, &net, &adam);
    }
    dt_adam_clear(&adam);
    dt_network_clear(&net);
}

/** Tells whether two metrics are the same, bit for bit. */
static inline bool same_metrics(dt_metrics a, dt_metrics b)
{
    return memcmp(&a.loss, &b.loss, sizeof a.loss) == 0 &&
           memcmp(&a.accuracy, &b.accuracy, sizeof a.accuracy) == 0;
}

/** Where most tests begin. */
static const run ordinary = {.rows = {203, 61, 40},
                             .D = 9,
                             .C = 3,
                             .S = 8,
                             .hidden = {12},
                             .hidden_count = 1,
                             .batch = 50,
                             .epochs = 6,
                             .patience = 20,
                             .learning_rate = 0.01};

#endif
