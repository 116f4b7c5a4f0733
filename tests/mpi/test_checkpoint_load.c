/* Rank 0 reads a checkpoint: all ranks get it, or none does; and a run resumes from it. */
#include "resume_fixture.h"

#include "checkpoint_fixture.h"

/* Writes a point of a run as the checkpoint of the scratch folder, on rank 0. */
static void write_checkpoint(const saved_point *p, const run *r)
{
    dt_status status = DT_OK;
    dt_network net = {0};
    dt_optimizer adam = {0};
    dt_training at = p->at;
    char path[512];
    kept *k = kept_make(1, 0); /* the facts, which are not looked at here */
    assert_all(k != NULL);
    assert_all_int(run_make_network(&net, &adam, r), DT_OK);
    point_restore(&net, &adam, p);
    at.best = p->best;
    k->facts.network = &net;
    for (int e = 0; e < p->count && status == DT_OK; e++)
        status = dt_history_add_epoch(&k->history, &p->epochs[e]);
    if (status == DT_OK && test_rank == 0)
        status = dt_checkpoint_save(dt_checkpoint_path(path, sizeof path, scratch_folder),
                                    &k->facts, &k->history, &at, &adam);
    assert_all_int(status, DT_OK);
    kept_free(k);
    dt_optimizer_clear(&adam);
    dt_network_clear(&net);
}

/* Reads it into a new network; what came is the point again, but for its best weights. */
static dt_status load_point(saved_point *out, const dt_comm *comm, const run *r, const char *folder,
                            uint64_t N)
{
    dt_network net = {0};
    dt_optimizer adam = {0};
    dt_checkpoint c, zeroed;
    saved_point before = {0};
    memset(&zeroed, 0, sizeof zeroed);
    *out = (saved_point){0};
    assert_all_int(run_make_network(&net, &adam, r), DT_OK);
    adam.learning_rate = 0.125;
    point_save(&before, &net, &adam);
    const dt_status status =
        dt_checkpoint_load(&c, comm, folder, &dt_classification, N, &net, &adam);
    point_save(out, &net, &adam);
    assert_all(adam.learning_rate == 0.125); /* that of the settings */
    if (status == DT_OK) {
        const size_t bytes = net.P * sizeof(float);
        assert_all(c.params == c.best); /* the others are where they belong */
        assert_all(c.training.best == c.best);
        memcpy(out->best, c.best, bytes);
        out->at = c.training;
        assert_all(dt_comm_rank(comm) == 0 ||
                   (c.history.epochs == NULL && c.history.epoch_count == 0));
        out->count = (int)c.history.epoch_count;
        for (size_t e = 0; e < c.history.epoch_count && e < MAX_EPOCHS; e++)
            out->epochs[e] = c.history.epochs[e];
    } else { /* nothing of it has come anywhere */
        assert_all(memcmp(out->params, before.params, sizeof before.params) == 0);
        assert_all(memcmp(out->m, before.m, sizeof before.m) == 0 && out->adam_step == 0);
        assert_all(memcmp(&c, &zeroed, sizeof c) == 0);
    }
    dt_checkpoint_clear(&c);
    dt_optimizer_clear(&adam);
    dt_network_clear(&net);
    return status;
}

static void test_a_run_goes_on_from_the_file(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    static const watch silent = {0};
    run r = ordinary;
    r.epochs = 4;
    run_write_data(&r);
    outcome *watched = outcome_new(), *rest = outcome_new();
    saved_point *loaded = calloc(1, sizeof *loaded);
    assert_all(loaded != NULL);
    run_train_from(watched, &all, &r, &always, NULL);
    for (int i = 0; i < watched->point_count; i += 3) {
        const saved_point *p = &watched->points[i];
        write_checkpoint(p, &r);
        assert_all_int(load_point(loaded, &all, &r, scratch_folder, r.rows[DT_TRAIN]), DT_OK);
        assert_all_same(loaded->params, sizeof loaded->params);
        assert_all(memcmp(loaded->params, p->params, sizeof p->params) == 0);
        assert_all(memcmp(loaded->m, p->m, sizeof p->m) == 0);
        assert_all(memcmp(loaded->v, p->v, sizeof p->v) == 0);
        assert_all(loaded->adam_step == p->adam_step);
        assert_all(p->count == 0 || memcmp(loaded->best, p->best, sizeof p->best) == 0);
        assert_all(same_training(&loaded->at, &p->at));
        assert_all(test_rank != 0 || loaded->count == p->count);
        loaded->count = p->count; /* rank 0 has told of them already */
        memcpy(loaded->epochs, p->epochs, sizeof p->epochs);
        run_train_from(rest, &all, &r, &silent, loaded);
        check_same_outcome(rest, watched, "from the file of point", i);
    }
    free(loaded);
    outcome_free(watched);
    outcome_free(rest);
}

/* All ranks return the same, with the same line. */
static void check_refused(const run *r, const char *folder, uint64_t N, const char *expected)
{
    const dt_comm all = ranks_all();
    saved_point *loaded = calloc(1, sizeof *loaded);
    char text[DT_STATUS_TEXT_BYTES] = "";
    assert_all(loaded != NULL);
    assert_all_int(load_point(loaded, &all, r, folder, N), DT_DATA);
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    assert_all_same(text, sizeof text);
    if (strstr(text, expected) == NULL && test_rank == 0)
        print_error("no \"%s\" in: %s\n", expected, text);
    assert_all(strstr(text, expected) != NULL);
    free(loaded);
}

/* The file's own checksum, behind its end: the damage that it finds never gets any further. */
enum { SEAL_BYTES = 16 };

/* Changes one bit of the weights in the file, and leaves out its last `cut` bytes. */
static void damage_weights(const saved_point *p, size_t cut)
{
    char path[512];
    bool good = true;
    if (test_rank == 0) {
        size_t bytes = 0, at = 0;
        unsigned char *file =
            scratch_read(dt_checkpoint_path(path, sizeof path, scratch_folder), &bytes);
        while (file != NULL && at + 64 < bytes && memcmp(file + at, p->params, 64) != 0)
            at++;
        good = file != NULL && at + 64 < bytes;
        if (good)
            file[at + 5] ^= 1;
        good = good && scratch_write(path, file, bytes - cut);
        free(file);
    }
    assert_all(good);
}

static void test_refused_on_all_ranks(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    run r = ordinary;
    r.epochs = 2;
    run_write_data(&r);
    outcome *watched = outcome_new();
    run_train_from(watched, &all, &r, &always, NULL);
    check_refused(&r, scratch_folder, 203, "no checkpoint.h5 in this folder");
    check_refused(&r, "/nowhere/at/all", 203, "/nowhere/at/all: No such file");
    const saved_point *p = &watched->points[3]; /* after four steps of the first epoch */
    write_checkpoint(p, &r);
    check_refused(&r, scratch_folder, 199,
                  "it stopped after row 200 of an epoch, but the training set has 199");
    r.hidden[0]++;
    check_refused(&r, scratch_folder, 203, "/weights has 159 numbers, and the network has 172");
    r.hidden[0]--;
    saved_point *loaded = calloc(1, sizeof *loaded);
    assert_all(loaded != NULL);
    assert_all_int(load_point(loaded, &all, &r, scratch_folder, 200), DT_OK);
    free(loaded);
    damage_weights(p, 0);
    check_refused(&r, scratch_folder, 203, "damaged HDF5 file: its CRC-32 is ");
    write_checkpoint(p, &r);
    damage_weights(p, SEAL_BYTES);
    check_refused(&r, scratch_folder, 203, "/weights is damaged: its CRC-32 is ");
    outcome_free(watched);
}

static const struct CMUnitTest tests[] = {
    with_folder(test_a_run_goes_on_from_the_file),
    with_folder(test_refused_on_all_ranks),
};

MPI_SUITE(test_checkpoint_load, tests);
