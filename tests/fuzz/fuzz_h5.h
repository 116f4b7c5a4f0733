#ifndef DTRAIN_TESTS_FUZZ_H5_H
#define DTRAIN_TESTS_FUZZ_H5_H

/**
 * HDF5 files are read in a child (src/io/hdf5/h5_remote.h), where a crash of libhdf5 is to be
 * expected, and a crash of our own code is a finding: this tells one from the other. To be included
 * once, by a harness that reads HDF5 files.
 */

#include "../../src/io/hdf5/h5_remote.h"
#include "fuzz.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <sys/resource.h>

/* Of the sanitizers, where they are there. */
void __asan_set_error_report_callback(void (*callback)(const char *)) __attribute__((weak));
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* Shared by the child and the harness: what the child died of, if it was our fault. */
static struct fuzz_death {
    volatile bool seen, ours;
    char text[16384];
} * fuzz_death;

static void fuzz_note(bool ours, const char *text)
{
    fuzz_death->seen = true;
    fuzz_death->ours = ours;
    (void)snprintf(fuzz_death->text, sizeof fuzz_death->text, "%s", text);
}

/* The first frame that is neither the sanitizer's nor libc's is to blame. */
static void fuzz_note_report(const char *report)
{
    const char *ours = strstr(report, "/src/io/"), *theirs = strstr(report, "libhdf5");
    fuzz_note(ours != NULL && (theirs == NULL || ours < theirs), report);
}

/* A sanitizer that ends the process without a report that was seen: of undefined behaviour, for
 * which libhdf5 is not instrumented. */
static void fuzz_note_death(void)
{
    if (!fuzz_death->seen)
        fuzz_note(true, "a sanitizer ended the child");
}

static void fuzz_note_assert(void)
{
    fuzz_note(true, "DT_ASSERT ended the child");
    _exit(DT_INTERNAL);
}

static void fuzz_note_signal(int number)
{
    void *frames[64];
    const int count = backtrace(frames, 64);
    bool ours = true;
    for (int i = 0; i < count; i++) {
        Dl_info found;
        if (dladdr(frames[i], &found) != 0 && strstr(found.dli_fname, "libhdf5") != NULL)
            ours = false;
    }
    fuzz_note(ours, strsignal(number));
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void fuzz_watch_child(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct rlimit cpu = {1, 2}; /* shorter than libFuzzer's own limit */
    (void)setrlimit(RLIMIT_CPU, &cpu);
    dt_assert_set_hook(fuzz_note_assert);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        (void)signal(signals[i], fuzz_note_signal);
    if (__asan_set_error_report_callback != NULL)
        __asan_set_error_report_callback(fuzz_note_report);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(fuzz_note_death);
}

/* HDF5 wants a file with a true path. */
static char fuzz_h5_path[FUZZ_PATH_BYTES] = "/dev/shm/fuzz-XXXXXX";

static void fuzz_h5_end(void)
{
    (void)unlink(fuzz_h5_path);
}

/** Makes the input a file; returns its path. */
static inline const char *fuzz_h5_file(const uint8_t *data, size_t bytes)
{
    FILE *file = fopen(fuzz_h5_path, "wb");
    assert(file != NULL);
    assert(fwrite(data, 1, bytes, file) == bytes);
    assert(fclose(file) == 0);
    return fuzz_h5_path;
}

/** To be called when the harness starts. */
static inline void fuzz_h5_start(void)
{
    const int file = mkstemp(fuzz_h5_path);
    assert(file >= 0);
    (void)close(file);
    (void)atexit(fuzz_h5_end);
    fuzz_death =
        mmap(NULL, sizeof *fuzz_death, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(fuzz_death != MAP_FAILED);
    dt_h5_serve_hook = fuzz_watch_child;
}

/** Fails when our own code crashed in the child; to be called after each input. */
static inline void fuzz_h5_check(void)
{
    if (fuzz_death->ours) {
        fprintf(stderr, "in the child: %s\n", fuzz_death->text);
        fuzz_h5_end();
        abort();
    }
    fuzz_death->seen = false;
}

#endif
