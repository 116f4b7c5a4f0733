#include "scratch_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char scratch_folder[256];

int scratch_make(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(scratch_folder, sizeof scratch_folder, "%s/dtrain-test-XXXXXX",
                   base != NULL ? base : "/tmp");
    return mkdtemp(scratch_folder) == NULL ? -1 : 0;
}

const char *scratch_path(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

unsigned scratch_count(bool and_remove)
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

int scratch_empty(void **state)
{
    (void)state;
    (void)scratch_count(true);
    return 0;
}

int scratch_remove(void **state)
{
    (void)scratch_empty(state);
    return rmdir(scratch_folder);
}

bool scratch_write(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(data, 1, bytes, file) == bytes;
    return file != NULL && fclose(file) == 0 && good;
}

unsigned char *scratch_read(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    (void)fseek(file, 0, SEEK_END);
    long end = ftell(file);
    rewind(file);
    unsigned char *data = malloc((size_t)end + 1);
    *bytes = data == NULL ? 0 : fread(data, 1, (size_t)end, file);
    if (data != NULL)
        data[*bytes] = '\0';
    (void)fclose(file);
    return data;
}
