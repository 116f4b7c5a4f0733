#ifndef DTRAIN_RUN_SEARCH_FILE_H
#define DTRAIN_RUN_SEARCH_FILE_H

/** Where things are in search.h5; results/README.md describes it. */
#define DT_SEARCH_FILE "search.h5"
#define DT_SEARCH_VERSION_NAME "search_version" /* attribute of the root */
#define DT_SEARCH_GROUP "/search" /* how it was searched, and the best trial */
#define DT_SEARCH_SPACE "/space" /* a row a setting */
#define DT_SEARCH_TRIALS "/trials" /* a row a trial */
#define DT_SEARCH_CURVES "/curves" /* a row an epoch of a trial */

/** The version of the file. */
enum { DT_SEARCH_VERSION = 1 };

#endif
