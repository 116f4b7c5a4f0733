#include "cells.h"

#include "dtrain/base/elementary.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t length_bit(size_t bytes)
{
    return UINT64_C(1) << (bytes < 63 ? bytes : 63);
}

dt_missing dt_missing_of(const char *const *texts, size_t count)
{
    dt_missing missing = {.texts = texts, .count = count};
    for (size_t i = 0; i < count; i++)
        missing.lengths[(unsigned char)texts[i][0]] |= length_bit(strlen(texts[i]));
    return missing;
}

size_t dt_missing_find(const dt_missing *missing, const dt_csv_field *cell)
{
    for (size_t i = 0; i < missing->count; i++)
        if (strcmp(missing->texts[i], cell->text) == 0)
            return i;
    return SIZE_MAX;
}

bool dt_missing_is(const dt_missing *missing, const dt_csv_field *cell)
{
    if (cell->bytes == 0)
        return true;
    if ((missing->lengths[(unsigned char)cell->text[0]] & length_bit(cell->bytes)) == 0)
        return false;
    return dt_missing_find(missing, cell) != SIZE_MAX;
}

double dt_signed_log(double x)
{
    return copysign(dt_elementary_log1p(fabs(x)), x);
}

/* Beyond 2^30 the 1 is lost in rounding, and for large numbers the square would overflow. */
double dt_smooth_clip(double z)
{
    const double limit = 3.0, large = 0x1p30;
    const double share = z / limit;
    return fabs(share) > large ? copysign(limit, z) : z / sqrt(1.0 + share * share);
}

dt_status dt_cell_fail(const char *path, const dt_csv_row *row, const char *column,
                       const dt_csv_field *cell, const char *what)
{
    char shown[DT_TEXT_SHOWN_BYTES + 4];
    return dt_fail(DT_DATA, "%s: row %llu (line %llu): column '%s': '%s' %s", path,
                   (unsigned long long)row->row, (unsigned long long)row->line, column,
                   dt_text_show(shown, cell->text, cell->bytes), what);
}
