#ifndef DTRAIN_BASE_STATUS_H
#define DTRAIN_BASE_STATUS_H

/**
 * The result of a dtrain function that can fail.
 *
 * The place that detects a failure calls dt_fail() with one line of text: the object, what was
 * expected, what was found. Callers return the code unchanged, and main prints the text once. A
 * status is also the exit status of the process.
 */
typedef enum dt_status {
    DT_OK = 0,
    DT_INTERNAL = 1, /* a bug of ours, or MPI's */
    DT_USAGE = 2, /* options: unknown, contradictory, out of range */
    DT_DATA = 3, /* input data: missing, malformed, unusable */
    DT_OUTPUT = 4, /* results that could not be written */
    DT_DIVERGED = 5, /* NaN, infinity, or a sum beyond the exact range */
    DT_MEMORY = 6,
    DT_STOPPED = 75 /* stopped early on request, with a checkpoint to resume from (EX_TEMPFAIL) */
} dt_status;

enum { DT_STATUS_TEXT_BYTES = 1024 };

#define DT_MUST_USE __attribute__((warn_unused_result))
#define DT_PRINTF(text, first) __attribute__((format(printf, text, first)))

/**
 * Records one line of text for `code` and returns `code`.
 *
 * Calls:   local; the text belongs to the process and is overwritten by the next failure
 */
DT_MUST_USE DT_PRINTF(2, 3) dt_status dt_fail(dt_status code, const char *format, ...);

/** Returns the text of the last failure, "" if there was none. Calls: local. */
const char *dt_status_text(void);

/** Replaces the text of the last failure, for example by that of another rank. */
void dt_status_set_text(const char *text);

/** Goes to `out:` unless the call succeeds; needs a local `status` and a label `out`. */
#define DT_TRY(call)                                                                               \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != DT_OK)                                                                       \
            goto out;                                                                              \
    } while (0)

/**
 * States a condition that holds unless dtrain has a bug. On failure the job is aborted through the
 * hook that comm installs, because the other ranks would wait for a rank that stops alone.
 */
#define DT_ASSERT(condition)                                                                       \
    ((condition) ? (void)0 : dt_assert_failed(#condition, __FILE__, __LINE__))

_Noreturn void dt_assert_failed(const char *condition, const char *file, int line);

/** Installs what a failed DT_ASSERT calls before the process ends; it should not return. */
void dt_assert_set_hook(void (*hook)(void));

#endif
