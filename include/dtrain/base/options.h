#ifndef DTRAIN_BASE_OPTIONS_H
#define DTRAIN_BASE_OPTIONS_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * One table of options drives the command line, the configuration file, --help, the banner and the
 * attributes of the log. Values are members of a settings struct of plain data, so that rank 0 can
 * parse and the other ranks get the struct. All calls are local.
 */
typedef enum dt_option_kind {
    DT_OPTION_FLAG, /* bool */
    DT_OPTION_INT, /* int64_t, within [minimum, maximum] */
    DT_OPTION_FLOAT, /* double, within [minimum, maximum]; NaN is "none", if that is the default */
    DT_OPTION_TEXT, /* char[DT_OPTION_TEXT_BYTES] */
    DT_OPTION_WORDS, /* as TEXT: words separated by commas; a repeated option adds words */
    DT_OPTION_CHOICE, /* int: the index among `choices` */
    DT_OPTION_CHOICES, /* dt_option_list of such indices, one or more, separated by commas */
    DT_OPTION_LIST, /* dt_option_list, each within [minimum, maximum]; "none" is the empty list,
                       and so is 0 of "hidden" */
    /* Times as dt_text_duration reads them, in seconds within [minimum, maximum]; only "never"
     * means 0, and it is allowed with any minimum. */
    DT_OPTION_DURATION, /* double */
    DT_OPTION_INTERVAL /* dt_option_interval: a time, or a whole number of epochs */
} dt_option_kind;

enum {
    DT_OPTION_TEXT_BYTES = 1024,
    DT_OPTION_LIST_MAX = 64,
    DT_OPTION_MAX = 128,
    DT_OPTION_EPOCHS_MAX = 1 << 30
};

/** Which options of a table were given. */
typedef struct dt_option_set {
    uint64_t words[DT_OPTION_MAX / 64];
} dt_option_set;

typedef struct dt_option_list {
    size_t count;
    size_t values[DT_OPTION_LIST_MAX];
} dt_option_list;

/** An interval: one of the two is above 0; both are 0 for never. */
typedef struct dt_option_interval {
    double seconds;
    int64_t epochs;
} dt_option_interval;

typedef struct dt_option {
    const char *name; /* "learning-rate", without dashes */
    const char *argument; /* name of the value in --help; NULL for flags */
    dt_option_kind kind;
    size_t offset; /* of the value in the settings struct */
    double minimum, maximum;
    const char *choices; /* "val_loss|val_accuracy" */
    /* The default as text; NULL for flags and empty texts; a time is written as dt_options_format
     * writes it: "10min", not "600s". */
    const char *fallback;
    const char *help;
    unsigned flags; /* their meaning is the table's; 0: none */
    const char *group; /* heading in --help above the first option of a group: "Network"; else
                        * NULL */
} dt_option;

/** A table, and the usage that explains the words which are not options. */
typedef struct dt_option_table {
    const dt_option *options;
    size_t count;
    const char *usage; /* "dtrain [train] [options] [DATA...]" and what follows it in --help */
    size_t given; /* offset of a dt_option_set in the settings */
} dt_option_table;

/** One row of a preset; a preset is a name for the values of several options. */
typedef struct dt_option_preset {
    int preset; /* number of the preset, chosen by the caller */
    const char *option, *value;
} dt_option_preset;

/** Sets every option to its default and marks none as given. */
void dt_options_set_defaults(const dt_option_table *table, void *settings);

/**
 * Parses the words of a command line: --name value, --name=value, --flag.
 *
 * Words that are not options are moved to the front of argv; there are *word_count of them. Every
 * word after "--" is such a word.
 *
 * Errors:  DT_USAGE, one sentence: unknown (with the nearest name), value missing, not a number,
 * out of range, no such choice
 */
DT_MUST_USE dt_status dt_options_parse_words(const dt_option_table *table, void *settings, int argc,
                                             char **argv, int *word_count);

/** Returns the index of the option with exactly this name; table->count if there is none. */
size_t dt_options_index(const dt_option_table *table, const char *name);

/**
 * Finds an option by its name, in which _ counts as -, or by another program's name for the same
 * thing, as "lr" for "learning-rate": its index in the table.
 *
 * Errors:  DT_USAGE: unknown, with the nearest name, or a hint if other programs have such an
 * option; *out = table->count
 */
DT_MUST_USE dt_status dt_options_find(size_t *out, const dt_option_table *table, const char *given);

/** Returns the value that another program's value of this option means here ("none" for 0 of
 * "hidden"); `value` itself if it is ours. */
const char *dt_options_own_value(const dt_option *option, const char *value);

/** Handles one line `name = value` of a file; both are trimmed. */
typedef dt_status dt_options_line(void *context, const char *name, const char *value);

/**
 * Reads lines `name = value` of the file that `option` ("--config") names, and calls `take` for
 * each until one fails; # at the beginning of a word starts a comment.
 *
 * Errors:  DT_USAGE with file and line, also if a line is longer than 2047 bytes or the file cannot
 *          be read; the errors of `take`, also with file and line
 */
DT_MUST_USE dt_status dt_options_read_file(const char *option, const char *path,
                                           dt_options_line *take, void *context);

/**
 * Reads lines `name = value`; # at the beginning of a word starts a comment. Options that were
 * already given keep their value, so that the command line, which is parsed first, wins.
 *
 * Errors:  DT_USAGE as dt_options_read_file
 */
DT_MUST_USE dt_status dt_options_parse_file(const dt_option_table *table, void *settings,
                                            const char *path);

/**
 * Sets an option as if it had been given with this value; `name` is in the table.
 *
 * Errors:  DT_USAGE as dt_options_parse_words
 */
DT_MUST_USE dt_status dt_options_set(const dt_option_table *table, void *settings, const char *name,
                                     const char *value);

/**
 * Sets the options of a preset, as if its values were the defaults: options that were given keep
 * their value, and the others do not become given. Call it after all parsing.
 *
 * Words for single columns (COLUMN=METHOD) are added to the preset's words instead of replacing
 * them.
 *
 * `rows`, [count], may have rows of other presets.
 *
 * Errors:  DT_USAGE as dt_options_parse_words
 */
DT_MUST_USE dt_status dt_options_apply_preset(const dt_option_table *table, void *settings,
                                              const dt_option_preset *rows, size_t count,
                                              int preset);

/**
 * Sets an option's value from text, without a table. With `again`, words are appended to a list
 * instead of replacing it.
 *
 * Errors:  DT_USAGE as dt_options_parse_words
 */
DT_MUST_USE dt_status dt_options_parse_value(const dt_option *option, void *settings,
                                             const char *text, bool again);

/** Returns whether an option has its default. Flags have none. */
bool dt_options_is_fallback(const dt_option *option, const void *settings);

/** Returns whether the option of this name was given. */
bool dt_options_given(const dt_option_table *table, const void *settings, const char *name);

/** Writes an option's name as in logs, with underscores instead of dashes; returns `out`. */
const char *dt_options_log_name(char out[64], const dt_option *option);

/** Returns whether logs have an option under this name. */
bool dt_options_has_log_name(const dt_option *option, const char *log_name);

/**
 * Formats an option's value as it is written on the command line; returns `out`. A time ("10min",
 * "90s", "1.5h", "never") is parsed back to the same double.
 */
const char *dt_options_format(char *out, size_t bytes, const dt_option *option,
                              const void *settings);

/**
 * Prints to stdout the usage, then all options in groups, each with its help, choices and default.
 */
void dt_options_print_help(const dt_option_table *table);

#endif
