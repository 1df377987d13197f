/*
 * poll-delayer PID MICROSECONDS: whenever poll(2) has found something for this process, keep it
 * from running for that long, as a busy machine would. Says "attached" on standard output when it
 * is.
 *
 * Exit status: 3 the process has ended, 4 not permitted to trace it, 2 usage.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* after the above, which has some of the same names */
#include <linux/ptrace.h>

enum { USAGE = 2, ENDED = 3, REFUSED = 4 };

/* Wait until PID stops; exits when it has ended instead. */
static int await_stop(pid_t pid)
{
	int status;
	if (waitpid(pid, &status, __WALL) < 0)
		err(1, "waitpid");
	if (!WIFSTOPPED(status))
		exit(ENDED);
	return status;
}

static void attach(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) < 0)
		exit(errno == EPERM ? REFUSED : ENDED);
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		exit(ENDED);
	await_stop(pid);
	puts("attached");
	fflush(stdout);
}

static bool is_poll(unsigned long long number)
{
#ifdef SYS_poll
	if (number == SYS_poll)
		return true;
#endif
	return number == SYS_ppoll;
}

/* At a stop for a system call; *IN_POLL tells whether the last one that was entered is poll(2). */
static bool has_polled(pid_t pid, bool *in_poll)
{
	struct ptrace_syscall_info info = { 0 };
	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0)
		return false;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		*in_poll = is_poll(info.entry.nr);
	return *in_poll && info.op == PTRACE_SYSCALL_INFO_EXIT && info.exit.rval > 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(USAGE, "usage: poll-delayer PID MICROSECONDS");
	pid_t pid = (pid_t)strtol(argv[1], NULL, 10);
	useconds_t delay = (useconds_t)strtol(argv[2], NULL, 10);
	bool in_poll = false;
	long pending = 0;
	attach(pid);
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)pending) < 0)
			exit(ENDED);
		int status = await_stop(pid);
		int stop = WSTOPSIG(status);
		bool at_call = stop == (SIGTRAP | 0x80);
		pending = !at_call && stop != SIGTRAP && status >> 16 == 0 ? stop : 0;
		if (at_call && has_polled(pid, &in_poll))
			usleep(delay);
	}
}
