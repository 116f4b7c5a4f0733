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
 * Puts a dropout layer behind each hidden dense layer, in the place of those that are there; with a
 * rate of 0 there are none afterwards.
 *
 * Calls:   local; parameters and constants stay as they are
 * Errors:  DT_MEMORY; then the network is as it was
 */
DT_MUST_USE dt_status dt_spec_set_dropout(dt_network *network, double rate);

#endif
