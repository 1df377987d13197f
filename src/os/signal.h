/*
 * Signals that reach the process they are meant for, or nobody: pidfd_open(2), then the identity
 * check, then pidfd_send_signal(2). Between the first and the last the pid cannot change its owner.
 */
#ifndef PMO_OS_SIGNAL_H
#define PMO_OS_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A pidfd for the process that has this pid and start time. -ESRCH when there is none such (any
 * more), -EINVAL for this process itself, 0, 1 and negative pids, which nobody may ask for, another
 * -errno else. The caller closes it. */
int signal_open(int proc_fd, pid_t pid, uint64_t ticks);

/* A pidfd for whatever process has this pid now, for a caller that reads its start time afterwards:
 * if that is the right one, so is the pidfd. Errors as signal_open. */
int signal_open_unverified(pid_t pid);

/* Send SIGNAL_NUMBER to that process. 0, -ESRCH when it is gone, -EPERM when it may not be
 * signalled, and what signal_open returns. */
int signal_send(int proc_fd, pid_t pid, uint64_t ticks, int signal_number);

/* Send SIGNAL_NUMBER through a descriptor of signal_open. 0 or a negative errno value. */
int signal_send_open(int pidfd, int signal_number);

/* A descriptor of signal_open for the leader of a process group stands for that group as long as it
 * is open, also when the leader has been reaped: its number is not used again meanwhile. SIGKILL
 * reaches all of the group at one instant, so that nobody can fork out of it. 0 or a negative errno
 * value; -EINVAL before Linux 6.9. */
int signal_kill_group(int leader_pidfd);

/* Whether that group has a member, a zombie counting as one. False before Linux 6.9. */
bool signal_group_exists(int leader_pidfd);

/* The same by number: signal 0 of kill(2), which asks and sends nothing. The number may be another
 * group's by now. */
bool signal_group_number_exists(pid_t group);

#endif
