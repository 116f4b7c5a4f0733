#include "dtrain/data/source.h"

#include "dtrain/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096 };

/* A row's floats are dealt in one message, whose bytes MPI counts in an int. */
enum { COLUMNS_MAX = INT_MAX / (int)sizeof(float) };

static const char *const set_names[DT_SET_COUNT] = {"train", "validation", "test"};

/* How each set may be called in a file's or an array's name. */
static const char *const set_words[DT_SET_COUNT][5] = {
    {"train", "training", NULL}, {"validation", "val", "valid", "dev", NULL}, {"test", NULL}};

const char *dt_set_name(dt_set set)
{
    return set_names[set];
}

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

/* ---- which arrays of a file ---- */

static const char *const pairs[][2] = {{"inputs", "targets"},
                                       {"x", "y"},
                                       {"X", "y"},
                                       {"x_train", "y_train"},
                                       {"X_train", "y_train"},
                                       {"data", "labels"},
                                       {"features", "target"}};

static void list_arrays(char *out, size_t bytes, const dt_npz *npz)
{
    size_t used = 0;
    (void)snprintf(out, bytes, "no arrays");
    for (size_t i = 0; i < dt_npz_count(npz) && used < bytes; i++)
        used += (size_t)snprintf(out + used, bytes - used, "%s%s", i > 0 ? ", " : "",
                                 dt_npz_name(npz, i));
}

/* `targets`: NULL for none. */
static dt_status take_arrays(dt_source_set *out, const dt_npz *npz, const char *inputs,
                             const char *targets)
{
    out->npz = npz;
    dt_status status = dt_npz_find(npz, inputs, &out->inputs);
    if (status == DT_OK && targets != NULL)
        status = dt_npz_find(npz, targets, &out->targets);
    return status;
}

static dt_status find_pair(dt_source_set *out, const dt_npz *npz, const char *inputs,
                           const char *targets)
{
    const char *names[2] = {inputs, targets};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *x = inputs[0] != '\0' ? inputs : pairs[i][0];
        const char *y = targets[0] != '\0' ? targets : pairs[i][1];
        if (dt_npz_has(npz, x) && dt_npz_has(npz, y)) {
            names[0] = x;
            names[1] = y;
            break;
        }
    }
    if (names[0][0] == '\0' || names[1][0] == '\0') {
        char arrays[256];
        list_arrays(arrays, sizeof arrays, npz);
        return dt_fail(DT_DATA,
                       "%s: no pair of arrays like inputs and targets; it holds %s: name two with "
                       "--inputs and --targets",
                       dt_npz_path(npz), arrays);
    }
    return take_arrays(out, npz, names[0], names[1]);
}

/* x_val and y_val, X_validation and y_validation ...: the arrays named after the set, if there are
 * such; without `labels` the inputs alone. */
static dt_status find_own(dt_source_set *out, const dt_npz *npz, dt_set set, bool labels)
{
    for (const char *const *word = set_words[set]; *word != NULL; word++) {
        for (const char *letter = "xX"; *letter != '\0'; letter++) {
            char x[32], y[32];
            (void)snprintf(x, sizeof x, "%c_%s", *letter, *word);
            (void)snprintf(y, sizeof y, "y_%s", *word);
            if (dt_npz_has(npz, x) && (!labels || dt_npz_has(npz, y)))
                return take_arrays(out, npz, x, labels ? y : NULL);
        }
    }
    return DT_OK;
}

/* The arrays of one set in a file of its own. */
static dt_status find_set(dt_source_set *out, const dt_npz *npz, dt_set set, const char *inputs,
                          const char *targets)
{
    dt_status status = DT_OK;
    if (inputs[0] == '\0' && targets[0] == '\0')
        status = find_own(out, npz, set, true);
    if (status == DT_OK && out->inputs == NULL)
        status = find_pair(out, npz, inputs, targets);
    return status;
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
        return dt_fail(DT_DATA, "%s: %s has %llu columns; at most %d are taken", path,
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

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Finds PREFIX[-_.]WORD.npz for one of the set's words; an empty path when there is none. */
static void find_set_file(char path[PATH_BYTES], const char *prefix, dt_set set)
{
    static const char separators[] = "-_.";
    const size_t length = strlen(prefix);
    const bool bare = length > 0 && prefix[length - 1] == '/';
    for (const char *const *word = set_words[set]; *word != NULL; word++) {
        for (const char *separator = separators; *separator != '\0'; separator++) {
            const int written =
                bare ? snprintf(path, PATH_BYTES, "%s%s.npz", prefix, *word)
                     : snprintf(path, PATH_BYTES, "%s%c%s.npz", prefix, *separator, *word);
            if (written < PATH_BYTES && is_file(path))
                return;
        }
    }
    path[0] = '\0';
}

/* A folder's prefix: the folder itself when it holds train.npz, else the one NAME of
 * NAME-train.npz. */
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
        const size_t length = strlen(entry->d_name);
        static const size_t tail = sizeof "-train.npz" - 1;
        if (length <= tail || strcmp(entry->d_name + length - tail + 1, "train.npz") != 0 ||
            strchr("-_.", entry->d_name[length - tail]) == NULL)
            continue;
        if (found[0] != '\0')
            status = dt_fail(DT_DATA, "%s: holds more than one data set; name one as %s/PREFIX",
                             folder, folder);
        (void)snprintf(found, sizeof found, "%s/%.*s", folder, (int)(length - tail), entry->d_name);
    }
    (void)closedir(directory);
    if (status == DT_OK && found[0] == '\0')
        status = dt_fail(DT_DATA, "%s: holds no train.npz and no *-train.npz", folder);
    (void)snprintf(prefix, PATH_BYTES, "%s", found);
    return status;
}

static dt_status open_file(dt_source *source, const char *path, const dt_npz **out)
{
    dt_npz **slot = &source->files[source->file_count];
    dt_status status = dt_npz_open(slot, path);
    if (status == DT_OK)
        source->file_count++;
    *out = *slot;
    return status;
}

static dt_status open_prefix(dt_source *source, const char *prefix, const char *inputs,
                             const char *targets)
{
    dt_status status = DT_OK;
    char path[PATH_BYTES];
    for (int p = 0; p < DT_SET_COUNT; p++) {
        const dt_npz *npz = NULL;
        find_set_file(path, prefix, (dt_set)p);
        if (path[0] == '\0' && p == DT_TRAIN && dt_text_ends_in(prefix, ".npz"))
            return dt_fail(DT_DATA, "%s: no such file", prefix);
        if (path[0] == '\0' && p == DT_TRAIN)
            return dt_fail(DT_DATA, "%s: no such file or folder, and no %s-train.npz either",
                           prefix, prefix);
        if (path[0] == '\0')
            continue;
        DT_TRY(open_file(source, path, &npz));
        DT_TRY(find_set(&source->sets[p], npz, (dt_set)p, inputs, targets));
    }
out:
    return status;
}

/* The sets of one file by their own names, as far as they are there. */
static dt_status find_sets(bool *found, dt_source *source, const dt_npz *npz, bool labels)
{
    *found = false;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        dt_status status = find_own(&source->sets[p], npz, (dt_set)p, labels);
        if (status != DT_OK)
            return status;
        *found = *found || source->sets[p].inputs != NULL;
    }
    return DT_OK;
}

static dt_status open_single(dt_source *source, const char *path, const char *inputs,
                             const char *targets)
{
    bool found = false;
    const dt_npz *npz = NULL;
    dt_status status = open_file(source, path, &npz);
    if (status == DT_OK && inputs[0] == '\0' && targets[0] == '\0')
        status = find_sets(&found, source, npz, true);
    if (status == DT_OK && source->sets[DT_TRAIN].inputs == NULL) {
        memset(source->sets, 0, sizeof source->sets);
        status = find_pair(&source->sets[DT_TRAIN], npz, inputs, targets);
    }
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
    if (dt_text_ends_in(name, ".npz"))
        name[strlen(name) - 4] = '\0';
    char *tail = strstr(name, "train");
    if (tail != NULL && tail > name && tail[5] == '\0' && strchr("-_.", tail[-1]) != NULL)
        tail[-1] = '\0';
    if (name[0] == '\0' || name[0] == '.')
        name = (char *)"data";
    (void)snprintf(source->name, sizeof source->name, "%.*s", (int)sizeof source->name - 1, name);
}

/* What `dtrain prepare` leaves beside the sets. */
static void find_recipe(dt_source *source, const char *folder)
{
    (void)snprintf(source->recipe, sizeof source->recipe, "%s/recipe.json", folder);
    if (!is_file(source->recipe))
        source->recipe[0] = '\0';
}

/* Of a single file only when it is called as dtrain prepare calls a set: many a file is called
 * recipe.json. */
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
    char prefix[PATH_BYTES];
    *out = (dt_source){0};
    name_source(out, paths[0]);
    if (path_count == DT_SET_COUNT) {
        for (int p = 0; p < DT_SET_COUNT; p++) {
            const dt_npz *npz = NULL;
            DT_TRY(open_file(out, paths[p], &npz));
            DT_TRY(find_set(&out->sets[p], npz, (dt_set)p, inputs, targets));
        }
    } else if (path_count != 1) {
        DT_TRY(dt_fail(DT_USAGE,
                       "DATA is one folder, prefix or file, or three files (training, "
                       "validation, test), not %zu",
                       path_count));
    } else if (is_folder(paths[0])) {
        DT_TRY(find_prefix(prefix, paths[0]));
        DT_TRY(open_prefix(out, prefix, inputs, targets));
        find_recipe(out, paths[0]);
    } else if (is_file(paths[0])) {
        DT_TRY(open_single(out, paths[0], inputs, targets));
    } else {
        DT_TRY(open_prefix(out, paths[0], inputs, targets));
    }
    DT_TRY(check_sets(out));
out:
    if (status != DT_OK)
        dt_source_clear(out);
    return status;
}

/* The inputs of rows without labels: of the usual name, or the only array there is. */
static dt_status find_inputs(dt_source_set *out, const dt_npz *npz, const char *name)
{
    const char *found = name;
    for (size_t i = 0; found[0] == '\0' && i < sizeof pairs / sizeof *pairs; i++)
        if (dt_npz_has(npz, pairs[i][0]))
            found = pairs[i][0];
    if (found[0] == '\0' && dt_npz_count(npz) == 1)
        found = dt_npz_name(npz, 0);
    if (found[0] == '\0') {
        char arrays[256];
        list_arrays(arrays, sizeof arrays, npz);
        return dt_fail(DT_DATA,
                       "%s: no array called inputs or x; it holds %s: name one with --inputs",
                       dt_npz_path(npz), arrays);
    }
    return take_arrays(out, npz, found, NULL);
}

static dt_status choose_set(dt_source *source, const char *path, dt_set set)
{
    if (source->sets[set].inputs == NULL)
        return dt_fail(DT_DATA, "%s: no %s set there; --set names another", path, dt_set_name(set));
    const dt_source_set chosen = source->sets[set];
    memset(source->sets, 0, sizeof source->sets);
    source->sets[DT_TRAIN] = chosen;
    source->has_sets = true;
    return DT_OK;
}

dt_status dt_source_open_rows(dt_source *out, const char *path, dt_set set, const char *inputs,
                              const char *targets, bool labels)
{
    dt_status status = DT_OK;
    const dt_npz *npz = NULL;
    bool found = false;
    *out = (dt_source){0};
    if (!is_file(path)) {
        DT_TRY(dt_source_open(out, &path, 1, inputs, targets));
        DT_TRY(choose_set(out, path, set));
    } else {
        name_source(out, path);
        find_recipe_beside(out, path);
        DT_TRY(open_file(out, path, &npz));
        if (inputs[0] == '\0' && targets[0] == '\0')
            DT_TRY(find_sets(&found, out, npz, labels));
        if (found)
            DT_TRY(choose_set(out, path, set));
        else if (labels)
            DT_TRY(find_pair(&out->sets[DT_TRAIN], npz, inputs, targets));
        else
            DT_TRY(find_inputs(&out->sets[DT_TRAIN], npz, inputs));
        DT_TRY(check_sets(out));
    }
    if (!labels)
        out->sets[DT_TRAIN].targets = NULL; /* whatever they say */
out:
    if (status != DT_OK)
        dt_source_clear(out);
    return status;
}

/* NAME, or in a file with all sets NAME_train, NAME_val ... */
static dt_status find_weights(dt_source_set *out, dt_set set, const char *name)
{
    char array[256];
    if (dt_npz_has(out->npz, name))
        return dt_npz_find(out->npz, name, &out->weights);
    for (const char *const *word = set_words[set]; *word != NULL; word++) {
        (void)snprintf(array, sizeof array, "%.200s_%s", name, *word);
        if (dt_npz_has(out->npz, array))
            return dt_npz_find(out->npz, array, &out->weights);
    }
    list_arrays(array, sizeof array, out->npz);
    return dt_fail(DT_DATA, "%s: no array called %s with the rows' weights; it holds %s",
                   dt_npz_path(out->npz), name, array);
}

dt_status dt_source_find_weights(dt_source *source, const char *name)
{
    for (int p = 0; p < DT_SET_COUNT; p++) {
        dt_source_set *set = &source->sets[p];
        if (set->inputs == NULL)
            continue;
        dt_status status = find_weights(set, (dt_set)p, name);
        if (status != DT_OK)
            return status;
        const dt_npy *npy = &set->weights->npy;
        if (npy->dims < 1 || npy->shape[0] != set->inputs->npy.shape[0] ||
            npy->count != npy->shape[0])
            return dt_fail(
                DT_DATA, "%s: %s has %llu numbers; expected a weight for each of %llu rows",
                dt_npz_path(set->npz), set->weights->name, (unsigned long long)npy->count,
                (unsigned long long)set->inputs->npy.shape[0]);
    }
    return DT_OK;
}

void dt_source_clear(dt_source *source)
{
    for (size_t i = 0; i < source->file_count; i++)
        dt_npz_close(source->files[i]);
    *source = (dt_source){0};
}
