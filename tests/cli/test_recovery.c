/*
 * What a command that fails, or is killed half-way, leaves behind: never less than there was.
 */
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define QUICK "pmo: {defaults: {start_watch: 0}}\n"

enum { SERVICES = 30, ROUNDS = 12 };

static void pause_microseconds(long microseconds)
{
	struct timespec time = { 0, microseconds * 1000 };
	nanosleep(&time, NULL);
}

static void move(struct test_project *project, const char *from, const char *to)
{
	char *old = strdup(project_path(project, "%s", from));
	assert_int_equal(rename(old, project_path(project, "%s", to)), 0);
	free(old);
}

static bool file_has(struct test_project *project, const char *path, const char *wanted)
{
	char *text = project_read(project, path);
	bool has = text && strstr(text, wanted);
	free(text);
	return has;
}

/* Whenever a restart of everything is killed, everything stays meant to be up. */
static void test_killed_restart_keeps_the_intent(void **state)
{
	struct test_project *project = *state;
	char *text = text_format("%s", QUICK);

	for (int i = 0; i < SERVICES; i++) {
		char *longer = text_format("%ss%d: {cmd: ['%s', wait]}\n", text, i, ACTOR);
		free(text);
		text = longer;
	}
	project_write(project, "pmo.yml", "%s", text);
	free(text);
	pmo_ok(project, "start", "all");
	for (int round = 0; round < ROUNDS; round++) {
		struct running running;
		struct run run;

		run_pmo_start(project, &running, NULL, "restart", "all", NULL);
		pause_microseconds(round * 2500);
		run_pmo_signal(&running, SIGKILL);
		run_pmo_finish(&running, &run);
		run_release(&run);
		assert_int_equal(project_count(project, ".pmo/pids", "*.pid"), SERVICES);
		pmo_ok(project, "restart", "all");
		assert_int_equal(project_processes(project, NULL, 0), SERVICES);
	}
	pmo_ok(project, "stop", "all");
}

static void test_restart_that_cannot_log(void **state)
{
	struct test_project *project = *state;
	struct run run;
	pid_t pid;

	project_write(project, "lg/file", "x");
	project_write(project, "pmo.yml", QUICK "web: {cmd: ['%s', wait], out_file: lg/o.log}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid = read_pid(project, "web");
	move(project, "lg", "lg2");
	run_pmo(project, &run, "restart", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: cannot restart 'web': cannot open log '%DIR/lg/o.log': create its "
		   "directory '%DIR/lg' first\n");
	run_release(&run);
	assert_true(process_alive(pid));
	pmo_ok(project, "stop", "web");
}

/* A start that never ran the command costs neither a log nor what is known of the last run. */
static void test_failing_starts_cost_nothing(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char *log;

	project_write(project, "gone/file", "x");
	project_write(project, "pmo.yml",
		      "web: {cmd: 'echo the cause; exit 3', cwd: gone, log_keep: 2}\n");
	run_pmo(project, &run, "start", "web", NULL);
	assert_int_equal(run.status, 1);
	run_release(&run);
	move(project, "gone", "gone2");
	for (int i = 0; i < 5; i++) {
		run_pmo(project, &run, "start", "web", NULL);
		assert_run(&run, 1, "",
			   "pmo: cannot start 'web': cannot change to directory '%DIR/gone': "
			   "No such file or directory\n");
		run_release(&run);
	}
	log = project_read(project, ".pmo/logs/web-out.log");
	assert_text(log, "--- Starting service 'web' at %TIME ---\nthe cause\n");
	free(log);
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_json(run.out, "0/status", "errored");
	assert_json(run.out, "0/exit_code", "3");
	run_release(&run);
}

/* Damaged records: no signal on their word, no second copy, nothing forgotten. */
static void test_damaged_records(void **state)
{
	static const struct {
		const char *file;
		const char *content;
	} rows[] = {
		{ "time", "garbage\n" }, { "time", "" },         { "pid", "" },
		{ "pid", "-5\n" },       { "pid", "garbage\n" }, { "pid", "999999\n" },
	};
	static const char *const commands[] = { "start", "stop", "restart", "delete" };
	struct test_project *project = *state;

	project_write(project, "pmo.yml", QUICK "web: {cmd: ['%s', wait]}\n", ACTOR);
	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		struct run run;
		pid_t pid;
		char *path = text_format(".pmo/pids/web.%s", rows[row].file);

		pmo_ok(project, "start", "web");
		pid = read_pid(project, "web");
		project_write(project, path, "%s", rows[row].content);
		for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
			run_pmo(project, &run, commands[i], "web", NULL);
			assert_int_equal(run.status, 1);
			assert_err_has(&run, "the record of 'web' is damaged, and pid ");
			assert_err_has(&run, "still runs that was started as 'web': end it with "
					     "kill(1) first\n");
			run_release(&run);
			assert_true(process_alive(pid));
			assert_int_equal(project_processes(project, NULL, 0), 1);
		}
		run_pmo(project, &run, "ls", NULL);
		assert_err_has(&run, "pmo: warning: the record of 'web' is damaged\n");
		run_release(&run);
		kill(pid, SIGKILL);
		WAIT_FOR(!process_alive(pid));
		pmo_ok(project, "stop", "web");
		free(path);
	}
}

/* Several are told of as several. */
static void test_damaged_record_of_several(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: ['%s', fork, '{', wait, '}', touch, ready, wait]}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	project_write(project, ".pmo/pids/web.time", "garbage\n");
	run_pmo(project, &run, "stop", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: the record of 'web' is damaged, and pids %NUMBER, %NUMBER still run that "
		   "were started as 'web': end them with kill(1) first\n");
	run_release(&run);
	assert_int_equal(project_kill_all(project), 2);
	pmo_ok(project, "stop", "web");
}

static void test_fifo_in_place_of_the_stop_mark(void **state)
{
	struct test_project *project = *state;

	project_write(project, "pmo.yml", QUICK "web: {cmd: ['%s', wait]}\n", ACTOR);
	pmo_ok(project, "start", "web");
	assert_int_equal(mkfifo(project_path(project, ".pmo/pids/web.stop"), 0600), 0);
	pmo_ok(project, "stop", "web");
}

/* A wrong file name is no file that is gone. */
static void test_wrong_file_name(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", QUICK "web: {cmd: ['%s', wait]}\n", ACTOR);
	pmo_ok(project, "start", "web");
	project_write(project, "sub/file", "x");
	run_pmo(project, &run, "-f", "typo.yml", "stop", "all", NULL);
	assert_run(&run, 2, "", "pmo: cannot open 'typo.yml': No such file or directory\n");
	run_release(&run);
	run_pmo(project, &run, "-f", "sub", "ls", NULL);
	assert_run(&run, 2, "", "pmo: cannot open 'sub': it is a directory, not a file\n");
	run_release(&run);
	run_pmo(project, &run, "-f", "/dev/null", "stop", "all", NULL);
	assert_run(&run, 2, "", "pmo: cannot open '/dev/null': it is not a regular file\n");
	run_release(&run);
	assert_true(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "all");
}

static void test_log_in_place_of_own_files(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      "a: {cmd: x, out_file: pmo.yml}\nb: {cmd: x, error_file: .pmo/pids/a.pid}\n");
	run_pmo(project, &run, "start", "all", NULL);
	assert_run(&run, 1, "",
		   "pmo: cannot start 'a': '%DIR/pmo.yml' cannot be a log: pmo needs it itself\n"
		   "pmo: cannot start 'b': '%DIR/.pmo/pids/a.pid' cannot be a log: pmo needs it "
		   "itself\n");
	run_release(&run);
}

/* A service of another user may open its own output by name, as scripts and servers do. */
static void test_output_by_name_as_another_user(void **state)
{
	struct test_project *project = *state;

	SKIP_UNLESS_ROOT();
	project_write(project, "pmo.yml",
		      "web: {cmd: 'echo said >> /dev/stderr; exec sleep 100', user: '1'}\n");
	pmo_ok(project, "start", "web");
	WAIT_FOR(file_has(project, ".pmo/logs/web-error.log", "said\n"));
	pmo_ok(project, "stop", "web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_killed_restart_keeps_the_intent),
		PROJECT_TEST(test_restart_that_cannot_log),
		PROJECT_TEST(test_failing_starts_cost_nothing),
		PROJECT_TEST(test_damaged_records),
		PROJECT_TEST(test_damaged_record_of_several),
		PROJECT_TEST(test_fifo_in_place_of_the_stop_mark),
		PROJECT_TEST(test_wrong_file_name),
		PROJECT_TEST(test_log_in_place_of_own_files),
		PROJECT_TEST(test_output_by_name_as_another_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
