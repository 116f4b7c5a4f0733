#include "dtrain/comm/exact_total.h"

/* Digits of 32 bits: added up over 2^31 ranks they do not leave 64 bits. A carry out of the highest
 * is lost, as it is to be: negative totals are their complements. */
enum { WORDS = 4, WORD_BITS = 32, TOTALS_AT_ONCE = 512 };

static void split(int64_t words[WORDS], dt_int128 steps)
{
    const dt_uint128 bits = (dt_uint128)steps;
    for (int w = 0; w < WORDS; w++)
        words[w] = (int64_t)((bits >> (w * WORD_BITS)) & 0xFFFFFFFFu);
}

static dt_int128 join(const int64_t words[WORDS])
{
    dt_uint128 bits = 0;
    for (int w = 0; w < WORDS; w++)
        bits += (dt_uint128)words[w] << (w * WORD_BITS);
    return (dt_int128)bits;
}

void dt_exact_total_sum(const dt_comm *comm, dt_exact_total *totals, size_t count)
{
    int64_t words[TOTALS_AT_ONCE][WORDS];
    for (size_t from = 0; from < count; from += TOTALS_AT_ONCE) {
        const size_t some = count - from < TOTALS_AT_ONCE ? count - from : TOTALS_AT_ONCE;
        for (size_t i = 0; i < some; i++)
            split(words[i], totals[from + i].steps);
        dt_comm_sum_i64(comm, words[0], some * WORDS);
        for (size_t i = 0; i < some; i++)
            totals[from + i].steps = join(words[i]);
    }
}
