#include "keras_model_chain.h"

/* The types in a file's JSON are not checked first: jansson returns NULL for a value of another
 * type. */

const char *dt_keras_text_of(const json_t *json, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text != NULL ? text : otherwise;
}

const char *dt_keras_name_of(const json_t *layer)
{
    return dt_keras_text_of(json_object_get(layer, "config"), "name",
                            dt_keras_text_of(layer, "name", "?"));
}

const json_t *dt_keras_only_element(const json_t *json)
{
    return json_array_size(json) == 1 ? json_array_get(json, 0) : NULL;
}
