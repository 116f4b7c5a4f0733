/* The probabilities of a row have the same bits in any block, with any other rows, and on every
 * rank. */
#include "harness.h"

#include "dtrain/base/random.h"
#include "dtrain/nn/linalg.h"
#include "dtrain/nn/loss.h"
#include "dtrain/nn/predictor.h"
#include "dtrain/nn/spec.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 1100 };

typedef struct shape {
    size_t D, C, hidden[3], hidden_count;
} shape;

static const shape shapes[] = {
    {51, 2, {30}, 1}, {300, 10, {500}, 1}, {7, 3, {0}, 0}, {1, 2, {1}, 1}, {400, 16, {24, 300}, 2},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void fill(float *x, size_t count, uint64_t stream)
{
    dt_random random = dt_random_start(11, DT_RANDOM_EXAMPLE, stream);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)dt_random_normal(&random);
}

static dt_status make(dt_network *network, dt_predictor *predictor, const shape *s)
{
    dt_status status =
        dt_spec_make(network, s->D, s->hidden, s->hidden_count, DT_ACTIVATION_RELU, s->C, 5);
    if (status == DT_OK)
        status = dt_predictor_init(predictor, network, true);
    return status;
}

/* Runs rows from .. from+count-1 of X in one call, and counts those whose bits are others than the
 * reference's. */
static size_t differing(dt_predictor *predictor, const float *X, const shape *s, size_t from,
                        size_t count, const float *p, const int32_t *predicted)
{
    size_t wrong = 0;
    predictor->p = NULL;
    dt_predictor_run(predictor, X + from * s->D, NULL, count);
    for (size_t i = 0; i < count; i++)
        wrong +=
            memcmp(predictor->p + i * s->C, p + (from + i) * s->C, s->C * sizeof(float)) != 0 ||
            predictor->rows.predicted[i] != predicted[from + i];
    return wrong;
}

static void check_shape(const shape *s)
{
    dt_network network;
    dt_predictor predictor;
    assert_all_int(make(&network, &predictor, s), DT_OK);
    assert_all(predictor.capacity >= DT_PREDICTOR_BLOCK);
    assert_all_int(predictor.capacity % DT_PREDICTOR_BLOCK, 0);
    float *X = malloc(ROWS * s->D * sizeof *X), *other = malloc(ROWS * s->D * sizeof *other);
    float *p = malloc(ROWS * s->C * sizeof *p);
    int32_t *predicted = malloc(ROWS * sizeof *predicted);
    assert_all(X != NULL && other != NULL && p != NULL && predicted != NULL);
    fill(X, ROWS * s->D, 0);
    fill(other, ROWS * s->D, 1);

    /* The reference: block after block. */
    size_t wrong = 0;
    for (size_t from = 0; from < ROWS; from += DT_PREDICTOR_BLOCK) {
        const size_t count = ROWS - from < DT_PREDICTOR_BLOCK ? ROWS - from : DT_PREDICTOR_BLOCK;
        dt_predictor_run(&predictor, X + from * s->D, NULL, count);
        memcpy(p + from * s->C, predictor.p, count * s->C * sizeof *p);
        memcpy(predicted + from, predictor.rows.predicted, count * sizeof *predicted);
    }
    assert_all_same(p, ROWS * s->C * sizeof *p);

    /* Any number of rows, from any on; with OpenBLAS the same blocks. */
    static const size_t counts[] = {1, 2, 3, 17, 255, 256, 257, 300, 511, 512, 513, 844};
    const bool blas = dt_linalg_uses_blas();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t from = 0; from + counts[i] <= ROWS; from += blas ? DT_PREDICTOR_BLOCK : 19)
            if (!blas || counts[i] % DT_PREDICTOR_BLOCK == 0)
                wrong += differing(&predictor, X, s, from, counts[i], p, predicted);
    assert_all_int(wrong, 0);

    /* Any neighbours, of any size. */
    enum { SOME = 3 * DT_PREDICTOR_BLOCK };
    for (size_t at = 0; at < SOME; at += 37) {
        memcpy(other + at * s->D, X + at * s->D, s->D * sizeof *X);
        dt_predictor_run(&predictor, other, NULL, SOME);
        wrong += memcmp(predictor.p + at * s->C, p + at * s->C, s->C * sizeof *p) != 0;
        for (size_t j = 0; j < s->D; j++)
            other[at * s->D + j] = at % 2 == 0 ? 1e30f : NAN;
    }
    assert_all_int(wrong, 0);
    free(X);
    free(other);
    free(p);
    free(predicted);
    dt_predictor_clear(&predictor);
    dt_predictor_clear(&predictor); /* a zeroed one is allowed */
    dt_network_clear(&network);
}

static void test_bits_of_a_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++)
        check_shape(&shapes[i]);
}

/* The same as the network and the loss give by themselves. */
static void test_values(void **state)
{
    (void)state;
    enum { COUNT = 333 };
    for (size_t i = 0; i < SHAPES; i++) {
        const shape *s = &shapes[i];
        dt_network network;
        dt_predictor predictor;
        dt_workspace workspace;
        size_t wrong = 0;
        assert_all_int(make(&network, &predictor, s), DT_OK);
        assert_all_int(dt_workspace_init(&workspace, &network, COUNT, DT_BOTH_PASSES), DT_OK);
        float *X = malloc(COUNT * s->D * sizeof *X);
        assert_all(X != NULL);
        fill(X, COUNT * s->D, 2);
        const size_t start[] = {0, COUNT};
        const float *logits =
            dt_network_forward(&network, &workspace, X, &(dt_segments){.count = 1, .start = start});
        dt_predictor_run(&predictor, X, NULL, COUNT);
        for (size_t n = 0; n < COUNT; n++) {
            const float *z = logits + n * s->C, *p = predictor.p + n * s->C;
            double sum = 0, total = 0;
            size_t best = 0;
            for (size_t c = 0; c < s->C; c++) {
                sum += exp((double)z[c] - (double)z[0]);
                total += (double)p[c];
                best = p[c] > p[best] ? c : best;
            }
            for (size_t c = 0; c < s->C; c++)
                wrong +=
                    (size_t) !(fabs((double)p[c] - exp((double)z[c] - (double)z[0]) / sum) <= 1e-6);
            wrong += !(fabs(total - 1) <= 1e-6) || predictor.rows.predicted[n] != (int32_t)best;
        }
        assert_all_int(wrong, 0);
        free(X);
        dt_workspace_clear(&workspace);
        dt_predictor_clear(&predictor);
        dt_network_clear(&network);
    }
}

/* Of equal probabilities the first class is predicted; no row at all is no row. */
static void test_edges(void **state)
{
    (void)state;
    const shape s = {4, 3, {5}, 1};
    dt_network network;
    dt_predictor predictor;
    assert_all_int(make(&network, &predictor, &s), DT_OK);
    memset(network.params, 0, network.P * sizeof *network.params);
    const float X[4] = {1, 2, 3, 4};
    dt_predictor_run(&predictor, X, NULL, 1);
    for (size_t c = 0; c < 3; c++)
        assert_all_close((double)predictor.p[c], 1.0 / 3, 1e-7);
    assert_all_int(predictor.rows.predicted[0], 0);
    predictor.rows.predicted[0] = 77;
    dt_predictor_run(&predictor, X, NULL, 0);
    assert_all_int(predictor.rows.predicted[0], 77);
    dt_predictor_clear(&predictor);
    dt_network_clear(&network);
}

/* Rows that are normalised first: the same bits as of rows that were so before, in blocks that are
 * full and not; and what was given stays as it was. */
static void test_normalised_rows(void **state)
{
    (void)state;
    enum { COUNT = 600 }; /* two blocks, and a part of one */
    for (size_t i = 0; i < SHAPES; i++) {
        const shape *s = &shapes[i];
        dt_network network, normalized;
        dt_predictor plain, normalizing;
        dt_layer layers[8] = {{.kind = &dt_layer_normalization}};
        const size_t bytes = COUNT * s->D * sizeof(float);
        float *X = malloc(bytes), *kept = malloc(bytes), *ready = malloc(bytes);
        float *mean = malloc(s->D * sizeof *mean), *variance = malloc(s->D * sizeof *variance);
        assert_all(X != NULL && kept != NULL && ready != NULL && mean != NULL && variance != NULL);
        assert_all_int(make(&network, &plain, s), DT_OK);
        for (size_t j = 0; j < s->D; j++) {
            mean[j] = (float)j - 3.0f;
            variance[j] = j % 5 == 0 ? 0.0f : 0.5f + (float)j; /* of no spread: 1e-7 */
        }
        memcpy(layers + 1, network.layers, network.layer_count * sizeof *layers);
        assert_all_int(dt_network_make(&normalized, s->D, layers, network.layer_count + 1), DT_OK);
        memcpy(normalized.params, network.params, network.P * sizeof(float));
        memcpy(normalized.constants + normalized.layers[0].mean, mean, s->D * sizeof *mean);
        memcpy(normalized.constants + normalized.layers[0].variance, variance,
               s->D * sizeof *variance);
        assert_all_int(dt_predictor_init(&normalizing, &normalized, true), DT_OK);
        fill(X, COUNT * s->D, 3);
        for (size_t n = 0; n < COUNT; n++)
            for (size_t j = 0; j < s->D; j++) {
                float *x = &X[n * s->D + j];
                *x = j % 5 == 0 ? mean[j] + 1e-7f * *x : *x * 4.0f;
                ready[n * s->D + j] = (*x - mean[j]) / fmaxf(sqrtf(variance[j]), 1e-7f);
            }
        memcpy(kept, X, bytes);
        const size_t counts[] = {COUNT, 1, 255, 256, 257};
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            const size_t count = counts[k];
            dt_predictor_run(&plain, ready, NULL, count);
            dt_predictor_run(&normalizing, X, NULL, count);
            assert_all(memcmp(normalizing.p, plain.p, count * s->C * sizeof(float)) == 0);
            assert_all(memcmp(normalizing.rows.predicted, plain.rows.predicted,
                              count * sizeof(int32_t)) == 0);
        }
        assert_all(memcmp(X, kept, bytes) == 0);
        assert_all_same(normalizing.p, 257 * s->C * sizeof(float));
        dt_predictor_run(&plain, X, NULL, COUNT);
        assert_all(memcmp(normalizing.p, plain.p, 257 * s->C * sizeof(float)) != 0);
        free(X);
        free(kept);
        free(ready);
        free(mean);
        free(variance);
        dt_predictor_clear(&plain);
        dt_predictor_clear(&normalizing);
        dt_network_clear(&normalized);
        dt_network_clear(&network);
    }
}

/* ---- ensembles ---- */

enum { NETWORKS = 3, ENSEMBLE_ROWS = 300, ENSEMBLE_D = 7, ENSEMBLE_C = 3 };

/* Networks of other weights, and of other scales if they give values; the first one's ensemble. */
static void make_ensemble(dt_network alone[NETWORKS], dt_network *ensemble, const dt_loss *loss)
{
    const dt_layer layers[] = {
        {.kind = &dt_layer_dense, .H = 9, .activation = DT_ACTIVATION_RELU},
        {.kind = &dt_layer_dense, .H = ENSEMBLE_C, .activation = DT_ACTIVATION_LINEAR}};
    for (size_t m = 0; m < NETWORKS; m++) {
        dt_target_scale scale[ENSEMBLE_C];
        for (size_t j = 0; j < ENSEMBLE_C; j++)
            scale[j] = (dt_target_scale){10.0 * (double)m + (double)j, 1.0 + (double)(m + j)};
        dt_network again;
        dt_network *copies[] = {&alone[m], m == 0 ? ensemble : &again};
        for (size_t i = 0; i < 2; i++) {
            assert_all_int(dt_network_make(copies[i], ENSEMBLE_D, layers, 2), DT_OK);
            dt_network_fill(copies[i], DT_INIT_GLOROT_UNIFORM, 40 + m);
            assert_all_int(dt_network_set_loss(copies[i], loss, 0.0, loss->classes ? NULL : scale),
                           DT_OK);
        }
        if (m > 0)
            assert_all_int(dt_network_add(ensemble, &again), DT_OK);
    }
    assert_all_int(ensemble->other_count, NETWORKS - 1);
}

/* The mean of what the networks predict alone, in double. */
static void predict_mean(double mean[ENSEMBLE_ROWS * ENSEMBLE_C], const dt_network alone[NETWORKS],
                         const float *X)
{
    memset(mean, 0, ENSEMBLE_ROWS * ENSEMBLE_C * sizeof *mean);
    for (size_t m = 0; m < NETWORKS; m++) {
        dt_predictor predictor;
        assert_all_int(dt_predictor_init(&predictor, &alone[m], false), DT_OK);
        dt_predictor_run(&predictor, X, NULL, ENSEMBLE_ROWS);
        for (size_t i = 0; i < ENSEMBLE_ROWS * ENSEMBLE_C; i++)
            mean[i] += (double)predictor.p[i] / NETWORKS;
        dt_predictor_clear(&predictor);
    }
}

/* The prediction is the mean, the class its largest probability, the loss that of the mean. */
static void test_ensemble_of_classes(void **state)
{
    (void)state;
    static double mean[ENSEMBLE_ROWS * ENSEMBLE_C];
    static float X[ENSEMBLE_ROWS * ENSEMBLE_D], p[ENSEMBLE_ROWS * ENSEMBLE_C];
    static dt_target y[ENSEMBLE_ROWS];
    dt_network alone[NETWORKS], ensemble;
    dt_predictor predictor;
    make_ensemble(alone, &ensemble, &dt_cross_entropy);
    fill(X, ENSEMBLE_ROWS * ENSEMBLE_D, 5);
    for (size_t n = 0; n < ENSEMBLE_ROWS; n++)
        y[n].label = (int32_t)(n % ENSEMBLE_C);
    predict_mean(mean, alone, X);
    assert_all_int(dt_predictor_init(&predictor, &ensemble, true), DT_OK);
    dt_predictor_run(&predictor, X, NULL, ENSEMBLE_ROWS);
    memcpy(p, predictor.p, sizeof p);
    dt_predictor_run(&predictor, X, y, ENSEMBLE_ROWS);
    assert_all(memcmp(p, predictor.p, sizeof p) == 0);
    for (size_t n = 0; n < ENSEMBLE_ROWS; n++) {
        const float *row = p + n * ENSEMBLE_C;
        size_t largest = 0;
        for (size_t c = 0; c < ENSEMBLE_C; c++) {
            assert_all_close((double)row[c], mean[n * ENSEMBLE_C + c], 2e-7);
            largest = row[c] > row[largest] ? c : largest;
        }
        assert_all_int(predictor.rows.predicted[n], (int)largest);
        assert_all_close((double)predictor.rows.loss[n], -log((double)row[(size_t)y[n].label]),
                         1e-6);
    }
    assert_all_same(p, sizeof p);

    /* The smallest probability in all networks is a large loss, not an infinite one. NaN stays. */
    for (size_t m = 0; m < NETWORKS; m++) {
        float *params = m == 0 ? ensemble.params : ensemble.others[m - 1].params;
        memset(params, 0, ensemble.P * sizeof *params);
        params[ensemble.layers[1].bias] = 1e6f;
    }
    y[0].label = 1;
    dt_predictor_run(&predictor, X, y, 1);
    assert_all_close((double)predictor.rows.loss[0], 87.0, 0.5);
    assert_all_close((double)predictor.p[0], 1.0, 1e-6);
    ensemble.others[1].params[ensemble.layers[1].bias] = NAN;
    dt_predictor_run(&predictor, X, y, 1);
    assert_all(isnan(predictor.p[0]) && isnan(predictor.rows.loss[0]));
    dt_predictor_clear(&predictor);
    for (size_t m = 0; m < NETWORKS; m++)
        dt_network_clear(&alone[m]);
    dt_network_clear(&ensemble);
}

/* Each network has its own units; the loss is of the mean, in those of the first. */
static void test_ensemble_of_values(void **state)
{
    (void)state;
    static double mean[ENSEMBLE_ROWS * ENSEMBLE_C];
    static float X[ENSEMBLE_ROWS * ENSEMBLE_D];
    static dt_target y[ENSEMBLE_ROWS * ENSEMBLE_C];
    dt_network alone[NETWORKS], ensemble;
    dt_predictor predictor;
    make_ensemble(alone, &ensemble, &dt_mean_squared_error);
    fill(X, ENSEMBLE_ROWS * ENSEMBLE_D, 6);
    for (size_t i = 0; i < ENSEMBLE_ROWS * ENSEMBLE_C; i++)
        y[i].value = (float)(i % 11);
    predict_mean(mean, alone, X);
    assert_all_int(dt_predictor_init(&predictor, &ensemble, false), DT_OK);
    dt_predictor_run(&predictor, X, y, ENSEMBLE_ROWS);
    for (size_t n = 0; n < ENSEMBLE_ROWS; n++) {
        double loss = 0.0;
        for (size_t j = 0; j < ENSEMBLE_C; j++) {
            const size_t i = n * ENSEMBLE_C + j;
            const double e = (mean[i] - (double)y[i].value) / alone[0].scale[j].deviation;
            loss += e * e / ENSEMBLE_C;
            assert_all_close((double)predictor.p[i], mean[i], 1e-5);
        }
        assert_all_close((double)predictor.rows.loss[n], loss, 1e-4 * (1.0 + loss));
    }
    assert_all_same(predictor.p, ENSEMBLE_ROWS * ENSEMBLE_C * sizeof(float));
    dt_predictor_clear(&predictor);
    for (size_t m = 0; m < NETWORKS; m++)
        dt_network_clear(&alone[m]);
    dt_network_clear(&ensemble);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_ensemble_of_classes), cmocka_unit_test(test_ensemble_of_values),
    cmocka_unit_test(test_bits_of_a_row),       cmocka_unit_test(test_values),
    cmocka_unit_test(test_normalised_rows),     cmocka_unit_test(test_edges),
};

MPI_SUITE(test_predictor, tests);
