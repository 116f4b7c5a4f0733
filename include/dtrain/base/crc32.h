#ifndef DTRAIN_BASE_CRC32_H
#define DTRAIN_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/**
 * Returns the CRC-32 of a block, as in ZIP and Python's zlib.crc32. `crc` is the CRC-32 of the
 * bytes before the block, or 0. Local.
 */
uint32_t dt_crc32(uint32_t crc, const void *data, size_t bytes);

/** Returns the version of the zlib in use, "1.2.13". Owns: static text. */
const char *dt_zlib_version(void);

#endif
