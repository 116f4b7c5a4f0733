#include "dtrain/nn/bins.h"

#include "dtrain/base/memory.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- the rule ---- */

/* Whether all values are 0 or 1: an indicator, or one category of several. */
static bool is_binary(const dt_value_count *values, size_t count)
{
    return count <= 2 && values[0].value == 0.0f && values[count - 1].value == 1.0f;
}

bool dt_bins_has_range(double least, double most)
{
    const double range = most - least;
    return range >= DT_BIN_WIDTH_MIN && range <= (double)FLT_MAX;
}

static bool has_spike(const dt_value_count *values, size_t count)
{
    const double share = 0.1;
    double rows = 0.0, most = 0.0;
    for (size_t i = 0; i < count; i++) {
        rows += values[i].rows;
        most = fmax(most, values[i].rows);
    }
    return most >= share * rows;
}

/* Mid-ranks of square roots of counts, from 0 to 1: edge j is the first value that reaches
 * j / bins. */
static size_t choose_quantiles(float *out, const dt_value_count *values, size_t count, size_t bins)
{
    const double slack = 1e-12; /* of sums that are rounded */
    double total = 0.0, before = 0.0;
    size_t edges = 0, next = 0;
    for (size_t i = 0; i < count; i++)
        total += sqrt(values[i].rows);
    const double first = sqrt(values[0].rows) / 2.0;
    const double range = total - first - sqrt(values[count - 1].rows) / 2.0;
    for (size_t i = 0; i < count && next <= bins; i++) {
        const double weight = sqrt(values[i].rows);
        const double rank = (before + weight / 2.0 - first) / range;
        before += weight;
        if (!(rank >= (double)next / (double)bins - slack) && i + 1 < count)
            continue;
        out[edges++] = values[i].value;
        while (next <= bins && rank >= (double)next / (double)bins - slack)
            next++;
    }
    return edges;
}

/* The first and the last one are kept: they are the range. */
size_t dt_bins_finish(float *edges, size_t count)
{
    const double parts = 600000.0, last = (double)edges[count - 1], first = (double)edges[0];
    const double least = fmax((last - first) / parts, DT_BIN_WIDTH_MIN);
    size_t kept = 1;
    if (!dt_bins_has_range(first, last))
        return 0;
    for (size_t i = 1; i + 1 < count; i++)
        if ((double)edges[i] - (double)edges[kept - 1] >= least && last - (double)edges[i] >= least)
            edges[kept++] = edges[i];
    edges[kept++] = edges[count - 1];
    return kept;
}

bool dt_bins_are_values(const dt_value_count *values, size_t count)
{
    return count > 0 && count <= DT_BINS_SPIKE + 1 && has_spike(values, count);
}

size_t dt_bins_choose(float *out, const dt_value_count *values, size_t count, size_t bins)
{
    const size_t many = has_spike(values, count) && bins < DT_BINS_SPIKE ? DT_BINS_SPIKE : bins;
    size_t edges = count;
    if (count < 2 || is_binary(values, count))
        return 0;
    if (count > many + 1)
        edges = choose_quantiles(out, values, count, bins);
    else
        for (size_t i = 0; i < count; i++)
            out[i] = values[i].value;
    return dt_bins_finish(out, edges);
}

/* ---- the list ---- */

dt_status dt_bins_init(dt_bins *out, size_t D)
{
    *out = (dt_bins){.D = D};
    return dt_memory_alloc(&out->counts, D, sizeof *out->counts, "numbers of edges");
}

dt_status dt_bins_add(dt_bins *bins, size_t d, const float *edges, size_t count)
{
    dt_status status = DT_OK;
    DT_ASSERT(d < bins->D);
    if (count == 0)
        return DT_OK;
    if (bins->count + count > bins->capacity) {
        const size_t capacity = 2 * (bins->count + count);
        DT_TRY(dt_memory_grow(&bins->edges, bins->count, capacity, sizeof *edges, "edges"));
        bins->capacity = capacity;
    }
    memcpy(bins->edges + bins->count, edges, count * sizeof *edges);
    bins->counts[d] = (float)count;
    bins->count += count;
    bins->encoded++;
out:
    return status;
}

void dt_bins_put(dt_network *network, const dt_bins *bins)
{
    const dt_layer *layer = dt_network_first(network, &dt_layer_piecewise_linear);
    if (layer == NULL)
        return;
    DT_ASSERT(layer->D == bins->D && layer->edges == bins->count);
    memcpy(network->constants + layer->edge_counts, bins->counts, bins->D * sizeof *bins->counts);
    memcpy(network->constants + layer->edge_values, bins->edges, bins->count * sizeof *bins->edges);
}

static bool is_outside(const float *row, const float *counts, const float *edges, size_t D)
{
    for (size_t d = 0; d < D; d++) {
        const size_t count = (size_t)counts[d];
        if (count > 0 && (row[d] < edges[0] || row[d] > edges[count - 1]))
            return true;
        edges += count;
    }
    return false;
}

size_t dt_bins_count_outside(const dt_network *network, const float *X, size_t B)
{
    const dt_layer *layer = dt_network_first(network, &dt_layer_piecewise_linear);
    size_t outside = 0;
    if (layer == NULL)
        return 0;
    for (size_t i = 0; i < B; i++)
        outside += is_outside(X + i * layer->D, network->constants + layer->edge_counts,
                              network->constants + layer->edge_values, layer->D);
    return outside;
}

void dt_bins_clear(dt_bins *bins)
{
    dt_memory_free(bins->counts);
    dt_memory_free(bins->edges);
    *bins = (dt_bins){0};
}
