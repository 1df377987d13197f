#include "service/stop_supervisor.h"

#include "base/clock.h"
#include "base/memory.h"
#include "model/process.h"
#include "os/signal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static const int64_t WAIT_LIMIT_NS = NSEC_PER_SEC;

static int open_proc(void)
{
	return open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_this_process(int proc_fd, const struct identity *identity)
{
	struct process self;
	return identity->pid == getpid() && process_read(proc_fd, identity->pid, &self) == 0 &&
	       self.ticks == identity->ticks;
}

struct held_supervisor supervisor_find(const struct record *record, const struct host *host)
{
	const struct identity *identity = &record->supervisor;
	if (!record->supervisor_valid || identity_place(identity, host) != IDENTITY_HERE)
		return (struct held_supervisor)HELD_SUPERVISOR_NONE;
	int proc_fd CLEANUP_CLOSE = open_proc();
	int pidfd = signal_open(proc_fd, identity->pid, identity->ticks);
	if (pidfd < 0 && !is_this_process(proc_fd, identity))
		return (struct held_supervisor)HELD_SUPERVISOR_NONE;
	return (struct held_supervisor){ identity->pid, identity->ticks, pidfd < 0 ? -1 : pidfd };
}

void supervisor_hold(const struct held_supervisor *found)
{
	if (found->pidfd >= 0)
		(void)signal_send_open(found->pidfd, SIGSTOP);
}

void supervisor_await_hold(const struct held_supervisor *held)
{
	if (held->pidfd < 0)
		return;
	int proc_fd CLEANUP_CLOSE = open_proc();
	int64_t limit = clock_monotonic_ns() + WAIT_LIMIT_NS;
	struct process process;
	while (process_read(proc_fd, held->pid, &process) == 0 && process.state != 'T' &&
	       process_is_alive(&process) && clock_monotonic_ns() < limit) {
		struct pollfd end = { .fd = held->pidfd, .events = POLLIN };
		poll(&end, 1, 1);
	}
}

void supervisor_kill(struct held_supervisor *held)
{
	if (held->pidfd < 0)
		return;
	struct pollfd end = { .fd = held->pidfd, .events = POLLIN };
	if (signal_send_open(held->pidfd, SIGKILL) == 0)
		poll(&end, 1, (int)(WAIT_LIMIT_NS / NSEC_PER_MSEC));
	supervisor_forget(held);
}

void supervisor_let_go(struct held_supervisor *held)
{
	if (held->pidfd < 0)
		return;
	(void)signal_send_open(held->pidfd, SIGCONT);
	supervisor_forget(held);
}

void supervisor_forget(struct held_supervisor *found)
{
	if (found->pidfd >= 0)
		close(found->pidfd);
	*found = (struct held_supervisor)HELD_SUPERVISOR_NONE;
}
