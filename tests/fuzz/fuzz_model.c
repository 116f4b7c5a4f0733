/*
 * libFuzzer: any bytes as a model, .h5 or .keras. What is read is a network that can be computed
 * with.
 */
#define _GNU_SOURCE
#include "dtrain/model/model.h"
#include "fuzz_h5.h"
#include "fuzz_zip.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dt_assert_set_hook(abort);
    fuzz_h5_start();
    return 0;
}

static void check_model(const dt_model *model)
{
    const dt_network *network = &model->network;
    float sum = 0.0f;
    assert(network->P > 0 && network->params != NULL);
    for (size_t i = 0; i < network->P; i++)
        sum += network->params[i];
    for (size_t s = 0; model->optimizer.P > 0 && s < model->optimizer.kind->state_count; s++)
        for (size_t i = 0; i < network->P; i++)
            sum += model->optimizer.states[s][i];
    for (size_t i = 0; i < network->constant_count; i++)
        sum += network->constants[i];
    for (size_t i = 0; i < model->class_name_count; i++)
        sum += (float)strlen(model->class_names[i]);
    (void)sum; /* a sanitizer has seen every value */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *path = fuzz_h5_file(data, bytes);
    dt_model model = {0};
    const dt_status status = dt_model_read(&model, path);
    fuzz_h5_check();
    fuzz_check(status, DT_DATA);
    if (status == DT_OK)
        check_model(&model);
    dt_model_clear(&model);
    return 0;
}
