/* Which elements of a product's inputs are not zero. */
#include "linalg_internal.h"

#include "dtrain/base/vectorize.h"
#include "dtrain/nn/panels.h"

DT_VECTORIZE static void mark_rows(uint32_t *restrict marks, const float *restrict x, size_t rows,
                                   uint32_t columns)
{
    for (size_t i = 0; i < rows; i++) {
        uint32_t word = 0;
        for (uint32_t j = 0; j < DT_PANEL; j++)
            word |= (uint32_t)(x[i * DT_PANEL + j] != 0.0f) << j;
        marks[i] = word & columns;
    }
}

void dt_mark(uint32_t *marks, const float *panel, size_t rows, size_t columns)
{
    mark_rows(marks, panel, rows, UINT32_MAX >> (DT_PANEL - columns));
}

/* Thirds of a row: about what a tile of the gradient takes. */
DT_VECTORIZE static size_t count_zero_thirds(const uint32_t *marks, size_t rows)
{
    size_t count = 0;
    for (size_t i = 0; i < rows; i++)
        count += (size_t)((marks[i] & 0x7ffu) == 0) + (size_t)((marks[i] & 0x3ff800u) == 0) +
                 (size_t)((marks[i] & 0xffc00000u) == 0);
    return count;
}

double dt_marks_zeros(const uint32_t *marks, size_t rows)
{
    return (double)count_zero_thirds(marks, rows) / (double)(3 * rows);
}
