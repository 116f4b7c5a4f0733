#include "prepare_report.h"

#include "dtrain/base/log.h"
#include "dtrain/base/text.h"
#include "dtrain/report/text_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = DT_TEXT_SHOWN_BYTES + 4 };

/* As dt_text_show: a name from a file could contain control characters of the terminal. */
static const char *show(char out[SHOWN_BYTES], const char *text)
{
    return text != NULL ? dt_text_show(out, text, strlen(text)) : "";
}

static void describe(char *out, size_t bytes, const dt_prepare_column *column, size_t most,
                     bool classes)
{
    char first[DT_DATE_BYTES], last[DT_DATE_BYTES], range[DT_TEXT_RANGE_BYTES];
    const char *rarest = column->distinct > most ? ", the rarest as one" : "";
    (void)dt_text_range(range, column->minimum, column->maximum, 6);
    switch (column->role) {
    case DT_ROLE_DATE:
        (void)snprintf(out, bytes, "%s to %s; scale %s; ",
                       dt_date_show(first, column->minimum, column->order),
                       dt_date_show(last, column->maximum, column->order),
                       dt_recipe_scale_name(column->scale));
        (void)dt_recipe_describe_date(out + strlen(out), bytes - strlen(out), column->order,
                                      column->parts);
        break;
    case DT_ROLE_NUMERIC:
        (void)snprintf(out, bytes, "%s; scale %s", range, dt_recipe_scale_name(column->scale));
        break;
    case DT_ROLE_CATEGORICAL:
        if (column->first != NULL)
            (void)snprintf(out, bytes, "%s to %s; one-hot%s", show(first, column->first),
                           show(last, column->last), rarest);
        else
            (void)snprintf(out, bytes, "%s; one-hot%s", range, rarest);
        break;
    case DT_ROLE_TARGET:
        if (classes)
            (void)snprintf(out, bytes, "classes");
        else
            (void)snprintf(out, bytes, "values from %s", range);
        break;
    case DT_ROLE_WEIGHTS:
        (void)snprintf(out, bytes, "%s", range);
        break;
    case DT_ROLE_DROPPED:
        (void)snprintf(out, bytes, "%s", column->why);
        break;
    }
    if (column->role == DT_ROLE_NUMERIC || column->role == DT_ROLE_WEIGHTS ||
        (column->role == DT_ROLE_TARGET && !classes))
        (void)dt_recipe_describe_format(out + strlen(out), bytes - strlen(out), &column->format);
    const size_t used = strlen(out);
    const bool filled = dt_recipe_is_number(column->role) || column->role == DT_ROLE_CATEGORICAL;
    if (filled && column->missing > 0)
        (void)snprintf(out + used, bytes - used, "; fill %s", dt_recipe_fill_name(column->fill));
}

/* In one line, however many there are. */
static void warn_of_constants(const dt_prepare_table *found)
{
    enum { NAMES_SHOWN = 5 };
    char list[NAMES_SHOWN * (SHOWN_BYTES + 4)] = "", more[40] = "";
    char name[SHOWN_BYTES];
    size_t used = 0, count = 0;
    for (size_t c = 0; c < found->column_count; c++)
        if (found->columns[c].is_constant && count++ < NAMES_SHOWN)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s'%s'",
                                     count > 1 ? ", " : "", show(name, found->columns[c].name));
    if (count > NAMES_SHOWN)
        (void)snprintf(more, sizeof more, " and %zu more", count - NAMES_SHOWN);
    if (count > 0)
        dt_log_warn("%zu column%s one value or %s empty, and %s dropped: %s%s", count,
                    count == 1 ? " has" : "s have", count == 1 ? "is" : "are",
                    count == 1 ? "is" : "are", list, more);
}

/* Many categories mean many inputs, or categories that are joined. */
static void warn_of_categories(const dt_preparation *r, const dt_prepare_column *column)
{
    const uint64_t most = (uint64_t)r->settings.max_categories;
    const uint64_t rows = dt_prepare_table_of(r->prepare)->rows;
    const double gib = (double)column->distinct * (double)rows * sizeof(float) / 0x1p30;
    char name[SHOWN_BYTES];
    if (column->role != DT_ROLE_CATEGORICAL)
        return;
    if (column->distinct > most)
        dt_log_warn("column '%s' has %llu categories; the rarest become one category, because "
                    "--max-categories is %llu",
                    show(name, column->name), (unsigned long long)column->distinct,
                    (unsigned long long)most);
    else if (gib >= 1.0)
        dt_log_warn("column '%s' has %llu categories, whose inputs take %.1f GiB in training; "
                    "lower --max-categories, or --drop it",
                    show(name, column->name), (unsigned long long)column->distinct, gib);
}

/* Warns of what is allowed, but probably a mistake. */
static void warn(const dt_preparation *r)
{
    const dt_prepare_table *found = dt_prepare_table_of(r->prepare);
    enum { CLASSES_USUAL = 100 };
    char name[SHOWN_BYTES], other[SHOWN_BYTES];
    dt_csv_print_warnings(r->csv); /* of what came late in the file */
    if (found->malformed_rows > 0)
        dt_log_warn("%llu of %llu rows %s skipped; the first: %s",
                    (unsigned long long)found->malformed_rows,
                    (unsigned long long)(found->rows + found->dropped_rows),
                    found->malformed_rows == 1 ? "is" : "are", found->malformed);
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        const uint64_t cells = column->number_cells + column->text_cells;
        if (column->role == DT_ROLE_CATEGORICAL && !column->asked &&
            column->number_cells >= column->text_cells)
            dt_log_warn("column '%s' is used as categories, although %.0f %% of its cells are "
                        "numbers; use --numeric or --categorical to confirm",
                        show(name, column->name),
                        100.0 * (double)column->number_cells / (double)cells);
    }
    for (size_t c = 0; c < found->column_count; c++)
        warn_of_categories(r, &found->columns[c]);
    dt_prepare_warn_of_kinds(found);
    warn_of_constants(found);
    if (found->similar[0] != NULL)
        dt_log_warn(
            "the classes '%s' and '%s' are spelled alike; use one spelling if they are the same",
            show(name, found->similar[0]), show(other, found->similar[1]));
    if (found->equal[0] != NULL)
        dt_log_warn("'%s' and '%s' in the target are the same number, and one class",
                    show(name, found->equal[0]), show(other, found->equal[1]));
    if (found->guessed)
        dt_log_warn("the target has %zu whole numbers, which are used as classes; use --task "
                    "regression to predict a quantity, or --task classification to confirm",
                    found->class_count);
    else if (found->class_count > CLASSES_USUAL)
        dt_log_warn("the target has %zu classes", found->class_count);
}

dt_status dt_prepare_report_columns(const dt_preparation *r)
{
    dt_status status = DT_OK;
    const dt_prepare_table *found = dt_prepare_table_of(r->prepare);
    const dt_csv_format *format = dt_csv_format_of(r->csv);
    dt_text_table table = {.width = 200};
    const char *notes = dt_csv_notes(r->csv);
    dt_log_say("table    %s: %llu rows, %zu columns between %ss; decimal %s%s%s\n\n",
               dt_csv_path(r->csv), (unsigned long long)(found->rows + found->dropped_rows),
               found->column_count, dt_csv_separator_name(format->separator),
               found->decimal == ',' ? "comma" : "point", notes[0] != '\0' ? "; " : "", notes);
    dt_text_table_titles(&table, "column|role|>missing|>distinct|what");
    for (size_t c = 0; c < found->column_count; c++) {
        const dt_prepare_column *column = &found->columns[c];
        char what[192], name[SHOWN_BYTES];
        describe(what, sizeof what, column, (size_t)r->settings.max_categories,
                 found->class_count > 0);
        dt_text_table_add(&table, "%s", show(name, column->name));
        dt_text_table_add(&table, "%s", dt_recipe_role_name(column->role));
        dt_text_table_add(&table, "%llu", (unsigned long long)column->missing);
        if (column->role == DT_ROLE_DROPPED && column->distinct == 0) /* not counted */
            dt_text_table_add(&table, "%s", "");
        else
            dt_text_table_add(&table, "%s%llu", column->distinct_is_more ? ">" : "",
                              (unsigned long long)column->distinct);
        dt_text_table_add(&table, "%s", what);
    }
    DT_TRY(dt_text_table_say(&table));
    dt_log_say("\n");
    warn(r);
out:
    return status;
}

static void report_classes(const dt_prepare_table *found)
{
    enum { CLASSES_SHOWN = 10 };
    char name[SHOWN_BYTES];
    dt_log_say("classes ");
    for (size_t c = 0; c < found->class_count && c < CLASSES_SHOWN; c++) {
        uint64_t rows = 0;
        for (int set = 0; set < DT_SET_COUNT; set++)
            rows += found->class_rows[set][c];
        dt_log_say("%s %s %.4f", c > 0 ? "," : "", show(name, found->classes[c]),
                   (double)rows / (double)found->rows);
    }
    dt_log_say(found->class_count > CLASSES_SHOWN ? " ... of all rows\n" : " of all rows\n");
}

/* A class without rows in a set is not measured. */
static void warn_of_rare(const dt_prepare_table *found)
{
    size_t count = 0, first = 0;
    char name[SHOWN_BYTES];
    for (size_t c = found->class_count; c-- > 0;) {
        bool lacks = false;
        for (int set = 0; set < DT_SET_COUNT; set++)
            lacks = lacks || (found->set_rows[set] > 0 && found->class_rows[set][c] == 0);
        count += lacks;
        first = lacks ? c : first;
    }
    if (count == 0)
        return;
    uint64_t rows = 0;
    for (int set = 0; set < DT_SET_COUNT; set++)
        rows += found->class_rows[set][first];
    dt_log_warn("%zu class%s no row in some set, for example '%s' with %llu rows in all: the "
                "scores of that set ignore %s; join rare classes, or remove their rows",
                count, count == 1 ? " has" : "es have", show(name, found->classes[first]),
                (unsigned long long)rows, count == 1 ? "it" : "them");
}

static void report_values(const dt_prepare_table *found)
{
    enum { TARGETS_SHOWN = 10 };
    char name[SHOWN_BYTES], mean[DT_TEXT_NUMBER_BYTES], deviation[DT_TEXT_NUMBER_BYTES];
    char range[DT_TEXT_RANGE_BYTES];
    for (size_t j = 0; j < found->T && j < TARGETS_SHOWN; j++) {
        const dt_prepare_target *target = &found->targets[j];
        dt_log_say("target   %s: mean %s, deviation %s, %s in the training rows\n",
                   show(name, target->name), dt_text_number(mean, target->mean, 6),
                   dt_text_number(deviation, target->deviation, 6),
                   dt_text_range(range, target->minimum, target->maximum, 6));
    }
    if (found->T > TARGETS_SHOWN)
        dt_log_say("         ... and %zu more\n", found->T - TARGETS_SHOWN);
}

/* Few or large groups cannot give the exact share. */
static void warn_of_shares(const dt_preparation *r)
{
    const dt_prepare_table *found = dt_prepare_table_of(r->prepare);
    const double asked[DT_SET_COUNT] = {
        [DT_VALIDATION] = r->settings.validation_split, [DT_TEST] = r->settings.test_split};
    char text[160] = "", name[SHOWN_BYTES];
    size_t used = 0;
    for (int set = DT_VALIDATION; found->split_by != NULL && set < DT_SET_COUNT; set++) {
        const double share = (double)found->set_rows[set] / (double)found->rows;
        if (fabs(share - asked[set]) > asked[set] / 4.0)
            used += (size_t)snprintf(text + used, sizeof text - used,
                                     "%s the %s set has %.3g %% of the rows instead of %.3g %%",
                                     used > 0 ? ", and" : "", dt_set_name((dt_set)set),
                                     100.0 * share, 100.0 * asked[set]);
    }
    if (used > 0)
        dt_log_warn("--split-by '%s':%s, because groups stay together; another --seed gives others",
                    show(name, found->split_by), text);
}

void dt_prepare_report_split(const dt_preparation *r)
{
    const dt_prepare_table *found = dt_prepare_table_of(r->prepare);
    char name[SHOWN_BYTES];
    const uint64_t incomplete = found->dropped_rows - found->malformed_rows - found->repeated_rows;
    if (incomplete > 0)
        dt_log_say("dropped  %llu rows with missing values\n", (unsigned long long)incomplete);
    if (r->settings.drop_duplicates)
        dt_log_say("dropped  %llu rows that repeat earlier rows\n",
                   (unsigned long long)found->repeated_rows);
    dt_log_say("split    %llu training, %llu validation, %llu test rows; ",
               (unsigned long long)found->set_rows[DT_TRAIN],
               (unsigned long long)found->set_rows[DT_VALIDATION],
               (unsigned long long)found->set_rows[DT_TEST]);
    if (r->settings.split_column[0] != '\0')
        dt_log_say("by column '%s'\n", show(name, r->settings.split_column));
    else if (found->split_by != NULL)
        dt_log_say("by '%s': %llu, %llu and %llu groups, seed %lld\n", show(name, found->split_by),
                   (unsigned long long)found->group_counts[DT_TRAIN],
                   (unsigned long long)found->group_counts[DT_VALIDATION],
                   (unsigned long long)found->group_counts[DT_TEST], (long long)r->settings.seed);
    else if (found->split_method == DT_SPLIT_ORDERED)
        dt_log_say("in the table's order\n");
    else
        dt_log_say("%s, seed %lld\n",
                   found->split_method == DT_SPLIT_RANDOM ? "random" : "stratified",
                   (long long)r->settings.seed);
    warn_of_shares(r);
    if (found->class_count > 0)
        report_classes(found);
    else
        report_values(found);
    warn_of_rare(found);
    if (found->weights != NULL)
        dt_log_say("weights  %s\n", show(name, found->weights));
    dt_log_say("inputs   %zu\n\n", dt_prepare_recipe(r->prepare)->D);
    const dt_row_note *unseen = dt_prepare_unseen(r->prepare);
    if (unseen->count > 0)
        dt_log_warn(
            "%llu cell%s of the validation and test rows %s a category that no training row "
            "has, as %s; ignored",
            (unsigned long long)unseen->count, unseen->count == 1 ? "" : "s",
            unseen->count == 1 ? "holds" : "hold", unseen->example);
}

static void report_measures(const dt_prepare_table *found)
{
    char name[SHOWN_BYTES];
    dt_log_result("summary.targets=%zu\n", found->T);
    for (size_t j = 0; j < found->T; j++) {
        const dt_prepare_target *target = &found->targets[j];
        const struct {
            const char *key;
            double value;
        } measures[] = {{"mean", target->mean},
                        {"deviation", target->deviation},
                        {"minimum", target->minimum},
                        {"maximum", target->maximum}};
        char key[32] = "target";
        if (found->T > 1)
            (void)snprintf(key, sizeof key, "target_%zu", j + 1);
        dt_log_result("summary.%s=%s\n", key, show(name, target->name));
        for (size_t m = 0; m < sizeof measures / sizeof *measures; m++)
            dt_log_result("summary.%s_%s=%.17g\n", key, measures[m].key, measures[m].value);
    }
}

void dt_prepare_report_summary(const dt_preparation *r)
{
    char name[SHOWN_BYTES];
    const dt_prepare_table *found = dt_prepare_table_of(r->prepare);
    dt_log_summary("folder", "%s", r->settings.out);
    dt_log_result("summary.rows=%llu\n", (unsigned long long)found->rows);
    dt_log_result("summary.dropped_rows=%llu\n", (unsigned long long)found->dropped_rows);
    if (r->settings.drop_duplicates)
        dt_log_result("summary.duplicate_rows=%llu\n", (unsigned long long)found->repeated_rows);
    for (int set = 0; set < DT_SET_COUNT; set++)
        dt_log_result("summary.%s_rows=%llu\n", dt_set_name((dt_set)set),
                      (unsigned long long)found->set_rows[set]);
    dt_log_result("summary.inputs=%zu\n", dt_prepare_recipe(r->prepare)->D);
    if (found->class_count > 0)
        dt_log_result("summary.classes=%zu\n", found->class_count);
    else
        report_measures(found);
    if (found->weights != NULL)
        dt_log_result("summary.weights=%s\n", show(name, found->weights));
    dt_log_result("summary.status=ok\n");
}
