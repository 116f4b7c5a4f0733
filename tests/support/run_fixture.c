#include "run_fixture.h"

#include "npz_fixture.h"
#include "scratch_folder.h"

#include <stdio.h>
#include <string.h>

const run ordinary = {.rows = {203, 61, 40},
                      .D = 9,
                      .C = 3,
                      .S = 8,
                      .hidden = {12},
                      .hidden_count = 1,
                      .batch = 50,
                      .epochs = 6,
                      .patience = 20,
                      .learning_rate = 0.01};

bool run_write_set(const run *r, int set)
{
    char shape[2][64];
    zip_bytes x = {0}, y = {0};
    for (size_t n = 0; n < r->rows[set]; n++) {
        double row[MAX_D];
        const size_t label = run_make_row(r, set, n, row);
        for (size_t j = 0; j < r->D; j++)
            npz_append(&x, "'<f4'", row[j]);
        npz_append(&y, "'<i8'", (double)label);
    }
    (void)snprintf(shape[0], sizeof shape[0], "(%zu, %zu)", r->rows[set], r->D);
    (void)snprintf(shape[1], sizeof shape[1], "(%zu,)", r->rows[set]);
    const npz_array arrays[] = {{"x.npy", "'<f4'", false, shape[0], x.data, x.count, 0, 0, 0},
                                {"y.npy", "'<i8'", false, shape[1], y.data, y.count, 0, 0, 0}};
    static const char *const names[] = {"train.npz", "val.npz", "test.npz"};
    const bool good = npz_build(scratch_path(names[set]), arrays, 2);
    zip_free(&x);
    zip_free(&y);
    return good;
}

void run_write_data(const run *r)
{
    bool good = true;
    if (test_rank == 0) {
        (void)scratch_count(true);
        for (int p = 0; p < DT_SET_COUNT; p++)
            good = good && (r->rows[p] == 0 || run_write_set(r, p));
    }
    assert_all(good);
    dt_mpi_barrier(MPI_COMM_WORLD);
}

dt_status run_load(dt_dataset sets[DT_SET_COUNT], const dt_comm *comm, const run *r)
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

void run_keep_epoch(void *context, const dt_epoch *epoch)
{
    history *h = context;
    h->epochs[h->count++] = *epoch;
}

void run_train_on(history *out, const dt_comm *comm, const run *r, dt_network *net,
                  dt_optimizer *adam)
{
    dt_dataset sets[DT_SET_COUNT];
    const dt_plan plan = run_plan(r);
    const dt_observer observer = {.epoch_ended = run_keep_epoch, .context = out};
    *out = (history){0};
    out->status = run_load(sets, comm, r);
    if (out->status == DT_OK) {
        out->crc_before = dt_trainer_crc(net);
        out->status =
            dt_trainer_run(&out->result, comm, &one_host, &plan, sets, net, adam, NULL, &observer);
        if (out->status == DT_OK)
            out->status = dt_trainer_evaluate(&out->result, comm, sets, net, plan.threads);
        out->crc = dt_trainer_crc(net);
    }
    if (out->status != DT_OK)
        (void)snprintf(out->text, sizeof out->text, "%s", dt_status_text());
    dt_comm_broadcast(comm, &out->count, sizeof out->count);
    dt_comm_broadcast(comm, out->epochs, sizeof out->epochs);
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_dataset_clear(&sets[p]);
}

void run_train(history *out, const dt_comm *comm, const run *r)
{
    dt_network net = {0};
    dt_optimizer adam = {0};
    *out = (history){.status = run_make_network(&net, &adam, r)};
    if (out->status == DT_OK) {
        if (r->corrupt && test_rank == test_size - 1)
            net.params[net.P / 2] += 1e-3f;
        run_train_on(out, comm, r, &net, &adam);
    }
    dt_optimizer_clear(&adam);
    dt_network_clear(&net);
}

bool same_metrics(dt_metrics a, dt_metrics b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}
