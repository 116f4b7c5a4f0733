#include "numerals.h"

#include "cells.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool differ(double a, double b)
{
    return a < b || a > b;
}

/* The readings of a cell with the column's decimal sign, and with the other one. */
typedef struct readings {
    dt_number_reading mine, other;
    bool differ; /* both fit, and are two numbers */
    char unit[DT_NUMBER_UNIT_BYTES];
} readings;

static bool look_at(readings *out, const dt_numerals *n, const dt_csv_field *cell)
{
    dt_number_look look;
    if (!dt_number_look_at(&look, cell->text, cell->bytes))
        return false;
    const bool point = n->format.decimal == '.';
    out->mine = point ? look.point : look.comma;
    out->other = point ? look.comma : look.point;
    out->differ = out->mine.fits && out->other.fits && differ(out->mine.value, out->other.value);
    memcpy(out->unit, look.unit, sizeof out->unit);
    return true;
}

/* The distance of a number from the range of the training rows' numbers, with its margin. */
static double distance_from_range(const dt_recipe_column *c, double number)
{
    return fmax(0.0, fmax(c->minimum - c->margin - number, number - c->maximum - c->margin));
}

/* The distance of a number from the middle of the training rows' numbers, or from their range if
 * they are not scaled: a skewed column has few numbers in the middle of its range. 0: unknown. */
static double distance(const dt_recipe_column *column, double number)
{
    const double middle =
        column->scale == DT_SCALE_MINMAX || column->scale == DT_SCALE_QUANTILE ? 0.5 : 0.0;
    if (!dt_recipe_is_number(column->role) || column->scale == DT_SCALE_NONE)
        return column->has_range ? distance_from_range(column, number) : 0.0;
    return fabs(dt_recipe_scaled(column, number) - middle);
}

/* Whether the training rows have such groups and numbers of this size. */
static bool is_usual(const dt_numerals *n, const dt_number_reading *mine)
{
    return mine->group != '\0' && mine->group == n->format.group && n->column->has_range &&
           !(distance_from_range(n->column, mine->value) > 0.0);
}

static void note_size(dt_numerals *n, double number)
{
    enum { THOUSAND = 1000 };
    n->seen.cells[DT_SEEN_LONG] += fabs(number) >= THOUSAND;
    n->seen.cells[DT_SEEN_SHORT] += fabs(number) > 0.0 && fabs(number) < THOUSAND;
}

static void note(dt_numerals *n, const dt_csv_field *cell, const readings *r)
{
    int64_t *cells = n->seen.cells;
    if (!r->differ && r->mine.fits && r->other.fits) {
        if (r->mine.group == '\0')
            note_size(n, r->mine.value);
        return;
    }
    if (!r->differ) {
        cells[r->mine.fits ? DT_SEEN_SURE : DT_SEEN_OTHER]++;
        return;
    }
    const double mine = distance(n->column, r->mine.value);
    const double other = distance(n->column, r->other.value);
    const bool usual = is_usual(n, &r->mine);
    cells[DT_SEEN_NEAR] += mine < other;
    cells[DT_SEEN_USUAL] += usual && !(mine < other);
    cells[usual ? DT_SEEN_FAR_USUAL : DT_SEEN_FAR_READING] += other < mine;
    if (cells[DT_SEEN_DOUBTS]++ > 0)
        return;
    n->seen.read = r->mine.value;
    n->seen.other = r->other.value;
    n->seen.sign = memchr(cell->text, ',', cell->bytes) != NULL ? ',' : '.';
    (void)dt_text_show(n->seen.example, cell->text, cell->bytes);
}

/* A cell that dt_csv_number has read. Once a decimal sign was for sure nothing more is of interest,
 * and most columns have one in their first rows. */
static void note_plain(dt_numerals *n, const dt_csv_field *cell, double number)
{
    enum { GROUP = 3 };
    readings r;
    const char *end = cell->text + cell->bytes;
    const char *sign = memchr(cell->text, n->format.decimal, cell->bytes);
    if (sign == NULL) {
        note_size(n, number);
        return;
    }
    size_t digits = 0;
    while (sign + 1 + digits < end && sign[1 + digits] >= '0' && sign[1 + digits] <= '9')
        digits++;
    if (digits != GROUP)
        n->seen.cells[DT_SEEN_SURE]++;
    else if (look_at(&r, n, cell))
        note(n, cell, &r);
}

/* Whether a person has said nothing against it. */
static bool is_allowed(const dt_numerals *n, const dt_number_reading *reading)
{
    return reading->fits &&
           (!n->group_asked || reading->group == '\0' || reading->group == n->format.group);
}

/* ---- units ---- */

void dt_column_note(dt_column_seen *seen, int kind, const dt_csv_row *row, const dt_csv_field *cell)
{
    const int at = kind - DT_SEEN_UNSEEN;
    if (seen->cells[kind]++ > 0)
        return;
    seen->first[at].row = row->row;
    (void)dt_text_show(seen->first[at].text, cell->text, cell->bytes);
}

/* Where all training rows have percentages, 0.12 may be one or 12 of them. */
static bool is_share(const dt_numerals *n, double number)
{
    return n->needs_unit && dt_number_share(n->format.unit) < 1.0 && fabs(number) > 0.0 &&
           fabs(number) <= 1.0;
}

/* A number without its unit, which a 0 does not need. */
static bool take_bare(dt_numerals *n, const dt_csv_row *row, const dt_csv_field *cell,
                      double number)
{
    if (is_share(n, number))
        return false;
    if (fabs(number) > 0.0)
        dt_column_note(&n->seen, DT_SEEN_UNIT, row, cell);
    return true;
}

static void note_unit(dt_numerals *n, const char *unit, const dt_csv_row *row,
                      const dt_csv_field *cell)
{
    dt_column_seen *seen = &n->seen;
    if (seen->cells[DT_SEEN_UNIT] == 0)
        (void)snprintf(seen->unit, sizeof seen->unit, "%s", unit);
    seen->units_differ = seen->units_differ || strcmp(seen->unit, unit) != 0;
    dt_column_note(seen, DT_SEEN_UNIT, row, cell);
}

/* ---- cells ---- */

/* As prepare reads a column of such cells; a share is not a percentage. */
static bool read_otherwise(double *out, dt_numerals *n, const dt_csv_row *row,
                           const dt_csv_field *cell)
{
    readings r;
    if (!look_at(&r, n, cell))
        return false;
    const bool mine = is_allowed(n, &r.mine);
    const bool other = is_allowed(n, &r.other) && !n->decimal_asked;
    const double share = dt_number_share(r.unit), usual = dt_number_share(n->format.unit);
    const bool same_unit = strcmp(r.unit, n->format.unit) == 0 ||
                           (share < 1.0 && share <= usual && share >= usual); /* % and percent */
    const bool new_unit = n->format.unit[0] == '\0' && share >= 1.0;
    const double number = mine ? r.mine.value : r.other.value;
    if ((!mine && !other) || (mine && other && r.differ) ||
        (r.unit[0] != '\0' && !same_unit && !new_unit))
        return false;
    if (n->needs_unit && r.unit[0] == '\0' && !take_bare(n, row, cell, number))
        return false;
    if (r.unit[0] != '\0' && !same_unit)
        note_unit(n, r.unit, row, cell);
    if (!n->decimal_asked)
        note(n, cell, &r);
    *out = number;
    return true;
}

bool dt_numerals_read(double *out, dt_numerals *numerals, const dt_csv_row *row,
                      const dt_csv_field *cell)
{
    dt_numerals *n = numerals;
    readings r;
    const bool wonders = !n->decimal_asked && n->seen.cells[DT_SEEN_SURE] == 0;
    if (dt_csv_number(out, cell->text, cell->bytes, n->format.decimal)) {
        if (wonders)
            note_plain(n, cell, *out);
        return !n->needs_unit || take_bare(n, row, cell, *out);
    }
    if (!dt_number_read(out, cell->text, cell->bytes, &n->format))
        return read_otherwise(out, n, row, cell);
    if ((!wonders && !n->needs_unit) || !look_at(&r, n, cell))
        return true;
    if (wonders)
        note(n, cell, &r);
    return !n->needs_unit || r.unit[0] != '\0' || take_bare(n, row, cell, *out);
}

/* ---- errors ---- */

enum { WHAT_BYTES = 512, ITEM_BYTES = 2 * (DT_TEXT_SHOWN_BYTES + 4) };

static void describe_doubt(char what[WHAT_BYTES], const readings *r, const char *item,
                           const dt_csv_field *cell)
{
    const char *sign = memchr(cell->text, ',', cell->bytes) != NULL ? "comma" : "point";
    const bool mine_divides = r->mine.group != '\0';
    (void)snprintf(what, WHAT_BYTES,
                   "may be %.9g or %.9g; use --thousands '%s=%s' for %.9g, --decimal '%s=%s' "
                   "for %.9g",
                   r->mine.value, r->other.value, item, sign,
                   mine_divides ? r->mine.value : r->other.value, item, sign,
                   mine_divides ? r->other.value : r->mine.value);
}

/* A number, but not in the unit of the training rows. */
static bool describe_unit(char what[WHAT_BYTES], const dt_numerals *n, const readings *r,
                          const char *item)
{
    const double number = r->mine.fits ? r->mine.value : r->other.value;
    const char *unit = n->format.unit;
    const double share = dt_number_share(unit), its = dt_number_share(r->unit);
    const char *blank = strlen(unit) > 1 && (unit[0] & 0x80) == 0 ? " " : ""; /* of a word */
    if (r->unit[0] == '\0' && is_share(n, number))
        (void)snprintf(what, WHAT_BYTES,
                       "has no '%s', which the training rows have, and may be a share; write "
                       "%.9g%s%s for it, or use --numeric '%s' to take it for %.9g%s%s",
                       unit, number / share, blank, unit, item, number, blank, unit);
    else if (r->unit[0] != '\0' && unit[0] != '\0')
        (void)snprintf(what, WHAT_BYTES, "is in '%s', but the training rows are in '%s'", r->unit,
                       unit);
    else if (its < 1.0)
        (void)snprintf(what, WHAT_BYTES,
                       "has '%s', which the training rows do not have: it may be %.9g or %.9g; "
                       "write the number alone",
                       r->unit, number, number * its);
    else
        return false;
    return true;
}

dt_status dt_numerals_fail(const dt_numerals *numerals, const char *path, const dt_csv_row *row,
                           const dt_csv_field *cell, const char *missing, const char *advice)
{
    readings r;
    char what[WHAT_BYTES + DT_NOTE_BYTES], item[ITEM_BYTES];
    const char *name = numerals->column->name;
    (void)dt_text_quote_item(item, sizeof item, name);
    const bool looks = look_at(&r, numerals, cell);
    const bool fits = looks && (r.mine.fits || r.other.fits);
    if (looks && r.differ)
        describe_doubt(what, &r, item, cell);
    else if (!fits || !describe_unit(what, numerals, &r, item))
        (void)snprintf(what, sizeof what, "is not a number%s", missing);
    (void)snprintf(what + strlen(what), sizeof what - strlen(what), "%s", advice);
    return dt_cell_fail(path, row, name, cell, what);
}

bool dt_column_seen_is_doubtful(const int64_t cells[DT_SEEN_KINDS])
{
    /* Small numbers without groups go with groups as in the training rows. Where all numbers have
     * three digits behind the sign, they are probably decimals. */
    const bool shorts = cells[DT_SEEN_SHORT] > 0;
    const int64_t far = cells[DT_SEEN_FAR_READING] + (shorts ? 0 : cells[DT_SEEN_FAR_USUAL]);
    const int64_t near = cells[DT_SEEN_NEAR] + (shorts ? cells[DT_SEEN_USUAL] : 0);
    if (cells[DT_SEEN_DOUBTS] == 0 || cells[DT_SEEN_SURE] > 0)
        return false;
    if (cells[DT_SEEN_OTHER] > 0 || far > near)
        return true;
    return far == near && shorts && cells[DT_SEEN_LONG] == 0;
}
