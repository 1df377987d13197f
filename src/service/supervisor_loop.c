#include "service/supervisor_loop.h"

#include "base/clock.h"
#include "base/footprint.h"
#include "model/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* What wait(2) tells in a siginfo_t, as a record. */
static struct exit_record exit_from_siginfo(const siginfo_t *info)
{
	return (struct exit_record){
		.kind = info->si_code == CLD_EXITED ? EXIT_CODE : EXIT_SIGNAL,
		.value = info->si_status,
		.at_realtime_ns = clock_realtime_ns(),
	};
}

/* True, and reaped, if the child PID has ended. */
static bool reap(pid_t pid, siginfo_t *info)
{
	*info = (siginfo_t){ 0 };
	return waitid(P_PID, (id_t)pid, info, WEXITED | WNOHANG) == 0 && info->si_pid == pid;
}

static void helper_ended(struct supervisor *supervisor, enum supervisor_helper helper,
			 const siginfo_t *info)
{
	struct spawned *child = &supervisor->helpers[helper];
	close(child->pidfd);
	if (child->channel >= 0)
		close(child->channel);
	*child = (struct spawned){ -1, -1, -1 };
	if (helper == HELPER_WATCHER && info->si_code != CLD_EXITED)
		supervisor_log(supervisor, "is not watched any more: its watcher was killed");
	if (helper == HELPER_STOPPER)
		supervisor_cleared(supervisor, info->si_code != CLD_EXITED || info->si_status != 0);
}

static void reap_helpers(struct supervisor *supervisor)
{
	siginfo_t info;
	for (enum supervisor_helper helper = 0; helper < HELPER_COUNT; helper++)
		if (supervisor->helpers[helper].pid > 0 &&
		    reap(supervisor->helpers[helper].pid, &info))
			helper_ended(supervisor, helper, &info);
}

static void hook_ended(struct supervisor *supervisor, enum hook_kind kind, int wait_status)
{
	struct error err = ERROR_INIT;
	supervisor->hook_runs[kind] = false;
	int result = hook_end(&supervisor->hooks[kind], wait_status, &err);
	if (result < 0 && kind == HOOK_PRE_START)
		supervisor_spawn_failed(supervisor, err.message, 0);
	else if (result == 0 && kind == HOOK_PRE_START)
		supervisor_spawn(supervisor);
	else if (supervisor->phase == PHASE_LEAVING)
		supervisor_leave(supervisor);
	error_clear(&err);
}

/* What a hook leaves in the background belongs to the service. Where there will be none it ends. */
static bool leaves_nothing(enum hook_kind kind, const siginfo_t *info)
{
	bool failed = info->si_code != CLD_EXITED || info->si_status != 0;
	return kind == HOOK_ON_FAIL || kind == HOOK_POST_STOP || (kind == HOOK_PRE_START && failed);
}

static void reap_hook(struct supervisor *supervisor, enum hook_kind kind)
{
	struct hook *hook = &supervisor->hooks[kind];
	siginfo_t info = { 0 };
	int status = 0;
	if (waitid(P_PID, (id_t)hook->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid != hook->child.pid)
		return;
	if (leaves_nothing(kind, &info) && !hook->late)
		hook_kill(hook);
	if (waitpid(hook->child.pid, &status, WNOHANG) > 0)
		hook_ended(supervisor, kind, status);
}

static void reap_hooks(struct supervisor *supervisor)
{
	for (enum hook_kind kind = 0; kind < HOOK_COUNT; kind++)
		if (supervisor->hook_runs[kind])
			reap_hook(supervisor, kind);
}

static bool awaits_leader(const struct supervisor *supervisor)
{
	return supervisor->run.pid > 0 && supervisor->run.channel < 0 && !supervisor->leader_ended;
}

/* The leader stays a zombie until all of its run is gone: its numbers are not used again. */
static void look_at_leader(struct supervisor *supervisor)
{
	siginfo_t info = { 0 };
	if (!awaits_leader(supervisor) || supervisor->adopted)
		return;
	if (waitid(P_PID, (id_t)supervisor->run.pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid != supervisor->run.pid)
		return;
	struct exit_record end = exit_from_siginfo(&info);
	supervisor_leader_ended(supervisor, &end);
}

bool supervisor_owns_child(const struct supervisor *supervisor, pid_t pid)
{
	if (pid == supervisor->run.pid)
		return true;
	for (size_t i = 0; i < HELPER_COUNT; i++)
		if (pid == supervisor->helpers[i].pid)
			return true;
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (supervisor->hook_runs[i] && pid == supervisor->hooks[i].child.pid)
			return true;
	return false;
}

/* What the service has left behind comes to us, its subreaper. A zombie leader would hide the ones
 * behind it: those are reaped when it has gone. */
static void reap_orphans(const struct supervisor *supervisor)
{
	siginfo_t info = { 0 };
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0 &&
	       !supervisor_owns_child(supervisor, info.si_pid)) {
		pid_t orphan = info.si_pid;
		info = (siginfo_t){ 0 };
		reap(orphan, &info);
		info = (siginfo_t){ 0 };
	}
}

static void children_ended(struct supervisor *supervisor)
{
	look_at_leader(supervisor);
	reap_helpers(supervisor);
	reap_hooks(supervisor);
	reap_orphans(supervisor);
}

/* Whether one of them asks for the end; who has ended is looked for anyway. */
static bool read_signals(const struct supervisor *supervisor)
{
	struct signalfd_siginfo signals[2];
	bool terminate = false;
	ssize_t got;
	while ((got = read(supervisor->signals, signals, sizeof(signals))) > 0)
		for (size_t i = 0; i < (size_t)got / sizeof(signals[0]); i++)
			terminate = terminate || signals[i].ssi_signo != SIGCHLD;
	return terminate;
}

static void timer_due(struct supervisor *supervisor, enum supervisor_timer timer)
{
	supervisor->timers[timer] = INT64_MAX;
	switch (timer) {
	case TIMER_SPAWN:
		if (supervisor->phase == PHASE_WAITING)
			supervisor_begin(supervisor);
		else if (supervisor->phase == PHASE_SPAWNING)
			supervisor_spawn(supervisor);
		break;
	case TIMER_END:
		if (supervisor->phase == PHASE_LEAVING)
			supervisor_leave(supervisor);
		else
			supervisor_end(supervisor);
		break;
	case TIMER_RECORD:
		supervisor_record_wait(supervisor);
		break;
	case TIMER_WATCH:
		supervisor_hang_up(supervisor);
		break;
	case TIMER_MEMORY:
		supervisor_check_memory(supervisor);
		break;
	case TIMER_LOG:
		supervisor_check_logs(supervisor);
		break;
	case TIMER_COUNT:
		break;
	}
}

static void end_late_hooks(struct supervisor *supervisor, int64_t now)
{
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (supervisor->hook_runs[i] && supervisor->hooks[i].deadline_ns <= now)
			hook_kill(&supervisor->hooks[i]);
}

static void run_timers(struct supervisor *supervisor)
{
	int64_t now = clock_monotonic_ns();
	for (enum supervisor_timer timer = 0; timer < TIMER_COUNT; timer++)
		if (supervisor->timers[timer] <= now)
			timer_due(supervisor, timer);
	end_late_hooks(supervisor, now);
}

static int64_t next_timer(const struct supervisor *supervisor)
{
	int64_t next = INT64_MAX;
	for (size_t i = 0; i < TIMER_COUNT; i++)
		next = supervisor->timers[i] < next ? supervisor->timers[i] : next;
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (supervisor->hook_runs[i] && supervisor->hooks[i].deadline_ns < next)
			next = supervisor->hooks[i].deadline_ns;
	return next;
}

enum { POLL_SIGNALS, POLL_EXEC, POLL_LEADER, POLL_WATCHER, POLL_COUNT };

static void wait_for_events(struct supervisor *supervisor)
{
	/* here, where the stack is at its shortest */
	if (supervisor->untidy)
		footprint_trim();
	supervisor->untidy = false;
	bool adopted = supervisor->adopted && awaits_leader(supervisor);
	struct pollfd polls[POLL_COUNT] = {
		[POLL_SIGNALS] = { .fd = supervisor->signals, .events = POLLIN },
		[POLL_EXEC] = { .fd = supervisor->run.channel, .events = POLLIN },
		[POLL_LEADER] = { .fd = adopted ? supervisor->run.pidfd : -1, .events = POLLIN },
		[POLL_WATCHER] = { .fd = supervisor->helpers[HELPER_WATCHER].channel,
				   .events = POLLIN },
	};
	if (poll(polls, POLL_COUNT, clock_poll_timeout(next_timer(supervisor))) < 0)
		return;
	if (polls[POLL_EXEC].revents)
		supervisor_executed(supervisor);
	if (polls[POLL_WATCHER].revents)
		supervisor_files_changed(supervisor);
	if (polls[POLL_LEADER].revents)
		supervisor_leader_lost(supervisor);
	/* before the children: at a shutdown it is no failure of theirs that they have ended too */
	if (polls[POLL_SIGNALS].revents && read_signals(supervisor))
		supervisor_terminate(supervisor);
	/* in each round: the signal for one child may have been read with that for another, when
	 * nothing could be done about the first yet */
	if (supervisor->phase != PHASE_OVER)
		children_ended(supervisor);
	if (supervisor->phase != PHASE_OVER)
		run_timers(supervisor);
}

static int open_descriptors(struct supervisor *supervisor)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	supervisor->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	supervisor->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return supervisor->signals < 0 || supervisor->proc_fd < 0 ? -1 : 0;
}

/* The command has learned our start time after the fork. */
static int identify(struct supervisor *supervisor)
{
	struct process self;
	supervisor->identity.pid = getpid();
	int result = process_read(supervisor->proc_fd, supervisor->identity.pid, &self);
	supervisor->identity.ticks = self.ticks;
	return result;
}

int supervisor_run(struct supervisor *supervisor)
{
	supervisor->run = (struct spawned){ -1, -1, -1 };
	for (size_t i = 0; i < TIMER_COUNT; i++)
		supervisor->timers[i] = INT64_MAX;
	for (size_t i = 0; i < HELPER_COUNT; i++)
		supervisor->helpers[i] = (struct spawned){ -1, -1, -1 };
	supervisor->policy = restart_policy_of(supervisor->order->launch->definition);
	if (open_descriptors(supervisor) < 0 || identify(supervisor) < 0)
		return ERROR_FAILED;
	if (supervisor->run_identity.pid > 0)
		supervisor_adopt(supervisor);
	else
		supervisor_begin(supervisor);
	while (supervisor->phase != PHASE_OVER)
		wait_for_events(supervisor);
	return 0;
}
