#ifndef DTRAIN_BASE_CRC32_H
#define DTRAIN_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/**
 * Returns the CRC-32 of a block, as ZIP and Python's zlib.crc32 have it. `crc` is that of the bytes
 * before it, 0 at the beginning. Local.
 */
uint32_t dt_crc32(uint32_t crc, const void *data, size_t bytes);

/** Returns the version of the zlib in use, "1.2.13". Owns: static text. */
const char *dt_zlib_version(void);

#endif
