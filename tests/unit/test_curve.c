/* rooms: task */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/task/curve.h"
#include "dtrain/base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 6000 };

/* Rows whose score is one of `levels` values (0: any), of which about a `share` are positive, the
 * more the larger the score. */
static size_t draw(uint32_t *keys, size_t count, unsigned levels, double share, uint64_t stream)
{
    dt_random random = dt_random_start(11, DT_RANDOM_EXAMPLE, stream);
    size_t positives = 0;
    for (size_t i = 0; i < count; i++) {
        float score = (float)dt_random_uniform(&random);
        if (levels > 0)
            score = floorf(score * (float)levels) / (float)levels;
        const bool positive = dt_random_uniform(&random) < share * (0.5 + (double)score);
        positives += positive;
        keys[i] = dt_curve_key(score, positive);
    }
    return positives;
}

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void sort(uint32_t *keys, size_t count)
{
    static uint32_t buffer[MAX_ROWS];
    dt_curve_sort(keys, buffer, count);
}

static void test_keys_sort_as_scores_do(void **state)
{
    (void)state;
    const float scores[] = {0, 1e-45f, 1e-38f, 1e-7f, 0.25f, nextafterf(0.5f, 0), 0.5f, 0.999f, 1};
    for (size_t i = 0; i + 1 < sizeof scores / sizeof *scores; i++) {
        assert_true(dt_curve_key(scores[i], true) < dt_curve_key(scores[i + 1], false));
        assert_true(dt_curve_key(scores[i], false) < dt_curve_key(scores[i], true));
    }
    assert_true(dt_curve_key(-0.0f, true) == dt_curve_key(0.0f, true));
    assert_true(dt_curve_key(1.0f, true) < UINT32_C(1) << 31);
}

static void test_sort(void **state)
{
    (void)state;
    const size_t counts[] = {0, 1, 2, 3, 255, 256, 1000, MAX_ROWS};
    static uint32_t keys[MAX_ROWS + 1], expected[MAX_ROWS], buffer[MAX_ROWS + 1];
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int kind = 0; kind < 3; kind++) {
            const size_t count = counts[c];
            dt_random random = dt_random_start(3, DT_RANDOM_EXAMPLE, c);
            for (size_t i = 0; i < count; i++)
                keys[i] = kind == 0   ? dt_random_u32(&random)
                          : kind == 1 ? (uint32_t)(count - i) << 20
                                      : 0xABCDEF01u;
            memcpy(expected, keys, count * sizeof *keys);
            qsort(expected, count, sizeof *expected, compare);
            keys[count] = buffer[count] = 0xFEEDBEEFu;
            dt_curve_sort(keys, buffer, count);
            assert_memory_equal(keys, expected, count * sizeof *keys);
            assert_true(keys[count] == 0xFEEDBEEFu && buffer[count] == 0xFEEDBEEFu);
        }
}

/* Pair by pair, and positive by positive. */
static dt_curve_areas measure_naively(const uint32_t *keys, size_t count)
{
    double pairs = 0, won = 0, precision = 0, positives = 0;
    for (size_t i = 0; i < count; i++) {
        if ((keys[i] & 1) == 0)
            continue;
        double above = 0, positives_above = 0;
        for (size_t j = 0; j < count; j++) {
            const bool at_least = keys[j] >> 1 >= keys[i] >> 1;
            above += at_least;
            positives_above += at_least && (keys[j] & 1) == 1;
            if ((keys[j] & 1) == 1)
                continue;
            pairs++;
            won += !at_least ? 1 : keys[j] >> 1 == keys[i] >> 1 ? 0.5 : 0;
        }
        precision += positives_above / above;
        positives++;
    }
    return (dt_curve_areas){.roc_auc = won / pairs, .pr_auc = precision / positives};
}

static void test_areas_pair_by_pair(void **state)
{
    (void)state;
    static uint32_t keys[MAX_ROWS];
    const size_t counts[] = {2, 3, 10, 101, 1000};
    const unsigned levels[] = {0, 1, 2, 7, 64};
    int compared = 0;
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t l = 0; l < sizeof levels / sizeof *levels; l++)
            for (uint64_t trial = 0; trial < 5; trial++) {
                const size_t count = counts[c];
                const size_t positives =
                    draw(keys, count, levels[l], 0.6, 100 * c + 10 * l + trial);
                const dt_curve_areas expected = measure_naively(keys, count);
                sort(keys, count);
                const dt_curve_areas got = dt_curve_measure(keys, count);
                if (positives == 0 || positives == count) {
                    assert_true(isnan(got.roc_auc) && isnan(got.pr_auc));
                    continue;
                }
                compared++;
                assert_true(got.roc_auc == expected.roc_auc); /* both are exact up to a division */
                assert_true(fabs(got.pr_auc - expected.pr_auc) <= 1e-13);
            }
    assert_true(compared > 80);
}

static void test_known_areas(void **state)
{
    (void)state;
    const struct {
        float scores[4];
        int labels[4];
        double roc_auc, pr_auc;
    } cases[] = {
        {{0.1f, 0.4f, 0.35f, 0.8f}, {0, 0, 1, 1}, 0.75, 5.0 / 6}, /* sklearn's example */
        {{0.1f, 0.2f, 0.3f, 0.4f}, {0, 0, 1, 1}, 1, 1},
        {{0.1f, 0.2f, 0.3f, 0.4f}, {1, 1, 0, 0}, 0, (1.0 / 3 + 0.5) / 2},
        {{0.5f, 0.5f, 0.5f, 0.5f}, {1, 0, 0, 0}, 0.5, 0.25},
        {{0, 0, 1, 1}, {0, 1, 1, 1}, 5.0 / 6, (1 + 1 + 0.75) / 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t keys[4];
        for (size_t j = 0; j < 4; j++)
            keys[j] = dt_curve_key(cases[i].scores[j], cases[i].labels[j] == 1);
        sort(keys, 4);
        const dt_curve_areas got = dt_curve_measure(keys, 4);
        assert_true(fabs(got.roc_auc - cases[i].roc_auc) < 1e-15);
        assert_true(fabs(got.pr_auc - cases[i].pr_auc) < 1e-15);
    }
}

static void test_one_sided(void **state)
{
    (void)state;
    dt_roc_point points[DT_ROC_POINTS];
    for (int positive = 0; positive < 2; positive++)
        for (size_t count = 0; count < 4; count++) {
            const uint32_t key = dt_curve_key(0.5f, positive == 1);
            const uint32_t keys[] = {key, key, key};
            assert_true(isnan(dt_curve_measure(keys, count < 3 ? count : 3).roc_auc));
            assert_true(isnan(dt_curve_measure(keys, count < 3 ? count : 3).pr_auc));
            assert_int_equal(dt_curve_points(points, keys, count < 3 ? count : 3), 0);
        }
}

/* Is the point on the exact curve, at this very threshold? */
static bool lies_on_curve(const dt_roc_point *point, const uint32_t *keys, size_t count)
{
    double taken[2] = {0}, rows[2] = {0};
    for (size_t i = 0; i < count; i++) {
        const size_t label = keys[i] & 1;
        rows[label]++;
        taken[label] += keys[i] >= dt_curve_key((float)point->threshold, false);
    }
    return point->fpr == taken[0] / rows[0] && point->tpr == taken[1] / rows[1];
}

static void check_points(const uint32_t *keys, size_t count, size_t scores)
{
    dt_roc_point points[DT_ROC_POINTS + 1];
    points[DT_ROC_POINTS].fpr = -7;
    const size_t kept = dt_curve_points(points, keys, count);
    assert_true(points[DT_ROC_POINTS].fpr == -7);
    if (scores < DT_ROC_POINTS)
        assert_int_equal(kept, scores + 1);
    assert_in_range(kept, 2, DT_ROC_POINTS);
    assert_true(points[0].fpr == 0 && points[0].tpr == 0 && points[0].threshold == INFINITY);
    assert_true(points[kept - 1].fpr == 1 && points[kept - 1].tpr == 1);
    assert_true(points[kept - 1].threshold == (double)(float)points[kept - 1].threshold);
    for (size_t i = 1; i < kept; i++) {
        assert_true(lies_on_curve(&points[i], keys, count));
        assert_true(points[i].threshold < points[i - 1].threshold);
        assert_true(points[i].fpr >= points[i - 1].fpr && points[i].tpr >= points[i - 1].tpr);
    }
}

static size_t count_scores(const uint32_t *keys, size_t count)
{
    size_t scores = 0;
    for (size_t i = 0; i < count; i++)
        scores += i == 0 || keys[i] >> 1 != keys[i - 1] >> 1;
    return scores;
}

static void test_points(void **state)
{
    (void)state;
    static uint32_t keys[MAX_ROWS];
    const struct {
        size_t count;
        unsigned levels;
        double share;
    } cases[] = {{50, 0, 0.5},       {50, 3, 0.5},       {1200, 400, 0.3},   {1000, 0, 0.3},
                 {1001, 0, 0.3},     {1002, 0, 0.3},     {MAX_ROWS, 0, 0.5}, {MAX_ROWS, 0, 0.01},
                 {MAX_ROWS, 0, 1.2}, {MAX_ROWS, 10, 0.5}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        (void)draw(keys, cases[c].count, cases[c].levels, cases[c].share, 1000 + c);
        sort(keys, cases[c].count);
        check_points(keys, cases[c].count, count_scores(keys, cases[c].count));
    }
}

/* What thinning leaves out lies less than 1/500 beyond what it keeps. */
static void test_thinning_leaves_no_gaps(void **state)
{
    (void)state;
    static uint32_t keys[MAX_ROWS];
    dt_roc_point points[DT_ROC_POINTS];
    const size_t positives = draw(keys, MAX_ROWS, 0, 0.4, 5);
    sort(keys, MAX_ROWS);
    const size_t kept = dt_curve_points(points, keys, MAX_ROWS);
    assert_in_range(kept, 900, DT_ROC_POINTS);
    double tp = 0, fp = 0;
    size_t at = 0, left_out = 0;
    for (size_t i = MAX_ROWS; i-- > 0;) {
        tp += keys[i] & 1;
        fp += (keys[i] & 1) == 0;
        if (i > 0 && keys[i] >> 1 == keys[i - 1] >> 1)
            continue;
        const double along = tp / (double)positives + fp / (double)(MAX_ROWS - positives);
        if (at + 1 < kept && points[at + 1].fpr + points[at + 1].tpr <= along + 1e-12)
            at++;
        left_out += points[at].fpr + points[at].tpr < along - 1e-12;
        assert_true(along - points[at].fpr - points[at].tpr < 1.0 / 500);
    }
    assert_int_equal(at, kept - 1);
    assert_true(left_out > 4000);
}

/* ---- precision and recall ---- */

/* What "positive from this score on" takes, counted row by row; weights are those of `weigh`. */
typedef struct taken {
    double positives, negatives, all_positives;
} taken;

static float weigh(size_t i)
{
    return (float)(i % 5) + 0.5f;
}

static taken take(const float *scores, const bool *positive, size_t count, double threshold,
                  bool weighted)
{
    taken out = {0};
    for (size_t i = 0; i < count; i++) {
        const double w = weighted ? (double)weigh(i) : 1.0;
        out.all_positives += positive[i] ? w : 0;
        if ((double)scores[i] >= threshold)
            *(positive[i] ? &out.positives : &out.negatives) += w;
    }
    return out;
}

/* Rows with scores and the keys that they make. */
typedef struct rows {
    size_t count;
    float scores[MAX_ROWS];
    bool positive[MAX_ROWS];
    uint32_t keys[MAX_ROWS];
    dt_weighted_key weighted[MAX_ROWS];
} rows;

static rows r;

static void draw_rows(size_t count, unsigned levels, double share, uint64_t stream)
{
    (void)draw(r.keys, count, levels, share, stream);
    r.count = count;
    for (size_t i = 0; i < count; i++) {
        r.scores[i] = (float)dt_curve_score(r.keys[i]);
        r.positive[i] = (r.keys[i] & 1) == 1;
        r.weighted[i] = dt_curve_weighted_key(r.scores[i], r.positive[i], weigh(i));
    }
    sort(r.keys, count);
    dt_curve_sort_weighted(r.weighted, count);
}

static dt_curve_walk start_of(bool weighted)
{
    if (weighted)
        return (dt_curve_walk){.weighted = r.weighted, .left = r.count};
    return (dt_curve_walk){.keys = r.keys, .left = r.count};
}

static void check_pr_points(bool weighted)
{
    const dt_curve_walk start = start_of(weighted);
    dt_curve_walk all = start;
    const size_t scores = dt_curve_count(&all);
    assert_int_equal(scores, count_scores(r.keys, r.count));
    dt_pr_point points[DT_ROC_POINTS + 1];
    points[DT_ROC_POINTS].recall = -7;
    const size_t kept = dt_curve_pr_points(points, &start);
    assert_true(points[DT_ROC_POINTS].recall == -7);
    if (scores < DT_ROC_POINTS)
        assert_int_equal(kept, scores + 1);
    assert_in_range(kept, 2, DT_ROC_POINTS);
    assert_true(points[0].recall == 0 && points[0].precision == 1);
    assert_true(points[0].threshold == INFINITY && points[kept - 1].recall == 1);
    assert_true(dt_curve_key((float)points[kept - 1].threshold, false) == (r.keys[0] & ~1u));
    for (size_t i = 1; i < kept; i++) {
        const taken t = take(r.scores, r.positive, r.count, points[i].threshold, weighted);
        assert_true(points[i].recall == t.positives / t.all_positives);
        assert_true(points[i].precision == t.positives / (t.positives + t.negatives));
        assert_true(points[i].threshold < points[i - 1].threshold);
    }
    /* What thinning leaves out lies less than 1/500 beyond what it keeps. */
    size_t at = 0;
    for (dt_curve_walk w = start; dt_curve_next(&w);) {
        at += at + 1 < kept && points[at + 1].threshold >= w.score;
        assert_true(w.positives / all.positives - points[at].recall < 1.0 / 500);
    }
    assert_int_equal(at, kept - 1);
}

/* The weights are multiples of 1/2, so that their sums are exact in any order. */
static void test_pr_points(void **state)
{
    (void)state;
    const struct {
        size_t count;
        unsigned levels;
        double share;
    } cases[] = {{50, 0, 0.5},   {50, 3, 0.5},       {1000, 0, 0.3},       {1001, 0, 0.3},
                 {1002, 0, 0.3}, {MAX_ROWS, 0, 0.5}, {MAX_ROWS, 10, 0.01}, {MAX_ROWS, 0, 1.2}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        draw_rows(cases[c].count, cases[c].levels, cases[c].share, 2000 + c);
        check_pr_points(false);
        check_pr_points(true);
    }
}

static void test_pr_points_one_sided(void **state)
{
    (void)state;
    dt_pr_point points[DT_ROC_POINTS];
    for (int positive = 0; positive < 2; positive++)
        for (size_t count = 0; count < 3; count++) {
            const uint32_t key = dt_curve_key(0.5f, positive == 1);
            const uint32_t keys[] = {key, key};
            const dt_curve_walk start = {.keys = keys, .left = count};
            assert_int_equal(dt_curve_pr_points(points, &start), 0);
        }
}

/* Does the first threshold fulfil the rule better than the second? By rows, all in exact numbers:
 * quotients are compared by products. */
static bool is_better(const dt_threshold_rule *rule, double a, double b, bool weighted)
{
    const taken x = take(r.scores, r.positive, r.count, a, weighted);
    const taken y = take(r.scores, r.positive, r.count, b, weighted);
    const double x_f1 = x.positives * (y.positives + y.negatives + y.all_positives);
    const double y_f1 = y.positives * (x.positives + x.negatives + x.all_positives);
    if (rule->kind == DT_THRESHOLD_F1)
        return x_f1 > y_f1 || (x_f1 == y_f1 && a < b);
    return rule->kind == DT_THRESHOLD_RECALL ? a > b : a < b;
}

static bool fulfils(const dt_threshold_rule *rule, double threshold, bool weighted)
{
    const taken t = take(r.scores, r.positive, r.count, threshold, weighted);
    if (rule->kind == DT_THRESHOLD_RECALL)
        return t.positives / t.all_positives >= rule->number;
    if (rule->kind == DT_THRESHOLD_PRECISION)
        return t.positives / (t.positives + t.negatives) >= rule->number;
    return true;
}

/* Tries the score of every row. */
static double choose_naively(const dt_threshold_rule *rule, bool weighted)
{
    double best = NAN;
    for (size_t i = 0; i < r.count; i++) {
        const double score = (double)r.scores[i];
        if (fulfils(rule, score, weighted) &&
            (isnan(best) || is_better(rule, score, best, weighted)))
            best = score;
    }
    return best;
}

static void test_thresholds_row_by_row(void **state)
{
    (void)state;
    const dt_threshold_rule rules[] = {
        {DT_THRESHOLD_F1, 0},          {DT_THRESHOLD_RECALL, 1e-9},
        {DT_THRESHOLD_RECALL, 0.5},    {DT_THRESHOLD_RECALL, 0.8},
        {DT_THRESHOLD_RECALL, 1},      {DT_THRESHOLD_PRECISION, 1e-9},
        {DT_THRESHOLD_PRECISION, 0.5}, {DT_THRESHOLD_PRECISION, 0.9},
        {DT_THRESHOLD_PRECISION, 1}};
    const size_t counts[] = {1, 2, 5, 20, 301};
    const unsigned levels[] = {0, 1, 4, 32};
    int chosen = 0, none = 0;
    for (size_t c = 0; c < 5; c++)
        for (size_t l = 0; l < 4; l++)
            for (uint64_t trial = 0; trial < 6; trial++) {
                draw_rows(counts[c], levels[l], 0.5, 3000 + 100 * c + 10 * l + trial);
                for (size_t i = 0; i < 2 * sizeof rules / sizeof *rules; i++) {
                    const dt_threshold_rule *rule = &rules[i / 2];
                    const dt_curve_walk start = start_of(i % 2 == 1);
                    const double got = dt_curve_threshold(&start, rule);
                    dt_curve_walk all = start;
                    (void)dt_curve_count(&all);
                    const double expected =
                        all.positives > 0 ? choose_naively(rule, i % 2 == 1) : NAN;
                    assert_true(got == expected || (isnan(got) && isnan(expected)));
                    chosen += !isnan(got);
                    none += isnan(got);
                }
            }
    assert_true(chosen > 1000 && none > 100);
}

static void test_known_thresholds(void **state)
{
    (void)state;
    /* From the largest score on: recall 1/4, 1/4, 2/4, 3/4, 3/4, 1; precision 1, 1/2, 2/3, 3/4,
     * 3/5, 4/6; F1 2/5, 2/6, 4/7, 6/8, 6/9, 8/10 */
    const float scores[] = {0.9f, 0.8f, 0.7f, 0.6f, 0.4f, 0.0f};
    const int labels[] = {1, 0, 1, 1, 0, 1};
    uint32_t keys[6];
    for (size_t i = 0; i < 6; i++)
        keys[i] = dt_curve_key(scores[i], labels[i] == 1);
    sort(keys, 6);
    const struct {
        dt_threshold_rule rule;
        float expected;
    } cases[] = {{{DT_THRESHOLD_F1, 0}, 0.0f},           {{DT_THRESHOLD_RECALL, 0.25}, 0.9f},
                 {{DT_THRESHOLD_RECALL, 0.75}, 0.6f},    {{DT_THRESHOLD_RECALL, 0.76}, 0.0f},
                 {{DT_THRESHOLD_PRECISION, 0.75}, 0.6f}, {{DT_THRESHOLD_PRECISION, 0.6}, 0.0f},
                 {{DT_THRESHOLD_PRECISION, 0.76}, 0.9f}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const dt_curve_walk start = {.keys = keys, .left = 6};
        assert_true(dt_curve_threshold(&start, &cases[i].rule) == (double)cases[i].expected);
    }
    /* 2/(1 + 2) and 4/(4 + 2): of equal F1 the smallest threshold. */
    const float equal[] = {0.9f, 0.5f, 0.4f, 0.3f};
    for (size_t i = 0; i < 4; i++)
        keys[i] = dt_curve_key(equal[i], i % 3 == 0);
    sort(keys, 4);
    const dt_curve_walk start = {.keys = keys, .left = 4};
    assert_true(dt_curve_threshold(&start, &cases[0].rule) == (double)0.3f);
}

static void test_rules_are_read(void **state)
{
    (void)state;
    const struct {
        const char *text;
        dt_threshold_rule rule;
    } good[] = {{"", {DT_THRESHOLD_NONE, 0}},
                {"f1", {DT_THRESHOLD_F1, 0}},
                {"0.3", {DT_THRESHOLD_NUMBER, 0.3}},
                {"1", {DT_THRESHOLD_NUMBER, 1}},
                {"recall=0.8", {DT_THRESHOLD_RECALL, 0.8}},
                {"recall=1", {DT_THRESHOLD_RECALL, 1}},
                {"precision=.9", {DT_THRESHOLD_PRECISION, 0.9}}};
    const char *const bad[] = {
        "0",        "-0.1",     "1.01",     "nan",         "inf",   "f2",
        "f1 ",      "0.3x",     "recall",   "recall=",     "=0.3",  "recall=0",
        "recall=2", "Recall=1", "recall=x", "precision=0", "f1=0.5"};
    dt_threshold_rule rule;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(dt_threshold_parse(&rule, good[i].text), DT_OK);
        assert_true(rule.kind == good[i].rule.kind && rule.number == good[i].rule.number);
        assert_true(dt_threshold_needs_rows(&rule) ==
                    (strchr(good[i].text, '=') != NULL || strcmp(good[i].text, "f1") == 0));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(dt_threshold_parse(&rule, bad[i]), DT_USAGE);
        assert_non_null(strstr(dt_status_text(), bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_sort_as_scores_do),
        cmocka_unit_test(test_sort),
        cmocka_unit_test(test_areas_pair_by_pair),
        cmocka_unit_test(test_known_areas),
        cmocka_unit_test(test_one_sided),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_thinning_leaves_no_gaps),
        cmocka_unit_test(test_pr_points),
        cmocka_unit_test(test_pr_points_one_sided),
        cmocka_unit_test(test_thresholds_row_by_row),
        cmocka_unit_test(test_known_thresholds),
        cmocka_unit_test(test_rules_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
