#ifndef DTRAIN_MODEL_CATEGORY_TABLE_H
#define DTRAIN_MODEL_CATEGORY_TABLE_H

#include "dtrain/base/status.h"
#include "dtrain/nn/network.h"

#include <stddef.h>
#include <stdint.h>

/**
 * An embedding of categories as products, for programs without such a layer. All calls are local.
 *
 *     Y[g] = sum over d of group[d,g] X[d] table[d]
 *
 * Outputs are the first `lead` inputs as they are, Y, and the other inputs as they are.
 */
typedef struct dt_category_table {
    size_t E, G, width; /* inputs that are categories; their columns; outputs of each column */
    size_t lead, O; /* unchanged inputs before these, and behind them */
    int64_t *inputs; /* [lead + E + O]: places of the first ones, the categories, the others */
    float *groups; /* [E,G]: 1 if a category is of the column, else 0 */
    const float *table; /* [E,width], borrowed from the network */
} dt_category_table;

/** Makes the tables of the network's layer. Owns: the caller clears. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_category_table_make(dt_category_table *out, const dt_network *network,
                                             const dt_layer *layer);

/** Frees; a zeroed one is allowed. */
void dt_category_table_clear(dt_category_table *table);

#endif
