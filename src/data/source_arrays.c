/* Finds the arrays of a set in a file. */
#include "source_internal.h"

#include "dtrain/base/text.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 256 };

/* ---- inputs and targets ---- */

/* The arrays of a file. */
typedef struct finding {
    dt_array_sets of; /* a name that was given as it is in the file makes the bare pair */
    bool named; /* by --inputs or --targets */
    bool exact; /* and the inputs, or else the targets, have that very name */
    dt_source_set known; /* the arrays of such names */
} finding;

/* The name without its set, so that the other sets are found, too: x_train finds x_val. */
static void find_base(char *base, size_t bytes, const dt_npz *npz, const char *name)
{
    const bool exact = name[0] != '\0' && dt_npz_has(npz, name);
    if (!exact || dt_array_name_split(base, bytes, name) != DT_TRAIN)
        (void)snprintf(base, bytes, "%s", name);
}

/* Arrays that are known by given names are used, together with those found beside them. */
static void put_known(finding *f, bool labels)
{
    const dt_source_set *pairs[] = {&f->of.bare, &f->of.sets[DT_TRAIN]};
    dt_source_set chosen = f->known;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (chosen.inputs == NULL && pairs[i]->targets == chosen.targets)
            chosen.inputs = pairs[i]->inputs;
        if (labels && chosen.targets == NULL && pairs[i]->inputs == chosen.inputs)
            chosen.targets = pairs[i]->targets;
    }
    f->of.bare = chosen;
    if (chosen.inputs == NULL || (labels && chosen.targets == NULL))
        f->of.bare = (dt_source_set){0};
}

static dt_status look(finding *out, const dt_npz *npz, const dt_array_wish *wish)
{
    dt_status status = DT_OK;
    char inputs[NAME_BYTES], targets[NAME_BYTES];
    const char *const names[] = {wish->inputs, wish->labels ? wish->targets : ""};
    bool missing = false;
    *out = (finding){.known.npz = npz, .named = names[0][0] != '\0' || names[1][0] != '\0'};
    find_base(inputs, sizeof inputs, npz, names[0]);
    find_base(targets, sizeof targets, npz, names[1]);
    const dt_array_wish bases = {.inputs = inputs, .targets = targets, .labels = wish->labels};
    DT_TRY(dt_array_sets_find(&out->of, npz, &bases));
    missing = out->of.bare.inputs == NULL;
    for (int p = 0; p < DT_SET_COUNT; p++)
        missing = missing && out->of.sets[p].inputs == NULL;
    for (int i = 0; i < 2; i++)
        if (names[i][0] != '\0' && (missing || dt_npz_has(npz, names[i])))
            DT_TRY(i == 0 ? dt_npz_find(npz, names[0], &out->known.inputs)
                          : dt_npz_find_any(npz, names[1], &out->known.targets));
    out->exact = out->known.inputs != NULL || out->known.targets != NULL;
    if (out->exact)
        put_known(out, wish->labels);
out:
    return status;
}

dt_status dt_source_find_set(dt_source_set *out, const dt_npz *npz, dt_set set,
                             const dt_array_wish *wish)
{
    dt_status status = DT_OK;
    finding f;
    DT_TRY(look(&f, npz, wish));
    const dt_source_set *order[] = {f.exact ? &f.of.bare : &f.of.sets[set],
                                    f.exact ? &f.of.sets[set] : &f.of.bare, &f.of.sets[DT_TRAIN]};
    for (size_t i = 0; i < sizeof order / sizeof *order && out->inputs == NULL; i++)
        *out = *order[i];
    if (out->inputs == NULL) {
        DT_TRY(dt_array_sets_guess(&f.of, npz, wish, &f.known));
        *out = f.of.bare.inputs != NULL ? f.of.bare : f.of.sets[DT_TRAIN];
    }
out:
    return status;
}

dt_status dt_source_find_sets(dt_source *source, const dt_npz *npz, const dt_array_wish *wish)
{
    dt_status status = DT_OK;
    finding f;
    DT_TRY(look(&f, npz, wish));
    if (f.of.bare.inputs == NULL && f.of.sets[DT_TRAIN].inputs == NULL)
        DT_TRY(dt_array_sets_guess(&f.of, npz, wish, &f.known));
    memcpy(source->sets, f.of.sets, sizeof source->sets);
    if (f.of.bare.inputs != NULL && (f.named || source->sets[DT_TRAIN].inputs == NULL))
        source->sets[DT_TRAIN] = f.of.bare;
out:
    return status;
}

dt_status dt_source_choose_set(dt_source *source, const char *path, dt_set set)
{
    if (source->sets[set].inputs == NULL)
        return dt_fail(DT_DATA, "%s: it has no %s set; choose another --set", path,
                       dt_set_name(set));
    const dt_source_set chosen = source->sets[set];
    memset(source->sets, 0, sizeof source->sets);
    source->sets[DT_TRAIN] = chosen;
    source->has_sets = true;
    return DT_OK;
}

/* NULL: there are several. */
static const dt_source_set *only_set(const dt_array_sets *of)
{
    const dt_source_set *only = NULL;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        if (of->sets[p].inputs != NULL && only != NULL)
            return NULL;
        only = of->sets[p].inputs != NULL ? &of->sets[p] : only;
    }
    return only;
}

dt_status dt_source_find_rows(dt_source *out, const dt_npz *npz, dt_set set,
                              const dt_array_wish *wish)
{
    dt_status status = DT_OK;
    finding f;
    bool has_sets = false;
    DT_TRY(look(&f, npz, wish));
    /* The only array of a file, whatever its name. */
    if (!wish->labels && !f.named && dt_text_ends_in(dt_npz_path(npz), ".npy")) {
        out->sets[DT_TRAIN].npz = npz;
        return dt_npz_find(npz, dt_npz_name(npz, 0), &out->sets[DT_TRAIN].inputs);
    }
    for (int p = 0; p < DT_SET_COUNT && !f.exact; p++)
        has_sets = has_sets || f.of.sets[p].inputs != NULL;
    if (!has_sets && f.of.bare.inputs == NULL) {
        DT_TRY(dt_array_sets_guess(&f.of, npz, wish, &f.known));
        has_sets = f.of.bare.inputs == NULL;
    }
    /* Files that were named for it. */
    const dt_source_set *named = only_set(&f.of);
    if (has_sets && named != NULL && dt_text_ends_in(dt_npz_path(npz), ".npy")) {
        f.of.bare = *named;
        has_sets = false;
    }
    memcpy(out->sets, f.of.sets, sizeof out->sets);
    if (!has_sets || out->sets[DT_TRAIN].inputs == NULL)
        out->sets[DT_TRAIN] = f.of.bare;
    if (has_sets)
        DT_TRY(dt_source_choose_set(out, dt_npz_path(npz), set));
    memset(&out->sets[DT_TRAIN + 1], 0, (DT_SET_COUNT - 1) * sizeof *out->sets);
out:
    return status;
}

/* ---- weights ---- */

static void list_arrays(char *out, size_t bytes, const dt_npz *npz)
{
    size_t used = 0;
    (void)snprintf(out, bytes, "no arrays");
    for (size_t i = 0; i < dt_npz_count(npz) && used < bytes; i++)
        used += (size_t)snprintf(out + used, bytes - used, "%s%s", i > 0 ? ", " : "",
                                 dt_npz_name(npz, i));
}

/* NAME, or in a file with all sets NAME_train, val_NAME ... */
static dt_status find_weights(dt_source_set *out, dt_set set, const char *name)
{
    char base[NAME_BYTES], arrays[NAME_BYTES];
    if (dt_npz_has(out->npz, name))
        return dt_npz_find(out->npz, name, &out->weights);
    for (size_t i = 0; i < dt_npz_count(out->npz); i++)
        if (dt_array_name_split(base, sizeof base, dt_npz_name(out->npz, i)) == set &&
            strcmp(base, name) == 0)
            return dt_npz_find(out->npz, dt_npz_name(out->npz, i), &out->weights);
    list_arrays(arrays, sizeof arrays, out->npz);
    return dt_fail(DT_DATA, "%s: no array named %s with the weights of the rows; it contains %s",
                   dt_npz_path(out->npz), name, arrays);
}

const dt_npz_member *dt_source_look(const dt_source_set *from, dt_set set, const char *name)
{
    char base[NAME_BYTES];
    const dt_npz_member *found = dt_npz_look(from->npz, name);
    for (size_t i = 0; found == NULL && i < dt_npz_count(from->npz); i++) {
        const char *other = dt_npz_name(from->npz, i);
        if (dt_array_name_split(base, sizeof base, other) == set && strcmp(base, name) == 0)
            found = dt_npz_look(from->npz, other);
    }
    return found;
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
