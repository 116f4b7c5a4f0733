/* Arrays without known names, recognized by their shapes. */
#include "arrays.h"

#include "dtrain/base/log.h"

#include <stdio.h>
#include <string.h>

enum { ARRAYS_MAX = 64, SHAPE_BYTES = 64, PAIRS_MAX = 3 };

/* The arrays of a file that hold numbers or text, in its order. */
typedef struct shapes {
    const dt_npz_member *wide[ARRAYS_MAX]; /* with columns: inputs */
    const dt_npz_member *narrow[ARRAYS_MAX]; /* one item a row: targets */
    size_t wide_count, narrow_count;
} shapes;

static shapes shapes_of(const dt_npz *npz)
{
    shapes out = {.wide_count = 0};
    for (size_t i = 0; i < dt_npz_count(npz); i++) {
        const dt_npz_member *member = dt_npz_look(npz, dt_npz_name(npz, i));
        if (member == NULL || member->npy.dims == 0 || member->npy.count == 0)
            continue;
        const dt_npy *npy = &member->npy;
        if (npy->count == npy->shape[0] && out.narrow_count < ARRAYS_MAX)
            out.narrow[out.narrow_count++] = member;
        else if (npy->count > npy->shape[0] && !dt_npy_is_text(&member->npy) &&
                 out.wide_count < ARRAYS_MAX)
            out.wide[out.wide_count++] = member;
    }
    return out;
}

/* " [100,5]" */
static const char *shape_of(char out[SHAPE_BYTES], const dt_npz_member *member)
{
    size_t used = (size_t)snprintf(out, SHAPE_BYTES, " [");
    for (unsigned d = 0; d < member->npy.dims && used + 24 < SHAPE_BYTES; d++)
        used += (size_t)snprintf(out + used, SHAPE_BYTES - used, "%s%llu", d > 0 ? "," : "",
                                 (unsigned long long)member->npy.shape[d]);
    (void)snprintf(out + used, SHAPE_BYTES - used, "]%s",
                   dt_npy_is_text(&member->npy) ? " text" : "");
    return out;
}

static bool pairs_up(const dt_npz_member *x, const dt_npz_member *y)
{
    return x != y && x->npy.shape[0] == y->npy.shape[0];
}

/* ---- what fits ---- */

/* The only pair with as many rows; false: there is none, or more than one. */
static bool find_only_pair(dt_source_set *out, const shapes *s, const dt_source_set *known)
{
    size_t found = 0;
    for (size_t i = 0; i < (known->inputs != NULL ? 1 : s->wide_count); i++)
        for (size_t j = 0; j < (known->targets != NULL ? 1 : s->narrow_count); j++) {
            const dt_npz_member *x = known->inputs != NULL ? known->inputs : s->wide[i];
            const dt_npz_member *y = known->targets != NULL ? known->targets : s->narrow[j];
            if (!pairs_up(x, y))
                continue;
            found++;
            out->inputs = x;
            out->targets = y;
        }
    return found == 1;
}

/* Of numpy.savez(file, *train_test_split(X, y)): pairs in order fill the file. */
static size_t find_pairs(const shapes *s, size_t arrays)
{
    const size_t pairs = s->wide_count;
    if (pairs < 2 || pairs > PAIRS_MAX || s->narrow_count != pairs || arrays != 2 * pairs)
        return 0;
    for (size_t i = 0; i < pairs; i++) {
        const dt_npy *x = &s->wide[i]->npy, *first = &s->wide[0]->npy;
        if (!pairs_up(s->wide[i], s->narrow[i]) || x->shape[0] > first->shape[0] ||
            x->count / x->shape[0] != first->count / first->shape[0])
            return 0;
    }
    return pairs;
}

/* Assigns the pairs to sets: by the word for a set in their names, else in order. False: two have
 * the same set, or there is no training set. */
static bool sort_pairs(dt_array_sets *out, const dt_npz *npz, const shapes *s, size_t pairs)
{
    for (size_t i = 0; i < pairs; i++) {
        char base[SHAPE_BYTES];
        const dt_npz_member *x = s->wide[i], *y = s->narrow[i];
        DT_ASSERT(x != NULL && y != NULL);
        const size_t next = i + 1 == pairs ? DT_TEST : i;
        const dt_set said = dt_array_name_split(base, sizeof base, x->name);
        dt_source_set *set = &out->sets[said != DT_SET_COUNT ? said : next];
        if (set->inputs != NULL || dt_array_name_split(base, sizeof base, y->name) != said)
            return false;
        *set = (dt_source_set){.npz = npz, .inputs = x, .targets = y};
    }
    return out->sets[DT_TRAIN].inputs != NULL;
}

/* ---- messages ---- */

/* Two arrays of the file that a command could use; false: there are none. */
static bool find_example(dt_source_set *out, const shapes *s, const dt_source_set *known)
{
    for (size_t i = 0; i < s->wide_count; i++) {
        const dt_npz_member *x = known->inputs != NULL ? known->inputs : s->wide[i];
        *out = (dt_source_set){.inputs = x, .targets = known->targets};
        for (size_t j = 0; out->targets == NULL && j < s->narrow_count; j++)
            if (pairs_up(x, s->narrow[j]))
                out->targets = s->narrow[j];
        for (size_t j = 0; out->targets == NULL && j < s->wide_count; j++)
            if (pairs_up(x, s->wide[j]) && s->wide[j]->npy.dims == 2)
                out->targets = s->wide[j];
        if (out->targets != NULL && pairs_up(x, out->targets))
            return true;
    }
    return false;
}

static void list_arrays(char *out, size_t bytes, const dt_npz *npz)
{
    enum { LISTED = 8 };
    size_t used = (size_t)snprintf(out, bytes, "no arrays");
    for (size_t i = 0; i < dt_npz_count(npz) && used < bytes; i++) {
        const dt_npz_member *member = dt_npz_look(npz, dt_npz_name(npz, i));
        char shape[SHAPE_BYTES] = " (unusable)";
        if (i == 0)
            used = 0;
        if (i == LISTED) {
            (void)snprintf(out + used, bytes - used, " and %zu more", dt_npz_count(npz) - i);
            break;
        }
        if (member != NULL)
            (void)shape_of(shape, member);
        used += (size_t)snprintf(out + used, bytes - used, "%s%.40s%s", i > 0 ? ", " : "",
                                 dt_npz_name(npz, i), shape);
    }
}

DT_MUST_USE static dt_status fail(const dt_npz *npz, const shapes *s, const dt_array_wish *wish,
                                  const dt_source_set *known)
{
    char arrays[512];
    dt_source_set example;
    list_arrays(arrays, sizeof arrays, npz);
    if (!wish->labels)
        return dt_fail(DT_DATA, "%s: no array named inputs or x; it contains %s: use --inputs %s",
                       dt_npz_path(npz), arrays, s->wide_count > 0 ? s->wide[0]->name : "NAME");
    if (dt_npz_count(npz) == 1)
        return dt_fail(DT_DATA,
                       "%s: contains only %s; inputs and targets must be in one .npz as x and y, "
                       "or in one folder as x.npy and y.npy",
                       dt_npz_path(npz), arrays);
    if (find_example(&example, s, known))
        return dt_fail(DT_DATA,
                       "%s: no arrays that fit together as inputs and targets; it contains %s: use "
                       "--inputs %s --targets %s, or other names",
                       dt_npz_path(npz), arrays, example.inputs->name, example.targets->name);
    return dt_fail(DT_DATA,
                   "%s: no arrays that fit together as inputs and targets; it contains %s: save "
                   "inputs [rows, columns] and targets [rows] as x and y",
                   dt_npz_path(npz), arrays);
}

static void say_pair(const dt_npz *npz, const dt_source_set *set)
{
    char x[SHAPE_BYTES], y[SHAPE_BYTES];
    dt_log_warn("%s: by their shapes, %s%s are the inputs and %s%s the targets; use --inputs and "
                "--targets if this is wrong",
                dt_npz_path(npz), set->inputs->name, shape_of(x, set->inputs), set->targets->name,
                shape_of(y, set->targets));
}

static void say_pairs(const dt_npz *npz, const dt_source_set *sets)
{
    char text[512];
    size_t used = 0;
    for (int p = 0; p < DT_SET_COUNT; p++)
        if (sets[p].inputs != NULL && used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used,
                                     "%s%.60s and %.60s are the %s set", used > 0 ? ", " : "",
                                     sets[p].inputs->name, sets[p].targets->name,
                                     dt_set_name((dt_set)p));
    dt_log_warn(
        "%s: by their shapes, %s; use names such as x_train and y_train to make this certain",
        dt_npz_path(npz), text);
}

/* Inputs alone: the only array, or the only one with columns. */
DT_MUST_USE static dt_status guess_inputs(dt_source_set *out, const dt_npz *npz, const shapes *s,
                                          const dt_array_wish *wish)
{
    char shape[SHAPE_BYTES];
    if (dt_npz_count(npz) == 1)
        return dt_npz_find(npz, dt_npz_name(npz, 0), &out->inputs);
    if (s->wide_count != 1)
        return fail(npz, s, wish, out);
    out->inputs = s->wide[0];
    dt_log_warn("%s: by its shape, %s%s are the inputs; use --inputs if this is wrong",
                dt_npz_path(npz), out->inputs->name, shape_of(shape, out->inputs));
    return DT_OK;
}

dt_status dt_array_sets_guess(dt_array_sets *out, const dt_npz *npz, const dt_array_wish *wish,
                              const dt_source_set *known)
{
    const shapes s = shapes_of(npz);
    const bool none_known = known->inputs == NULL && known->targets == NULL;
    const size_t pairs = none_known ? find_pairs(&s, dt_npz_count(npz)) : 0;
    bool named = false;
    for (int p = 0; p < DT_SET_COUNT; p++)
        named = named || out->sets[p].inputs != NULL;
    if (named) /* other sets have names: this one would have one, too */
        return fail(npz, &s, wish, known);
    *out = (dt_array_sets){.bare.npz = npz};
    if (pairs > 0 && sort_pairs(out, npz, &s, pairs)) {
        say_pairs(npz, out->sets);
        return DT_OK;
    }
    *out = (dt_array_sets){.bare.npz = npz};
    if (!wish->labels)
        return guess_inputs(&out->bare, npz, &s, wish);
    if (!find_only_pair(&out->bare, &s, known))
        return fail(npz, &s, wish, known);
    say_pair(npz, &out->bare);
    return DT_OK;
}
