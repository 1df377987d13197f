#include "os/signal.h"

#include "base/memory.h"
#include "model/process.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* PIDFD_SIGNAL_PROCESS_GROUP of linux/pidfd.h, Linux 6.9; older headers do not know it. */
enum { SIGNAL_PROCESS_GROUP = 1 << 2 };

int signal_open_unverified(pid_t pid)
{
	if (pid <= 1 || pid == getpid())
		return -EINVAL;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) /* EINVAL, ENOENT: the number of a thread, which is no process */
		return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
	return pidfd;
}

int signal_open(int proc_fd, pid_t pid, uint64_t ticks)
{
	struct process process;
	int pidfd = signal_open_unverified(pid);
	if (pidfd < 0)
		return pidfd;
	int result = process_read(proc_fd, pid, &process);
	if (result == 0 && process.ticks == ticks)
		return pidfd;
	close(pidfd);
	return result < 0 ? result : -ESRCH;
}

int signal_send_open(int pidfd, int signal_number)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0) < 0 ? -errno : 0;
}

int signal_send(int proc_fd, pid_t pid, uint64_t ticks, int signal_number)
{
	int pidfd = signal_open(proc_fd, pid, ticks);
	if (pidfd < 0)
		return pidfd;
	int result = signal_send_open(pidfd, signal_number);
	close(pidfd);
	return result;
}

static int send_group(int leader_pidfd, int signal_number)
{
	long result =
	    syscall(SYS_pidfd_send_signal, leader_pidfd, signal_number, NULL, SIGNAL_PROCESS_GROUP);
	return result < 0 ? -errno : 0;
}

int signal_kill_group(int leader_pidfd)
{
	return send_group(leader_pidfd, SIGKILL);
}

bool signal_group_exists(int leader_pidfd)
{
	int result = send_group(leader_pidfd, 0);
	return result == 0 || result == -EPERM;
}

bool signal_group_number_exists(pid_t group)
{
	return group > 1 && (kill(-group, 0) == 0 || errno == EPERM);
}
