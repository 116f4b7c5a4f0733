#ifndef DTRAIN_NN_PANELS_H
#define DTRAIN_NN_PANELS_H

#include <stddef.h>
#include <string.h>

/**
 * The layout of matrices that products read and write: panels of 32 columns, each [pitch][32],
 * row by row. Columns beyond the last are padding.
 *
 * A tile of some rows by 32 columns is contiguous, so no product has to pack its operands, an
 * activation goes over a tile while it is in the first-level cache, and no two rows of a tile are a
 * power of two apart, where they would share a few lines of that cache.
 *
 * Files, parameters and the command line keep row-major arrays.
 */
enum { DT_PANEL = 32 };

typedef struct dt_panels {
    float *data; /* 64-byte aligned */
    size_t pitch; /* allocated rows */
    size_t columns;
} dt_panels;

/** Returns the number of panels for this many columns. */
static inline size_t dt_panels_count(size_t columns)
{
    return (columns + DT_PANEL - 1) / DT_PANEL;
}

/** Returns panel p from row i on. */
static inline float *dt_panels_at(const dt_panels *m, size_t i, size_t p)
{
    return m->data + (p * m->pitch + i) * DT_PANEL;
}

/**
 * Returns how many of `count` columns are in the panel that starts with column `from`: 32, or the
 * rest. The remaining columns are padding with any values.
 */
static inline size_t dt_panels_width(size_t count, size_t from)
{
    return count - from < DT_PANEL ? count - from : DT_PANEL;
}

/** Returns one element. */
static inline float *dt_panels_element(const dt_panels *m, size_t i, size_t column)
{
    return dt_panels_at(m, i, column / DT_PANEL) + column % DT_PANEL;
}

/** Copies a row [columns] into row i. */
static inline void dt_panels_put_row(const dt_panels *m, size_t i, const float *row)
{
    const size_t whole = m->columns / DT_PANEL, left = m->columns % DT_PANEL;
    for (size_t p = 0; p < whole; p++)
        memcpy(dt_panels_at(m, i, p), row + p * DT_PANEL, DT_PANEL * sizeof *row);
    if (left > 0)
        memcpy(dt_panels_at(m, i, whole), row + whole * DT_PANEL, left * sizeof *row);
}

/** Copies row i into a row [columns]. */
static inline void dt_panels_get_row(float *row, const dt_panels *m, size_t i)
{
    const size_t whole = m->columns / DT_PANEL, left = m->columns % DT_PANEL;
    for (size_t p = 0; p < whole; p++)
        memcpy(row + p * DT_PANEL, dt_panels_at(m, i, p), DT_PANEL * sizeof *row);
    if (left > 0)
        memcpy(row + whole * DT_PANEL, dt_panels_at(m, i, whole), left * sizeof *row);
}

/** Copies `count` <= 32 numbers into row i from a column on. They may cross into the next panel. */
static inline void dt_panels_put_part(const dt_panels *m, size_t i, size_t column,
                                      const float *part, size_t count)
{
    const size_t left = DT_PANEL - column % DT_PANEL, here = left < count ? left : count;
    memcpy(dt_panels_element(m, i, column), part, here * sizeof *part);
    if (here < count)
        memcpy(dt_panels_element(m, i, column + here), part + here, (count - here) * sizeof *part);
}

/** Copies `count` <= 32 numbers of row i from a column on. They may cross into the next panel. */
static inline void dt_panels_get_part(float *part, const dt_panels *m, size_t i, size_t column,
                                      size_t count)
{
    const size_t left = DT_PANEL - column % DT_PANEL, here = left < count ? left : count;
    memcpy(part, dt_panels_element(m, i, column), here * sizeof *part);
    if (here < count)
        memcpy(part + here, dt_panels_element(m, i, column + here), (count - here) * sizeof *part);
}

#endif
