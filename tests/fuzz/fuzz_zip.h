#ifndef DTRAIN_TESTS_FUZZ_ZIP_H
#define DTRAIN_TESTS_FUZZ_ZIP_H

/**
 * Lets libFuzzer get past the checksums of a ZIP archive: after most mutations the CRC-32 and the
 * size of each member that can be read are made right again. To be included once, by a harness
 * whose input is an archive.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t room) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t room, unsigned seed);

enum { FUZZ_ZIP_ENTRY = 46, FUZZ_ZIP_LOCAL = 30, FUZZ_ZIP_END = 22, FUZZ_ZIP_PLAIN_MAX = 1 << 20 };

static inline uint32_t fuzz_zip_get(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = bytes; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

static inline void fuzz_zip_put(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* The CRC-32 and the length of what `bytes` bytes inflate to. */
static inline uint32_t fuzz_zip_inflate(size_t *plain, uint8_t *data, size_t bytes)
{
    uint8_t block[4096];
    z_stream z = {.next_in = data, .avail_in = (uInt)bytes};
    uint32_t crc = 0;
    int result = Z_OK;
    *plain = 0;
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return 0;
    while (result == Z_OK && *plain < FUZZ_ZIP_PLAIN_MAX) {
        z.next_out = block;
        z.avail_out = sizeof block;
        result = inflate(&z, Z_NO_FLUSH);
        const size_t got = sizeof block - z.avail_out;
        crc = (uint32_t)crc32(crc, block, (uInt)got);
        *plain += got;
        if (got == 0)
            break;
    }
    (void)inflateEnd(&z);
    return crc;
}

static inline void fuzz_zip_mend_entry(uint8_t *entry, uint8_t *data, size_t bytes)
{
    const size_t at = fuzz_zip_get(entry + 42, 4), stored = fuzz_zip_get(entry + 20, 4);
    if (at > bytes || bytes - at < FUZZ_ZIP_LOCAL)
        return;
    const size_t begin =
        at + FUZZ_ZIP_LOCAL + fuzz_zip_get(data + at + 26, 2) + fuzz_zip_get(data + at + 28, 2);
    if (begin > bytes || stored > bytes - begin)
        return;
    if (fuzz_zip_get(entry + 10, 2) == 0) {
        fuzz_zip_put(entry + 16, (uint32_t)crc32(0, data + begin, (uInt)stored));
        fuzz_zip_put(entry + 24, (uint32_t)stored);
    } else {
        size_t plain = 0;
        fuzz_zip_put(entry + 16, fuzz_zip_inflate(&plain, data + begin, stored));
        fuzz_zip_put(entry + 24, (uint32_t)plain);
    }
}

static inline void fuzz_zip_mend(uint8_t *data, size_t bytes)
{
    for (size_t left = FUZZ_ZIP_END; left <= bytes; left++) {
        const uint8_t *end = data + bytes - left;
        if (memcmp(end, "PK\5\6", 4) != 0)
            continue;
        size_t at = fuzz_zip_get(end + 16, 4);
        for (unsigned n = 0; n < 64 && at < bytes && bytes - at >= FUZZ_ZIP_ENTRY; n++) {
            uint8_t *entry = data + at;
            if (memcmp(entry, "PK\1\2", 4) != 0)
                return;
            fuzz_zip_mend_entry(entry, data, bytes);
            at += FUZZ_ZIP_ENTRY + fuzz_zip_get(entry + 28, 2) + fuzz_zip_get(entry + 30, 2) +
                  fuzz_zip_get(entry + 32, 2);
        }
        return;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t room, unsigned seed)
{
    const size_t mutated = LLVMFuzzerMutate(data, bytes, room);
    if (seed % 8 != 0)
        fuzz_zip_mend(data, mutated);
    return mutated;
}

#endif
