#include "service/hook.h"

#include "base/clock.h"
#include "base/file.h"
#include "service/hook_tree.h"
#include "service/stop.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* Descriptors of a hook that runs: pidfd, channel. */
enum { DESCRIPTORS_EACH = 2 };

enum run_state {
	RUN_OVER,   /* reaped, or never begun */
	RUN_ACTIVE, /* until its deadline */
	RUN_KILLED, /* until give_up_ns */
	RUN_ENDED,  /* a zombie, whose session keeps its number */
	RUN_STUCK,  /* not even SIGKILL has ended it */
};

struct hook_run {
	enum run_state state;
	int64_t give_up_ns;
	struct error *error; /* the caller's */
	struct hook hook;
};

/* Hooks that run at the same time. */
struct wave {
	struct hook_run *runs;
	size_t count;
	struct pollfd *polls; /* one per run; a negative fd where nothing is waited for */
	struct hook **chosen; /* room for all of them */
};

static void begin_run(struct hook_run *run, const struct hook_request *request)
{
	run->state = RUN_OVER;
	if (request->source->hooks->commands[request->kind] &&
	    hook_start(&run->hook, request->kind, request->source, &request->facts, run->error) ==
		0)
		run->state = RUN_ACTIVE;
}

static bool is_awaited(const struct hook_run *run)
{
	return run->state == RUN_ACTIVE || run->state == RUN_KILLED;
}

static int64_t run_deadline(const struct hook_run *run)
{
	return run->state == RUN_KILLED ? run->give_up_ns : run->hook.deadline_ns;
}

/* Wait for the first end or deadline. False when everybody has ended. */
static bool wait_for_one(struct wave *wave)
{
	int64_t deadline = INT64_MAX;
	bool any = false;
	for (size_t i = 0; i < wave->count; i++) {
		const struct hook_run *run = &wave->runs[i];
		bool awaited = is_awaited(run);
		wave->polls[i] =
		    (struct pollfd){ .fd = awaited ? run->hook.child.pidfd : -1, .events = POLLIN };
		if (awaited && run_deadline(run) < deadline)
			deadline = run_deadline(run);
		any = any || awaited;
	}
	if (any && poll(wave->polls, wave->count, clock_poll_timeout(deadline)) < 0)
		for (size_t i = 0; i < wave->count; i++)
			wave->polls[i].revents = 0;
	return any;
}

static void kill_late(struct wave *wave, int64_t now)
{
	size_t count = 0;
	for (size_t i = 0; i < wave->count; i++) {
		struct hook_run *run = &wave->runs[i];
		if (run->state == RUN_KILLED && run->give_up_ns <= now)
			run->state = RUN_STUCK;
		if (run->state != RUN_ACTIVE || run->hook.deadline_ns > now)
			continue;
		run->state = RUN_KILLED;
		run->give_up_ns = now + KILL_TIMEOUT_NS;
		run->hook.late = true;
		wave->chosen[count++] = &run->hook;
	}
	hook_tree_kill(wave->chosen, count);
}

static void note_ends(struct wave *wave)
{
	for (size_t i = 0; i < wave->count; i++)
		if (wave->polls[i].revents)
			wave->runs[i].state = RUN_ENDED;
}

static void kill_leftovers(struct wave *wave)
{
	size_t count = 0;
	for (size_t i = 0; i < wave->count; i++)
		if (wave->runs[i].state == RUN_ENDED)
			wave->chosen[count++] = &wave->runs[i].hook;
	hook_tree_kill(wave->chosen, count);
}

static void give_up(struct hook_run *run)
{
	close(run->hook.child.pidfd);
	close(run->hook.child.channel);
	error_set(run->error, ERROR_FAILED,
		  "hook '%s' took too long, and its pid %ld has survived SIGKILL",
		  hook_kind_name(run->hook.kind), (long)run->hook.child.pid);
}

static void end_run(struct hook_run *run)
{
	int wait_status = 0;
	if (run->state == RUN_STUCK)
		give_up(run);
	if (run->state != RUN_ENDED)
		return;
	spawn_reap(&run->hook.child, &wait_status);
	hook_end(&run->hook, wait_status, run->error);
}

static void run_wave(struct wave *wave, const struct hook_request *requests, struct error *errors)
{
	for (size_t i = 0; i < wave->count; i++) {
		wave->runs[i].error = &errors[i];
		begin_run(&wave->runs[i], &requests[i]);
	}
	while (wait_for_one(wave)) {
		note_ends(wave);
		kill_late(wave, clock_monotonic_ns());
	}
	kill_leftovers(wave);
	for (size_t i = 0; i < wave->count; i++)
		end_run(&wave->runs[i]);
}

size_t hooks_run(const struct hook_request *requests, size_t count, struct error *errors)
{
	size_t room = file_descriptor_budget() / DESCRIPTORS_EACH;
	size_t most = count < room ? count : room;
	size_t failed = 0;
	struct wave wave = {
		.runs = memory_zalloc(most + 1, sizeof(*wave.runs)),
		.polls = memory_zalloc(most + 1, sizeof(*wave.polls)),
		.chosen = memory_zalloc(most + 1, sizeof(*wave.chosen)),
	};
	for (size_t i = 0; i < count; i++)
		errors[i] = (struct error)ERROR_INIT;
	for (size_t first = 0; first < count; first += wave.count) {
		wave.count = count - first < most ? count - first : most;
		run_wave(&wave, requests + first, errors + first);
	}
	for (size_t i = 0; i < count; i++)
		failed += errors[i].kind != ERROR_NONE;
	free(wave.runs);
	free(wave.polls);
	free(wave.chosen);
	return failed;
}
