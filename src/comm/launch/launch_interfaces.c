#define _GNU_SOURCE /* dladdr */

#include "launch_internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dlfcn.h>
#include <ifaddrs.h>
#include <limits.h>
#include <mpi.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A node of Kubernetes has a few hundred of these; more than fit stay in. */
enum { LIST_BYTES = 8192, LINE_BYTES = 1024 };

static const char include[] = "OMPI_MCA_btl_tcp_if_include";
static const char exclude[] = "OMPI_MCA_btl_tcp_if_exclude";
/* Open MPI's own value, which ours replaces. */
static const char always[] = "127.0.0.1/8,sppp";

static char left_out_list[LIST_BYTES]; /* "docker0,virbr0" */

/* ---- what the site has chosen ---- */

/* Whether a line "NAME = ..." is in the file. */
static bool file_sets(const char *path, const char *name)
{
    char line[LINE_BYTES];
    bool found = false;
    FILE *file = fopen(path, "r");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        const char *word = line + strspn(line, " \t");
        const size_t length = strlen(name);
        found =
            strncmp(word, name, length) == 0 && word[length + strspn(word + length, " \t")] == '=';
    }
    if (file != NULL)
        (void)fclose(file);
    return found;
}

static bool file_chooses(const char *folder, const char *rest)
{
    char path[PATH_MAX];
    const int length = snprintf(path, sizeof path, "%s%s", folder, rest);
    return length > 0 && (size_t)length < sizeof path &&
           (file_sets(path, "btl_tcp_if_include") || file_sets(path, "btl_tcp_if_exclude"));
}

/* The two files that a site may write, in Open MPI's folder. */
static bool site_chooses(const char *folder, const char *rest)
{
    static const char *const names[] = {"openmpi-mca-params.conf",
                                        "openmpi-mca-params-override.conf"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((size_t)snprintf(path, sizeof path, "%s%s/", folder, rest) < sizeof path &&
            file_chooses(path, names[i]))
            return true;
    return false;
}

/* The folder etc beside the folder that the MPI library was loaded from. */
static bool file_of_library_chooses(void)
{
    char path[PATH_MAX];
    Dl_info library;
    if (dladdr((const void *)(uintptr_t)&MPI_Init, &library) == 0 || library.dli_fname == NULL ||
        realpath(library.dli_fname, path) == NULL)
        return false;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(path, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
    }
    return site_chooses(path, "/etc");
}

/* A choice of the user's or the site's stands, wherever it is made. An `exclude` beside an
 * `include` from one of Open MPI's own files would even keep Open MPI from using TCP at all. */
static bool has_chosen(void)
{
    static const char *const variables[] = {include, exclude, "OMPI_MCA_mca_base_param_files",
                                            "OMPI_MCA_mca_base_param_file_prefix"};
    static const char *const folders[] = {"/etc/openmpi", "/etc/openmpi-x86_64",
                                          "/etc/openmpi-aarch64", "/etc"};
    const char *home = getenv("HOME");
    const char *prefix = getenv("OPAL_PREFIX");
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (getenv(variables[i]) != NULL)
            return true;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (site_chooses(folders[i], ""))
            return true;
    return (home != NULL && file_chooses(home, "/.openmpi/mca-params.conf")) ||
           (prefix != NULL && site_chooses(prefix, "/etc")) || file_of_library_chooses();
}

/* ---- what is there ---- */

bool dt_launch_is_bridge(const char *name)
{
    static const char *const beginnings[] = {"docker", "podman", "nerdctl", "lxc",   "lxd",
                                             "veth",   "cni",    "flannel", "cali",  "cilium",
                                             "kube-",  "virbr",  "vnet",    "vmnet", "vboxnet"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    /* Docker's further networks: "br-" and twelve hexadecimal digits. Other bridges may well carry
     * the host's own address. */
    size_t digits = 0;
    if (strncmp(name, "br-", 3) == 0)
        while (isxdigit((unsigned char)name[3 + digits]))
            digits++;
    return digits == 12 && name[3 + digits] == '\0';
}

static bool is_up(const struct ifaddrs *at)
{
    return (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0;
}

static bool has_ipv4(const struct ifaddrs *at)
{
    return at->ifa_addr != NULL && at->ifa_addr->sa_family == AF_INET && at->ifa_netmask != NULL;
}

/* Returns the address in host order, and the length of the network's part. */
static uint32_t address_of(const struct ifaddrs *at, int *prefix)
{
    struct sockaddr_in address, mask;
    memcpy(&address, at->ifa_addr, sizeof address); /* they may not be aligned for it */
    memcpy(&mask, at->ifa_netmask, sizeof mask);
    *prefix = __builtin_popcount(mask.sin_addr.s_addr);
    return ntohl(address.sin_addr.s_addr);
}

/* 169.254.0.0/16 is each host's own affair: its management card's, mostly. */
static bool is_link_local(const struct ifaddrs *at)
{
    int prefix = 0;
    return has_ipv4(at) && address_of(at, &prefix) >> 16 == ((169U << 8) | 254U);
}

static bool has_further_address(const struct ifaddrs *all, const char *name)
{
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next)
        if (strcmp(at->ifa_name, name) == 0 && has_ipv4(at) && !is_link_local(at))
            return true;
    return false;
}

static bool leads_nowhere(const struct ifaddrs *at, const struct ifaddrs *all)
{
    return dt_launch_is_bridge(at->ifa_name) || (at->ifa_flags & IFF_RUNNING) == 0 ||
           (is_link_local(at) && !has_further_address(all, at->ifa_name));
}

/* Whether the list, "NAME,NAME", holds a name. */
static bool is_listed(const char *list, const char *name)
{
    const size_t length = strlen(name);
    while (*list != '\0') {
        const size_t word = strcspn(list, ",");
        if (word == length && memcmp(list, name, length) == 0)
            return true;
        list += word + (list[word] == ',');
    }
    return false;
}

DT_PRINTF(3, 4) static bool append(char *out, size_t bytes, const char *format, ...)
{
    const size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(out + used, bytes - used, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < bytes - used)
        return true;
    out[used] = '\0'; /* whole items only */
    return false;
}

void dt_launch_choose_interfaces(void)
{
    char value[LIST_BYTES + sizeof always + 1];
    struct ifaddrs *all = NULL;
    bool others = false;
    left_out_list[0] = '\0';
    if (has_chosen() || getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        others = others || (is_up(at) && has_ipv4(at) && !leads_nowhere(at, all));
        if (is_up(at) && leads_nowhere(at, all) && !is_listed(left_out_list, at->ifa_name))
            (void)append(left_out_list, sizeof left_out_list, "%s%s",
                         left_out_list[0] != '\0' ? "," : "", at->ifa_name);
    }
    freeifaddrs(all);
    if (!others) /* the names deceive: this is a host whose network is one of those */
        left_out_list[0] = '\0';
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

static bool append_address(char *out, size_t bytes, const char *before, uint32_t address,
                           int prefix)
{
    char text[INET_ADDRSTRLEN];
    const struct in_addr in = {htonl(address)};
    return inet_ntop(AF_INET, &in, text, sizeof text) != NULL &&
           append(out, bytes, "%s%s/%d", before, text, prefix);
}

int dt_launch_describe_interfaces(char *out, size_t bytes, char *network, size_t network_bytes)
{
    struct ifaddrs *all = NULL;
    int count = 0;
    out[0] = network[0] = '\0';
    if (getifaddrs(&all) != 0)
        return 0;
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        char name[IF_NAMESIZE + 4];
        int prefix = 0;
        if (!is_up(at) || !has_ipv4(at) || is_listed(left_out_list, at->ifa_name))
            continue;
        const uint32_t address = address_of(at, &prefix);
        (void)snprintf(name, sizeof name, "%s%s ", count > 0 ? ", " : "", at->ifa_name);
        if (!append_address(out, bytes, name, address, prefix))
            break;
        if (network[0] == '\0' && !is_link_local(at))
            (void)append_address(network, network_bytes, "",
                                 prefix > 0 ? address & (UINT32_MAX << (32 - prefix)) : 0, prefix);
        count++;
    }
    freeifaddrs(all);
    return count;
}
