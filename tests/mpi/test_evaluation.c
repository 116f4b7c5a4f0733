/* The quality of a classifier: the same bits on any number of ranks, and scikit-learn's numbers. */
#include "evaluation_fixture.h"
#include "same_evaluation.h"

#include "dtrain/base/random.h"
#include "dtrain/comm/exact_total.h"

#include "dtrain/nn/spec.h"

#include <math.h>
#include <stdlib.h>

static rows r; /* large: not on the stack */

static void test_same_bits_however_dealt(void **state)
{
    (void)state;
    const uint64_t class_rows[MAX_C] = {10, 30, 7, 20, 5};
    for (size_t C = 2; C <= MAX_C; C++) {
        const unsigned levels[] = {0, 1, 8, 4096};
        for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
            dt_evaluation evaluation;
            draw_rows(&r, 1501, C, levels[l], C);
            evaluate_in_all_ways(&evaluation, &r, l % 2 == 0 ? NULL : class_rows);
            assert_all_int(evaluation.N, 1501);
            assert_all((evaluation.roc_count > 0) == (C == 2));
            assert_all((evaluation.pr_count > 0) == (C == 2));
            dt_evaluation_clear(&evaluation);
        }
    }
}

/* ---- against sums written down naively ---- */

static double clip(double p, double epsilon)
{
    return fmin(fmax(p, epsilon), 1 - epsilon);
}

static size_t predicted_of(const float *p)
{
    size_t best = 0;
    for (size_t j = 1; j < r.C; j++)
        best = p[j] > p[best] ? j : best;
    return best;
}

static void check_losses(const dt_evaluation *e)
{
    double loss = 0, log_loss = 0, brier = 0, hits = 0;
    for (size_t n = 0; n < r.N; n++) {
        const float *p = r.p + n * r.C;
        const size_t y = (size_t)r.y[n];
        double sum = 0, squares = 0;
        for (size_t j = 0; j < r.C; j++) {
            sum += clip((double)p[j], 0x1p-52);
            squares += ((double)p[j] - (j == y)) * ((double)p[j] - (j == y));
        }
        loss -= log(clip((double)p[y], 1e-7));
        log_loss -= log(clip((double)p[y], 0x1p-52) / sum);
        brier += r.C > 2 ? squares : ((double)p[1] - (double)y) * ((double)p[1] - (double)y);
        hits += predicted_of(p) == y;
    }
    const double N = (double)r.N;
    assert_all_close(e->model.loss, loss / N, 1e-12 * loss / N);
    assert_all_close(e->model.log_loss, log_loss / N, 1e-12 * log_loss / N);
    assert_all_close(e->model.brier, brier / N, 1e-12 * brier / N);
    assert_all_close(e->model.accuracy, hits / N, 1e-15);
}

/* Pair by pair, and row by row: in numbers of rows squared. */
static void check_areas(const dt_evaluation *e)
{
    for (size_t c = 0; c < r.C; c++) {
        double pairs = 0, won = 0, precision = 0, positives = 0;
        for (size_t a = 0; a < r.N; a++) {
            if ((size_t)r.y[a] != c)
                continue;
            const float score = r.p[a * r.C + c];
            double above = 0, positives_above = 0;
            for (size_t b = 0; b < r.N; b++) {
                const float other = r.p[b * r.C + c];
                above += other >= score;
                positives_above += other >= score && (size_t)r.y[b] == c;
                pairs += (size_t)r.y[b] != c;
                won += (size_t)r.y[b] == c ? 0 : score > other ? 1 : score == other ? 0.5 : 0;
            }
            precision += positives_above / above;
            positives++;
        }
        assert_all_close(e->classes[c].roc_auc, won / pairs, 0);
        assert_all_close(e->classes[c].pr_auc, precision / positives, 1e-13);
    }
}

/* Each point of the ROC curve is what its threshold makes of class 1. */
static void check_roc(const dt_evaluation *e)
{
    size_t wrong = 0;
    for (size_t i = 0; i < e->roc_count; i++) {
        double taken[2] = {0}, rows_of[2] = {0};
        for (size_t n = 0; n < r.N; n++) {
            rows_of[r.y[n]]++;
            taken[r.y[n]] += (double)r.p[2 * n + 1] >= e->roc[i].threshold;
        }
        wrong += e->roc[i].fpr != taken[0] / rows_of[0] || e->roc[i].tpr != taken[1] / rows_of[1];
    }
    assert_all_int(wrong, 0);
    assert_all(e->roc_count >= 3);
    assert_all(e->roc[e->roc_count - 1].fpr == 1 && e->roc[e->roc_count - 1].tpr == 1);
}

/* Likewise each point of the precision-recall curve. */
static void check_pr(const dt_evaluation *e)
{
    size_t wrong = 0;
    assert_all_int(e->pr_count, e->roc_count);
    for (size_t i = 1; i < e->pr_count; i++) {
        double taken[2] = {0}, positives = 0;
        for (size_t n = 0; n < r.N; n++) {
            positives += r.y[n] == 1;
            taken[r.y[n]] += (double)r.p[2 * n + 1] >= e->pr[i].threshold;
        }
        wrong += e->pr[i].recall != taken[1] / positives ||
                 e->pr[i].precision != taken[1] / (taken[0] + taken[1]);
    }
    assert_all_int(wrong, 0);
    assert_all(e->pr[0].recall == 0 && e->pr[0].precision == 1);
    assert_all(e->pr[e->pr_count - 1].recall == 1);
}

static void check_counts(const dt_evaluation *e)
{
    static int64_t confusion[MAX_C * MAX_C];
    int64_t bin_rows[DT_CALIBRATION_BINS] = {0}, rows_of[MAX_C] = {0}, predicted[MAX_C] = {0};
    double gap[DT_CALIBRATION_BINS] = {0}, error = 0;
    memset(confusion, 0, sizeof confusion);
    for (size_t n = 0; n < r.N; n++) {
        const size_t guess = predicted_of(r.p + n * r.C), y = (size_t)r.y[n];
        const double confidence = (double)r.p[n * r.C + guess];
        const int bin = (int)ceil(10 * confidence) - 1;
        bin_rows[bin]++;
        gap[bin] += confidence - (guess == y);
        confusion[y * r.C + guess]++;
        rows_of[y]++;
        predicted[guess]++;
    }
    assert_all(memcmp(confusion, e->confusion, r.C * r.C * sizeof *confusion) == 0);
    for (int b = 0; b < DT_CALIBRATION_BINS; b++) {
        const dt_calibration_bin *bin = &e->bins[b];
        error += fabs(gap[b]) / (double)r.N;
        assert_all_int(bin->rows, bin_rows[b]);
        assert_all(bin->lower == b / 10.0 && bin->upper == (b + 1) / 10.0);
        assert_all(bin_rows[b] > 0
                       ? fabs((bin->confidence - bin->accuracy) * (double)bin->rows - gap[b]) < 1e-9
                       : isnan(bin->confidence) && isnan(bin->accuracy));
    }
    assert_all_close(e->model.calibration_error, error, 1e-12);
    for (size_t c = 0; c < r.C; c++) {
        assert_all_int(e->classes[c].label, c);
        assert_all_int(e->classes[c].rows, rows_of[c]);
        assert_all_int(e->classes[c].predicted, predicted[c]);
    }
}

static void test_against_naive_sums(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    for (size_t C = 2; C <= 4; C++)
        for (unsigned levels = 0; levels <= 32; levels = levels == 0 ? 2 : levels * 4) {
            dt_evaluation e;
            draw_rows(&r, 300, C, levels, 77 + levels);
            assert_all_int(evaluate_dealt(&e, &all, &r, DEAL_HASH, NULL, true), DT_OK);
            check_losses(&e);
            check_counts(&e);
            check_areas(&e);
            if (C == 2) {
                check_roc(&e);
                check_pr(&e);
            }
            dt_evaluation_clear(&e);
        }
}

/* ---- against scikit-learn ---- */

/* In the order of dt_quality. From scikit-learn 1.2.1 on the same rows, as float64; loss and
 * calibration error, which it does not have, from NumPy. */
typedef struct golden {
    size_t N, C;
    unsigned levels;
    uint64_t seed;
    bool trained; /* the baseline learned from 10, 30, 7 and 20 rows of the classes */
    double model[10], majority[10];
    double pr_auc[4];
} golden;

static const golden goldens[] = {
    {.N = 500,
     .C = 2,
     .levels = 16,
     .seed = 21,
     .trained = false,
     .model = {0.6826078334945985, 0.704, 0.8818634012761865, 0.1867421875, 0.057374999999999975,
               0.7084062479745933, 0.7060029470177462, 0.703525641025641, 0.7949260042283298,
               0.7941901031348987},
     .majority = {0.692635093142801, 0.516, 0.692635093142801, 0.2497439999999999, 0.0, 0.258, 0.5,
                  0.3403693931398417, 0.5, 0.516},
     .pr_auc = {0.7523168075449975, 0.7941901031348987}},
    {.N = 400,
     .C = 3,
     .levels = 8,
     .seed = 22,
     .trained = true,
     .model = {1.529527230974141, 0.57, 2.4261773254412886, 0.57328125, 0.0803125,
               0.576586541263334, 0.5695190148092942, 0.5678045922707845, 0.7386557186611515,
               0.5683981330576447},
     .majority = {1.2834974699036266, 0.3475, 1.2834974699036266, 0.7957265731100047,
                  0.2907978723404255, 0.11583333333333333, 0.3333333333333333, 0.17192331478045764,
                  0.5, 0.3333333333333333},
     .pr_auc = {0.5647130970779596, 0.5654712630090708, 0.575010039085904}},
    {.N = 300,
     .C = 2,
     .levels = 0,
     .seed = 23,
     .trained = true,
     .model = {0.6633328800864746, 0.69, 0.6633328807312212, 0.21089580081796205,
               0.08494032263755799, 0.689098998887653, 0.6897321428571428, 0.6892230576441103,
               0.7453125, 0.72433531860365},
     .majority = {0.8736086264081062, 0.4666666666666667, 0.8736086264081062, 0.32916666666666666,
                  0.2833333333333333, 0.23333333333333334, 0.5, 0.3181818181818182, 0.5,
                  0.4666666666666667},
     .pr_auc = {0.7147667913526625, 0.72433531860365}},
    {.N = 300,
     .C = 4,
     .levels = 0,
     .seed = 24,
     .trained = false,
     .model = {1.19656950225461, 0.45666666666666667, 1.1965695006505521, 0.6460502273460467,
               0.05466337134440741, 0.4556443463882418, 0.4547890381223715, 0.45440128900949794,
               0.7386790639890172, 0.5007109007960984},
     .majority = {1.3817343204738333, 0.27, 1.3817343204738333, 0.7478, 0.0, 0.0675, 0.25,
                  0.1062992125984252, 0.5, 0.25},
     .pr_auc = {0.5283268642242153, 0.5127810414972163, 0.41010535734790154, 0.5516303401150602}},
};

static void check_quality(const dt_quality *got, const double expected[10])
{
    double numbers[10];
    memcpy(numbers, got, sizeof numbers);
    for (int i = 0; i < 10; i++)
        assert_all_close(numbers[i], expected[i], 1e-12 * fabs(expected[i]) + 1e-15);
}

static void test_against_scikit_learn(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    const uint64_t class_rows[] = {10, 30, 7, 20};
    for (size_t g = 0; g < sizeof goldens / sizeof *goldens; g++) {
        const golden *expected = &goldens[g];
        dt_evaluation e;
        draw_rows(&r, expected->N, expected->C, expected->levels, expected->seed);
        assert_all_int(
            evaluate_dealt(&e, &all, &r, DEAL_ROUND, expected->trained ? class_rows : NULL, true),
            DT_OK);
        check_quality(&e.model, expected->model);
        check_quality(&e.majority, expected->majority);
        for (size_t c = 0; c < expected->C; c++)
            assert_all_close(e.classes[c].pr_auc, expected->pr_auc[c], 1e-13);
        dt_evaluation_clear(&e);
    }
}

static void test_exact_totals_over_ranks(void **state)
{
    (void)state;
    enum { TOTALS = 549 }; /* more than go at once */
    const dt_comm all = ranks_all();
    dt_exact_total totals[TOTALS] = {0}, expected[TOTALS] = {0};
    for (int rank = 0; rank < test_size; rank++)
        for (int i = 0; i < TOTALS; i++) {
            const double term = ldexp(rank + 1.1, i % 37) * (i % 3 == rank % 2 ? -1 : 1);
            dt_exact_total_add(&expected[i], term);
            if (rank == test_rank)
                dt_exact_total_add(&totals[i], term);
        }
    dt_exact_total_sum(&all, totals, TOTALS);
    assert_all(memcmp(totals, expected, sizeof totals) == 0);
}

/* ---- a network on a set ---- */

/* A set of N rows, dealt to shards as dt_dataset_load does. */
static void make_set(dt_dataset *set, const dt_comm *comm, size_t N, size_t D, size_t C)
{
    enum { S = 8 };
    const int rank = dt_comm_rank(comm), size = dt_comm_size(comm);
    *set = (dt_dataset){.N = N, .D = D, .C = C, .T = 1, .S = S};
    set->first_shard = dt_dataset_first_shard(rank, size, S);
    set->shard_count = dt_dataset_first_shard(rank + 1, size, S) - set->first_shard;
    set->class_rows = calloc(C, sizeof *set->class_rows);
    set->shard_start = calloc(set->shard_count + 1, sizeof *set->shard_start);
    set->x = calloc(N * D + 1, sizeof *set->x);
    set->y = calloc(N + 1, sizeof *set->y);
    size_t own = 0;
    for (size_t s = 0; s < S; s++)
        for (size_t n = s; n < N; n += S) {
            dt_random random = dt_random_start(8, DT_RANDOM_EXAMPLE, n);
            const bool mine = s >= set->first_shard && s < set->first_shard + set->shard_count;
            const int32_t y = (int32_t)dt_random_below(&random, C);
            set->class_rows[y]++;
            if (!mine)
                continue;
            for (size_t j = 0; j < D; j++)
                set->x[own * D + j] = (float)dt_random_normal(&random);
            set->y[own++].label = y;
            set->shard_start[s - set->first_shard + 1] = own;
        }
}

static void clear_set(dt_dataset *set)
{
    free(set->class_rows);
    free(set->shard_start);
    free(set->x);
    free(set->y);
}

static void test_of_set(void **state)
{
    (void)state;
    enum { N = 5000, D = 6, C = 3 };
    const dt_comm all = ranks_all(), alone = ranks_alone();
    const size_t hidden = 7;
    dt_network network;
    dt_dataset sets[2];
    dt_evaluation e[2];
    dt_metrics metrics[3];
    dt_predictor predictor;
    assert_all_int(dt_spec_make(&network, D, &hidden, 1, DT_ACTIVATION_RELU, C, 4), DT_OK);
    assert_all_int(dt_predictor_init(&predictor, &network, false), DT_OK);
    make_set(&sets[0], &all, N, D, C);
    make_set(&sets[1], &alone, N, D, C);
    assert_all_int(
        dt_evaluation_of_set(&e[0], &metrics[0], &all, &network, &sets[0], NULL, true, NULL),
        DT_OK);
    assert_all_int(
        dt_evaluation_of_set(&e[1], &metrics[1], &alone, &network, &sets[1], NULL, true, NULL),
        DT_OK);
    assert_all_int(dt_evaluate(&metrics[2], &all, &predictor, &sets[0], NULL), DT_OK);
    assert_all(same_evaluation(&e[0], &e[1]));
    assert_all(memcmp(&metrics[0], &metrics[1], sizeof *metrics) == 0);
    assert_all(memcmp(&metrics[0], &metrics[2], sizeof *metrics) == 0);
    assert_all(metrics[0].accuracy == e[0].model.accuracy);
    assert_all_close(e[0].model.loss, metrics[0].loss, 1e-6); /* nothing to clip here */
    assert_all_int(e[0].N, N);
    for (size_t c = 0; c < C; c++)
        assert_all_int(e[0].classes[c].rows, sets[0].class_rows[c]);
    for (int i = 0; i < 2; i++) {
        dt_evaluation_clear(&e[i]);
        clear_set(&sets[i]);
    }
    dt_predictor_clear(&predictor);
    dt_network_clear(&network);
}

static void test_of_set_refuses(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    dt_network network;
    dt_dataset set;
    dt_evaluation e;
    assert_all_int(dt_spec_make(&network, 4, NULL, 0, DT_ACTIVATION_RELU, 2, 4), DT_OK);
    make_set(&set, &all, 100, 4, 3);
    assert_all_int(dt_evaluation_of_set(&e, NULL, &all, &network, &set, NULL, true, NULL), DT_DATA);
    assert_all_string(dt_status_text(), "labels: expected at most the model's 2 classes, found 3");
    clear_set(&set);
    make_set(&set, &all, 100, 4, 2);
    network.params[0] = NAN;
    assert_all_int(dt_evaluation_of_set(&e, NULL, &all, &network, &set, NULL, true, NULL),
                   DT_DIVERGED);
    assert_all(e.classes == NULL);
    clear_set(&set);
    dt_network_clear(&network);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_same_bits_however_dealt),
    cmocka_unit_test(test_against_naive_sums),
    cmocka_unit_test(test_against_scikit_learn),
    cmocka_unit_test(test_exact_totals_over_ranks),
    cmocka_unit_test(test_of_set),
    cmocka_unit_test(test_of_set_refuses),
};

MPI_SUITE(test_evaluation, tests);
