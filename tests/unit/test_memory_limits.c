/* rooms: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/memory.h"
#include "dtrain/base/memory_limits.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A root folder of each case, with proc/ and sys/ of its own. */
static char root[PATH_MAX];

static int make_root(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(root, sizeof root, "%s/dtrain-test-XXXXXX", base != NULL ? base : "/tmp");
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    const pid_t pid = fork();
    int status = -1;
    if (pid == 0) {
        (void)execlp("rm", "rm", "-rf", root, (char *)NULL);
        _exit(127);
    }
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

/* Writes a file of the root, and the folders above it. */
static void put(const char *name, const char *text)
{
    char path[2 * PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void put_in(const char *group, const char *file, const char *text)
{
    char name[PATH_MAX];
    (void)snprintf(name, sizeof name, "%s/%s", group, file);
    put(name, text);
}

static void put_two(const char *group, const char *max, const char *current, const char *stat)
{
    put_in(group, "memory.max", max);
    put_in(group, "memory.current", current);
    put_in(group, "memory.stat", stat);
}

static void put_one(const char *group, const char *limit, const char *usage, const char *stat)
{
    put_in(group, "memory.limit_in_bytes", limit);
    put_in(group, "memory.usage_in_bytes", usage);
    put_in(group, "memory.stat", stat);
}

static void nothing_known_is_no_limit(void **state)
{
    (void)state;
    assert_true(dt_memory_group_available(root) == SIZE_MAX);
    put("proc/self/cgroup", "0::/a/b\n");
    assert_true(dt_memory_group_available(root) == SIZE_MAX);
    put("proc/self/cgroup", "no colon\n1:memory\n\n:::\n");
    assert_true(dt_memory_group_available(root) == SIZE_MAX);
}

static void version_two_takes_the_least_of_all_above(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/slice/job/step\n");
    put_two("sys/fs/cgroup/slice/job/step", "max\n", "50\n", "");
    put_two("sys/fs/cgroup/slice/job", "9000\n", "2000\n",
            "anon 900\nfile 700\ninactive_file 300\nactive_file 200\nworkingset_active_file 7\n");
    assert_int_equal(dt_memory_group_available(root), 7500);
    put_two("sys/fs/cgroup/slice", "8000\n", "7000\n", "inactive_file 0\nactive_file 1\n");
    assert_int_equal(dt_memory_group_available(root), 1001);
    put_two("sys/fs/cgroup/slice/job/step", "600\n", "50\n", "");
    assert_int_equal(dt_memory_group_available(root), 550);
    put_two("sys/fs/cgroup/slice/job/step", "600\n", "700\n", ""); /* lowered since */
    assert_int_equal(dt_memory_group_available(root), 0);
}

/* The group that is mounted is the container's, whatever path the host calls it by. */
static void container_sees_its_own_group_at_the_mount(void **state)
{
    (void)state;
    put("sys/fs/cgroup/memory.max", "4096\n");
    put("sys/fs/cgroup/memory.current", "96\n");
    const char *const paths[] = {"0::/\n", "0::/docker/0123\n", "0::/../../other\n"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        put("proc/self/cgroup", paths[i]);
        assert_int_equal(dt_memory_group_available(root), 4000);
    }
}

static void version_one_is_read_from_its_own_hierarchy(void **state)
{
    (void)state;
    put("proc/self/cgroup", "9:name=systemd:/x\n4:cpu,memory:/slurm/job_7\n3:cpuset:/low\n0::/\n");
    put_one("sys/fs/cgroup/memory", "9223372036854771712\n", "5\n", "");
    put_one("sys/fs/cgroup/memory/low", "1\n", "0\n", "");
    assert_true(dt_memory_group_available(root) > SIZE_MAX / 4);
    put_one("sys/fs/cgroup/memory/slurm/job_7", "2000\n", "1500\n",
            "inactive_file 1\ntotal_inactive_file 100\ntotal_active_file 20\n");
    assert_int_equal(dt_memory_group_available(root), 620);
    /* Both versions at once. */
    put_two("sys/fs/cgroup/unified", "500\n", "0\n", "");
    assert_int_equal(dt_memory_group_available(root), 500);
}

/* In a child, which keeps its limit to itself. Returns its exit status. */
static int under(int resource, rlim_t room, int (*body)(void))
{
    int status = -1;
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit high = {(rlim_t)1 << 50, RLIM_INFINITY};
        const char *limit = NULL;
        if (setrlimit(resource, &high) != 0)
            _exit(91);
        const rlim_t used = high.rlim_cur - dt_memory_process_available(&limit);
        const struct rlimit bound = {used + room, RLIM_INFINITY};
        _exit(setrlimit(resource, &bound) == 0 ? body() : 92);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *limited;

static int has_room(void)
{
    const char *limit = NULL;
    const size_t room = dt_memory_process_available(&limit);
    if (room > 64U << 20 || room < 60U << 20 || strcmp(limit, limited) != 0)
        return 1;
    /* A share of 50 MiB for each of two fits, one of 100 MiB does not. */
    if (dt_memory_check(100 << 20, 2, "rows", "use fewer") != DT_OK)
        return 2;
    if (dt_memory_check(200 << 20, 2, "rows", "use fewer") != DT_MEMORY)
        return 3;
    char expected[128];
    (void)snprintf(expected, sizeof expected,
                   "no memory for rows: each rank needs 100 MiB, and %s leaves it ", limited);
    return strncmp(dt_status_text(), expected, strlen(expected)) == 0 ? 0 : 4;
}

static void ulimit_bounds_each_process(void **state)
{
    (void)state;
    const char *limit = NULL;
    struct rlimit space;
    assert_int_equal(getrlimit(RLIMIT_AS, &space), 0);
    if (space.rlim_cur == RLIM_INFINITY)
        assert_true(dt_memory_process_available(&limit) > SIZE_MAX / 2);
    limited = "ulimit -v";
    assert_int_equal(under(RLIMIT_AS, 64U << 20, has_room), 0);
    limited = "ulimit -d";
    assert_int_equal(under(RLIMIT_DATA, 64U << 20, has_room), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_known_is_no_limit, make_root, remove_root),
        cmocka_unit_test_setup_teardown(version_two_takes_the_least_of_all_above, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(container_sees_its_own_group_at_the_mount, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(version_one_is_read_from_its_own_hierarchy, make_root,
                                        remove_root),
        cmocka_unit_test(ulimit_bounds_each_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
