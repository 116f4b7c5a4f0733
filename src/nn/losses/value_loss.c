#include "value_loss.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is dt_loss's. */
void dt_value_predict(float *z, size_t B, size_t C, const dt_loss_rows *rows)
{
    (void)z, (void)B, (void)C, (void)rows;
}
