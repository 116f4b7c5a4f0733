#include "dtrain/data/example.h"

#include "dtrain/base/elementary.h"
#include "dtrain/base/random.h"
#include "dtrain/data/source.h"
#include "dtrain/io/npz.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NUMERIC = 7, CATEGORICAL = 9, BENDS = 4, SEED = 20140606 };

static const uint64_t set_rows[DT_SET_COUNT] = {40000, 5000, 5000};
static const unsigned values_of[CATEGORICAL] = {12, 3, 4, 2, 2, 2, 3, 12, 4};

/* The weights of the random model: a, then v_1 .. v_4. */
typedef struct model {
    double weights[1 + BENDS][DT_EXAMPLE_INPUTS];
} model;

static void draw_model(model *out)
{
    /* Each categorical column puts one of its inputs to 1, so its weights are drawn as large as a
     * numeric column's; all are scaled to make a.x and v.x about standard normal. */
    const double scale = 1.0 / sqrt(NUMERIC + CATEGORICAL);
    for (int k = 0; k < 1 + BENDS; k++) {
        dt_random random = dt_random_start(SEED, DT_RANDOM_EXAMPLE, UINT64_MAX - (uint64_t)k);
        for (int j = 0; j < DT_EXAMPLE_INPUTS; j++)
            out->weights[k][j] = dt_random_normal(&random) * scale;
    }
}

static double dot(const double *weights, const float *x)
{
    double sum = 0.0;
    for (int j = 0; j < DT_EXAMPLE_INPUTS; j++)
        sum += weights[j] * (double)x[j];
    return sum;
}

static double true_probability(const model *m, const float *x)
{
    double score = dot(m->weights[0], x);
    for (int k = 1; k <= BENDS; k++)
        score += (k % 2 == 1 ? 1.0 : -1.0) * fabs(dot(m->weights[k], x));
    return 1.0 / (1.0 + dt_elementary_exp(-3.0 * score));
}

typedef struct row {
    float x[DT_EXAMPLE_INPUTS];
    double probability;
    int64_t label;
} row;

/* A function of the row's number alone, so that each array can be written in a pass of its own. */
static void draw_row(row *out, const model *m, uint64_t number)
{
    dt_random random = dt_random_start(SEED, DT_RANDOM_EXAMPLE, number);
    memset(out->x, 0, sizeof out->x);
    for (int j = 0; j < NUMERIC; j++)
        out->x[j] = (float)dt_random_normal(&random);
    size_t column = NUMERIC;
    for (int j = 0; j < CATEGORICAL; j++) {
        out->x[column + dt_random_below(&random, values_of[j])] = 1.0f;
        column += values_of[j];
    }
    out->probability = true_probability(m, out->x);
    out->label = dt_random_uniform(&random) < out->probability;
}

typedef enum array { INPUTS, TARGETS, PROBABILITIES, ARRAY_COUNT } array;

static dt_status write_array(dt_npz_writer *writer, const model *m, array which, uint64_t first,
                             uint64_t rows, uint64_t *optimum_hits)
{
    static const char *const names[ARRAY_COUNT] = {"inputs", "targets", "probabilities"};
    static const char *const types[ARRAY_COUNT] = {"<f4", "<i8", "<f8"};
    const uint64_t shape[2] = {rows, DT_EXAMPLE_INPUTS};
    dt_status status =
        dt_npz_writer_begin(writer, names[which], types[which], which == INPUTS ? 2 : 1, shape);
    for (uint64_t n = first; n < first + rows && status == DT_OK; n++) {
        row drawn;
        draw_row(&drawn, m, n);
        if (which == INPUTS)
            status = dt_npz_writer_write(writer, drawn.x, sizeof drawn.x);
        else if (which == TARGETS)
            status = dt_npz_writer_write(writer, &drawn.label, sizeof drawn.label);
        else
            status = dt_npz_writer_write(writer, &drawn.probability, sizeof drawn.probability);
        if (which == TARGETS)
            *optimum_hits += (drawn.probability > 0.5) == drawn.label;
    }
    return status;
}

dt_status dt_example_write(dt_example *out, const char *prefix)
{
    dt_status status = DT_OK;
    dt_npz_writer *writer = NULL;
    model m;
    draw_model(&m);
    uint64_t first = 0;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        char path[4096];
        uint64_t hits = 0;
        if (snprintf(path, sizeof path, "%s-%s.npz", prefix, dt_set_name((dt_set)p)) >=
            (int)sizeof path)
            DT_TRY(dt_fail(DT_OUTPUT, "%s...: the path is too long", prefix));
        DT_TRY(dt_npz_writer_open(&writer, path, 0));
        for (int a = 0; a < ARRAY_COUNT; a++)
            DT_TRY(write_array(writer, &m, (array)a, first, set_rows[p], &hits));
        dt_npz_writer *whole = writer;
        writer = NULL;
        DT_TRY(dt_npz_writer_finish(whole));
        out->test_optimum = (double)hits / (double)set_rows[p]; /* the test set comes last */
        first += set_rows[p];
    }
out:
    dt_npz_writer_discard(writer);
    return status;
}
