#include "keras_archive.h"
#include "keras_model_reader.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/zip.h"

#include <stdio.h>
#include <string.h>

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
        DT_TRY(dt_fail(DT_DATA, "%s: its %s is no text: there is a zero byte in it",
                       dt_zip_path(zip), member->name));
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
    return dt_fail(DT_DATA, "%s: is a ZIP archive without a %s, so no Keras model", path,
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
    return dt_fail(DT_DATA, "%s: has no %s in it, so no weights", path, DT_KERAS_WEIGHTS_MEMBER);
}

/* ---- where the arrays lie ---- */

DT_MUST_USE static dt_status check_layout(const dt_keras_reader *r)
{
    if (dt_h5_has(r->in.h5, "/layers") == DT_H5_GROUP)
        return DT_OK;
    if (dt_h5_has(r->in.h5, "/_layer_checkpoint_dependencies"))
        return dt_fail(DT_DATA,
                       "%s: its weights are laid out as by Keras 2; load and save it in Keras 3, "
                       "or save it as .h5",
                       r->in.path);
    return dt_fail(DT_DATA, "%s: there is no group /layers in its %s", r->in.path,
                   DT_KERAS_WEIGHTS_MEMBER);
}

DT_MUST_USE static dt_status take_layer(dt_keras_reader *r, const char *class, size_t index,
                                        const char *name)
{
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    char group[DT_KERAS_GROUP_BYTES];
    dt_keras_archive_group(group, class, index);
    DT_TRY(dt_h5_list_members(&names, r->in.h5, group)); /* "0", "1": kernel and bias */
    if (names.count == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has no weights in it", r->in.path, name));
    DT_TRY(dt_keras_reader_take_weights(r, group, &names));
out:
    dt_h5_names_clear(&names);
    return status;
}

DT_MUST_USE static dt_status locate_weights(dt_keras_reader *r)
{
    dt_status status = DT_OK;
    const dt_keras_normalization *n = &r->chain.normalization;
    DT_TRY(check_layout(r));
    if (n->there && n->given == 0)
        DT_TRY(take_layer(r, "normalization", 0, n->name));
    for (size_t l = 0; l < r->chain.count; l++)
        DT_TRY(take_layer(r, "dense", l, r->chain.layers[l].name));
out:
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

DT_MUST_USE static dt_status read_config(dt_keras_reader *r, const dt_zip *zip)
{
    dt_status status = DT_OK;
    char *config = NULL;
    const dt_zip_member *member = dt_zip_find(zip, DT_KERAS_CONFIG_MEMBER);
    if (member == NULL)
        return fail_no_config(zip);
    DT_TRY(read_text(&config, zip, member, DT_KERAS_CONFIG_BYTES_MAX));
    DT_TRY(dt_keras_reader_begin(
        r, &(dt_keras_config){.model = config, .model_name = DT_KERAS_CONFIG_MEMBER}));
out:
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
