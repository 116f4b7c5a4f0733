/* rooms: comm */
#include "dtrain/comm/launch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch_folder.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char exclude[] = "OMPI_MCA_btl_tcp_if_exclude";

/* ---- kernels ---- */

static const char *common(const char *a, const char *b, const char *c)
{
    const char *const families[] = {a, b, c};
    return dt_launch_common_kernels(families, c != NULL ? 3 : 2);
}

static void test_kernels_of_one_line(void **state)
{
    (void)state;
    assert_string_equal(common("Cooperlake", "Haswell", NULL), "Haswell");
    assert_string_equal(common("Haswell", "Cooperlake", NULL), "Haswell");
    assert_string_equal(common("SkylakeX", "SapphireRapids", "Cooperlake"), "SkylakeX");
    assert_string_equal(common("Haswell", "Sandybridge", "SkylakeX"), "Sandybridge");
    assert_string_equal(common("Nehalem", "Haswell", NULL), "Nehalem");
    assert_string_equal(common("HASWELL", "SKYLAKEX", NULL), "Haswell"); /* builds for one CPU */
}

/* What runs on the one maker's CPUs only is never the answer. */
static void test_kernels_of_two_makers(void **state)
{
    (void)state;
    assert_string_equal(common("Zen", "SkylakeX", NULL), "Haswell");
    assert_string_equal(common("Zen", "Haswell", NULL), "Haswell");
    assert_string_equal(common("Excavator", "SkylakeX", NULL), "Haswell");
    assert_string_equal(common("Bulldozer", "Haswell", NULL), "Sandybridge");
    assert_string_equal(common("Piledriver", "Zen", NULL), "Sandybridge");
    assert_string_equal(common("Steamroller", "Nehalem", NULL), "Nehalem");
    assert_string_equal(common("Barcelona", "Nehalem", NULL), "Prescott");
    assert_string_equal(common("Core2", "Zen", "Cooperlake"), "Prescott");
}

static void test_kernels_unknown(void **state)
{
    (void)state;
    assert_null(common("armv8", "neoversen1", NULL));
    assert_null(common("Haswell", "unknown", NULL));
    assert_null(common("Haswell", "Zen", ""));
    assert_null(common("Haswel", "Haswell", NULL));
}

/* ---- interfaces ---- */

/* What Linux shows of each interface: ports are lower_NAME, hardware has a device. */
static void test_bridges(void **state)
{
    static const char *const inner[] = {"docker0", "empty"};
    static const char *const others[] = {"br0", "br1", "br2", "eth0", "eth0.30", "wg0", "gone", ""};
    (void)state;
    assert_int_equal(setenv("FOLDER", scratch_path("net"), 1), 0);
    assert_int_equal(system("mkdir \"$FOLDER\" && cd \"$FOLDER\" && mkdir -p wg0 empty/bridge "
                            "docker0/bridge docker0/lower_veth1 docker0/lower_tap0 "
                            "eth0/device eth0.30/lower_eth0 br0/bridge br0/lower_eth0/device "
                            "br1/bridge br1/lower_tap0 br1/lower_eth0.30/lower_eth0 "
                            "br2/bridge br2/lower_bond0/lower_eth0/device"),
                     0);
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (!dt_launch_is_inner_bridge(scratch_path("net"), inner[i]))
            fail_msg("%s is one", inner[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (dt_launch_is_inner_bridge(scratch_path("net"), others[i]))
            fail_msg("%s is not one", others[i]);
    assert_int_equal(system("rm -r \"$FOLDER\""), 0);
}

static int clean(void **state)
{
    static const char *const names[] = {exclude,
                                        "OMPI_MCA_pml",
                                        "OMPI_MCA_btl",
                                        "SLURM_HET_SIZE",
                                        "OMPI_MCA_ess_singleton_isolated",
                                        "OMPI_MCA_orte_create_session_dirs",
                                        "PMIX_RANK",
                                        "OMPI_MCA_btl_tcp_if_include",
                                        "OMPI_COMM_WORLD_LOCAL_SIZE",
                                        "OMPI_COMM_WORLD_SIZE",
                                        "OMPI_COMM_WORLD_RANK",
                                        "SLURM_NTASKS",
                                        "SLURM_STEP_NUM_NODES",
                                        "HOME"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (unsetenv(names[i]) != 0)
            return -1;
    return 0;
}

/* What dt_launch_prepare makes of so many ranks here and in all. */
static const char *excluded(const char *local, const char *all)
{
    assert_int_equal(setenv("OMPI_COMM_WORLD_LOCAL_SIZE", local, 1), 0);
    assert_int_equal(setenv("OMPI_COMM_WORLD_SIZE", all, 1), 0);
    assert_int_equal(dt_launch_prepare(), DT_OK);
    return getenv(exclude);
}

static void test_one_host(void **state)
{
    (void)state;
    assert_null(excluded("4", "4"));
}

/* The interfaces are those of the machine. */
static void test_several_hosts(void **state)
{
    struct ifaddrs *all = NULL;
    const char *value = excluded("2", "4");
    (void)state;
    assert_int_equal(getifaddrs(&all), 0);
    for (const struct ifaddrs *at = all; at != NULL && value != NULL; at = at->ifa_next) {
        char name[IF_NAMESIZE + 2];
        if ((at->ifa_flags & IFF_UP) == 0 || (at->ifa_flags & IFF_LOOPBACK) != 0 ||
            !dt_launch_is_inner_bridge("/sys/class/net", at->ifa_name))
            continue;
        (void)snprintf(name, sizeof name, ",%s", at->ifa_name);
        assert_non_null(strstr(value, name));
    }
    freeifaddrs(all);
    if (value != NULL) /* what Open MPI leaves out by itself stays out */
        assert_memory_equal(value, "127.0.0.1/8,sppp,", strlen("127.0.0.1/8,sppp,"));
}

static void test_the_user_has_chosen(void **state)
{
    (void)state;
    assert_int_equal(setenv("OMPI_MCA_btl_tcp_if_include", "eth0", 1), 0);
    assert_null(excluded("2", "4"));
    assert_int_equal(unsetenv("OMPI_MCA_btl_tcp_if_include"), 0);
    assert_int_equal(setenv(exclude, "eth7", 1), 0);
    assert_string_equal(excluded("2", "4"), "eth7");
}

/* One host needs no search for networks, and a process without a launcher no daemon. */
static void test_short_starts(void **state)
{
    (void)state;
    assert_int_equal(dt_launch_prepare(), DT_OK);
    assert_string_equal(getenv("OMPI_MCA_pml"), "ob1");
    assert_string_equal(getenv("OMPI_MCA_ess_singleton_isolated"), "1");
    assert_string_equal(getenv("OMPI_MCA_orte_create_session_dirs"), "0");
    clean(state);
    (void)excluded("4", "4");
    assert_string_equal(getenv("OMPI_MCA_pml"), "ob1");
    assert_null(getenv("OMPI_MCA_ess_singleton_isolated"));
    clean(state);
    (void)excluded("2", "4");
    assert_null(getenv("OMPI_MCA_pml"));
    clean(state);
    assert_int_equal(setenv("PMIX_RANK", "0", 1), 0); /* a launcher that does not say how many */
    assert_int_equal(dt_launch_prepare(), DT_OK);
    assert_null(getenv("OMPI_MCA_pml"));
    assert_int_equal(setenv("SLURM_STEP_NUM_NODES", "1", 1), 0);
    assert_int_equal(setenv("SLURM_HET_SIZE", "2", 1), 0); /* a part of a job on more hosts */
    assert_int_equal(dt_launch_prepare(), DT_OK);
    assert_null(getenv("OMPI_MCA_pml"));
    clean(state);
    assert_int_equal(setenv("OMPI_MCA_pml", "ucx", 1), 0); /* the user has chosen */
    assert_int_equal(dt_launch_prepare(), DT_OK);
    assert_string_equal(getenv("OMPI_MCA_pml"), "ucx");
    assert_null(getenv("OMPI_MCA_btl"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernels_of_one_line),
        cmocka_unit_test(test_kernels_of_two_makers),
        cmocka_unit_test(test_kernels_unknown),
        cmocka_unit_test(test_bridges),
        cmocka_unit_test_setup(test_one_host, clean),
        cmocka_unit_test_setup(test_several_hosts, clean),
        cmocka_unit_test_setup(test_the_user_has_chosen, clean),
        cmocka_unit_test_setup(test_short_starts, clean),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
