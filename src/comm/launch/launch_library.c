#define _GNU_SOURCE /* dladdr */

#include "launch_internal.h"

#include "../comm_internal.h"

#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool dt_launch_is_open_mpi(void)
{
    return strncmp(dt_comm_library(), "Open MPI", 8) == 0;
}

/* Writes the file of the MPI library, links followed; "" if it cannot be found. */
static void find_library(char out[PATH_MAX])
{
    int (*const init)(int *, char ***) = MPI_Init;
    void *address = NULL;
    Dl_info info;
    memcpy(&address, &init, sizeof address); /* ISO C converts no function to an object */
    if (dladdr(address, &info) == 0 || info.dli_fname == NULL ||
        realpath(info.dli_fname, out) == NULL)
        out[0] = '\0';
}

/* ---- mpirun ---- */

/* Debian's /usr/bin/mpirun may be a link to MPICH's. */
static bool is_of_open_mpi(const char *path)
{
    char target[PATH_MAX];
    if (access(path, X_OK) != 0 || realpath(path, target) == NULL)
        return false;
    const char *name = strrchr(target, '/');
    return strstr(name, "hydra") == NULL && strstr(name, "mpich") == NULL;
}

bool dt_launch_find_mpirun(char *out, size_t bytes)
{
    static const char *const names[] = {"mpirun", "mpirun.openmpi"};
    char folder[PATH_MAX];
    find_library(folder);
    for (char *end = strrchr(folder, '/'); dt_launch_is_open_mpi() && end != NULL;
         end = strrchr(folder, '/')) {
        *end = '\0';
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const int length = snprintf(out, bytes, "%s/bin/%s", folder, names[i]);
            if (length > 0 && (size_t)length < bytes && is_of_open_mpi(out))
                return true;
        }
    }
    return false;
}

/* ---- mpirun -q ---- */

static const char quiet_variable[] = "OMPI_MCA_orte_execute_quiet";
static bool is_quiet;

void dt_launch_hear_mpi(void)
{
    const char *value = getenv(quiet_variable);
    is_quiet = value != NULL && strcmp(value, "0") != 0;
    if (is_quiet)
        (void)unsetenv(quiet_variable);
}

void dt_launch_hush_mpi(void)
{
    /* Open MPI 4's own; others do not have it. */
    bool *quiet = is_quiet ? dlsym(RTLD_DEFAULT, "orte_execute_quiet") : NULL;
    if (quiet != NULL)
        *quiet = true;
}

/* ---- PMI ---- */

/* Whether a plugin of Open MPI has this name, with wildcards: beside the library, or where Debian
 * has them. */
static bool has_plugin(const char *folder, const char *name)
{
    static const char *const places[] = {"openmpi*", "openmpi/lib/openmpi*"};
    char pattern[PATH_MAX];
    glob_t found;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const int length = snprintf(pattern, sizeof pattern, "%s/%s/%s", folder, places[i], name);
        if (length > 0 && (size_t)length < sizeof pattern &&
            glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
            globfree(&found);
            return true;
        }
    }
    return false;
}

bool dt_launch_may_speak_pmi(void)
{
    static const char *const plugins[] = {"mca_pmix_s1.so", "mca_pmix_s2.so", "mca_pmix_cray.so"};
    char folder[PATH_MAX];
    if (!dt_launch_is_open_mpi())
        return true;
#if defined OMPI_MAJOR_VERSION && OMPI_MAJOR_VERSION >= 5
    return false;
#endif
    find_library(folder);
    char *end = strrchr(folder, '/');
    if (end != NULL)
        *end = '\0';
    if (end == NULL || getenv("FLUX_JOB_ID") != NULL || !has_plugin(folder, "mca_pmix_*.so"))
        return true;
    for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
        if (has_plugin(folder, plugins[i]))
            return true;
    return false;
}
