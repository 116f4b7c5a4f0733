/*
 * Columns of dates. The first pass of the survey reads every cell in all orders of day, month and
 * year, and counts the cells that are dates in some; then each column gets an order:
 *
 *  - the only order in which all its dates fit, if there is only one;
 *  - for day and month, the order of other columns, or day first between points; otherwise it is
 *    ambiguous;
 *  - for years of two digits, the end at which they span less time.
 */
#include "prepare_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whole numbers of the form 20210131 are dates if this many differ: one number in thirty has the
 * form by chance. */
enum { COMPACT_VALUES_MIN = 3 };

/* A year may be read as a day of the month; then the dates span decades. The factor between the two
 * spans. */
#define SPAN_RATIO 2.0

#define BIT(order) (1u << (order))
#define DAY_AND_MONTH (BIT(DT_DATE_DMY) | BIT(DT_DATE_MDY))
#define NO_DAY (BIT(DT_DATE_YM) | BIT(DT_DATE_MY) | BIT(DT_DATE_TIME))

/* ---- the first pass ---- */

/* The span of the dates in each order, and an ambiguous cell. */
static void see_orders(dt_date_tally *tally, const dt_csv_field *cell, const dt_date_look *look)
{
    double least = INFINITY, most = -INFINITY;
    for (int order = DT_DATE_YMD; order <= DT_DATE_MDY; order++) {
        const double days = look->days[order];
        if ((look->orders & BIT(order)) == 0)
            continue;
        tally->first[order] = fmin(tally->first[order], days);
        tally->last[order] = fmax(tally->last[order], days);
        least = fmin(least, days);
        most = fmax(most, days);
    }
    if (tally->doubtful[0] == '\0' && least < most)
        (void)dt_text_show(tally->doubtful, cell->text, cell->bytes);
}

static bool see_text(dt_survey *survey, const dt_csv_field *cell)
{
    dt_date_tally *tally = &survey->dates;
    dt_date_look look;
    if (!dt_date_look_at(&look, cell->text, cell->bytes))
        return false;
    if (tally->values++ == 0)
        (void)dt_text_show(tally->example, cell->text, cell->bytes);
    tally->orders &= look.orders;
    tally->has_months = tally->has_months || !look.is_season;
    tally->divider = look.divider;
    see_orders(tally, cell, &look);
    return true;
}

void dt_prepare_see_compact(dt_survey *survey, const dt_csv_field *cell, double number)
{
    const bool as_long = (number >= 19000101.0 && number <= 21001231.0) ||
                         (number >= 190001010000.0 && number <= 210012312359.0) ||
                         (number >= 19000101000000.0 && number <= 21001231235959.0);
    survey->is_compact = as_long && see_text(survey, cell);
}

bool dt_prepare_see_date(const dt_prepare *p, size_t c, const dt_csv_field *cell)
{
    dt_survey *survey = &p->surveys[c];
    return !p->knows_dates && survey->order == DT_DATE_NONE && see_text(survey, cell);
}

void dt_prepare_begin_dates(dt_survey *survey)
{
    survey->dates = (dt_date_tally){.orders = ~0u};
    survey->is_compact = true;
    survey->divider_varies = survey->has_short_years = false;
    for (int order = 0; order < DT_DATE_ORDERS; order++) {
        survey->dates.first[order] = INFINITY;
        survey->dates.last[order] = -INFINITY;
    }
}

/* ---- the decision ---- */

/* The orders that a column's dates allow; 0: it has none. */
static unsigned orders_of(const dt_survey *survey)
{
    const dt_date_tally *tally = &survey->dates;
    const uint64_t cells = survey->numbers + survey->texts;
    if (survey->texts == 0)
        return survey->is_compact && tally->values >= COMPACT_VALUES_MIN
                   ? tally->orders & BIT(DT_DATE_YMD)
                   : 0;
    if (tally->values < 2 || !dt_prepare_are_slips(cells - tally->cells, cells))
        return 0;
    if ((tally->orders & NO_DAY) != 0 && (tally->cells < cells || !tally->has_months))
        return 0; /* other cells look the same */
    return tally->orders;
}

/* Keeps the end at which years of two digits span less time, and day first between points. */
static unsigned narrow(unsigned orders, const dt_date_tally *tally)
{
    double span = INFINITY;
    const double years = tally->last[DT_DATE_YMD] - tally->first[DT_DATE_YMD];
    for (int order = DT_DATE_DMY; order <= DT_DATE_MDY; order++)
        if ((orders & BIT(order)) != 0)
            span = fmin(span, tally->last[order] - tally->first[order]);
    if ((orders & BIT(DT_DATE_YMD)) != 0 && (orders & DAY_AND_MONTH) != 0) {
        if (span * SPAN_RATIO <= years)
            orders &= ~BIT(DT_DATE_YMD);
        else if (years * SPAN_RATIO <= span)
            orders &= ~DAY_AND_MONTH;
    }
    if (tally->divider == '.' && (orders & DAY_AND_MONTH) == DAY_AND_MONTH)
        orders &= ~BIT(DT_DATE_MDY);
    return orders;
}

static dt_date_order lowest(unsigned orders)
{
    int order = DT_DATE_YMD;
    while ((orders & BIT(order)) == 0)
        order++;
    return (dt_date_order)order;
}

static dt_status fail_doubt(const dt_prepare *p, size_t c, unsigned orders)
{
    const char *cell = p->surveys[c].dates.doubtful;
    char name[256];
    const dt_date_order one = lowest(orders), two = lowest(orders & ~BIT(one));
    char shown[2][DT_DATE_BYTES];
    dt_date date = {0};
    (void)dt_text_quote_item(name, sizeof name, p->names[c]);
    (void)dt_date_read(&date, cell, strlen(cell), one);
    (void)dt_date_show(shown[0], date.days, one);
    (void)dt_date_read(&date, cell, strlen(cell), two);
    (void)dt_date_show(shown[1], date.days, two);
    return dt_fail(DT_DATA, "%s: column '%s': '%s' may be %s or %s; use --dates '%s=%s' or '%s=%s'",
                   dt_csv_path(p->csv), p->names[c], cell, shown[0], shown[1], name,
                   dt_date_order_name(one), name, dt_date_order_name(two));
}

static dt_status fail_target(const dt_prepare *p, size_t c)
{
    return dt_fail(DT_DATA,
                   "%s: the target '%s' holds dates, as '%s', which cannot be predicted; use a "
                   "number, or --task classification if they are classes",
                   dt_csv_path(p->csv), p->names[c], p->surveys[c].dates.example);
}

/* `others`: the numbers of columns that certainly have day first, or month first. */
static dt_status decide(dt_prepare *p, size_t c, unsigned orders, unsigned others)
{
    dt_survey *survey = &p->surveys[c];
    const unsigned asked = p->date_order != DT_DATE_NONE ? orders & BIT(p->date_order) : 0;
    const bool helps = others != DAY_AND_MONTH && (orders & others) != 0;
    if (asked != 0)
        orders = asked;
    else if ((orders & (orders - 1)) != 0 && helps)
        orders &= others;
    if ((orders & (orders - 1)) != 0 && survey->dates.doubtful[0] != '\0')
        return fail_doubt(p, c, orders);
    survey->order = lowest(orders);
    return DT_OK;
}

static bool may_be_date(const dt_prepare *p, size_t c)
{
    const dt_survey *survey = &p->surveys[c];
    const bool is_target = p->columns[c].role == DT_ROLE_TARGET && !survey->is_value &&
                           p->plan->task == DT_TARGETS_AUTO;
    return !survey->no_dates && (is_target || !survey->asked);
}

dt_status dt_prepare_find_dates(bool *changed, dt_prepare *p)
{
    dt_status status = DT_OK;
    unsigned others = 0;
    for (size_t c = 0; c < p->count; c++) {
        const unsigned orders = narrow(orders_of(&p->surveys[c]), &p->surveys[c].dates);
        if (may_be_date(p, c) && (orders & (orders - 1)) == 0)
            others |= orders & DAY_AND_MONTH;
    }
    for (size_t c = 0; c < p->count; c++) {
        const unsigned orders = narrow(orders_of(&p->surveys[c]), &p->surveys[c].dates);
        if (orders == 0 || !may_be_date(p, c))
            continue;
        if (p->columns[c].role == DT_ROLE_TARGET && p->surveys[c].asked)
            DT_TRY(fail_target(p, c));
        DT_TRY(decide(p, c, orders, others));
        *changed = true;
    }
out:
    p->knows_dates = true;
    return status;
}

/* ---- the dates ---- */

bool dt_prepare_survey_date(double *out, dt_survey *survey, const dt_csv_field *cell)
{
    dt_date date;
    if (!dt_date_read(&date, cell->text, cell->bytes, survey->order))
        return false;
    const double shares[DT_PART_COUNT] = {date.month, date.weekday, date.hour};
    *out = date.days;
    if (survey->written[0] == '\0') {
        (void)dt_text_show(survey->written, cell->text, cell->bytes);
        survey->meant = date.days;
        survey->date = date;
    }
    const double first[DT_PART_COUNT] = {survey->date.month, survey->date.weekday,
                                         survey->date.hour};
    for (int part = 0; part < DT_PART_COUNT; part++)
        survey->varies[part] =
            survey->varies[part] || shares[part] < first[part] || shares[part] > first[part];
    survey->day_varies = survey->day_varies || date.day != survey->date.day;
    survey->divider_varies = survey->divider_varies || date.divider != survey->date.divider;
    survey->has_short_years = survey->has_short_years || date.has_short_year;
    return true;
}

dt_status dt_prepare_fail_date(const dt_prepare *p, size_t c, const dt_csv_row *row)
{
    char what[96];
    (void)snprintf(what, sizeof what,
                   "is not a date (%s); use --missing if it means a missing value",
                   dt_date_order_name(p->surveys[c].order));
    return dt_cell_fail(dt_csv_path(p->csv), row, p->names[c], &row->fields[c], what);
}

/* A date's parts are informative if the dates span half of their period, and the parts vary. */
void dt_prepare_find_parts(bool parts[DT_PART_COUNT], const dt_survey *survey, double span)
{
    static const double periods[DT_PART_COUNT] = {365.0, 7.0, 1.0};
    for (int part = 0; part < DT_PART_COUNT; part++)
        parts[part] = survey->varies[part] && 2.0 * span >= periods[part];
    parts[DT_PART_HOUR] =
        parts[DT_PART_HOUR] || (survey->order == DT_DATE_TIME && survey->varies[DT_PART_HOUR]);
    /* The weekdays of first days of months are meaningless. */
    parts[DT_PART_WEEKDAY] = parts[DT_PART_WEEKDAY] && survey->day_varies;
}
