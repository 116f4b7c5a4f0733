#include "dtrain/report/report.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/options.h"
#include "dtrain/base/text.h"
#include "dtrain/io/file.h"
#include "report_internal.h"
#include "report_search.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct report_settings {
    dt_option_set given;
    char sort[DT_OPTION_TEXT_BYTES], html[DT_OPTION_TEXT_BYTES], csv[DT_OPTION_TEXT_BYTES];
    bool plots, json;
} report_settings;

#define AT(field) offsetof(report_settings, field)

static const dt_option options[] = {
    {"sort", "NAME", DT_OPTION_TEXT, AT(sort), 0, 0, NULL, NULL,
     "order of the runs of a task: a result (val_loss, test_accuracy, val_rmse, seconds ...), best "
     "first, an option of the configuration, name or status; the default is val_loss, or val_rmse "
     "if losses differ"},
    {"html", "FILE", DT_OPTION_TEXT, AT(html), 0, 0, NULL, NULL,
     "write one self-contained HTML page with all plots"},
    {"csv", "FILE", DT_OPTION_TEXT, AT(csv), 0, 0, NULL, NULL,
     "write results, options, data and environment as CSV, one line for each run; -: stdout, "
     "without other output"},
    {"json", NULL, DT_OPTION_FLAG, AT(json), 0, 0, NULL, NULL,
     "print results, options, data and environment as one JSON object, without other output"},
    {"plots", NULL, DT_OPTION_FLAG, AT(plots), 0, 0, NULL, NULL,
     "print the learning curves as text, even if stdout is not a terminal"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage = "Usage: dtrain report [OPTIONS] RUN...\n\n"
             "Compares training runs: which settings differ, and what each run reached. Of a\n"
             "single run it shows everything. RUN is a run's folder, the run.h5 in it, or a\n"
             "folder with runs at any depth; searches in it are skipped. Runs of the same task\n"
             "and data are in one table, classification first. A run that is not finished is\n"
             "shown as far as it got, with the validation metrics of its best epoch.\n\n"
             "For a search alone (its folder, or search.h5), dtrain report ranks the trials\n"
             "and shows which settings mattered. If dtrain explain has explained the model\n"
             "of a run, its results are shown, too. gnuplot draws the plots, if it is\n"
             "installed (Debian: gnuplot-nox).\n\n"
             "In the CSV, weights_crc is decimal. A text that a spreadsheet would run as a\n"
             "formula has ' before it: one that begins with =, +, -, @, a tab or a line end,\n"
             "and is not a number.",
};

void dt_cli_report_help(void)
{
    dt_options_print_help(&table);
}

/* ---- what is asked for ---- */

/* The folder of a path. */
DT_MUST_USE static dt_status copy_folder(char **out, const char *path)
{
    const char *slash = strrchr(path, '/');
    const dt_status status = dt_memory_copy_text(out, slash == NULL   ? "."
                                                      : slash == path ? "/"
                                                                      : path);
    if (status == DT_OK && slash != NULL && slash != path)
        (*out)[slash - path] = '\0';
    return status;
}

static const char *name_in_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Whether two paths are, or would be, one file. */
DT_MUST_USE static dt_status is_same_place(bool *out, const char *a, const char *b)
{
    dt_status status = DT_OK;
    char *folder_a = NULL, *folder_b = NULL;
    *out = dt_file_same(a, b);
    if (*out || strcmp(name_in_folder(a), name_in_folder(b)) != 0)
        return DT_OK;
    DT_TRY(copy_folder(&folder_a, a));
    DT_TRY(copy_folder(&folder_b, b));
    *out = dt_file_same(folder_a, folder_b);
out:
    dt_memory_free(folder_a);
    dt_memory_free(folder_b);
    return status;
}

DT_MUST_USE static dt_status check_against_run(const char *option, const char *path,
                                               const dt_report_run *run)
{
    dt_status status = DT_OK;
    dt_report_buffer model = {0};
    bool is_run = false, is_model = false;
    dt_report_buffer_put(&model, run->place, (size_t)(name_in_folder(run->place) - run->place));
    dt_report_buffer_puts(&model, "model.h5");
    DT_TRY(model.status);
    DT_TRY(is_same_place(&is_run, path, run->place));
    DT_TRY(is_same_place(&is_model, path, model.text));
    if (is_run || is_model)
        status = dt_fail(DT_USAGE, "--%s %s: is %s; expected another file", option, path,
                         is_run ? "one of the runs" : "the model of one of the runs");
out:
    dt_report_buffer_clear(&model);
    return status;
}

/* Results must not overwrite their runs, or each other. */
DT_MUST_USE static dt_status check_outputs(const report_settings *s, const dt_report_run *runs,
                                           size_t count)
{
    dt_status status = DT_OK;
    const bool csv_file = s->csv[0] != '\0' && strcmp(s->csv, "-") != 0;
    bool same = false;
    for (size_t i = 0; i < count; i++) {
        if (s->html[0] != '\0')
            DT_TRY(check_against_run("html", s->html, &runs[i]));
        if (csv_file)
            DT_TRY(check_against_run("csv", s->csv, &runs[i]));
    }
    if (s->html[0] != '\0' && csv_file)
        DT_TRY(is_same_place(&same, s->html, s->csv));
    if (same)
        status = dt_fail(DT_USAGE, "--html %s and --csv %s name the same file", s->html, s->csv);
out:
    return status;
}

DT_MUST_USE static dt_status check_settings(const report_settings *s)
{
    if (dt_options_given(&table, s, "html") && s->html[0] == '\0')
        return dt_fail(DT_USAGE, "--html needs a file: --html FILE");
    if (strcmp(s->html, "-") == 0)
        return dt_fail(DT_USAGE, "--html - : expected a file; --csv alone can go to stdout");
    if (dt_options_given(&table, s, "csv") && s->csv[0] == '\0')
        return dt_fail(DT_USAGE, "--csv needs a file: --csv FILE, or - for stdout");
    if (s->plots && strcmp(s->csv, "-") == 0)
        return dt_fail(
            DT_USAGE,
            "--plots cannot be combined with --csv -, which is the only output on stdout");
    if (s->json && (s->plots || strcmp(s->csv, "-") == 0))
        return dt_fail(DT_USAGE, "--json is the only output on stdout; remove %s or --json",
                       s->plots ? "--plots" : "--csv -");
    return DT_OK;
}

/* As dt_report_sort has it. */
static const char *sorted_by(const report_settings *s)
{
    return dt_options_given(&table, s, "sort") ? s->sort : NULL;
}

/* ---- the whole ---- */

DT_MUST_USE static dt_status show(const report_settings *s, dt_report_run **runs, size_t count)
{
    dt_status status = DT_OK;
    dt_report_run **drawn = NULL;
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    DT_TRY(dt_memory_alloc(&drawn, count, sizeof *drawn, "runs"));
    dt_report_choose_drawn(drawn, runs, count, sorted_by(s));
    if (s->html[0] != '\0')
        DT_TRY(dt_report_write_html(s->html, runs, drawn, count, sorted_by(s)));
    if (s->csv[0] != '\0')
        DT_TRY(dt_report_write_csv(s->csv, runs, count));
    if (s->json)
        DT_TRY(dt_report_print_json(runs, count));
    if (s->json || strcmp(s->csv, "-") == 0)
        goto out;
    if (count == 1)
        DT_TRY(dt_report_print_portrait(runs[0]));
    else
        DT_TRY(dt_report_print(runs, count));
    if (terminal || s->plots)
        DT_TRY(dt_report_print_curves(drawn, count, dt_log_width()));
    if (s->html[0] != '\0')
        dt_log_result("page: %s\n", s->html);
    if (s->csv[0] != '\0')
        dt_log_result("table: %s\n", s->csv);
out:
    dt_memory_free(drawn);
    return status;
}

/* A search is shown alone. */
DT_MUST_USE static dt_status show_search(const report_settings *s, const char *path)
{
    dt_status status = DT_OK;
    dt_report_search search = {0};
    bool same = false;
    DT_TRY(dt_report_search_read(&search, path));
    if (dt_options_given(&table, s, "sort"))
        DT_TRY(dt_fail(DT_USAGE, "--sort is for runs, but %s is a search; remove it", path));
    if (s->html[0] != '\0')
        DT_TRY(is_same_place(&same, s->html, search.place));
    if (!same && s->csv[0] != '\0')
        DT_TRY(is_same_place(&same, s->csv, search.place));
    if (same)
        DT_TRY(dt_fail(DT_USAGE, "%s: is the search; expected another file for --html or --csv",
                       path));
    if (s->html[0] != '\0')
        DT_TRY(dt_report_search_html(s->html, &search));
    if (s->csv[0] != '\0')
        DT_TRY(dt_report_search_csv(s->csv, &search));
    if (s->json)
        DT_TRY(dt_report_search_json(&search));
    if (s->json || strcmp(s->csv, "-") == 0)
        goto out;
    DT_TRY(dt_report_search_print(&search));
    if (s->html[0] != '\0' || s->csv[0] != '\0')
        dt_log_show("\n");
    if (s->html[0] != '\0')
        dt_log_result("page: %s\n", s->html);
    if (s->csv[0] != '\0')
        dt_log_result("table: %s\n", s->csv);
out:
    dt_report_search_clear(&search);
    return status;
}

dt_status dt_cli_report(int argc, char **argv)
{
    dt_status status = DT_OK;
    report_settings settings = {0};
    dt_report_run *runs = NULL;
    dt_report_run **order = NULL;
    dt_report_paths paths = {0};
    int words = 0;
    dt_options_set_defaults(&table, &settings);
    DT_TRY(dt_options_parse_words(&table, &settings, argc, argv, &words));
    if (words == 0)
        DT_TRY(dt_fail(DT_USAGE, "dtrain report requires a RUN: the folder of a run or a search, "
                                 "or a folder with runs, for example results"));
    DT_TRY(check_settings(&settings));
    if (words == 1 && dt_report_is_search(argv[0])) {
        status = show_search(&settings, argv[0]);
        goto out;
    }
    for (int i = 0; i < words; i++)
        if (!dt_text_ends_in(argv[i], "run.h5") && dt_report_is_search(argv[i]))
            DT_TRY(dt_fail(DT_USAGE,
                           "%s: is a search, expected only runs; name the search alone, or the "
                           "folders of its trials: trial-1 ...",
                           argv[i]));
    DT_TRY(dt_report_find_runs(&paths, argv, (size_t)words));
    DT_TRY(dt_memory_alloc(&runs, paths.count, sizeof *runs, "runs"));
    DT_TRY(dt_memory_alloc(&order, paths.count, sizeof *order, "runs"));
    for (size_t i = 0; i < paths.count; i++) {
        order[i] = &runs[i];
        DT_TRY(dt_report_run_read(&runs[i], paths.texts[i]));
    }
    DT_TRY(check_outputs(&settings, runs, paths.count));
    DT_TRY(dt_report_name_runs(runs, paths.count));
    DT_TRY(dt_report_sort(order, paths.count, sorted_by(&settings)));
    DT_TRY(show(&settings, order, paths.count));
out:
    for (size_t i = 0; runs != NULL && i < paths.count; i++)
        dt_report_run_clear(&runs[i]);
    dt_report_paths_clear(&paths);
    dt_memory_free(runs);
    dt_memory_free(order);
    return status;
}
