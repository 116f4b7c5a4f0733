#include "keras_archive.h"

#include "dtrain/io/json.h"
#include "dtrain/io/json_read.h"
#include "dtrain/model/keras_model.h"

#include <stdio.h>
#include <string.h>

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
    dt_json_place root;
    char where[600];
    (void)snprintf(where, sizeof where, "%.500s: its %s", path, DT_KERAS_CLASSES_MEMBER);
    *out = (dt_h5_names){0};
    DT_TRY(dt_json_parse(&root, json, strlen(json), where));
    DT_TRY(dt_json_get_texts(&out->texts, &out->count, &root, "classes"));
    if (out->count > DT_H5_NAMES_MAX)
        DT_TRY(dt_fail(DT_DATA, "%s: has more than %d class names", where, DT_H5_NAMES_MAX));
out:
    dt_json_root_clear(&root);
    if (status != DT_OK)
        dt_h5_names_clear(out);
    return status;
}
