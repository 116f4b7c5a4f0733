#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that this process has saved. */
typedef struct own_file {
    dev_t device;
    ino_t inode;
    size_t bytes;
    uint32_t crc;
} own_file;

/* The last ones; larger files take a while to read by any way. */
enum { FILES = 64, BYTES_MAX = 4 << 20 };
static own_file files[FILES];
static size_t next;

void dt_h5_own_note(const char *path, const void *image, size_t bytes)
{
    struct stat info;
    if (bytes > BYTES_MAX || stat(path, &info) != 0)
        return;
    files[next] = (own_file){info.st_dev, info.st_ino, bytes, dt_crc32(0, image, bytes)};
    next = (next + 1) % FILES;
}

static const own_file *find(const struct stat *info)
{
    for (size_t i = 0; i < FILES; i++)
        if (files[i].bytes > 0 && files[i].inode == info->st_ino &&
            files[i].device == info->st_dev && files[i].bytes == (size_t)info->st_size)
            return &files[i];
    return NULL;
}

static bool read_fully(int fd, unsigned char *out, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t got = read(fd, out, bytes);
        if (got <= 0)
            return false;
        out += got;
        bytes -= (size_t)got;
    }
    return true;
}

void *dt_h5_own_read(size_t *bytes, const char *path)
{
    struct stat info;
    unsigned char *image = NULL;
    if (stat(path, &info) != 0)
        return NULL;
    const own_file *own = find(&info);
    const int fd = own != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return NULL;
    const bool same = dt_memory_alloc(&image, own->bytes, 1, "an HDF5 file's image") == DT_OK &&
                      read_fully(fd, image, own->bytes) &&
                      dt_crc32(0, image, own->bytes) == own->crc;
    (void)close(fd);
    if (!same) {
        dt_memory_free(image);
        return NULL;
    }
    *bytes = own->bytes;
    return image;
}
