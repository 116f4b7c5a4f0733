/* rooms: model */
/*
 * Embedding of categories: what the layer computes, as a sum over the formula and by the tables for
 * other programs; which columns and places in a network are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/model/category_table.h"
#include "dtrain/nn/bins.h"
#include "dtrain/nn/spec.h"
#include "status_checks.h"

#include <math.h>
#include <string.h>

/* Input 1 is a number with bins; 2, 4 and 5, 6 are categories of three columns. */
enum { D = 8, WIDTH = 3, BINS_WIDTH = 2, E = 4, G = 3, ROWS = 3 };
static const size_t columns[D] = {0, 0, 1, 0, 2, 2, 3, 0};

static dt_network make_network(bool with_bins)
{
    dt_network network;
    dt_bins bins;
    const float edges[3] = {-1.0f, 0.0f, 2.0f};
    assert_ok(dt_bins_init(&bins, D));
    assert_ok(dt_bins_add(&bins, 1, edges, 3));
    const dt_spec spec = {.embedding = DT_EMBEDDING_PIECEWISE,
                          .bins = with_bins ? &bins : NULL,
                          .embedding_width = BINS_WIDTH,
                          .columns = columns,
                          .category_width = WIDTH};
    assert_ok(dt_spec_plan(&network, D, &spec, 2));
    assert_ok(dt_network_allocate(&network));
    dt_network_fill(&network, DT_INIT_GLOROT_UNIFORM, 7);
    dt_spec_put(&network, &spec);
    assert_ok(dt_network_check_constants(&network));
    dt_bins_clear(&bins);
    return network;
}

static const dt_layer *layer_of(const dt_network *network)
{
    return dt_network_first(network, &dt_layer_category_embedding);
}

static void test_spec(void **state)
{
    (void)state;
    dt_network network = make_network(true);
    const dt_layer *layer = layer_of(&network);
    /* The encoded number's outputs, then the inputs without it. */
    const float expected[D - 1 + BINS_WIDTH] = {0, 0, 0, 1, 0, 2, 2, 3, 0};
    dt_spec spec;
    assert_int_equal(layer->D, D - 1 + BINS_WIDTH);
    assert_int_equal(layer->lead, BINS_WIDTH);
    assert_int_equal(layer->H, BINS_WIDTH + G * WIDTH + 3);
    assert_memory_equal(network.constants + layer->group_of, expected, sizeof expected);
    dt_spec_of(&spec, &network);
    assert_int_equal(spec.category_width, WIDTH);
    dt_network_clear(&network);
}

/* The outputs of a row in the order of the layer, from the tables alone. */
static void compute(double out[G * WIDTH + D], const dt_category_table *t, const float *x)
{
    size_t count = 0;
    for (size_t i = 0; i < t->lead; i++)
        out[count++] = (double)x[t->inputs[i]];
    for (size_t g = 0; g < t->G; g++)
        for (size_t j = 0; j < t->width; j++) {
            double *sum = &out[count++];
            *sum = 0.0;
            for (size_t e = 0; e < t->E; e++)
                *sum += (double)t->groups[e * t->G + g] * (double)x[t->inputs[t->lead + e]] *
                        (double)t->table[e * t->width + j];
        }
    for (size_t i = 0; i < t->O; i++)
        out[count++] = (double)x[t->inputs[t->lead + t->E + i]];
}

/* A category, none, and two at once with shares. */
static void test_outputs(void **state)
{
    (void)state;
    static const float X[ROWS][D] = {{0.5f, -2.0f, 1, 7.0f, 0, 1, 1, -0.25f},
                                     {1.5f, 3.0f, 0, 0.0f, 0, 0, 0, 4.0f},
                                     {0.0f, 1.0f, 0, -1.0f, 0.5f, 2.0f, 1, 1.0f}};
    dt_network network = make_network(false);
    const dt_layer *layer = layer_of(&network), *dense = &network.layers[1];
    const float *kernel = network.params + dense->kernel, *table = network.params + layer->kernel;
    dt_workspace workspace;
    dt_category_table made;
    const size_t starts[2] = {0, ROWS};
    const dt_segments segments = {.count = 1, .start = starts};
    assert_ok(dt_category_table_make(&made, &network, layer));
    const int64_t inputs[D] = {2, 4, 5, 6, 0, 1, 3, 7};
    assert_int_equal(made.E, E);
    assert_memory_equal(made.inputs, inputs, sizeof inputs);
    assert_ok(dt_workspace_init(&workspace, &network, ROWS, DT_FORWARD_PASS));
    const float *logits = dt_network_forward(&network, &workspace, &X[0][0], &segments);
    for (size_t i = 0; i < ROWS; i++) {
        double h[G * WIDTH + D];
        compute(h, &made, X[i]);
        for (size_t j = 0; j < WIDTH; j++) { /* the second column, by hand */
            const double sum =
                (double)(X[i][4] * table[WIDTH + j]) + (double)(X[i][5] * table[2 * WIDTH + j]);
            assert_true(fabs(h[WIDTH + j] - sum) < 1e-6);
        }
        for (size_t c = 0; c < 2; c++) {
            double z = (double)network.params[dense->bias + c];
            for (size_t d = 0; d < dense->D; d++)
                z += h[d] * (double)kernel[d * 2 + c];
            assert_true(fabs((double)logits[i * 2 + c] - z) < 1e-5);
        }
    }
    dt_category_table_clear(&made);
    dt_workspace_clear(&workspace);
    dt_network_clear(&network);
}

static void test_damaged_columns(void **state)
{
    (void)state;
    static const struct {
        float columns[D - 1 + BINS_WIDTH];
        const char *text;
    } bad[] = {
        {{0, 0, 0, 1, 0, 2, 2, 0, 0}, "3 inputs of 2 columns; expected 4 of 3"},
        {{0, 0, 0, 1, 0, 2, 2, 2, 0}, "4 inputs of 2 columns; expected 4 of 3"},
        {{0, 0, 0, 1, 1, 2, 2, 3, 0}, "5 inputs of 3 columns; expected 4 of 3"},
        {{1, 0, 0, 0, 0, 2, 2, 3, 0}, "input 0 is of column 1"}, /* an encoded number */
        {{0, 0, 0, 1, 0, 3, 3, 2, 0}, "input 5 is of column 3"}, /* 2 is left out */
        {{0, 0, 0, 1, 0, 2, 1, 3, 0}, "input 6 is of column 1"}, /* its table is not in a row */
        {{0, 0, 0, 1, 0, 2, 2.5f, 3, 0}, "input 6 is of column 2.5"},
        {{0, 0, 0, 1, 0, 2, 2, 1e30f, 0}, "input 7 is of column 1e+30"},
    };
    dt_network network = make_network(true);
    const dt_layer *layer = layer_of(&network);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memcpy(network.constants + layer->group_of, bad[i].columns, sizeof bad[i].columns);
        assert_int_equal(dt_network_check_constants(&network), DT_DATA);
        assert_non_null(strstr(dt_status_text(), "layer 2 (category_embedding): "));
        assert_non_null(strstr(dt_status_text(), bad[i].text));
    }
    dt_network_clear(&network);
}

#define CATEGORIES(inputs, of)                                                                     \
    {                                                                                              \
        .kind = &dt_layer_category_embedding, .encoded = (inputs), .groups = (of), .width = WIDTH  \
    }
#define PIECEWISE                                                                                  \
    {                                                                                              \
        .kind = &dt_layer_piecewise_linear, .encoded = 6, .edges = 12, .width = 2                  \
    }

static void test_places_in_a_network(void **state)
{
    (void)state;
    static const struct {
        dt_layer layers[4];
        const char *text;
    } bad[] = {
        {{CATEGORIES(9, 2)}, "expected at most 8 inputs"},
        {{CATEGORIES(2, 3)}, "'inputs' is 2 and 'columns' 3"},
        {{PIECEWISE, CATEGORIES(3, 2)}, "expected at most 2 inputs"},
        {{{.kind = &dt_layer_dense, .H = 5}, CATEGORIES(2, 2)}, "before layers that train"},
        {{{.kind = &dt_layer_member_scale, .members = 2}, CATEGORIES(2, 2)}, "layers that train"},
        /* An encoding's outputs are known as such by the next layer alone. */
        {{PIECEWISE, {.kind = &dt_layer_noise, .deviation = 0.1}, CATEGORIES(2, 2)}, "that train"},
    };
    const dt_layer good[] = {{.kind = &dt_layer_normalization},
                             {.kind = &dt_layer_noise, .deviation = 0.1},
                             PIECEWISE,
                             CATEGORIES(2, 2),
                             {.kind = &dt_layer_dense, .H = 2, .activation = DT_ACTIVATION_LINEAR}};
    dt_network network;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dt_layer layers[5];
        size_t count = 0;
        for (; bad[i].layers[count].kind != NULL; count++)
            layers[count] = bad[i].layers[count];
        layers[count++] = good[4];
        assert_int_equal(dt_network_make(&network, D, layers, count), DT_DATA);
        assert_non_null(strstr(dt_status_text(), "(category_embedding)"));
        assert_non_null(strstr(dt_status_text(), bad[i].text));
    }
    assert_ok(dt_network_make(&network, D, good, 5));
    dt_network_clear(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spec),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_damaged_columns),
        cmocka_unit_test(test_places_in_a_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
