#include "dtrain/model/keras_model.h"

#include "keras_model_reader.h"

#include "dtrain/base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUP_BYTES = 2048 };

/* ---- configuration ---- */

DT_MUST_USE static dt_status read_config(char **out, const dt_keras_reader *r, const char *name)
{
    dt_status status = dt_h5_get_text(out, r->in.h5, "/", name);
    if (status == DT_OK && strlen(*out) > DT_KERAS_CONFIG_BYTES_MAX) {
        dt_memory_free(*out);
        *out = NULL;
        status = dt_fail(DT_DATA, "%s: its %s is longer than %d bytes", r->in.path, name,
                         DT_KERAS_CONFIG_BYTES_MAX);
    }
    return status;
}

DT_MUST_USE static dt_status fail_no_model(const dt_keras_reader *r)
{
    if (dt_h5_has(r->in.h5, "/epochs"))
        return dt_fail(
            DT_DATA, "%s: is the log of a run, not its model; that is model.h5 in the same folder",
            r->in.path);
    if (dt_h5_has(r->in.h5, "/layers") || dt_h5_has(r->in.h5, "/_layer_checkpoint_dependencies") ||
        dt_h5_has_attribute(r->in.h5, "/", "layer_names"))
        return dt_fail(DT_DATA,
                       "%s: has weights only, no model_config; save the whole model in Keras with "
                       "model.save(\"model.keras\")",
                       r->in.path);
    return dt_fail(DT_DATA, "%s: is not a Keras model: it has no model_config", r->in.path);
}

DT_MUST_USE static dt_status read_configs(dt_keras_reader *r)
{
    dt_status status = DT_OK;
    char *model = NULL, *training = NULL, *version = NULL;
    if (!dt_h5_has_attribute(r->in.h5, "/", "model_config"))
        DT_TRY(fail_no_model(r));
    DT_TRY(read_config(&model, r, "model_config"));
    if (dt_h5_has_attribute(r->in.h5, "/", "training_config"))
        DT_TRY(read_config(&training, r, "training_config"));
    if (dt_h5_has_attribute(r->in.h5, "/", "keras_version"))
        DT_TRY(read_config(&version, r, "keras_version"));
    DT_TRY(dt_keras_reader_begin(r, &(dt_keras_config){.model = model,
                                                       .model_name = "model_config",
                                                       .training = training,
                                                       .version = version}));
out:
    dt_memory_free(version);
    dt_memory_free(training);
    dt_memory_free(model);
    return status;
}

/* ---- where the arrays lie ---- */

typedef dt_status name_taker(dt_keras_reader *r, const char *group, const dt_h5_names *names);

/* Hands a list of names to `take`; one that is long Keras splits into <list>0, <list>1 ... */
DT_MUST_USE static dt_status read_names(dt_keras_reader *r, const char *group, const char *list,
                                        name_taker *take)
{
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    char part[64];
    const bool whole = dt_h5_has_attribute(r->in.h5, group, list);
    (void)snprintf(part, sizeof part, whole ? "%s" : "%s0", list);
    size_t next = 0;
    do {
        dt_h5_names_clear(&names);
        DT_TRY(dt_h5_get_texts(&names, r->in.h5, group, part));
        DT_TRY(take(r, group, &names));
        (void)snprintf(part, sizeof part, "%s%zu", list, ++next);
    } while (!whole && dt_h5_has_attribute(r->in.h5, group, part));
out:
    dt_h5_names_clear(&names);
    return status;
}

static dt_status take_layers(dt_keras_reader *r, const char *parent, const dt_h5_names *names)
{
    dt_status status = DT_OK;
    char group[GROUP_BYTES];
    for (size_t i = 0; i < names->count; i++) {
        const int length = snprintf(group, sizeof group, "%s/%s", parent, names->texts[i]);
        if (length < 0 || (size_t)length >= sizeof group)
            return dt_fail(DT_DATA, "%s: the name of a layer is too long", r->in.path);
        DT_TRY(read_names(r, group, "weight_names", dt_keras_reader_take_layer));
    }
out:
    return status;
}

/* The order in files of Keras 2 differs between versions. */
DT_MUST_USE static dt_status locate_state(dt_keras_reader *r)
{
    dt_status status = DT_OK;
    char *version = NULL;
    dt_h5_names names = {0};
    if (dt_h5_has_attribute(r->in.h5, "/dtrain", "adam_iterations")) {
        DT_TRY(dt_keras_reader_take_own_state(r));
        goto out;
    }
    if (!dt_h5_has_attribute(r->in.h5, "/optimizer_weights", "weight_names") ||
        !dt_h5_has_attribute(r->in.h5, "/", "keras_version"))
        goto out;
    DT_TRY(dt_h5_get_texts(&names, r->in.h5, "/optimizer_weights", "weight_names"));
    if (!r->chain.keras_2) {
        DT_TRY(dt_keras_reader_take_state(r, "/optimizer_weights", &names));
    } else if (r->chain.adam && names.count > 2) {
        DT_TRY(dt_h5_get_text(&version, r->in.h5, "/", "keras_version"));
        dt_keras_leave_out(r->chain.left_out, "the state of the optimizer (of Keras %.20s)",
                           version);
    }
out:
    dt_h5_names_clear(&names);
    dt_memory_free(version);
    return status;
}

/* ---- the whole ---- */

dt_status dt_keras_read_companions(char **recipe_json, dt_h5_names *names, dt_h5 *h5, uint64_t C,
                                   const char *path)
{
    dt_status status = DT_OK;
    if (dt_h5_has_attribute(h5, "/", DT_KERAS_RECIPE))
        DT_TRY(dt_h5_get_text(recipe_json, h5, "/", DT_KERAS_RECIPE));
    if (dt_h5_has_attribute(h5, "/", DT_KERAS_CLASSES))
        DT_TRY(dt_h5_get_texts(names, h5, "/", DT_KERAS_CLASSES));
    DT_TRY(dt_keras_check_names(names, C, path));
out:
    return status;
}

static void point_to_companions(dt_keras_loaded *loaded)
{
    loaded->model.recipe_json = loaded->recipe_json;
    loaded->model.class_names = (const char *const *)loaded->class_names.texts;
    loaded->model.class_name_count = loaded->class_names.count;
}

dt_status dt_keras_model_read(dt_keras_loaded *out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    dt_keras_reader r = {.in = {.h5 = h5, .path = path}};
    *out = (dt_keras_loaded){0};
    DT_TRY(read_configs(&r));
    DT_TRY(read_names(&r, "/model_weights", "layer_names", take_layers));
    DT_TRY(locate_state(&r));
    DT_TRY(dt_keras_reader_finish(out, &r));
    const uint64_t C = out->layers[out->model.layer_count - 1].units;
    DT_TRY(dt_keras_read_companions(&out->recipe_json, &out->class_names, h5, C, path));
    DT_TRY(dt_h5_check(h5));
    point_to_companions(out);
out:
    dt_keras_reader_clear(&r);
    if (status != DT_OK)
        dt_keras_loaded_clear(out);
    return status;
}

/* The reader of .h5 files reports why a file cannot be opened; also for a named pipe, on which open
 * would wait for a writer without O_NONBLOCK. */
bool dt_keras_is_archive(const char *path)
{
    char head[2] = {0};
    struct stat info;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const bool found = file >= 0 && fstat(file, &info) == 0 && S_ISREG(info.st_mode) &&
                       pread(file, head, sizeof head, 0) == (ssize_t)sizeof head;
    if (file >= 0)
        (void)close(file);
    return found && memcmp(head, "PK", sizeof head) == 0;
}

dt_status dt_keras_archive_load(dt_keras_loaded *out, const char *path)
{
    *out = (dt_keras_loaded){0};
    const dt_status status = dt_keras_archive_read(out, path);
    if (status == DT_OK)
        point_to_companions(out);
    else
        dt_keras_loaded_clear(out);
    return status;
}

dt_status dt_keras_model_load(dt_keras_loaded *out, const char *path)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    *out = (dt_keras_loaded){0};
    if (dt_keras_is_archive(path)) {
        DT_TRY(dt_keras_archive_load(out, path));
    } else {
        DT_TRY(dt_h5_open(&h5, path));
        DT_TRY(dt_keras_model_read(out, h5, path));
    }
out:
    dt_h5_free(h5);
    if (status != DT_OK)
        dt_keras_loaded_clear(out);
    return status;
}

void dt_keras_loaded_clear(dt_keras_loaded *loaded)
{
    dt_memory_free(loaded->params);
    dt_memory_free(loaded->layers);
    dt_memory_free(loaded->normalization);
    dt_memory_free(loaded->scale);
    dt_optimizer_clear(&loaded->model.optimizer);
    dt_memory_free(loaded->recipe_json);
    dt_h5_names_clear(&loaded->class_names);
    *loaded = (dt_keras_loaded){0};
}
