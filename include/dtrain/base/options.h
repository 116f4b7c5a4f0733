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
    DT_OPTION_WORDS, /* likewise, words between commas; given again, it adds to them */
    DT_OPTION_CHOICE, /* int: the index among `choices` */
    DT_OPTION_CHOICES, /* dt_option_list of such indices, one or more, between commas */
    DT_OPTION_LIST, /* dt_option_list, each within [minimum, maximum]; "none" is the empty list,
                       and so is 0 of "hidden" */
    /* Times as dt_text_duration reads them, in seconds within [minimum, maximum]; "never" is 0
     * whatever the minimum, and the one way to write it. */
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

/** How often something is done: one of the two is above 0, or both are 0, which is never. */
typedef struct dt_option_interval {
    double seconds;
    int64_t epochs;
} dt_option_interval;

typedef struct dt_option {
    const char *name; /* "learning-rate", without dashes */
    const char *argument; /* what --help calls the value; NULL for flags */
    dt_option_kind kind;
    size_t offset; /* of the value in the settings struct */
    double minimum, maximum;
    const char *choices; /* "val_loss|val_accuracy" */
    /* The default, as text; NULL for flags and empty texts; of times as dt_options_format has it:
     * "10min", not "600s". */
    const char *fallback;
    const char *help;
    unsigned flags; /* the table's own meaning; 0: none */
    const char *group; /* of a group's first option: "Network", for --help; NULL: no new group */
} dt_option;

/** A table, and what the words that are no options mean. */
typedef struct dt_option_table {
    const dt_option *options;
    size_t count;
    const char *usage; /* "dtrain [train] [options] [DATA...]" and what follows it in --help */
    size_t given; /* offset of a dt_option_set in the settings */
} dt_option_table;

/** One value of a preset: a name for values of several options. */
typedef struct dt_option_preset {
    int preset; /* the caller's number of the preset */
    const char *option, *value;
} dt_option_preset;

/** Sets every option to its default, and none as given. */
void dt_options_set_defaults(const dt_option_table *table, void *settings);

/**
 * Parses the words of a command line: --name value, --name=value, --flag.
 *
 * The words that are no options are moved to the front of argv, *word_count of them; all that
 * follows "--" is such a word.
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

/** Takes one line `name = value` of a file; both are trimmed. */
typedef dt_status dt_options_line(void *context, const char *name, const char *value);

/**
 * Reads lines `name = value` of a file that `option` ("--config") names, and gives each to `take`
 * until one fails; # at a word's beginning starts a comment.
 *
 * Errors:  DT_USAGE, naming file and line; a line longer than 2047 bytes, an unreadable file too;
 *          those of `take`, likewise
 */
DT_MUST_USE dt_status dt_options_read_file(const char *option, const char *path,
                                           dt_options_line *take, void *context);

/**
 * Reads lines `name = value`; # at a word's beginning starts a comment. Options already given keep
 * their value, so that the command line wins when it is parsed first.
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
 * their value, and none becomes one that was given. Call it after all parsing.
 *
 * Words for single columns (COLUMN=METHOD) do not replace the preset's words, but join them: an
 * option of words that was given without a word for all columns has both.
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

/** Tells whether an option has its default. Flags have none. */
bool dt_options_is_fallback(const dt_option *option, const void *settings);

/** Tells whether the option of this name was given. */
bool dt_options_given(const dt_option_table *table, const void *settings, const char *name);

/** Writes an option's name as logs have it, with underscores for dashes; returns `out`. */
const char *dt_options_log_name(char out[64], const dt_option *option);

/**
 * Formats an option's value as it would be written on the command line; returns `out`. Of a time
 * the very same double comes back: "10min", "90s", "1.5h", "never".
 */
const char *dt_options_format(char *out, size_t bytes, const dt_option *option,
                              const void *settings);

/** Prints usage, then every option with its help, its choices and its default, to stdout; groups
 * under headings. */
void dt_options_print_help(const dt_option_table *table);

#endif
