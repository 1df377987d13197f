/*
 * What a supervisor does when things come together, fail for a while, or are done behind its back.
 */
#include "support/guarded.h"
#include "support/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define DELAYER PMO_HELPERS "/poll-delayer"

/* A tracer that keeps PID from running after each poll(2); 0 where that is not permitted. */
static pid_t delayer_start(pid_t pid, const char *microseconds)
{
	char number[16];
	char answer[16] = "";
	int ends[2];
	snprintf(number, sizeof(number), "%d", pid);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t delayer = fork();
	if (delayer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not end it */
		dup2(ends[1], STDOUT_FILENO);
		execl(DELAYER, "poll-delayer", number, microseconds, NULL);
		_exit(127);
	}
	close(ends[1]);
	ssize_t got = read(ends[0], answer, sizeof(answer) - 1);
	close(ends[0]);
	if (got <= 0)
		child_stop(delayer);
	return got > 0 ? delayer : 0;
}

static long restarts(struct test_project *project)
{
	char *text = project_read(project, ".pmo/pids/web.restarts");
	long count = text ? strtol(text, NULL, 10) : 0;
	free(text);
	return count;
}

/* What the hook has left ends at about the time at which the program is executed, and ends: the
 * kernel sends one SIGCHLD for both. */
static void test_ends_that_come_together(void **state)
{
	enum { RUNS = 150 };
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web:\n  cmd: [%s]\n  restart: always\n  restart_delay: 0\n  min_uptime: 0\n"
		      "  start_watch: 0\n  hooks: {pre_start: '%s sleep 3 & true'}\n",
		      ACTOR, ACTOR);
	pmo_ok(project, "start", "web");
	pid_t delayer = delayer_start(supervisor_pid(project, "web"), "3000");
	if (delayer == 0)
		SKIP("may not trace processes here");
	WAIT_FOR(restarts(project) >= RUNS);
	child_stop(delayer);
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

/* SIGTERM, and the end of the hook that keeps the supervisor, are read at once. */
static void test_terminated_as_the_hook_ends(void **state)
{
	struct test_project *project = *state;
	pid_t hook;
	configure_web(project, "wait",
		      "  hooks:\n    on_fail: 'touch failing; exec sleep 600'\n    timeout: 10m\n");
	pmo_ok(project, "start", "web");
	kill_leader(project, "web");
	WAIT_FOR(project_exists(project, "failing"));
	pid_t supervisor = supervisor_pid(project, "web");
	WAIT_FOR(project_processes(project, &hook, 1) == 1 && process_state(supervisor) == 'S');
	assert_int_equal(kill(supervisor, SIGSTOP), 0);
	WAIT_FOR(process_state(supervisor) == 'T');
	assert_int_equal(kill(hook, SIGKILL), 0);
	WAIT_FOR(process_state(hook) == 'Z');
	assert_int_equal(kill(supervisor, SIGTERM), 0);
	assert_int_equal(kill(supervisor, SIGCONT), 0);
	WAIT_FOR(!process_alive(supervisor));
	assert_int_equal(supervisor_pid(project, "web"), 0);
	assert_true(service_is(project, "web", "status", "errored"));
}

/* The lowest limit on descriptors with which PID can open COUNT more. */
static rlim_t limit_for_more(pid_t pid, int count)
{
	bool used[256] = { false };
	char path[64];
	rlim_t limit = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *directory = opendir(path);
	assert_non_null(directory);
	for (const struct dirent *entry; (entry = readdir(directory));)
		if (entry->d_name[0] != '.')
			used[strtol(entry->d_name, NULL, 10) & 255] = true;
	closedir(directory);
	for (; count > 0; limit++)
		count -= used[limit] ? 0 : 1;
	return limit;
}

/* How often a process has gone to sleep. */
static long sleeps(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	char *text = read_file(path, NULL);
	const char *at = text ? strstr(text, "\nvoluntary_ctxt_switches:") : NULL;
	long count = at ? strtol(strchr(at, ':') + 1, NULL, 10) : -1;
	free(text);
	return count;
}

/* The directory and the lock can be opened, and what is on record cannot. */
static void test_records_that_cannot_be_read(void **state)
{
	struct test_project *project = *state;
	struct rlimit before;
	configure_web(project, "wait", "  restart: always\n  restart_delay: 1s\n");
	pmo_ok(project, "start", "web");
	pid_t supervisor = supervisor_pid(project, "web");
	pid_t pid = read_pid(project, "web");
	kill_leader(project, "web");
	WAIT_FOR(file_says(project, ".pmo/logs/web-error.log", "next try in"));
	WAIT_FOR(process_state(supervisor) == 'S');
	assert_int_equal(prlimit(supervisor, RLIMIT_NOFILE, NULL, &before), 0);
	const struct rlimit lowered = { limit_for_more(supervisor, 2), before.rlim_max };
	assert_int_equal(prlimit(supervisor, RLIMIT_NOFILE, &lowered, NULL), 0);
	long slept = sleeps(supervisor);
	WAIT_FOR(!process_alive(supervisor) || sleeps(supervisor) > slept + 1);
	assert_true(process_alive(supervisor));
	assert_false(has_new_leader(project, "web", pid));
	assert_int_equal(prlimit(supervisor, RLIMIT_NOFILE, &before, NULL), 0);
	WAIT_FOR(has_new_leader(project, "web", pid));
	assert_int_equal(supervisor_pid(project, "web"), supervisor);
	pmo_ok(project, "stop", "web");
}

/* A stop that cannot know the supervisor is not written over by that. */
static void test_end_of_what_was_stopped(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait", "  restart: always\n");
	pmo_ok(project, "start", "web");
	pid_t supervisor = supervisor_pid(project, "web");
	assert_int_equal(kill(supervisor, SIGSTOP), 0);
	WAIT_FOR(process_state(supervisor) == 'T');
	project_write(project, ".pmo/pids/web.supervisor", "nonsense\n");
	pmo_ok(project, "stop", "web");
	assert_int_equal(kill(supervisor, SIGCONT), 0);
	WAIT_FOR(!process_alive(supervisor));
	assert_nothing_left(project, "web");
}

/* What a supervisor writes waits for whoever works on the service. */
static void test_end_while_locked(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait",
		      "  restart: always\n  restart_delay: 10m\n  restart_delay_max: 10m\n");
	pmo_ok(project, "start", "web");
	int lock = open(project_path(project, ".pmo/pids/web.lock"), O_RDWR | O_CLOEXEC);
	assert_true(lock >= 0);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	kill_leader(project, "web");
	WAIT_FOR(file_says(project, ".pmo/logs/web-error.log", "next try in"));
	assert_false(project_exists(project, ".pmo/pids/web.exit"));
	close(lock);
	WAIT_FOR(file_says(project, ".pmo/pids/web.exit", "next "));
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

static void test_stopped_in_its_watch(void **state)
{
	struct test_project *project = *state;
	struct running running;
	struct run run;
	configure_web(project, "wait", "  restart: always\n  start_watch: 20s\n");
	run_pmo_start(project, &running, NULL, "start", "web", NULL);
	WAIT_FOR(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "web");
	run_pmo_finish(&running, &run);
	assert_run(&run, 1, "", "pmo: 'web' was stopped by another command\n");
	run_release(&run);
	assert_nothing_left(project, "web");
}

static void configure_worker(struct test_project *project, const char *lines)
{
	assert_int_equal(symlink(ACTOR, project_path(project, "worker")), 0);
	project_write(project, "pmo.yml", "web:\n  cmd: [./worker, wait]\n%s", lines);
	pmo_ok(project, "start", "web");
	reboot(project, NAMES("web"));
	unlink(project_path(project, "worker"));
}

/* Its disk comes later than we do. */
static void test_resurrected_too_early(void **state)
{
	struct test_project *project = *state;
	struct run run;
	configure_worker(project, "  restart: on-failure\n  restart_delay: 20ms\n"
				  "  restart_delay_max: 20ms\n  max_restarts: 10000\n");
	run_pmo(project, &run, "resurrect", NULL);
	assert_run(&run, 1, "",
		   "pmo: cannot start 'web': cannot execute './worker': No such file or directory; "
		   "it will be tried again\n");
	run_release(&run);
	assert_true(service_is(project, "web", "status", "restarting"));
	assert_int_equal(symlink(ACTOR, project_path(project, "worker")), 0);
	WAIT_FOR(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

/* The same for what is not started again by itself: the next `pmo resurrect` does. */
static void test_resurrected_again(void **state)
{
	struct test_project *project = *state;
	configure_worker(project, "  hooks: {post_start: 'true'}\n");
	pmo_status(project, 1, "resurrect");
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_true(service_is(project, "web", "status", "errored"));
	assert_true(project_exists(project, ".pmo/pids/web.pid"));
	assert_int_equal(symlink(ACTOR, project_path(project, "worker")), 0);
	resurrect(project, "resurrected web (pid %NUMBER)\n");
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_ends_that_come_together),
		PROJECT_TEST(test_terminated_as_the_hook_ends),
		PROJECT_TEST(test_records_that_cannot_be_read),
		PROJECT_TEST(test_end_of_what_was_stopped),
		PROJECT_TEST(test_end_while_locked),
		PROJECT_TEST(test_stopped_in_its_watch),
		PROJECT_TEST(test_resurrected_too_early),
		PROJECT_TEST(test_resurrected_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
