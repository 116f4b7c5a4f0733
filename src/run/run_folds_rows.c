/* Out-of-fold predictions: each row by the models that were trained without it. */
#include "run_folds.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/file.h"
#include "dtrain/nn/predictor.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SETS = 2, NUMBER_BYTES = 24 };
static const dt_set divided[SETS] = {DT_TRAIN, DT_VALIDATION};

/* The file under way. */
typedef struct writer {
    dt_run *whole;
    size_t C; /* probabilities, or values, of a row */
    uint16_t *folds; /* of the rows of both sets, in this repeat */
    float *mine[SETS]; /* [own rows, C] */
    /* Rank 0: */
    dt_file *file;
    float *p; /* [N, C]: of one set */
    dt_target *y; /* [N, T] */
    char *line;
    char *id_name; /* a field; NULL: the rows have no ids */
    char **classes; /* [C]: names as fields of a CSV; NULL: values */
} writer;

/* ---- predictions (every rank) ---- */

/* The rows of one shard that are in the fold. A call has rows of one shard, so that the bits do not
 * depend on the ranks, even if they depend on the other rows of the call. */
static void predict_shard(const writer *w, dt_predictor *predictor, float *x, int p, size_t s,
                          uint16_t fold)
{
    const dt_dataset *set = &w->whole->sets[divided[p]];
    const uint16_t *folds = w->folds + (p == 0 ? 0 : w->whole->sets[DT_TRAIN].N);
    const size_t start = set->shard_start[s], end = set->shard_start[s + 1];
    size_t next = start;
    while (next < end) {
        const size_t from = next;
        size_t B = 0;
        for (; next < end && B < predictor->capacity; next++)
            if (folds[(next - start) * set->S + set->first_shard + s] == fold)
                memcpy(x + B++ * set->D, set->x + next * set->D, set->D * sizeof *x);
        dt_predictor_run(predictor, x, NULL, B);
        size_t i = 0;
        for (size_t row = from; row < next; row++)
            if (folds[(row - start) * set->S + set->first_shard + s] == fold)
                memcpy(w->mine[p] + row * w->C, predictor->p + i++ * w->C, w->C * sizeof *x);
    }
}

/* Predicts by network m of the ensemble alone. Local. */
DT_MUST_USE static dt_status predict_fold(const writer *w, size_t m, uint16_t fold)
{
    dt_status status = DT_OK;
    dt_network one = *dt_network_member(&w->whole->model.network, m);
    dt_predictor predictor = {0};
    float *x = NULL;
    one.other_count = 0;
    one.others = NULL;
    DT_TRY(dt_predictor_init(&predictor, &one, false));
    DT_TRY(dt_memory_alloc(&x, predictor.capacity, one.D * sizeof *x, "rows of a fold"));
    for (int p = 0; p < SETS; p++)
        for (size_t s = 0; s < w->whole->sets[divided[p]].shard_count; s++)
            predict_shard(w, &predictor, x, p, s, fold);
out:
    dt_predictor_clear(&predictor);
    dt_memory_free(x);
    return status;
}

/* ---- the file (rank 0) ---- */

DT_MUST_USE static dt_status make_field(char **out, const char *name)
{
    const dt_status status = dt_memory_alloc(out, 2 * strlen(name) + 4, 1, "name");
    if (status == DT_OK)
        (*out)[dt_text_put_field(*out, name, strlen(name))] = '\0';
    return status;
}

DT_MUST_USE static dt_status name_classes(writer *w)
{
    dt_status status = DT_OK;
    char *const *names = dt_run_class_names(w->whole);
    DT_TRY(dt_memory_alloc(&w->classes, w->C, sizeof *w->classes, "class names"));
    for (size_t c = 0; c < w->C; c++) {
        char id[NUMBER_BYTES];
        (void)snprintf(id, sizeof id, "%zu", c);
        DT_TRY(make_field(&w->classes[c], names != NULL ? names[c] : id));
    }
out:
    return status;
}

DT_MUST_USE static dt_status put(writer *w, const char *text)
{
    return dt_file_write(w->file, text, strlen(text));
}

/* "p_" goes inside the quotes of a name. */
DT_MUST_USE static dt_status put_header(writer *w)
{
    dt_status status = DT_OK;
    char name[64];
    DT_TRY(put(w, "set,row"));
    if (w->id_name != NULL) {
        DT_TRY(put(w, ","));
        DT_TRY(put(w, w->id_name));
    }
    DT_TRY(put(w, ",repeat,fold"));
    if (w->classes != NULL)
        DT_TRY(put(w, ",truth"));
    for (size_t c = 0; c < w->C; c++) {
        const bool quoted = w->classes != NULL && w->classes[c][0] == '"';
        if (w->classes != NULL) {
            DT_TRY(put(w, quoted ? ",\"p_" : ",p_"));
            DT_TRY(put(w, w->classes[c] + quoted));
            continue;
        }
        if (w->C == 1)
            (void)snprintf(name, sizeof name, ",truth,prediction");
        else
            (void)snprintf(name, sizeof name, ",truth_%zu,prediction_%zu", c, c);
        DT_TRY(put(w, name));
    }
    DT_TRY(put(w, "\n"));
out:
    return status;
}

/* Nine digits tell float32 numbers apart. A row whose fold diverged has no prediction. */
DT_MUST_USE static dt_status put_row(writer *w, int p, int64_t repeat, uint64_t n)
{
    const uint64_t first = p == 0 ? 0 : w->whole->sets[DT_TRAIN].N;
    const int64_t number = w->whole->sets[divided[p]].numbers[n];
    const dt_row_texts *ids = &w->whole->sets[divided[p]].ids;
    const size_t C = w->C;
    char *to = w->line;
    to += snprintf(to, 64, "%s,%" PRId64, dt_set_name(divided[p]), number);
    if (w->id_name != NULL) {
        const char *id = ids->text + ids->at[n];
        *to++ = ',';
        to += dt_text_put_field(to, id, strlen(id));
    }
    to += snprintf(to, 64, ",%" PRId64 ",%d", repeat + 1, w->folds[first + n] + 1);
    if (w->classes != NULL) {
        const char *name = w->classes[w->y[n].label];
        *to++ = ',';
        memcpy(to, name, strlen(name));
        to += strlen(name);
    }
    for (size_t c = 0; c < C; c++) {
        const float value = w->p[n * C + c];
        if (w->classes == NULL)
            to += snprintf(to, NUMBER_BYTES, ",%.9g", (double)w->y[n * C + c].value);
        *to++ = ',';
        if (isnan(value))
            continue;
        if (w->classes != NULL)
            to += dt_text_probability(to, value);
        else
            to += snprintf(to, NUMBER_BYTES, "%.9g", (double)value);
    }
    *to++ = '\n';
    return dt_file_write(w->file, w->line, (size_t)(to - w->line));
}

/* Ids are used only if both sets have them. *longest: of an id. */
DT_MUST_USE static dt_status find_ids(writer *w, size_t *longest)
{
    const dt_run *r = w->whole;
    *longest = 0;
    for (int p = 0; p < SETS; p++) {
        const dt_row_texts *ids = &r->sets[divided[p]].ids;
        if (ids->count != r->sets[divided[p]].N)
            return DT_OK;
        for (uint64_t n = 0; n < ids->count; n++)
            *longest =
                ids->at[n + 1] - ids->at[n] > *longest ? ids->at[n + 1] - ids->at[n] : *longest;
    }
    return make_field(&w->id_name, r->recipe.id != NULL ? r->recipe.id : DT_SOURCE_ID);
}

DT_MUST_USE static dt_status begin_file(writer *w)
{
    dt_status status = DT_OK;
    char path[PATH_BYTES + 32];
    size_t longest = 0, longest_id = 0;
    uint64_t most = 0;
    DT_TRY(find_ids(w, &longest_id));
    if (w->whole->sets[DT_TRAIN].C > 0)
        DT_TRY(name_classes(w));
    for (size_t c = 0; w->classes != NULL && c < w->C; c++)
        longest = strlen(w->classes[c]) > longest ? strlen(w->classes[c]) : longest;
    DT_TRY(dt_memory_alloc(&w->line, 160 + longest + 2 * longest_id + w->C * 2 * NUMBER_BYTES, 1,
                           "a line"));
    for (int p = 0; p < SETS; p++)
        most = w->whole->sets[divided[p]].N > most ? w->whole->sets[divided[p]].N : most;
    DT_TRY(dt_memory_alloc(&w->p, most * w->C, sizeof *w->p, "predictions"));
    DT_TRY(dt_memory_alloc(&w->y, most * w->whole->sets[DT_TRAIN].T, sizeof *w->y, "targets"));
    (void)snprintf(path, sizeof path, "%s/out_of_fold.csv", w->whole->folder);
    DT_TRY(dt_file_create(&w->file, path));
    DT_TRY(put_header(w));
out:
    return status;
}

/* ---- all ---- */

DT_MUST_USE static dt_status write_repeat(writer *w, int64_t repeat)
{
    dt_status status = DT_OK;
    const dt_comm *comm = w->whole->comm;
    for (int p = 0; p < SETS; p++) {
        const dt_dataset *set = &w->whole->sets[divided[p]];
        DT_TRY(dt_dataset_gather(w->p, comm, set, w->mine[p], w->C * sizeof *w->p));
        DT_TRY(dt_dataset_gather(w->y, comm, set, set->y, set->T * sizeof *w->y));
        for (uint64_t n = 0; w->whole->root && n < set->N && status == DT_OK; n++)
            status = put_row(w, p, repeat, n);
        DT_TRY(dt_comm_agree(comm, status));
    }
out:
    return status;
}

DT_MUST_USE static dt_status predict_repeat(writer *w, const dt_part *rows, int64_t repeat,
                                            size_t *network)
{
    dt_status status = DT_OK;
    const int64_t K = w->whole->settings.folds;
    for (int p = 0; p < SETS; p++)
        for (size_t i = 0; i < dt_dataset_own_rows(&w->whole->sets[divided[p]]) * w->C; i++)
            w->mine[p][i] = NAN;
    DT_TRY(dt_run_find_folds(&w->folds, w->whole, repeat));
    for (int64_t f = 0; f < K && status == DT_OK; f++)
        if (rows[repeat * K + f].kept != 0)
            status = predict_fold(w, (*network)++, (uint16_t)f);
    DT_TRY(dt_comm_agree(w->whole->comm, status));
    DT_TRY(write_repeat(w, repeat));
out:
    dt_memory_free(w->folds);
    w->folds = NULL;
    return status;
}

dt_status dt_run_write_out_of_fold(dt_run *whole, const dt_part *rows)
{
    dt_status status = DT_OK;
    writer w = {.whole = whole, .C = whole->model.network.C};
    size_t network = 0;
    if (whole->root)
        status = begin_file(&w);
    for (int p = 0; p < SETS && status == DT_OK; p++)
        status = dt_memory_alloc(&w.mine[p], dt_dataset_own_rows(&whole->sets[divided[p]]) * w.C,
                                 sizeof *w.mine[p], "predictions");
    DT_TRY(dt_comm_agree(whole->comm, status));
    for (int64_t repeat = 0; repeat < whole->settings.repeats; repeat++)
        DT_TRY(predict_repeat(&w, rows, repeat, &network));
    if (whole->root) {
        dt_file *file = w.file;
        w.file = NULL;
        status = dt_file_commit(file);
    }
    DT_TRY(dt_comm_agree(whole->comm, status));
out:
    dt_file_discard(w.file);
    for (int p = 0; p < SETS; p++)
        dt_memory_free(w.mine[p]);
    dt_memory_free(w.p);
    dt_memory_free(w.y);
    dt_memory_free(w.line);
    dt_memory_free(w.id_name);
    dt_memory_free_texts(w.classes, w.C);
    return status;
}
