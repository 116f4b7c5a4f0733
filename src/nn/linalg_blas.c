/* The products by BLAS, for CPUs without kernels of our own and for comparison (--engine blas):
 * panel by panel, since BLAS knows no panels. */
#include "linalg_internal.h"

#include "dtrain/nn/panels.h"

#include <cblas.h>
#include <string.h>

static void multiply(const dt_multiply *m)
{
    const int rows = (int)m->rows;
    const size_t row = m->out_row != 0 ? m->out_row : DT_PANEL;
    for (size_t n = 0; n < dt_panels_count(m->N); n++) {
        const size_t at = n * m->out_pitch * DT_PANEL;
        float *out = m->out + at;
        const float *B = m->B + n * m->K * DT_PANEL;
        for (size_t i = 0; i < m->rows; i++)
            if (m->start != NULL)
                memcpy(out + i * row, m->start + n * DT_PANEL, DT_PANEL * sizeof *out);
            else
                memset(out + i * row, 0, DT_PANEL * sizeof *out);
        for (size_t k = 0; k < m->K; k += DT_PANEL) {
            const size_t steps = dt_panels_width(m->K, k);
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, DT_PANEL, (int)steps, 1.0f,
                        m->A + k / DT_PANEL * m->a_panel, (int)m->a_row, B + k * DT_PANEL, DT_PANEL,
                        1.0f, out, (int)row);
        }
        if (m->out_row != 0)
            continue;
        if (m->outputs == NULL)
            dt_activation_forward(m->activation, out, m->slopes == NULL ? NULL : m->slopes + at,
                                  m->rows * DT_PANEL);
        else
            dt_activation_backward(m->activation, out, m->outputs + at, m->rows * DT_PANEL);
    }
}

static void multiply_narrow(const dt_narrow *m)
{
    for (size_t i = 0; i < m->rows; i++)
        memcpy(m->z + i * m->z_row, m->bias, m->C * sizeof *m->z);
    for (size_t k = 0; k < dt_panels_count(m->D); k++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m->rows, (int)m->C, DT_PANEL,
                    1.0f, m->X + k * m->x_panel, (int)m->x_row, m->WT + k * m->C * DT_PANEL,
                    DT_PANEL, 1.0f, m->z, (int)m->z_row);
}

static void outer(float *g, const dt_outer *m)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)m->count, DT_PANEL, (int)m->rows,
                1.0f, m->A, (int)m->a_row, m->B, (int)m->b_row, 0.0f, g, DT_PANEL);
}

const dt_kernels dt_kernels_blas = {
    .name = "blas",
    .is_rowwise = false,
    .multiply = multiply,
    .multiply_narrow = multiply_narrow,
    .outer = outer,
};
