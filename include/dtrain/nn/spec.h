#ifndef DTRAIN_NN_SPEC_H
#define DTRAIN_NN_SPEC_H

#include "dtrain/nn/network.h"

/**
 * Lays out the network that options describe: dense layers, without memory for its parameters.
 *
 * Shapes:  hidden [hidden_count]: units; the last layer has C
 * Calls:   local
 * Owns:    the caller clears with dt_network_clear
 * Errors:  as dt_network_plan
 */
DT_MUST_USE dt_status dt_spec_plan(dt_network *out, size_t D, const size_t *hidden,
                                   size_t hidden_count, dt_activation activation, size_t C);

/** Makes the same network with its initial parameters (dt_network_fill). */
DT_MUST_USE dt_status dt_spec_make(dt_network *out, size_t D, const size_t *hidden,
                                   size_t hidden_count, dt_activation activation, size_t C,
                                   uint64_t seed);

/**
 * Replaces the dropout layers: one behind each hidden dense layer, or none if the rate is 0. An add
 * takes the outputs of the same layer as before, behind its dropout.
 *
 * Calls:   local; parameters and constants stay as they are
 * Errors:  DT_MEMORY; DT_DATA: an add would take the inputs. Then the network is as it was
 */
DT_MUST_USE dt_status dt_spec_set_dropout(dt_network *network, double rate);

#endif
