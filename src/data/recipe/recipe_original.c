/* From inputs back to the values of the table. */
#include "dtrain/data/recipe.h"

#include "dtrain/base/elementary.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* The inverse of the share below x. */
static double knot_at(const dt_recipe_column *column, double share)
{
    const double last = (double)(column->knot_count - 1);
    const double place = share * last;
    if (!(place > 0.0))
        return column->knots[0];
    if (!(place < last))
        return column->knots[column->knot_count - 1];
    const size_t below = (size_t)place;
    return column->knots[below] +
           (place - (double)below) * (column->knots[below + 1] - column->knots[below]);
}

static double unscaled(const dt_recipe_column *column, double z)
{
    if (column->scale == DT_SCALE_CLIPPED) /* of z / sqrt(1 + (z / 3)^2) */
        z /= sqrt(fmax(1.0 - z * z / 9.0, 0x1p-24));
    const double f = column->center + z * column->spread;
    if (column->scale == DT_SCALE_QUANTILE)
        return knot_at(column, f);
    if (column->scale == DT_SCALE_LOG) /* of sign(x) log(1 + |x|) */
        return copysign(dt_elementary_exp(fabs(f)) - 1.0, f);
    return f;
}

static bool makes(const dt_recipe_column *column, double number, float input)
{
    return (float)(column != NULL ? dt_recipe_scaled(column, number) : number) == input;
}

double dt_recipe_original(char out[DT_RECIPE_NUMBER_BYTES], const dt_recipe_column *column,
                          float input)
{
    enum { DIGITS = 17, PLAIN_DIGITS = 15 }; /* this many digits give 10, not 1e+01 */
    const double near = column != NULL ? unscaled(column, (double)input) : (double)input;
    double number = 0.0; /* the shortest of all, though its digits are not those of 1e-9 */
    int digits = 0;
    while (!makes(column, number, input) && digits < DIGITS) {
        (void)snprintf(out, DT_RECIPE_NUMBER_BYTES, "%.*g", ++digits, near);
        number = strtod(out, NULL);
    }
    (void)snprintf(out, DT_RECIPE_NUMBER_BYTES, "%.*g",
                   digits < PLAIN_DIGITS ? PLAIN_DIGITS : digits, number);
    return number;
}
