#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/options.h"
#include "scratch_folder.h"

#include <math.h>

typedef struct settings {
    dt_option_set given;
    bool quiet, dry;
    int64_t batch;
    double rate;
    char out[DT_OPTION_TEXT_BYTES];
    int color;
    dt_option_list hidden, shades;
    char drop[DT_OPTION_TEXT_BYTES];
    double limit, least;
    dt_option_interval every;
} settings;

#define AT(field) offsetof(settings, field)

static const dt_option options[] = {
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "say less"},
    {"dry", NULL, DT_OPTION_FLAG, AT(dry), 0, 0, NULL, NULL, "do nothing"},
    {"batch", "N", DT_OPTION_INT, AT(batch), 1, 1000, NULL, "100", "rows"},
    {"rate", "F", DT_OPTION_FLOAT, AT(rate), 1e-30, 10, NULL, "0.001", "of learning"},
    {"out", "DIR", DT_OPTION_TEXT, AT(out), 0, 0, NULL, NULL, "folder"},
    {"color", "NAME", DT_OPTION_CHOICE, AT(color), 0, 0, "red|green|blue", "green", "of lines"},
    {"hidden", "LIST", DT_OPTION_LIST, AT(hidden), 1, 512, NULL, "30", "units"},
    {"drop", "WORDS", DT_OPTION_WORDS, AT(drop), 0, 0, NULL, "a", "columns"},
    {"limit", "TIME", DT_OPTION_DURATION, AT(limit), 1, 86400, NULL, "never", "stop after it"},
    {"every", "TIME|N", DT_OPTION_INTERVAL, AT(every), 0, 86400, NULL, "10min", "save so often"},
    {"shades", "NAME", DT_OPTION_CHOICES, AT(shades), 0, 0, "light|dark", "dark", "of colors"},
    {"least", "F", DT_OPTION_FLOAT, AT(least), -5, 5, NULL, "none", "a number, or none"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .usage = "Usage: test",
    .given = AT(given),
};

enum { MAX_WORDS = 20 };

static settings parsed;
static char *words[MAX_WORDS];
static int word_count;

/* Parses a command line, given as words with one space in between. */
static dt_status parse(const char *line)
{
    static char copy[4096];
    int argc = 0;
    (void)snprintf(copy, sizeof copy, "%s", line);
    dt_options_set_defaults(&table, &parsed);
    for (char *word = copy; word != NULL && *word != '\0' && argc < MAX_WORDS;) {
        char *space = strchr(word, ' ');
        words[argc++] = word;
        if (space != NULL)
            *space++ = '\0';
        word = space;
    }
    return dt_options_parse_words(&table, &parsed, argc, words, &word_count);
}

static void check_refused(const char *line, const char *text)
{
    assert_int_equal(parse(line), DT_USAGE);
    if (strstr(dt_status_text(), text) == NULL)
        fail_msg("%s: no \"%s\" in: %s", line, text, dt_status_text());
}

static bool is(double value, double expected)
{
    return fabs(value - expected) <= 0;
}

static void test_defaults(void **state)
{
    (void)state;
    memset(&parsed, 0xFF, sizeof parsed);
    assert_int_equal(parse(""), DT_OK);
    assert_false(parsed.quiet || parsed.dry);
    assert_int_equal(parsed.batch, 100);
    assert_true(is(parsed.rate, 0.001));
    assert_string_equal(parsed.out, "");
    assert_int_equal(parsed.color, 1);
    assert_int_equal(parsed.hidden.count, 1);
    assert_int_equal(parsed.hidden.values[0], 30);
    assert_true(is(parsed.limit, 0) && isnan(parsed.least));
    assert_true(is(parsed.every.seconds, 600) && parsed.every.epochs == 0);
    assert_int_equal(parsed.given.words[0], 0);
    assert_int_equal(word_count, 0);
}

/* A list of words is added to, not replaced; the default is replaced. A text is replaced. */
static void test_words_add_up(void **state)
{
    (void)state;
    char long_line[2 * DT_OPTION_TEXT_BYTES];
    assert_int_equal(parse(""), DT_OK);
    assert_string_equal(parsed.drop, "a");
    assert_int_equal(parse("--drop b,c --out x --drop=d --drop= --out y"), DT_OK);
    assert_string_equal(parsed.drop, "b,c,d");
    assert_string_equal(parsed.out, "y");
    (void)snprintf(long_line, sizeof long_line, "--drop %0600d --drop %0421d", 0, 0);
    assert_int_equal(parse(long_line), DT_OK);
    (void)snprintf(long_line, sizeof long_line, "--drop %0600d --drop %0423d", 0, 0);
    check_refused(long_line, "--drop is longer than 1023 bytes");
}

static void test_a_number_or_none(void **state)
{
    (void)state;
    static const char *const lines[] = {"--least 0", "--least -1.5", "--least none"};
    static const char *const texts[] = {"0", "-1.5", "none"};
    const dt_option *least = options;
    char text[64];
    while (strcmp(least->name, "least") != 0)
        least++;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(parse(lines[i]), DT_OK);
        assert_true(dt_options_given(&table, &parsed, "least"));
        assert_string_equal(dt_options_format(text, sizeof text, least, &parsed), texts[i]);
    }
    check_refused("--least some", "--least takes a number, or none, not 'some'");
    check_refused("--least nan", "--least takes a number, or none, not 'nan'");
    check_refused("--least 6", "--least is 6, but must be between -5 and 5");
    check_refused("--rate none", "--rate takes a number, not 'none'");
}

static void test_both_ways_to_write_a_value(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "--batch 7 --rate 2.5 --out some/where --color blue --hidden 64,32 --quiet",
        "--batch=7 --rate=2.5 --out=some/where --color=blue --hidden=64,32 --quiet=yes",
        "--quiet=on --dry=no --hidden 64,32 --batch=7 --color=blue --rate 2.5 --out=some/where"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(parse(lines[i]), DT_OK);
        assert_true(parsed.quiet && !parsed.dry);
        assert_int_equal(parsed.batch, 7);
        assert_true(is(parsed.rate, 2.5));
        assert_string_equal(parsed.out, "some/where");
        assert_int_equal(parsed.color, 2);
        assert_int_equal(parsed.hidden.count, 2);
        assert_int_equal(parsed.hidden.values[0], 64);
        assert_int_equal(parsed.hidden.values[1], 32);
        assert_true(dt_options_given(&table, &parsed, "batch"));
        assert_int_equal(dt_options_given(&table, &parsed, "dry"), i == 2);
    }
}

static void test_values_at_their_edges(void **state)
{
    (void)state;
    assert_int_equal(parse("--batch 1 --rate 10 --hidden 1,512 --out="), DT_OK);
    assert_int_equal(parse("--batch 1000 --rate 1e-30 --hidden none"), DT_OK);
    assert_int_equal(parsed.hidden.count, 0);
    assert_int_equal(parse("--batch 3 --batch 7"), DT_OK);
    assert_int_equal(parsed.batch, 7); /* the last one counts */
    check_refused("--batch 0", "--batch is 0, but must be between 1 and 1000");
    check_refused("--batch 1001", "--batch is 1001, but must be between 1 and 1000");
    check_refused("--batch -5", "--batch is -5, but");
    check_refused("--batch 99999999999999999999999", "must be between 1 and 1000");
    check_refused("--rate 10.1", "--rate is 10.1, but");
    check_refused("--rate 0", "--rate is 0, but must be between 1e-30 and 10");
    check_refused("--rate inf", "--rate is inf, but");
    check_refused("--rate 1e999", "--rate is 1e999, but");
    check_refused("--hidden 5,0", "--hidden is 0, but must be between 1 and 512");
    check_refused("--hidden 513", "--hidden is 513, but");
}

static void test_what_is_no_value(void **state)
{
    (void)state;
    check_refused("--batch ten", "--batch takes a whole number, not 'ten'");
    check_refused("--batch 1.5", "--batch takes a whole number, not '1.5'");
    check_refused("--batch 12x", "--batch takes a whole number, not '12x'");
    check_refused("--batch=", "--batch takes a whole number, not ''");
    check_refused("--rate fast", "--rate takes a number, not 'fast'");
    check_refused("--rate nan", "--rate takes a number, not 'nan'");
    check_refused("--color pink", "--color takes one of red|green|blue, not 'pink'");
    check_refused("--color re", "not 're'");
    check_refused("--color red|green", "not 'red|green'");
    check_refused("--color=", "not ''");
    check_refused("--quiet=maybe", "--quiet takes yes or no, not 'maybe'");
    check_refused("--color gren", "not 'gren'; did you mean green?");
    check_refused("--shades light,", "--shades takes one of light|dark, not ''");
    check_refused("--shades none", "--shades takes one of light|dark, not 'none'");
    check_refused("--shades dark,grey", "--shades takes one of light|dark, not 'grey'");
    check_refused("--hidden 5,,6", "--hidden takes a whole number, not ''");
    check_refused("--hidden 5,6,", "--hidden takes a whole number, not ''");
    check_refused("--hidden=", "--hidden takes a whole number, not ''");
    check_refused("--hidden 123456789012345678901234567890123", "--hidden takes whole numbers");
}

static void test_durations(void **state)
{
    (void)state;
    assert_int_equal(parse("--limit 90s"), DT_OK);
    assert_true(is(parsed.limit, 90));
    assert_int_equal(parse("--limit=1-00:00:00 --every 00:10:00"), DT_OK);
    assert_true(is(parsed.limit, 86400) && is(parsed.every.seconds, 600));
    assert_int_equal(parse("--limit 1s --limit never"), DT_OK);
    assert_true(is(parsed.limit, 0)); /* below the minimum, and still allowed */
    check_refused("--limit 90", "--limit 90 needs a unit, as 90s, 10min, 1.5h");
    check_refused("--limit 1.5", "--limit 1.5 needs a unit, as");
    check_refused("--limit 0", "--limit 0 needs a unit, as");
    check_refused("--limit 0s", "--limit is 0s, but must be above 0s, or never");
    check_refused("--every 0.0h", "--every is 0.0h, but must be above 0s, or never");
    check_refused("--every 1e-999s", "--every is 1e-999s, but must be above 0s, or never");
    check_refused("--limit 00:00:00", "--limit is 00:00:00, but must be above 0s, or never");
    check_refused("--limit 0.5s", "--limit is 0.5s, but must be between 1s and 1d");
    check_refused("--limit 25h", "--limit is 25h, but must be between 1s and 1d");
    check_refused("--limit 1-00:00:01", "--limit is 1-00:00:01, but must be between 1s and 1d");
    static const char *const wrong[] = {"",       "soon",  "-5s",   "+5s",  "10minutes",
                                        "10min,", "10m",   "nan",   "infs", "1e999h",
                                        "10:00",  "Never", "never "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[128];
        (void)snprintf(
            text, sizeof text,
            "--limit takes a time, as 90s, 10min, 1.5h, 2d, HH:MM:SS, or never, not '%s'",
            wrong[i]);
        dt_options_set_defaults(&table, &parsed);
        assert_int_equal(dt_options_set(&table, &parsed, "limit", wrong[i]), DT_USAGE);
        assert_string_equal(dt_status_text(), text);
        assert_int_equal(dt_options_set(&table, &parsed, "every", wrong[i]), DT_USAGE);
    }
    check_refused("--every soon", "2d, HH:MM:SS, a whole number of epochs, or never, not 'soon'");
}

static void test_intervals(void **state)
{
    (void)state;
    assert_int_equal(parse("--every 5"), DT_OK);
    assert_true(is(parsed.every.seconds, 0) && parsed.every.epochs == 5);
    assert_int_equal(parse("--every 5 --every 5s"), DT_OK); /* nothing of the first is left */
    assert_true(is(parsed.every.seconds, 5) && parsed.every.epochs == 0);
    assert_int_equal(parse("--every 5s --every 1073741824"), DT_OK);
    assert_true(is(parsed.every.seconds, 0) && parsed.every.epochs == 1 << 30);
    assert_int_equal(parse("--every never"), DT_OK);
    assert_true(is(parsed.every.seconds, 0) && parsed.every.epochs == 0);
    check_refused("--every 0", "--every is 0 epochs, but must be between 1 and 1073741824, or");
    check_refused("--every 1073741825", "--every is 1073741825 epochs, but must be between 1 and");
    check_refused("--every 99999999999999999999", "epochs, but must be between 1 and 1073741824");
    check_refused("--every -5", "a whole number of epochs, or never, not '-5'");
    check_refused("--every 1.5", "--every 1.5 needs a unit");
    check_refused("--every 5x", "a whole number of epochs, or never, not '5x'");
    check_refused("--every 2d", "--every is 2d, but must be between 0s and 1d");
}

static void test_missing_value(void **state)
{
    (void)state;
    check_refused("--quiet --batch", "--batch needs a value: --batch N");
    check_refused("--out", "--out needs a value: --out DIR");
}

static void test_unknown_names(void **state)
{
    (void)state;
    check_refused("--bacth 3", "unknown option --bacth; did you mean --batch?");
    check_refused("--colour red", "unknown option --colour; did you mean --color?");
    check_refused("--quite", "did you mean --quiet?");
    check_refused("--something-else 3", "unknown option --something-else; --help lists them");
    check_refused("--batc 3",
                  "unknown option --batc; did you mean --batch?"); /* no abbreviations */
    check_refused("--bat 3", "unknown option --bat; --help lists them"); /* too short to guess */
    check_refused("-b 3", "unknown option -b; options begin with two dashes, --help lists them");
    check_refused("--a-name-that-is-far-longer-than-any-option-and-any-buffer-for-one-could-be 3",
                  "--help lists them");
}

/* What users of other programs type: the same thing under another name, or a hint. */
static void test_aliases(void **state)
{
    (void)state;
    assert_int_equal(parse("--batch-size 3 --output here --hidden_layer_sizes 4,5 --silent"),
                     DT_OK);
    assert_int_equal(parsed.batch, 3);
    assert_string_equal(parsed.out, "here");
    assert_int_equal(parsed.hidden.count, 2);
    assert_true(parsed.quiet && dt_options_given(&table, &parsed, "batch"));
    assert_int_equal(parse("--batch_size=4 --color GREEN --hidden 0"), DT_OK);
    assert_int_equal(parsed.batch, 4);
    assert_int_equal(parsed.color, 1);
    assert_int_equal(parsed.hidden.count, 0);
    check_refused("--batch-size x", "--batch takes a whole number, not 'x'");
    check_refused("--verbose 1", "unknown option --verbose: each epoch is printed unless --quiet");
    check_refused("--n_jobs 4", "unknown option --n-jobs: mpirun -np N starts N ranks");
    /* This table has no such thing. */
    check_refused("--max-iter 3", "unknown option --max-iter; --help lists them");
    check_refused("--early-stopping", "unknown option --early-stopping; --help lists them");
}

static void test_words(void **state)
{
    (void)state;
    assert_int_equal(parse("data --batch 3 more --quiet - --dry -- --rate -x"), DT_OK);
    assert_int_equal(word_count, 5);
    static const char *const expected[] = {"data", "more", "-", "--rate", "-x"};
    for (int i = 0; i < 5; i++)
        assert_string_equal(words[i], expected[i]);
    assert_true(parsed.quiet && parsed.dry && parsed.batch == 3);
    assert_false(dt_options_given(&table, &parsed, "rate"));
    assert_int_equal(parse("--out -- word"), DT_OK); /* a value is a value */
    assert_string_equal(parsed.out, "--");
    assert_int_equal(word_count, 1);
}

static void test_long_values(void **state)
{
    (void)state;
    char line[2 * DT_OPTION_TEXT_BYTES] = "--out=";
    memset(line + 6, 'x', DT_OPTION_TEXT_BYTES - 1);
    assert_int_equal(parse(line), DT_OK);
    assert_int_equal(strlen(parsed.out), DT_OPTION_TEXT_BYTES - 1);
    line[6 + DT_OPTION_TEXT_BYTES - 1] = 'x';
    check_refused(line, "--out is longer than 1023 bytes");
    (void)snprintf(line, sizeof line, "--hidden 1");
    for (int i = 1; i < DT_OPTION_LIST_MAX; i++)
        (void)strcat(line, ",1");
    assert_int_equal(parse(line), DT_OK);
    assert_int_equal(parsed.hidden.count, DT_OPTION_LIST_MAX);
    (void)strcat(line, ",1");
    check_refused(line, "--hidden takes at most 64 numbers");
}

/* ---- files ---- */

static dt_status parse_file(const char *text)
{
    assert_true(scratch_write(scratch_path("config"), text, strlen(text)));
    return dt_options_parse_file(&table, &parsed, scratch_path("config"));
}

static void test_file(void **state)
{
    (void)state;
    assert_int_equal(parse("--rate 3 --quiet=no"), DT_OK);
    assert_int_equal(parse_file("# a comment\n\n  batch = 17   # rows\r\nrate=5\n"
                                "\tout =  with space \nquiet = yes\ndry = yes\nhidden = 4,5\n"
                                "batch = 18\ncolor=red"),
                     DT_OK);
    assert_int_equal(parsed.batch, 18); /* the last line counts */
    assert_true(is(parsed.rate, 3)); /* but the command line wins */
    assert_false(parsed.quiet);
    assert_true(parsed.dry);
    assert_string_equal(parsed.out, "with space");
    assert_int_equal(parsed.color, 0); /* without a newline at its end */
    assert_int_equal(parsed.hidden.count, 2);
    assert_true(dt_options_given(&table, &parsed, "batch"));
}

static void check_file_refused(const char *text, const char *expected)
{
    assert_int_equal(parse(""), DT_OK);
    assert_int_equal(parse_file(text), DT_USAGE);
    if (strstr(dt_status_text(), expected) == NULL)
        fail_msg("no \"%s\" in: %s", expected, dt_status_text());
}

static void test_bad_files(void **state)
{
    (void)state;
    check_file_refused("batch = 3\nbatch\n", "config, line 2: expected 'name = value', found");
    check_file_refused("\n\nbacth = 3\n", "config, line 3: unknown option --bacth; did you mean");
    check_file_refused("rate = 99\n", "config, line 1: --rate is 99, but must be");
    check_file_refused("quiet = perhaps\n", "config, line 1: --quiet takes yes or no");
    check_file_refused("= 3\n", "config, line 1: unknown option");
    assert_int_equal(dt_options_parse_file(&table, &parsed, scratch_path("none")), DT_USAGE);
    assert_non_null(strstr(dt_status_text(), "none: No such file"));
}

/* A line that fits is taken whole, one byte more is refused: nothing is split. */
static void test_long_lines(void **state)
{
    (void)state;
    enum { MOST = 2 * DT_OPTION_TEXT_BYTES - 1 };
    char text[MOST + 64] = "#";
    static const char *const ends[] = {"", "\n", "\nbatch = 7", "\n\nbatch = 7\n"};
    memset(text + 1, 'x', MOST - 1);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        (void)snprintf(text + MOST, sizeof text - MOST, "%s", ends[i]);
        assert_int_equal(parse(""), DT_OK);
        assert_int_equal(parse_file(text), DT_OK);
        assert_true(dt_options_given(&table, &parsed, "batch") == (i > 1));
    }
    (void)snprintf(text + MOST, sizeof text - MOST, "\n\nrate = 99\n");
    check_file_refused(text, "config, line 3: --rate is 99"); /* counted as lines */
    (void)snprintf(text + MOST, sizeof text - MOST, "batch = 7\n");
    check_file_refused(text, "config, line 1: is longer than 2047 bytes");
    (void)snprintf(text + MOST, sizeof text - MOST, "x");
    check_file_refused(text, "config, line 1: is longer than 2047 bytes");
    memmove(text + 1, text, strlen(text) + 1);
    text[0] = '\n';
    check_file_refused(text, "config, line 2: is longer than 2047 bytes");
}

/* What is shown can be typed in again. */
static void test_format(void **state)
{
    (void)state;
    static const char *const values[] = {"yes",   "no",  "7",    "0.125", "a b",        "blue",
                                         "64,32", "b,c", "1.5h", "3",     "light,dark", "none"};
    assert_int_equal(parse("--quiet --batch 7 --rate 0.125 --color blue --hidden 64,32 --drop b,c "
                           "--limit 90min --every 3 --shades light,dark"),
                     DT_OK);
    (void)snprintf(parsed.out, sizeof parsed.out, "a b");
    for (size_t i = 0; i < table.count; i++) {
        char text[64];
        assert_string_equal(dt_options_format(text, sizeof text, &options[i], &parsed), values[i]);
    }
    char text[64], small[4];
    assert_string_equal(dt_options_format(small, sizeof small, &options[6], &parsed), "64,");
    assert_int_equal(parse("--hidden none --rate 0.1 --color red"), DT_OK);
    assert_string_equal(dt_options_format(text, sizeof text, &options[6], &parsed), "none");
    assert_string_equal(dt_options_format(text, sizeof text, &options[3], &parsed), "0.1");
    assert_string_equal(dt_options_format(text, sizeof text, &options[5], &parsed), "red");
    assert_string_equal(dt_options_format(text, sizeof text, &options[8], &parsed), "never");
    assert_string_equal(dt_options_format(text, sizeof text, &options[9], &parsed), "10min");
    assert_string_equal(dt_options_format(small, sizeof small, &options[9], &parsed), "10m");
}

static void test_lists_of_choices(void **state)
{
    (void)state;
    char text[DT_OPTION_TEXT_BYTES];
    const dt_option *option = &options[10];
    assert_int_equal(parse(""), DT_OK);
    assert_string_equal(dt_options_format(text, sizeof text, option, &parsed), "dark");
    assert_int_equal(parse("--shades light,dark,light"), DT_OK);
    assert_int_equal(parsed.shades.count, 3);
    assert_int_equal(parsed.shades.values[1], 1);
    assert_string_equal(dt_options_format(text, sizeof text, option, &parsed), "light,dark,light");
    assert_string_equal(dt_options_format(text, 8, option, &parsed), "light,d");
    char line[16 + 6 * (DT_OPTION_LIST_MAX + 1)] = "--shades light";
    for (int i = 0; i < DT_OPTION_LIST_MAX; i++)
        (void)strcat(line, ",light");
    check_refused(line, "--shades takes at most 64 names");
}

/* ---- presets ---- */

static void test_presets(void **state)
{
    (void)state;
    static const dt_option_preset rows[] = {{1, "batch", "50"},
                                            {2, "batch", "60"},
                                            {1, "drop", "x"},
                                            {1, "hidden", "4,5"},
                                            {1, "quiet", "yes"}};
    static const dt_option_preset unknown = {1, "bacth", "50"}, bad = {1, "batch", "0"};
    assert_int_equal(parse("--hidden 30"), DT_OK); /* given, though it is the default */
    assert_int_equal(dt_options_apply_preset(&table, &parsed, rows, 5, 1), DT_OK);
    assert_int_equal(parsed.batch, 50);
    assert_true(parsed.quiet);
    assert_string_equal(parsed.drop, "x");
    assert_int_equal(parsed.hidden.count, 1);
    assert_false(dt_options_given(&table, &parsed, "batch"));
    assert_int_equal(dt_options_apply_preset(&table, &parsed, rows, 5, 2), DT_OK);
    assert_int_equal(parsed.batch, 60);
    assert_int_equal(dt_options_apply_preset(&table, &parsed, rows, 5, 3), DT_OK);
    assert_int_equal(parsed.batch, 60);
    assert_int_equal(dt_options_apply_preset(&table, &parsed, &unknown, 1, 1), DT_USAGE);
    assert_int_equal(dt_options_apply_preset(&table, &parsed, &bad, 1, 1), DT_USAGE);
}

/* Words of single columns join those of the preset; a word of all columns replaces them. */
static void test_words_of_presets(void **state)
{
    (void)state;
    static const dt_option_preset row = {1, "drop", "x,y"};
    static const char *const cases[][2] = {{"--dry", "x,y"},
                                           {"--drop a=b", "a=b,x,y"},
                                           {"--drop a=b,c=d", "a=b,c=d,x,y"},
                                           {"--drop a=b,c", "a=b,c"},
                                           {"--drop c,a=b", "c,a=b"},
                                           {"--drop c", "c"},
                                           {"--drop=", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i][0]), DT_OK);
        assert_int_equal(dt_options_apply_preset(&table, &parsed, &row, 1, 1), DT_OK);
        assert_string_equal(parsed.drop, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_words_add_up),
        cmocka_unit_test(test_a_number_or_none),
        cmocka_unit_test(test_both_ways_to_write_a_value),
        cmocka_unit_test(test_values_at_their_edges),
        cmocka_unit_test(test_what_is_no_value),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_missing_value),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test_teardown(test_file, scratch_empty),
        cmocka_unit_test_teardown(test_bad_files, scratch_empty),
        cmocka_unit_test_teardown(test_long_lines, scratch_empty),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_words_of_presets),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_lists_of_choices),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
