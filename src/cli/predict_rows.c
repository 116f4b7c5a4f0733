#include "predict_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/nn/bins.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- names of columns ---- */

enum { NAME_BYTES = 1024, NUMBER_BYTES = 16 };

/* Among fields of a CSV. */
static bool is_listed(const char *fields, const char *name)
{
    char item[NAME_BYTES];
    while (dt_text_next_item(item, sizeof item, &fields))
        if (strcmp(item, name) == 0)
            return true;
    return false;
}

/* Whether a column of predictions has the name. */
static bool is_taken(const dt_predict_run *r, const char *name)
{
    const bool brief = r->settings.brief;
    if ((!brief && strcmp(name, "row") == 0) || (r->classes && strcmp(name, "class") == 0))
        return true;
    if (r->classes && (brief || strncmp(name, "p_", 2) != 0))
        return false;
    for (size_t c = 0; c < r->C; c++)
        if (is_listed(r->names[c], r->classes ? name + 2 : name))
            return true;
    return false;
}

static void warn_of_name(const char *name)
{
    char shown[DT_TEXT_SHOWN_BYTES + 4];
    dt_log_warn("the kept column '%s' is renamed, because the output has a column of this name",
                dt_text_show(shown, name, strlen(name)));
}

dt_status dt_predict_name_kept(char **out, const dt_predict_run *r)
{
    char name[NAME_BYTES], other[NAME_BYTES + NUMBER_BYTES];
    size_t used = 0, bytes = 2, renamed = 0;
    for (const char *at = r->kept; dt_text_next_item(name, sizeof name, &at);)
        bytes += 2 * strlen(name) + NUMBER_BYTES + 4;
    dt_status status = dt_memory_alloc(out, bytes + strlen(r->kept), 1, "columns' names");
    if (status != DT_OK)
        return status;
    for (const char *at = r->kept, *from = at; dt_text_next_item(name, sizeof name, &at);
         from = at) {
        if (!is_taken(r, name) && !is_listed(*out, name)) {
            const size_t length = (size_t)(at - from) - (at[-1] == ',');
            memcpy(*out + used, from, length);
            used += length;
        } else {
            size_t number = 0;
            do
                (void)snprintf(other, sizeof other, "%s.%zu", name, ++number);
            while (is_taken(r, other) || is_listed(*out, other) || is_listed(r->kept, other));
            used += dt_text_put_field(*out + used, other, strlen(other));
            if (renamed++ == 0)
                warn_of_name(name);
        }
        (*out)[used++] = ',';
        (*out)[used] = '\0';
    }
    return DT_OK;
}

/* ---- rows ---- */

size_t dt_predict_record_bytes(const dt_predict_run *r)
{
    return r->C * sizeof(float) + (r->classes ? sizeof(int32_t) : 0);
}

/* Nine digits distinguish float32 numbers. */
static size_t write_values(const dt_predict_run *r, char *out, const float *values)
{
    enum { VALUE_BYTES = 24 };
    size_t used = 0;
    for (size_t j = 0; j < r->C; j++) {
        if (values != NULL)
            used += (size_t)snprintf(out + used, VALUE_BYTES, "%.9g", (double)values[j]);
        out[used++] = ',';
    }
    return used;
}

static size_t write_class(const dt_predict_run *r, char *out, const float *p, int32_t predicted)
{
    size_t used = 0;
    if (p != NULL) {
        used = strlen(r->names[predicted]);
        memcpy(out, r->names[predicted], used);
    }
    out[used++] = ',';
    for (size_t c = 0; !r->settings.brief && c < r->C; c++) {
        if (p != NULL)
            used += dt_text_probability(out + used, p[c]);
        out[used++] = ',';
    }
    return used;
}

/* A line; p is NULL for an empty prediction. */
static size_t write_row(const dt_predict_run *r, char *out, const dt_row_batch *rows, size_t i,
                        const float *p, int32_t predicted)
{
    size_t used = 0;
    if (rows->kept_at != NULL) {
        used = rows->kept_at[i + 1] - rows->kept_at[i];
        memcpy(out, rows->kept + rows->kept_at[i], used);
    }
    if (!r->settings.brief) {
        const int64_t number = rows->numbers != NULL ? rows->numbers[i] : 0;
        if (number < 0)
            out[used++] = '-';
        used += dt_text_whole(out + used, rows->numbers == NULL ? rows->first + i
                                          : number < 0          ? 0 - (uint64_t)number
                                                                : (uint64_t)number);
        out[used++] = ',';
    }
    used += r->classes ? write_class(r, out + used, p, predicted) : write_values(r, out + used, p);
    out[used - 1] = '\n';
    return used;
}

static size_t write_record(const dt_predict_run *r, char *out, const float *p, int32_t predicted)
{
    const size_t bytes = r->C * sizeof *p;
    const float none = NAN;
    for (size_t c = 0; p == NULL && c < r->C; c++)
        memcpy(out + c * sizeof none, &none, sizeof none);
    if (p == NULL)
        predicted = -1;
    else
        memcpy(out, p, bytes);
    if (r->classes)
        memcpy(out + bytes, &predicted, sizeof predicted);
    return dt_predict_record_bytes(r);
}

static size_t longest_row(const dt_predict_run *r)
{
    return 24 + r->longest_name + 1 + 24 * r->C;
}

dt_status dt_predict_grow(void *block, size_t *capacity, size_t used, size_t more, size_t size)
{
    if (*capacity - used >= more)
        return DT_OK;
    const size_t wanted = 2 * used + more;
    dt_status status = dt_memory_grow(block, used, wanted, size, "predictions");
    if (status == DT_OK)
        *capacity = wanted;
    return status;
}

/* One NaN among a row's logits makes all of its probabilities NaN. */
static bool is_sound(const dt_predict_run *r, const float *p)
{
    bool sound = true;
    for (size_t j = 0; j < (r->classes ? 1 : r->C); j++)
        sound = sound && isfinite(p[j]);
    return sound;
}

static bool is_bad(const dt_row_batch *rows, size_t i)
{
    return rows->bad != NULL && rows->bad[i];
}

/* Counts the rows with an input outside the range of training. */
static int64_t count_outside(const dt_predictor *predictor, const dt_row_batch *rows)
{
    const dt_network *network = predictor->network;
    const float *x = predictor->prepared != NULL ? predictor->prepared : rows->x;
    int64_t count = 0;
    if (rows->bad == NULL)
        return (int64_t)dt_bins_count_outside(network, x, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        if (!rows->bad[i])
            count += (int64_t)dt_bins_count_outside(network, x + i * network->D, 1);
    return count;
}

dt_status dt_predict_take_rows(void *context, const dt_row_batch *rows)
{
    dt_predict_run *r = context;
    dt_predictor *predictor = &r->scoring.predictor;
    const size_t row_bytes = r->form != FORM_NPZ ? longest_row(r) : dt_predict_record_bytes(r);
    const size_t kept = rows->kept_at != NULL ? rows->kept_at[rows->count] : 0;
    dt_status status =
        dt_predict_grow(&r->mine, &r->capacity, r->used, rows->count * row_bytes + kept, 1);
    if (status != DT_OK)
        return status;
    dt_predictor_run(predictor, rows->x, NULL, rows->count);
    r->outside += count_outside(predictor, rows);
    for (size_t i = 0; i < rows->count; i++) {
        const float *p = is_bad(rows, i) ? NULL : predictor->p + i * r->C;
        const int32_t predicted = r->classes ? predictor->rows.predicted[i] : 0;
        char *to = r->mine + r->used;
        if (p == NULL && r->settings.on_error == DT_ON_ERROR_SKIP)
            continue;
        if (p != NULL && !is_sound(r, p))
            return dt_fail(DT_DIVERGED,
                           "%s: row %llu: its %s not finite; check that the inputs are prepared as "
                           "in training",
                           r->settings.scoring.data, (unsigned long long)(rows->first + i),
                           r->classes ? "probabilities are" : "prediction is");
        r->rows++;
        r->used += r->form == FORM_NPZ ? write_record(r, to, p, predicted)
                                       : write_row(r, to, rows, i, p, predicted);
    }
    return DT_OK;
}
