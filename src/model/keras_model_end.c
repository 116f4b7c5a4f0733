/* The end of a chain: the meaning of its outputs, and a last layer as in dtrain's networks. */
#include "keras_model_chain.h"

#include "keras_losses.h"

#include "dtrain/nn/activation.h"

#include <stdio.h>
#include <string.h>

static dt_keras_step *last_step(const dt_keras_chain *chain)
{
    return &chain->steps[chain->count - 1];
}

static const dt_keras_step *last_dense(const dt_keras_chain *chain)
{
    const dt_keras_step *found = NULL;
    for (size_t i = 0; i < chain->count; i++)
        if (chain->steps[i].layer.kind == &dt_layer_dense)
            found = &chain->steps[i];
    return found;
}

/* Returns the name of the outputs' function. */
static const char *end_activation(const dt_keras_builder *b)
{
    const dt_layer *last = &last_step(b->chain)->layer;
    if (b->softmax != NULL)
        return "softmax";
    return last->kind == &dt_layer_rectifier ? "ReLU" : dt_activation_name(last->activation);
}

/* Returns whether outputs are values: by the loss, or because nothing else is possible. An unknown
 * loss counts as one of values if there is one output. */
static bool gives_values(const dt_keras_builder *b, const json_t *training)
{
    const char *name = dt_keras_loss_name(training);
    const dt_keras_loss *loss = name != NULL ? dt_keras_loss_find(name) : NULL;
    if (loss != NULL)
        return !loss->loss->classes;
    return (name == NULL && b->chain->rescaling.there) || b->values == 1;
}

DT_MUST_USE static dt_status fail_outputs(const dt_keras_builder *b, const char *activation)
{
    static const char *const others =
        "; dtrain accepts softmax with one unit a class, two or more, or one sigmoid unit";
    const char *what = others;
    if (strcmp(activation, "linear") == 0)
        what = ", and no loss, so it may give values or logits; in Keras compile it with "
               "loss='mse', or a cross-entropy with from_logits=True, and save it again";
    else if (strcmp(activation, "sigmoid") == 0)
        what = ", one for each of several labels (multi-label); dtrain accepts softmax, or one "
               "sigmoid unit. Use Keras to predict";
    return dt_fail(DT_DATA, "%s: its last layer '%s' has %llu %s unit%s%s", b->path,
                   last_dense(b->chain)->name, (unsigned long long)b->values, activation,
                   b->values == 1 ? "" : "s", what);
}

/* Logits, or a sigmoid of one. A layer of one sigmoid unit is a classifier by any loss. */
DT_MUST_USE static dt_status find_outputs(const dt_keras_builder *b, const json_t *training)
{
    dt_keras_chain *chain = b->chain;
    dt_keras_step *last = last_step(chain);
    const char *activation = end_activation(b);
    const bool one = b->values == 1 && !chain->rescaling.there;
    const bool linear = strcmp(activation, "linear") == 0;
    const bool logits =
        linear && !chain->rescaling.there && dt_keras_loss_takes_logits(training, false);
    if ((b->softmax != NULL || logits) && b->values >= 2) {
        chain->classes = true;
    } else if (one && (strcmp(activation, "sigmoid") == 0 ||
                       (linear && dt_keras_loss_takes_logits(training, true)))) {
        chain->classes = chain->one_logit = true;
        last->layer.activation = DT_ACTIVATION_LINEAR;
    } else if (b->softmax != NULL || !gives_values(b, training)) {
        return fail_outputs(b, activation);
    }
    return DT_OK;
}

/* Positive ones are dt_network.scale; they are one, or as many as outputs. */
static bool is_positive(const dt_keras_rescaling *r)
{
    for (size_t j = 0; j < r->scales; j++)
        if (!((float)r->scale[j] > 0.0f))
            return false;
    return true;
}

/* A last layer whose outputs are its inputs. */
DT_MUST_USE static dt_status add_identity(dt_keras_builder *b)
{
    enum { UNITS_MAX = 4096 };
    dt_keras_chain *chain = b->chain;
    const dt_keras_step *before = last_step(chain);
    if (b->values > UNITS_MAX)
        return dt_fail(DT_DATA,
                       "%s: layer '%s' is behind the last of %llu units; dtrain accepts %d",
                       b->path, before->name, (unsigned long long)b->values, UNITS_MAX);
    dt_keras_set_predicts_only(chain, "layer '%s' gives the outputs, but is not a linear Dense",
                               before->name);
    dt_keras_step *step = dt_keras_append_step(chain, before->name, &dt_layer_dense);
    step->units = b->values;
    step->identity = true;
    return DT_OK;
}

dt_status dt_keras_end_chain(dt_keras_builder *b, const json_t *training)
{
    dt_status status = DT_OK;
    dt_keras_chain *chain = b->chain;
    const dt_keras_step *dense = last_dense(chain);
    if (dense == NULL)
        return dt_fail(DT_DATA, "%s: its model has no Dense layer", b->path);
    if (b->dims > 1)
        return dt_fail(DT_DATA, "%s: its outputs have %zu dimensions; dtrain accepts [null, C]",
                       b->path, b->dims + 1);
    DT_TRY(find_outputs(b, training));
    if (!is_positive(&chain->rescaling))
        dt_keras_settle_rescaling(b);
    const dt_layer *last = &last_step(chain)->layer;
    if (last->kind != &dt_layer_dense || last->activation != DT_ACTIVATION_LINEAR)
        DT_TRY(add_identity(b));
out:
    return status;
}
