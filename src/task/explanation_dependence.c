/* How predictions depend on one column: the mean over rows with the column's inputs set to a value.
 * Source: Friedman, "Greedy function approximation", 2001 */
#include "explanation_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/comm/exact_total.h"

#include <math.h>
#include <string.h>

/* Rows for the predictor, and their points. */
typedef struct work {
    const dt_explained_column *column;
    const dt_explained_point *points;
    size_t *point; /* [capacity] */
    float *w; /* [capacity] */
    size_t count;
    dt_exact_total *totals; /* [points, C], then the weight of the rows */
    int64_t outside; /* predictions that are not finite, or too large */
} work;

/* Values are added up in standard deviations of the targets, as evaluations do it. */
static double to_term(const dt_network *network, size_t c, double p)
{
    return network->scale != NULL ? (p - network->scale[c].mean) / network->scale[c].deviation : p;
}

static double from_term(const dt_network *network, size_t c, double term)
{
    return network->scale != NULL ? network->scale[c].mean + network->scale[c].deviation * term
                                  : term;
}

static void flush(dt_explainer *e, work *s)
{
    enum { FAR = 1 << 16 };
    const dt_network *network = e->predictor->network;
    const size_t C = network->C;
    if (s->count == 0)
        return;
    dt_predictor_run(e->predictor, e->x, NULL, s->count);
    for (size_t i = 0; i < s->count; i++)
        for (size_t c = 0; c < C; c++) {
            const double term = to_term(network, c, (double)e->predictor->p[i * C + c]);
            if (isfinite(term) && fabs(term) <= FAR)
                dt_exact_total_add(&s->totals[s->point[i] * C + c], (double)s->w[i] * term);
            else
                s->outside++;
        }
    s->count = 0;
}

static void set_inputs(float *x, const dt_explained_column *column, const dt_explained_point *point)
{
    const bool one_hot = column->kind == DT_COLUMN_CATEGORY;
    for (size_t j = 0; j < column->width; j++)
        x[column->first + j] = one_hot ? (j == point->category ? 1.0f : 0.0f) : point->inputs[j];
}

/* Computes all points for this rank's rows. The rows of a batch are predicted together, on any
 * number of ranks. */
static void add_rows(dt_explainer *e, work *s, size_t points, const bool *sampled)
{
    const dt_explained_rows *r = &e->rows;
    dt_exact_total *weight = &s->totals[points * e->predictor->network->C];
    for (size_t b = 0, i = 0; b < r->batch_count; b++) {
        for (; i < r->batch[b]; i++) {
            const float w = r->w != NULL ? r->w[i] : 1.0f;
            if (!sampled[i])
                continue;
            dt_exact_total_add(weight, (double)w);
            for (size_t p = 0; p < points; p++) {
                float *x = e->x + s->count * r->D;
                memcpy(x, r->x + i * r->D, r->D * sizeof *x);
                set_inputs(x, s->column, &s->points[p]);
                s->point[s->count] = p;
                s->w[s->count++] = w;
                if (s->count == e->predictor->capacity)
                    flush(e, s);
            }
        }
        flush(e, s);
    }
}

/* Allocates room for more points in the result. */
static dt_status grow(dt_explanation *out, size_t more)
{
    dt_status status = DT_OK;
    const size_t had = out->point_count, has = had + more;
    DT_TRY(dt_memory_grow(&out->points, had, has, sizeof *out->points, "points"));
    DT_TRY(dt_memory_grow(&out->predictions, had * out->C, has * out->C, sizeof *out->predictions,
                          "predictions"));
out:
    return status;
}

static dt_status prepare(work *s, dt_explainer *e, const dt_explained_column *column,
                         dt_explained_point **points, size_t *count)
{
    dt_status status = DT_OK;
    const size_t C = e->predictor->network->C, capacity = e->predictor->capacity;
    bool cut = false;
    DT_TRY(dt_explained_points_find(points, count, &cut, column, e->all, (size_t)e->rows.N,
                                    e->plan->points));
    s->column = column;
    s->points = *points;
    DT_TRY(dt_memory_alloc(&s->totals, *count * C + 1, sizeof *s->totals, "mean predictions"));
    DT_TRY(dt_memory_alloc(&s->point, capacity, sizeof *s->point, "points"));
    DT_TRY(dt_memory_alloc(&s->w, capacity, sizeof *s->w, "weights"));
    DT_TRY(grow(e->out, *count));
    e->out->cut += cut;
out:
    return status;
}

static void put_points(dt_explanation *out, const work *s, size_t count, int32_t number,
                       const dt_network *network)
{
    const double weight = dt_exact_total_value(&s->totals[count * out->C]);
    for (size_t p = 0; p < count; p++) {
        dt_dependence_point *to = &out->points[out->point_count + p];
        *to = s->points[p].shown;
        to->number = number;
        for (size_t c = 0; c < out->C; c++)
            out->predictions[(out->point_count + p) * out->C + c] =
                from_term(network, c, dt_exact_total_value(&s->totals[p * out->C + c]) / weight);
    }
    out->point_count += count;
}

dt_status dt_explainer_depend(dt_explainer *e, const dt_explained_column *column,
                              const bool *sampled)
{
    dt_status status = DT_OK;
    work s = {0};
    dt_explained_point *points = NULL;
    size_t count = 0;
    const size_t C = e->predictor->network->C;
    DT_TRY(dt_comm_agree(e->comm, prepare(&s, e, column, &points, &count)));
    add_rows(e, &s, count, sampled);
    dt_exact_total_sum(e->comm, s.totals, count * C + 1);
    dt_comm_sum_i64(e->comm, &s.outside, 1);
    if (s.outside > 0)
        DT_TRY(dt_fail(DT_DIVERGED,
                       "column '%s': %lld predictions are not finite, or too large; use --points 0 "
                       "to skip the dependences",
                       column->name, (long long)s.outside));
    put_points(e->out, &s, count, (int32_t)(column - e->columns), e->predictor->network);
out:
    dt_memory_free(points);
    dt_memory_free(s.totals);
    dt_memory_free(s.point);
    dt_memory_free(s.w);
    return status;
}
