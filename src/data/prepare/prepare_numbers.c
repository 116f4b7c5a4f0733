/*
 * The form of numbers. The survey reads digits with the table's decimal sign. If other texts may be
 * numbers, too, this pass counts the possible meanings of each cell of their columns, and decides
 * column by column:
 *
 *  - a cell with only one meaning decides: 3,14 has a decimal comma, 1.234,50 and 1,234,567 have
 *    groups;
 *  - a column whose commas all have three digits behind them has groups, unless there is another
 *    sign that they are decimals: numbers above 999 without a comma if no column has a decimal
 *    point, or a decimal comma in another column. Then the column is ambiguous. It is also
 *    ambiguous between semicolons, because most such tables have decimal commas, unless another
 *    column has a decimal point;
 *  - a point that has three digits behind it in all cells is a decimal point, unless decimals have
 *    commas in other columns. But among whole numbers that are all below 1000, without a decimal
 *    point in another column, it is ambiguous: 1.628 and 894. With such a point, and between
 *    semicolons if nothing else decides, a warning shows how it is read;
 *  - one letter behind a number is a unit if all numbers have it; otherwise it distinguishes cells,
 *    as the houses 136 and 136A, or is a factor, as in 900 and 12K.
 */
#include "prepare_internal.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One of the two readings of a column's cells. */
typedef struct reading {
    uint64_t fits; /* cells */
    char group; /* the first one; others do not fit */
} reading;

typedef struct dt_number_tally {
    bool is_wanted;
    uint64_t cells;
    reading point, comma;
    bool commas_differ, points_differ; /* cells with one of them mean two numbers */
    bool is_long; /* a number above 999 has no group */
    bool is_short; /* some number is whole, and below 1000 */
    bool is_doubtful; /* it is unknown which of the two its numbers are */
    char unit[DT_NUMBER_UNIT_BYTES]; /* likewise, the first */
    uint64_t unit_cells; /* with this one */
    uint64_t bare, shares; /* cells without any, but 0; those of them from -1 to 1 */
    char bare_text[DT_TEXT_SHOWN_BYTES + 4]; /* the first of them */
    char doubtful[DT_TEXT_SHOWN_BYTES + 4]; /* the first cell that means two numbers */
    double doubtful_point, doubtful_comma;
} dt_number_tally;

/* ---- the pass ---- */

static bool fits(reading *all, const dt_number_reading *cell, const dt_survey *survey, char decimal)
{
    const dt_number_format *format = &survey->format;
    if (!cell->fits || (survey->decimal_asked && format->decimal != decimal))
        return false;
    if (cell->group != '\0' && survey->group_asked && cell->group != format->group)
        return false;
    if (cell->group != '\0' && all->group != '\0' && cell->group != all->group)
        return false;
    if (cell->group != '\0')
        all->group = cell->group;
    all->fits++;
    return true;
}

static void see_doubt(dt_number_tally *tally, const dt_number_look *look, const dt_csv_field *cell)
{
    const bool commas = look->point.group == ',';
    if (!tally->commas_differ && !tally->points_differ) {
        (void)dt_text_show(tally->doubtful, cell->text, cell->bytes);
        tally->doubtful_point = look->point.value;
        tally->doubtful_comma = look->comma.value;
    }
    tally->commas_differ = tally->commas_differ || commas;
    tally->points_differ = tally->points_differ || !commas;
}

/* A 0 needs no unit. */
static void see_bare(dt_number_tally *tally, const dt_number_look *look, const dt_csv_field *cell)
{
    const double number = look->point.fits ? look->point.value : look->comma.value;
    if (!(fabs(number) > 0.0))
        return;
    if (tally->bare++ == 0)
        (void)dt_text_show(tally->bare_text, cell->text, cell->bytes);
    tally->shares += fabs(number) <= 1.0;
}

static void tally_cell(dt_number_tally *tally, const dt_survey *survey, const dt_csv_field *cell)
{
    dt_number_look look;
    tally->cells++;
    if (!dt_number_look_at(&look, cell->text, cell->bytes))
        return;
    if (look.unit[0] != '\0' && tally->unit[0] == '\0')
        memcpy(tally->unit, look.unit, sizeof tally->unit);
    if (look.unit[0] != '\0' && strcmp(look.unit, tally->unit) != 0)
        return;
    tally->unit_cells += look.unit[0] != '\0';
    if (look.unit[0] == '\0')
        see_bare(tally, &look, cell);
    const bool point = fits(&tally->point, &look.point, survey, '.');
    const bool comma = fits(&tally->comma, &look.comma, survey, ',');
    tally->is_long = tally->is_long || look.is_long;
    tally->is_short = tally->is_short || look.is_short;
    if (point && comma &&
        (look.point.value < look.comma.value || look.point.value > look.comma.value))
        see_doubt(tally, &look, cell);
}

static dt_status tally_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    dt_prepare_report_progress(p, row);
    if (dt_prepare_drops(p, row))
        return DT_OK;
    for (size_t c = 0; c < p->count; c++)
        if (p->tallies[c].is_wanted && !dt_missing_is(&p->missing, &row->fields[c]))
            tally_cell(&p->tallies[c], &p->surveys[c], &row->fields[c]);
    return DT_OK;
}

/* ---- the decision ---- */

/* The decimal signs that are certain in some column. */
typedef struct evidence {
    bool point, comma;
} evidence;

static evidence find_evidence(const dt_prepare *p)
{
    evidence found = {.comma = p->decimal == ','};
    for (size_t c = 0; c < p->count; c++) {
        const dt_number_tally *tally = &p->tallies[c];
        found.point = found.point || tally->point.fits > tally->comma.fits;
        found.comma = found.comma || tally->comma.fits > tally->point.fits;
    }
    return found;
}

/* Fails for column `c` and all other ambiguous ones, as far as they fit into a line. */
static dt_status fail_doubt(const dt_prepare *p, size_t c)
{
    const dt_number_tally *tally = &p->tallies[c];
    char list[512] = "", others[160] = "", item[2 * (DT_TEXT_SHOWN_BYTES + 4)];
    for (size_t i = c; i < p->count; i++) {
        const size_t used = strlen(list), shown = strlen(others);
        if (!p->tallies[i].is_doubtful || used > sizeof list - sizeof item - 16)
            continue;
        (void)snprintf(list + used, sizeof list - used, "%s%s=%s", used > 0 ? "," : "",
                       dt_text_quote_item(item, sizeof item, p->names[i]),
                       p->tallies[i].commas_differ ? "comma" : "point");
        if (i != c && shown < sizeof others / 2)
            (void)snprintf(others + shown, sizeof others - shown, "%s'%s'",
                           shown > 0 ? ", " : "; also column ", p->names[i]);
    }
    const bool commas = tally->commas_differ;
    return dt_fail(DT_DATA,
                   "%s: column '%s': '%s' may be %.9g or %.9g%s; use --thousands '%s' for %.9g, "
                   "--decimal '%s' for %.9g",
                   dt_csv_path(p->csv), p->names[c], tally->doubtful, tally->doubtful_point,
                   tally->doubtful_comma, others, list,
                   commas ? tally->doubtful_point : tally->doubtful_comma, list,
                   commas ? tally->doubtful_comma : tally->doubtful_point);
}

/* Such points look like those of plain numbers, so that the survey does not keep one of them. */
static void show_reading(dt_survey *survey, const dt_number_tally *tally)
{
    (void)snprintf(survey->read_text, sizeof survey->read_text, "%s", tally->doubtful);
    survey->read_number = tally->doubtful_point;
}

/* The decimal sign of a column if both readings fit the same number of cells. */
static char weigh(const dt_prepare *p, size_t c, const evidence *others)
{
    dt_number_tally *tally = &p->tallies[c];
    const bool semicolons = dt_csv_format_of(p->csv)->separator == ';';
    if (tally->commas_differ) {
        tally->is_doubtful = tally->points_differ || others->comma ||
                             (!others->point && (tally->is_long || semicolons));
        return '.';
    }
    if (!tally->points_differ)
        return p->surveys[c].format.decimal;
    tally->is_doubtful = others->comma ? others->point || tally->is_long
                                       : !others->point && tally->is_short && !tally->is_long;
    if (!others->comma && !tally->is_long && (others->point ? tally->is_short : semicolons))
        show_reading(&p->surveys[c], tally);
    return others->comma ? ',' : '.';
}

/* Accepts one letter as a unit only if all cells that fit have it. */
static void judge_unit(dt_number_tally *tally)
{
    const bool is_letter =
        tally->unit[0] != '\0' && tally->unit[1] == '\0' && strchr("%$\"'", tally->unit[0]) == NULL;
    const uint64_t marked = tally->unit_cells;
    reading *readings[] = {&tally->point, &tally->comma};
    if (!is_letter || (marked >= tally->point.fits && marked >= tally->comma.fits))
        return;
    tally->unit[0] = '\0';
    for (int i = 0; i < 2; i++)
        readings[i]->fits -= marked < readings[i]->fits ? marked : readings[i]->fits;
}

/* Shares next to percentages would be wrong by a factor of 100, unless an option decides. */
static dt_status check_shares(const dt_prepare *p, size_t c)
{
    const dt_number_tally *tally = &p->tallies[c];
    const char *name = p->names[c];
    char item[2 * (DT_TEXT_SHOWN_BYTES + 4)];
    const char *unit = p->surveys[c].format.unit;
    if (!(dt_number_share(unit) < 1.0) || tally->bare == 0 || p->surveys[c].asked ||
        tally->shares < tally->bare || p->surveys[c].unit_cells == 0)
        return DT_OK;
    (void)dt_text_quote_item(item, sizeof item, name);
    return dt_fail(DT_DATA,
                   "%s: column '%s': %llu cells have %s, and %llu have none, as '%s', which may be "
                   "a share; write them in one way, or use --numeric '%s' to take '%s' for %s %s, "
                   "or --drop '%s'",
                   dt_csv_path(p->csv), name, (unsigned long long)tally->unit_cells, unit,
                   (unsigned long long)tally->bare, tally->bare_text, item, tally->bare_text,
                   tally->bare_text, unit, item);
}

static void decide(bool *changed, dt_prepare *p, size_t c, const evidence *others)
{
    const dt_number_tally *tally = &p->tallies[c];
    dt_survey *survey = &p->surveys[c];
    const uint64_t point = tally->point.fits, comma = tally->comma.fits;
    const uint64_t best = point > comma ? point : comma;
    const bool is_number = dt_prepare_must_be_number(p, c);
    const dt_number_format before = survey->format;
    char decimal = point > comma ? '.' : ',';
    if (!is_number && !dt_prepare_are_slips(tally->cells - best, tally->cells))
        return;
    survey->unit_cells = tally->unit[0] != '\0' ? tally->unit_cells : 0;
    survey->bare_cells = tally->bare;
    (void)snprintf(survey->bare, sizeof survey->bare, "%s", tally->bare_text);
    if (point == comma)
        decimal = weigh(p, c, others);
    survey->format.decimal = decimal;
    survey->format.group = decimal == '.' ? tally->point.group : tally->comma.group;
    memcpy(survey->format.unit, tally->unit, sizeof tally->unit);
    /* Without a change, cells that are not numbers have not been refused yet. */
    *changed = *changed || is_number || before.decimal != decimal ||
               before.group != survey->format.group || survey->format.unit[0] != '\0';
}

static bool is_asked_as_text(const dt_prepare *p, size_t c)
{
    const dt_role role = p->columns[c].role;
    return p->surveys[c].asked && (role == DT_ROLE_CATEGORICAL || role == DT_ROLE_DROPPED);
}

dt_status dt_prepare_find_numbers(bool *changed, dt_prepare *p)
{
    dt_status status = DT_OK;
    bool any = false;
    DT_TRY(dt_memory_alloc(&p->tallies, p->count, sizeof *p->tallies, "columns"));
    for (size_t c = 0; c < p->count; c++) {
        const dt_survey *survey = &p->surveys[c];
        /* plain numbers may resolve others */
        p->tallies[c].is_wanted = !is_asked_as_text(p, c) && survey->order == DT_DATE_NONE;
        any = any || (p->tallies[c].is_wanted && survey->has_looks &&
                      (!survey->has_decimals || survey->texts > 0));
    }
    if (any) {
        DT_TRY(dt_prepare_pass(p, "looking at the numbers", tally_row));
        for (size_t c = 0; c < p->count; c++)
            judge_unit(&p->tallies[c]);
        const evidence found = find_evidence(p);
        for (size_t c = 0; c < p->count; c++)
            if (p->tallies[c].is_wanted)
                decide(changed, p, c, &found);
        for (size_t c = 0; c < p->count; c++)
            DT_TRY(p->tallies[c].is_doubtful ? fail_doubt(p, c) : check_shares(p, c));
    }
out:
    dt_memory_free(p->tallies);
    p->tallies = NULL;
    p->knows_numbers = true;
    return status;
}
