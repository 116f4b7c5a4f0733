#include "keras_archive.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/json.h"
#include "dtrain/model/keras_model.h"

#include <jansson.h>

#include <stdio.h>

void dt_keras_archive_group(char out[DT_KERAS_GROUP_BYTES], const char *class, size_t index)
{
    if (index == 0)
        (void)snprintf(out, DT_KERAS_GROUP_BYTES, "/layers/%s/vars", class);
    else
        (void)snprintf(out, DT_KERAS_GROUP_BYTES, "/layers/%s_%zu/vars", class, index);
}

dt_status dt_keras_classes_format(char **out, const char *const *names, size_t count)
{
    dt_status status = DT_OK;
    dt_json *json = NULL;
    *out = NULL;
    DT_TRY(dt_json_new(&json));
    dt_json_begin_list(json, "classes");
    for (size_t i = 0; i < count; i++)
        dt_json_add_text(json, NULL, names[i]);
    status = dt_json_finish(out, json);
out:
    return status;
}

dt_status dt_keras_classes_parse(dt_h5_names *out, const char *json, const char *path)
{
    dt_status status = DT_OK;
    json_error_t error;
    json_t *root = json_loads(json, 0, &error);
    const json_t *list = json_object_get(root, "classes");
    const size_t count = json_array_size(list);
    *out = (dt_h5_names){0};
    if (root == NULL && json_error_code(&error) == json_error_out_of_memory)
        DT_TRY(dt_fail(DT_MEMORY, "%s: no memory for its %s", path, DT_KERAS_CLASSES_MEMBER));
    if (!json_is_array(list) || count > DT_H5_NAMES_MAX)
        DT_TRY(dt_fail(DT_DATA, "%s: its %s is no list of at most %d class names", path,
                       DT_KERAS_CLASSES_MEMBER, DT_H5_NAMES_MAX));
    DT_TRY(dt_memory_alloc(&out->texts, count, sizeof *out->texts, "class names"));
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name == NULL)
            DT_TRY(dt_fail(DT_DATA, "%s: its %s: class name %zu is no text", path,
                           DT_KERAS_CLASSES_MEMBER, i));
        DT_TRY(dt_memory_copy_text(&out->texts[i], name));
        out->count = i + 1;
    }
out:
    json_decref(root);
    if (status != DT_OK)
        dt_h5_names_clear(out);
    return status;
}
