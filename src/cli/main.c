#include "commands.h"

#include "dtrain/base/log.h"
#include "dtrain/base/signals.h"
#include "dtrain/base/text.h"
#include "dtrain/comm/comm.h"
#include "dtrain/comm/job.h"
#include "dtrain/comm/launch.h"
#include "dtrain/nn/linalg.h"
#include "dtrain/report/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A command, `dtrain WORD ...`. Commands without ranks run without MPI, in milliseconds. */
typedef struct command {
    const char *word, *what;
    void (*help)(void);
    dt_status (*run_alone)(int argc, char **argv);
    dt_status (*run)(const dt_comm *comm, int argc, char **argv);
    bool is_parallel; /* running it on one rank is a mistake if the job has several */
} command;

static const command commands[] = {
    {"train", "train a network (the default command)", dt_cli_train_help, NULL, dt_cli_train, true},
    {"search", "try many settings and keep the best model", dt_cli_search_help, NULL, dt_cli_search,
     true},
    {"prepare", "convert a table of text to arrays", dt_cli_prepare_help, dt_cli_prepare, NULL,
     false},
    {"evaluate", "report the scores of a model on labelled rows", dt_cli_evaluate_help, NULL,
     dt_cli_evaluate, false},
    {"predict", "predict the classes or values of rows", dt_cli_predict_help, NULL, dt_cli_predict,
     false},
    {"explain", "report which columns matter to a model", dt_cli_explain_help, NULL, dt_cli_explain,
     false},
    {"inspect", "show the contents of a file", dt_cli_inspect_help, dt_cli_inspect, NULL, false},
    {"export", "write a model for Keras, ONNX or NumPy", dt_cli_export_help, dt_cli_export, NULL,
     false},
    {"report", "compare runs in tables, plots and HTML", dt_cli_report_help, dt_cli_report, NULL,
     false},
    {"measure", "measure the time of adding gradients over ranks", dt_cli_measure_help, NULL,
     dt_cli_measure, true},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static const command *find_command(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].word) == 0)
            return &commands[i];
    return NULL;
}

/* Lists the commands. */
DT_MUST_USE static dt_status fail_no_command(const char *word)
{
    char list[256];
    size_t used = 0;
    for (size_t i = 0; i < COMMANDS && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                                 commands[i].word);
    return dt_fail(DT_USAGE, "no command, file or folder '%s'; commands are %s", word, list);
}

/* Whether the name of a file here begins with the word: then it may be the prefix of data. */
static bool begins_a_name(const char *word)
{
    bool found = false;
    DIR *folder = opendir(".");
    const struct dirent *entry = NULL;
    while (!found && folder != NULL && (entry = readdir(folder)) != NULL)
        found = strncmp(entry->d_name, word, strlen(word)) == 0;
    if (folder != NULL)
        (void)closedir(folder);
    return found;
}

/* A word that is neither a command nor an existing file is more likely a typing error than data.
 * Only rank 0 can judge this: the hosts of the other ranks may not have its files. */
static dt_status check_word(const char *word)
{
    const char *words[COMMANDS];
    if (word[0] == '-' || access(word, F_OK) == 0)
        return DT_OK;
    for (size_t i = 0; i < COMMANDS; i++)
        words[i] = commands[i].word;
    const size_t nearest = dt_text_nearest(word, words, COMMANDS);
    if (nearest != SIZE_MAX)
        return dt_fail(DT_USAGE, "%s: no such command, file or folder; did you mean dtrain %s?",
                       word, words[nearest]);
    if (word[strspn(word, "abcdefghijklmnopqrstuvwxyz")] != '\0' || begins_a_name(word))
        return DT_OK; /* looks like data, whose reader reports what is missing */
    return fail_no_command(word);
}

/* For `dtrain help WORD`, which starts no ranks. */
static dt_status refuse_word(const char *word)
{
    const dt_status status = fail_no_command(word);
    if (dt_launch_is_first())
        dt_log_error("%s", dt_status_text());
    return status;
}

static void print_commands(void)
{
    printf("Commands (dtrain COMMAND --help explains each):\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].word, commands[i].what);
    printf("Exit status: 0 ok, 1 internal, 2 usage, 3 input data, 4 output, 5 diverged,\n"
           "6 memory, 75 stopped early with a checkpoint.\n"
           "Lines fit $COLUMNS; without it the terminal, or 80 columns.\n\n");
}

static dt_status run_alone(const command *asked, int argc, char **argv)
{
    if (!dt_launch_is_first()) /* mpirun -np 8 dtrain prepare runs once */
        return DT_OK;
    dt_status status = asked->run_alone(argc, argv);
    if (status == DT_OK)
        status = dt_log_check();
    if (status != DT_OK)
        dt_log_error("%s", dt_status_text());
    return status;
}

/* `word` is in the place of a command's name; NULL if it is a command, or if there is no word. */
static dt_status run_on_ranks(const command *asked, const char *word, int argc, char **argv)
{
    dt_comm *comm = NULL;
    dt_log_init(dt_launch_is_first(), false);
    if (asked->run == dt_cli_train ||
        asked->run == dt_cli_search) /* a launcher's signal may come while MPI starts */
        dt_signals_catch_warnings();
    dt_status status = asked->is_parallel ? dt_launch_check_script() : DT_OK;
    if (status == DT_OK)
        status = dt_job_start(&comm);
    if (status != DT_OK) {
        dt_log_error("%s", dt_status_text());
        dt_launch_linger();
        return status;
    }
    const bool root = dt_comm_rank(comm) == 0;
    dt_log_init(root, false);
    status = dt_comm_agree(comm, root && word != NULL ? check_word(word) : DT_OK);
    if (status == DT_OK)
        status = asked->run(comm, argc, argv);
    if (status == DT_OK)
        status = dt_comm_agree(comm, dt_log_check());
    if (status != DT_OK && status != DT_STOPPED) /* this has been reported, and is not an error */
        dt_log_error("%s", dt_status_text());
    dt_job_end(comm);
    return status;
}

/* The next file or socket gets the descriptor of a standard stream that the caller has closed:
 * output would go into that file, and a program that redirects its standard streams would close it.
 * The placeholder cannot be read from (0) or written to (1), as if it were still closed. */
static void occupy_standard_streams(void)
{
    static const int ways[] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            /* cppcheck-suppress leakReturnValNotUsed ; it is there to stay */
            (void)open("/dev/null", ways[fd]);
}

/* Whether OpenBLAS may have to compute: it is named, or the options come from a file. */
static bool may_use_blas(int argc, char **argv)
{
    const char *isa = getenv("DTRAIN_ISA");
    for (int i = 1; i < argc; i++)
        if (strstr(argv[i], "blas") != NULL || strncmp(argv[i], "--config", 8) == 0 ||
            strncmp(argv[i], "--like", 6) == 0 || strncmp(argv[i], "--resume", 8) == 0)
            return true;
    return isa != NULL && strcmp(isa, "blas") == 0;
}

/* Starts this program again. Process id, streams and environment, and so the connection to a
 * launcher, are kept. Returns if it cannot. Under valgrind, /proc/self/exe may be valgrind. */
static void restart(char **argv)
{
    const char *preloaded = getenv("LD_PRELOAD");
    if (preloaded == NULL || strstr(preloaded, "vgpreload") == NULL)
        (void)execv("/proc/self/exe", argv);
}

/* Starts this program again if OpenBLAS does not know the CPU and the user has not set its kernels:
 * OpenBLAS reads OPENBLAS_CORETYPE when it is loaded, before main. */
static void restart_with_better_kernels(int argc, char **argv)
{
    static const char picked[] = "DTRAIN_BLAS_PICKED";
    const char *better = dt_linalg_better_kernels(dt_linalg_kernels());
    if (better == NULL || getenv("OPENBLAS_CORETYPE") != NULL || getenv(picked) != NULL ||
        !may_use_blas(argc, argv))
        return;
    if (setenv(picked, dt_linalg_kernels(), 1) == 0 && setenv("OPENBLAS_CORETYPE", better, 1) == 0)
        restart(argv);
    (void)unsetenv(picked); /* then without */
    (void)unsetenv("OPENBLAS_CORETYPE");
}

/* Starts this program again, without the threads of OpenBLAS, if the address space is limited. When
 * OpenBLAS is loaded, it starts a thread for each CPU, and each thread asks for 128 MiB. A thread
 * that does not get them asks again without end, and at exit the program waits for it. */
static void restart_with_fewer_threads(char **argv)
{
    static const char threads[] = "OPENBLAS_NUM_THREADS";
    const char *set = getenv(threads);
    struct rlimit limit;
    if ((set != NULL && set[0] != '\0') || getrlimit(RLIMIT_AS, &limit) != 0 ||
        limit.rlim_cur == RLIM_INFINITY || setenv(threads, "1", 1) != 0)
        return;
    restart(argv);
    (void)unsetenv(threads);
}

int main(int argc, char **argv)
{
    occupy_standard_streams();
    restart_with_fewer_threads(argv);
    dt_signals_ignore_limits();
    restart_with_better_kernels(argc, argv);
    const bool help = argc > 1 && strcmp(argv[1], "help") == 0;
    if (help) { /* dtrain help COMMAND: as dtrain COMMAND --help */
        argc--;
        argv++;
    }
    const command *asked = find_command(argc, argv);
    const bool named = asked != NULL;
    if (help && !named && argc > 1)
        return (int)refuse_word(argv[1]);
    const int first = named ? 2 : 1;
    if (!named)
        asked = &commands[0];
    const bool asks_for_help = help || has_word(argc, argv, "--help") || has_word(argc, argv, "-h");
    const bool asks_for_version = has_word(argc, argv, "--version") || has_word(argc, argv, "-V");
    /* Once, also under a launcher. */
    if (asks_for_version || asks_for_help) {
        if (dt_launch_is_first() && asks_for_version) {
            dt_cli_version();
        } else if (dt_launch_is_first()) {
            if (!named)
                print_commands();
            asked->help();
        }
        return (int)dt_log_check();
    }
    if (asked->run_alone != NULL)
        return (int)run_alone(asked, argc - first, argv + first);
    return (int)run_on_ranks(asked, named || argc < 2 ? NULL : argv[1], argc - first, argv + first);
}
