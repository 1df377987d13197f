#include "service/supervisor_loop.h"

#include "base/footprint.h"
#include "base/memory.h"
#include "model/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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
	char *place = environ ? environ[0] : NULL;
	for (char **variable = environ; place && *variable; variable++)
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

/* As long as any mark, and worn by nobody else. */
static const char room_maker[] = "PMO_RUN=00000000000000000000000000000000";
_Static_assert(sizeof(room_maker) == sizeof("PMO_RUN=") + MARK_LENGTH, "as long as a mark");

static size_t count_variables(void)
{
	size_t count = 0;
	while (environ && environ[count])
		count++;
	return count;
}

bool supervisor_has_room_for_mark(void)
{
	size_t room;
	const char *place = find_place_of_mark(&room);
	/* once is enough, whatever came of it */
	return place && (room >= sizeof(room_maker) || strcmp(place, room_maker) == 0);
}

void supervisor_make_room_for_mark(char **arguments)
{
	const char **roomy CLEANUP_FREE = memory_zalloc(count_variables() + 2, sizeof(*roomy));
	size_t count = 0;
	roomy[count++] = room_maker;
	for (char **variable = environ; variable && *variable; variable++)
		if (strncmp(*variable, "PMO_RUN=", strlen("PMO_RUN=")) != 0)
			roomy[count++] = *variable;
	execve("/proc/self/exe", arguments, (char *const *)roomy);
}

/* Whoever looks at /proc sees a process that is in no service, though pmo may have been called
 * inside one: the mark in its environment is its own. */
static void wear_mark(const char *mark)
{
	char text[sizeof("PMO_RUN=") + MARK_LENGTH];
	size_t room;
	char *place = find_place_of_mark(&room);
	int length = snprintf(text, sizeof(text), "PMO_RUN=%s", mark);
	if (place && room > (size_t)length)
		memcpy(place, text, (size_t)length + 1);
	else if (place && strncmp(place, "PMO_RUN=", 8) == 0)
		*place = '\0';
	if (environ) /* and not environ itself: its page is shared with all others */
		environ[0] = NULL;
}

/* What a supervisor goes on with: on its stack, in pages that no process escapes from having, and
 * with no frames of the command above. */
struct life {
	struct supervisor_order order;
	struct project project;
	struct rlimit file_limit;
	struct supervisor supervisor;
};

static bool has_hooks(const struct definition *definition)
{
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (definition->hooks.commands[i])
			return true;
	return false;
}

/* What it has of the command's stack comes with it: pointers into that are set anew. */
static void settle(struct life *life)
{
	life->project.state.pids_fd = -1; /* closed with everything else at birth */
	life->project.catalog.state = &life->project.state;
	life->order.project = &life->project;
	if (life->order.plan.file_limit)
		life->order.plan.file_limit = &life->file_limit;
	if (has_hooks(life->order.launch->definition))
		life->supervisor.hooks = memory_zalloc(HOOK_COUNT, sizeof(struct hook));
	life->supervisor.order = &life->order;
	life->supervisor.state = &life->project.state;
}

static void live(void *luggage)
{
	struct life life = *(struct life *)luggage;
	footprint_cleanup_own(&luggage);
	settle(&life);
	_exit(supervisor_run(&life.supervisor));
}

static struct life pack(const struct birth *birth, int channel, int lock)
{
	const struct supervisor_order *order = birth->order;
	return (struct life){
		.order = *order,
		.project = *order->project,
		.file_limit = order->plan.file_limit ? *order->plan.file_limit : (struct rlimit){ 0 },
		.supervisor = {
			.name = order->entry->name,
			.identity = birth->identity,
			.run_identity = order->run,
			.channel = channel,
			.lock = lock,
		},
	};
}

static int supervisor_main(void *context, int channel, int kept)
{
	const struct birth *birth = context;
	struct life *luggage = footprint_own(1, sizeof(*luggage));
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	prctl(PR_SET_NAME, "pmo-supervisor", 0, 0, 0);
	wear_mark(birth->mark);
	if (chdir("/") < 0)
		return ERROR_FAILED;
	*luggage = pack(birth, channel, kept);
	footprint_leave_callers(live, luggage);
}

static int record_supervisor(const struct supervisor_order *order, struct birth *birth,
			     const struct spawned *child, struct error *err)
{
	struct process process = { 0 };
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
