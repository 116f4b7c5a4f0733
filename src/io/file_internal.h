#ifndef DTRAIN_IO_FILE_INTERNAL_H
#define DTRAIN_IO_FILE_INTERNAL_H

/* What the files of file.h share: where a path leads to, and what a replaced file keeps. */

#include "dtrain/base/status.h"

#include <sys/stat.h>

/* Cuts a path into the folder, which is returned, and the name in it. */
const char *dt_file_cut(char *path, const char **name);

/* Gives a file that is to replace another one its owner, group and mode, and warns of what may not
 * be kept. Made by nobody else's leave: mode 600 so far. */
void dt_file_keep_mode(int fd, const struct stat *replaced, const char *path);

#endif
