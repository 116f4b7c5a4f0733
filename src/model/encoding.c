#include "encoding.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <string.h>

static size_t count_bins(const float *counts, size_t D)
{
    size_t most = 0;
    for (size_t d = 0; d < D; d++)
        if (counts[d] > 1.0f && (size_t)counts[d] - 1 > most)
            most = (size_t)counts[d] - 1;
    return most;
}

DT_MUST_USE static dt_status allocate(dt_encoding *out)
{
    dt_status status = DT_OK;
    const size_t cells = out->E * out->T;
    DT_TRY(dt_memory_alloc(&out->inputs, out->E + out->O, sizeof *out->inputs, "columns"));
    DT_TRY(dt_memory_alloc(&out->edges, cells, 5 * sizeof(float), "edges"));
    out->widths = out->edges + cells;
    out->powers = out->widths + cells;
    out->offsets = out->powers + cells;
    out->inverses = out->offsets + cells;
    DT_TRY(dt_memory_alloc(&out->kernel, out->E * (out->T + 1), out->width * sizeof(float),
                           "an encoding's kernel"));
out:
    return status;
}

/* Returns the power of two that makes the narrowest bin at least 1 wide. */
static float choose_power(const float *edges, size_t count)
{
    const int most = 126; /* both the power and its inverse are normal numbers */
    float least = edges[1] - edges[0];
    for (size_t i = 2; i < count; i++)
        least = fminf(least, edges[i] - edges[i - 1]);
    const int exponent = -ilogbf(least);
    return ldexpf(1.0f, exponent > most ? most : exponent < -most ? -most : exponent);
}

/* Encoded input e, with its edges, and the values of its bins. */
static void fill(dt_encoding *out, size_t e, const float *edges, size_t count, const float *bins,
                 const float *slope)
{
    const size_t T = out->T, at = e * T, width = out->width;
    const float power = choose_power(edges, count);
    float *kernel = out->kernel + e * (T + 1) * width;
    for (size_t t = 0; t < T; t++) {
        const bool here = t + 1 < count;
        out->edges[at + t] = here ? edges[t] : 0.0f;
        out->widths[at + t] = here ? edges[t + 1] - edges[t] : 1.0f;
        out->powers[at + t] = power;
        out->offsets[at + t] = here ? -edges[t] * power : 0.0f;
        out->inverses[at + t] = here ? 1.0f / (out->widths[at + t] * power) : 1.0f;
    }
    memcpy(kernel, bins, (count - 1) * width * sizeof *kernel);
    memcpy(kernel + T * width, slope, width * sizeof *kernel);
}

dt_status dt_encoding_make(dt_encoding *out, const dt_network *network, const dt_layer *layer)
{
    dt_status status = DT_OK;
    const float *counts = network->constants + layer->edge_counts;
    const float *edges = network->constants + layer->edge_values;
    const float *bins = network->params + layer->bins;
    const float *slope = network->params + layer->kernel;
    size_t encoded = 0, other = layer->encoded;
    *out = (dt_encoding){.E = layer->encoded,
                         .T = count_bins(counts, layer->D),
                         .width = layer->width,
                         .O = layer->D - layer->encoded,
                         .shift = network->params + layer->bias};
    DT_TRY(allocate(out));
    for (size_t d = 0; d < layer->D; d++) {
        const size_t count = (size_t)counts[d];
        if (count == 0) {
            out->inputs[other++] = (int64_t)d;
            continue;
        }
        fill(out, encoded, edges, count, bins, slope + encoded * layer->width);
        out->inputs[encoded++] = (int64_t)d;
        edges += count;
        bins += (count - 1) * layer->width;
    }
out:
    if (status != DT_OK)
        dt_encoding_clear(out);
    return status;
}

void dt_encoding_clear(dt_encoding *encoding)
{
    dt_memory_free(encoding->inputs);
    dt_memory_free(encoding->edges);
    dt_memory_free(encoding->kernel);
    *encoding = (dt_encoding){0};
}
