#ifndef DTRAIN_MODEL_KERAS_GRAPH_H
#define DTRAIN_MODEL_KERAS_GRAPH_H

/*
 * A network as layers of Keras, for both of its file formats. All calls are local.
 *
 * Most layers are one layer of Keras, with the same tensors. A chain of these is a Sequential
 * model. Encoding, members and residual connections make a Functional one, which is called
 * DT_KERAS_OWN_NAME:
 *
 *     piecewise_linear  numbers [E] and others [O]: columns that Cropping1D layers cut out
 *                       edges     "bd,dt->bdt"   kernel: powers, bias: offsets (encoding.h)
 *                       widths    "bdt,dt->bdt"  kernel: inverses
 *                       bins      ReLU(max_value=1): places in bins
 *                       embedding "bdt,dtj->bdj" of the places and the numbers; kernel, bias: shift
 *     category_embedding
 *                       categories [E]: columns that Cropping1D layers cut out
 *                       category_embedding "bd,dj->bdj"   table: that of dtrain's layer
 *                       category_columns   "bdj,dg->bgj"  groups (category_table.h)
 *     member_scale      "bd,kd->bkd", and of inputs that are members' "bkd,kd->bkd"
 *     member_dense      "bkd,kdc->bkc", called member_outputs
 *     members' mean     GlobalAveragePooling1D
 *
 * in which the equations are those of EinsumDense layers. Dense, activation and norm layers of
 * members need nothing: Keras applies them to the last axis. Edges, widths and groups do not train.
 * Nothing is folded: first layers [D + bins, K H], which begin with the inputs, would be larger
 * than all other tensors, and training in Keras would no longer have the members' common kernel.
 *
 * At each distance from the output there is at most one layer with weights, because Keras assigns
 * weights by that distance.
 */

#include "category_table.h"
#include "dtrain/base/status.h"
#include "encoding.h"
#include "keras_forms.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DT_KERAS_OWN_NAME "dtrain"

enum { DT_KERAS_VARIABLES = 4 }; /* most of a layer */

typedef struct dt_keras_variable {
    const char *name; /* static text */
    unsigned dims;
    uint64_t shape[3];
    const float *values; /* borrowed from the network or the graph */
    size_t first, count; /* of a layer that trains: place among all variables of such layers */
    bool moves; /* a moving average: it is not trained (dt_tensor.moves) */
} dt_keras_variable;

typedef struct dt_keras_node {
    const char *class_name;
    char name[DT_KERAS_LAYER_BYTES];
    json_t *config; /* NULL: of an Input, whose configuration differs from file to file */
    bool trains;
    const size_t *from; /* [from_count]: nodes whose outputs it takes */
    size_t from_count;
    dt_keras_variable variables[DT_KERAS_VARIABLES];
    size_t variable_count;
} dt_keras_node;

typedef struct dt_keras_graph {
    bool functional;
    uint64_t inputs; /* D */
    size_t count;
    dt_keras_node *nodes; /* the first one is the Input, the last one gives the output */
    size_t trained; /* numbers in variables of layers that train */
    dt_encoding encoding;
    dt_category_table categories;
    size_t *links; /* of all nodes */
    size_t link_count;
} dt_keras_graph;

/* Owns: the caller clears. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_keras_graph_make(dt_keras_graph *out, const dt_network *network);

void dt_keras_graph_clear(dt_keras_graph *graph);

#endif
