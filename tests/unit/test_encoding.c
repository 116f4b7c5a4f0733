/* rooms: model */
/*
 * A piecewise-linear encoding as tables for other programs: which inputs, and whether the products
 * give the places that dtrain's own layer has, for bins of any width.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/model/encoding.h"
#include "status_checks.h"

#include <math.h>

enum { D = 5, WIDTH = 2 };

/* Edges of inputs 0, 2, 3 and 4: of usual bins; bins much narrower than the edges are large; tiny
 * ones, narrower than the epsilon of Keras's layers; and large ones. */
static const float edges[] = {-1.5f,   0.25f,      2.0f, /* input 0 */
                              2000.0f, 2000.0006f, 2000.0017f, 2400.0f, /* input 2 */
                              2e-38f,  4e-38f, /* input 3 */
                              -3e37f,  -1.5f,      2e37f}; /* input 4 */
static const float counts[D] = {3, 0, 4, 2, 3};
static const size_t first_edge[] = {0, 3, 7, 9}, encoded[] = {0, 2, 3, 4};
enum { E = 4, EDGES = sizeof edges / sizeof *edges };

static dt_network make_network(void)
{
    dt_network network;
    const dt_layer layers[] = {
        {.kind = &dt_layer_piecewise_linear, .encoded = E, .edges = EDGES, .width = WIDTH},
        {.kind = &dt_layer_dense, .H = 2, .activation = DT_ACTIVATION_LINEAR}};
    assert_ok(dt_network_make(&network, D, layers, 2));
    for (size_t i = 0; i < network.P; i++)
        network.params[i] = (float)i;
    for (size_t d = 0; d < D; d++)
        network.constants[network.layers[0].edge_counts + d] = counts[d];
    for (size_t i = 0; i < EDGES; i++)
        network.constants[network.layers[0].edge_values + i] = edges[i];
    assert_ok(dt_network_check_constants(&network));
    return network;
}

static void test_tables(void **state)
{
    (void)state;
    dt_network network = make_network();
    const dt_layer *layer = &network.layers[0];
    dt_encoding made;
    assert_ok(dt_encoding_make(&made, &network, layer));
    assert_int_equal(made.E, E);
    assert_int_equal(made.O, 1);
    assert_int_equal(made.T, 3);
    const int64_t inputs[D] = {0, 2, 3, 4, 1};
    assert_memory_equal(made.inputs, inputs, sizeof inputs);
    for (size_t e = 0; e < E; e++) {
        const size_t count = (size_t)counts[encoded[e]], bins = first_edge[e] - e;
        const float *kernel = made.kernel + e * (made.T + 1) * WIDTH;
        for (size_t t = 0; t < made.T; t++)
            for (size_t j = 0; j < WIDTH; j++) {
                const size_t from = layer->bins + (bins + t) * WIDTH + j;
                assert_true(kernel[t * WIDTH + j] == (t + 1 < count ? (float)from : 0.0f));
            }
        for (size_t j = 0; j < WIDTH; j++) {
            assert_true(kernel[made.T * WIDTH + j] == (float)(layer->kernel + e * WIDTH + j));
            assert_true(made.shift[e * WIDTH + j] == (float)(layer->bias + e * WIDTH + j));
        }
        for (size_t t = count - 1; t < made.T; t++) {
            assert_true(made.edges[e * made.T + t] == 0.0f);
            assert_true(made.widths[e * made.T + t] == 1.0f);
            assert_true(made.offsets[e * made.T + t] == 0.0f);
            assert_true(made.inverses[e * made.T + t] == 1.0f);
        }
    }
    dt_encoding_clear(&made);
    dt_network_clear(&network);
}

static float cut(float place)
{
    return fminf(fmaxf(place, 0.0f), 1.0f);
}

/* At every edge, beside it, between it and the next, and far away. */
static float choose_value(const float *edge, size_t which)
{
    static const float shares[] = {0.0f, 1e-6f, 0.01f, 0.3f, 0.5f, 0.9f, 0.999f};
    if (which == 0)
        return nextafterf(edge[0], -INFINITY);
    if (which == 1)
        return nextafterf(edge[0], INFINITY);
    if (which == 2)
        return edge[0] - 100.0f * (edge[1] - edge[0]);
    return edge[0] + shares[which - 3] * (edge[1] - edge[0]);
}

static void test_places(void **state)
{
    (void)state;
    enum { VALUES = 10 };
    dt_network network = make_network();
    dt_encoding made;
    float worst = 0.0f, worst_of_quotients = 0.0f;
    assert_ok(dt_encoding_make(&made, &network, &network.layers[0]));
    for (size_t e = 0; e < E; e++) {
        const size_t count = (size_t)counts[encoded[e]];
        const float *edge = edges + first_edge[e];
        for (size_t v = 0; v < (count - 1) * VALUES; v++) {
            const float x = choose_value(edge + v / VALUES, v % VALUES);
            for (size_t t = 0; t + 1 < count; t++) {
                const size_t at = e * made.T + t;
                const float width = edge[t + 1] - edge[t], expected = cut((x - edge[t]) / width);
                const float found =
                    cut((x * made.powers[at] + made.offsets[at]) * made.inverses[at]);
                assert_true(made.edges[at] == edge[t] && made.widths[at] == width);
                assert_true(found >= 0.0f);
                worst = fmaxf(worst, fabsf(found - expected));
                worst_of_quotients =
                    fmaxf(worst_of_quotients, fabsf(cut(x / width - edge[t] / width) - expected));
            }
        }
    }
    assert_true(worst <= 1.2e-7f);
    assert_true(worst_of_quotients > 0.01f); /* the values can tell the difference */
    dt_encoding_clear(&made);
    dt_network_clear(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
