#ifndef DTRAIN_MODEL_KERAS_FORMS_H
#define DTRAIN_MODEL_KERAS_FORMS_H

/* The layers that are one layer in Keras: one row for each kind. All calls are local. */

#include "dtrain/nn/network.h"

#include <jansson.h>

/* Bytes of a layer's name in Keras and ONNX: "normalization_" and a number. */
enum { DT_KERAS_LAYER_BYTES = 40 };

/* The layer behind the others that gives values their units, if dt_network.scale is there. */
#define DT_KERAS_RESCALING "rescaling"

typedef struct dt_keras_form {
    const dt_layer_kind *kind;
    const char *class_name; /* NULL: such layers are omitted */

    /* Adds to the configuration, which has name, trainable and dtype. Returns false: no memory. */
    bool (*describe)(json_t *config, const dt_network *network, size_t l);

    bool (*fits)(const dt_layer *layer); /* NULL: all of the kind that no row above takes */
} dt_keras_form;

/* Returns the form of a layer; NULL: it is more than one layer of Keras, or of a model that is no
 * chain (keras_graph.h). */
const dt_keras_form *dt_keras_form_of(const dt_layer *layer);

/* Returns the layer's activation by Keras's name; that of a last layer of classes is "softmax". */
const char *dt_keras_activation(const dt_network *network, size_t l);

#endif
