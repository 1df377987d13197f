#include "os/gpu.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	OUTPUT_LIMIT = 1048576, /* bytes of one answer; ten thousand processes take half of it */
	EXCERPT_LIMIT = 200,    /* bytes of an answer that a warning shows */
	STATUS_INFOROM = 14,    /* "infoROM is corrupted": a warning beside a complete answer */
};

/* How long what was killed may take to go: a driver call can make it deaf even to SIGKILL. */
static const int64_t KILL_WAIT_NS = 100 * NSEC_PER_MSEC;

static const char no_devices[] = "No devices were found";

enum { QUESTION_DEVICES, QUESTION_APPS, QUESTION_COUNT };

static const char *const questions[QUESTION_COUNT][2] = {
	{ "--query-gpu=index,uuid", "--format=csv,noheader" },
	{ "--query-compute-apps=pid,gpu_uuid,used_memory", "--format=csv,noheader,nounits" },
};

/* One nvidia-smi. */
struct inquiry {
	struct spawn_plan plan;
	char *arguments[4];
	struct spawned child;
	int output; /* the reading end of its standard output, -1 once it is at its end */
	struct buffer answer;
	bool ended;
	bool flooded; /* more than OUTPUT_LIMIT */
	int wait_status;
	struct error error; /* it could not be run */
};

struct gpu_query {
	char *program;
	int64_t timeout_ns;
	int64_t deadline_ns;
	struct inquiry inquiries[QUESTION_COUNT];
};

static void close_descriptor(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The group is gone or ours as long as the child is not reaped: its pid cannot be used again. */
static void kill_group(const struct inquiry *inquiry)
{
	if (!inquiry->ended)
		syscall(SYS_pidfd_send_signal, inquiry->child.pidfd, SIGKILL, NULL, 0);
	kill(-inquiry->child.pid, SIGKILL);
}

static void inquiry_prepare(struct inquiry *inquiry, const char *program, int question)
{
	inquiry->child = (struct spawned){ .pid = -1, .pidfd = -1, .channel = -1 };
	inquiry->output = -1;
	inquiry->arguments[0] = (char *)"nvidia-smi";
	inquiry->arguments[1] = (char *)questions[question][0];
	inquiry->arguments[2] = (char *)questions[question][1];
	inquiry->plan = (struct spawn_plan){
		.program = program,
		.arguments = inquiry->arguments,
		.environment = environ,
		.input = -1,
		.output = -1,
		.errors = -1,
		.group = SPAWN_NEW_GROUP,
		.umask = -1,
	};
}

static void inquiry_start(struct inquiry *inquiry)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0) {
		error_set_errno(&inquiry->error, ERROR_FAILED, errno, "cannot make a pipe");
		return;
	}
	inquiry->output = ends[0];
	inquiry->plan.output = ends[1];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 &&
	    spawn_start(&inquiry->plan, &inquiry->child, &inquiry->error) == 0)
		spawn_release(&inquiry->child, &inquiry->error);
	close(ends[1]);
}

struct gpu_query *gpu_query_start_limited(int64_t timeout_ns)
{
	char *program = spawn_find_program("nvidia-smi", getenv("PATH"), NULL);
	if (!program)
		return NULL;
	struct gpu_query *query = memory_zalloc(1, sizeof(*query));
	query->program = program;
	query->timeout_ns = timeout_ns;
	query->deadline_ns = clock_monotonic_ns() + timeout_ns;
	for (int i = 0; i < QUESTION_COUNT; i++) {
		inquiry_prepare(&query->inquiries[i], program, i);
		inquiry_start(&query->inquiries[i]);
	}
	return query;
}

struct gpu_query *gpu_query_start(void)
{
	return gpu_query_start_limited(GPU_TIMEOUT_NS);
}

/* Take what the pipe holds now. */
static void inquiry_read(struct inquiry *inquiry)
{
	while (inquiry->output >= 0) {
		char *end = buffer_reserve(&inquiry->answer, 4096);
		ssize_t got = read(inquiry->output, end, 4096);
		int error = errno;
		end[got > 0 ? got : 0] = '\0';
		if (got < 0 && error == EAGAIN)
			return;
		if (got < 0 && error == EINTR)
			continue;
		if (got <= 0) {
			close_descriptor(&inquiry->output);
			return;
		}
		inquiry->answer.length += (size_t)got;
		if (inquiry->answer.length > OUTPUT_LIMIT) {
			inquiry->flooded = true;
			close_descriptor(&inquiry->output);
		}
	}
}

static bool inquiry_is_over(const struct inquiry *inquiry)
{
	return inquiry->child.pid < 0 || inquiry->ended || inquiry->flooded;
}

enum { WATCH_CHANNEL, WATCH_OUTPUT, WATCH_END, WATCH_COUNT };

static void inquiry_watch(const struct inquiry *inquiry, struct pollfd *watches)
{
	bool over = inquiry_is_over(inquiry);
	watches[WATCH_CHANNEL].fd = over ? -1 : inquiry->child.channel;
	watches[WATCH_OUTPUT].fd = over ? -1 : inquiry->output;
	watches[WATCH_END].fd = over ? -1 : inquiry->child.pidfd;
	for (int i = 0; i < WATCH_COUNT; i++) {
		watches[i].events = POLLIN;
		watches[i].revents = 0;
	}
}

static void inquiry_handle(struct inquiry *inquiry, const struct pollfd *watches)
{
	if (watches[WATCH_CHANNEL].revents)
		spawn_finish(&inquiry->plan, &inquiry->child, NULL, &inquiry->error);
	if (watches[WATCH_END].revents)
		inquiry->ended = true;
	/* after the end, for what was written before it; a grandchild may keep the pipe open */
	if (watches[WATCH_OUTPUT].revents || inquiry->ended)
		inquiry_read(inquiry);
}

/* Attend to all of them until they are over or it is DEADLINE. */
static void attend(struct gpu_query *query, int64_t deadline_ns)
{
	struct pollfd watches[QUESTION_COUNT * WATCH_COUNT];
	for (;;) {
		bool over = true;
		for (int i = 0; i < QUESTION_COUNT; i++) {
			inquiry_watch(&query->inquiries[i], watches + i * WATCH_COUNT);
			over = over && inquiry_is_over(&query->inquiries[i]);
		}
		if (over)
			return;
		int ready = poll(watches, ARRAY_LENGTH(watches), clock_poll_timeout(deadline_ns));
		if (ready == 0 || (ready < 0 && errno != EINTR))
			return;
		for (int i = 0; i < QUESTION_COUNT; i++)
			inquiry_handle(&query->inquiries[i], watches + i * WATCH_COUNT);
	}
}

/* Wait for a killed child to go, reap it, and close what is open. A child that does not go is left
 * to whoever is there when the driver lets go of it. */
static void inquiry_close(struct inquiry *inquiry, int64_t deadline_ns)
{
	if (inquiry->child.pid > 0) {
		struct pollfd end = { .fd = inquiry->child.pidfd, .events = POLLIN };
		int ready;
		do {
			ready = poll(&end, 1, clock_poll_timeout(deadline_ns));
		} while (ready < 0 && errno == EINTR);
		if (ready > 0)
			spawn_reap(&inquiry->child, &inquiry->wait_status);
	}
	close_descriptor(&inquiry->child.channel);
	close_descriptor(&inquiry->child.pidfd);
	close_descriptor(&inquiry->output);
}

static void end_all(struct gpu_query *query)
{
	for (int i = 0; i < QUESTION_COUNT; i++) {
		if (query->inquiries[i].child.pid > 0)
			kill_group(&query->inquiries[i]);
	}
	int64_t deadline_ns = clock_monotonic_ns() + KILL_WAIT_NS;
	for (int i = 0; i < QUESTION_COUNT; i++)
		inquiry_close(&query->inquiries[i], deadline_ns);
}

/* The first line of an answer, fit to be shown, without a full stop. The caller frees it. */
static char *make_excerpt(const struct inquiry *inquiry)
{
	struct buffer excerpt = BUFFER_INIT;
	const char *answer = buffer_string(&inquiry->answer);
	size_t length;
	answer += strspn(answer, " \t\r\n");
	length = strcspn(answer, "\r\n");
	if (length > EXCERPT_LIMIT)
		length = EXCERPT_LIMIT;
	if (length > 0 && answer[length - 1] == '.')
		length--;
	text_append_visible(&excerpt, answer, length);
	return excerpt.data ? buffer_detach(&excerpt) : memory_strdup("");
}

static char *describe_status(const struct inquiry *inquiry)
{
	char name[16];
	char *excerpt CLEANUP_FREE = make_excerpt(inquiry);
	if (WIFSIGNALED(inquiry->wait_status)) {
		units_format_signal(WTERMSIG(inquiry->wait_status), name, sizeof(name));
		return memory_printf("'nvidia-smi' was ended by signal %s", name);
	}
	return memory_printf("'nvidia-smi' failed with status %d%s%s",
			     WEXITSTATUS(inquiry->wait_status), *excerpt ? ": " : "", excerpt);
}

static bool inquiry_succeeded(const struct inquiry *inquiry)
{
	if (!WIFEXITED(inquiry->wait_status))
		return false;
	int status = WEXITSTATUS(inquiry->wait_status);
	return status == 0 || status == STATUS_INFOROM ||
	       strncmp(buffer_string(&inquiry->answer), no_devices, sizeof(no_devices) - 1) == 0;
}

/* What is wrong with this one, or NULL. The caller frees it. */
static char *inquiry_problem(const struct gpu_query *query, const struct inquiry *inquiry)
{
	char limit[32];
	if (inquiry->error.message)
		return memory_strdup(inquiry->error.message);
	if (inquiry->flooded)
		return memory_printf("'nvidia-smi' wrote more than %d bytes", OUTPUT_LIMIT);
	if (!inquiry->ended) {
		units_format_duration_exact(query->timeout_ns, limit, sizeof(limit));
		return memory_printf("'nvidia-smi' gave no answer within %s", limit);
	}
	return inquiry_succeeded(inquiry) ? NULL : describe_status(inquiry);
}

static void judge(const struct gpu_query *query, struct gpu_report *report)
{
	const struct inquiry *devices = &query->inquiries[QUESTION_DEVICES];
	const struct inquiry *apps = &query->inquiries[QUESTION_APPS];
	char *problem = inquiry_problem(query, apps);
	if (!problem)
		problem = inquiry_problem(query, devices);
	if (!problem &&
	    gpu_report_parse(report, buffer_string(&devices->answer), buffer_string(&apps->answer)))
		return;
	if (!problem) {
		char *excerpt CLEANUP_FREE = make_excerpt(apps);
		problem = memory_printf("'nvidia-smi' gave an answer that is not understood: '%s'",
					excerpt);
	}
	*report = (struct gpu_report){ .known = false, .problem = problem };
}

void gpu_query_finish(struct gpu_query *query, struct gpu_report *report)
{
	if (!query) {
		*report = (struct gpu_report){ .known = true };
		return;
	}
	attend(query, query->deadline_ns);
	end_all(query);
	judge(query, report);
	for (int i = 0; i < QUESTION_COUNT; i++) {
		buffer_release(&query->inquiries[i].answer);
		error_clear(&query->inquiries[i].error);
	}
	free(query->program);
	free(query);
}
