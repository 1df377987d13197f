#include "os/signal.h"

#include "base/memory.h"
#include "model/process.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int signal_open(int proc_fd, pid_t pid, uint64_t ticks)
{
	struct process process;
	if (pid <= 1)
		return -EINVAL;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) /* EINVAL, ENOENT: the number of a thread, which is no process */
		return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
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
	if (pid == getpid())
		return -EINVAL;
	int pidfd = signal_open(proc_fd, pid, ticks);
	if (pidfd < 0)
		return pidfd;
	int result = signal_send_open(pidfd, signal_number);
	close(pidfd);
	return result;
}
