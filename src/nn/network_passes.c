#include "dtrain/nn/network.h"

#include "layer_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/subnormals.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

bool dt_network_is_narrow(const dt_network *network, size_t l)
{
    return l + 1 == network->layer_count &&
           (network->layers[l].H <= DT_NARROW || network->layers[l].kind->row_major);
}

/* ---- memory ---- */

dt_status dt_workspace_make_panels(dt_panels *out, size_t rows, size_t columns, const char *what)
{
    size_t floats = 0;
    *out = (dt_panels){.pitch = rows, .columns = columns};
    if (__builtin_mul_overflow(rows, dt_panels_count(columns) * DT_PANEL, &floats))
        return dt_fail(DT_MEMORY, "%s: %zu rows by %zu units are too many", what, rows, columns);
    return dt_memory_alloc(&out->data, floats, sizeof(float), what);
}

dt_status dt_workspace_init(dt_workspace *out, const dt_network *network, size_t rows,
                            dt_passes passes)
{
    dt_status status = DT_OK;
    const size_t layers = network->layer_count;
    *out = (dt_workspace){.capacity = rows, .layer_count = layers};
    DT_TRY(dt_memory_alloc(&out->outputs, 3 * layers, sizeof *out->outputs, "workspace"));
    out->deltas = out->outputs + layers;
    out->kept = out->deltas + layers;
    DT_TRY(dt_memory_alloc(&out->weights, 2 * layers, sizeof *out->weights, "workspace"));
    out->transposed = out->weights + layers;
    DT_TRY(dt_workspace_make_panels(&out->input, rows, network->D, "a step's rows"));
    DT_TRY(dt_memory_alloc(&out->logits, rows * network->K, network->C * sizeof(float), "logits"));
    for (size_t l = 0; l < layers; l++) {
        const size_t H = network->layers[l].H, l_rows = dt_workspace_rows(out, network, l);
        const dt_layer_kind *kind = network->layers[l].kind;
        if (kind->prepare != NULL || (kind->training_only && passes == DT_FORWARD_PASS))
            continue;
        if (!dt_network_is_narrow(network, l)) {
            DT_TRY(dt_workspace_make_panels(&out->outputs[l], l_rows, H, "layer outputs"));
            if (passes == DT_BOTH_PASSES)
                DT_TRY(dt_workspace_make_panels(&out->deltas[l], l_rows, H, "layer gradients"));
        }
        if (kind->allocate != NULL)
            DT_TRY(kind->allocate(out, network, l, passes));
    }
out:
    if (status != DT_OK)
        dt_workspace_clear(out);
    return status;
}

dt_status dt_workspace_make_slopes(dt_workspace *w, const dt_network *network, size_t l,
                                   dt_passes passes)
{
    const dt_layer *layer = &network->layers[l];
    if (passes == DT_FORWARD_PASS || !dt_activation_keeps_slopes(layer->activation))
        return DT_OK;
    return dt_workspace_make_panels(&w->kept[l], dt_workspace_rows(w, network, l), layer->H,
                                    "slopes of an activation");
}

void dt_workspace_clear(dt_workspace *workspace)
{
    for (size_t l = 0; l < workspace->layer_count; l++) {
        if (workspace->outputs != NULL) {
            dt_memory_free(workspace->outputs[l].data);
            dt_memory_free(workspace->deltas[l].data);
            dt_memory_free(workspace->kept[l].data);
        }
        if (workspace->weights != NULL) {
            dt_memory_free(workspace->weights[l]);
            dt_memory_free(workspace->transposed[l]);
        }
    }
    dt_memory_free(workspace->marks);
    dt_memory_free(workspace->outputs);
    dt_memory_free(workspace->weights);
    dt_memory_free(workspace->input.data);
    dt_memory_free(workspace->logits);
    dt_memory_free(workspace->totals);
    *workspace = (dt_workspace){0};
}

/* ---- what layers see of a pass ---- */

bool dt_traversal_uses(const dt_traversal *t, size_t l)
{
    const dt_layer_kind *kind = t->network->layers[l].kind;
    return kind->prepare == NULL && (!kind->training_only || t->workspace->pass.training);
}

size_t dt_traversal_before(const dt_traversal *t, size_t l)
{
    while (l-- > 0)
        if (dt_traversal_uses(t, l))
            return l;
    return SIZE_MAX;
}

const dt_panels *dt_traversal_inputs(const dt_traversal *t, size_t l)
{
    const size_t before = dt_traversal_before(t, l);
    return before == SIZE_MAX ? &t->workspace->input : &t->workspace->outputs[before];
}

const dt_panels *dt_traversal_outputs(const dt_traversal *t, size_t l)
{
    return dt_traversal_uses(t, l) ? &t->workspace->outputs[l] : dt_traversal_inputs(t, l);
}

size_t dt_traversal_used(const dt_traversal *t, size_t l)
{
    const size_t before = dt_traversal_before(t, l);
    if (before == SIZE_MAX)
        return 0;
    const size_t encoded = dt_layer_encoded_outputs(&t->network->layers[before]);
    return encoded > 0 ? encoded : t->network->layers[l].D;
}

float *dt_traversal_slopes(const dt_traversal *t, size_t l, size_t from, size_t p)
{
    const dt_panels *kept = &t->workspace->kept[l];
    const bool keeps = dt_activation_keeps_slopes(t->network->layers[l].activation);
    return keeps && kept->data != NULL ? dt_panels_at(kept, from, p) : NULL;
}

const dt_panels *dt_traversal_behind(const dt_traversal *t, size_t l)
{
    return dt_activation_keeps_slopes(t->network->layers[l].activation) ? &t->workspace->kept[l]
                                                                        : &t->workspace->outputs[l];
}

void dt_traversal_part(const dt_traversal *t, size_t count, int thread, size_t *from, size_t *to)
{
    const size_t threads = (size_t)dt_pool_threads(t->workspace->pool);
    *from = count * (size_t)thread / threads;
    *to = count * ((size_t)thread + 1) / threads;
}

void dt_traversal_report_final(dt_traversal *t, size_t first)
{
    t->final = first;
    if (t->done != NULL)
        t->done(t->context, first);
}

void dt_traversal_report_progress(const dt_traversal *t)
{
    if (t->done != NULL)
        t->done(t->context, t->final);
}

/* ---- all rows ---- */

/* Rows of a layer with members that pass the layers together, so that the outputs of one layer are
 * still in the second-level cache when the next one reads them. Twice the rows of a product's
 * block. */
enum { ROWS_TOGETHER = 112 };

/* The layers first .. end-1 in a pass. */
typedef struct stage {
    const dt_traversal *traversal;
    size_t first, end;
    void (*work)(const struct stage *stage, size_t from, size_t to);
} stage;

static void work_on_part(void *context, int thread)
{
    const stage *s = context;
    const dt_segments *segments = s->traversal->segments;
    const size_t K = s->traversal->network->K;
    const size_t together = K < ROWS_TOGETHER ? ROWS_TOGETHER / K : 1;
    size_t from = 0, to = 0;
    dt_traversal_part(s->traversal, segments->start[segments->count], thread, &from, &to);
    for (; from < to; from += together)
        s->work(s, from, to - from < together ? to : from + together);
}

/* The threads share the rows if a row's bits do not depend on other rows; else they work segment by
 * segment. */
static void work_on_rows(const stage *s)
{
    const dt_traversal *t = s->traversal;
    const size_t *start = t->segments->start;
    if (t->kernels->is_rowwise) {
        dt_pool_run(t->workspace->pool, work_on_part, (void *)s);
        return;
    }
    for (size_t i = 0; i < t->segments->count; i++)
        if (start[i + 1] > start[i])
            s->work(s, start[i], start[i + 1]);
}

static void go_forward(const stage *s, size_t from, size_t to)
{
    const dt_traversal *t = s->traversal;
    for (size_t l = s->first; l < s->end; l++) {
        const dt_layer *layer = &t->network->layers[l];
        if (dt_traversal_uses(t, l))
            layer->kind->forward(t, l, from * layer->K, to * layer->K);
    }
}

/* The derivative of the activation of the layer before, unless `backward` has applied it. */
static void apply_derivative(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[before];
    if (t->network->layers[l].kind->fuses_activation || layer->activation == DT_ACTIVATION_LINEAR)
        return;
    for (size_t p = 0; p < dt_panels_count(layer->H); p++)
        dt_activation_backward(layer->activation,
                               dt_panels_at(&t->workspace->deltas[before], from * layer->K, p),
                               dt_panels_at(dt_traversal_behind(t, before), from * layer->K, p),
                               (to - from) * layer->K * DT_PANEL);
}

/* Whether a layer before layer l has tensors; otherwise the gradients of its inputs are not
 * needed. */
static bool trains_before(const dt_traversal *t, size_t l)
{
    while (l-- > 0)
        if (t->network->layers[l].kind->gradient != NULL)
            return true;
    return false;
}

/* Whether a layer's gradient is carried back in this pass. */
static bool carries_back(const dt_traversal *t, size_t l)
{
    return dt_traversal_uses(t, l) && trains_before(t, l);
}

/* Stored gradients of residual connections are added last. */
static void go_backward(const stage *s, size_t from, size_t to)
{
    const dt_traversal *t = s->traversal;
    const dt_layer *layers = t->network->layers;
    for (size_t l = s->end; l-- > s->first;) {
        if (!carries_back(t, l))
            continue;
        const size_t before = dt_traversal_before(t, l);
        layers[l].kind->backward(t, l, before, from * layers[l].K, to * layers[l].K);
        apply_derivative(t, l, before, from, to);
        for (size_t a = l; a < t->network->layer_count; a++)
            if (layers[a].kind->add_kept != NULL)
                layers[a].kind->add_kept(t, a, before, from * layers[a].K, to * layers[a].K);
    }
}

/* ---- the passes ---- */

/* The end of the layers from `first` on that rows pass together. A layer that sums the batch needs
 * the outputs of all rows before it starts. */
static size_t find_end(const dt_traversal *t, size_t first)
{
    size_t end = first + 1;
    while (end < t->network->layer_count &&
           !(t->workspace->pass.training && t->network->layers[end].kind->sums_batch))
        end++;
    return end;
}

float *dt_network_forward(const dt_network *network, dt_workspace *workspace, const float *X,
                          const dt_segments *segments)
{
    const uint64_t flags = dt_subnormals_off();
    const size_t layers = network->layer_count, rows = segments->start[segments->count];
    const dt_traversal t = {.kernels = dt_kernels_chosen(),
                            .network = network,
                            .workspace = workspace,
                            .segments = segments};
    workspace->unsummed = NULL;
    DT_ASSERT(!workspace->pass.training || workspace->pass.positions != NULL);
    for (size_t i = 0; X != NULL && i < rows; i++)
        dt_panels_put_row(&workspace->input, i, X + i * network->D);
    for (size_t first = 0, end; first < layers; first = end) {
        end = find_end(&t, first);
        for (size_t l = first; l < end; l++)
            if (dt_traversal_uses(&t, l) && network->layers[l].kind->begin_forward != NULL)
                network->layers[l].kind->begin_forward(&t, l);
        work_on_rows(&(stage){&t, first, end, go_forward});
    }
    for (size_t i = 0; !dt_network_is_narrow(network, layers - 1) && i < rows * network->K; i++)
        dt_panels_get_row(workspace->logits + i * network->C, &workspace->outputs[layers - 1], i);
    dt_subnormals_restore(flags);
    return workspace->logits;
}

static void hand_over(dt_traversal *t, size_t l)
{
    if (dt_traversal_uses(t, l) && t->network->layers[l].kind->gradient != NULL)
        t->network->layers[l].kind->gradient(t, l);
}

/* Carries the gradient back through layers first .. end-1, to those before that train. Without rows
 * only the suffixes are reported, and sums over the batch are joined. */
static void carry_back(const dt_traversal *t, size_t first, size_t end)
{
    const bool has_rows = t->segments->start[t->segments->count] > 0;
    for (size_t l = first; l < end; l++) {
        const dt_layer_kind *kind = t->network->layers[l].kind;
        if (carries_back(t, l) && kind->begin_backward != NULL &&
            (has_rows || (kind->sums_batch && t->sink != NULL)))
            kind->begin_backward(t, l);
    }
    if (has_rows)
        work_on_rows(&(stage){t, first, end, go_backward});
    dt_traversal_report_progress(t);
}

/* The first of the layers before `end` that the gradient passes together. If gradients are sent
 * during the backward pass, it is layer by layer, so that they are complete early. The sums of a
 * layer over the batch need its gradients of all rows. */
static size_t find_first(const dt_traversal *t, size_t end)
{
    size_t first = end - 1;
    while (t->done == NULL && first > 0 && !t->network->layers[first - 1].kind->sums_batch)
        first--;
    return first;
}

void dt_network_backward(const dt_network *network, dt_workspace *workspace,
                         const dt_segments *segments, dt_gradient_sink *sink,
                         dt_gradient_done *done, void *context)
{
    const uint64_t flags = dt_subnormals_off();
    const size_t layers = network->layer_count, rows = segments->start[segments->count];
    dt_traversal t = {.kernels = dt_kernels_chosen(),
                      .network = network,
                      .workspace = workspace,
                      .segments = segments,
                      .first_filled = 1,
                      .sink = sink,
                      .done = done,
                      .context = context,
                      .final = network->P};
    for (size_t s = 0; s < segments->count; s++)
        if (segments->start[s + 1] > segments->start[s]) {
            t.first_filled = t.first_filled > t.last_filled ? s : t.first_filled;
            t.last_filled = s;
        }
    for (size_t i = 0; !dt_network_is_narrow(network, layers - 1) && i < rows * network->K; i++)
        dt_panels_put_row(&workspace->deltas[layers - 1], i, workspace->logits + i * network->C);
    for (size_t end = layers, first; end > 0; end = first) {
        first = find_first(&t, end);
        hand_over(&t, end - 1);
        carry_back(&t, first, end);
        for (size_t l = end - 1; l-- > first;)
            hand_over(&t, l);
    }
    dt_subnormals_restore(flags);
}

void dt_network_move(const dt_network *network, const dt_workspace *workspace, size_t first,
                     size_t count)
{
    for (size_t l = 0; l < network->layer_count; l++)
        if (network->layers[l].kind->move != NULL)
            network->layers[l].kind->move(network, workspace, l, first, count);
}
