/* Row-major parameters into the layouts that products read. The padding stays as it was: zeros. */
#include "linalg_internal.h"

#include "dtrain/nn/panels.h"

#include <string.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

void dt_pack_panels(float *to, const float *W, size_t D, size_t H)
{
    for (size_t h = 0; h < H; h += DT_PANEL, to += D * DT_PANEL) {
        const size_t columns = dt_panels_width(H, h);
        for (size_t d = 0; d < D && columns == DT_PANEL; d++)
            memcpy(to + d * DT_PANEL, W + d * H + h, DT_PANEL * sizeof *W);
        for (size_t d = 0; d < D && columns < DT_PANEL; d++)
            for (size_t j = 0; j < columns; j++)
                to[d * DT_PANEL + j] = W[d * H + h + j];
    }
}

/* Columns `from` to H of `rows` <= 4 rows, which become columns of a panel. */
static void transpose_rest(float *to, const float *W, size_t H, size_t rows, size_t from)
{
    for (size_t h = from; h < H; h++)
        for (size_t i = 0; i < rows; i++)
            to[h * DT_PANEL + i] = W[i * H + h];
}

/* Four rows along the whole row: 32 rows at a time that are 4096 bytes apart would share a few sets
 * of the first-level cache. Returns the columns that are done. */
static size_t transpose_4(float *to, const float *W, size_t H)
{
    size_t h = 0;
#if defined(__SSE__)
    for (; h + 4 <= H; h += 4, to += (size_t)4 * DT_PANEL) {
        __m128 a = _mm_loadu_ps(W + h), b = _mm_loadu_ps(W + H + h);
        __m128 c = _mm_loadu_ps(W + 2 * H + h), d = _mm_loadu_ps(W + 3 * H + h);
        _MM_TRANSPOSE4_PS(a, b, c, d);
        _mm_storeu_ps(to, a);
        _mm_storeu_ps(to + DT_PANEL, b);
        _mm_storeu_ps(to + (size_t)2 * DT_PANEL, c);
        _mm_storeu_ps(to + (size_t)3 * DT_PANEL, d);
    }
#else
    (void)to, (void)W, (void)H;
#endif
    return h;
}

void dt_pack_transposed(float *to, const float *W, size_t D, size_t H)
{
    for (size_t d = 0; d < D; d += DT_PANEL, to += H * DT_PANEL) {
        const size_t columns = dt_panels_width(D, d);
        for (size_t i = 0; i < columns; i += 4) {
            const float *from = W + (d + i) * H;
            const size_t rows = columns - i < 4 ? columns - i : 4;
            transpose_rest(to + i, from, H, rows, rows == 4 ? transpose_4(to + i, from, H) : 0);
        }
    }
}
