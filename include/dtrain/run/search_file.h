#ifndef DTRAIN_RUN_SEARCH_FILE_H
#define DTRAIN_RUN_SEARCH_FILE_H

/** The names in search.h5, which results/README.md describes. */
#define DT_SEARCH_FILE "search.h5"
#define DT_SEARCH_VERSION_NAME "search_version" /* attribute of the root */
#define DT_SEARCH_GROUP "/search" /* the settings of the search, and the best trial */
#define DT_SEARCH_SPACE "/space" /* one row for each setting */
#define DT_SEARCH_TRIALS "/trials" /* one row for each trial */
#define DT_SEARCH_CURVES "/curves" /* one row for each epoch of a trial */

/** The version of the file. */
enum { DT_SEARCH_VERSION = 1 };

#endif
