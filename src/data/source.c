#include "dtrain/data/source.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/file.h"
#include "dtrain/io/h5.h"
#include "source_internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096 };

/* A row's floats are dealt in one message, whose bytes MPI counts in an int. */
enum { COLUMNS_MAX = INT_MAX / (int)sizeof(float) };

uint64_t dt_source_rows(const dt_source_set *set)
{
    return set->inputs != NULL ? set->inputs->npy.shape[0] : 0;
}

uint64_t dt_source_columns(const dt_source_set *set)
{
    uint64_t columns = 1; /* cannot overflow: the reader has checked the product with the rows */
    for (unsigned i = 1; i < set->inputs->npy.dims; i++)
        columns *= set->inputs->npy.shape[i];
    return columns;
}

/* ---- shapes ---- */

static dt_status check_set(const dt_source_set *set)
{
    const dt_npy *x = &set->inputs->npy;
    const dt_npy *y = set->targets != NULL ? &set->targets->npy : x;
    const char *path = dt_npz_path(set->npz);
    if (x->dims < 1 || y->dims < 1)
        return dt_fail(DT_DATA, "%s: %s is a single number, not an array of rows", path,
                       x->dims < 1 ? set->inputs->name : set->targets->name);
    if (set->targets != NULL && y->dims > 2)
        return dt_fail(DT_DATA,
                       "%s: %s has %u dimensions; expected class ids or values [N], one-hot [N,C], "
                       "or values [N,T]",
                       path, set->targets->name, y->dims);
    if (x->shape[0] != y->shape[0])
        return dt_fail(DT_DATA, "%s: %s has %llu rows, but %s has %llu", path, set->inputs->name,
                       (unsigned long long)x->shape[0], set->targets->name,
                       (unsigned long long)y->shape[0]);
    if (x->shape[0] == 0)
        return dt_fail(DT_DATA, "%s: %s has 0 rows", path, set->inputs->name);
    if (x->count == 0 || y->count == 0)
        return dt_fail(DT_DATA, "%s: %s has 0 columns", path,
                       x->count == 0 ? set->inputs->name : set->targets->name);
    if (dt_source_columns(set) > COLUMNS_MAX)
        return dt_fail(DT_DATA, "%s: %s has %llu columns; expected at most %d", path,
                       set->inputs->name, (unsigned long long)dt_source_columns(set), COLUMNS_MAX);
    return DT_OK;
}

static dt_status check_sets(const dt_source *source)
{
    const uint64_t columns = dt_source_columns(&source->sets[DT_TRAIN]);
    for (int p = 0; p < DT_SET_COUNT; p++) {
        const dt_source_set *set = &source->sets[p];
        if (set->inputs == NULL)
            continue;
        dt_status status = check_set(set);
        if (status != DT_OK)
            return status;
        if (dt_source_columns(set) != columns)
            return dt_fail(DT_DATA, "%s: %s has %llu columns, but the training set has %llu",
                           dt_npz_path(set->npz), set->inputs->name,
                           (unsigned long long)dt_source_columns(set), (unsigned long long)columns);
    }
    return DT_OK;
}

/* ---- which files ---- */

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

/* The endings of files of arrays. */
static const char *const endings[] = {".npz", ".h5", ".hdf5"};
enum { ENDINGS = sizeof endings / sizeof *endings };

/* Finds PREFIX[-_.]WORD.npz for one of the set's words; an empty path when there is none. */
static void find_set_file(char path[PATH_BYTES], const char *prefix, dt_set set)
{
    static const char separators[] = "-_.";
    const size_t length = strlen(prefix);
    const bool bare = length > 0 && prefix[length - 1] == '/';
    for (const char *const *word = dt_array_set_words(set); *word != NULL; word++) {
        for (int i = 0; i < 3 * ENDINGS; i++) {
            const char *ending = endings[i / 3];
            const int written = bare ? snprintf(path, PATH_BYTES, "%s%s%s", prefix, *word, ending)
                                     : snprintf(path, PATH_BYTES, "%s%c%s%s", prefix,
                                                separators[i % 3], *word, ending);
            if (written < PATH_BYTES && is_file(path))
                return;
        }
    }
    path[0] = '\0';
}

/* The length of the "-train.npz" that a name ends with; 0: it does not. */
static size_t training_tail(const char *name)
{
    const size_t length = strlen(name);
    for (int i = 0; i < ENDINGS; i++) {
        const size_t tail = strlen("-train") + strlen(endings[i]);
        if (length > tail && dt_text_ends_in(name, endings[i]) &&
            memcmp(name + length - tail + 1, "train", strlen("train")) == 0 &&
            strchr("-_.", name[length - tail]) != NULL)
            return tail;
    }
    return 0;
}

/* A folder's prefix: the folder itself when it holds train.npz, else the one NAME of
 * NAME-train.npz; "": there is neither. */
static dt_status find_prefix(char prefix[PATH_BYTES], const char *folder)
{
    char found[PATH_BYTES] = "";
    char path[PATH_BYTES];
    (void)snprintf(prefix, PATH_BYTES, "%s/", folder);
    find_set_file(path, prefix, DT_TRAIN);
    if (path[0] != '\0')
        return DT_OK;
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return dt_fail(DT_DATA, "%s: %s", folder, strerror(errno));
    dt_status status = DT_OK;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const size_t tail = training_tail(entry->d_name);
        if (tail == 0)
            continue;
        if (found[0] != '\0')
            status = dt_fail(DT_DATA, "%s: contains more than one data set; name one as %s/PREFIX",
                             folder, folder);
        (void)snprintf(found, sizeof found, "%s/%.*s", folder, (int)(strlen(entry->d_name) - tail),
                       entry->d_name);
    }
    (void)closedir(directory);
    (void)snprintf(prefix, PATH_BYTES, "%s", found);
    return status;
}

static dt_status open_file(dt_source *source, const char *path, const dt_npz **out)
{
    dt_npz **slot = &source->files[source->file_count];
    dt_status status = dt_h5_is_file(path) ? dt_npz_open_h5(slot, path) : dt_npz_open(slot, path);
    if (status == DT_OK)
        source->file_count++;
    *out = *slot;
    return status;
}

static dt_status open_prefix(dt_source *source, const char *prefix, const dt_array_wish *wish)
{
    dt_status status = DT_OK;
    char path[PATH_BYTES];
    for (int p = 0; p < DT_SET_COUNT; p++) {
        const dt_npz *npz = NULL;
        find_set_file(path, prefix, (dt_set)p);
        if (path[0] == '\0' && p == DT_TRAIN &&
            (dt_text_ends_in(prefix, ".npz") || dt_h5_is_file(prefix)))
            return dt_fail(DT_DATA, "%s: no such file", prefix);
        if (path[0] == '\0' && p == DT_TRAIN)
            return dt_fail(DT_DATA, "%s: no such file or folder, and no %s-train.npz either",
                           prefix, prefix);
        if (path[0] == '\0')
            continue;
        DT_TRY(open_file(source, path, &npz));
        DT_TRY(dt_source_find_set(&source->sets[p], npz, (dt_set)p, wish));
    }
out:
    return status;
}

/* ---- files of one array each ---- */

static bool are_npy(const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!dt_text_ends_in(paths[i], ".npy"))
            return false;
    return count > 0;
}

static dt_status open_npy(dt_source *source, const char *name, const char *const *paths,
                          size_t count, const dt_npz **out)
{
    dt_npz **slot = &source->files[source->file_count];
    const dt_status status = dt_npz_open_files(slot, name, paths, count);
    if (status == DT_OK)
        source->file_count++;
    *out = *slot;
    return status;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All .npy files of a folder, by their names; *out = NULL: there are none. */
static dt_status open_npy_folder(dt_source *source, const char *folder, const dt_npz **out)
{
    enum { FILES_MAX = 64 };
    dt_status status = DT_OK;
    char path[PATH_BYTES];
    char *paths[FILES_MAX] = {0};
    size_t count = 0;
    DIR *directory = opendir(folder);
    *out = NULL;
    if (directory == NULL)
        return dt_fail(DT_DATA, "%s: %s", folder, strerror(errno));
    for (struct dirent *entry; status == DT_OK && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.' || !dt_text_ends_in(entry->d_name, ".npy"))
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        status = count == FILES_MAX
                     ? dt_fail(DT_DATA, "%s: contains more than %d .npy files", folder, FILES_MAX)
                     : dt_memory_copy_text(&paths[count], path);
        count += status == DT_OK;
    }
    (void)closedir(directory);
    qsort(paths, count, sizeof *paths, compare_paths);
    if (status == DT_OK && count > 0)
        status = open_npy(source, folder, (const char *const *)paths, count, out);
    for (size_t i = 0; i < count; i++)
        dt_memory_free(paths[i]);
    return status;
}

static dt_status open_single(dt_source *source, const char *path, const dt_array_wish *wish)
{
    const dt_npz *npz = NULL;
    const dt_status status = open_file(source, path, &npz);
    return status == DT_OK ? dt_source_find_sets(source, npz, wish) : status;
}

/* Finds the prefix of a folder's sets; or opens its .npy files. */
static dt_status look_into(dt_source *source, const char *folder, char prefix[PATH_BYTES],
                           const dt_npz **npz)
{
    dt_status status = find_prefix(prefix, folder);
    *npz = NULL;
    if (status != DT_OK || prefix[0] != '\0')
        return status;
    status = open_npy_folder(source, folder, npz);
    if (status == DT_OK && *npz == NULL)
        status = dt_fail(DT_DATA, "%s: contains neither train.npz, nor *-train.npz, nor .npy files",
                         folder);
    return status;
}

static dt_status open_folder(dt_source *source, const char *folder, const dt_array_wish *wish)
{
    char prefix[PATH_BYTES];
    const dt_npz *npz = NULL;
    dt_status status = look_into(source, folder, prefix, &npz);
    if (status == DT_OK)
        status = npz != NULL ? dt_source_find_sets(source, npz, wish)
                             : open_prefix(source, prefix, wish);
    return status;
}

/* "data/deposit-train.npz" -> "deposit": what the run's folder is called after. */
static void name_source(dt_source *source, const char *path)
{
    char text[PATH_BYTES];
    (void)snprintf(text, sizeof text, "%s", path);
    size_t length = strlen(text);
    while (length > 1 && text[length - 1] == '/')
        text[--length] = '\0';
    const char *slash = strrchr(text, '/');
    char *name = text + (slash != NULL ? slash - text + 1 : 0);
    char *dot = strrchr(name, '.');
    bool array = dot != NULL && strcmp(dot, ".npy") == 0;
    for (int i = 0; dot != NULL && i < ENDINGS; i++)
        array = array || strcmp(dot, endings[i]) == 0;
    if (array)
        *dot = '\0';
    char *tail = strstr(name, "train");
    if (tail != NULL && tail > name && tail[5] == '\0' && strchr("-_.", tail[-1]) != NULL)
        tail[-1] = '\0';
    if (name[0] == '\0' || name[0] == '.')
        name = (char *)"data";
    (void)snprintf(source->name, sizeof source->name, "%.*s", (int)sizeof source->name - 1, name);
}

/* The files of `dtrain prepare` beside the sets. */
static void find_recipe(dt_source *source, const char *folder)
{
    (void)snprintf(source->recipe, sizeof source->recipe, "%s/recipe.json", folder);
    if (!is_file(source->recipe))
        source->recipe[0] = '\0';
}

/* For a single file only if its name is that of a set of dtrain prepare, because other programs
 * also write a recipe.json. */
static void find_recipe_beside(dt_source *source, const char *path)
{
    char folder[sizeof source->recipe - sizeof "/recipe.json"];
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    (void)snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) : 1,
                   slash != NULL ? path : ".");
    if (strcmp(name, "train.npz") == 0 || strcmp(name, "validation.npz") == 0 ||
        strcmp(name, "test.npz") == 0)
        find_recipe(source, folder[0] != '\0' ? folder : "/");
}

dt_status dt_source_open(dt_source *out, const char *const *paths, size_t path_count,
                         const char *inputs, const char *targets)
{
    dt_status status = DT_OK;
    const dt_array_wish wish = {.inputs = inputs, .targets = targets, .labels = true};
    const dt_npz *npz = NULL;
    *out = (dt_source){0};
    name_source(out, paths[0]);
    if (are_npy(paths, path_count)) {
        DT_TRY(open_npy(out, paths[0], paths, path_count, &npz));
        DT_TRY(dt_source_find_sets(out, npz, &wish));
    } else if (path_count == DT_SET_COUNT) {
        for (int p = 0; p < DT_SET_COUNT; p++) {
            DT_TRY(open_file(out, paths[p], &npz));
            DT_TRY(dt_source_find_set(&out->sets[p], npz, (dt_set)p, &wish));
        }
    } else if (path_count != 1) {
        DT_TRY(dt_fail(DT_USAGE,
                       "DATA is one folder, prefix or file, or three files (training, "
                       "validation, test), or .npy files, not %zu; a table's column is named by "
                       "--target",
                       path_count));
    } else if (dt_file_is_folder(paths[0])) {
        DT_TRY(open_folder(out, paths[0], &wish));
        find_recipe(out, paths[0]);
    } else if (is_file(paths[0])) {
        DT_TRY(open_single(out, paths[0], &wish));
    } else {
        DT_TRY(open_prefix(out, paths[0], &wish));
    }
    DT_TRY(check_sets(out));
out:
    if (status != DT_OK)
        dt_source_clear(out);
    return status;
}

dt_status dt_source_open_rows(dt_source *out, const char *const *paths, size_t path_count,
                              dt_set set, const char *inputs, const char *targets, bool labels)
{
    dt_status status = DT_OK;
    const char *path = paths[0];
    const dt_npz *npz = NULL;
    char prefix[PATH_BYTES];
    const dt_array_wish wish = {.inputs = inputs, .targets = targets, .labels = labels};
    *out = (dt_source){0};
    if (are_npy(paths, path_count))
        DT_TRY(open_npy(out, path, paths, path_count, &npz));
    else if (dt_file_is_folder(path))
        DT_TRY(look_into(out, path, prefix, &npz));
    else if (is_file(path))
        DT_TRY(open_file(out, path, &npz));
    if (npz == NULL) {
        DT_TRY(dt_source_open(out, &path, 1, inputs, targets));
        DT_TRY(dt_source_choose_set(out, path, set));
    } else {
        name_source(out, path);
        find_recipe_beside(out, path);
        DT_TRY(dt_source_find_rows(out, npz, set, &wish));
        DT_TRY(check_sets(out));
    }
    if (!labels)
        out->sets[DT_TRAIN].targets = NULL; /* whatever they say */
out:
    if (status != DT_OK)
        dt_source_clear(out);
    return status;
}

void dt_source_close_files(dt_source *source)
{
    for (size_t i = 0; i < source->file_count; i++)
        dt_npz_close(source->files[i]);
    source->file_count = 0;
    memset(source->sets, 0, sizeof source->sets);
}

void dt_source_clear(dt_source *source)
{
    dt_source_close_files(source);
    *source = (dt_source){0};
}
