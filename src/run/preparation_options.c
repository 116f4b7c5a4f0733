#include "dtrain/run/preparation.h"

#include "dtrain/run/preset.h"

#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(dt_prepare_settings, field)
#define LARGEST_INT 9007199254740991.0 /* 2^53 - 1: what a double counts to */

static const dt_option options[] = {
    {"target", "COLUMN", DT_OPTION_TEXT, AT(target), 0, 0, NULL, NULL,
     "column to be predicted; of numbers also several, as price,rent"},
    {"task", "NAME", DT_OPTION_CHOICE, AT(task), 0, 0, "auto|classification|regression", "auto",
     "what the target is: classes, or values; auto: values if it is numbers of which some are not "
     "whole, or most are different, or several columns"},
    {"weights", "COLUMN", DT_OPTION_TEXT, AT(weights), 0, 0, NULL, NULL,
     "column of row weights, numbers from 0 on: not an input; training counts each row so often"},
    {"id", "COLUMN", DT_OPTION_TEXT, AT(id), 0, 0, NULL, NULL,
     "column that names the rows: not an input; `dtrain prepare` writes it as an array id"},
    {"out", "DIR", DT_OPTION_TEXT, AT(out), 0, 0, NULL, NULL, "folder of the results"},
    {"preset", "NAME", DT_OPTION_CHOICE, AT(preset), 0, 0, DT_PRESET_NAMES, "tutorial",
     "defaults: tutorial, the values shown below; tabular, --scale clipped --fill "
     "median-indicator,category, for train --preset tabular. Options that are given override them"},
    {"drop", "COLUMNS", DT_OPTION_WORDS, AT(drop), 0, 0, NULL, NULL,
     "columns to leave out, as id,duration,\"a, b\",#7; columns of one value are always left out"},
    {"numeric", "COLUMNS", DT_OPTION_WORDS, AT(numeric), 0, 0, NULL, NULL,
     "columns to take as numbers, whatever they look like"},
    {"categorical", "COLUMNS", DT_OPTION_WORDS, AT(categorical), 0, 0, NULL, NULL,
     "columns to take as categories, as day,month"},
    {"scale", "LIST", DT_OPTION_WORDS, AT(scale), 0, 0, NULL, "standard",
     "of numbers: " DT_SCALE_NAMES ", or COLUMN=METHOD, as standard,balance=log; clipped: as "
     "robust, and outliers are squeezed smoothly between -3 and 3"},
    {"fill", "LIST", DT_OPTION_WORDS, AT(fill), 0, 0, NULL, "error",
     "for missing cells: error, drop (the row); mean, median (numbers); indicator, "
     "median-indicator (mean or median, and an input that is 1 if the number is missing); category "
     "(its own); mode (both); one for numbers and one for categories, or COLUMN=METHOD, as "
     "median,category,age=mean"},
    {"missing", "LIST", DT_OPTION_WORDS, AT(missing), 0, 0, NULL, NULL,
     "further cells, of any column, that mean a missing value, as ?,unknown: beside empty ones "
     "and " DT_MISSING_TEXTS},
    {"missing-only", "LIST", DT_OPTION_WORDS, AT(missing_only), 0, 0, NULL, DT_MISSING_TEXTS,
     "cells that mean a missing value, instead of that list; '' for empty ones "
     "alone"},
    {"on-error", "NAME", DT_OPTION_CHOICE, AT(skips), 0, 0, "stop|skip", "stop",
     "what to do with a row that has fewer or more fields than the header, or a quote in a wrong "
     "place: stop, or skip the row"},
    {"unseen", "NAME", DT_OPTION_CHOICE, AT(unseen), 0, 0, DT_UNSEEN_NAMES, "ignore",
     "what becomes of a category that no training row has"},
    {"max-categories", "N", DT_OPTION_INT, AT(max_categories), 2, 1000000, NULL, "1000",
     "of a column, an input each: 4 bytes a row in training; if it has more, the rarest become "
     "one"},
    {"validation-split", "F", DT_OPTION_FLOAT, AT(validation_split), 0, 1e15, NULL, "0.1",
     "rows for validation: a share below 1, or their number"},
    {"test-split", "F", DT_OPTION_FLOAT, AT(test_split), 0, 1e15, NULL, "0.1",
     "rows for testing: a share below 1, or their number"},
    {"split", "NAME", DT_OPTION_CHOICE, AT(split), 0, 0, DT_SPLIT_NAMES, "stratified",
     "how rows are divided: at random class by class (values: at random), at random, or in the "
     "table's order"},
    {"split-column", "COLUMN", DT_OPTION_TEXT, AT(split_column), 0, 0, NULL, NULL,
     "column that says train, validation or test"},
    {"split-by", "COLUMN", DT_OPTION_TEXT, AT(split_by), 0, 0, NULL, NULL,
     "column of groups, as customers: rows of a group go to the same set; not an input, unless "
     "--numeric or --categorical names it"},
    {"drop-duplicates", NULL, DT_OPTION_FLAG, AT(drop_duplicates), 0, 0, NULL, NULL,
     "of rows with the same inputs, targets and weight, keep the first"},
    {"seed", "N", DT_OPTION_INT, AT(seed), 0, LARGEST_INT, NULL, "1", "of the split"},
    {"separator", "NAME", DT_OPTION_CHOICE, AT(separator), 0, 0, DT_CSV_SEPARATOR_NAMES, "auto",
     "between the cells; space: any run of blanks"},
    {"decimal", "LIST", DT_OPTION_WORDS, AT(decimal), 0, 0, NULL, "auto",
     "in numbers: auto, point, comma, or COLUMN=SIGN, as point,price=comma"},
    {"thousands", "LIST", DT_OPTION_WORDS, AT(thousands), 0, 0, NULL, "auto",
     "between the thousands of numbers: auto, none, comma, point, space, quote, or COLUMN=SIGN"},
    {"dates", "LIST", DT_OPTION_WORDS, AT(dates), 0, 0, NULL, "auto",
     "how dates are written: auto, none (there are none), ymd, dmy, mdy (day or month first), ym, "
     "my, time, or COLUMN=ORDER, as signup=dmy"},
    {"encoding", "NAME", DT_OPTION_CHOICE, AT(encoding), 0, 0, DT_CSV_ENCODING_NAMES, "auto",
     "of the text; auto: what is not UTF-8 is Windows-1252"},
    {"header", "NAME", DT_OPTION_CHOICE, AT(header), 0, 0, DT_CSV_HEADER_NAMES, "auto",
     "whether the first line names the columns; auto: not if it looks like the rows below it"},
    {"columns", "NAMES", DT_OPTION_WORDS, AT(columns), 0, 0, NULL, NULL,
     "names of all columns, instead of those in the header"},
    {"skip-lines", "N", DT_OPTION_INT, AT(skip_lines), 0, 1e6, NULL, "0",
     "lines to leave out at the beginning of the file; lines that begin with # above the header "
     "always are"},
    {"store", NULL, DT_OPTION_FLAG, AT(store), 0, 0, NULL, NULL,
     "leave the arrays uncompressed: larger, and faster", DT_PREPARE_FILES},
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "print the summary alone"},
    {"config", "FILE", DT_OPTION_TEXT, AT(config), 0, 0, NULL, NULL,
     "read options from FILE, lines of name = value; the command line wins"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage = "Usage: dtrain prepare TABLE.csv --target COLUMN --out DIR [OPTIONS]\n\n"
             "Makes DIR/train.npz, validation.npz and test.npz from a table of text, and\n"
             "recipe.json, which says how: numbers are scaled, categories become 0 and 1, all\n"
             "by what the training rows alone say. TABLE may be compressed with gzip; - is\n"
             "stdin. `dtrain train DIR` goes on from there.",
};

const dt_option_table *dt_prepare_options(void)
{
    return &table;
}

dt_status dt_prepare_check(const dt_option_table *in, const void *settings,
                           const dt_prepare_settings *prepare)
{
    static const char *const others[] = {"split", "split-by", "validation-split", "test-split"};
    for (size_t i = 0; prepare->split_column[0] != '\0' && i < sizeof others / sizeof *others; i++)
        if (dt_options_given(in, settings, others[i]))
            return dt_fail(DT_USAGE, "--%s was given, but --split-column says the sets", others[i]);
    if (prepare->split_by[0] != '\0' && dt_options_given(in, settings, "split"))
        return dt_fail(DT_USAGE, "--split was given, but --split-by divides the rows by groups");
    return DT_OK;
}

dt_status dt_prepare_parse(dt_prepare_settings *out, const char **path, int argc, char **argv)
{
    dt_status status = DT_OK;
    int words = 0;
    memset(out, 0, sizeof *out);
    dt_options_set_defaults(&table, out);
    DT_TRY(dt_options_parse_words(&table, out, argc, argv, &words));
    if (out->config[0] != '\0')
        DT_TRY(dt_options_parse_file(&table, out, out->config));
    DT_TRY(dt_preset_prepare(&table, out, (dt_preset)out->preset));
    if (words != 1)
        DT_TRY(words > 1 ? dt_fail(DT_USAGE,
                                   "dtrain prepare takes one table, not %d words: '%s', '%s'%s; "
                                   "join tables in one file (a header that is repeated is left "
                                   "out), and check that each option has its value, if only ''",
                                   words, argv[0], argv[1], words > 2 ? " ..." : "")
                         : dt_fail(DT_USAGE, "dtrain prepare takes a table; --help says more"));
    *path = argv[0];
    if (out->out[0] == '\0')
        DT_TRY(dt_fail(DT_USAGE, "--out DIR is needed: the folder for the results"));
    DT_TRY(dt_prepare_check(&table, out, out));
out:
    return status;
}
