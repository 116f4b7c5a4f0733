/*
 * libFuzzer: any bytes as a checkpoint, read as --resume does: its settings, and all that the
 * training goes on with.
 */
#define _GNU_SOURCE
#include "dtrain/run/checkpoint.h"
#include "dtrain/run/previous.h"
#include "fuzz_h5.h"

enum {
    SEED_P = 12
}; /* of the network of 2 inputs, 2 units and 2 classes that the seeds come from */

static char folder[] = "/dev/shm/fuzz-folder-XXXXXX", checkpoint[64];

static void remove_folder(void)
{
    (void)unlink(checkpoint);
    (void)rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dt_assert_set_hook(abort);
    fuzz_h5_start();
    assert(mkdtemp(folder) != NULL);
    (void)dt_checkpoint_path(checkpoint, sizeof checkpoint, folder);
    (void)atexit(remove_folder);
    return 0;
}

static void read_arrays(dt_h5 *h5)
{
    dt_checkpoint read = {0};
    float sum = 0.0f;
    const dt_status status = dt_checkpoint_read(&read, h5, checkpoint, &dt_classification, SEED_P);
    fuzz_check(status, DT_DATA);
    for (size_t i = 0; status == DT_OK && i < SEED_P; i++)
        sum += read.params[i] + read.optimizer.states[0][i];
    assert(status != DT_OK || read.optimizer.step >= 0);
    (void)sum; /* a sanitizer has seen every value */
    dt_checkpoint_clear(&read);
}

static void read_settings(void)
{
    static dt_settings settings;
    static dt_previous previous;
    memset(&settings, 0, sizeof settings);
    dt_options_set_defaults(dt_settings_table(), &settings);
    (void)snprintf(settings.resume, sizeof settings.resume, "%s", folder);
    fuzz_check(dt_previous_read(&previous, &settings), DT_DATA);
    dt_previous_clear(&previous);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    dt_h5 *h5 = NULL;
    assert(rename(fuzz_h5_file(data, bytes), checkpoint) == 0);
    const dt_status status = dt_checkpoint_open(&h5, folder);
    fuzz_check(status, DT_DATA);
    if (status == DT_OK)
        read_arrays(h5);
    dt_h5_free(h5);
    fuzz_h5_check();
    if (status == DT_OK)
        read_settings();
    fuzz_h5_check();
    return 0;
}
