#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that this process has saved. */
typedef struct own_file {
    dev_t device;
    ino_t inode;
    size_t bytes;
    unsigned char seal[DT_H5_SEAL_BYTES];
} own_file;

/* The last ones; larger files take a while to read by any way. */
enum { FILES = 64, BYTES_MAX = 4 << 20 };
static own_file files[FILES];
static size_t next;

void dt_h5_own_note(const char *path, const unsigned char *image, size_t bytes)
{
    struct stat info;
    if (bytes > BYTES_MAX || stat(path, &info) != 0)
        return;
    own_file *file = &files[next];
    *file = (own_file){.device = info.st_dev, .inode = info.st_ino, .bytes = bytes};
    memcpy(file->seal, image + bytes - DT_H5_SEAL_BYTES, DT_H5_SEAL_BYTES);
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

/* Reads the whole file; returns whether its bytes are those that were saved. */
static bool read_same(unsigned char *image, const own_file *own, int file)
{
    unsigned char seal[DT_H5_SEAL_BYTES];
    const size_t before = own->bytes - sizeof seal;
    if (dt_h5_read_at(file, image, own->bytes, 0) <= 0)
        return false;
    dt_h5_make_seal(seal, dt_crc32(0, image, before));
    return memcmp(seal, own->seal, sizeof seal) == 0 &&
           memcmp(seal, image + before, sizeof seal) == 0;
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
                      read_same(image, own, fd);
    (void)close(fd);
    if (!same) {
        dt_memory_free(image);
        return NULL;
    }
    *bytes = own->bytes;
    return image;
}
