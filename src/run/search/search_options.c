/* The options of a search. */
#include "search_internal.h"

#include "dtrain/base/memory.h"

#include <stdio.h>
#include <string.h>

#define AT(field) offsetof(dt_search_settings, field)

static const dt_option options[] = {
    {"space", "FILE", DT_OPTION_TEXT, AT(space), 0, 0, NULL, NULL,
     "settings that the trials vary, with lines such as hidden = 64 | 256,256, learning-rate = log "
     "1e-4 .. 1e-2, dropout = 0 .. 0.5 in 6"},
    {"trials", "N", DT_OPTION_INT, AT(trials), 1, DT_TRIALS_MAX, NULL, "20",
     "number of trials; a grid uses all its points"},
    {"sample", "NAME", DT_OPTION_CHOICE, AT(sampling), 0, 0, "random|grid", "random",
     "random: each trial draws its values, by --seed; grid: every combination of the values"},
    {"halving", "N", DT_OPTION_INT, AT(halving), 0, 100, NULL, "0",
     "train all trials for a few epochs, then continue with the best one in N, until one has all "
     "--epochs; 0: train all trials to their end"},
    {"ranks-per-trial", "N", DT_OPTION_INT, AT(ranks_per_trial), 0, 1 << 20, NULL, "0",
     "number of ranks that train a trial together, a divisor of the number of ranks; does not "
     "change the results. 0: as few as memory permits, or more if that is faster: with fewer "
     "trials than ranks, and large networks and steps"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage = "Usage: dtrain search DATA --space FILE [OPTIONS]\n"
             "       mpirun -np 8 dtrain search DATA --space FILE [OPTIONS]\n"
             "       mpirun -np 8 dtrain search --resume FOLDER\n"
             "\n"
             "Trains many networks that differ in some settings, on groups of ranks, and\n"
             "keeps all of them: FOLDER/trial-N is the folder of a run, FOLDER/best the best\n"
             "one, and search.h5 the table of all. The result is the same on any number of\n"
             "ranks. All options of `dtrain train` apply to all trials.",
};

const dt_option_table *dt_search_options(void)
{
    return &table;
}

static bool is_own(const char *word)
{
    const size_t length = strcspn(word, "=");
    for (size_t i = 0; i < table.count; i++)
        if (strlen(options[i].name) == length && strncmp(word, options[i].name, length) == 0)
            return true;
    return false;
}

/* Moves the search's own options, and their values, behind the others. Returns where they begin. */
static int part(int argc, char **argv, char **own)
{
    int others = 0, count = 0;
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        const bool mine = !only_words && strncmp(argv[i], "--", 2) == 0 && is_own(argv[i] + 2);
        only_words = only_words || strcmp(argv[i], "--") == 0;
        if (!mine) {
            argv[others++] = argv[i];
            continue;
        }
        own[count++] = argv[i];
        if (strchr(argv[i], '=') == NULL && i + 1 < argc)
            own[count++] = argv[++i];
    }
    for (int i = 0; i < count; i++)
        argv[others + i] = own[i];
    return others;
}

dt_status dt_search_parse(dt_search_settings *out, dt_settings *run, int argc, char **argv)
{
    dt_status status = DT_OK;
    char **own = NULL;
    int words = 0;
    memset(out, 0, sizeof *out);
    dt_options_set_defaults(&table, out);
    DT_TRY(dt_memory_alloc(&own, (size_t)argc, sizeof *own, "words of the command line"));
    const int others = part(argc, argv, own);
    DT_TRY(dt_options_parse_words(&table, out, argc - others, argv + others, &words));
    DT_TRY(dt_settings_parse(run, others, argv));
    if (out->halving == 1)
        DT_TRY(
            dt_fail(DT_USAGE, "--halving is 1, which drops no trial; expected 0, or 2 and more"));
out:
    dt_memory_free(own);
    return status;
}
