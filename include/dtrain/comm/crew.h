#ifndef DTRAIN_COMM_CREW_H
#define DTRAIN_COMM_CREW_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * The ranks of a job in groups of equal size; each group works on its own tasks. Rank 0 of a group
 * is its leader; leaders send each other messages. A rank that waits here yields its CPU. On
 * several hosts it also shows the watchdog that it is not stuck, because ranks of other hosts may
 * work for hours; there, a stuck rank is detected only when no rank of its host waits here.
 *
 * A group's communicator is used like that of a job. Another communicator has the peers: the ranks
 * with the same number in their groups, so that data of each rank of one group can be copied to
 * those of all others.
 */
typedef struct dt_crew dt_crew;

/**
 * Divides the ranks of `all` into groups of `ranks_each`, which divides their number. Ranks with
 * consecutive numbers are a group.
 *
 * Calls:   collective over `all`, which is borrowed
 * Owns:    the caller frees with dt_crew_free
 * Errors:  DT_MEMORY, on all ranks; *out = NULL
 */
DT_MUST_USE dt_status dt_crew_new(dt_crew **out, const dt_comm *all, int ranks_each);

/**
 * Merges each `together` groups that follow each other into one. Rank r of the new group was rank
 * r / together of the group with index r mod together among those that merge, so that its block of
 * data in the new group is part of the block that it had. Rank 0 of the first group leads. The
 * communicators that dt_crew_group and dt_crew_peers gave become those of the new group.
 *
 * Calls:   collective over `all`, as given to dt_crew_new; `together` divides the number of groups,
 *          and no message is under way
 */
void dt_crew_merge(dt_crew *crew, const dt_comm *all, int together);

/** Frees; NULL is allowed. Collective over all ranks. */
void dt_crew_free(dt_crew *crew);

/** Return the ranks of this group; and its peers, whose rank is their group's index. Local. */
const dt_comm *dt_crew_group(const dt_crew *crew);
const dt_comm *dt_crew_peers(const dt_crew *crew);

/** Return the index of this group, from 0, and how many there are. Local. */
int dt_crew_index(const dt_crew *crew);
int dt_crew_count(const dt_crew *crew);

/**
 * Broadcasts `bytes` bytes of rank 0, below 2 GiB, to the others of `comm`, which may wait for
 * long.
 *
 * Calls:   collective over `comm`: the group, or the peers
 */
void dt_crew_share(const dt_crew *crew, const dt_comm *comm, void *data, size_t bytes);

/**
 * Sends a message to the leader of another group, `to`. It may wait until that leader checks for
 * messages.
 *
 * Calls:   local, by leaders
 */
void dt_crew_send(const dt_crew *crew, int to, const void *data, size_t bytes);

/**
 * Returns whether a message has arrived, its sender and its size; dt_crew_receive receives it.
 * Messages of one leader arrive in their order.
 *
 * Calls:   local, by leaders
 * Cost:    below a microsecond
 */
bool dt_crew_arrived(const dt_crew *crew, int *from, size_t *bytes);
void dt_crew_receive(const dt_crew *crew, int from, void *data, size_t bytes);

/**
 * Report that this rank starts, and stops, to wait for messages: if nothing moves, it is not the
 * stuck rank. Local.
 */
void dt_crew_begin_wait(const dt_crew *crew);
void dt_crew_end_wait(const dt_crew *crew);

/** Waits for half a millisecond. Local. */
void dt_crew_pause(const dt_crew *crew);

#endif
