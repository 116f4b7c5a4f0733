#include "dtrain/nn/spec.h"

#include "dtrain/base/memory.h"

/* ---- from options to layers and back ---- */

/* The layer of each dt_norm, with Keras's defaults. */
static const dt_layer norms[] = {
    {.kind = NULL},
    {.kind = &dt_layer_layer_norm, .epsilon = 1e-3},
    {.kind = &dt_layer_rms_norm, .epsilon = 1e-6},
    {.kind = &dt_layer_batch_norm, .epsilon = 1e-3, .momentum = 0.99},
};

static dt_norm norm_of(const dt_layer *layer)
{
    size_t norm = sizeof norms / sizeof *norms - 1;
    while (norm > DT_NORM_NONE && norms[norm].kind != layer->kind)
        norm--;
    return (dt_norm)norm;
}

static bool is_norm(const dt_layer *layer)
{
    return norm_of(layer) != DT_NORM_NONE;
}

static bool is_activation(const dt_layer *layer)
{
    return layer->kind == &dt_layer_activation || layer->kind == &dt_layer_rectifier ||
           layer->kind == &dt_layer_prelu;
}

static bool is_full(const dt_spec *spec)
{
    return spec->members_kind == DT_MEMBERS_FULL;
}

/* A kernel of full members with the scales and biases of each member; returns the number of layers.
 * The scales of the first block's inputs are part of the beginning. */
static size_t make_full_dense(dt_layer *out, const dt_spec *spec, size_t block)
{
    const dt_layer scale = {
        .kind = &dt_layer_member_scale, .members = spec->members, .start = DT_SCALES_ONES};
    size_t count = 0;
    if (block > 0)
        out[count++] = scale;
    out[count++] = (dt_layer){.kind = &dt_layer_dense,
                              .H = spec->hidden.values[block],
                              .activation = DT_ACTIVATION_LINEAR,
                              .biases = DT_BIAS_NONE};
    out[count] = scale;
    out[count++].shifts = DT_SHIFTS_MEMBERS;
    return count;
}

/* The layers of a hidden block; returns their number. `first` is the index of its first layer. */
static size_t make_block(dt_layer *out, const dt_spec *spec, size_t block, size_t first)
{
    const size_t H = spec->hidden.values[block];
    const dt_activation activation =
        (dt_activation)spec->activations.values[spec->activations.count > 1 ? block : 0];
    const bool fused = spec->norm == DT_NORM_NONE && !is_full(spec);
    size_t count = 0;
    if (is_full(spec))
        count = make_full_dense(out, spec, block);
    else
        out[count++] = (dt_layer){.kind = &dt_layer_dense,
                                  .H = H,
                                  .activation = fused ? activation : DT_ACTIVATION_LINEAR};
    if (spec->norm != DT_NORM_NONE)
        out[count++] = norms[spec->norm];
    if (!fused)
        out[count++] = (dt_layer){.kind = &dt_layer_activation, .activation = activation};
    if (spec->residual && block > 0 && spec->hidden.values[block - 1] == H)
        out[count++] = (dt_layer){.kind = &dt_layer_add, .source = first - 1};
    return count;
}

/* Whether an input is a number that is encoded. */
static bool is_number(const dt_spec *spec, size_t d)
{
    switch (spec->embedding) {
    case DT_EMBEDDING_PIECEWISE:
        return spec->bins != NULL && spec->bins->counts[d] > 0.0f;
    case DT_EMBEDDING_PERIODIC:
        return spec->numbers != NULL && spec->numbers[d];
    case DT_EMBEDDING_NONE:
        break;
    }
    return false;
}

static size_t count_numbers(const dt_spec *spec, size_t D)
{
    size_t count = 0;
    for (size_t d = 0; spec->embedding != DT_EMBEDDING_NONE && d < D; d++)
        count += is_number(spec, d);
    return count;
}

static dt_layer make_encoding(const dt_spec *spec, size_t D)
{
    if (spec->embedding == DT_EMBEDDING_PIECEWISE)
        return (dt_layer){.kind = &dt_layer_piecewise_linear,
                          .encoded = spec->bins->encoded,
                          .edges = spec->bins->count,
                          .width = spec->embedding_width};
    return (dt_layer){.kind = &dt_layer_periodic,
                      .encoded = count_numbers(spec, D),
                      .frequencies = spec->frequencies,
                      .deviation = spec->frequency_scale,
                      .width = spec->embedding_width};
}

/* The inputs that are categories, and the columns that they come from. */
static dt_layer count_categories(const dt_spec *spec, size_t D)
{
    dt_layer layer = {.kind = &dt_layer_category_embedding, .width = spec->category_width};
    for (size_t d = 0; spec->columns != NULL && d < D; d++) {
        layer.encoded += spec->columns[d] > 0;
        layer.groups = spec->columns[d] > layer.groups ? spec->columns[d] : layer.groups;
    }
    return layer;
}

void dt_spec_put(dt_network *network, const dt_spec *spec)
{
    const dt_layer *waves = dt_network_first(network, &dt_layer_periodic);
    const dt_layer *layer = dt_network_first(network, &dt_layer_category_embedding);
    const size_t D = network->D;
    if (spec->inputs.mean != NULL)
        dt_normalization_put(network, &spec->inputs);
    if (spec->bins != NULL)
        dt_bins_put(network, spec->bins);
    for (size_t d = 0; waves != NULL && d < D; d++)
        network->constants[waves->is_encoded + d] = is_number(spec, d) ? 1.0f : 0.0f;
    if (layer == NULL)
        return;
    float *columns = network->constants + layer->group_of + layer->lead;
    for (size_t d = 0; d < D; d++)
        if (!is_number(spec, d))
            *columns++ = (float)spec->columns[d];
}

/* The layers before the blocks; returns their number. */
static size_t make_beginning(dt_layer *out, const dt_spec *spec, size_t D)
{
    const dt_layer categories = count_categories(spec, D);
    size_t count = 0;
    if (spec->inputs.mean != NULL)
        out[count++] = (dt_layer){.kind = &dt_layer_normalization};
    if (count_numbers(spec, D) > 0)
        out[count++] = make_encoding(spec, D);
    if (categories.width > 0 && categories.encoded > 0)
        out[count++] = categories;
    if (spec->members > 1)
        out[count++] = (dt_layer){.kind = &dt_layer_member_scale, .members = spec->members};
    return count;
}

/* Without these, full members would equal mini members. */
DT_MUST_USE static dt_status check_spec(const dt_spec *spec)
{
    if (spec->activations.count > 1 && spec->activations.count != spec->hidden.count)
        return dt_fail(DT_USAGE,
                       "--activation has %zu names, but --hidden has %zu layers; give one name, or "
                       "one for each hidden layer",
                       spec->activations.count, spec->hidden.count);
    if (is_full(spec) && spec->members < 2)
        return dt_fail(DT_USAGE, "--members-kind full requires --members of 2 or more; set "
                                 "--members, or --members-kind mini");
    if (is_full(spec) && spec->hidden.count == 0)
        return dt_fail(DT_USAGE, "--members-kind full changes hidden layers, but --hidden is none; "
                                 "set --hidden, or --members-kind mini");
    return DT_OK;
}

dt_status dt_spec_plan(dt_network *out, size_t D, const dt_spec *spec, size_t C)
{
    enum { BLOCK_LAYERS = 6, OTHERS = 5 };
    dt_status status = DT_OK;
    dt_layer *layers = NULL;
    size_t count = 0;
    *out = (dt_network){0};
    DT_TRY(check_spec(spec));
    DT_TRY(dt_memory_alloc(&layers, BLOCK_LAYERS * spec->hidden.count + OTHERS, sizeof *layers,
                           "layers"));
    count = make_beginning(layers, spec, D);
    for (size_t block = 0; block < spec->hidden.count; block++)
        count += make_block(layers + count, spec, block, count);
    layers[count++] =
        (dt_layer){.kind = spec->members > 1 ? &dt_layer_member_dense : &dt_layer_dense,
                   .H = C,
                   .activation = DT_ACTIVATION_LINEAR};
    DT_TRY(dt_network_plan(out, D, layers, count));
out:
    dt_memory_free(layers);
    return status;
}

/* Whether a layer is of the block of the dense layer before it. */
static bool goes_on(const dt_layer *layer)
{
    return is_norm(layer) || is_activation(layer) ||
           (layer->kind == &dt_layer_member_scale && layer->shifts == DT_SHIFTS_MEMBERS);
}

/* For a rectifier or a prelu, the nearest activation. */
static dt_activation activation_of(const dt_layer *layer)
{
    if (layer->kind == &dt_layer_prelu)
        return DT_ACTIVATION_LEAKY_RELU;
    if (layer->kind != &dt_layer_rectifier)
        return layer->activation;
    if (layer->curve > 0.0)
        return DT_ACTIVATION_ELU;
    return layer->slope > 0.0 ? DT_ACTIVATION_LEAKY_RELU : DT_ACTIVATION_RELU;
}

/* The activation of the block of layer l, a dense one. */
static dt_activation find_activation(const dt_network *network, size_t l)
{
    while (activation_of(&network->layers[l]) == DT_ACTIVATION_LINEAR &&
           l + 1 < network->layer_count && goes_on(&network->layers[l + 1]))
        l++;
    return activation_of(&network->layers[l]);
}

static void take_encoding(dt_spec *out, const dt_layer *layer)
{
    const bool waves = layer->kind == &dt_layer_periodic;
    if (!waves && layer->kind != &dt_layer_piecewise_linear)
        return;
    out->embedding = waves ? DT_EMBEDDING_PERIODIC : DT_EMBEDDING_PIECEWISE;
    out->embedding_width = layer->width;
    out->frequencies = layer->frequencies;
    out->frequency_scale = layer->deviation;
}

void dt_spec_of(dt_spec *out, const dt_network *network)
{
    bool same = true;
    *out = (dt_spec){0};
    for (size_t l = 0; l + 1 < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        out->residual = out->residual || layer->kind == &dt_layer_add;
        if (out->norm == DT_NORM_NONE)
            out->norm = norm_of(layer);
        take_encoding(out, layer);
        if (layer->kind == &dt_layer_category_embedding)
            out->category_width = layer->width;
        if (layer->kind == &dt_layer_member_scale)
            out->members = layer->members;
        if (layer->kind == &dt_layer_member_scale && layer->shifts == DT_SHIFTS_MEMBERS)
            out->members_kind = DT_MEMBERS_FULL;
        if (layer->kind != &dt_layer_dense)
            continue;
        DT_ASSERT(out->hidden.count < DT_OPTION_LIST_MAX);
        out->activations.values[out->hidden.count] = (size_t)find_activation(network, l);
        same = same && out->activations.values[out->hidden.count] == out->activations.values[0];
        out->hidden.values[out->hidden.count++] = layer->H;
    }
    out->activations.count = out->hidden.count;
    if (same && out->hidden.count > 0)
        out->activations = (dt_option_list){1, {out->activations.values[0]}};
}

dt_status dt_spec_make(dt_network *out, size_t D, const size_t *hidden, size_t hidden_count,
                       dt_activation activation, size_t C, uint64_t seed)
{
    dt_status status = DT_OK;
    dt_spec spec = {.hidden = {.count = hidden_count},
                    .activations = {.count = 1, .values = {(size_t)activation}}};
    DT_ASSERT(hidden_count <= DT_OPTION_LIST_MAX);
    for (size_t l = 0; l < hidden_count; l++)
        spec.hidden.values[l] = hidden[l];
    DT_TRY(dt_spec_plan(out, D, &spec, C));
    DT_TRY(dt_network_allocate(out));
    dt_network_fill(out, DT_INIT_GLOROT_UNIFORM, seed);
out:
    if (status != DT_OK)
        dt_network_clear(out);
    return status;
}

/* ---- layers that only training has ---- */

/* Copies the layers but dropout, with dropout of that rate at the end of the hidden blocks.
 * place[l] becomes the new index of layer l, or of the dropout behind it; for a dropout layer, that
 * of the layer whose outputs it gave; SIZE_MAX: the network's inputs. Returns the number of
 * layers. */
static size_t place_dropout(dt_layer *out, size_t *place, const dt_network *network, double rate)
{
    size_t count = 0, last = 0;
    bool in_block = false;
    for (size_t l = 0; l < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        if (in_block && !goes_on(layer) && rate > 0.0) {
            place[last] = count;
            out[count++] = (dt_layer){.kind = &dt_layer_dropout, .rate = rate};
        }
        in_block = (in_block && goes_on(layer)) || layer->kind == &dt_layer_dense;
        if (layer->kind == &dt_layer_dropout) {
            place[l] = count > 0 ? count - 1 : SIZE_MAX;
            continue;
        }
        last = l;
        place[l] = count;
        out[count++] = *layer;
    }
    return count;
}

/* Likewise, with noise of that deviation behind the normalization. */
static size_t place_noise(dt_layer *out, size_t *place, const dt_network *network, double deviation)
{
    size_t count = 0;
    for (size_t l = 0; l < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        if (layer->kind != &dt_layer_normalization && deviation > 0.0) {
            out[count++] = (dt_layer){.kind = &dt_layer_noise, .deviation = deviation};
            deviation = 0.0;
        }
        if (layer->kind != &dt_layer_noise)
            out[count++] = *layer;
        place[l] = count > 0 ? count - 1 : SIZE_MAX;
    }
    return count;
}

typedef size_t place_layers(dt_layer *out, size_t *place, const dt_network *network, double number);

DT_MUST_USE static dt_status rebuild(dt_network *network, place_layers *place_all, double number)
{
    dt_status status = DT_OK;
    dt_network next = {0};
    dt_layer *layers = NULL;
    size_t *place = NULL;
    DT_TRY(dt_memory_alloc(&layers, 2 * network->layer_count, sizeof *layers, "layers"));
    DT_TRY(dt_memory_alloc(&place, network->layer_count, sizeof *place, "layers"));
    const size_t count = place_all(layers, place, network, number);
    for (size_t l = 0; l < count; l++)
        if (layers[l].kind == &dt_layer_add)
            layers[l].source = place[layers[l].source];
    DT_TRY(dt_network_plan(&next, network->D, layers, count));
    next.loss = network->loss;
    next.loss_number = network->loss_number;
    next.threshold = network->threshold;
    next.scale = network->scale;
    network->scale = NULL;
    DT_ASSERT(next.P == network->P && next.constant_count == network->constant_count);
    next.params = network->params;
    next.constants = network->constants;
    network->params = network->constants = NULL;
    dt_network_clear(network);
    *network = next;
out:
    dt_memory_free(place);
    dt_memory_free(layers);
    return status;
}

dt_status dt_spec_set_dropout(dt_network *network, double rate)
{
    return rebuild(network, place_dropout, rate);
}

dt_status dt_spec_set_noise(dt_network *network, double deviation)
{
    return rebuild(network, place_noise, deviation);
}
