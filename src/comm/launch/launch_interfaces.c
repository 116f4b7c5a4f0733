#define _GNU_SOURCE /* TEMP_FAILURE_RETRY */

#include "launch_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <ifaddrs.h>
#include <limits.h>
#include <mpi.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A host with container networks has tens of bridges; interfaces that do not fit stay in. */
enum { LIST_BYTES = 4096, ITEM_BYTES = IF_NAMESIZE + 24, ANSWER_SECONDS = 10 };

static const char include[] = "OMPI_MCA_btl_tcp_if_include";
static const char exclude[] = "OMPI_MCA_btl_tcp_if_exclude";
/* Open MPI's own value, which ours replaces. */
static const char always[] = "127.0.0.1/8,sppp";

static char left_out_list[LIST_BYTES]; /* "docker0,virbr0" */

/* ---- what the user or the site has chosen ---- */

/* Whether a control variable of MPI has this value. */
static bool has_value(const char *variable, const char *expected)
{
    char value[2 * LIST_BYTES] = "";
    MPI_T_cvar_handle handle = MPI_T_CVAR_HANDLE_NULL;
    int index = 0, count = 0;
    return MPI_T_cvar_get_index(variable, &index) == MPI_SUCCESS &&
           MPI_T_cvar_handle_alloc(index, NULL, &handle, &count) == MPI_SUCCESS &&
           (size_t)count <= sizeof value && MPI_T_cvar_read(handle, value) == MPI_SUCCESS &&
           strcmp(value, expected) == 0;
}

/* Ends the child process: 0 if both values are Open MPI's own. */
_Noreturn static void answer(void)
{
    const int nowhere = open("/dev/null", O_RDWR);
    int provided = MPI_THREAD_SINGLE;
    (void)dup2(nowhere, STDOUT_FILENO);
    (void)dup2(nowhere, STDERR_FILENO);
    (void)alarm(ANSWER_SECONDS);
    const bool is_default = MPI_T_init_thread(MPI_THREAD_SINGLE, &provided) == MPI_SUCCESS &&
                            has_value("btl_tcp_if_include", "") &&
                            has_value("btl_tcp_if_exclude", always);
    _exit(is_default ? 0 : 1);
}

/* Whether neither a variable nor a file sets interfaces. Only Open MPI knows all of its files. A
 * child process asks it: in some releases MPI_Init crashes after MPI_T_finalize
 * (open-mpi/ompi#8860, #10409). A child that fails counts as a choice. */
static bool nobody_has_chosen(void)
{
    int status = 1;
    if (getenv(include) != NULL || getenv(exclude) != NULL)
        return false;
    const pid_t child = fork();
    if (child == 0)
        answer();
    return child > 0 && TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) == child && status == 0;
}

/* ---- what is there ---- */

/* Whether the path FOLDER/NAME/WHAT exists; also if that cannot be found out. */
static bool may_exist(const char *folder, const char *name, const char *what)
{
    char path[PATH_MAX];
    glob_t found;
    if ((size_t)snprintf(path, sizeof path, "%s/%s/%s", folder, name, what) >= sizeof path)
        return true;
    const int failed = glob(path, GLOB_NOSORT, NULL, &found);
    if (failed == 0)
        globfree(&found);
    return failed != GLOB_NOMATCH;
}

bool dt_launch_is_inner_bridge(const char *folder, const char *name)
{
    return may_exist(folder, name, "bridge") && !may_exist(folder, name, "lower_*/device") &&
           !may_exist(folder, name, "lower_*/lower_*");
}

static bool is_up(const struct ifaddrs *at)
{
    return (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0;
}

static bool is_of(const struct ifaddrs *at, int family)
{
    return at->ifa_addr != NULL && at->ifa_addr->sa_family == family;
}

static struct in_addr ipv4(const struct sockaddr *address)
{
    struct sockaddr_in copy; /* the original may not be aligned for it */
    memcpy(&copy, address, sizeof copy);
    return copy.sin_addr;
}

/* 169.254.0.0/16 is each host's own affair: its management card's, mostly. */
static bool is_link_local(const struct ifaddrs *at)
{
    return ntohl(ipv4(at->ifa_addr).s_addr) >> 16 == ((169U << 8) | 254U);
}

static bool has_only_link_local(const struct ifaddrs *all, const char *name)
{
    bool has_some = false;
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        if (!is_of(at, AF_INET) || strcmp(at->ifa_name, name) != 0)
            continue;
        if (!is_link_local(at))
            return false;
        has_some = true;
    }
    return has_some;
}

static bool leads_nowhere(const struct ifaddrs *at, const struct ifaddrs *all)
{
    return (at->ifa_flags & IFF_RUNNING) == 0 || has_only_link_local(all, at->ifa_name) ||
           dt_launch_is_inner_bridge("/sys/class/net", at->ifa_name);
}

static void append(char *list, size_t bytes, const char *separator, const char *item)
{
    const size_t used = strlen(list);
    if (used + strlen(separator) + strlen(item) < bytes) /* whole items only */
        (void)snprintf(list + used, bytes - used, "%s%s", used > 0 ? separator : "", item);
}

/* Lists what leads nowhere in left_out_list; returns whether anything else is there. */
static bool list_left_out(const struct ifaddrs *all)
{
    bool others = false;
    left_out_list[0] = '\0';
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        if (!is_up(at))
            continue;
        if (!leads_nowhere(at, all))
            others = others || is_of(at, AF_INET);
        else if (is_of(at, AF_PACKET)) /* one entry an interface */
            append(left_out_list, sizeof left_out_list, ",", at->ifa_name);
    }
    return others;
}

void dt_launch_choose_interfaces(void)
{
    char value[LIST_BYTES + sizeof always + 1];
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return;
    /* Without others, this host's network is one of those. */
    if (!list_left_out(all) || left_out_list[0] == '\0' || !nobody_has_chosen())
        left_out_list[0] = '\0';
    freeifaddrs(all);
    if (left_out_list[0] == '\0')
        return;
    (void)snprintf(value, sizeof value, "%s,%s", always, left_out_list);
    (void)setenv(exclude, value, 1);
}

const char *dt_launch_left_out(void)
{
    return left_out_list;
}

/* ---- in words ---- */

int dt_launch_describe_interfaces(char *out, size_t bytes, char *network, size_t network_bytes)
{
    struct ifaddrs *all = NULL;
    int count = 0;
    out[0] = network[0] = '\0';
    if (getifaddrs(&all) != 0)
        return 0;
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        char text[INET_ADDRSTRLEN] = "", item[ITEM_BYTES];
        if (!is_up(at) || !is_of(at, AF_INET) ||
            (left_out_list[0] != '\0' && leads_nowhere(at, all)))
            continue;
        struct in_addr address = ipv4(at->ifa_addr);
        const struct in_addr mask = ipv4(at->ifa_netmask);
        const int prefix = __builtin_popcount(mask.s_addr);
        (void)inet_ntop(AF_INET, &address, text, sizeof text);
        (void)snprintf(item, sizeof item, "%s %s/%d", at->ifa_name, text, prefix);
        append(out, bytes, ", ", item);
        address.s_addr &= mask.s_addr;
        (void)inet_ntop(AF_INET, &address, text, sizeof text);
        if (network[0] == '\0' && !is_link_local(at))
            (void)snprintf(network, network_bytes, "%s/%d", text, prefix);
        count++;
    }
    freeifaddrs(all);
    return count;
}
