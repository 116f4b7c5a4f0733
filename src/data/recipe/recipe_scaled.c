/* From the numbers of a table to inputs. */
#include "dtrain/data/recipe.h"

#include "cells.h"

#include <math.h>
#include <stddef.h>

/* The first knot that is above x, or not below it. */
static size_t first_knot(const dt_recipe_column *column, double x, bool above)
{
    size_t low = 0, high = column->knot_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const double knot = column->knots[middle];
        if (knot < x || (above && !(knot > x)))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * The place of x among the knots q_0 .. q_n-1, as a share: np.interp(x, q, k / (n - 1)). Knots may
 * be equal, and then both ends of their stretch are right: the mean of the two is taken.
 * Source: scikit-learn's QuantileTransformer, output_distribution="uniform"
 */
static double quantile_of(const dt_recipe_column *column, double x)
{
    const double *q = column->knots;
    const size_t n = column->knot_count;
    if (!(x > q[0]))
        return 0.0;
    if (!(x < q[n - 1]))
        return 1.0;
    const size_t above = first_knot(column, x, true); /* q[above - 1] <= x < q[above] */
    const size_t from = first_knot(column, x, false); /* q[from - 1] < x <= q[from] */
    const double low = (double)(above - 1);
    if (from == above) /* x is not a knot */
        return (low + (x - q[above - 1]) / (q[above] - q[above - 1])) / (double)(n - 1);
    return 0.5 * (low + (double)from) / (double)(n - 1);
}

double dt_recipe_scaled(const dt_recipe_column *column, double number)
{
    double f = number;
    if (column->scale == DT_SCALE_LOG)
        f = dt_signed_log(number);
    else if (column->scale == DT_SCALE_QUANTILE)
        f = quantile_of(column, number);
    const double z = (f - column->center) / column->spread;
    return column->scale == DT_SCALE_CLIPPED ? dt_smooth_clip(z) : z;
}
