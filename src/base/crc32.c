#include "dtrain/base/crc32.h"

#include <zlib.h>

uint32_t dt_crc32(uint32_t crc, const void *data, size_t bytes)
{
    if (bytes == 0) /* for zlib, a NULL pointer means a new CRC */
        return crc;
    return (uint32_t)crc32_z(crc, data, bytes);
}

const char *dt_zlib_version(void)
{
    return zlibVersion();
}
