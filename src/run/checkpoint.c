#include "dtrain/run/checkpoint.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"
#include "dtrain/model/model_json.h"
#include "dtrain/run/run_file.h"
#include "run_log_internal.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* /state has one row. */
static const dt_h5_column state_columns[] = {
    {"epoch", NULL, DT_H5_I64, DT_H5_FIELD(dt_training, epoch)},
    {"rows", "training rows", DT_H5_I64, DT_H5_FIELD(dt_training, rows)},
    {"weight_high", "2^8", DT_H5_I64,
     DT_H5_FIELD(dt_training, tally.numbers[DT_TALLY_WEIGHT].high)},
    {"weight_low", "2^-24", DT_H5_I64,
     DT_H5_FIELD(dt_training, tally.numbers[DT_TALLY_WEIGHT].low)},
    {"loss_high", "2^8", DT_H5_I64, DT_H5_FIELD(dt_training, tally.numbers[DT_TALLY_LOSS].high)},
    {"loss_low", "2^-24", DT_H5_I64, DT_H5_FIELD(dt_training, tally.numbers[DT_TALLY_LOSS].low)},
    {"measure_high", "2^8", DT_H5_I64,
     DT_H5_FIELD(dt_training, tally.numbers[DT_TALLY_MEASURE].high)},
    {"measure_low", "2^-24", DT_H5_I64,
     DT_H5_FIELD(dt_training, tally.numbers[DT_TALLY_MEASURE].low)},
    {"measure_2_high", "2^8", DT_H5_I64,
     DT_H5_FIELD(dt_training, tally.numbers[DT_TALLY_MEASURE_2].high)},
    {"measure_2_low", "2^-24", DT_H5_I64,
     DT_H5_FIELD(dt_training, tally.numbers[DT_TALLY_MEASURE_2].low)},
    {"outside", NULL, DT_H5_I64, DT_H5_FIELD(dt_training, tally.outside)},
    {"has_best", NULL, DT_H5_I64, DT_H5_FIELD(dt_training, stopping.has_best)},
    {"stopping_best_epoch", NULL, DT_H5_I64, DT_H5_FIELD(dt_training, stopping.best_epoch)},
    {"wait", "epochs", DT_H5_I64, DT_H5_FIELD(dt_training, stopping.wait)},
    {"stopped_epoch", NULL, DT_H5_I64, DT_H5_FIELD(dt_training, stopping.stopped_epoch)},
    {"best", NULL, DT_H5_F64, DT_H5_FIELD(dt_training, stopping.best)},
    {"best_epoch", NULL, DT_H5_I64, DT_H5_FIELD(dt_training, best_epoch)},
    {"epoch_s", "s", DT_H5_F64, DT_H5_FIELD(dt_training, epoch_s)},
    {"training_s", "s", DT_H5_F64, DT_H5_FIELD(dt_training, training_s)},
};
static const dt_h5_table state_table = DT_H5_TABLE(state_columns, dt_training);

/* The arrays of [P] numbers: two of the network, then the optimizer's states, then the averaged
 * weights, if there are any. */
enum { ARRAY_WEIGHTS, ARRAY_BEST, ARRAY_STATES, ARRAY_NAME_BYTES = 64 };

static size_t count_arrays(const dt_optimizer *optimizer)
{
    return ARRAY_STATES + optimizer->kind->state_count + (optimizer->ema > 0.0 ? 1 : 0);
}

static bool is_average(const dt_optimizer *optimizer, size_t i)
{
    return i == ARRAY_STATES + optimizer->kind->state_count;
}

/* The address of one of the optimizer's arrays. */
static float **array_at(dt_optimizer *optimizer, size_t i)
{
    return is_average(optimizer, i) ? &optimizer->average : &optimizer->states[i - ARRAY_STATES];
}

static const char *array_name(char out[ARRAY_NAME_BYTES], const dt_optimizer *optimizer, size_t i)
{
    if (i >= ARRAY_STATES)
        (void)snprintf(out, ARRAY_NAME_BYTES, "/optimizer/%s",
                       is_average(optimizer, i) ? "average"
                                                : optimizer->kind->states[i - ARRAY_STATES]);
    else
        (void)snprintf(out, ARRAY_NAME_BYTES, i == ARRAY_WEIGHTS ? "/weights" : "/best_weights");
    return out;
}

const char *dt_checkpoint_path(char *out, size_t bytes, const char *folder)
{
    (void)snprintf(out, bytes, "%s/checkpoint.h5", folder);
    return out;
}

/* ---- writing ---- */

DT_MUST_USE static dt_status write_state(dt_h5 *h5, const dt_training *training)
{
    dt_status status = DT_OK;
    uint32_t crc = 0;
    DT_TRY(dt_h5_write_table(h5, "/state", &state_table, training, 1));
    DT_TRY(dt_h5_continue_crc(&crc, &state_table, training, 1));
    DT_TRY(dt_h5_set_int(h5, "/state", "crc32", crc));
out:
    return status;
}

DT_MUST_USE static dt_status write_optimizer(dt_h5 *h5, const dt_optimizer *optimizer)
{
    dt_status status = DT_OK;
    char *json = NULL;
    DT_TRY(dt_model_json_write_optimizer(&json, optimizer));
    DT_TRY(dt_h5_make_group(h5, "/optimizer"));
    DT_TRY(dt_h5_set_text(h5, "/optimizer", "numbers", json));
    DT_TRY(dt_h5_set_int(h5, "/optimizer", "crc32", dt_crc32(0, json, strlen(json))));
out:
    dt_memory_free(json);
    return status;
}

DT_MUST_USE static dt_status write_recipe(dt_h5 *h5, const dt_recipe *recipe)
{
    dt_status status = DT_OK;
    char *json = NULL;
    if (recipe == NULL || recipe->D == 0)
        return DT_OK;
    DT_TRY(dt_recipe_to_json(&json, recipe));
    DT_TRY(dt_h5_set_text(h5, "/", DT_CHECKPOINT_RECIPE, json));
out:
    dt_memory_free(json);
    return status;
}

static uint32_t constants_crc(const dt_network *network)
{
    return dt_crc32(0, network->constants, network->constant_count * sizeof(float));
}

DT_MUST_USE static dt_status write_arrays(dt_h5 *h5, const dt_network *network,
                                          const dt_training *training,
                                          const dt_optimizer *optimizer)
{
    dt_status status = DT_OK;
    const uint64_t P = network->P;
    char name[ARRAY_NAME_BYTES];
    for (size_t i = 0; i < count_arrays(optimizer); i++) {
        const float *values = i == ARRAY_WEIGHTS         ? network->params
                              : i == ARRAY_BEST          ? training->best
                              : is_average(optimizer, i) ? optimizer->average
                                                         : optimizer->states[i - ARRAY_STATES];
        DT_TRY(dt_h5_write_array(h5, array_name(name, optimizer, i), DT_H5_F32, 1, &P, values));
        DT_TRY(dt_h5_set_int(h5, name, "crc32", dt_crc32(0, values, P * sizeof(float))));
    }
    if (network->constant_count > 0)
        DT_TRY(dt_h5_set_int(h5, "/weights", "constants_crc32", constants_crc(network)));
out:
    return status;
}

dt_status dt_checkpoint_save(const char *path, const dt_run_facts *facts, const dt_history *history,
                             const dt_training *training, const dt_optimizer *optimizer)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    uint32_t crc = 0;
    const dt_task *task = dt_settings_task(facts->settings);
    DT_TRY(dt_h5_new(&h5));
    DT_TRY(dt_h5_set_int(h5, "/", "checkpoint_version", DT_CHECKPOINT_VERSION));
    DT_TRY(dt_run_log_write_facts(h5, facts));
    DT_TRY(dt_h5_set_text(h5, "/", "status", "checkpoint")); /* so that it can also be read as a
                                                              * log */
    DT_TRY(dt_h5_set_int(h5, "/", "settings_crc32", dt_settings_crc(facts->settings, NULL)));
    DT_TRY(write_recipe(h5, facts->recipe));
    DT_TRY(dt_history_write(h5, history, task));
    DT_TRY(dt_history_crc(&crc, history, task));
    DT_TRY(dt_h5_set_int(h5, "/epochs", "crc32", crc));
    if (training != NULL) {
        DT_TRY(write_state(h5, training));
        DT_TRY(write_optimizer(h5, optimizer));
        DT_TRY(write_arrays(h5, facts->network, training, optimizer));
    }
    DT_TRY(dt_h5_save(h5, path));
out:
    dt_h5_free(h5);
    return status;
}

dt_status dt_checkpoint_remove(const char *folder)
{
    char path[PATH_BYTES];
    if (unlink(dt_checkpoint_path(path, sizeof path, folder)) != 0 && errno != ENOENT)
        return dt_fail(DT_OUTPUT, "%s: cannot remove: %s", path, strerror(errno));
    return DT_OK;
}

/* ---- reading ---- */

dt_status dt_checkpoint_open(dt_h5 **out, const char *folder)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    struct stat found;
    int64_t version = 0;
    char path[PATH_BYTES];
    *out = NULL;
    if (stat(folder, &found) != 0)
        return dt_fail(DT_DATA, "%s: %s", folder, strerror(errno));
    if (!S_ISDIR(found.st_mode))
        return dt_fail(DT_DATA, "%s: expected the folder of a run's results, found a file", folder);
    const bool is_there = stat(dt_checkpoint_path(path, sizeof path, folder), &found) == 0;
    if (!is_there && errno != ENOENT)
        return dt_fail(DT_DATA, "%s: %s", path, strerror(errno));
    if (!is_there)
        return dt_fail(DT_DATA,
                       "%s: no checkpoint.h5 in this folder: the run saved none; start a new run",
                       folder);
    DT_TRY(dt_h5_open(&h5, path));
    if (!dt_h5_has_attribute(h5, "/", "checkpoint_version"))
        DT_TRY(dt_fail(DT_DATA, "%s: is an HDF5 file, but not a checkpoint", path));
    DT_TRY(dt_h5_get_int(&version, h5, "/", "checkpoint_version"));
    if (version != DT_CHECKPOINT_VERSION)
        DT_TRY(dt_fail(DT_DATA,
                       "%s: its version is %lld, and this dtrain reads %d; resume with the dtrain "
                       "that wrote it",
                       path, (long long)version, DT_CHECKPOINT_VERSION));
    *out = h5;
    h5 = NULL;
out:
    dt_h5_free(h5);
    return status;
}

/* A file that is read, and its name in error lines. */
typedef struct reader {
    dt_h5 *h5;
    const char *file;
} reader;

DT_MUST_USE static dt_status check_crc(const reader *in, const char *path, uint32_t crc)
{
    int64_t saved = 0;
    const dt_status status = dt_h5_get_int(&saved, in->h5, path, "crc32");
    if (status != DT_OK || saved == crc)
        return status;
    return dt_fail(DT_DATA, "%s: %s is damaged: its CRC-32 is %08x, and was %08x", in->file, path,
                   crc, (uint32_t)saved);
}

/* dtrain's tables are not compressed, so rows need about as much memory as the file has bytes. */
DT_MUST_USE static dt_status check_rows(const reader *in, const char *path)
{
    enum { LEAST_ROW_BYTES = 64 };
    dt_h5_shape shape;
    const dt_status status = dt_h5_describe(&shape, in->h5, path);
    if (status != DT_OK || shape.count <= shape.stored_bytes / LEAST_ROW_BYTES)
        return status;
    return dt_fail(DT_DATA, "%s: %s has %llu rows, and %llu bytes of them", in->file, path,
                   (unsigned long long)shape.count, (unsigned long long)shape.stored_bytes);
}

DT_MUST_USE static dt_status read_state(dt_training *out, const reader *in)
{
    dt_status status = DT_OK;
    uint32_t crc = 0;
    *out = (dt_training){.stopping.baseline = NAN};
    DT_TRY(dt_h5_read_rows(in->h5, "/state", &state_table, out, 1));
    DT_TRY(dt_h5_continue_crc(&crc, &state_table, out, 1));
    DT_TRY(check_crc(in, "/state", crc));
out:
    return status;
}

/* Counters that steps increment: later values must fit, too. */
static bool is_tally(const dt_tally *tally)
{
    const int64_t most = INT64_MAX / 2;
    bool sane = tally->outside == 0 && dt_tally_value(tally, DT_TALLY_WEIGHT) >= 0.0;
    for (int i = 0; i < DT_TALLY_NUMBERS; i++) {
        const dt_exact_number *number = &tally->numbers[i];
        sane = sane && number->high > -most && number->high < most && number->low > -most &&
               number->low < most;
    }
    return sane;
}

/* A CRC shows that the numbers are those that were written, not that they are valid. */
DT_MUST_USE static dt_status check_state(const dt_training *at, const dt_history *history,
                                         const char *file)
{
    const bool judged = at->stopping.has_best; /* an epoch was judged, and the best weights are
                                                * stored */
    const int64_t rows = (int64_t)at->rows, wait = at->stopping.wait;
    const bool sane = at->epoch >= 1 && rows >= 0 && wait >= 0 && wait < at->epoch &&
                      at->best_epoch >= judged && at->best_epoch < at->epoch &&
                      at->epoch_s >= 0.0 && isfinite(at->epoch_s) && at->training_s >= 0.0 &&
                      isfinite(at->training_s) && is_tally(&at->tally);
    bool in_order = (uint64_t)at->epoch == history->epoch_count + 1;
    for (size_t i = 0; in_order && i < history->epoch_count; i++)
        in_order = history->epochs[i].epoch == (int64_t)i + 1;
    if (!sane)
        return dt_fail(DT_DATA, "%s: /state has impossible numbers", file);
    if (!in_order)
        return dt_fail(DT_DATA, "%s: /epochs lacks epochs before epoch %lld, which /state is in",
                       file, (long long)at->epoch);
    return DT_OK;
}

DT_MUST_USE static dt_status read_optimizer(dt_checkpoint *out, const reader *in)
{
    dt_status status = DT_OK;
    char *json = NULL;
    bool has_state = false;
    DT_TRY(dt_h5_get_text(&json, in->h5, "/optimizer", "numbers"));
    DT_TRY(check_crc(in, "/optimizer", dt_crc32(0, json, strlen(json))));
    DT_TRY(dt_model_json_read_optimizer(&out->optimizer, &has_state, json, in->file));
    if (!has_state)
        DT_TRY(dt_fail(DT_DATA, "%s: /optimizer has no state; start a new run", in->file));
out:
    dt_memory_free(json);
    return status;
}

/* One block for all arrays. */
DT_MUST_USE static dt_status make_arrays(dt_checkpoint *out, size_t P)
{
    const size_t count = count_arrays(&out->optimizer);
    if (P > SIZE_MAX / count)
        return dt_fail(DT_MEMORY, "checkpoint: %zu parameters are more than memory can hold", P);
    dt_status status = dt_memory_alloc(&out->params, count * P, sizeof *out->params, "checkpoint");
    if (status != DT_OK)
        return status;
    out->best = out->params + P;
    for (size_t i = ARRAY_STATES; i < count; i++)
        *array_at(&out->optimizer, i) = out->params + i * P;
    out->optimizer.P = P;
    out->training.best = out->best;
    return DT_OK;
}

DT_MUST_USE static dt_status read_arrays(dt_checkpoint *out, const reader *in, size_t P)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = in->h5;
    dt_h5_shape shape;
    char name[ARRAY_NAME_BYTES];
    const size_t count = count_arrays(&out->optimizer);
    for (size_t i = 0; i < count; i++) { /* before memory is taken for them */
        DT_TRY(dt_h5_describe(&shape, h5, array_name(name, &out->optimizer, i)));
        if (shape.count != P)
            DT_TRY(dt_fail(DT_DATA, "%s: %s has %llu numbers, and the network has %zu parameters",
                           in->file, name, (unsigned long long)shape.count, P));
    }
    DT_TRY(make_arrays(out, P));
    for (size_t i = 0; i < count; i++) {
        float *values = out->params + i * P;
        DT_TRY(dt_h5_read_f32(h5, array_name(name, &out->optimizer, i), values, P));
        DT_TRY(check_crc(in, name, dt_crc32(0, values, P * sizeof *values)));
    }
out:
    return status;
}

dt_status dt_checkpoint_read(dt_checkpoint *out, dt_h5 *h5, const char *file, const dt_task *task,
                             size_t P)
{
    dt_status status = DT_OK;
    const reader in = {h5, file};
    uint32_t crc = 0;
    *out = (dt_checkpoint){0};
    DT_TRY(check_rows(&in, "/epochs"));
    DT_TRY(check_rows(&in, "/sessions"));
    DT_TRY(dt_history_read(&out->history, h5, task));
    DT_TRY(dt_history_crc(&crc, &out->history, task));
    DT_TRY(check_crc(&in, "/epochs", crc));
    DT_TRY(read_state(&out->training, &in));
    DT_TRY(check_state(&out->training, &out->history, file));
    DT_TRY(read_optimizer(out, &in));
    DT_TRY(read_arrays(out, &in, P));
    DT_TRY(dt_h5_check(h5));
out:
    if (status != DT_OK)
        dt_checkpoint_clear(out);
    return status;
}

/* Sends what rank 0 has read to all ranks, except the history. The kind is a pointer and differs
 * between ranks. */
DT_MUST_USE static dt_status share(dt_checkpoint *c, const dt_comm *comm,
                                   const dt_optimizer_kind *kind, size_t P)
{
    const bool root = dt_comm_rank(comm) == 0;
    dt_checkpoint plain = *c;
    dt_comm_broadcast(comm, &plain, sizeof plain);
    if (!root) {
        *c = plain;
        c->history = (dt_history){0};
        c->params = NULL;
        c->optimizer.kind = kind;
    }
    dt_status status = dt_comm_agree(comm, root ? DT_OK : make_arrays(c, P));
    if (status == DT_OK)
        dt_comm_broadcast(comm, c->params, count_arrays(&c->optimizer) * P * sizeof *c->params);
    return status;
}

/* Only the best weights are still needed, by the trainer. */
DT_MUST_USE static dt_status keep_best(dt_checkpoint *c, size_t P)
{
    float *best = NULL;
    dt_status status = dt_memory_alloc(&best, P, sizeof *best, "best weights");
    if (status != DT_OK)
        return status;
    memcpy(best, c->best, P * sizeof *best);
    dt_memory_free(c->params);
    c->params = best;
    c->best = best;
    c->optimizer = (dt_optimizer){0};
    c->training.best = best;
    return DT_OK;
}

/* Those numbers of the optimizer that are settings are set by the caller. */
static void restore(const dt_checkpoint *c, dt_network *network, dt_optimizer *optimizer)
{
    const size_t bytes = network->P * sizeof *network->params;
    memcpy(network->params, c->params, bytes);
    for (size_t s = 0; s < optimizer->kind->state_count; s++)
        memcpy(optimizer->states[s], c->optimizer.states[s], bytes);
    if (optimizer->average != NULL)
        memcpy(optimizer->average, c->optimizer.average, bytes);
    memcpy(optimizer->numbers, c->optimizer.numbers, sizeof optimizer->numbers);
    optimizer->step = c->optimizer.step;
}

/* Edges of bins come from the training rows: weights trained with other bins have another
 * meaning. */
DT_MUST_USE static dt_status check_constants(const reader *in, const dt_network *network)
{
    int64_t saved = 0;
    if (network->constant_count == 0 || !dt_h5_has_attribute(in->h5, "/weights", "constants_crc32"))
        return DT_OK;
    const dt_status status = dt_h5_get_int(&saved, in->h5, "/weights", "constants_crc32");
    if (status != DT_OK || saved == constants_crc(network))
        return status;
    return dt_fail(DT_DATA,
                   "%s: its weights belong to other bins of the inputs; bins come from the "
                   "training rows, so resume with the data of the run",
                   in->file);
}

DT_MUST_USE static dt_status read_in(dt_checkpoint *out, const char *folder, const dt_task *task,
                                     uint64_t N, const dt_optimizer_kind *kind, bool averages,
                                     const dt_network *network)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    char path[PATH_BYTES];
    const size_t P = network->P;
    DT_TRY(dt_checkpoint_open(&h5, folder));
    DT_TRY(dt_checkpoint_read(out, h5, dt_checkpoint_path(path, sizeof path, folder), task, P));
    DT_TRY(check_constants(&(reader){h5, path}, network));
    if (out->training.rows > N)
        DT_TRY(dt_fail(DT_DATA,
                       "%s: it stopped after row %llu of an epoch, but the training set has %llu",
                       path, (unsigned long long)out->training.rows, (unsigned long long)N));
    if (out->optimizer.kind != kind)
        DT_TRY(dt_fail(
            DT_DATA, "%s: has the state of optimizer %s, but this run uses %s; remove --optimizer",
            path, out->optimizer.kind->name, kind->name));
    if ((out->optimizer.ema > 0.0) != averages)
        DT_TRY(dt_fail(DT_DATA, "%s: %s averaged weights, but this run %s; use the same --ema",
                       path, averages ? "has no" : "has", averages ? "has --ema" : "has no --ema"));
out:
    dt_h5_free(h5);
    return status;
}

dt_status dt_checkpoint_load(dt_checkpoint *out, const dt_comm *comm, const char *folder,
                             const dt_task *task, uint64_t N, dt_network *network,
                             dt_optimizer *optimizer)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(comm) == 0;
    const dt_optimizer_kind *kind = optimizer->kind;
    *out = (dt_checkpoint){0};
    DT_TRY(dt_comm_agree(
        comm,
        root ? read_in(out, folder, task, N, kind, optimizer->average != NULL, network) : DT_OK));
    DT_TRY(share(out, comm, kind, network->P));
    restore(out, network, optimizer);
    DT_TRY(dt_comm_agree(comm, keep_best(out, network->P)));
out:
    if (status != DT_OK)
        dt_checkpoint_clear(out);
    return status;
}

void dt_checkpoint_clear(dt_checkpoint *checkpoint)
{
    dt_memory_free(checkpoint->params);
    dt_history_clear(&checkpoint->history);
    *checkpoint = (dt_checkpoint){0};
}
