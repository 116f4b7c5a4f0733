#ifndef DTRAIN_IO_FILE_INTERNAL_H
#define DTRAIN_IO_FILE_INTERNAL_H

/* Shared by the files of file.h: the target of a path, and the owner and mode of a replaced
 * file. */

#include "dtrain/base/status.h"

#include <sys/stat.h>

/* Splits a path into the folder, which is returned, and the name in it. */
const char *dt_file_cut(char *path, const char **name);

/* Gives a new file the owner, group and mode of the file that it replaces, and warns of what cannot
 * be kept. Until then its mode is 600. */
void dt_file_keep_mode(int fd, const struct stat *replaced, const char *path);

#endif
