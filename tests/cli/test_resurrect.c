/*
 * What `pmo resurrect` brings back, and what it leaves alone.
 */
#include "support/supervised.h"
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUICK "pmo: {defaults: {start_watch: 0}}\n"

static void test_nothing_to_do(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml", QUICK "web: %s wait\n", ACTOR);
	resurrect(project, "");
	assert_false(project_exists(project, ".pmo"));
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	resurrect(project, "");
	assert_int_equal(read_pid(project, "web"), pid);
	kill_hard(pid);
	resurrect(project, "");
	assert_false(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "web");
	resurrect(project, "");
	pmo_status(project, 2, "resurrect", "web");
}

static void write_many(struct test_project *project)
{
	project_write(project, "pmo.yml",
		      QUICK "plain: {cmd: [%1$s, wait]}\n"
			    "always: {cmd: [%1$s, wait], restart: always}\n"
			    "stopped: {cmd: [%1$s, wait]}\n"
			    "halted: {cmd: [%1$s, wait], restart: always}\n"
			    "finished: {cmd: [%1$s], start_watch: 20s}\n"
			    "done: {cmd: [%1$s], restart: on-failure}\n"
			    "tired: {cmd: [%1$s, exit, '3'], restart: always, max_restarts: 0}\n"
			    "waiting: {cmd: [%1$s, wait-file, go, wait], restart: always, "
			    "restart_delay: 10m, restart_delay_max: 10m}\n"
			    "never: {cmd: [%1$s, wait], autostart: false}\n",
		      ACTOR);
}

static void test_reboot(void **state)
{
	static const char *const names[] = { "plain", "always", "stopped", "halted", "finished",
					     "done",  "tired",  "waiting", NULL };
	struct test_project *project = *state;
	write_many(project);
	pmo_ok(project, "start", "all");
	kill_hard(read_pid(project, "waiting"));
	pmo_ok(project, "stop", "stopped", "halted");
	WAIT_FOR(!project_exists(project, ".pmo/pids/done.supervisor"));
	WAIT_FOR(!project_exists(project, ".pmo/pids/tired.supervisor"));
	WAIT_FOR(list_says(project, "\"status\": \"restarting\""));
	reboot(project, names);
	resurrect(project, "resurrected plain (pid %NUMBER)\nresurrected always (pid %NUMBER)\n"
			   "resurrected waiting (pid %NUMBER)\n");
	resurrect(project, "");
	assert_int_equal(project_processes(project, NULL, 0), 3);
	assert_true(process_alive(supervisor_pid(project, "always")));
	assert_true(process_alive(supervisor_pid(project, "waiting")));
	assert_true(file_says(project, ".pmo/pids/plain.restarts", "1\n"));
	assert_false(project_exists(project, ".pmo/pids/waiting.exit"));
	assert_true(file_says(project, ".pmo/pids/tired.exit", "reason gave up"));
	pmo_ok(project, "stop", "all");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* Nobody looks on: what fails at once is tried again. */
static void test_failure_after_a_reboot(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait-file, go, exit, '1'], restart: always, restart_delay: "
		      "1ms, max_restarts: 3, start_watch: 20s}\n",
		      ACTOR);
	char *text = project_read(project, "pmo.yml");
	project_write(project, "pmo.yml", "%s", text);
	replace(project, "pmo.yml", "20s", "0");
	pmo_ok(project, "start", "web");
	reboot(project, NAMES("web"));
	project_write(project, "pmo.yml", "%s", text);
	free(text);
	project_write(project, "go", "now\n");
	resurrect(project, "resurrected web (pid %NUMBER)\n");
	WAIT_FOR(file_says(project, ".pmo/pids/web.exit", "gave up after 3 restarts in a row"));
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	resurrect(project, "");
}

static void test_removed_services(void **state)
{
	struct test_project *project = *state;
	write_many(project);
	pmo_ok(project, "start", "plain", "always");
	reboot(project, NAMES("plain", "always"));
	project_write(project, "pmo.yml", "%s", "other: sleep 1\nplain:\n  cmd: [sleep, '100']\n");
	replace(project, "pmo.yml", "plain", "plane");
	resurrect(project, "");
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_true(project_exists(project, ".pmo/pids/plain.pid"));
}

static void test_interrupted_stop(void **state)
{
	static const char *const names[] = { "plain", "always", NULL };
	struct test_project *project = *state;
	struct run run;
	write_many(project);
	pmo_ok(project, "start", "plain", "always");
	pid_t pid = read_pid(project, "always");
	kill_hard(supervisor_pid(project, "always"));
	project_write(project, ".pmo/pids/plain.stop", "%s", "");
	project_write(project, ".pmo/pids/always.stop", "%s", "");
	char *before = read_records(project, names);
	resurrect(project, "");
	char *after = read_records(project, names);
	assert_string_equal(before, after);
	free(before);
	free(after);
	/* who starts it wants it */
	run_pmo(project, &run, "start", "always", NULL);
	assert_run(&run, 0, "always has a new supervisor (pid %NUMBER runs on)\n", "");
	run_release(&run);
	assert_false(project_exists(project, ".pmo/pids/always.stop"));
	kill_hard(pid);
	WAIT_FOR(has_new_leader(project, "always", pid));
	project_write(project, ".pmo/pids/always.stop", "%s", "");
	reboot(project, names);
	resurrect(project, "");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_interrupted_restart(void **state)
{
	struct test_project *project = *state;
	write_many(project);
	pmo_ok(project, "start", "plain", "always");
	kill_hard(supervisor_pid(project, "always"));
	project_kill_all(project);
	for (const char *const *name = NAMES("plain", "always"); *name; name++) {
		project_write(project, project_path(project, ".pmo/pids/%s.pid", *name), "%s", "");
		unlink(project_path(project, ".pmo/pids/%s.time", *name));
		unlink(project_path(project, ".pmo/pids/%s.supervisor", *name));
	}
	resurrect(project, "resurrected plain (pid %NUMBER)\nresurrected always (pid %NUMBER)\n");
	resurrect(project, "");
	pmo_ok(project, "stop", "all");
}

static void test_torn_records(void **state)
{
	static const struct {
		const char *file;
		const char *content;
	} rows[] = {
		{ "time", "" },          { "time", "garbage\n" },    { "pid", "" },
		{ "pid", "garbage\n" },  { "pid", "0\n" },           { "supervisor", "" },
		{ "supervisor", "1\n" }, { "supervisor", "\1\2\3" }, { "exit", "\n\n" },
	};
	struct test_project *project = *state;
	write_many(project);
	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		pmo_ok(project, "start", "always");
		reboot(project, NAMES("always"));
		const char *file = project_path(project, ".pmo/pids/always.%s", rows[row].file);
		project_write(project, file, "%s", rows[row].content);
		resurrect(project, "resurrected always (pid %NUMBER)\n");
		resurrect(project, "");
		assert_int_equal(project_processes(project, NULL, 0), 1);
		pmo_ok(project, "stop", "always");
	}
	pmo_ok(project, "start", "always");
	kill_hard(supervisor_pid(project, "always"));
	project_write(project, ".pmo/pids/always.supervisor", "%s", "");
	resurrect(project, "always has a new supervisor (pid %NUMBER runs on)\n");
	resurrect(project, "");
	pmo_ok(project, "stop", "always");
}

/* A damaged record of what still runs is no reason to start it twice. */
static void test_damaged_record_of_a_running_service(void **state)
{
	struct test_project *project = *state;
	struct run run;
	write_many(project);
	pmo_ok(project, "start", "always");
	kill_hard(supervisor_pid(project, "always"));
	project_write(project, ".pmo/pids/always.time", "garbage\n");
	run_pmo(project, &run, "resurrect", NULL);
	assert_run(&run, 1, "",
		   "pmo: %ANYthe record of 'always' is damaged, and pid %NUMBER still runs that "
		   "was started as 'always': end it with kill(1) first\n");
	run_release(&run);
	assert_int_equal(project_kill_all(project), 1);
}

/* The supervisor had said that this was the end, and came no further. */
static void test_end_that_was_told(void **state)
{
	struct test_project *project = *state;
	write_many(project);
	for (int rebooted = 0; rebooted < 2; rebooted++) {
		pmo_ok(project, "start", "always");
		kill_hard(supervisor_pid(project, "always"));
		kill_hard(read_pid(project, "always"));
		if (rebooted)
			reboot(project, NAMES("always"));
		project_write(project, ".pmo/pids/always.exit", "code 3 4102444800.5\nreason no\n");
		resurrect(project, "");
		assert_false(project_exists(project, ".pmo/pids/always.pid"));
		assert_false(project_exists(project, ".pmo/pids/always.supervisor"));
		assert_true(list_says(project, "\"status\": \"errored\""));
		assert_int_equal(project_processes(project, NULL, 0), 0);
	}
	/* that it would be tried again is no end */
	pmo_ok(project, "start", "always");
	kill_hard(supervisor_pid(project, "always"));
	kill_hard(read_pid(project, "always"));
	project_write(project, ".pmo/pids/always.exit", "code 0 4102444800.5\nnext 4102444801.5\n");
	resurrect(project, "resurrected always (pid %NUMBER)\n");
	pmo_ok(project, "stop", "always");
}

enum { CROWD = 10 };

/* How many of a crowd at once said TEXT; all of them exit with 0. */
static int resurrect_at_once(struct test_project *project, const char *text)
{
	struct running crowd[CROWD];
	int said = 0;
	for (size_t i = 0; i < CROWD; i++)
		run_pmo_start(project, &crowd[i], NULL, "resurrect", NULL);
	for (size_t i = 0; i < CROWD; i++) {
		struct run run;
		run_pmo_finish(&crowd[i], &run);
		assert_run(&run, 0, NULL, "");
		said += strstr(run.out, text) != NULL;
		run_release(&run);
	}
	return said;
}

static void test_ten_at_once(void **state)
{
	struct test_project *project = *state;
	write_many(project);
	for (int round = 0; round < 3; round++) {
		pmo_ok(project, "start", "always", "plain");
		reboot(project, NAMES("always", "plain"));
		assert_int_equal(resurrect_at_once(project, "resurrected always"), 1);
		assert_int_equal(project_processes(project, NULL, 0), 2);
		pid_t pid = read_pid(project, "always");
		kill_hard(supervisor_pid(project, "always"));
		assert_int_equal(resurrect_at_once(project, "always has a new supervisor"), 1);
		assert_int_equal(read_pid(project, "always"), pid);
		assert_true(process_alive(supervisor_pid(project, "always")));
		assert_int_equal(project_processes(project, NULL, 0), 2);
		pmo_ok(project, "stop", "all");
		assert_int_equal(project_processes(project, NULL, 0), 0);
	}
}

static void test_bare_environments(void **state)
{
	const struct run_options options = { .program = "/usr/bin/env", .directory = "/" };
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: [sleep, '1000'], restart: always}\n"
			    "sh: sleep 1000\n");
	pmo_ok(project, "start", "all");
	reboot(project, NAMES("web", "sh"));
	run_pmo_with(project, &run, &options, "-i", "HOME=/", "SHELL=/bin/sh", "PATH=/usr/bin:/bin",
		     pmo_binary(), "-C", project->directory, "resurrect", NULL);
	assert_run(&run, 0, "resurrected web (pid %NUMBER)\nresurrected sh (pid %NUMBER)\n", "");
	run_release(&run);
	reboot(project, NAMES("web", "sh"));
	run_pmo_with(project, &run, &options, "-i", pmo_binary(), "-C", project->directory,
		     "resurrect", NULL);
	assert_run(&run, 0, "resurrected web (pid %NUMBER)\nresurrected sh (pid %NUMBER)\n", "");
	run_release(&run);
	kill_hard(supervisor_pid(project, "web"));
	run_pmo_with(project, &run, &options, "-i", pmo_binary(), "-C", project->directory,
		     "resurrect", NULL);
	assert_run(&run, 0, TAKEN_OVER, "");
	run_release(&run);
	pmo_ok(project, "stop", "all");
}

static void test_broken_configuration(void **state)
{
	static const char *const names[] = { "plain", "always", "waiting", NULL };
	struct test_project *project = *state;
	write_many(project);
	pmo_ok(project, "start", "plain", "always", "waiting");
	kill_hard(supervisor_pid(project, "waiting"));
	reboot(project, NAMES("plain", "always"));
	project_write(project, "pmo.yml", "%s", "plain: [[[\n");
	char *before = read_records(project, names);
	pmo_status(project, 2, "resurrect");
	char *after = read_records(project, names);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* Of another host: only that can know. */
static void test_elsewhere(void **state)
{
	static const char *const names[] = { "plain", "always", "waiting", NULL };
	struct test_project *project = *state;
	write_many(project);
	char host[256];
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	pmo_ok(project, "start", "plain", "always", "waiting");
	reboot(project, names);
	for (const char *const *name = names; *name; name++) {
		replace(project, project_path(project, ".pmo/pids/%s.time", *name), host,
			"far-away");
		replace(project, project_path(project, ".pmo/pids/%s.supervisor", *name), host,
			"far-away");
	}
	/* a restart there */
	project_write(project, ".pmo/pids/waiting.pid", "%s", "");
	unlink(project_path(project, ".pmo/pids/waiting.time"));
	char *before = read_records(project, names);
	resurrect(project, "");
	char *after = read_records(project, names);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* What cannot be brought back does not keep the others from it. */
static void test_one_that_fails(void **state)
{
	struct test_project *project = *state;
	struct run run;
	write_many(project);
	pmo_ok(project, "start", "plain", "always");
	reboot(project, NAMES("plain", "always"));
	replace(project, "pmo.yml", "plain: {", "plain: {cwd: gone, ");
	for (int round = 0; round < 2; round++) {
		run_pmo(project, &run, "resurrect", NULL);
		assert_run(&run, 1, round ? "" : "resurrected always (pid %NUMBER)\n",
			   "pmo: cannot start 'plain': cannot change to directory '%DIR/gone': No "
			   "such file or directory\n");
		run_release(&run);
	}
	replace(project, "pmo.yml", "cwd: gone, ", "");
	resurrect(project, "resurrected plain (pid %NUMBER)\n");
	pmo_ok(project, "stop", "all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_nothing_to_do),
		PROJECT_TEST(test_reboot),
		PROJECT_TEST(test_failure_after_a_reboot),
		PROJECT_TEST(test_removed_services),
		PROJECT_TEST(test_interrupted_stop),
		PROJECT_TEST(test_interrupted_restart),
		PROJECT_TEST(test_torn_records),
		PROJECT_TEST(test_damaged_record_of_a_running_service),
		PROJECT_TEST(test_end_that_was_told),
		PROJECT_TEST(test_ten_at_once),
		PROJECT_TEST(test_bare_environments),
		PROJECT_TEST(test_broken_configuration),
		PROJECT_TEST(test_elsewhere),
		PROJECT_TEST(test_one_that_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
