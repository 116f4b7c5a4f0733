/* The quality of a classifier with very few rows, one class, ties, or wrong input. */
#include "evaluation_fixture.h"
#include "same_evaluation.h"

#include <math.h>

static rows r; /* large: not on the stack */

static void test_no_rows_at_all(void **state)
{
    (void)state;
    const uint64_t class_rows[] = {1, 3};
    r.N = 0;
    r.C = 2;
    for (int trained = 0; trained < 2; trained++) {
        dt_evaluation e;
        evaluate_in_all_ways(&e, &r, trained == 1 ? class_rows : NULL);
        enum { NUMBERS = sizeof(dt_quality) / sizeof(double) };
        double numbers[2][NUMBERS];
        memcpy(numbers[0], &e.model, sizeof numbers[0]);
        memcpy(numbers[1], &e.majority, sizeof numbers[1]);
        for (int i = 0; i < NUMBERS; i++)
            assert_all(isnan(numbers[0][i]) && isnan(numbers[1][i]));
        assert_all_int(e.N, 0);
        assert_all_int(e.majority_class, trained);
        assert_all_int(e.roc_count, 0);
        assert_all_int(e.classes[0].rows, 0);
        assert_all(e.classes[0].precision == 0 && isnan(e.classes[0].roc_auc));
        dt_evaluation_clear(&e);
    }
}

static void test_one_class_is_absent(void **state)
{
    (void)state;
    for (size_t C = 2; C <= 3; C++) {
        dt_evaluation e;
        draw_rows(&r, 90, C, 8, 5);
        for (size_t n = 0; n < r.N; n++)
            r.y[n] = r.y[n] == 1 ? 0 : r.y[n];
        evaluate_in_all_ways(&e, &r, NULL);
        assert_all(isnan(e.classes[1].roc_auc) && isnan(e.classes[1].pr_auc));
        assert_all(e.classes[1].predicted > 0 && e.classes[1].rows == 0);
        assert_all(e.classes[1].precision == 0 && e.classes[1].recall == 0 && e.classes[1].f1 == 0);
        assert_all_int(e.roc_count, 0);
        /* Predicted, so it counts: sklearn's macro means have it too. */
        double f1 = 0;
        for (size_t c = 0; c < C; c++)
            f1 += e.classes[c].f1 / (double)C;
        assert_all_close(e.model.f1, f1, 1e-15);
        if (C == 2) {
            assert_all(isnan(e.classes[0].roc_auc) && isnan(e.model.roc_auc));
            assert_all(isnan(e.majority.roc_auc) && isnan(e.model.pr_auc));
        } else {
            const double mean = (e.classes[0].roc_auc + e.classes[2].roc_auc) / 2;
            assert_all_close(e.model.roc_auc, mean, 1e-15);
            assert_all(e.majority.roc_auc == 0.5);
            assert_all_close(e.majority.pr_auc, 0.5, 1e-15);
        }
        dt_evaluation_clear(&e);
    }
}

static void test_a_class_that_never_occurs_is_in_no_mean(void **state)
{
    (void)state;
    r.N = 4;
    r.C = 3;
    const float p[] = {0.75f, 0.25f, 0, 0.25f, 0.75f, 0, 0.75f, 0.25f, 0, 0.25f, 0.75f, 0};
    const int32_t y[] = {0, 1, 0, 0};
    memcpy(r.p, p, sizeof p);
    memcpy(r.y, y, sizeof y);
    dt_evaluation e;
    evaluate_in_all_ways(&e, &r, NULL);
    assert_all_close(e.model.recall, (2.0 / 3 + 1) / 2, 1e-15);
    assert_all_close(e.model.precision, (1 + 0.5) / 2, 1e-15);
    assert_all_close(e.majority.recall, 0.5, 1e-15);
    assert_all(isnan(e.classes[2].roc_auc));
    dt_evaluation_clear(&e);
}

static void test_all_ties(void **state)
{
    (void)state;
    draw_rows(&r, 200, 2, 8, 9);
    int64_t ones = 0;
    for (size_t n = 0; n < r.N; n++) {
        r.p[2 * n] = r.p[2 * n + 1] = 0.5f;
        ones += r.y[n];
    }
    dt_evaluation e;
    evaluate_in_all_ways(&e, &r, NULL);
    assert_all(e.model.roc_auc == 0.5);
    assert_all_close(e.model.pr_auc, (double)ones / 200, 1e-15);
    assert_all_int(e.roc_count, 2);
    assert_all(e.roc[1].fpr == 1 && e.roc[1].tpr == 1 && e.roc[1].threshold == 0.5);
    assert_all_int(e.classes[0].predicted, 200); /* the first of equals */
    assert_all_int(e.bins[4].rows, 200); /* (0.4, 0.5] */
    dt_evaluation_clear(&e);
}

/* What one rank alone has seen, all of them say. */
static void test_bad_rows(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    const struct {
        float p;
        int32_t y;
        dt_status status;
    } cases[] = {{NAN, 0, DT_DIVERGED},        {INFINITY, 0, DT_DIVERGED}, {-1e-9f, 0, DT_DIVERGED},
                 {1.0000001f, 0, DT_DIVERGED}, {0.5f, -1, DT_DATA},        {0.5f, 3, DT_DATA},
                 {NAN, 3, DT_DIVERGED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t at = 0; at < 3; at++) {
            dt_evaluation e;
            draw_rows(&r, 57, 3, 0, 3);
            r.p[19 * 3 + at] = cases[i].p;
            r.y[19] = cases[i].y;
            assert_all_int(evaluate_dealt(&e, &all, &r, DEAL_HASH, NULL, true), cases[i].status);
            assert_all(strstr(dt_status_text(), " 1 rows") != NULL);
            assert_all(e.classes == NULL && e.confusion == NULL && e.roc == NULL);
        }
}

/* Negative zero is zero, and 0 and 1 are probabilities. */
static void test_zeros_and_ones(void **state)
{
    (void)state;
    const float p[] = {0.0f, 1, -0.0f, 1, 1, 0.0f, 1, -0.0f};
    const int32_t y[] = {1, 1, 0, 0};
    r.N = 4;
    r.C = 2;
    memcpy(r.p, p, sizeof p);
    memcpy(r.y, y, sizeof y);
    dt_evaluation e;
    evaluate_in_all_ways(&e, &r, NULL);
    assert_all(e.model.roc_auc == 1 && e.model.pr_auc == 1 && e.model.brier == 0);
    assert_all_close(e.model.loss, -log(1 - 1e-7), 1e-20);
    assert_all_close(e.model.log_loss, -log((1 - 0x1p-52) / 1), 1e-17);
    assert_all_int(e.roc_count, 3);
    assert_all_int(e.bins[9].rows, 4);
    dt_evaluation_clear(&e);
}

/* Without curves all else is the same. */
static void test_without_curves(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    dt_evaluation with, without;
    draw_rows(&r, 333, 2, 16, 6);
    assert_all_int(evaluate_dealt(&with, &all, &r, DEAL_ROUND, NULL, true), DT_OK);
    assert_all_int(evaluate_dealt(&without, &all, &r, DEAL_ROUND, NULL, false), DT_OK);
    assert_all(isnan(without.model.roc_auc) && isnan(without.model.pr_auc));
    assert_all(isnan(without.majority.roc_auc) && isnan(without.classes[1].pr_auc));
    assert_all(without.roc_count == 0 && with.roc_count > 0);
    assert_all(memcmp(&with.model, &without.model, offsetof(dt_quality, roc_auc)) == 0);
    assert_all(memcmp(&with.majority, &without.majority, offsetof(dt_quality, roc_auc)) == 0);
    assert_all(memcmp(with.confusion, without.confusion, 4 * sizeof *with.confusion) == 0);
    dt_evaluation_clear(&with);
    dt_evaluation_clear(&without);
}

static void test_many_classes(void **state)
{
    (void)state;
    enum { C = DT_CONFUSION_MAX + 1 };
    const dt_comm all = ranks_all();
    static float p[C];
    dt_scores scores;
    dt_evaluation e;
    const dt_network network = network_of_classes(C);
    assert_all_int(dt_scores_init(&scores, &network, 0, true, false), DT_OK);
    for (int32_t n = 0; n < 60; n++) {
        memset(p, 0, sizeof p);
        p[n % 7 * 100] = 0.75f;
        p[C - 1] = 0.25f;
        const dt_target y = {.label = n % 2 == 0 ? n % 7 * 100 : C - 1};
        if (n % test_size == test_rank)
            dt_scores_add(&scores, p, &y, NULL, NULL, 1);
    }
    assert_all_int(dt_evaluation_compute(&e, &all, &scores, NULL), DT_OK);
    assert_all(e.confusion == NULL && isnan(e.model.roc_auc) && e.roc_count == 0);
    assert_all(e.model.accuracy == 0.5);
    assert_all_int(e.classes[C - 1].rows, 30);
    assert_all_int(e.majority_class, C - 1);
    assert_all_close(e.model.brier, 0.5 * (0.0625 + 0.0625) + 0.5 * (0.5625 + 0.5625), 1e-14);
    dt_evaluation_clear(&e);
    dt_scores_clear(&scores);
}

/* Predictions that the caller gives are taken, where the largest probability is there twice. */
static void test_given_predictions(void **state)
{
    (void)state;
    const dt_comm all = ranks_all();
    const float p[] = {0.5f, 0.5f};
    const int32_t predicted = 1;
    const dt_target y = {.label = 1};
    const dt_network network = network_of_classes(2);
    dt_scores scores;
    dt_evaluation e;
    assert_all_int(dt_scores_init(&scores, &network, 1, true, false), DT_OK);
    dt_scores_add(&scores, p, &y, NULL, &predicted, 1);
    assert_all_int(dt_evaluation_compute(&e, &all, &scores, NULL), DT_OK);
    assert_all(e.model.accuracy == 1);
    assert_all_int(e.classes[1].predicted, test_size);
    dt_evaluation_clear(&e);
    dt_scores_clear(&scores);
}

/* A class that training never saw, and as many rows of one class as of another. */
static void test_what_the_baseline_learned_from(void **state)
{
    (void)state;
    const uint64_t unseen[] = {0, 7}, equal[] = {4, 4}, none[] = {0, 0};
    const float p[] = {0.25f, 0.75f, 0.25f, 0.75f, 0.25f, 0.75f, 0.25f, 0.75f};
    const int32_t y[] = {0, 1, 0, 0};
    r.N = 4;
    r.C = 2;
    memcpy(r.p, p, sizeof p);
    memcpy(r.y, y, sizeof y);
    dt_evaluation e;
    evaluate_in_all_ways(&e, &r, unseen);
    assert_all_int(e.majority_class, 1);
    assert_all(e.majority.accuracy == 0.25 && e.majority.calibration_error == 0.75);
    assert_all_close(e.majority.loss, -0.75 * log(1e-7) - 0.25 * log(1 - 1e-7), 1e-14);
    assert_all_close(e.majority.log_loss, -0.75 * log(0x1p-52), 1e-13);
    assert_all_close(e.majority.brier, 0.75, 1e-15);
    dt_evaluation_clear(&e);
    evaluate_in_all_ways(&e, &r, equal);
    assert_all_int(e.majority_class, 0); /* the first of equals */
    assert_all_close(e.majority.log_loss, log(2), 1e-15);
    dt_evaluation_clear(&e);
    evaluate_in_all_ways(&e, &r, none); /* as if there were none */
    assert_all_int(e.majority_class, 0);
    assert_all_close(e.majority.brier, 0.75 * 0.25 * 0.25 + 0.25 * 0.75 * 0.75, 1e-15);
    dt_evaluation_clear(&e);
}

/* Room made on the way, by ones and by many, keeps what is there. */
static void test_scores_grow(void **state)
{
    (void)state;
    const dt_comm alone = ranks_alone();
    dt_scores scores;
    dt_evaluation whole, grown;
    const dt_network network = network_of_classes(3);
    dt_target y[7];
    draw_rows(&r, 300, 3, 16, 12);
    assert_all_int(evaluate_dealt(&whole, &alone, &r, DEAL_ROUND, NULL, true), DT_OK);
    assert_all_int(dt_scores_init(&scores, &network, 0, true, false), DT_OK);
    for (size_t n = 0, some = 1; n < r.N; n += some, some = n % 7 + 1) {
        some = some < r.N - n ? some : r.N - n;
        assert_all_int(dt_scores_reserve(&scores, some), DT_OK);
        for (size_t i = 0; i < some; i++)
            y[i].label = r.y[n + i];
        dt_scores_add(&scores, r.p + 3 * n, y, NULL, NULL, some);
    }
    assert_all_int(dt_evaluation_compute(&grown, &alone, &scores, NULL), DT_OK);
    assert_all(same_evaluation(&whole, &grown));
    dt_evaluation_clear(&whole);
    dt_evaluation_clear(&grown);
    dt_scores_clear(&scores);
}

static void test_no_memory(void **state)
{
    (void)state;
    dt_scores scores;
    const dt_network network = network_of_classes(1000);
    assert_all_int(dt_scores_init(&scores, &network, SIZE_MAX / 100, true, false), DT_MEMORY);
    assert_all(scores.p == NULL && scores.counts == NULL && scores.confusion == NULL);
    assert_all_int(dt_scores_init(&scores, &network, SIZE_MAX / 100, false, false), DT_OK);
    dt_scores_clear(&scores);
    dt_scores_clear(&scores); /* zeroed ones are allowed */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_no_rows_at_all),
    cmocka_unit_test(test_one_class_is_absent),
    cmocka_unit_test(test_a_class_that_never_occurs_is_in_no_mean),
    cmocka_unit_test(test_all_ties),
    cmocka_unit_test(test_bad_rows),
    cmocka_unit_test(test_zeros_and_ones),
    cmocka_unit_test(test_without_curves),
    cmocka_unit_test(test_many_classes),
    cmocka_unit_test(test_given_predictions),
    cmocka_unit_test(test_what_the_baseline_learned_from),
    cmocka_unit_test(test_scores_grow),
    cmocka_unit_test(test_no_memory),
};

MPI_SUITE(test_evaluation_edges, tests);
