#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/base/subnormals.h"
#include "dtrain/nn/optimizer.h"

#include <math.h>
#include <string.h>

enum { P = 97, STEPS = 1000 };

static void draw(float *gradient, uint64_t step)
{
    dt_random random = dt_random_start(step, DT_RANDOM_EXAMPLE, 3);
    for (size_t i = 0; i < P; i++) {
        const double scale = pow(10, (double)(i % 9) - 6); /* from 1e-6 to 100 */
        gradient[i] = i % 10 == 0 ? 0.0f : (float)(scale * (0.3 + dt_random_normal(&random)));
    }
}

static void start(float *params)
{
    for (size_t i = 0; i < P; i++)
        params[i] = (float)i * 0.01f - 0.3f;
}

static void test_defaults(void **state)
{
    (void)state;
    dt_optimizer adam;
    assert_int_equal(dt_optimizer_init(&adam, &dt_adam, P, 0.25), DT_OK);
    const double expected[] = {0.25, 0.9, 0.999, 1e-7};
    const double got[] = {adam.learning_rate, adam.numbers[0], adam.numbers[1], adam.numbers[2]};
    assert_memory_equal(got, expected, sizeof got);
    assert_int_equal(adam.step, 0);
    const float zeros[P] = {0};
    assert_memory_equal(adam.states[0], zeros, sizeof zeros);
    assert_memory_equal(adam.states[1], zeros, sizeof zeros);
    dt_optimizer_clear(&adam);
    assert_null(adam.states[0]);
}

/* The first update moves each weight by lr g / (|g| + eps / sqrt(1 - beta_2)), whatever g. */
static void test_first_step(void **state)
{
    (void)state;
    dt_optimizer adam;
    float params[P], gradient[P];
    draw(gradient, 0);
    start(params);
    assert_int_equal(dt_optimizer_init(&adam, &dt_adam, P, 0.01), DT_OK);
    dt_optimizer_begin_step(&adam);
    dt_optimizer_update(&adam, params, gradient, 0, P, false);
    for (size_t i = 0; i < P; i++) {
        const double g = (double)gradient[i], before = (double)((float)i * 0.01f - 0.3f);
        const double moved = 0.01 * g / (fabs(g) + 1e-7 / sqrt(0.001));
        assert_true(fabs((double)params[i] - (before - moved)) <= 1e-7);
    }
    /* By hand: g = 1, so m = .1, v = .001, and the step is lr to six digits. */
    assert_int_equal(adam.step, 1);
    dt_optimizer_clear(&adam);
    float one = 1, weight = 2;
    assert_int_equal(dt_optimizer_init(&adam, &dt_adam, 1, 0.001), DT_OK);
    dt_optimizer_begin_step(&adam);
    dt_optimizer_update(&adam, &weight, &one, 0, 1, false);
    assert_true(fabs((double)adam.states[0][0] - 0.1) < 1e-8);
    assert_true(fabs((double)adam.states[1][0] - 0.001) < 1e-10);
    assert_true(fabs((double)weight - 1.999) < 2e-7);
    dt_optimizer_clear(&adam);
}

/* The formulas of Keras's adam.py, line by line: in float32 to the bit, in double nearly. */
static void test_against_the_formulas(void **state)
{
    (void)state;
    dt_optimizer adam;
    float params[P], gradient[P], w[P], m[P] = {0}, v[P] = {0};
    double W[P], M[P] = {0}, V[P] = {0};
    start(params);
    start(w);
    for (size_t i = 0; i < P; i++)
        W[i] = (double)w[i];
    assert_int_equal(dt_optimizer_init(&adam, &dt_adam, P, 0.001), DT_OK);
    for (int t = 1; t <= STEPS; t++) {
        draw(gradient, (uint64_t)t);
        dt_optimizer_begin_step(&adam);
        dt_optimizer_update(&adam, params, gradient, 0, P, false);
        const float power_1 = powf(0.9f, (float)t), power_2 = powf(0.999f, (float)t);
        const float alpha = 0.001f * sqrtf(1 - power_2) / (1 - power_1);
        const double Alpha = 0.001 * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t));
        for (size_t i = 0; i < P; i++) {
            const double g = (double)gradient[i];
            m[i] += (gradient[i] - m[i]) * (float)(1 - 0.9);
            v[i] += (gradient[i] * gradient[i] - v[i]) * (float)(1 - 0.999);
            w[i] -= m[i] * alpha / (sqrtf(v[i]) + 1e-7f);
            M[i] += (g - M[i]) * (1 - 0.9);
            V[i] += (g * g - V[i]) * (1 - 0.999);
            W[i] -= M[i] * Alpha / (sqrt(V[i]) + 1e-7);
        }
        assert_memory_equal(params, w, sizeof w);
        assert_memory_equal(adam.states[0], m, sizeof m);
        assert_memory_equal(adam.states[1], v, sizeof v);
    }
    assert_int_equal(adam.step, STEPS);
    double furthest = 0;
    for (size_t i = 0; i < P; i++) {
        assert_true(fabs((double)params[i] - W[i]) <= 2e-4); /* of a way of up to 1 */
        furthest = fmax(furthest, fabs(W[i] - (double)((float)i * 0.01f - 0.3f)));
    }
    assert_true(furthest > 0.1);
    dt_optimizer_clear(&adam);
}

/* A weight whose gradient is always 0 stays as it is, to the bit. */
static void test_no_gradient_no_step(void **state)
{
    (void)state;
    dt_optimizer adam;
    float params[P], before[P];
    const float zeros[P] = {0};
    start(params);
    start(before);
    assert_int_equal(dt_optimizer_init(&adam, &dt_adam, P, 1.0), DT_OK);
    for (int t = 0; t < 3; t++) {
        dt_optimizer_begin_step(&adam);
        dt_optimizer_update(&adam, params, zeros, 0, P, false);
    }
    assert_memory_equal(params, before, sizeof params);
    dt_optimizer_clear(&adam);
}

/* ---- what holds for each optimizer that is listed ---- */

/* A row of optimizer numbers, and where Keras 3.15.1 came to from {0.5, -0.25, 2} with a learning
 * rate of 0.01 in eight steps of `golden_gradients`, float32 with JAX. */
typedef struct golden {
    const dt_optimizer_kind *kind;
    double weight_decay;
    const char *name; /* of a number that is not its default; NULL: none */
    double number;
    const char *flag; /* that is set; NULL: none */
    float weights[3];
} golden;

static const golden goldens[] = {
    {&dt_adam, 0.0, NULL, 0.0, NULL, {0.470944405f, -0.243503541f, 1.992571f}},
    {&dt_adamw, 0.004, NULL, 0.0, NULL, {0.470791668f, -0.243426934f, 1.99193299f}},
    {&dt_nadam, 0.0, NULL, 0.0, NULL, {0.483103752f, -0.252818793f, 1.99566853f}},
    {&dt_rmsprop, 0.0, "rho", 0.8, NULL, {0.465176612f, -0.259055585f, 1.99369967f}},
    {&dt_adagrad, 0.0, NULL, 0.0, NULL, {0.486974478f, -0.251300514f, 1.9994961f}},
    {&dt_sgd, 0.0, NULL, 0.0, NULL, {0.508125067f, -0.270312488f, 2.00123024f}},
    {&dt_sgd, 0.0, "momentum", 0.9, NULL, {0.494284898f, -0.280773312f, 1.99123931f}},
    {&dt_sgd, 0.0, "momentum", 0.9, "nesterov", {0.502981365f, -0.298008472f, 1.99334598f}},
};

static const float golden_gradients[8][3] = {
    {0.5f, -2.0f, 0.25f},   {1.0f, 0.125f, -0.75f},      {-0.0625f, 3.0f, 0.0f},
    {0.375f, -1.0f, 1.5f},  {-4.0f, 0.5f, 0.001953125f}, {2.0f, 0.03125f, -0.3125f},
    {0.25f, 0.75f, -1.25f}, {-0.875f, 0.625f, 0.4375f},
};

static void check_golden(const golden *row)
{
    dt_optimizer o;
    float w[3] = {0.5f, -0.25f, 2.0f};
    assert_int_equal(dt_optimizer_init(&o, row->kind, 3, 0.01), DT_OK);
    assert_true(row->weight_decay == row->kind->weight_decay);
    o.weight_decay = row->weight_decay;
    if (row->name != NULL)
        *dt_optimizer_number_at(&o, row->name) = row->number;
    if (row->flag != NULL)
        *dt_optimizer_number_at(&o, row->flag) = 1.0;
    for (size_t t = 0; t < 8; t++) {
        dt_optimizer_begin_step(&o);
        dt_optimizer_update(&o, w, golden_gradients[t], 0, 3, true);
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs((double)w[i] - (double)row->weights[i]) < 4e-7);
    if (row->kind == &dt_nadam) /* Keras's _u_product */
        assert_true(fabs(row->kind->scalar(&o) - 0.00557107991) < 1e-9);
    dt_optimizer_clear(&o);
}

/* Each listed optimizer has a row, so that none is without a comparison with Keras. */
static void test_golden(void **state)
{
    (void)state;
    bool compared[DT_OPTIMIZER_COUNT] = {false};
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        check_golden(&goldens[i]);
        for (size_t k = 0; k < DT_OPTIMIZER_COUNT; k++)
            compared[k] = compared[k] || dt_optimizer_kinds[k] == goldens[i].kind;
    }
    for (size_t k = 0; k < DT_OPTIMIZER_COUNT; k++)
        assert_true(compared[k]);
}

/* Nadam's product, computed from the step alone, is the running product. */
static void test_product(void **state)
{
    (void)state;
    dt_optimizer o;
    double running = 1.0;
    assert_int_equal(dt_optimizer_init(&o, &dt_nadam, 0, 0.01), DT_OK);
    for (int rising = 0; rising < 2; rising++) {
        running = 1.0;
        o.numbers[0] = rising != 0 ? 0.9999 : 0.9;
        for (o.step = 0; o.step < 3000; o.step++) {
            const double found = dt_nadam.scalar(&o);
            assert_true(fabs(found - running) < 1e-9);
            assert_true(found > 0.0 || running < 1e-9);
            running *= o.numbers[0] * (1.0 - 0.5 * pow(0.96, (double)o.step + 1.0));
        }
    }
}

/* Numbers at which each of them does something. */
static void make(dt_optimizer *out, const dt_optimizer_kind *kind)
{
    assert_int_equal(dt_optimizer_init(out, kind, P, 0.01), DT_OK);
    double *momentum = dt_optimizer_number_at(out, "momentum");
    if (momentum != NULL)
        *momentum = 0.9;
    for (size_t i = 0; i < kind->number_count; i++)
        if (kind->numbers[i].is_flag)
            out->numbers[i] = 1.0;
}

static void expect_same_states(const dt_optimizer *a, const dt_optimizer *b)
{
    for (size_t s = 0; s < a->kind->state_count; s++)
        assert_memory_equal(a->states[s], b->states[s], P * sizeof(float));
}

static void test_names(void **state)
{
    (void)state;
    char names[256] = "";
    for (size_t k = 0; k < DT_OPTIMIZER_COUNT; k++) {
        const dt_optimizer_kind *kind = dt_optimizer_kinds[k];
        assert_ptr_equal(dt_optimizer_find(kind->name), kind);
        strcat(names, k > 0 ? "|" : "");
        strcat(names, kind->name);
    }
    assert_string_equal(names, DT_OPTIMIZER_NAMES);
    assert_null(dt_optimizer_find("lion"));
}

/* Updated in blocks, in any order, it comes to the same bits. */
static void check_blocks(const dt_optimizer_kind *kind)
{
    static const size_t ends[] = {0, 1, 2, 17, 50, 50, 82, P};
    dt_optimizer whole, parts;
    float a[P], b[P], gradient[P];
    start(a);
    start(b);
    make(&whole, kind);
    make(&parts, kind);
    for (uint64_t t = 0; t < 50; t++) {
        draw(gradient, t);
        dt_optimizer_begin_step(&whole);
        dt_optimizer_update(&whole, a, gradient, 0, P, false);
        dt_optimizer_begin_step(&parts);
        for (size_t k = sizeof ends / sizeof *ends - 1; k > 0; k--)
            dt_optimizer_update(&parts, b, gradient + ends[k - 1], ends[k - 1],
                                ends[k] - ends[k - 1], false);
        assert_memory_equal(a, b, sizeof a);
        expect_same_states(&whole, &parts);
    }
    dt_optimizer_clear(&whole);
    dt_optimizer_clear(&parts);
}

/* Decay takes lr * weight_decay of each weight, before the step and past the states; without it,
 * and for what does not decay, the bits are those of no decay. */
static void check_weight_decay(const dt_optimizer_kind *kind)
{
    dt_optimizer plain, decays, spared;
    float a[P], b[P], c[P], gradient[P];
    start(a);
    start(b);
    start(c);
    make(&plain, kind);
    make(&decays, kind);
    make(&spared, kind);
    decays.weight_decay = spared.weight_decay = 0.5;
    for (uint64_t t = 0; t < 50; t++) {
        draw(gradient, t);
        float before[P], next[P];
        memcpy(before, b, sizeof b);
        dt_optimizer_begin_step(&plain);
        dt_optimizer_begin_step(&decays);
        dt_optimizer_begin_step(&spared);
        memcpy(next, a, sizeof a);
        dt_optimizer_update(&plain, a, gradient, 0, P, true); /* its decay is 0 */
        dt_optimizer_update(&decays, b, gradient, 0, P, true);
        dt_optimizer_update(&spared, c, gradient, 0, P, false);
        assert_memory_equal(a, c, sizeof a);
        expect_same_states(&plain, &decays);
        for (size_t i = 0; i < P; i++) {
            const double step = (double)a[i] - (double)next[i], w = (double)before[i];
            const double scale = fmax(1.0, fabs(w) + fabs(step));
            assert_true(fabs((double)b[i] - (w - w * 0.005 + step)) <= 3e-7 * scale);
        }
    }
    dt_optimizer_clear(&plain);
    dt_optimizer_clear(&decays);
    dt_optimizer_clear(&spared);
}

/* Each step begins with the numbers and states alone, so that a copy of them resumes it. */
static void check_resumes(const dt_optimizer_kind *kind)
{
    dt_optimizer whole, first, second;
    float a[P], b[P], gradient[P];
    start(a);
    start(b);
    make(&whole, kind);
    make(&first, kind);
    make(&second, kind);
    for (uint64_t t = 0; t < 20; t++) {
        dt_optimizer *part = t < 7 ? &first : &second;
        draw(gradient, t);
        dt_optimizer_begin_step(&whole);
        dt_optimizer_update(&whole, a, gradient, 0, P, true);
        dt_optimizer_begin_step(part);
        dt_optimizer_update(part, b, gradient, 0, P, true);
        if (t == 6) {
            second.step = first.step;
            for (size_t s = 0; s < kind->state_count; s++)
                memcpy(second.states[s], first.states[s], P * sizeof(float));
        }
    }
    assert_memory_equal(a, b, sizeof a);
    expect_same_states(&whole, &second);
    dt_optimizer_clear(&whole);
    dt_optimizer_clear(&first);
    dt_optimizer_clear(&second);
}

static void test_each(void **state)
{
    (void)state;
    for (size_t k = 0; k < DT_OPTIMIZER_COUNT; k++) {
        check_blocks(dt_optimizer_kinds[k]);
        check_weight_decay(dt_optimizer_kinds[k]);
        check_resumes(dt_optimizer_kinds[k]);
    }
}

/* The formulas of Keras's sgd.py: in float32 to the bit. */
static void test_sgd(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        dt_optimizer sgd;
        float params[P], gradient[P], w[P], velocity[P] = {0};
        const float momentum = with != 0 ? 0.9f : 0.0f;
        start(params);
        start(w);
        assert_int_equal(dt_optimizer_init(&sgd, &dt_sgd, P, 0.01), DT_OK);
        sgd.numbers[0] = with != 0 ? 0.9 : 0.0;
        for (uint64_t t = 0; t < 100; t++) {
            draw(gradient, t);
            dt_optimizer_begin_step(&sgd);
            dt_optimizer_update(&sgd, params, gradient, 0, P, false);
            for (size_t i = 0; i < P; i++) {
                velocity[i] = velocity[i] * momentum - gradient[i] * 0.01f;
                w[i] += velocity[i];
            }
            assert_memory_equal(params, w, sizeof w);
        }
        dt_optimizer_clear(&sgd);
    }
}

/* 5000 steps of units that die: some gradients, ever smaller ones, then none. */
static void die(dt_optimizer *dying, const dt_optimizer_kind *kind, float *params)
{
    start(params);
    make(dying, kind);
    for (int t = 0; t < 5000; t++) {
        float gradient[P];
        for (size_t i = 0; i < P; i++)
            gradient[i] = t < 100 ? ldexpf(i % 2 == 0 ? 1.0f : -1.5f, -t) : 0.0f;
        dt_optimizer_begin_step(dying);
        dt_optimizer_update(dying, params, gradient, 0, P, false);
        for (size_t s = 0; s < kind->state_count; s++)
            for (size_t i = 0; i < P; i++)
                assert_int_not_equal(fpclassify(dying->states[s][i]), FP_SUBNORMAL);
    }
}

/* Nothing subnormal is ever left behind, and the bits do not depend on how the CPU takes it. */
static void test_states_become_zero(void **state)
{
    (void)state;
    for (size_t k = 0; k < DT_OPTIMIZER_COUNT; k++) {
        dt_optimizer kept, flushed;
        float a[P], b[P];
        die(&kept, dt_optimizer_kinds[k], a);
        const uint64_t before = dt_subnormals_off();
        die(&flushed, dt_optimizer_kinds[k], b);
        dt_subnormals_restore(before);
        for (size_t i = 0; i < P; i++) /* a sum of squares stays */
            assert_true(kept.states[0][i] == 0.0f || kept.kind == &dt_adagrad);
        assert_memory_equal(a, b, sizeof a);
        expect_same_states(&kept, &flushed);
        dt_optimizer_clear(&kept);
        dt_optimizer_clear(&flushed);
    }
}

static void test_too_many(void **state)
{
    (void)state;
    dt_optimizer adam;
    assert_int_equal(dt_optimizer_init(&adam, &dt_adam, SIZE_MAX / 16, 0.1), DT_MEMORY);
    assert_null(adam.states[0]);
    assert_null(adam.states[1]);
    dt_optimizer_clear(&adam);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_first_step),
        cmocka_unit_test(test_against_the_formulas),
        cmocka_unit_test(test_no_gradient_no_step),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_product),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_states_become_zero),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
