#include "service/hook.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/units.h"
#include "model/process.h"
#include "os/logfile.h"
#include "os/logfile_open.h"
#include "os/signal.h"
#include "service/hook_tree.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whom the logs belong to, for os/logfile.h. */
static uid_t log_owner(const struct hook_source *source)
{
	const struct credentials *credentials = &source->credentials;
	bool other = credentials->set && credentials->user != geteuid();
	return other ? credentials->user : LOGFILE_NO_OWNER;
}

static void set_number(struct environment *environment, const char *name, bool known, long number)
{
	char text[32] = "";
	if (known)
		snprintf(text, sizeof(text), "%ld", number);
	environment_set(environment, name, text);
}

static void set_facts(struct environment *environment, const struct hook_facts *facts)
{
	char signal[32] = "";
	if (facts->exit.kind == EXIT_SIGNAL)
		units_format_signal(facts->exit.value, signal, sizeof(signal));
	set_number(environment, "PMO_PID", facts->pid > 0, facts->pid);
	set_number(environment, "PMO_EXIT_CODE", facts->exit.kind == EXIT_CODE, facts->exit.value);
	environment_set(environment, "PMO_EXIT_SIGNAL", signal);
}

static struct spawn_plan make_plan(const struct hook_source *source)
{
	return (struct spawn_plan){
		.program = "/bin/sh",
		.directory = source->directory,
		.input = -1,
		.group = SPAWN_NEW_SESSION,
		.credentials = source->credentials,
		.umask = source->umask,
		.has_nice = source->has_nice,
		.nice = source->nice,
		.limits = source->limits,
		.limit_count = source->limit_count,
		.file_limit = source->file_limit,
	};
}

static int read_ticks(struct hook *hook, struct error *err)
{
	struct process process;
	int proc_fd CLEANUP_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = process_read(proc_fd, hook->child.pid, &process);
	hook->ticks = result < 0 ? 0 : process.ticks;
	return result < 0 ? error_set_errno(err, ERROR_FAILED, -result,
					    "cannot read '/proc/%ld/stat'", (long)hook->child.pid)
			  : 0;
}

/* PLAN is complete. The exec is not waited for: a directory may hang. */
static int spawn(struct hook *hook, const struct spawn_plan *plan, struct error *err)
{
	if (spawn_start(plan, &hook->child, err) < 0)
		return -1;
	if (read_ticks(hook, err) == 0 && spawn_release(&hook->child, err) == 0)
		return 0;
	spawn_abandon(&hook->child);
	return -1;
}

static int64_t deadline_after(int64_t timeout_ns)
{
	int64_t now = clock_monotonic_ns();
	return timeout_ns <= 0 || timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
}

static void hook_init(struct hook *hook, enum hook_kind kind, const struct hook_source *source)
{
	const char *mark = environment_get(source->environment, "PMO_RUN");
	*hook = (struct hook){
		.kind = kind,
		.timeout_ns = source->hooks->timeout_ns,
		.plan = make_plan(source),
		.log_error = source->log_error,
		.log_owner = log_owner(source),
	};
	if (mark && strlen(mark) <= MARK_LENGTH)
		memcpy(hook->mark, mark, strlen(mark) + 1);
}

int hook_start(struct hook *hook, enum hook_kind kind, const struct hook_source *source,
	       const struct hook_facts *facts, struct error *err)
{
	const char *const arguments[] = { "/bin/sh", "-c", source->hooks->commands[kind], NULL };
	struct environment environment = ENVIRONMENT_INIT;
	hook_init(hook, kind, source);
	environment_copy(&environment, source->environment);
	environment_set(&environment, "PMO_SERVICE", source->service);
	environment_set(&environment, "PMO_HOOK", hook_kind_name(kind));
	set_facts(&environment, facts);
	int out CLEANUP_CLOSE = logfile_append(source->log_out, hook->log_owner, NULL);
	int error CLEANUP_CLOSE = source->log_error == source->log_out
				      ? -1
				      : logfile_append(source->log_error, hook->log_owner, NULL);
	struct spawn_plan plan = hook->plan;
	plan.arguments = (char *const *)arguments;
	plan.environment = environment.entries;
	plan.output = out;
	plan.errors = source->log_error == source->log_out ? out : error;
	int result = spawn(hook, &plan, err);
	environment_release(&environment);
	hook->deadline_ns = deadline_after(hook->timeout_ns);
	return result < 0 ? error_prefix(err, "hook '%s'", hook_kind_name(kind)) : 0;
}

static bool has_ended(const struct hook *hook)
{
	struct pollfd poll_one = { .fd = hook->child.pidfd, .events = POLLIN };
	return poll(&poll_one, 1, 0) > 0;
}

void hook_kill(struct hook *hook)
{
	hook->late = !has_ended(hook) && hook->deadline_ns <= clock_monotonic_ns();
	hook->deadline_ns = INT64_MAX;
	hook_tree_kill(&hook, 1);
}

static int describe_end(const struct hook *hook, int wait_status, struct error *err)
{
	const char *name = hook_kind_name(hook->kind);
	char text[64];
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		return 0;
	if (WIFEXITED(wait_status))
		return error_set(err, ERROR_FAILED, "hook '%s' ended with exit status %d", name,
				 WEXITSTATUS(wait_status));
	if (hook->late && WTERMSIG(wait_status) == SIGKILL) {
		units_format_duration_exact(hook->timeout_ns, text, sizeof(text));
		return error_set(err, ERROR_FAILED, "hook '%s' took longer than %s", name, text);
	}
	units_format_signal(WTERMSIG(wait_status), text, sizeof(text));
	return error_set(err, ERROR_FAILED, "hook '%s' was ended by signal %s", name, text);
}

int hook_end(struct hook *hook, int wait_status, struct error *err)
{
	struct error own = ERROR_INIT;
	/* does not wait: the other end of the channel has gone with the child */
	int result = spawn_finish(&hook->plan, &hook->child, NULL, &own);
	if (result < 0)
		error_prefix(&own, "hook '%s'", hook_kind_name(hook->kind));
	else
		result = describe_end(hook, wait_status, &own);
	if (hook->child.pidfd >= 0)
		close(hook->child.pidfd);
	hook->child.pidfd = -1;
	if (result < 0) {
		logfile_note(hook->log_error, hook->log_owner, own.message);
		error_set(err, own.kind, "%s", own.message);
	}
	error_clear(&own);
	return result;
}
