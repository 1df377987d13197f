#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where a child's end of the channel is, once its descriptors are in order. */
enum { CHANNEL = 3 };

enum spawn_step {
	STEP_STREAMS,
	STEP_LIMITS,
	STEP_PRIORITY,
	STEP_CREDENTIALS,
	STEP_DIRECTORY,
	STEP_EXECUTE,
};

/* What a child that could not run its program says before it exits. */
struct failure {
	enum spawn_step step;
	int error;
	int subject; /* STEP_LIMITS: index into the plan's limits, -1 for the open files */
};

/* By the system call itself: glibc keeps two signals to itself, which a caller of pmo may have
 * ignored all the same. All zeros is SIG_DFL with no flags and an empty mask, on every machine. */
static void signals_reset(void)
{
	enum { SIGNALS = 64, MASK_SIZE = SIGNALS / 8 };
	static const uint64_t default_action[8];
	for (int signal = 1; signal <= SIGNALS; signal++)
		syscall(SYS_rt_sigaction, signal, default_action, NULL, MASK_SIZE);
}

static void signals_unblock(void)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int stream_place(int descriptor, int target, int flags)
{
	if (descriptor < 0)
		descriptor = open("/dev/null", flags | O_CLOEXEC | O_NOCTTY);
	if (descriptor == target) /* dup2(2) would leave it close-on-exec */
		return fcntl(descriptor, F_SETFD, 0);
	return descriptor < 0 ? -1 : dup2(descriptor, target);
}

/* Descriptors 0, 1, 2 and the channel, and nothing else: the copies of locks and of other
 * children's channels go here, before anything is waited for. */
static bool child_arrange_streams(const struct spawn_plan *plan, int channel)
{
	if (stream_place(plan->input, STDIN_FILENO, O_RDONLY) < 0 ||
	    stream_place(plan->output, STDOUT_FILENO, O_WRONLY) < 0 ||
	    stream_place(plan->errors, STDERR_FILENO, O_WRONLY) < 0)
		return false;
	if (channel != CHANNEL && dup3(channel, CHANNEL, O_CLOEXEC) < 0)
		return false;
	return syscall(SYS_close_range, CHANNEL + 1, UINT_MAX, 0) == 0;
}

static void child_await_release(void)
{
	char byte;
	ssize_t got;
	do {
		got = read(CHANNEL, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got != 1)
		_exit(127);
}

static bool child_apply_limits(const struct spawn_plan *plan, struct failure *failure)
{
	failure->subject = -1;
	if (plan->file_limit && setrlimit(RLIMIT_NOFILE, plan->file_limit) < 0)
		return false;
	for (size_t i = 0; i < plan->limit_count; i++) {
		const struct limit *limit = &plan->limits[i];
		struct rlimit value = { .rlim_cur = limit->soft, .rlim_max = limit->hard };
		failure->subject = (int)i;
		if (setrlimit((__rlimit_resource_t)limit->resource, &value) < 0)
			return false;
	}
	return true;
}

static bool child_apply_priority(const struct spawn_plan *plan)
{
	return !plan->has_nice || setpriority(PRIO_PROCESS, 0, plan->nice) == 0;
}

static bool child_apply_credentials(const struct credentials *credentials)
{
	if (!credentials->set)
		return true;
	return setgroups(credentials->group_count, credentials->groups) == 0 &&
	       setgid(credentials->group) == 0 && setuid(credentials->user) == 0;
}

/* Everything between the release and the program's first instruction. Returns only on failure. */
static void apply_plan(const struct spawn_plan *plan, struct failure *failure)
{
	failure->step = STEP_LIMITS;
	if (!child_apply_limits(plan, failure))
		return;
	failure->step = STEP_PRIORITY;
	if (!child_apply_priority(plan))
		return;
	failure->step = STEP_CREDENTIALS;
	if (!child_apply_credentials(&plan->credentials))
		return;
	failure->step = STEP_DIRECTORY;
	if (plan->directory && chdir(plan->directory) < 0)
		return;
	if (plan->umask >= 0)
		umask((mode_t)plan->umask);
	signals_unblock();
	failure->step = STEP_EXECUTE;
	execve(plan->program, plan->arguments, plan->environment);
}

static void child_run(const void *what, int channel)
{
	const struct spawn_plan *plan = what;
	struct failure failure = { .step = STEP_STREAMS };
	signals_reset();
	if (plan->group == SPAWN_NEW_SESSION)
		setsid();
	else
		setpgid(0, 0);
	if (child_arrange_streams(plan, channel)) {
		child_await_release();
		channel = CHANNEL;
		apply_plan(plan, &failure);
	}
	failure.error = errno;
	if (write(channel, &failure, sizeof(failure)) < 0)
		_exit(127);
	_exit(127);
}

/* A caller that ignores SIGCHLD, which execve(2) passes on, would have the kernel reap our children
 * and forget how they ended. */
static void keep_children(void)
{
	struct sigaction action;
	if (sigaction(SIGCHLD, NULL, &action) < 0 ||
	    (action.sa_handler != SIG_IGN && !(action.sa_flags & SA_NOCLDWAIT)))
		return;
	action = (struct sigaction){ .sa_handler = SIG_DFL };
	sigaction(SIGCHLD, &action, NULL);
}

static void close_descriptor(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

/* Where the descriptor that a body keeps is, once its descriptors are in order. */
enum { KEPT = CHANNEL + 1 };

static bool child_arrange_body(const struct spawn_body *body, int channel)
{
	/* out of the way of the places that are about to be filled */
	int kept = body->keep < 0 ? -1 : fcntl(body->keep, F_DUPFD_CLOEXEC, KEPT);
	if (kept < 0 && body->keep >= 0)
		return false;
	if (stream_place(-1, STDIN_FILENO, O_RDONLY) < 0 ||
	    stream_place(-1, STDOUT_FILENO, O_WRONLY) < 0 ||
	    stream_place(-1, STDERR_FILENO, O_WRONLY) < 0 ||
	    (channel != CHANNEL && dup3(channel, CHANNEL, O_CLOEXEC) < 0) ||
	    (kept > KEPT && dup3(kept, KEPT, O_CLOEXEC) < 0))
		return false;
	unsigned int first = kept < 0 ? KEPT : KEPT + 1;
	return syscall(SYS_close_range, first, UINT_MAX, 0) == 0;
}

static void child_run_body(const void *what, int channel)
{
	const struct spawn_body *body = what;
	signals_reset();
	if (body->group == SPAWN_NEW_SESSION)
		setsid();
	else if (body->group == SPAWN_NEW_GROUP)
		setpgid(0, 0);
	if (!child_arrange_body(body, channel))
		_exit(127);
	child_await_release();
	_exit(body->run(body->context, CHANNEL, body->keep < 0 ? -1 : KEPT));
}

/* What the child does, and never returns from: execute a plan, or run a body. */
struct purpose {
	void (*run)(const void *what, int channel);
	const void *what;
};

/* What fork(3) does beside the system call, for processes with threads, would cost every child some
 * pages of its own: this one has no threads. */
static pid_t fork_bare(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
	return _Fork();
#else
	return fork();
#endif
}

/* fork(2) with all signals blocked, so that no handler of the parent runs in the child. */
static pid_t fork_blocked(const struct purpose *purpose, int channel)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork_bare();
	if (pid == 0)
		purpose->run(purpose->what, channel);
	int error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return pid;
}

static int start_child(const struct purpose *purpose, struct spawned *child, struct error *err)
{
	int ends[2];
	*child = (struct spawned){ .pid = -1, .pidfd = -1, .channel = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot make a socket pair");
	child->channel = ends[0];
	keep_children();
	child->pid = fork_blocked(purpose, ends[1]);
	int error = errno;
	close(ends[1]);
	if (child->pid < 0) {
		close_descriptor(&child->channel);
		return error_set_errno(err, ERROR_FAILED, error, "cannot start a process");
	}
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd < 0) {
		error = errno;
		spawn_abandon(child);
		return error_set_errno(err, ERROR_FAILED, error, "cannot watch a process");
	}
	return 0;
}

int spawn_start(const struct spawn_plan *plan, struct spawned *child, struct error *err)
{
	return start_child(&(struct purpose){ child_run, plan }, child, err);
}

int spawn_process(const struct spawn_body *body, struct spawned *child, struct error *err)
{
	return start_child(&(struct purpose){ child_run_body, body }, child, err);
}

/* Whether the child has already said what went wrong, which spawn_finish will tell. */
static bool has_failed(const struct spawned *child)
{
	int error = errno;
	char byte;
	bool failed = recv(child->channel, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
	errno = error;
	return failed;
}

int spawn_release(struct spawned *child, struct error *err)
{
	ssize_t sent;
	do {
		sent = send(child->channel, "", 1, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent == 1 || has_failed(child))
		return 0;
	return error_set_errno(err, ERROR_FAILED, errno, "the new process ended before its start");
}

static int describe_failure(const struct spawn_plan *plan, const struct failure *failure,
			    struct error *err)
{
	int error = failure->error;
	switch (failure->step) {
	case STEP_LIMITS:
		return error_set_errno(err, ERROR_FAILED, error, "cannot set the limit '%s'",
				       failure->subject < 0 ? "nofile"
							    : plan->limits[failure->subject].name);
	case STEP_PRIORITY:
		return error_set_errno(err, ERROR_FAILED, error, "cannot set 'nice' to %d",
				       plan->nice);
	case STEP_CREDENTIALS:
		return error_set_errno(err, ERROR_FAILED, error,
				       "cannot become user %ld, group %ld",
				       (long)plan->credentials.user, (long)plan->credentials.group);
	case STEP_DIRECTORY:
		return error_set_errno(err, ERROR_FAILED, error, "cannot change to directory '%s'",
				       plan->directory);
	case STEP_EXECUTE:
		return error_set(err, ERROR_FAILED, "cannot execute '%s': %s%s", plan->program,
				 strerror(error),
				 error == ENOEXEC ? " (does it begin with '#!'?)" : "");
	case STEP_STREAMS:
		break;
	}
	return error_set_errno(err, ERROR_FAILED, error, "cannot arrange its descriptors");
}

int spawn_finish(const struct spawn_plan *plan, struct spawned *child, int *exec_errno,
		 struct error *err)
{
	struct failure failure;
	ssize_t got;
	do {
		got = recv(child->channel, &failure, sizeof(failure), MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	close_descriptor(&child->channel);
	if (got != (ssize_t)sizeof(failure))
		return 0;
	if (exec_errno)
		*exec_errno = failure.error;
	return describe_failure(plan, &failure, err);
}

void spawn_abandon(struct spawned *child)
{
	close_descriptor(&child->channel);
	/* it may be stopped, and would keep us waiting; nobody has reaped it: the pid is its own */
	if (child->pid > 0)
		kill(child->pid, SIGKILL);
	spawn_reap(child, NULL);
	child->pid = -1;
}

bool spawn_reap(struct spawned *child, int *wait_status)
{
	int status = 0;
	pid_t got;
	do { /* without a pid it would be any child */
		got = child->pid > 0 ? waitpid(child->pid, &status, 0) : 0;
	} while (got < 0 && errno == EINTR);
	close_descriptor(&child->pidfd);
	if (wait_status)
		*wait_status = status;
	return got > 0;
}

int spawn_replace(const struct spawn_plan *plan)
{
	struct failure failure;
	signals_reset();
	apply_plan(plan, &failure);
	return errno;
}

void spawn_raise_file_limit(struct rlimit *original)
{
	if (getrlimit(RLIMIT_NOFILE, original) < 0) {
		*original = (struct rlimit){ .rlim_cur = 1024, .rlim_max = 1024 };
		return;
	}
	struct rlimit raised = { .rlim_cur = original->rlim_max, .rlim_max = original->rlim_max };
	if (raised.rlim_cur != original->rlim_cur)
		(void)setrlimit(RLIMIT_NOFILE, &raised);
}
