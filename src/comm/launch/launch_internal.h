#ifndef DTRAIN_COMM_LAUNCH_INTERNAL_H
#define DTRAIN_COMM_LAUNCH_INTERNAL_H

/* What the files of the launch doctor, and the watchdog, have for each other. */

#include "dtrain/comm/launch.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- launch.c ---- */

/* Returns the whole number in an environment variable; 0 when there is none. */
long dt_launch_number_in(const char *variable);

/* Tells whether the ranks are on several hosts, as far as the launcher says before MPI_Init. */
bool dt_launch_spans_hosts(void);

/* Reads how long the ranks may take to connect; 0: for ever. Errors: DT_USAGE, with the default. */
DT_MUST_USE dt_status dt_launch_read_start_timeout(double *out);

/* Writes the name of this host, or "unknown". */
void dt_launch_read_host(char out[DT_HOST_BYTES]);

/* ---- launch_interfaces.c ---- */

/* Has Open MPI's TCP leave out the interfaces that lead nowhere (dt_launch_prepare). */
void dt_launch_choose_interfaces(void);

/* Returns what was left out, "docker0,virbr0"; "" for nothing. */
const char *dt_launch_left_out(void);

/* Writes the interfaces of this host that MPI may use over TCP, as "eth0 10.99.1.2/24, eth1 ...",
 * and the network of the first that is not link-local, as "10.99.1.0/24". Returns how many. */
int dt_launch_describe_interfaces(char *out, size_t bytes, char *network, size_t network_bytes);

#endif
