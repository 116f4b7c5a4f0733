#ifndef DTRAIN_TESTS_SCRATCH_FOLDER_H
#define DTRAIN_TESTS_SCRATCH_FOLDER_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** A folder of a test program's own, for files; flat, so that it can be removed in one sweep. */
static char scratch_folder[256];

/** Makes the folder; a cmocka group setup. */
static inline int scratch_make(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(scratch_folder, sizeof scratch_folder, "%s/dtrain-test-XXXXXX",
                   base != NULL ? base : "/tmp");
    return mkdtemp(scratch_folder) == NULL ? -1 : 0;
}

/** Returns the path of `name` in the folder: one of four buffers, the oldest is overwritten. */
static inline const char *scratch_path(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

/** Counts what is in the folder, and removes it if asked to. */
static inline unsigned scratch_count(bool and_remove)
{
    unsigned count = 0;
    DIR *folder = opendir(scratch_folder);
    for (struct dirent *e = folder == NULL ? NULL : readdir(folder); e != NULL; e = readdir(folder))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            count++;
            if (and_remove)
                (void)remove(scratch_path(e->d_name));
        }
    if (folder != NULL)
        (void)closedir(folder);
    return count;
}

/** Empties the folder; a cmocka teardown of one test. */
static inline int scratch_empty(void **state)
{
    (void)state;
    (void)scratch_count(true);
    return 0;
}

/** Removes the folder; a cmocka group teardown. */
static inline int scratch_remove(void **state)
{
    (void)scratch_empty(state);
    return rmdir(scratch_folder);
}

/** Writes a file without any help of the code under test. */
static inline bool scratch_write(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(data, 1, bytes, file) == bytes;
    return file != NULL && fclose(file) == 0 && good;
}

/** Reads a file; the caller frees. Returns NULL when there is none. */
static inline unsigned char *scratch_read(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    (void)fseek(file, 0, SEEK_END);
    long end = ftell(file);
    rewind(file);
    unsigned char *data = malloc((size_t)end + 1);
    *bytes = data == NULL ? 0 : fread(data, 1, (size_t)end, file);
    (void)fclose(file);
    return data;
}

#endif
