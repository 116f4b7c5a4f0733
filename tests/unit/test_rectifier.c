/* rooms: nn */
/* The rectifier's function and its derivative, on both sides of its threshold and its limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/nn/network.h"
#include "status_checks.h"

#include <math.h>
#include <stdbool.h>

enum { UNITS = 7 };
static const float x[UNITS] = {-3.0f, -0.5f, 0.0f, 0.5f, 1.5f, 5.75f, 8.0f};

/* Of one row: the outputs, and dy/dx by the gradient of the bias before the layer, which is behind
 * UNITS weights. */
typedef struct found {
    float y[UNITS], slope[UNITS];
} found;

static void take(void *context, const dt_gradient_block *block, const float *gradient, bool fresh,
                 bool last, int thread)
{
    float *out = context;
    (void)fresh, (void)last, (void)thread;
    for (size_t j = 0; block->first == UNITS && j < UNITS; j++)
        out[j] = gradient[j];
}

static found compute(dt_layer rectifier)
{
    rectifier.kind = &dt_layer_rectifier;
    const dt_layer layers[] = {
        {.kind = &dt_layer_dense, .H = UNITS, .activation = DT_ACTIVATION_LINEAR},
        rectifier,
        {.kind = &dt_layer_dense, .H = UNITS, .activation = DT_ACTIVATION_LINEAR}};
    const dt_segments one = {.count = 1, .start = (const size_t[]){0, 1}};
    const float nothing[1] = {0};
    const uint64_t position = 0;
    dt_network network;
    dt_workspace workspace;
    found result;
    assert_ok(dt_network_make(&network, 1, layers, 3));
    for (size_t j = 0; j < UNITS; j++) {
        network.params[network.layers[0].bias + j] = x[j];
        network.params[network.layers[2].kernel + j * UNITS + j] = 1.0f;
    }
    assert_ok(dt_workspace_init(&workspace, &network, 1, DT_BOTH_PASSES));
    workspace.pass = (dt_pass){.training = true, .positions = &position};
    float *logits = dt_network_forward(&network, &workspace, nothing, &one);
    for (size_t j = 0; j < UNITS; j++) {
        result.y[j] = logits[j];
        logits[j] = 1.0f;
    }
    dt_network_backward(&network, &workspace, &one, take, NULL, result.slope);
    dt_workspace_clear(&workspace);
    dt_network_clear(&network);
    return result;
}

static void expect(dt_layer rectifier, const double y[UNITS], const double slope[UNITS])
{
    const found f = compute(rectifier);
    for (size_t j = 0; j < UNITS; j++)
        if (fabs((double)f.y[j] - y[j]) > 1e-6 || fabs((double)f.slope[j] - slope[j]) > 1e-6)
            fail_msg("x = %g: y = %.9g and slope %.9g; expected %.9g and %.9g", (double)x[j],
                     (double)f.y[j], (double)f.slope[j], y[j], slope[j]);
}

static void test_function(void **state)
{
    (void)state;
    expect((dt_layer){.slope = 0.3}, (double[]){-0.9, -0.15, 0, 0.5, 1.5, 5.75, 8},
           (double[]){0.3, 0.3, 1, 1, 1, 1, 1});
    expect((dt_layer){.limit = 6}, (double[]){0, 0, 0, 0.5, 1.5, 5.75, 6},
           (double[]){0, 0, 1, 1, 1, 1, 0});
    expect((dt_layer){.slope = 0.25, .threshold = 1, .limit = 6},
           (double[]){-1, -0.375, -0.25, -0.125, 1.5, 5.75, 6},
           (double[]){0.25, 0.25, 0.25, 0.25, 1, 1, 0});
    expect((dt_layer){.curve = 2}, (double[]){2 * expm1(-3), 2 * expm1(-0.5), 0, 0.5, 1.5, 5.75, 8},
           (double[]){2 * exp(-3), 2 * exp(-0.5), 1, 1, 1, 1, 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_function)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
