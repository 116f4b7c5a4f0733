#include "keras_archive.h"
#include "keras_model_reader.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/zip.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_BYTES = 256 };

/* ---- members ---- */

/* Reads a member that is text; there is one more byte, which is 0. */
DT_MUST_USE static dt_status read_text(char **out, const dt_zip *zip, const dt_zip_member *member,
                                       uint64_t bytes_max)
{
    dt_status status = DT_OK;
    *out = NULL;
    if (member->plain_bytes > bytes_max)
        return dt_fail(DT_DATA, "%s: its %s is longer than %llu bytes", dt_zip_path(zip),
                       member->name, (unsigned long long)bytes_max);
    DT_TRY(dt_zip_read(out, zip, member, "member of a Keras file"));
    if (strlen(*out) != member->plain_bytes)
        DT_TRY(dt_fail(DT_DATA, "%s: its %s is not text: it contains a zero byte", dt_zip_path(zip),
                       member->name));
out:
    if (status != DT_OK) {
        dt_memory_free(*out);
        *out = NULL;
    }
    return status;
}

DT_MUST_USE static dt_status fail_no_config(const dt_zip *zip)
{
    const char *path = dt_zip_path(zip);
    for (size_t i = 0; i < dt_zip_count(zip); i++)
        if (dt_text_ends_in(dt_zip_member_at(zip, i)->name, ".npy"))
            return dt_fail(DT_DATA, "%s: is a .npz of arrays, not a Keras model", path);
    return dt_fail(DT_DATA, "%s: is a ZIP archive without a %s, so it is not a Keras model", path,
                   DT_KERAS_CONFIG_MEMBER);
}

DT_MUST_USE static dt_status fail_no_weights(const dt_zip *zip)
{
    const char *path = dt_zip_path(zip);
    if (dt_zip_find(zip, "model.weights.json") != NULL)
        return dt_fail(DT_DATA,
                       "%s: its weights are in several files (sharded); save it in one, with "
                       "model.save(\"model.keras\")",
                       path);
    if (dt_zip_find(zip, "model.weights.npz") != NULL)
        return dt_fail(DT_DATA,
                       "%s: its weights are a .npz, expected %s; save it with h5py installed", path,
                       DT_KERAS_WEIGHTS_MEMBER);
    return dt_fail(DT_DATA, "%s: has no %s, and therefore no weights", path,
                   DT_KERAS_WEIGHTS_MEMBER);
}

/* ---- where the arrays lie ---- */

/* The places of the layers of each model. */
typedef struct folder {
    char group[GROUP_BYTES]; /* "": not found yet */
    dt_h5_names names; /* of its groups; "": taken */
} folder;

DT_MUST_USE static dt_status fail_long_name(const dt_keras_reader *r)
{
    return dt_fail(DT_DATA, "%s: the names of its models are too long", r->in.path);
}

/* Prints "<parent>/<name>", to which more can be added. Returns false: it is too long. */
static bool print_group(char group[GROUP_BYTES], const char *parent, const char *name)
{
    enum { MORE = 64 };
    const size_t used = strlen(parent), more = strlen(name);
    if (used + 1 + more + MORE > GROUP_BYTES)
        return false;
    memcpy(group, parent, used);
    group[used] = '/';
    memcpy(group + used + 1, name, more + 1);
    return true;
}

/* Finds the layers of a model: Keras 3's, and those of Keras 2.12 to 2.14. Returns false: there are
 * none. */
static bool find_layers(char group[GROUP_BYTES], const dt_keras_reader *r, const char *model)
{
    static const char *const groups[] = {"layers", "_layer_checkpoint_dependencies"};
    for (size_t i = 0; i < 2; i++)
        if (print_group(group, model, groups[i]) && dt_h5_has(r->in.h5, group) == DT_H5_GROUP)
            return true;
    return false;
}

/* Returns the number of a layer of that class: "dense" 0, "dense_12" 12; -1: it is of another. */
static long number_of(const char *name, const char *class)
{
    const size_t length = strlen(class);
    char *end = NULL;
    if (strncmp(name, class, length) != 0)
        return -1;
    if (name[length] == '\0')
        return 0;
    if (name[length] != '_' || name[length + 1] < '1' || name[length + 1] > '9')
        return -1;
    const long number = strtol(name + length + 1, &end, 10);
    return *end == '\0' && number < LONG_MAX ? number : -1;
}

/* Lists the arrays "0", "1" ... of the layer in a group. */
DT_MUST_USE static dt_status list_arrays(dt_h5_names *out, const dt_keras_reader *r,
                                         const char *layer)
{
    char group[GROUP_BYTES];
    dt_h5_names_clear(out);
    if (!print_group(group, layer, "vars"))
        return fail_long_name(r);
    return dt_h5_has(r->in.h5, group) == DT_H5_GROUP ? dt_h5_list_members(out, r->in.h5, group)
                                                     : DT_OK;
}

/* Sets *has to whether a layer, or a model with its layers, has arrays. */
DT_MUST_USE static dt_status look_for_arrays(bool *has, const dt_keras_reader *r, const char *layer)
{
    dt_status status = DT_OK;
    char layers[GROUP_BYTES], group[GROUP_BYTES];
    dt_h5_names names = {0};
    DT_TRY(list_arrays(&names, r, layer));
    *has = names.count > 0;
    if (*has || !find_layers(layers, r, layer))
        goto out;
    dt_h5_names_clear(&names);
    DT_TRY(dt_h5_list_members(&names, r->in.h5, layers));
    for (size_t i = 0; !*has && i < names.count; i++) {
        if (!print_group(group, layers, names.texts[i]))
            DT_TRY(fail_long_name(r));
        DT_TRY(look_for_arrays(has, r, group));
    }
out:
    dt_h5_names_clear(&names);
    return status;
}

/* Finds the group of the next layer of a class that has any arrays, or of a model with such layers,
 * and blanks the names it passes; group "": there is none. The numbers of Keras 2 skip: it counts a
 * layer with weights twice. */
DT_MUST_USE static dt_status find_next(char group[GROUP_BYTES], const dt_keras_reader *r,
                                       folder *in, const char *class)
{
    dt_status status = DT_OK;
    bool has = false;
    while (!has) {
        char *next = NULL;
        long lowest = LONG_MAX;
        for (size_t i = 0; i < in->names.count; i++) {
            const long number = number_of(in->names.texts[i], class);
            if (number >= 0 && number < lowest) {
                lowest = number;
                next = in->names.texts[i];
            }
        }
        group[0] = '\0';
        if (next == NULL)
            break;
        if (!print_group(group, in->group, next))
            DT_TRY(fail_long_name(r));
        next[0] = '\0';
        DT_TRY(look_for_arrays(&has, r, group));
    }
out:
    return status;
}

/* Finds the layers of a model, after those of the model that it is in. */
DT_MUST_USE static dt_status open_folder(folder *folders, const dt_keras_reader *r, size_t model)
{
    dt_status status = DT_OK;
    const dt_keras_place *place = &r->chain.models[model];
    folder *f = &folders[model];
    char group[GROUP_BYTES] = "";
    if (f->group[0] != '\0')
        goto out;
    if (model > 0) {
        DT_TRY(open_folder(folders, r, place->model));
        DT_TRY(find_next(group, r, &folders[place->model], place->group));
    }
    if ((model > 0 && group[0] == '\0') || !find_layers(f->group, r, group)) {
        f->group[0] = '\0';
        DT_TRY(dt_fail(DT_DATA, "%s: there is no group %s/layers in its %s", r->in.path,
                       model > 0 ? place->group : "", DT_KERAS_WEIGHTS_MEMBER));
    }
    DT_TRY(dt_h5_list_members(&f->names, r->in.h5, f->group));
out:
    return status;
}

DT_MUST_USE static dt_status locate_weights(dt_keras_reader *r)
{
    dt_status status = DT_OK;
    const dt_keras_place *place = NULL;
    const char *name = NULL;
    char layer[GROUP_BYTES], group[GROUP_BYTES];
    folder *folders = NULL;
    dt_h5_names arrays = {0};
    DT_TRY(dt_memory_alloc(&folders, r->chain.model_count, sizeof *folders, "models"));
    DT_TRY(open_folder(folders, r, 0));
    while ((name = dt_keras_reader_next(r, &place)) != NULL) {
        DT_TRY(open_folder(folders, r, place->model));
        DT_TRY(find_next(layer, r, &folders[place->model], place->group));
        if (layer[0] == '\0')
            DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has no weights", r->in.path, name));
        DT_TRY(list_arrays(&arrays, r, layer));
        (void)print_group(group, layer, "vars");
        DT_TRY(dt_keras_reader_take_weights(r, group, &arrays));
    }
out:
    dt_h5_names_clear(&arrays);
    for (size_t m = 0; folders != NULL && m < r->chain.model_count; m++)
        dt_h5_names_clear(&folders[m].names);
    dt_memory_free(folders);
    return status;
}

/* The members are listed in the order of their names, of which "10" comes before "2". */
DT_MUST_USE static dt_status locate_state(dt_keras_reader *r)
{
    static const char group[] = "/optimizer/vars";
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    bool complete = true;
    if (dt_h5_has(r->in.h5, group) != DT_H5_GROUP)
        return DT_OK;
    DT_TRY(dt_h5_list_members(&names, r->in.h5, group));
    if (r->chain.keras_2) {
        if (r->chain.adam && names.count > 2)
            dt_keras_leave_out(r->chain.left_out, "the state of the optimizer (of Keras 2)");
        goto out;
    }
    for (size_t i = 0; complete && i < names.count; i++) {
        char name[24];
        const int length = snprintf(name, sizeof name, "%zu", i);
        char path[DT_KERAS_GROUP_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", group, name);
        complete = dt_h5_has(r->in.h5, path) == DT_H5_DATASET;
        dt_memory_free(names.texts[i]);
        names.texts[i] = NULL;
        DT_TRY(dt_memory_alloc(&names.texts[i], (size_t)length + 1, 1, "name"));
        memcpy(names.texts[i], name, (size_t)length);
    }
    if (complete)
        DT_TRY(dt_keras_reader_take_state(r, group, &names));
    else
        dt_keras_leave_out(r->chain.left_out, "the state of the optimizer (of another layout)");
out:
    dt_h5_names_clear(&names);
    return status;
}

/* ---- the whole ---- */

/* A file without a version is read as one of Keras 3. */
DT_MUST_USE static dt_status read_version(char **out, const dt_zip *zip)
{
    dt_status status = DT_OK;
    char *text = NULL;
    const dt_zip_member *member = dt_zip_find(zip, DT_KERAS_METADATA_MEMBER);
    if (member != NULL)
        DT_TRY(read_text(&text, zip, member, DT_KERAS_CONFIG_BYTES_MAX));
    json_t *metadata = text != NULL ? json_loads(text, 0, NULL) : NULL;
    status = dt_memory_copy_text(out, dt_keras_text_of(metadata, "keras_version", "3.0"));
    json_decref(metadata);
out:
    dt_memory_free(text);
    return status;
}

DT_MUST_USE static dt_status read_config(dt_keras_reader *r, const dt_zip *zip)
{
    dt_status status = DT_OK;
    char *config = NULL, *version = NULL;
    const dt_zip_member *member = dt_zip_find(zip, DT_KERAS_CONFIG_MEMBER);
    if (member == NULL)
        return fail_no_config(zip);
    DT_TRY(read_text(&config, zip, member, DT_KERAS_CONFIG_BYTES_MAX));
    DT_TRY(read_version(&version, zip));
    DT_TRY(dt_keras_reader_begin(r, &(dt_keras_config){.model = config,
                                                       .model_name = DT_KERAS_CONFIG_MEMBER,
                                                       .version = version}));
out:
    dt_memory_free(version);
    dt_memory_free(config);
    return status;
}

DT_MUST_USE static dt_status open_weights(dt_h5 **out, const dt_zip *zip)
{
    dt_status status = DT_OK;
    unsigned char *image = NULL;
    char name[1024];
    const dt_zip_member *member = dt_zip_find(zip, DT_KERAS_WEIGHTS_MEMBER);
    if (member == NULL)
        return fail_no_weights(zip);
    (void)snprintf(name, sizeof name, "%.900s: %s", dt_zip_path(zip), DT_KERAS_WEIGHTS_MEMBER);
    DT_TRY(dt_zip_read(&image, zip, member, "weights of a Keras file"));
    DT_TRY(dt_h5_open_image(out, image, (size_t)member->plain_bytes, name));
out:
    dt_memory_free(image);
    return status;
}

DT_MUST_USE static dt_status read_companions(dt_keras_loaded *out, const dt_zip *zip)
{
    dt_status status = DT_OK;
    char *classes = NULL;
    const dt_zip_member *member = dt_zip_find(zip, DT_KERAS_RECIPE_MEMBER);
    if (member != NULL)
        DT_TRY(read_text(&out->recipe_json, zip, member, DT_H5_TEXT_BYTES_MAX));
    member = dt_zip_find(zip, DT_KERAS_CLASSES_MEMBER);
    if (member != NULL) {
        DT_TRY(read_text(&classes, zip, member, DT_H5_TEXT_BYTES_MAX));
        DT_TRY(dt_keras_classes_parse(&out->class_names, classes, dt_zip_path(zip)));
    }
    DT_TRY(dt_keras_check_names(&out->class_names, out->layers[out->model.layer_count - 1].units,
                                dt_zip_path(zip)));
out:
    dt_memory_free(classes);
    return status;
}

dt_status dt_keras_archive_read(dt_keras_loaded *out, const char *path)
{
    dt_status status = DT_OK;
    dt_zip *zip = NULL;
    dt_keras_reader r = {.in = {.path = path}};
    DT_TRY(dt_zip_open(&zip, path, ".keras"));
    DT_TRY(read_config(&r, zip));
    DT_TRY(open_weights(&r.in.h5, zip));
    DT_TRY(locate_weights(&r));
    DT_TRY(locate_state(&r));
    DT_TRY(dt_keras_reader_finish(out, &r));
    DT_TRY(dt_h5_check(r.in.h5));
    DT_TRY(read_companions(out, zip));
out:
    dt_h5_free(r.in.h5);
    dt_keras_reader_clear(&r);
    dt_zip_close(zip);
    return status;
}
