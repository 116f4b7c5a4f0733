/* The watchdog while all ranks live; tests/cli/test_watchdog.sh kills ranks. */
#include "ranks.h"

#include "../../src/comm/watchdog/watchdog_internal.h"

#include "dtrain/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void nap(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

/* ---- what a rank says ---- */

static void test_places_have_names(void **state)
{
    (void)state;
    bool right = true;
    for (int i = 0; i < DT_AT_COUNT; i++) {
        const char *name = dt_place_name((dt_place)i);
        right = right && name != NULL && strlen(name) > 3 && strlen(name) < 40;
        for (int j = 0; right && j < i; j++)
            right = strcmp(name, dt_place_name((dt_place)j)) != 0;
    }
    assert_all(right);
    assert_all_string(dt_place_name(DT_AT_COUNT), "somewhere");
    assert_all_string(dt_place_name((dt_place)-1), "somewhere");
}

static void test_maxima(void **state)
{
    (void)state;
    const dt_comm comm = ranks_all();
    int64_t whole[3] = {test_rank, -test_rank - 1, test_rank == test_size - 1 ? INT64_MAX : 0};
    double parts[3] = {(double)test_rank, -1e300 * (test_rank + 1),
                       test_rank == 0 ? INFINITY : 0.5};
    dt_comm_max_i64(&comm, whole, 3);
    dt_comm_max_f64(&comm, parts, 3);
    assert_all_int(whole[0], test_size - 1);
    assert_all_int(whole[1], -1);
    assert_all(whole[2] == INT64_MAX);
    assert_all_close(parts[0], test_size - 1, 0.0);
    assert_all_close(parts[1], -1e300, 0.0);
    assert_all_close(parts[2], INFINITY, 0.0);
    dt_comm_max_i64(&comm, NULL, 0);
}

/* ---- the board ---- */

/* All ranks of a test are on one host, and see each other's slots. */
static void test_board_shows_all_ranks(void **state)
{
    (void)state;
    dt_host host;
    assert_all_int(dt_host_init(&host, MPI_COMM_WORLD), DT_OK);
    assert_all_int(host.count, test_size);
    assert_all_int(host.job_size, test_size);
    assert_all_int(host.own, test_rank);
    assert_all(host.all && host.sees_pids && host.name[0] != '\0');
    bool right = (uintptr_t)host.board->slots % DT_SLOT_BYTES == 0;
    for (int i = 0; i < host.count; i++) {
        dt_slot *slot = &host.board->slots[i];
        right = right && atomic_load(&slot->rank) == i && atomic_load(&slot->calls) == 0;
        right = right && kill(atomic_load(&slot->pid), 0) == 0;
        right = right && (atomic_load(&slot->pid) == getpid()) == (i == host.own);
        right = right && !dt_host_is_dead(&host, i, true);
    }
    assert_all(right);
    dt_host_clear(&host);
    assert_all(host.board == NULL);
    dt_host_clear(&host);
}

static void test_ranks_mark_where_they_are(void **state)
{
    (void)state;
    dt_host host;
    assert_all_int(dt_host_init(&host, MPI_COMM_WORLD), DT_OK);
    dt_comm comm = ranks_all();
    comm.slot = &host.board->slots[host.own];
    dt_comm_at(&comm, DT_AT_STEP, 7 + test_rank, 1000000000000u + (unsigned)test_rank);
    dt_mpi_barrier(MPI_COMM_WORLD);
    bool right = true;
    for (int i = 0; i < host.count; i++) {
        dt_slot *slot = &host.board->slots[i];
        right = right && atomic_load(&slot->place) == DT_AT_STEP &&
                atomic_load(&slot->epoch) == 7 + i &&
                atomic_load(&slot->step) == 1000000000000u + (unsigned)i;
    }
    assert_all(right);
    dt_host_clear(&host);
}

/* Of ranks that wait the watchdog compares how often they waited: that must be equal on all,
 * whoever sends and receives, whatever the sizes. */
static void test_collectives_are_counted_alike(void **state)
{
    (void)state;
    dt_host host;
    assert_all_int(dt_host_init(&host, MPI_COMM_WORLD), DT_OK);
    dt_comm comm = ranks_all();
    comm.slot = &host.board->slots[host.own];
    size_t bytes[64] = {0};
    char all[64], mine[2] = {1, 2};
    int64_t whole = 1;
    float part = 1.0f;
    double real = 1.0;
    for (int i = 0; i < test_size; i++)
        bytes[i] = i % 3 == 1 ? 0 : 1; /* some get nothing */
    dt_comm_broadcast(&comm, all, sizeof all);
    dt_comm_sum_i64(&comm, &whole, 1);
    dt_comm_sum_f32(&comm, &part, 1);
    dt_comm_max_i64(&comm, &whole, 1);
    dt_comm_max_f64(&comm, &real, 1);
    dt_comm_barrier(&comm);
    dt_comm_allgather(&comm, all, mine, 1);
    dt_comm_scatterv(&comm, mine, bytes[test_rank], all, bytes);
    dt_comm_gatherv(&comm, test_size - 1, all, bytes, mine, bytes[test_rank]);
    assert_all_int(dt_comm_agree(&comm, DT_OK), DT_OK);
    const dt_status mixed = test_rank == 0 ? dt_fail(DT_DATA, "as asked") : DT_OK;
    assert_all_int(dt_comm_agree(&comm, mixed), DT_DATA);
    const dt_status same = dt_comm_check_same(&comm, "it", (uint32_t)test_rank);
    assert_all_int(same, test_size == 1 ? DT_OK : DT_INTERNAL);
    const unsigned long long calls = atomic_load(&comm.slot->calls);
    assert_all(calls % 2 == 0 && calls >= 14);
    assert_all_same(&calls, sizeof calls);
    dt_host_clear(&host);
}

/* ---- made-up hosts ---- */

enum { MADE_UP = 24 };

static struct {
    _Alignas(DT_SLOT_BYTES) char board[sizeof(dt_board) + MADE_UP * sizeof(dt_slot)];
    dt_sight sights[MADE_UP];
    dt_host host;
} made;

/* `count` ranks, all in the same collective of a step. */
static void make_up(int count)
{
    memset(&made, 0, sizeof made);
    made.host = (dt_host){.name = "h1", .count = count, .job_size = count, .all = true};
    made.host.board = (dt_board *)(void *)made.board;
    for (int i = 0; i < count; i++) {
        dt_slot *slot = &made.host.board->slots[i];
        atomic_store(&slot->rank, i);
        atomic_store(&slot->place, DT_AT_STEP);
        atomic_store(&slot->epoch, 3);
        atomic_store(&slot->step, 17);
        made.sights[i] = (dt_sight){.calls = 101, .responds = true};
    }
}

static void assert_stall(const char *expected)
{
    char line[DT_LINE_BYTES], whole[DT_LINE_BYTES + 128];
    dt_line_of_stall(line, &made.host, made.sights, 600.2);
    (void)snprintf(whole, sizeof whole, "dtrain: error: no progress for 600 s: %s; the job ends\n",
                   expected);
    assert_all_string(line, whole);
}

static void assert_dead(const char *expected)
{
    char line[DT_LINE_BYTES], whole[DT_LINE_BYTES + 128];
    dt_line_of_dead(line, &made.host, made.sights);
    (void)snprintf(whole, sizeof whole, "dtrain: error: %s; the job ends\n", expected);
    assert_all_string(line, whole);
}

static void test_line_of_the_dead(void **state)
{
    (void)state;
    make_up(4);
    made.sights[2].dead = true;
    assert_dead("rank 2 on h1 died in a training step (epoch 3, step 17)");
    atomic_store(&made.host.board->slots[2].place, DT_AT_VALIDATE);
    assert_dead("rank 2 on h1 died in the validation (epoch 3)");
    atomic_store(&made.host.board->slots[2].place, DT_AT_LOAD);
    atomic_store(&made.host.board->slots[2].epoch, 0);
    assert_dead("rank 2 on h1 died while reading the data");
    made.sights[0].dead = true;
    assert_dead("rank 0 on h1 died in a training step (epoch 3, step 17), rank 2 on h1 died while "
                "reading the data");
}

static void test_line_names_eight_at_most(void **state)
{
    (void)state;
    char line[DT_LINE_BYTES];
    make_up(MADE_UP);
    memset(made.host.name, 'h', 64);
    for (int i = 0; i < MADE_UP; i++) {
        atomic_store(&made.host.board->slots[i].rank, 1000000 + i);
        atomic_store(&made.host.board->slots[i].epoch, INT64_MAX);
        atomic_store(&made.host.board->slots[i].step, UINT64_MAX);
        made.sights[i] = (dt_sight){.dead = true};
    }
    dt_line_of_dead(line, &made.host, made.sights);
    assert_all(strstr(line, "rank 1000007 on h") != NULL && strstr(line, "1000008") == NULL);
    assert_all(strstr(line, ", and 16 more; the job ends\n") != NULL);
    dt_line_of_stall(line, &made.host, made.sights, 1e9);
    assert_all(strstr(line, "rank 1000007 on h") != NULL && strstr(line, "1000008") == NULL);
    assert_all(strstr(line, ", and 16 more; the job ends\n") != NULL);
}

static void test_line_of_a_stall(void **state)
{
    (void)state;
    make_up(4);
    made.sights[2].calls = 100; /* the others wait, it does not */
    assert_stall("rank 2 on h1 is stuck in a training step (epoch 3, step 17)");
    made.sights[3].responds = false;
    assert_stall("rank 2 on h1 is stuck in a training step (epoch 3, step 17), rank 3 on h1 does "
                 "not respond (stopped?) in a training step (epoch 3, step 17)");
    made.sights[1].calls = 99; /* it may wait for these two itself */
    assert_stall("rank 2 on h1 is stuck in a training step (epoch 3, step 17), rank 3 on h1 does "
                 "not respond (stopped?) in a training step (epoch 3, step 17)");
    make_up(4);
    made.sights[1].calls = 99; /* it waits in an earlier collective */
    assert_stall("rank 1 on h1 is stuck in a training step (epoch 3, step 17)");
    made.host.job_size = 5; /* perhaps for a rank that cannot be seen from here */
    assert_stall(
        "ranks 0-3 on h1 wait for those of other hosts in a training step (epoch 3, step 17)");
    made.host.job_size = 4;
    atomic_store(&made.host.board->slots[1].ended, 1); /* it has left, and is not waited for */
    assert_stall("ranks 0, 2-3 on h1 wait for each other in a training step (epoch 3, step 17)");
    make_up(1);
    made.sights[0].calls = 100;
    assert_stall("rank 0 on h1 is stuck in a training step (epoch 3, step 17)");
}

static void test_line_of_ranks_that_wait(void **state)
{
    (void)state;
    static const int spread[] = {0, 1, 2, 5, 7, 8};
    make_up(6);
    made.host.job_size = 10;
    for (int i = 0; i < 6; i++)
        atomic_store(&made.host.board->slots[i].rank, spread[i]);
    assert_stall("ranks 0-2, 5, 7-8 on h1 wait for those of other hosts in a training step "
                 "(epoch 3, step 17)");
    make_up(MADE_UP);
    made.host.job_size = 1000;
    for (int i = 0; i < MADE_UP; i++)
        atomic_store(&made.host.board->slots[i].rank, 2 * i);
    assert_stall("ranks 0, 2, 4, 6, 8, 10, 12, 14 and more on h1 wait for those of other hosts in "
                 "a training step (epoch 3, step 17)");
    make_up(1);
    made.host.job_size = 2;
    assert_stall(
        "rank 0 on h1 waits for those of other hosts in a training step (epoch 3, step 17)");
    made.host.all = false;
    assert_stall("rank 0 on h1 waits for other ranks in a training step (epoch 3, step 17)");
}

/* ---- the dead ---- */

static void test_dead_process_is_seen(void **state)
{
    (void)state;
    make_up(2);
    made.host.sees_pids = true;
    dt_slot *slot = &made.host.board->slots[1];
    const pid_t child = fork();
    if (child == 0)
        for (;;)
            (void)pause();
    assert_all(child > 0);
    atomic_store(&slot->pid, (int)child);
    const bool alive = !dt_host_is_dead(&made.host, 1, true);
    (void)kill(child, SIGSTOP);
    const bool stopped = !dt_host_is_dead(&made.host, 1, true);
    (void)kill(child, SIGKILL);
    siginfo_t info;
    (void)waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT); /* dead, but not taken note of */
    const bool zombie = dt_host_is_dead(&made.host, 1, true);
    const bool at_a_glance = dt_host_is_dead(&made.host, 1, false);
    (void)waitpid(child, NULL, 0);
    const bool gone = dt_host_is_dead(&made.host, 1, false);
    assert_all(alive);
    assert_all(stopped);
    assert_all(zombie);
    assert_all(!at_a_glance);
    assert_all(gone);
    made.host.sees_pids = false;
    assert_all(!dt_host_is_dead(&made.host, 1, true));
    made.host.sees_pids = true;
    atomic_store(&slot->ended, 1);
    assert_all(!dt_host_is_dead(&made.host, 1, true));
}

/* ---- the thread ---- */

static dt_comm watched(void)
{
    dt_comm comm = ranks_all();
    if (dt_watchdog_start(&comm.watchdog, MPI_COMM_WORLD) == DT_OK)
        comm.slot = dt_watchdog_slot(comm.watchdog);
    return comm;
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *list = opendir(folder);
    while (list != NULL && readdir(list) != NULL)
        count++;
    if (list != NULL)
        (void)closedir(list);
    return count;
}

/* A thread that was joined may be listed for a moment still: the kernel wakes who waits for it
 * first. */
static bool comes_to(const char *folder, int count)
{
    for (int i = 0; i < 500 && entries(folder) != count; i++)
        nap(0.01);
    return entries(folder) == count;
}

static void test_nothing_is_left_behind(void **state)
{
    (void)state;
    const int threads = entries("/proc/self/task"), files = entries("/proc/self/fd");
    for (int i = 0; i < 20; i++) {
        dt_comm comm = watched();
        assert_all(comm.slot != NULL && comes_to("/proc/self/task", threads + 1));
        dt_watchdog_stop(comm.watchdog);
    }
    assert_all(comes_to("/proc/self/task", threads));
    assert_all(comes_to("/proc/self/fd", files));
    dt_watchdog_stop(NULL);
}

/* Each would end this process if it were wrong. */
static void test_a_limit_of_zero_is_none(void **state)
{
    (void)state;
    dt_comm comm = watched();
    dt_comm_set_stall_timeout(&comm, 1.0);
    dt_comm_set_stall_timeout(&comm, 0.0);
    nap(2.0);
    assert_all(atomic_load(&comm.slot->heartbeat) > 0);
    dt_watchdog_stop(comm.watchdog);
}

static void test_marks_keep_it_quiet(void **state)
{
    (void)state;
    dt_comm comm = watched();
    dt_comm_set_stall_timeout(&comm, 1.5);
    for (unsigned i = 0; i < 60; i++) {
        dt_comm_at(&comm, DT_AT_LOAD, 0, i);
        nap(0.05);
    }
    dt_comm_set_stall_timeout(&comm, 0.0);
    dt_mpi_barrier(MPI_COMM_WORLD);
    dt_watchdog_stop(comm.watchdog);
}

/* A rank that is done is neither late nor dead for those that go on. */
static void test_ended_ranks_are_no_concern(void **state)
{
    (void)state;
    dt_comm comm = watched();
    dt_comm_set_stall_timeout(&comm, 1.5);
    if (test_rank == 0) {
        for (unsigned i = 0; i < 40; i++) {
            dt_comm_at(&comm, DT_AT_SAVE, 0, i);
            nap(0.05);
        }
    }
    dt_watchdog_stop(comm.watchdog);
    assert_all(true);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_places_have_names),
    cmocka_unit_test(test_maxima),
    cmocka_unit_test(test_board_shows_all_ranks),
    cmocka_unit_test(test_ranks_mark_where_they_are),
    cmocka_unit_test(test_collectives_are_counted_alike),
    cmocka_unit_test(test_line_of_the_dead),
    cmocka_unit_test(test_line_names_eight_at_most),
    cmocka_unit_test(test_line_of_a_stall),
    cmocka_unit_test(test_line_of_ranks_that_wait),
    cmocka_unit_test(test_dead_process_is_seen),
    cmocka_unit_test(test_nothing_is_left_behind),
    cmocka_unit_test(test_a_limit_of_zero_is_none),
    cmocka_unit_test(test_marks_keep_it_quiet),
    cmocka_unit_test(test_ended_ranks_are_no_concern),
};

MPI_SUITE(test_watchdog, tests);
