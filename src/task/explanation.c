#include "dtrain/task/explanation.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"
#include "dtrain/task/evaluation.h"
#include "explanation_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *dt_column_kind_name(int32_t kind)
{
    return kind == DT_COLUMN_CATEGORY ? "category" : kind == DT_COLUMN_DATE ? "date" : "number";
}

/* ---- metrics ---- */

/* The two default metrics: the task's first, and the first with the other direction. The one for
 * which smaller is better is the default importance. */
static void choose_metrics(dt_explanation *out, const dt_quality_kind *asked)
{
    const dt_quality_kind *q = out->task->qualities, *first = q, *other = q;
    while (other->larger_is_better == first->larger_is_better)
        other++;
    out->metric = asked != NULL ? asked : first->larger_is_better ? other : first;
    out->second = out->metric == first ? other : first;
}

static size_t index_of(const dt_task *task, const dt_quality_kind *quality)
{
    return (size_t)(quality - task->qualities);
}

/* ---- the qualities of the model on rows ---- */

/* Adds a batch, with the column's inputs as e->permutation deals them; NULL: as they are. */
static void add_batch(dt_explainer *e, dt_scores *scores, const dt_explained_column *column,
                      size_t from, size_t count)
{
    const dt_explained_rows *r = &e->rows;
    const float *x = r->x + from * r->D;
    if (column != NULL) {
        memcpy(e->x, x, count * r->D * sizeof *x);
        for (size_t i = 0; i < count; i++) {
            const size_t place = r->place[e->permutation[r->number[from + i]]];
            memcpy(e->x + i * r->D + column->first, e->all + place * column->width,
                   column->width * sizeof *x);
        }
        x = e->x;
    }
    dt_predictor_run(e->predictor, x, NULL, count);
    dt_scores_add(scores, e->predictor->p, r->y + from * r->T, r->w != NULL ? r->w + from : NULL,
                  e->predictor->rows.predicted, count);
}

/* Fills out [qualities]. */
static dt_status measure(dt_explainer *e, double *out, const dt_explained_column *column)
{
    dt_status status = DT_OK;
    dt_scores scores = {0};
    dt_evaluation evaluation = {0};
    const dt_explained_rows *r = &e->rows;
    const dt_task *task = e->out->task;
    DT_TRY(dt_comm_agree(e->comm, dt_scores_init(&scores, e->predictor->network, r->count,
                                                 e->out->metric->needs_rows, e->out->weighted)));
    for (size_t b = 0, from = 0; b < r->batch_count; from = r->batch[b++])
        add_batch(e, &scores, column, from, r->batch[b] - from);
    DT_TRY(dt_evaluation_compute(&evaluation, e->comm, &scores, NULL));
    for (size_t q = 0; q < task->quality_count; q++)
        out[q] = dt_quality_value(&evaluation.model, &task->qualities[q]);
    dt_explainer_step(e);
out:
    dt_evaluation_clear(&evaluation);
    dt_scores_clear(&scores);
    return status;
}

/* ---- importances ---- */

/* The mean over the repeats, [repeats, qualities], of how much worse a quality became. */
static double mean_loss(double *error, const dt_explanation *e, const double *permuted,
                        const dt_quality_kind *quality)
{
    const size_t Q = e->task->quality_count, q = index_of(e->task, quality);
    const double sign = quality->larger_is_better ? 1.0 : -1.0, n = (double)e->repeats;
    double sum = 0.0, squares = 0.0;
    for (size_t r = 0; r < e->repeats; r++)
        sum += sign * (e->unpermuted[q] - permuted[r * Q + q]);
    for (size_t r = 0; r < e->repeats; r++) {
        const double off = sign * (e->unpermuted[q] - permuted[r * Q + q]) - sum / n;
        squares += off * off;
    }
    *error = e->repeats > 1 ? sqrt(squares / (n - 1.0) / n) : NAN;
    return sum / n;
}

static dt_status permute_all(dt_explainer *e)
{
    dt_status status = DT_OK;
    dt_explanation *out = e->out;
    const size_t Q = out->task->quality_count;
    for (size_t c = 0; c < out->count; c++) {
        const dt_explained_column *column = &e->columns[c];
        dt_column_importance *to = &out->columns[c];
        double *permuted = out->permuted + c * out->repeats * Q;
        dt_explainer_gather(e, column);
        for (size_t r = 0; r < out->repeats; r++) {
            dt_explainer_permute(e, (uint64_t)c << 32 | r);
            DT_TRY(measure(e, permuted + r * Q, column));
        }
        dt_explained_text(to->column, column->name);
        to->number = (int32_t)c;
        to->kind = (int32_t)column->kind;
        to->inputs = (int32_t)column->width;
        to->importance = mean_loss(&to->standard_error, out, permuted, out->metric);
        to->second = mean_loss(&to->second_error, out, permuted, out->second);
    }
out:
    return status;
}

static int by_importance(const void *a, const void *b)
{
    const dt_column_importance *left = a, *right = b;
    if (left->importance != right->importance)
        return left->importance > right->importance ? -1 : 1;
    return left->number < right->number ? -1 : 1;
}

/* Puts the most important column first. */
static dt_status sort_columns(dt_explanation *out)
{
    const size_t bytes = out->repeats * out->task->quality_count * sizeof *out->permuted;
    double *sorted = NULL;
    dt_status status = dt_memory_alloc(&sorted, out->count, bytes, "scores");
    if (status != DT_OK)
        return status;
    qsort(out->columns, out->count, sizeof *out->columns, by_importance);
    for (size_t i = 0; i < out->count; i++)
        memcpy((char *)sorted + i * bytes,
               (const char *)out->permuted + (size_t)out->columns[i].number * bytes, bytes);
    dt_memory_free(out->permuted);
    out->permuted = sorted;
    return DT_OK;
}

/* ---- dependences ---- */

/* Marks the rows of this rank that are used for averages. */
static void draw_rows(dt_explainer *e, bool *sampled)
{
    const dt_explained_rows *r = &e->rows;
    size_t before = 0; /* rows of lower ranks */
    for (int rank = 0; rank < dt_comm_rank(e->comm); rank++)
        before += r->counts[rank];
    dt_explainer_permute(e, UINT64_MAX);
    e->out->dependence_rows = e->plan->rows < r->N ? e->plan->rows : r->N;
    for (size_t n = 0; n < e->out->dependence_rows; n++) {
        const size_t place = r->place[e->permutation[n]];
        if (place >= before && place - before < r->count)
            sampled[place - before] = true;
    }
}

static dt_status depend_all(dt_explainer *e)
{
    dt_status status = DT_OK;
    bool *sampled = NULL;
    DT_TRY(dt_comm_agree(e->comm, dt_memory_alloc(&sampled, e->rows.count, sizeof *sampled,
                                                  "rows to average over")));
    draw_rows(e, sampled);
    for (size_t i = 0; i < e->out->count; i++) {
        const dt_explained_column *column = &e->columns[e->out->columns[i].number];
        dt_explainer_gather(e, column);
        DT_TRY(dt_explainer_depend(e, column, sampled));
        dt_explainer_step(e);
    }
out:
    dt_memory_free(sampled);
    return status;
}

/* ---- the whole ---- */

static dt_status allocate(dt_explainer *e)
{
    dt_status status = DT_OK;
    dt_explanation *out = e->out;
    const dt_explained_rows *r = &e->rows;
    const size_t Q = out->task->quality_count, ranks = (size_t)dt_comm_size(e->comm);
    DT_TRY(dt_explained_columns_new(&e->columns, &out->count, e->plan->recipe, r->D));
    for (size_t c = 0; c < out->count; c++)
        e->width_most = e->columns[c].width > e->width_most ? e->columns[c].width : e->width_most;
    const double words = ((double)r->N + (double)r->count) * (double)e->width_most + (double)r->N;
    DT_TRY(dt_memory_check(words * sizeof *e->all * r->host_ranks, r->host_ranks,
                           "the values of a column", "use fewer ranks a host, or fewer rows"));
    DT_TRY(dt_memory_alloc(&e->x, e->predictor->capacity * r->D, sizeof *e->x, "rows"));
    DT_TRY(dt_memory_alloc(&e->mine, r->count * e->width_most, sizeof *e->mine, "own values"));
    DT_TRY(dt_memory_alloc(&e->all, (size_t)r->N * e->width_most, sizeof *e->all, "all values"));
    DT_TRY(dt_memory_alloc(&e->bytes, ranks, sizeof *e->bytes, "sizes"));
    DT_TRY(dt_memory_alloc(&e->permutation, (size_t)r->N, sizeof *e->permutation, "permutation"));
    DT_TRY(dt_memory_alloc(&out->unpermuted, Q, sizeof *out->unpermuted, "scores"));
    DT_TRY(dt_memory_alloc(&out->permuted, out->count * out->repeats * Q, sizeof *out->permuted,
                           "scores"));
    DT_TRY(dt_memory_alloc(&out->columns, out->count, sizeof *out->columns, "importances"));
out:
    return status;
}

static dt_status check_metric(const dt_explanation *out)
{
    if (!isnan(out->unpermuted[index_of(out->task, out->metric)]))
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s is undefined for these rows, for example because all targets are equal; "
                   "choose another --metric",
                   out->metric->name);
}

static void clear(dt_explainer *e)
{
    dt_explained_rows_clear(&e->rows);
    dt_memory_free(e->columns);
    dt_memory_free(e->x);
    dt_memory_free(e->mine);
    dt_memory_free(e->all);
    dt_memory_free(e->bytes);
    dt_memory_free(e->permutation);
}

dt_status dt_explanation_compute(dt_explanation *out, const dt_comm *comm, dt_rows *rows,
                                 dt_predictor *predictor, const dt_explanation_plan *plan)
{
    dt_status status = DT_OK;
    const dt_network *network = predictor->network;
    dt_explainer e = {.comm = comm, .predictor = predictor, .plan = plan, .out = out};
    *out = (dt_explanation){.task = dt_task_of(network->loss),
                            .weighted = dt_rows_weighted(rows),
                            .seed = plan->seed,
                            .repeats = plan->repeats,
                            .C = network->C};
    choose_metrics(out, plan->metric);
    e.rows.host_ranks = plan->host_ranks;
    DT_TRY(dt_explained_rows_read(&e.rows, comm, rows, network->D,
                                  network->loss->classes ? 1 : network->C));
    out->N = e.rows.N;
    DT_TRY(dt_comm_agree(comm, allocate(&e)));
    e.steps = 1 + out->count * (out->repeats + (plan->points > 0));
    DT_TRY(measure(&e, out->unpermuted, NULL));
    DT_TRY(check_metric(out));
    DT_TRY(permute_all(&e));
    DT_TRY(dt_comm_agree(comm, sort_columns(out)));
    if (plan->points > 0)
        DT_TRY(depend_all(&e));
out:
    clear(&e);
    return status;
}

void dt_explanation_clear(dt_explanation *explanation)
{
    dt_memory_free(explanation->unpermuted);
    dt_memory_free(explanation->permuted);
    dt_memory_free(explanation->columns);
    dt_memory_free(explanation->points);
    dt_memory_free(explanation->predictions);
    memset(explanation, 0, sizeof *explanation);
}
