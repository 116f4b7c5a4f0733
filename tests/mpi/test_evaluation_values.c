/* The quality of values against plain sums in double; the same bits however the rows are dealt. */
#include "evaluation_fixture.h"
#include "same_evaluation.h"

#include "dtrain/base/random.h"
#include "dtrain/base/status.h"
#include "dtrain/nn/spec.h"
#include "same_bits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values and predictions of all ranks, and what they were standardised with in training. */
typedef struct values {
    size_t N, C;
    bool plain; /* no scale: the values stay in their own units */
    dt_target_scale scale[MAX_C];
    float p[MAX_N * MAX_C];
    dt_target y[MAX_N * MAX_C];
    bool weighted;
    float w[MAX_N]; /* whole numbers */
} values;

static values v; /* large: not on the stack */

static void draw_values(size_t N, size_t C, double mean, double deviation)
{
    v.N = N;
    v.C = C;
    v.plain = v.weighted = false;
    dt_random random = dt_random_start(N * 10 + C, DT_RANDOM_EXAMPLE, 9);
    for (size_t j = 0; j < C; j++)
        v.scale[j] = (dt_target_scale){mean * (double)(j + 1), deviation / (double)(j + 1)};
    for (size_t i = 0; i < N * C; i++) {
        const dt_target_scale *scale = &v.scale[i % C];
        const double t = 0.25 + dt_random_normal(&random); /* not around the training rows' mean */
        const double e = 0.1 + 0.5 * dt_random_normal(&random);
        v.y[i].value = (float)(scale->mean + scale->deviation * t);
        v.p[i] = (float)(scale->mean + scale->deviation * (t + e));
    }
}

static dt_status evaluate(dt_evaluation *out, const dt_comm *comm, int deal, const dt_loss *loss,
                          double number, bool curves)
{
    dt_scores scores;
    dt_network network = {.C = v.C, .loss = loss, .loss_number = number, .scale = v.scale};
    if (v.plain)
        network.scale = NULL;
    dt_status status = dt_scores_init(&scores, &network, v.N, curves, v.weighted);
    for (size_t i = 0; status == DT_OK && i < v.N; i++) {
        const size_t n = deal % 2 == 0 ? i : v.N - 1 - i;
        if (dt_comm_size(comm) == 1 || row_owner(deal, n, v.N) == test_rank)
            dt_scores_add(&scores, v.p + n * v.C, v.y + n * v.C, v.weighted ? &v.w[n] : NULL, NULL,
                          1);
    }
    status = dt_comm_agree(comm, status);
    if (status == DT_OK)
        status = dt_evaluation_compute(out, comm, &scores, NULL);
    dt_scores_clear(&scores);
    return status;
}

static void evaluate_everywhere(dt_evaluation *out, const dt_loss *loss, double number, bool curves)
{
    const dt_comm all = ranks_all(), alone = ranks_alone();
    assert_all_int(evaluate(out, &alone, DEAL_ROUND, loss, number, curves), DT_OK);
    assert_all_same(&out->model, sizeof out->model);
    for (int deal = 0; deal < DEALS; deal++) {
        dt_evaluation dealt;
        assert_all_int(evaluate(&dealt, &all, deal, loss, number, curves), DT_OK);
        assert_all(same_evaluation(out, &dealt));
        dt_evaluation_clear(&dealt);
    }
}

/* ---- plain sums ---- */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, by_size);
    return count % 2 == 1 ? numbers[count / 2] : (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}

/* What of a target's rows predictions `p` are worth, by the formulas of scikit-learn. */
static dt_quality quality_of(const double *p, const double *y, size_t N, double quantile)
{
    static double sizes[MAX_N];
    const double count = (double)N;
    double squares = 0, absolute = 0, errors = 0, mean = 0, spread = 0, scatter = 0, pinball = 0;
    for (size_t n = 0; n < N; n++) {
        sizes[n] = fabs(p[n] - y[n]);
        squares += (p[n] - y[n]) * (p[n] - y[n]);
        absolute += sizes[n];
        errors += (p[n] - y[n]) / count;
        mean += y[n] / count;
        pinball += fmax(quantile * (y[n] - p[n]), (quantile - 1) * (y[n] - p[n]));
    }
    for (size_t n = 0; n < N; n++) {
        spread += (y[n] - mean) * (y[n] - mean);
        scatter += (p[n] - y[n] - errors) * (p[n] - y[n] - errors);
    }
    return (dt_quality){.rmse = sqrt(squares / count),
                        .mae = absolute / count,
                        .median_ae = median_of(sizes, N),
                        .r2 = 1 - squares / spread,
                        .explained_variance = 1 - scatter / spread,
                        .pinball = pinball / count};
}

static void check_numbers(const dt_quality *got, const dt_quality *expected, double unit)
{
    assert_all_close(got->rmse, expected->rmse, 1e-12 * unit);
    assert_all_close(got->mae, expected->mae, 1e-12 * unit);
    assert_all_close(got->median_ae, expected->median_ae, 1e-12 * unit);
    assert_all_close(got->r2, expected->r2, 1e-12 * fmax(1, fabs(expected->r2)));
    assert_all_close(got->explained_variance, expected->explained_variance,
                     1e-12 * fmax(1, fabs(expected->explained_variance)));
    assert_all(isnan(got->accuracy) && isnan(got->loss) && isnan(got->roc_auc));
}

static size_t bin(double value, double low, double high, int bins)
{
    const double place = floor((double)bins * ((value - low) / (high - low)));
    return (size_t)fmin(fmax(place, 0), bins - 1);
}

static void check_histograms(const dt_value_quality *got, const double *p, const double *y,
                             size_t N)
{
    static double residuals[DT_RESIDUAL_BINS], joint[DT_JOINT_BINS][DT_JOINT_BINS];
    double low = INFINITY, high = -INFINITY;
    memset(residuals, 0, sizeof residuals);
    memset(joint, 0, sizeof joint);
    for (size_t n = 0; n < N; n++) {
        low = fmin(low, y[n]);
        high = fmax(high, y[n]);
    }
    assert_all(same_bits(got->low, low) && same_bits(got->high, high));
    assert_all(same_bits(got->residual_limit, 4 * got->model.rmse));
    for (size_t n = 0; n < N; n++) {
        const double limit = got->residual_limit;
        residuals[bin(p[n] - y[n], -limit, limit, DT_RESIDUAL_BINS)]++;
        joint[bin(y[n], low, high, DT_JOINT_BINS)][bin(p[n], low, high, DT_JOINT_BINS)]++;
    }
    assert_all(memcmp(residuals, got->residuals, sizeof residuals) == 0);
    assert_all(memcmp(joint, got->joint, sizeof joint) == 0);
}

/* Adds a number's share in the mean over the targets. */
static void add(dt_quality *mean, const dt_quality *one)
{
    mean->rmse += one->rmse / (double)v.C;
    mean->mae += one->mae / (double)v.C;
    mean->median_ae += one->median_ae / (double)v.C;
    mean->r2 += one->r2 / (double)v.C;
    mean->explained_variance += one->explained_variance / (double)v.C;
    mean->pinball += one->pinball / (double)v.C;
}

/* Rows of weight w stand w times in p, y and mean. Returns how many there are. */
static size_t repeat_rows(double *p, double *y, double *mean, size_t j)
{
    size_t M = 0;
    for (size_t n = 0; n < v.N; n++)
        for (float k = 0; k < (v.weighted ? v.w[n] : 1); k++, M++) {
            DT_ASSERT(M < MAX_N);
            p[M] = (double)v.p[n * v.C + j];
            y[M] = (double)v.y[n * v.C + j].value;
            mean[M] = v.plain ? 0 : v.scale[j].mean;
        }
    return M;
}

/* `unit`: the standard deviation of the first target. */
static void check_against_sums(double unit)
{
    static double p[MAX_N], y[MAX_N], mean[MAX_N];
    const double quantile = 0.8;
    dt_evaluation e;
    dt_quality model = {0}, baseline = {0};
    evaluate_everywhere(&e, &dt_quantile, quantile, true);
    assert_all_int(e.N, v.N);
    assert_all_int(e.C, v.C);
    assert_all(e.classes == NULL && e.confusion == NULL && e.values != NULL);
    for (size_t j = 0; j < v.C; j++) {
        const size_t M = repeat_rows(p, y, mean, j);
        const dt_quality own = quality_of(p, y, M, quantile);
        const dt_quality always = quality_of(mean, y, M, quantile);
        check_numbers(&e.values[j].model, &own, unit);
        assert_all_close(e.values[j].model.pinball, own.pinball, 1e-12 * unit);
        check_numbers(&e.values[j].baseline, &always, unit);
        check_histograms(&e.values[j], p, y, M);
        add(&model, &own);
        add(&baseline, &always);
    }
    check_numbers(&e.model, &model, unit);
    assert_all_close(e.model.pinball, model.pinball, 1e-12 * unit);
    check_numbers(&e.majority, &baseline, unit);
    dt_evaluation_clear(&e);
}

static void test_against_plain_sums(void **state)
{
    (void)state;
    const size_t counts[] = {2, 3, 9, 500, 501, MAX_N};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
        for (size_t C = 1; C <= 4; C += 3) {
            draw_values(counts[k], C, 2, 3);
            check_against_sums(3);
            v.plain = true;
            check_against_sums(3);
        }
}

/* Weights are as good as repeated rows, in medians and histograms, too. */
static void test_weights_repeat_rows(void **state)
{
    (void)state;
    const size_t counts[] = {2, 3, 8, 9, 500, 501, 2000};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
        for (size_t C = 1; C <= 4; C += 3)
            for (unsigned most = 1; most <= 4; most += 3) {
                draw_values(counts[k], C, 2, 3);
                dt_random random = dt_random_start(counts[k], DT_RANDOM_EXAMPLE, most);
                v.weighted = true;
                for (size_t n = 0; n < v.N; n++)
                    v.w[n] = n < 2 ? 1 : (float)dt_random_below(&random, most);
                check_against_sums(3);
            }
}

/* Rows that weigh nothing leave nothing but their number. */
static void test_no_weight(void **state)
{
    (void)state;
    dt_evaluation e;
    draw_values(20, 2, 0, 1);
    v.weighted = true;
    memset(v.w, 0, sizeof v.w);
    evaluate_everywhere(&e, &dt_mean_squared_error, 0, true);
    assert_all_int(e.N, 20);
    assert_all(isnan(e.model.rmse) && isnan(e.model.median_ae) && isnan(e.majority.median_ae));
    assert_all(e.values[1].residuals[0] == 0 && e.values[1].low == 0);
    dt_evaluation_clear(&e);
}

/* Numbers far from 1 lose nothing. */
static void test_any_unit(void **state)
{
    (void)state;
    draw_values(300, 2, -1e30, 4e29);
    check_against_sums(4e29);
    draw_values(300, 2, 1e-30, 1e-31);
    check_against_sums(1e-31);
    draw_values(300, 1, 1e6, 10); /* close together, and far from 0 */
    check_against_sums(10);
}

static void test_only_a_quantile_has_a_pinball_loss(void **state)
{
    (void)state;
    dt_evaluation e;
    draw_values(50, 2, 0, 1);
    evaluate_everywhere(&e, &dt_huber, 0.5, true);
    assert_all(isnan(e.model.pinball) && isnan(e.values[1].model.pinball));
    assert_all(e.model.rmse > 0);
    dt_evaluation_clear(&e);
}

/* Without what needs each row, all else is the same. */
static void test_without_rows_kept(void **state)
{
    (void)state;
    dt_evaluation with, without;
    draw_values(333, 2, 5, 1);
    evaluate_everywhere(&with, &dt_mean_squared_error, 0, true);
    evaluate_everywhere(&without, &dt_mean_squared_error, 0, false);
    const dt_quality *a = &with.model, *b = &without.model;
    assert_all(same_bits(a->rmse, b->rmse) && same_bits(a->mae, b->mae));
    assert_all(same_bits(a->r2, b->r2) && same_bits(a->explained_variance, b->explained_variance));
    assert_all(isnan(b->median_ae) && isnan(without.majority.median_ae));
    static const double none[DT_RESIDUAL_BINS];
    assert_all(memcmp(without.values[0].residuals, none, sizeof none) == 0);
    dt_evaluation_clear(&with);
    dt_evaluation_clear(&without);
}

static void test_nothing_to_tell(void **state)
{
    (void)state;
    dt_evaluation e;
    draw_values(0, 2, 0, 1);
    evaluate_everywhere(&e, &dt_mean_squared_error, 0, true);
    assert_all_int(e.N, 0);
    assert_all(isnan(e.model.rmse) && isnan(e.model.r2) && isnan(e.majority.mae));
    assert_all(isnan(e.model.median_ae));
    dt_evaluation_clear(&e);
    draw_values(1, 1, 0, 1);
    v.p[0] = v.y[0].value; /* one row, and right: no spread, and a histogram without a width */
    evaluate_everywhere(&e, &dt_mean_squared_error, 0, true);
    assert_all(e.model.rmse == 0 && e.model.mae == 0 && e.model.median_ae == 0);
    assert_all(isnan(e.model.r2) && isnan(e.model.explained_variance));
    double counted = 0;
    for (int b = 0; b < DT_RESIDUAL_BINS; b++)
        counted += e.values[0].residuals[b];
    assert_all(counted == 1);
    dt_evaluation_clear(&e);
}

/* What one rank alone has seen, all of them say. */
static void test_bad_rows(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f, 70000.0f};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int target = 0; target < 2; target++) {
            dt_evaluation e;
            draw_values(57, 3, 0, 1);
            if (target == 1)
                v.y[19 * 3 + 1].value = bad[i];
            else
                v.p[19 * 3 + 1] = bad[i];
            assert_all_int(evaluate(&e, &all, DEAL_HASH, &dt_mean_squared_error, 0, true),
                           DT_DIVERGED);
            assert_all(strstr(dt_status_text(), " 1 rows") != NULL);
            assert_all(e.values == NULL);
        }
}

/* ---- a network on a set ---- */

enum { SHARDS = 8, ROWS = 3000, D = 5 };

/* Rows of one target, or two, that weigh (n mod 3) each. */
static void make_set(dt_dataset *set, const dt_comm *comm, size_t T)
{
    const int rank = dt_comm_rank(comm), size = dt_comm_size(comm);
    *set = (dt_dataset){.N = ROWS, .D = D, .T = T, .S = SHARDS};
    set->first_shard = dt_dataset_first_shard(rank, size, SHARDS);
    set->shard_count = dt_dataset_first_shard(rank + 1, size, SHARDS) - set->first_shard;
    set->shard_start = calloc(set->shard_count + 1, sizeof *set->shard_start);
    set->x = calloc(ROWS * D, sizeof *set->x);
    set->y = calloc(ROWS * T, sizeof *set->y);
    set->w = calloc(ROWS, sizeof *set->w);
    size_t own = 0;
    for (size_t s = 0; s < set->shard_count; s++) {
        for (size_t n = set->first_shard + s; n < ROWS; n += SHARDS, own++) {
            dt_random random = dt_random_start(8, DT_RANDOM_EXAMPLE, n);
            for (size_t j = 0; j < D; j++)
                set->x[own * D + j] = (float)dt_random_normal(&random);
            for (size_t j = 0; j < T; j++)
                set->y[own * T + j].value = (float)(100 + 20 * dt_random_normal(&random));
            set->w[own] = (float)(n % 3);
        }
        set->shard_start[s + 1] = own;
    }
}

static void clear_set(dt_dataset *set)
{
    free(set->shard_start);
    free(set->x);
    free(set->y);
    free(set->w);
}

/* The metrics of a set on one rank, row by row. Huber's loss is of standardised errors. */
static dt_metrics metrics_by_hand(dt_predictor *predictor, const dt_dataset *set, bool weighted)
{
    const dt_network *network = predictor->network;
    const size_t T = set->T;
    double weights = 0, loss = 0, squares = 0, absolute = 0;
    for (size_t n = 0; n < ROWS; n++) {
        const double w = weighted ? (double)set->w[n] : 1;
        dt_predictor_run(predictor, set->x + n * D, NULL, 1);
        weights += w;
        for (size_t j = 0; j < T; j++) {
            const double error = (double)predictor->p[j] - (double)set->y[n * T + j].value;
            const double e = error / network->scale[j].deviation, size = fabs(e);
            const double delta = network->loss_number;
            loss += w / (double)T * (size <= delta ? e * e / 2 : delta * (size - delta / 2));
            squares += w / (double)T * e * e;
            absolute += w / (double)T * size;
        }
    }
    const double unit = T == 1 ? network->scale[0].deviation : 1;
    return (dt_metrics){.loss = loss / weights,
                        .rmse = unit * sqrt(squares / weights),
                        .mae = unit * absolute / weights};
}

static void check_of_set(size_t T, bool weighted)
{
    const dt_comm all = ranks_all(), alone = ranks_alone();
    const dt_target_scale scale[2] = {{100, 20}, {90, 25}};
    const size_t hidden = 7;
    dt_network network;
    dt_dataset sets[2];
    dt_evaluation e[2];
    dt_metrics metrics[2];
    dt_predictor predictor;
    assert_all_int(dt_spec_make(&network, D, &hidden, 1, DT_ACTIVATION_TANH, T, 4), DT_OK);
    assert_all_int(dt_network_set_loss(&network, &dt_huber, 0.75, scale), DT_OK);
    assert_all_int(dt_predictor_init(&predictor, &network, false), DT_OK);
    for (int i = 0; i < 2; i++) {
        const dt_comm *comm = i == 0 ? &all : &alone;
        make_set(&sets[i], comm, T);
        float *w = sets[i].w;
        if (!weighted)
            sets[i].w = NULL;
        assert_all_int(
            dt_evaluation_of_set(&e[i], &metrics[i], comm, &network, &sets[i], NULL, true, NULL),
            DT_OK);
        sets[i].w = w;
    }
    assert_all(same_evaluation(&e[0], &e[1]));
    assert_all(memcmp(&metrics[0], &metrics[1], sizeof *metrics) == 0);
    assert_all_same(metrics, sizeof *metrics);
    const dt_metrics expected = metrics_by_hand(&predictor, &sets[1], weighted);
    assert_all_close(metrics[0].loss, expected.loss, 1e-5 * expected.loss);
    assert_all_close(metrics[0].rmse, expected.rmse, 1e-5 * expected.rmse);
    assert_all_close(metrics[0].mae, expected.mae, 1e-5 * expected.mae);
    assert_all(isnan(metrics[0].accuracy));
    if (T == 1 && !weighted)
        assert_all_close(e[0].model.rmse, expected.rmse, 1e-9 * expected.rmse);
    for (int i = 0; i < 2; i++) {
        dt_evaluation_clear(&e[i]);
        clear_set(&sets[i]);
    }
    dt_predictor_clear(&predictor);
    dt_network_clear(&network);
}

static void test_of_set(void **state)
{
    (void)state;
    for (size_t T = 1; T <= 2; T++) {
        check_of_set(T, false);
        check_of_set(T, true);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_against_plain_sums),
    cmocka_unit_test(test_weights_repeat_rows),
    cmocka_unit_test(test_no_weight),
    cmocka_unit_test(test_any_unit),
    cmocka_unit_test(test_only_a_quantile_has_a_pinball_loss),
    cmocka_unit_test(test_without_rows_kept),
    cmocka_unit_test(test_nothing_to_tell),
    cmocka_unit_test(test_bad_rows),
    cmocka_unit_test(test_of_set),
};

MPI_SUITE(test_evaluation_values, tests);
