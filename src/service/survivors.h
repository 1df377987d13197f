/*
 * Processes of a run whose leader has ended.
 */
#ifndef PMO_SERVICE_SURVIVORS_H
#define PMO_SERVICE_SURVIVORS_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/identity.h"

#include <stddef.h>

/* How many processes of the run with this identity are alive; PIDS (may be NULL) gets them as
 * "12, 13". When processes cannot be read: 0, with an error. */
size_t survivors_list(const struct identity *identity, struct buffer *pids, struct error *err);

/* The same at the very end of the leader, whose GROUP_PIDFD still stands for its process group (-1:
 * unknown): also counts, as one, processes that fork and end too fast for any look at /proc. */
size_t survivors_count(const struct identity *identity, int group_pidfd);

#endif
