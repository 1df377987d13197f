/*
 * Signals that reach the process they are meant for, or nobody: pidfd_open(2), then the identity
 * check, then pidfd_send_signal(2). Between the first and the last the pid cannot change its owner.
 */
#ifndef PMO_OS_SIGNAL_H
#define PMO_OS_SIGNAL_H

#include <stdint.h>
#include <sys/types.h>

/* A pidfd for the process that has this pid and start time. -ESRCH when there is none such (any
 * more), another -errno else. The caller closes it. */
int signal_open(int proc_fd, pid_t pid, uint64_t ticks);

/* Send SIGNAL_NUMBER to that process. 0, -ESRCH when it is gone, -EPERM when it may not be
 * signalled. Never signals this process itself, 0, 1 or a negative pid: -EINVAL. */
int signal_send(int proc_fd, pid_t pid, uint64_t ticks, int signal_number);

/* Send SIGNAL_NUMBER through a descriptor of signal_open. 0 or a negative errno value. */
int signal_send_open(int pidfd, int signal_number);

#endif
