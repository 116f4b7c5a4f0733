/*
 * Only for builds with the address sanitizer. Its allocator's locks are not released in the child
 * of a fork, as glibc's are: if a thread of MPI allocates at the moment of the fork, the child (a
 * reader of HDF5 files, src/io/hdf5/h5_remote.c) waits for ever at its next allocation. gcc 14 and
 * clang 17 do better. Until then a fork waits here until all other threads sleep, because no
 * sleeping thread has such a lock.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIES = 1000, WAIT_US = 1000 };

/* No allocation here: the state is the letter behind the name in brackets. */
static char state_of(const char *thread)
{
    char path[64], text[256];
    (void)snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", thread);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 'S'; /* it has ended */
    const ssize_t got = read(file, text, sizeof text - 1);
    (void)close(file);
    text[got > 0 ? got : 0] = '\0';
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end[2] : 'S';
}

static int others_sleep(DIR *threads)
{
    char self[32];
    (void)snprintf(self, sizeof self, "%ld", (long)gettid());
    rewinddir(threads);
    for (const struct dirent *d = readdir(threads); d != NULL; d = readdir(threads))
        if (d->d_name[0] != '.' && strcmp(d->d_name, self) != 0 && state_of(d->d_name) != 'S')
            return 0;
    return 1;
}

static void await_sleep(void)
{
    DIR *threads = opendir("/proc/self/task");
    for (int i = 0; threads != NULL && i < TRIES && !others_sleep(threads); i++)
        (void)usleep(WAIT_US);
    if (threads != NULL)
        (void)closedir(threads);
}

__attribute__((constructor)) static void register_wait(void)
{
    (void)pthread_atfork(await_sleep, NULL, NULL);
}
