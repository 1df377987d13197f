#include "service/supervisor_loop.h"

#include "base/memory.h"
#include "model/process.h"

#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What is decided before the fork. */
struct birth {
	const struct supervisor_order *order;
	struct identity identity;   /* on record with the mark of its runs */
	char mark[MARK_LENGTH + 1]; /* what the supervisor itself wears: that of no service */
};

/* The first variable that begins with PMO_RUN=, or else the first of all, in the block that the
 * kernel shows as /proc/PID/environ. */
static char *find_place_of_mark(size_t *room)
{
	char *place = environ[0];
	for (char **variable = environ; *variable; variable++)
		if (strncmp(*variable, "PMO_RUN=", 8) == 0) {
			place = *variable;
			break;
		}
	*room = 0;
	for (char **variable = environ; place && *variable; variable++)
		if (*variable >= place && *variable == place + *room)
			*room += strlen(*variable) + 1;
	return place;
}

/* Whoever looks at /proc sees a process that is in no service, though pmo may have been called
 * inside one: the mark in its environment is its own. */
static void wear_mark(const char *mark)
{
	char text[sizeof("PMO_RUN=") + MARK_LENGTH];
	size_t room;
	tzset(); /* the last who reads the environment */
	char *place = find_place_of_mark(&room);
	int length = snprintf(text, sizeof(text), "PMO_RUN=%s", mark);
	if (place && room > (size_t)length)
		memcpy(place, text, (size_t)length + 1);
	else if (place && strncmp(place, "PMO_RUN=", 8) == 0)
		*place = '\0';
	environ[0] = NULL; /* and not environ: that page is everybody's */
}

/* What a supervisor goes on with, in one piece; what the command has it from lies in frames that
 * nobody comes back to. */
struct life {
	struct supervisor supervisor;
	struct supervisor_order order;
	struct project project;
	struct rlimit file_limit;
};

static struct life *begin_life(const struct birth *birth, int channel, int lock)
{
	struct life *life = memory_zalloc(1, sizeof(*life));
	life->order = *birth->order;
	life->project = *birth->order->project;
	life->project.catalog.state = &life->project.state;
	life->project.state.pids_fd = -1; /* closed with everything else at birth */
	life->order.project = &life->project;
	if (life->order.plan.file_limit)
		life->file_limit = *life->order.plan.file_limit;
	if (life->order.plan.file_limit)
		life->order.plan.file_limit = &life->file_limit;
	life->supervisor = (struct supervisor){
		.order = &life->order,
		.name = life->order.entry->name,
		.state = &life->project.state,
		.identity = birth->identity,
		.run_identity = life->order.run,
		.channel = channel,
		.lock = lock,
	};
	return life;
}

static _Noreturn __attribute__((noinline)) void live(struct life *life, const void *stack_end)
{
	memory_forget_callers(__builtin_frame_address(0), stack_end);
	_exit(supervisor_run(&life->supervisor));
}

/* With frames that begin at the edge of a page: none is kept for the rest of a caller's. */
static _Noreturn void live_on_next_page(struct life *life, const void *stack_end)
{
	char *here = alloca(sizeof(max_align_t));
	char *unused = alloca((uintptr_t)here % (uintptr_t)sysconf(_SC_PAGESIZE));
	__asm__ volatile("" : : "r"(unused)); /* else it would not be made */
	live(life, stack_end);
}

static int supervisor_main(void *context, int channel, int kept)
{
	const struct birth *birth = context;
	struct life *life = begin_life(birth, channel, kept);
	const void *stack_end = environ;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	prctl(PR_SET_NAME, "pmo-supervisor", 0, 0, 0);
	wear_mark(birth->mark);
	if (chdir("/") < 0)
		return ERROR_FAILED;
	live_on_next_page(life, stack_end);
}

static int record_supervisor(const struct supervisor_order *order, struct birth *birth,
			     const struct spawned *child, struct error *err)
{
	struct process process;
	int proc_fd CLEANUP_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = proc_fd < 0 ? -errno : process_read(proc_fd, child->pid, &process);
	if (result < 0)
		return error_set_errno(err, ERROR_FAILED, -result, "cannot read '/proc/%ld/stat'",
				       (long)child->pid);
	birth->identity.pid = child->pid;
	birth->identity.ticks = process.ticks;
	return state_write_supervisor(&order->project->state, order->entry->name, &birth->identity,
				      err);
}

int supervisor_start(const struct supervisor_order *order, struct spawned *supervisor,
		     struct error *err)
{
	struct birth birth = { .order = order, .identity = order->run };
	const struct spawn_body body = {
		.run = supervisor_main,
		.context = &birth,
		.group = SPAWN_NEW_SESSION,
		.keep = order->lock,
	};
	if (identity_make_mark(birth.mark, err) < 0 || spawn_process(&body, supervisor, err) < 0)
		return -1;
	if (record_supervisor(order, &birth, supervisor, err) == 0 &&
	    spawn_release(supervisor, err) == 0)
		return 0;
	spawn_abandon(supervisor);
	/* a run that is to be taken over must not look as if it had never needed one */
	if (order->run.pid == 0)
		(void)state_remove(&order->project->state, order->entry->name,
				   STATE_FILE_SUPERVISOR, NULL);
	return -1;
}

void supervisor_receive(int channel, struct supervisor_news *news)
{
	ssize_t got;
	do {
		got = recv(channel, news, sizeof(*news), MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(*news))
		*news = (struct supervisor_news){ .kind = SUPERVISOR_LOST };
	news->text[sizeof(news->text) - 1] = '\0';
}

void supervisor_send(struct supervisor *supervisor, const struct supervisor_news *news)
{
	if (supervisor->channel >= 0 && send(supervisor->channel, news, sizeof(*news),
					     MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(*news))
		supervisor_hang_up(supervisor);
}

void supervisor_hang_up(struct supervisor *supervisor)
{
	if (supervisor->channel >= 0)
		close(supervisor->channel);
	supervisor->channel = -1;
	supervisor->timers[TIMER_WATCH] = INT64_MAX;
}
