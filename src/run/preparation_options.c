#include "dtrain/run/preparation.h"

#include "dtrain/run/preset.h"

#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(dt_prepare_settings, field)
#define LARGEST_INT 9007199254740991.0 /* 2^53 - 1: what a double counts to */

static const dt_option options[] = {
    {"target", "COLUMN", DT_OPTION_TEXT, AT(target), 0, 0, NULL, NULL,
     "column to predict; several columns if they are numbers, for example price,rent"},
    {"task", "NAME", DT_OPTION_CHOICE, AT(task), 0, 0, "auto|classification|regression", "auto",
     "type of the target: classes or values; auto: values for several columns, and for numbers "
     "that are not all whole or mostly different"},
    {"weights", "COLUMN", DT_OPTION_TEXT, AT(weights), 0, 0, NULL, NULL,
     "column of row weights, 0 or larger; not an input. Training counts each row with its weight"},
    {"id", "COLUMN", DT_OPTION_TEXT, AT(id), 0, 0, NULL, NULL,
     "column that names the rows; not an input. `dtrain prepare` writes it as an array id"},
    {"out", "DIR", DT_OPTION_TEXT, AT(out), 0, 0, NULL, NULL, "folder of the results"},
    {"preset", "NAME", DT_OPTION_CHOICE, AT(preset), 0, 0, DT_PRESET_NAMES, "tutorial",
     "defaults: tutorial, the values shown below; tabular, --scale clipped --fill "
     "median-indicator,category, for train --preset tabular. Other options override the preset"},
    {"drop", "COLUMNS", DT_OPTION_WORDS, AT(drop), 0, 0, NULL, NULL,
     "columns to drop, for example id,duration,\"a, b\",#7; columns with only one value are always "
     "dropped"},
    {"numeric", "COLUMNS", DT_OPTION_WORDS, AT(numeric), 0, 0, NULL, NULL,
     "columns to use as numbers"},
    {"categorical", "COLUMNS", DT_OPTION_WORDS, AT(categorical), 0, 0, NULL, NULL,
     "columns to use as categories, for example day,month"},
    {"scale", "LIST", DT_OPTION_WORDS, AT(scale), 0, 0, NULL, "standard",
     "scaling of numbers: " DT_SCALE_NAMES
     ", or COLUMN=METHOD, for example standard,balance=log; clipped: robust, with outliers "
     "compressed smoothly to -3 ... 3"},
    {"fill", "LIST", DT_OPTION_WORDS, AT(fill), 0, 0, NULL, "error",
     "method for missing cells: error; drop (the row); for numbers mean, median, indicator and "
     "median-indicator (mean or median, and an input that is 1 if the number is missing); for "
     "categories category (one of its own); for both mode. One method for numbers and one for "
     "categories, or COLUMN=METHOD, for example median,category,age=mean"},
    {"missing", "LIST", DT_OPTION_WORDS, AT(missing), 0, 0, NULL, NULL,
     "more cells, in any column, that mean a missing value, for example ?,unknown; besides empty "
     "cells and " DT_MISSING_TEXTS},
    {"missing-only", "LIST", DT_OPTION_WORDS, AT(missing_only), 0, 0, NULL, DT_MISSING_TEXTS,
     "cells that mean a missing value, instead of that list; '': only empty cells"},
    {"on-error", "NAME", DT_OPTION_CHOICE, AT(skips), 0, 0, "stop|skip", "stop",
     "for a row with fewer or more fields than the header, or a misplaced quote: stop, or skip the "
     "row"},
    {"unseen", "NAME", DT_OPTION_CHOICE, AT(unseen), 0, 0, DT_UNSEEN_NAMES, "ignore",
     "for a category that no training row has: ignore it, or stop with an error"},
    {"max-categories", "N", DT_OPTION_INT, AT(max_categories), 2, 1000000, NULL, "1000",
     "maximum number of categories of a column; each is an input and takes 4 bytes a row in "
     "training. The rarest ones beyond it are joined"},
    {"validation-split", "F", DT_OPTION_FLOAT, AT(validation_split), 0, 1e15, NULL, "0.1",
     "rows for validation: a share below 1, or a number of rows"},
    {"test-split", "F", DT_OPTION_FLOAT, AT(test_split), 0, 1e15, NULL, "0.1",
     "rows for testing: a share below 1, or a number of rows"},
    {"split", "NAME", DT_OPTION_CHOICE, AT(split), 0, 0, DT_SPLIT_NAMES, "stratified",
     "how rows are split: stratified, at random in each class (values: random); random; ordered, "
     "in the order of the table"},
    {"split-column", "COLUMN", DT_OPTION_TEXT, AT(split_column), 0, 0, NULL, NULL,
     "column whose cells are train, validation or test"},
    {"split-by", "COLUMN", DT_OPTION_TEXT, AT(split_by), 0, 0, NULL, NULL,
     "column of groups, for example customers: rows of a group go to the same set; not an input "
     "unless --numeric or --categorical names it"},
    {"drop-duplicates", NULL, DT_OPTION_FLAG, AT(drop_duplicates), 0, 0, NULL, NULL,
     "keep only the first of rows with the same inputs, targets and weight"},
    {"seed", "N", DT_OPTION_INT, AT(seed), 0, LARGEST_INT, NULL, "1", "seed of the split"},
    {"separator", "NAME", DT_OPTION_CHOICE, AT(separator), 0, 0, DT_CSV_SEPARATOR_NAMES, "auto",
     "separator of the cells; space: one or more blanks"},
    {"decimal", "LIST", DT_OPTION_WORDS, AT(decimal), 0, 0, NULL, "auto",
     "decimal sign of numbers: auto, point, comma, or COLUMN=SIGN, for example point,price=comma"},
    {"thousands", "LIST", DT_OPTION_WORDS, AT(thousands), 0, 0, NULL, "auto",
     "thousands separator of numbers: auto, none, comma, point, space, quote, or COLUMN=SIGN"},
    {"dates", "LIST", DT_OPTION_WORDS, AT(dates), 0, 0, NULL, "auto",
     "form of dates: auto, none (there are no dates), ymd, dmy, mdy, ym, my, time, or "
     "COLUMN=ORDER, for example signup=dmy"},
    {"encoding", "NAME", DT_OPTION_CHOICE, AT(encoding), 0, 0, DT_CSV_ENCODING_NAMES, "auto",
     "encoding of the text; auto: UTF-8, or Windows-1252 if it is not UTF-8"},
    {"header", "NAME", DT_OPTION_CHOICE, AT(header), 0, 0, DT_CSV_HEADER_NAMES, "auto",
     "whether the first line names the columns; auto: yes unless it looks like the rows below"},
    {"columns", "NAMES", DT_OPTION_WORDS, AT(columns), 0, 0, NULL, NULL,
     "names of all columns, instead of those in the header"},
    {"skip-lines", "N", DT_OPTION_INT, AT(skip_lines), 0, 1e6, NULL, "0",
     "number of lines to skip at the beginning of the file; lines with # above the header are "
     "always skipped"},
    {"store", NULL, DT_OPTION_FLAG, AT(store), 0, 0, NULL, NULL,
     "do not compress the arrays: larger files, faster", DT_PREPARE_FILES},
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "print only the summary"},
    {"config", "FILE", DT_OPTION_TEXT, AT(config), 0, 0, NULL, NULL,
     "read options from FILE, with lines name = value; the command line overrides them"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage = "Usage: dtrain prepare TABLE.csv --target COLUMN --out DIR [OPTIONS]\n"
             "\n"
             "Writes DIR/train.npz, validation.npz and test.npz from a table of text, and\n"
             "recipe.json with the preprocessing: numbers are scaled, and categories become\n"
             "inputs of 0 and 1. Only the training rows determine the recipe. TABLE may be\n"
             "compressed with gzip; - is stdin. The next step is `dtrain train DIR`.",
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
            return dt_fail(
                DT_USAGE, "--%s was given, but --split-column defines the sets; remove one of them",
                others[i]);
    if (prepare->split_by[0] != '\0' && dt_options_given(in, settings, "split"))
        return dt_fail(
            DT_USAGE,
            "--split was given, but --split-by divides the rows by groups; remove one of them");
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
                                   "join tables in one file (repeated headers are skipped), and "
                                   "check that each option has its value, which may be ''",
                                   words, argv[0], argv[1], words > 2 ? " ..." : "")
                         : dt_fail(DT_USAGE,
                                   "dtrain prepare requires a table; see dtrain prepare --help"));
    *path = argv[0];
    if (out->out[0] == '\0')
        DT_TRY(dt_fail(DT_USAGE, "--out DIR is required: the folder for the results"));
    DT_TRY(dt_prepare_check(&table, out, out));
out:
    return status;
}
