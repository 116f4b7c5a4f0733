/* The checksum behind the files that dtrain writes. */
#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/crc32.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORD_BYTES = DT_H5_SEAL_BYTES - 4, BLOCK_BYTES = 64 << 10 };

/* Maximum number of damaged bytes with which a seal is still recognized. */
enum { WORD_DAMAGE_MAX = 4 };

static const char word[WORD_BYTES + 1] = "dtrain-crc32";

void dt_h5_make_seal(unsigned char out[DT_H5_SEAL_BYTES], uint32_t crc)
{
    memcpy(out, word, WORD_BYTES);
    for (unsigned i = 0; i < 4; i++)
        out[WORD_BYTES + i] = (unsigned char)(crc >> (8 * i));
}

static bool is_seal(const unsigned char *end)
{
    int damaged = 0;
    for (size_t i = 0; i < WORD_BYTES; i++)
        damaged += end[i] != (unsigned char)word[i];
    return damaged <= WORD_DAMAGE_MAX;
}

ssize_t dt_h5_read_at(int file, void *out, size_t bytes, off_t at)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t got = pread(file, (char *)out + done, bytes - done, at + (off_t)done);
        if (got == 0 || (got < 0 && errno != EINTR))
            return got;
        done += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)bytes;
}

/* Compares the bytes before the seal. HDF5 reports what cannot be read. */
DT_MUST_USE static dt_status check_bytes(int file, const char *path, off_t bytes,
                                         const unsigned char *end)
{
    unsigned char block[BLOCK_BYTES];
    uint32_t crc = 0, saved = 0;
    for (off_t at = 0; at < bytes;) {
        const size_t piece = bytes - at < BLOCK_BYTES ? (size_t)(bytes - at) : BLOCK_BYTES;
        if (dt_h5_read_at(file, block, piece, at) <= 0)
            return DT_OK;
        crc = dt_crc32(crc, block, piece);
        at += (off_t)piece;
    }
    for (unsigned i = 0; i < 4; i++)
        saved |= (uint32_t)end[WORD_BYTES + i] << (8 * i);
    if (crc == saved && memcmp(end, word, WORD_BYTES) == 0)
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: damaged HDF5 file: its CRC-32 is %08x, and %08x when dtrain wrote it; copy "
                   "or download it again",
                   path, crc, saved);
}

dt_status dt_h5_check_seal(const char *path)
{
    dt_status status = DT_OK;
    struct stat info;
    unsigned char end[DT_H5_SEAL_BYTES];
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return DT_OK;
    if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= DT_H5_SEAL_BYTES &&
        dt_h5_read_at(file, end, sizeof end, info.st_size - DT_H5_SEAL_BYTES) > 0 && is_seal(end))
        status = check_bytes(file, path, info.st_size - DT_H5_SEAL_BYTES, end);
    (void)close(file);
    return status;
}
