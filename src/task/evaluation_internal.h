#ifndef DTRAIN_TASK_EVALUATION_INTERNAL_H
#define DTRAIN_TASK_EVALUATION_INTERNAL_H

#include "dtrain/task/evaluation.h"

#include <stddef.h>
#include <stdint.h>

/** The parts of dt_evaluation_compute. */

/** Keras's and sklearn.metrics.log_loss's bounds of a probability: epsilon and 1 - epsilon. */
#define DT_KERAS_EPSILON 1e-7
#define DT_LOG_LOSS_EPSILON 0x1p-52

/** Returns p, or the nearer of epsilon and 1 - epsilon. Local. */
static inline double dt_clip(double p, double epsilon)
{
    return p < epsilon ? epsilon : p > 1.0 - epsilon ? 1.0 - epsilon : p;
}

/**
 * Adds up a set's rows: dt_evaluate with scores. `curves` as dt_scores_init has it.
 *
 * Calls:   collective, as dt_evaluation_of_set
 * Owns:    the caller clears *scores, also after an error
 * Errors:  DT_DIVERGED when the loss is not finite; DT_MEMORY
 */
DT_MUST_USE dt_status dt_scores_of_set(dt_scores *scores, dt_metrics *means, const dt_comm *comm,
                                       const dt_network *network, const dt_dataset *set,
                                       bool curves, dt_pool *pool);

/** Returns target j's mean and standard deviation: 0 and 1 of a network without a scale. Local. */
static inline dt_target_scale dt_scores_scale(const dt_scores *scores, size_t j)
{
    return scores->scale != NULL ? scores->scale[j] : (dt_target_scale){0.0, 1.0};
}

/**
 * The weights of the rows of a class, of the rows predicted as it, and of the rows that are both.
 */
typedef struct dt_class_weight {
    double rows, predicted, hits;
} dt_class_weight;

/** Returns the scores of class `c` from counts and weights; the areas are NaN. Local. */
dt_class_quality dt_class_quality_of(size_t c, int64_t rows, int64_t predicted,
                                     const dt_class_weight *weight);

/** Sums for the means over classes that occur; zeroed at the start. */
typedef struct dt_class_means {
    double precision, recall, f1;
    size_t classes;
} dt_class_means;

/** Adds a class, if it occurs. Local. */
void dt_class_means_add(dt_class_means *means, const dt_class_quality *quality);

/** Sets precision, recall and f1; NaN without classes. Local. */
void dt_class_means_get(dt_quality *out, const dt_class_means *means);

/**
 * Returns the area over all classes: the mean of the classes' number at `offset` over those classes
 * where it is not NaN; of two classes, class 1's. Local.
 */
double dt_class_mean_area(const dt_evaluation *evaluation, size_t offset);

/**
 * Sets `majority` and majority_class, from the counts of *out: the rows of each class, and whether
 * the areas are there. Local.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_evaluation_fill_baseline(dt_evaluation *out, const uint64_t *class_rows);

/** Computes the quality of values; collective, as dt_evaluation_compute. */
DT_MUST_USE dt_status dt_evaluation_measure_values(dt_evaluation *out, const dt_comm *comm,
                                                   const dt_scores *scores);

/** Sets the areas of each class, roc and pr; collective. Errors: DT_MEMORY, on all ranks. */
DT_MUST_USE dt_status dt_evaluation_measure_curves(dt_evaluation *out, const dt_comm *comm,
                                                   const dt_scores *scores);

#endif
