/* The names of the groups of a .keras file. */
#include "keras_archive.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>

void dt_keras_archive_class(char out[DT_KERAS_GROUP_BYTES], const char *name)
{
    size_t used = 0;
    for (const char *c = name; *c != '\0' && used + 2 < DT_KERAS_GROUP_BYTES; c++) {
        const bool capital = isupper((unsigned char)c[0]) != 0;
        const bool begins =
            capital && c > name &&
            (islower((unsigned char)c[1]) != 0 || islower((unsigned char)c[-1]) != 0);
        if (begins)
            out[used++] = '_';
        out[used++] = (char)tolower((unsigned char)*c);
    }
    out[used] = '\0';
}

void dt_keras_archive_group(char out[DT_KERAS_GROUP_BYTES], const char *class, size_t index)
{
    if (index == 0)
        (void)snprintf(out, DT_KERAS_GROUP_BYTES, "/layers/%s/vars", class);
    else
        (void)snprintf(out, DT_KERAS_GROUP_BYTES, "/layers/%s_%zu/vars", class, index);
}
