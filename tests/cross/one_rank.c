/*
 * What dtrain's trainer requires from other rooms, without the libraries behind them: a
 * communicator of one rank (MPI), and a checksum (zlib).
 */
#include "one_rank.h"

#include "dtrain/base/crc32.h"
#include "dtrain/comm/background_sum.h"
#include "dtrain/comm/watchdog.h"
#include "dtrain/comm/window.h"
#include "dtrain/data/source.h"

#include <string.h>

/* ---- ranks: one, whose sums are its numbers ---- */

struct dt_comm {
    int nothing;
};

const dt_comm *one_rank(void)
{
    static const dt_comm comm = {0};
    return &comm;
}

int dt_comm_rank(const dt_comm *comm)
{
    (void)comm;
    return 0;
}

int dt_comm_size(const dt_comm *comm)
{
    (void)comm;
    return 1;
}

dt_status dt_comm_agree(const dt_comm *comm, dt_status status)
{
    (void)comm;
    return status;
}

dt_status dt_comm_check_same(const dt_comm *comm, const char *what, uint32_t value)
{
    (void)comm, (void)what, (void)value;
    return DT_OK;
}

void dt_comm_broadcast(const dt_comm *comm, void *data, size_t bytes)
{
    (void)comm, (void)data, (void)bytes;
}

void dt_comm_sum_i64(const dt_comm *comm, int64_t *data, size_t count)
{
    (void)comm, (void)data, (void)count;
}

void dt_comm_sum_f32(const dt_comm *comm, float *data, size_t count)
{
    (void)comm, (void)data, (void)count;
}

void dt_comm_max_i64(const dt_comm *comm, int64_t *data, size_t count)
{
    (void)comm, (void)data, (void)count;
}

void dt_comm_max_f64(const dt_comm *comm, double *data, size_t count)
{
    (void)comm, (void)data, (void)count;
}

void dt_comm_barrier(const dt_comm *comm)
{
    (void)comm;
}

void dt_comm_allgather(const dt_comm *comm, void *all, const void *mine, size_t bytes)
{
    (void)comm;
    memcpy(all, mine, bytes);
}

void dt_comm_gatherv(const dt_comm *comm, int root, void *all, const size_t *bytes,
                     const void *mine, size_t my_bytes)
{
    (void)comm, (void)root, (void)bytes;
    memcpy(all, mine, my_bytes);
}

void dt_comm_at(const dt_comm *comm, dt_place place, int64_t epoch, uint64_t step)
{
    (void)comm, (void)place, (void)epoch, (void)step;
}

void dt_comm_report_progress(const dt_comm *comm)
{
    (void)comm;
}

/* ---- sums in the background: one rank has none ---- */

dt_status dt_background_sum_new(dt_background_sum **out, const dt_comm *comm)
{
    (void)comm;
    *out = NULL;
    return dt_fail(DT_INTERNAL, "one rank adds nothing up in the background");
}

void dt_background_sum_free(dt_background_sum *sum)
{
    DT_ASSERT(sum == NULL);
}

void dt_background_sum_add_i64(dt_background_sum *sum, int64_t *data, size_t count)
{
    (void)data, (void)count;
    DT_ASSERT(sum != NULL);
}

void dt_background_sum_add_f32(dt_background_sum *sum, float *data, size_t count)
{
    (void)data, (void)count;
    DT_ASSERT(sum != NULL);
}

void dt_background_sum_poll(dt_background_sum *sum)
{
    DT_ASSERT(sum != NULL);
}

void dt_background_sum_wait(dt_background_sum *sum)
{
    DT_ASSERT(sum != NULL);
}

/* ---- data and io ---- */

const char *dt_set_name(dt_set set)
{
    static const char *const names[DT_SET_COUNT] = {"train", "validation", "test"};
    return names[set];
}

/* zlib's checksum, bit by bit. */
uint32_t dt_crc32(uint32_t crc, const void *data, size_t bytes)
{
    const unsigned char *byte = data;
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc % 2 != 0 ? 0xEDB88320u : 0u);
    }
    return ~crc;
}

/* ---- a window: not for one rank ---- */

dt_status dt_window_new(dt_window **out, const dt_comm *comm, const dt_launch *launch, bool yields,
                        size_t area_bytes, size_t arrays, size_t array_bytes)
{
    (void)comm, (void)launch, (void)yields, (void)area_bytes, (void)arrays, (void)array_bytes;
    *out = NULL;
    return dt_fail(DT_INTERNAL, "a window for one rank");
}

void dt_window_free(dt_window *window)
{
    (void)window;
}

int dt_window_size(const dt_window *window)
{
    (void)window;
    return 1;
}

int dt_window_rank(const dt_window *window)
{
    (void)window;
    return 0;
}

int dt_window_hosts(const dt_window *window)
{
    (void)window;
    return 1;
}

void *dt_window_area(const dt_window *window, int rank)
{
    (void)window, (void)rank;
    return NULL;
}

void *dt_window_array(const dt_window *window, size_t array)
{
    (void)window, (void)array;
    return NULL;
}

void dt_window_slice(const dt_window *window, size_t count, size_t *slice_first,
                     size_t *slice_count)
{
    (void)window;
    *slice_first = 0;
    *slice_count = count;
}

void dt_window_wait(dt_window *window)
{
    (void)window;
}

const dt_comm *dt_window_owners(const dt_window *window)
{
    (void)window;
    return one_rank();
}
