/*
 * syscall-killer PID N: kill a process at the N-th entry to or exit from a system call, counted
 * from the moment the line "attached" appears on standard output.
 *
 * Exit status: 0 killed, 3 it ended by itself before, 4 not permitted to trace it, 2 usage.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLED = 0, USAGE = 2, ENDED = 3, REFUSED = 4 };

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

/* Let it run to its next stop; true if that is at a system call. */
static int run_on(pid_t pid, long signal_number)
{
	if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)signal_number) < 0)
		exit(ENDED);
	return await_stop(pid);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(USAGE, "usage: syscall-killer PID N");
	pid_t pid = (pid_t)strtol(argv[1], NULL, 10);
	long left = strtol(argv[2], NULL, 10);
	long pending = 0;
	attach(pid);
	while (left > 0) {
		int status = run_on(pid, pending);
		int stop = WSTOPSIG(status);
		pending = 0;
		if (stop == (SIGTRAP | 0x80))
			left--;
		else if (stop != SIGTRAP && status >> 16 == 0)
			pending = stop;
	}
	kill(pid, SIGKILL);
	return KILLED;
}
