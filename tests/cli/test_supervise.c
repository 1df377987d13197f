/*
 * Supervised services: restarts, exit records, what a supervisor leaves behind, and what happens
 * when one is killed.
 */
#include "support/supervised.h"
#include "support/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_crash_is_restarted(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], restart: on-failure, restart_delay: 0}\n", ACTOR);
	pmo_ok(project, "start", "web");
	for (int i = 1; i <= 5; i++) {
		pid_t pid = read_pid(project, "web");
		char *count = text_format("%d\n", i);
		assert_int_equal(kill(pid, SIGKILL), 0);
		WAIT_FOR(has_new_leader(project, "web", pid));
		WAIT_FOR(file_says(project, ".pmo/pids/web.restarts", count));
		free(count);
	}
	assert_true(list_says(project, "\"restarts\": 5"));
	assert_true(file_says(project, ".pmo/logs/web-error.log",
			      "Service 'web' was ended by signal KILL; next try now at "));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_int_equal(project_count(project, ".pmo/pids", "web.[!lr]*"), 0);
}

static void test_success_is_the_end(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "job: {cmd: [%s, wait-file, go, exit, '0'], restart: on-failure}\n", ACTOR);
	pmo_ok(project, "start", "job");
	pid_t supervisor = supervisor_pid(project, "job");
	assert_true(process_alive(supervisor));
	project_write(project, "go", "now\n");
	WAIT_FOR(!process_alive(supervisor));
	assert_false(project_exists(project, ".pmo/pids/job.pid"));
	assert_false(project_exists(project, ".pmo/pids/job.supervisor"));
	assert_true(file_says(project, ".pmo/pids/job.exit", "code 0 "));
	assert_true(list_says(project, "\"status\": \"exited\""));
}

static void test_always_restarts_a_success(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "job: {cmd: [%s, append-file, runs, x, sleep, '20'], restart: always, "
		      "restart_delay: 0, "
		      "min_uptime: 0}\n",
		      ACTOR);
	pmo_ok(project, "start", "job");
	WAIT_FOR(file_says(project, "runs", "x\nx\nx\nx\n") || file_says(project, "runs", "xxxx"));
	pmo_ok(project, "stop", "job");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_gives_up(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, sleep, '20', exit, '7'], restart: always, start_watch: 0, "
		      "restart_delay: 1ms, max_restarts: 3}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(list_says(project, "\"status\": \"errored\""));
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_true(
	    file_says(project, ".pmo/pids/web.exit", "reason gave up after 3 restarts in a row\n"));
	assert_true(list_says(project, "\"exit_code\": 7"));
	assert_true(list_says(project, "\"restarts\": 3"));
	assert_true(file_says(project, ".pmo/logs/web-error.log",
			      "ended with exit status 7; gave up after 3 restarts in a row at "));
	run_pmo(project, &run, "status", "web", NULL);
	assert_int_equal(run.status, 1);
	assert_non_null(strstr(run.out, "gave up after 3 restarts in a row"));
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* Who starts it is told, and it is not tried again. */
static void test_death_in_the_watch(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, print, err, no port, exit, '3'], restart: always, "
		      "start_watch: 20s}\n",
		      ACTOR);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 1, "", "pmo: 'web' ended at once with exit status 3\n    | no port\n");
	run_release(&run);
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_true(list_says(project, "\"status\": \"errored\""));
	assert_true(list_says(project, "\"restarts\": 0"));
}

static void test_command_that_cannot_be_executed(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "script", "#!/no/such/shell\n");
	assert_int_equal(chmod(project_path(project, "script"), 0755), 0);
	project_write(project, "pmo.yml", "web: {cmd: [./script], restart: always}\n");
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: cannot start 'web': cannot execute './script': No such file or "
		   "directory\n");
	run_release(&run);
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_true(file_says(project, ".pmo/pids/web.exit", "code 127 "));
}

/* The command is gone when it is to be started again. */
static void test_exec_fails_on_restart(void **state)
{
	struct test_project *project = *state;
	const char *program = project_copy_program(project, ACTOR);
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], restart: always, restart_delay: 1ms, "
		      "max_restarts: 3}\n",
		      program);
	pmo_ok(project, "start", "web");
	assert_int_equal(unlink(program), 0);
	assert_int_equal(kill(read_pid(project, "web"), SIGKILL), 0);
	WAIT_FOR(list_says(project, "\"status\": \"errored\""));
	assert_true(file_says(project, ".pmo/logs/web-error.log",
			      "could not be started: cannot "
			      "execute"));
}

static void test_directory_vanishes(void **state)
{
	struct test_project *project = *state;
	assert_int_equal(mkdir(project_path(project, "home"), 0755), 0);
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], cwd: home, restart: always, restart_delay: 1ms, "
		      "restart_delay_max: 20ms, max_restarts: 1000}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	assert_int_equal(rmdir(project_path(project, "home")), 0);
	kill(pid, SIGKILL);
	WAIT_FOR(file_says(project, ".pmo/logs/web-error.log", "cannot change to directory"));
	assert_int_equal(mkdir(project_path(project, "home"), 0755), 0);
	WAIT_FOR(has_new_leader(project, "web", pid));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* As with a disk that is full or read-only: it is tried again until the logs can be opened. */
static void test_logs_cannot_be_opened(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], restart: always, restart_delay: 1ms, "
		      "restart_delay_max: 20ms, max_restarts: 1000}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	const char *logs = project_path(project, ".pmo/logs");
	const char *aside = project_path(project, ".pmo/aside");
	assert_int_equal(rename(logs, aside), 0);
	project_write(project, ".pmo/logs", "no directory\n");
	kill(pid, SIGKILL);
	WAIT_FOR(file_says(project, ".pmo/pids/web.exit", "reason cannot open log"));
	assert_true(list_says(project, "\"status\": \"restarting\""));
	assert_int_equal(unlink(logs), 0);
	assert_int_equal(rename(aside, logs), 0);
	WAIT_FOR(has_new_leader(project, "web", pid));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* It goes on with what it was started with. */
static void test_configuration_becomes_nonsense(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], restart: always, "
		      "restart_delay: 0}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	project_write(project, "pmo.yml", "%s", "web: [[[\n");
	kill(pid, SIGKILL);
	WAIT_FOR(has_new_leader(project, "web", pid));
	struct run run;
	run_pmo(project, &run, "stop", "web", NULL);
	assert_int_equal(run.status, 0);
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_supervisor_killed(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml", "web: {cmd: [%s, wait], restart: always}\n", ACTOR);
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	pid_t supervisor = supervisor_pid(project, "web");
	assert_int_equal(kill(supervisor, SIGKILL), 0);
	WAIT_FOR(!process_alive(supervisor));
	assert_true(process_alive(pid));
	assert_true(list_says(project, "\"status\": \"running\""));
	assert_true(list_says(project, "\"supervisor\": \"missing\""));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_int_equal(project_count(project, ".pmo/pids", "web.[!l]*"), 0);
}

/* As at a shutdown of the machine: the service stops in good order, nothing is left, and it stays
 * meant to be up. */
static void test_supervisor_terminated(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, handle, TERM, print, bye, handle, INT, exit, '0', setsid, "
		      "'{', wait, '}', wait], restart: always, stop_timeout: 100ms}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid_t supervisor = supervisor_pid(project, "web");
	assert_int_equal(kill(supervisor, SIGTERM), 0);
	WAIT_FOR(!process_alive(supervisor));
	assert_true(file_says(project, ".pmo/logs/web-out.log", "bye\n"));
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_false(project_exists(project, ".pmo/pids/web.supervisor"));
	assert_int_equal(read_pid(project, "web"), 0);
	assert_true(project_exists(project, ".pmo/pids/web.pid"));
	pmo_ok(project, "resurrect");
	WAIT_FOR(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_count(project, ".pmo/pids", "web.[!lr]*"), 0);
}

/* A double fork, a session of its own, no environment: it still is a child of the supervisor. */
static void test_nobody_hides(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, daemonize, '{', wipe-environment, ignore, TERM, touch, "
		      "ready, wait, '}', wait], restart: always, stop_timeout: 100ms}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	WAIT_FOR(project_processes(project, NULL, 0) >= 2);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* What a run has left in the background goes before the next one comes. */
static void test_rest_of_a_run(void **state)
{
	struct test_project *project = *state;
	project_write(
	    project, "pmo.yml",
	    "web: {cmd: [%s, setsid, '{', append-file, pids, x, wait, '}', wait], restart: "
	    "always, restart_delay: 0}\n",
	    ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_processes(project, NULL, 0) == 2);
	pid_t pid = read_pid(project, "web");
	kill(pid, SIGKILL);
	WAIT_FOR(has_new_leader(project, "web", pid));
	WAIT_FOR(project_processes(project, NULL, 0) == 2);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_stop_between_two_tries(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, sleep, '20', exit, '1'], restart: always, start_watch: 0, "
		      "restart_delay: 10m, restart_delay_max: 10m}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(list_says(project, "\"status\": \"restarting\""));
	assert_true(file_says(project, ".pmo/pids/web.exit", "next "));
	run_pmo(project, &run, "stop", "web", NULL);
	assert_run(&run, 0, "stopped web\n", "");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_true(list_says(project, "\"status\": \"stopped\""));
}

/* A user who starts it does not want to wait for the next try. */
static void test_start_between_two_tries(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait-file, go, touch, up, wait], restart: always, "
		      "restart_delay: 10m, restart_delay_max: 10m}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid_t supervisor = supervisor_pid(project, "web");
	kill(read_pid(project, "web"), SIGKILL);
	WAIT_FOR(list_says(project, "\"status\": \"restarting\""));
	project_write(project, "go", "now\n");
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "up"));
	WAIT_FOR(!process_alive(supervisor));
	assert_int_not_equal(supervisor_pid(project, "web"), supervisor);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* Where a descriptor of a process leads; freed with the project. */
static bool descriptor_leads_to(pid_t pid, int fd, const char *target)
{
	char path[64];
	char found[256];
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	ssize_t length = readlink(path, found, sizeof(found) - 1);
	if (length < 0)
		return false;
	found[length] = '\0';
	return strcmp(found, target) == 0;
}

/* It keeps no directory busy and holds nothing that it does not need. */
static void test_supervisor_is_modest(void **state)
{
	struct test_project *project = *state;
	char path[64];
	char directory[256] = "";
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], restart: always, start_watch: "
		      "0}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid_t pid = supervisor_pid(project, "web");
	for (int fd = 0; fd <= 2; fd++)
		assert_true(descriptor_leads_to(pid, fd, "/dev/null"));
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	/* 0, 1, 2, signals, /proc and the leader, with the directory's two */
	WAIT_FOR(project_count(project, path, "*") <= 8);
	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	assert_true(readlink(path, directory, sizeof(directory) - 1) > 0);
	assert_string_equal(directory, "/");
	pmo_ok(project, "stop", "web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_crash_is_restarted),
		PROJECT_TEST(test_success_is_the_end),
		PROJECT_TEST(test_always_restarts_a_success),
		PROJECT_TEST(test_gives_up),
		PROJECT_TEST(test_death_in_the_watch),
		PROJECT_TEST(test_command_that_cannot_be_executed),
		PROJECT_TEST(test_exec_fails_on_restart),
		PROJECT_TEST(test_directory_vanishes),
		PROJECT_TEST(test_logs_cannot_be_opened),
		PROJECT_TEST(test_configuration_becomes_nonsense),
		PROJECT_TEST(test_supervisor_killed),
		PROJECT_TEST(test_supervisor_terminated),
		PROJECT_TEST(test_nobody_hides),
		PROJECT_TEST(test_rest_of_a_run),
		PROJECT_TEST(test_stop_between_two_tries),
		PROJECT_TEST(test_start_between_two_tries),
		PROJECT_TEST(test_supervisor_is_modest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
