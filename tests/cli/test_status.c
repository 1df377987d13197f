/*
 * pmo status and pmo ls: figures of the whole tree, and what cannot be fooled.
 */
#include "support/support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUICK "pmo: {defaults: {start_watch: 0}}\n"

/* A number of the first service of `ls --json`. */
static double figure(struct test_project *project, const char *key)
{
	char *path = text_format("0/%s", key);
	struct run run;
	char *value;
	double number;

	run_pmo(project, &run, "ls", "--json", "--sample", "200ms", NULL);
	assert_run(&run, 0, NULL, NULL);
	value = json_get(run.out, path);
	number = value != NULL ? strtod(value, NULL) : -1;
	free(value);
	free(path);
	run_release(&run);
	return number;
}

static void test_figures_of_the_whole_tree(void **state)
{
	struct test_project *project = *state;

	project_write(project, "pmo.yml",
		      QUICK
		      "web: exec %s fork { hold 40M touch ready wait } daemonize { burn } wait\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	assert_true(figure(project, "memory_bytes") > 40 << 20);
	assert_true(figure(project, "processes") == 3);
	WAIT_FOR(figure(project, "cpu_percent") > 10);
	assert_true(figure(project, "cpu_percent") < 150);
	assert_true(figure(project, "uptime_seconds") < 60);
	pmo_ok(project, "stop", "web");
}

static void test_tree(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      QUICK
		      "web:\n  cmd: [%s, fork, '{', fork, '{', touch, ready, wait, '}', wait, '}',"
		      " name, 'x) R 1 (y', wait]\n  env: {SECRET: hush}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	run_pmo(project, &run, "status", "web", NULL);
	assert_run(&run, 0, "web\n  status%SPACErunning\n  pid%SPACE%NUMBER\n%ANY", "");
	assert_out_has(&run, "  processes   3\n");
	assert_out_has(&run, "  variables   SECRET\n");
	assert_out_has(&run, "  directory   %DIR\n");
	assert_out_has(&run, "  logs        %DIR/.pmo/logs/web-out.log\n");
	assert_out_lacks(&run, "hush");
	run_release(&run);
	run_pmo(project, &run, "status", "--json", "web", NULL);
	assert_run(&run, 0, NULL, "");
	assert_true(json_valid(run.out));
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

/* All fields of the documented object are there, null where unknown. */
static void test_json_fields(void **state)
{
	static const char *const fields[] = {
		"id",         "name",        "namespace",      "status",
		"health",     "pid",         "supervisor_pid", "uptime_seconds",
		"started_at", "restarts",    "cpu_percent",    "memory_bytes",
		"processes",  "ports",       "gpus",           "user",
		"exit_code",  "exit_signal", "exited_at",      "configured",
		"command",    "cwd",         "log_out",        "log_error"
	};
	struct test_project *project = *state;
	struct run run;
	size_t i;
	int service;

	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: [%s, wait], merge_logs: yes}\nidle: x\n", ACTOR);
	pmo_ok(project, "start", "web");
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_run(&run, 0, NULL, "");
	for (service = 0; service < 2; service++) {
		for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
			char *path = text_format("%d/%s", service, fields[i]);
			char *value = json_get(run.out, path);

			if (value == NULL)
				fail_msg("there is no %s", path);
			free(value);
			free(path);
		}
	}
	assert_json(run.out, "0/started_at", "%NUMBER-%NUMBER-%WORD");
	assert_json(run.out, "1/pid", "null");
	assert_json(run.out, "1/status", "stopped");
	run_release(&run);
	pmo_ok(project, "stop", "all");
}

/* A main thread that has ended while others live: the service runs. */
static void test_thread_outlives_its_leader(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, thread-leader-exit]\n", ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(process_state(read_pid(project, "web")) == 'Z');
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_run(&run, 0, NULL, "");
	assert_json(run.out, "0/status", "running");
	run_release(&run);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 0, "web is already running (pid %NUMBER)\n", "");
	run_release(&run);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* A zombie that nobody has reaped is dead. Here the test itself is its parent. */
static void test_zombie_is_dead(void **state)
{
	struct test_project *project = *state;
	struct run run;
	pid_t pid;

	project_write(project, "pmo.yml",
		      QUICK
		      "web:\n  cmd: [%s, fork, '{', touch, ready, wait-file, go, '}', wait]\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	assert_true(figure(project, "processes") == 2);
	project_write(project, "go", "x");
	WAIT_FOR(project_processes(project, &pid, 1) == 1);
	assert_true(figure(project, "processes") == 1);
	run_pmo(project, &run, "stop", "web", NULL);
	assert_run(&run, 0, "stopped web\n", "");
	run_release(&run);
}

static void test_exit_statuses(void **state)
{
	struct test_project *project = *state;
	pid_t pid;

	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: [%s, wait]}\nbad: {cmd: exit 3, start_watch: 10s}\n"
			    "good: {cmd: exit 0, start_watch: 10s}\nnever: x\n",
		      ACTOR);
	pmo_ok(project, "start", "web", "good");
	pmo_status(project, 1, "start", "bad");
	pmo_status(project, 0, "status", "web");
	pmo_status(project, 3, "status", "good");
	pmo_status(project, 1, "status", "bad");
	pmo_status(project, 3, "status", "never");
	pmo_status(project, 4, "status", "unknown");
	pmo_status(project, 1, "status", "web", "good", "bad", "never");
	pmo_status(project, 3, "status", "web", "good");
	pid = read_pid(project, "web");
	kill(pid, SIGKILL);
	WAIT_FOR(!process_alive(pid));
	pmo_status(project, 1, "status", "web");
	pmo_ok(project, "stop", "web");
	pmo_status(project, 3, "status", "web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_figures_of_the_whole_tree),
		PROJECT_TEST(test_tree),
		PROJECT_TEST(test_json_fields),
		PROJECT_TEST(test_thread_outlives_its_leader),
		PROJECT_TEST(test_zombie_is_dead),
		PROJECT_TEST(test_exit_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
