/*
 * Embeddings of categories. The inputs of a group are the categories of one column: 1 for the
 * category of the row, 0 for the others. A group becomes `width` numbers:
 *
 *     Y[g] = sum over the inputs j of group g of X[j] table[j]
 *
 * If no training row has a row's category, its inputs and numbers are 0. All sums skip inputs that
 * are 0. The outputs are the encoded numbers (piecewise_linear.c, periodic.c), as before, then the
 * groups, then the other inputs, unchanged.
 *
 * Source: Guo and Berkhahn, "Entity embeddings of categorical variables", 2016
 */
#include "../layer_internal.h"

#include "dtrain/base/memory.h"

#include <limits.h>
#include <string.h>

_Static_assert(sizeof(size_t) == sizeof(int64_t), "numbers of things are read as an int64_t");

#define AT(field) offsetof(dt_layer, field)

static const dt_option options[] = {
    {"inputs", "N", DT_OPTION_INT, AT(encoded), 1, INT_MAX, NULL, NULL,
     "number of inputs that are categories"},
    {"columns", "N", DT_OPTION_INT, AT(groups), 1, INT_MAX, NULL, NULL,
     "number of columns of categories"},
    {"width", "N", DT_OPTION_INT, AT(width), 1, DT_PANEL, NULL, NULL, "outputs of a column"},
};

/* ---- the layer ---- */

static dt_status plan(dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_layer *layer = &network->layers[l];
    const size_t quarter = layer->width / 4; /* numbers of 2 / sqrt(width) at most */
    const dt_tensor_plan table = {.name = "table",
                                  .rows = layer->encoded,
                                  .columns = layer->width,
                                  .fan_in = quarter > 0 ? quarter : 1,
                                  .start = DT_START_UNIFORM};
    const dt_tensor_plan groups = {
        .name = "groups", .rows = layer->D, .is_constant = true, .non_negative = true};
    const dt_layer *before = l > 0 ? &network->layers[l - 1] : NULL;
    const bool follows = before != NULL && before->kind->encodes_numbers;
    /* Categories have no gradient: only an encoding of numbers trains before them. */
    DT_TRY(dt_network_check_beginning(network, l, follows ? l - 1 : l));
    if (follows)
        layer->lead = before->encoded * before->width;
    if (layer->encoded > layer->D - layer->lead || layer->groups > layer->encoded)
        return dt_fail(DT_DATA,
                       "layer %zu (%s): 'inputs' is %zu and 'columns' %zu; expected at most %zu "
                       "inputs, and at most as many columns",
                       l + 1, layer->kind->name, layer->encoded, layer->groups,
                       layer->D - layer->lead);
    layer->H = layer->groups * layer->width + (layer->D - layer->encoded);
    layer->activation = DT_ACTIVATION_LINEAR;
    DT_TRY(dt_network_declare(network, l, &table, &layer->kernel));
    DT_TRY(dt_network_declare(network, l, &groups, &layer->group_of));
out:
    return status;
}

/* Each input has no group, the group of the input before, or the next group. */
static dt_status check(const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    const float *groups = network->constants + layer->group_of;
    size_t inputs = 0, last = 0;
    for (size_t d = 0; d < layer->D; d++) {
        const bool next = groups[d] == (float)(last + 1), same = groups[d] == (float)last;
        if (groups[d] != 0.0f && ((!next && !same) || d < layer->lead))
            return dt_fail(DT_DATA, "layer %zu (%s): input %zu is of column %g", l + 1,
                           layer->kind->name, d, (double)groups[d]);
        inputs += groups[d] != 0.0f;
        last += groups[d] != 0.0f && next;
    }
    if (inputs != layer->encoded || last != layer->groups)
        return dt_fail(DT_DATA, "layer %zu (%s): %zu inputs of %zu columns; expected %zu of %zu",
                       l + 1, layer->kind->name, inputs, last, layer->encoded, layer->groups);
    return DT_OK;
}

/* One input of the layer. */
typedef struct input {
    size_t d; /* its column */
    size_t group; /* from 1; 0: it stays as it is */
    size_t row; /* of the table */
    size_t output; /* its first output */
} input;

/* Goes to the next input; the first one is that behind {.d = SIZE_MAX}. Returns whether there is
 * one. */
static bool next_input(input *it, const dt_network *network, size_t l, size_t *plain)
{
    const dt_layer *layer = &network->layers[l];
    if (it->d == SIZE_MAX)
        *plain = 0;
    else
        it->row += it->group > 0;
    it->d++;
    if (it->d >= layer->D)
        return false;
    it->group = (size_t)network->constants[layer->group_of + it->d];
    if (it->group > 0)
        it->output = layer->lead + (it->group - 1) * layer->width;
    else if (it->d < layer->lead)
        it->output = it->d;
    else
        it->output = layer->lead + layer->groups * layer->width + (*plain)++;
    return true;
}

/* ---- forward ---- */

static void embed(const dt_traversal *t, size_t l, const input *it, size_t from, size_t to)
{
    const size_t width = t->network->layers[l].width;
    const dt_panels *in = dt_traversal_inputs(t, l), *out = &t->workspace->outputs[l];
    const float *table = t->network->params + t->network->layers[l].kernel + it->row * width;
    for (size_t i = from; i < to; i++) {
        const float x = *dt_panels_element(in, i, it->d);
        for (size_t j = 0; j < width && !(x == 0.0f); j++)
            *dt_panels_element(out, i, it->output + j) += x * table[j];
    }
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l), *out = &t->workspace->outputs[l];
    size_t plain = 0;
    for (size_t p = 0; p < dt_panels_count(layer->H); p++)
        memset(dt_panels_at(out, from, p), 0, (to - from) * DT_PANEL * sizeof(float));
    for (input it = {.d = SIZE_MAX}; next_input(&it, t->network, l, &plain);)
        if (it.group > 0)
            embed(t, l, &it, from, to);
        else
            for (size_t i = from; i < to; i++)
                *dt_panels_element(out, i, it.output) = *dt_panels_element(in, i, it.d);
}

/* ---- gradients ---- */

/* The gradients of categories are not needed: no layer before changes them. */
static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const dt_panels *dY = &t->workspace->deltas[l], *dX = &t->workspace->deltas[before];
    size_t plain = 0;
    for (input it = {.d = SIZE_MAX}; next_input(&it, t->network, l, &plain);)
        for (size_t i = from; i < to; i++)
            *dt_panels_element(dX, i, it.d) =
                it.group > 0 ? 0.0f : *dt_panels_element(dY, i, it.output);
}

/* The gradient of one input's row of the table, segment by segment. */
static void hand_over(const dt_traversal *t, size_t l, const input *it)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l), *dY = &t->workspace->deltas[l];
    const dt_gradient_block block = {layer->kernel + it->row * layer->width, 1, layer->width, 1, 1};
    for (size_t s = t->first_filled; s <= t->last_filled; s++) {
        const size_t from = t->segments->start[s], to = t->segments->start[s + 1];
        float sums[DT_PANEL] __attribute__((aligned(64))) = {0};
        if (from == to)
            continue;
        for (size_t i = from; i < to; i++) {
            const float x = *dt_panels_element(in, i, it->d);
            for (size_t j = 0; j < layer->width && !(x == 0.0f); j++)
                sums[j] += x * *dt_panels_element(dY, i, it->output + j);
        }
        t->sink(t->context, &block, sums, s == t->first_filled, s == t->last_filled, 0);
    }
}

static void gradient(dt_traversal *t, size_t l)
{
    size_t plain = 0;
    for (input it = {.d = SIZE_MAX}; next_input(&it, t->network, l, &plain);)
        if (it.group > 0)
            hand_over(t, l, &it);
    dt_traversal_report_final(t, t->network->layers[l].kernel);
}

const dt_layer_kind dt_layer_category_embedding = {
    .name = "category_embedding",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .check = check,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
