#ifndef DTRAIN_TESTS_COURSE_H
#define DTRAIN_TESTS_COURSE_H

/** Runs as users start them, from the words of the command line, on any communicator: what they
 * came to, to the bit. For tests over ranks. */

#include "ranks.h"

#include "dtrain/run/settings.h"
#include "dtrain/task/task.h"
#include "dtrain/train/trainer.h"

/** Maximum number of epochs and of bytes of words. */
enum { COURSE_EPOCHS = 8, COURSE_WORDS_BYTES = 1024 };

/** What does not depend on the number of ranks, and what was asked for. Plain data; the same on all
 * ranks of a run. */
typedef struct course {
    dt_status status; /* of training and evaluation */
    char text[DT_STATUS_TEXT_BYTES]; /* "" if it is DT_OK */
    int64_t steps, epochs, best_epoch;
    uint32_t params, states; /* CRC-32 of the weights, and of all that the optimizer has beside */
    uint32_t weights_crc[COURSE_EPOCHS];
    double learning_rates[COURSE_EPOCHS];
    dt_metrics train[COURSE_EPOCHS], validation[COURSE_EPOCHS];
    double threshold;
    dt_metrics metrics[DT_SET_COUNT];
    dt_quality qualities[DT_SET_COUNT];
    uint64_t layer_kinds; /* bit k: the network has a layer of dt_layer_kinds[k] */
    dt_settings settings; /* as the words have them: nothing is completed */
} course;

/**
 * Makes the run that the words describe, and evaluates its model without saving it. Blanks separate
 * words; a word "@name" is the path of `name` in the scratch folder. Its log and checkpoint are in
 * the subfolder `folder` of the scratch folder; course_sweep removes them.
 *
 * It stops with a checkpoint after `stop_after` steps; 0: it does not. Stopped runs have no metrics
 * and qualities.
 *
 * Calls: collective over `comm`; on an error `text` is that of the run
 */
void course_run(course *out, const dt_comm *comm, const char *words, const char *folder,
                int64_t stop_after);

/** Removes a run's subfolder. Local; of one rank. */
void course_sweep(const char *folder);

/** Returns NULL if both came to the same, bit for bit; otherwise the name of a difference. */
const char *course_difference(const course *a, const course *b);

#endif
