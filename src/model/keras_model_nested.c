/* The arrays of a model that is a layer, which a .h5 file lists together: first all that train,
 * layer by layer, then all others. */
#include "keras_model_reader.h"

#include "dtrain/base/text.h"

#include <stdio.h>
#include <string.h>

/* The names of a model's arrays, and the position in the list. */
typedef struct heap {
    const dt_h5_names *names;
    size_t trained, other;
} heap;

/* Returns the layer of the whole model that the model is, or is in. */
static size_t outermost(const dt_keras_chain *chain, size_t model)
{
    while (chain->models[model].model > 0)
        model = chain->models[model].model;
    return model;
}

static bool trains(const dt_keras_step *step, size_t t)
{
    return !step->place.frozen && !step->tensors->tensors[t].moves;
}

static size_t count_trained(const dt_keras_reader *r, size_t model)
{
    size_t count = 0;
    for (size_t l = r->located; l < r->chain.count; l++) {
        const dt_keras_step *step = &r->chain.steps[l];
        for (size_t t = 0; t < step->tensor_count; t++)
            count += step->stored[t] && outermost(&r->chain, step->place.model) == model &&
                     trains(step, t);
    }
    return count;
}

/* Returns whether a name ends in that of a tensor: "inner/dense/kernel:0"; a Normalization calls
 * its moving averages mean and variance. */
static bool is_of(const char *text, const char *tensor)
{
    char name[64];
    const char *slash = strrchr(text, '/');
    const char *last = slash != NULL ? slash + 1 : text;
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(last, ":"), last);
    return name[0] != '\0' && dt_text_ends_in(tensor, name);
}

DT_MUST_USE static dt_status take_name(dt_h5_names *part, const dt_keras_reader *r,
                                       const heap *from, size_t *next, const char *layer,
                                       const char *tensor)
{
    if (*next >= from->names->count || !is_of(from->names->texts[*next], tensor))
        return dt_fail(
            DT_DATA,
            "%s: layer '%s': its %s is not where Keras has it in a model of models; save "
            "it as .keras",
            r->in.path, layer, tensor);
    part->texts[part->count++] = from->names->texts[(*next)++];
    return DT_OK;
}

/* Lists the names of the next layer's arrays. */
DT_MUST_USE static dt_status list_next(dt_h5_names *part, const dt_keras_reader *r, heap *from,
                                       const char *layer)
{
    dt_status status = DT_OK;
    /* A Normalization before all others has the arrays of one elsewhere. */
    static const dt_keras_step statistics = {.stored = {false, false, true, true}, .more = true};
    const bool first = dt_keras_waits_for_statistics(r);
    const dt_keras_step *step = first ? &statistics : &r->chain.steps[r->located];
    const dt_keras_tensors *tensors =
        first ? dt_keras_tensors_of(&dt_layer_batch_norm) : step->tensors;
    for (size_t t = 0; t < tensors->count; t++) {
        size_t *next = !first && trains(step, t) ? &from->trained : &from->other;
        if (step->stored[t])
            DT_TRY(take_name(part, r, from, next, layer, tensors->tensors[t].name));
    }
    if (step->more && from->other < from->names->count &&
        is_of(from->names->texts[from->other], "count"))
        DT_TRY(take_name(part, r, from, &from->other, layer, "count"));
out:
    return status;
}

dt_status dt_keras_reader_take_layer(dt_keras_reader *r, const char *group,
                                     const dt_h5_names *names)
{
    dt_status status = DT_OK;
    const dt_keras_place *place = NULL;
    const char *layer = dt_keras_reader_next(r, &place);
    if (names->count == 0 || layer == NULL || place->model == 0)
        return dt_keras_reader_take_weights(r, group, names);
    const size_t model = outermost(&r->chain, place->model);
    const size_t trained = count_trained(r, model);
    heap from = {names, 0, trained};
    while (layer != NULL && outermost(&r->chain, place->model) == model) {
        char *texts[DT_KERAS_TENSORS + 1];
        dt_h5_names part = {.texts = texts};
        dt_keras_reader_pass(r);
        DT_TRY(list_next(&part, r, &from, layer));
        DT_TRY(dt_keras_reader_take_weights(r, group, &part));
        layer = dt_keras_reader_next(r, &place);
    }
    if (from.trained != trained || from.other != names->count)
        DT_TRY(dt_fail(DT_DATA, "%s: %s: expected %zu arrays of weights, found %zu", r->in.path,
                       group, from.other, names->count));
out:
    return status;
}
