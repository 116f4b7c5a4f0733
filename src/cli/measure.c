#include "commands.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/options.h"
#include "dtrain/comm/launch.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* ---- options ---- */

enum { ELEMENTS_MAX = 1 << 30, REPEATS_MIN = 5, REPEATS_MAX = 1 << 16 };

typedef enum kind { BARRIER, EXACT, FAST } kind;

typedef struct settings {
    dt_option_set given;
    dt_option_list elements;
    int sum;
    double seconds;
} settings;

#define AT(field) offsetof(settings, field)

static const dt_option options[] = {
    {"elements", "LIST", DT_OPTION_LIST, AT(elements), 1, ELEMENTS_MAX, NULL,
     "1,4,16,64,256,1024,4096,16384,65536,262144,1048576,4194304",
     "numbers to add: as many as a network has parameters"},
    {"sum", "NAME", DT_OPTION_CHOICE, AT(sum), 0, 0, "both|exact|fast", "both",
     "exact: sums of 64-bit integers; fast: of float32; as in training with this --sum"},
    {"seconds", "F", DT_OPTION_FLOAT, AT(seconds), 0.001, 600, NULL, "0.5",
     "approximate time of measuring each line; each is measured at least 5 times"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage = "Usage: dtrain measure [OPTIONS]\n"
             "       mpirun -np 8 dtrain measure [OPTIONS]\n"
             "\n"
             "Measures how long the ranks take to add the gradients of a training step, as in\n"
             "training with --overlap off, but without training. Prints a CSV table in\n"
             "microseconds to stdout. Each time starts when all ranks are ready and ends when\n"
             "the last rank has the sum. The line `barrier` adds no numbers: the ranks only\n"
             "wait for each other. With one rank, nothing is sent.",
};

void dt_cli_measure_help(void)
{
    dt_options_print_help(&table);
}

static dt_status parse(settings *out, int argc, char **argv)
{
    dt_status status = DT_OK;
    int words = 0;
    dt_options_set_defaults(&table, out);
    DT_TRY(dt_options_parse_words(&table, out, argc, argv, &words));
    if (words > 0)
        DT_TRY(dt_fail(
            DT_USAGE,
            "dtrain measure accepts only options, but found '%s'; see dtrain measure --help",
            argv[0]));
out:
    return status;
}

/* ---- one line ---- */

typedef struct measurement {
    const dt_comm *comm;
    const dt_launch *launch;
    double seconds; /* for one line */
    void *data; /* zeros: repeated sums stay zero */
    double *times; /* [REPEATS_MAX] */
} measurement;

static const struct {
    const char *name;
    size_t bytes; /* of a number */
} kinds[] = {[BARRIER] = {"barrier", 0}, [EXACT] = {"exact", 8}, [FAST] = {"fast", 4}};

static void repeat(const measurement *m, kind what, size_t elements, double *times, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dt_comm_barrier(m->comm);
        const double begin = dt_clock_s();
        if (what == BARRIER)
            dt_comm_barrier(m->comm);
        else if (what == EXACT)
            dt_comm_sum_i64(m->comm, m->data, elements);
        else
            dt_comm_sum_f32(m->comm, m->data, elements);
        times[i] = dt_clock_s() - begin;
    }
}

/* Repeats until the time of a line is over, and returns the number of repeats. The ranks agree on
 * the size of each batch; a batch is at most as large as all before it together, so that a slow
 * start does not mislead. */
static size_t repeat_for_long(const measurement *m, kind what, size_t elements)
{
    size_t lot = 1;
    repeat(m, what, elements, m->times, lot); /* warms up memory and connections; not counted */
    size_t count = 0;
    const double begin = dt_clock_s();
    while (lot > 0) {
        repeat(m, what, elements, m->times + count, lot);
        count += lot;
        double took_s = dt_clock_s() - begin;
        dt_comm_max_f64(m->comm, &took_s, 1);
        const double left = (m->seconds / took_s - 1.0) * (double)count;
        lot = (size_t)fmin(fmax(left, 0.0), (double)count);
        if (count + lot < REPEATS_MIN)
            lot = REPEATS_MIN - count;
        if (count + lot > REPEATS_MAX)
            lot = REPEATS_MAX - count;
    }
    return count;
}

static int compare_times(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const measurement *m, kind what, size_t elements)
{
    const size_t repeats = repeat_for_long(m, what, elements);
    dt_comm_max_f64(m->comm, m->times, repeats); /* a sum is there when the last rank has it */
    qsort(m->times, repeats, sizeof *m->times, compare_times);
    const double median = (m->times[(repeats - 1) / 2] + m->times[repeats / 2]) / 2.0;
    dt_log_result("%d,%d,%s,%zu,%zu,%.3f,%.3f,%.3f,%zu\n", dt_comm_size(m->comm),
                  m->launch->host_count, kinds[what].name, elements, elements * kinds[what].bytes,
                  median * 1e6, m->times[0] * 1e6, m->times[repeats - 1] * 1e6, repeats);
}

/* ---- the run ---- */

static dt_status allocate(measurement *m, const settings *s)
{
    dt_status status = DT_OK;
    size_t largest = 1;
    for (size_t i = 0; i < s->elements.count; i++)
        if (s->elements.values[i] > largest)
            largest = s->elements.values[i];
    const size_t bytes = kinds[s->sum == FAST ? FAST : EXACT].bytes;
    DT_TRY(dt_memory_check((double)largest * (double)bytes, m->launch->host_size,
                           "the numbers to add up", "use fewer --elements"));
    DT_TRY(dt_memory_alloc(&m->times, REPEATS_MAX, sizeof *m->times, "times"));
    DT_TRY(dt_memory_alloc(&m->data, largest, bytes, "numbers to add up"));
out:
    return status;
}

dt_status dt_cli_measure(const dt_comm *comm, int argc, char **argv)
{
    dt_status status = DT_OK;
    settings asked = {0};
    dt_launch launch;
    measurement m = {.comm = comm, .launch = &launch};
    if (dt_comm_rank(comm) == 0)
        status = parse(&asked, argc, argv);
    DT_TRY(dt_comm_agree(comm, status));
    dt_comm_broadcast(comm, &asked, sizeof asked);
    dt_launch_survey(&launch, comm);
    m.seconds = asked.seconds;
    DT_TRY(dt_comm_agree(comm, allocate(&m, &asked)));
    dt_log_result("ranks,hosts,sum,elements,bytes,median_us,least_us,most_us,repeats\n");
    measure(&m, BARRIER, 0);
    for (size_t i = 0; i < asked.elements.count; i++)
        for (kind what = EXACT; what <= FAST; what++)
            if (asked.sum == 0 || asked.sum == (int)what)
                measure(&m, what, asked.elements.values[i]);
out:
    dt_memory_free(m.data);
    dt_memory_free(m.times);
    return status;
}
