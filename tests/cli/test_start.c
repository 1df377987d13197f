/*
 * pmo start: the watch, what it says, exit statuses, fleets.
 */
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_started_and_already_running(void **state)
{
	struct test_project *project = *state;
	struct run run;
	pid_t pid;
	char *expected;

	project_write(project, "pmo.yml", "web:\n  cmd: [%s, wait]\n", ACTOR);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 0, "started web (pid %NUMBER)\n", "");
	assert_true(run.seconds >= 0.19);
	run_release(&run);
	pid = read_pid(project, "web");
	expected = text_format("web is already running (pid %d)\n", (int)pid);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 0, expected, "");
	run_release(&run);
	free(expected);
	assert_int_equal(read_pid(project, "web"), pid);
	project_write(project, "pmo.yml", "web:\n  cmd: [%s, wait]\n  nice: 1\n", ACTOR);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 0, NULL,
		   "pmo: 'web' runs with an older definition than 'pmo.yml' has now: 'pmo restart "
		   "web' applies it\n");
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

/* The pid is the program's, nothing of pmo stays, and it lives on when pmo has gone. */
static void test_nothing_of_pmo_stays(void **state)
{
	struct test_project *project = *state;
	char *path;
	char *command;

	project_write(project, "pmo.yml", "web:\n  cmd: [%s, wait]\n", ACTOR);
	pmo_ok(project, "start", "web");
	assert_int_equal(project_processes(project, NULL, 0), 1);
	path = text_format("/proc/%d/cmdline", (int)read_pid(project, "web"));
	command = read_file(path, NULL);
	assert_string_equal(command, ACTOR);
	free(command);
	free(path);
	pmo_ok(project, "stop", "web");
}

static void test_instant_death(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char *end;

	project_write(project, "pmo.yml",
		      "bad:\n  cmd: [%s, print, out, not this, print, err, one, print, err, "
		      "\"two \\e[31m\", exit, '3']\n"
		      "quiet:\n  cmd: [%s, print, out, only out, exit, '4']\n"
		      "silent:\n  cmd: [%s, exit, '5']\n"
		      "shot:\n  cmd: [%s, die, SEGV]\n"
		      "fine:\n  cmd: [%s, exit, '0']\n",
		      ACTOR, ACTOR, ACTOR, ACTOR, ACTOR);
	run_pmo(project, &run, "start", "bad", NULL);
	assert_run(&run, 1, "",
		   "pmo: 'bad' ended at once with exit status 3\n"
		   "    | one\n    | two \\x1b[31m\n");
	run_release(&run);
	end = project_read(project, ".pmo/pids/bad.exit");
	assert_text(end, "code 3 %NUMBER\n");
	free(end);
	assert_false(project_exists(project, ".pmo/pids/bad.pid"));
	run_pmo(project, &run, "start", "quiet", NULL);
	assert_run(&run, 1, "",
		   "pmo: 'quiet' ended at once with exit status 4\n"
		   "    | only out\n");
	run_release(&run);
	run_pmo(project, &run, "start", "silent", NULL);
	assert_run(&run, 1, "", "pmo: 'silent' ended at once with exit status 5\n");
	run_release(&run);
	run_pmo(project, &run, "start", "shot", NULL);
	assert_run(&run, 1, "", "pmo: 'shot' was ended at once by signal SEGV\n");
	run_release(&run);
	end = project_read(project, ".pmo/pids/shot.exit");
	assert_text(end, "signal 11 %NUMBER\n");
	free(end);
	run_pmo(project, &run, "start", "fine", NULL);
	assert_run(&run, 0, "fine finished (exit status 0)\n", "");
	run_release(&run);
	assert_false(project_exists(project, ".pmo/pids/fine.pid"));
	pmo_status(project, 3, "status", "fine");
	pmo_status(project, 1, "status", "bad");
}

/* 127 and 126 of the shell are ends like any other; the shell's words are shown. */
static void test_shell_command_not_found(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "web: exec no-such-program\n");
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: 'web' ended at once with exit status 127\n%ANYno-such-program%ANY\n");
	run_release(&run);
}

static void test_watch_length(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      "none:\n  cmd: [%s, sleep, '50', exit, '3']\n  start_watch: 0\n"
		      "long:\n  cmd: [%s, sleep, '400', exit, '3']\n  start_watch: 10s\n",
		      ACTOR, ACTOR);
	run_pmo(project, &run, "start", "none", NULL);
	assert_run(&run, 0, "started none (pid %NUMBER)\n", "");
	run_release(&run);
	run_pmo(project, &run, "start", "long", NULL);
	assert_run(&run, 1, "", "pmo: 'long' ended at once with exit status 3\n");
	assert_true(run.seconds >= 0.4 && run.seconds < 9);
	run_release(&run);
	WAIT_FOR(project_processes(project, NULL, 0) == 0);
	/* nobody saw how it ended: it keeps its intent */
	assert_true(project_exists(project, ".pmo/pids/none.pid"));
	run_pmo(project, &run, "ls", "--json", "none", NULL);
	assert_json(run.out, "0/status", "exited");
	assert_json(run.out, "0/exit_code", "null");
	run_release(&run);
	pmo_status(project, 1, "status", "none");
}

/* All are watched at once. */
static void test_watches_run_together(void **state)
{
	struct test_project *project = *state;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct run run;
	int i;

	for (i = 0; i < 30; i++)
		fprintf(out, "s%d: {cmd: [%s, wait], start_watch: 400ms}\n", i, ACTOR);
	fclose(out);
	project_write(project, "pmo.yml", "%s", text);
	free(text);
	run_pmo(project, &run, "start", "all", NULL);
	assert_run(&run, 0, NULL, "");
	assert_true(run.seconds >= 0.4 && run.seconds < 6);
	run_release(&run);
	pmo_ok(project, "stop", "all");
}

static void test_background_command(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(
	    project, "pmo.yml",
	    "web:\n  cmd: [%s, daemonize, '{', touch, ready, wait, '}', wait-file, ready]\n",
	    ACTOR);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 0, "web finished (exit status 0)\n",
		   "pmo: 'web' went into the background: pmo sees 1 of its processes, but not how "
		   "they end; a command that stays in the foreground is better\n");
	run_release(&run);
	/* it is tracked all the same */
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: cannot start 'web': its last run left pid %NUMBER behind ('pmo stop web' "
		   "ends it)\n");
	run_release(&run);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* A crashed service is started again by `start`. */
static void test_start_after_a_crash(void **state)
{
	struct test_project *project = *state;
	pid_t pid;

	project_write(project, "pmo.yml", "web:\n  cmd: [%s, wait]\n", ACTOR);
	pmo_ok(project, "start", "web");
	pid = read_pid(project, "web");
	kill(pid, SIGKILL);
	WAIT_FOR(!process_alive(pid));
	pmo_status(project, 1, "status", "web");
	pmo_ok(project, "start", "web");
	assert_true(read_pid(project, "web") != pid);
	pmo_ok(project, "stop", "web");
}

static void test_record(void **state)
{
	struct test_project *project = *state;
	char *pid;
	char *time;
	char *expected;
	char *spec;

	project_write(project, "pmo.yml",
		      "web:\n  cmd: [%s, wait]\n  env: {SECRET: hush}\n  cwd: .\n", ACTOR);
	pmo_ok(project, "start", "web");
	pid = project_read(project, ".pmo/pids/web.pid");
	assert_text(pid, "%NUMBER\n");
	expected = text_format("%%NUMBER\n%.*s %llu %%WORD %%NUMBER %%WORD %%WORD\n",
			       (int)strcspn(pid, "\n"), pid,
			       process_start_ticks(read_pid(project, "web")));
	time = project_read(project, ".pmo/pids/web.time");
	assert_text(time, expected);
	spec = project_read(project, ".pmo/pids/web.spec");
	assert_text_has(spec, "SECRET");
	assert_null(strstr(spec, "hush"));
	assert_int_equal(project_count(project, ".pmo/pids", "*~"), 0);
	free(spec);
	free(time);
	free(expected);
	free(pid);
	pmo_ok(project, "stop", "web");
}

static void test_no_longer_configured(void **state)
{
	static const char *const commands[] = { "start", "restart", "dry-run", "config" };
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "old:\n  cmd: [%s, wait]\n", ACTOR);
	pmo_ok(project, "start", "old");
	project_write(project, "pmo.yml", "new: 'true'\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		run_pmo(project, &run, commands[i], "old", NULL);
		assert_run(&run, 4, "", "pmo: 'old' is no longer in 'pmo.yml'\n");
		run_release(&run);
		/* what is named with it is dealt with all the same */
		run_pmo(project, &run, commands[i], "old", "new", NULL);
		assert_run(&run, 4, NULL, "pmo: 'old' is no longer in 'pmo.yml'\n");
		assert_out_has(&run, "new");
		run_release(&run);
		/* and it is no part of its namespace any more */
		run_pmo(project, &run, commands[i], "@default", NULL);
		assert_run(&run, 0, NULL, "");
		assert_out_has(&run, "new");
		assert_out_lacks(&run, "old");
		run_release(&run);
	}
	assert_true(process_alive(read_pid(project, "old")));
	project_write(project, "pmo.yml", "new: {cmd: 'true', namespace: front}\n");
	run_pmo(project, &run, "start", "@default", NULL);
	assert_run(&run, 4, "", "pmo: no service in namespace 'default'\n");
	run_release(&run);
	run_pmo(project, &run, "stop", "@default", NULL);
	assert_run(&run, 0, "stopped old\n", "");
	run_release(&run);
	project_write(project, "pmo.yml", "new: {cmd: 'true', autostart: no}\n");
	run_pmo(project, &run, "start", "all", NULL);
	assert_run(&run, 0, "", "pmo: no services to start in 'pmo.yml'\n");
	run_release(&run);
}

/* Who stops a service while it is watched is told of, and not taken for a failure of its own. */
static void test_stopped_by_another_command(void **state)
{
	static const struct {
		const char *command;
		const char *message;
	} rows[] = {
		{ "stop", "pmo: 'web' was stopped by another command\n" },
		{ "delete", "pmo: 'web' was stopped by another command\n" },
		{ "restart", "pmo: 'web' was %WORD%ANY by another command\n" },
	};
	struct test_project *project = *state;

	/* its child lives on for a while when the leader has gone */
	project_write(project, "pmo.yml",
		      "web: {cmd: ['%s', fork, '{', ignore, TERM, touch, ready, wait, '}', wait], "
		      "start_watch: 15s, stop_timeout: 300ms}\n",
		      ACTOR);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct running start;
		struct running other;
		struct run run;

		run_pmo_start(project, &start, NULL, "start", "web", NULL);
		WAIT_FOR(project_exists(project, "ready") && read_pid(project, "web") > 0);
		run_pmo_start(project, &other, NULL, rows[i].command, "web", NULL);
		run_pmo_finish(&start, &run);
		assert_run(&run, 1, "", rows[i].message);
		assert_true(run.seconds < 12);
		run_release(&run);
		unlink(project_path(project, "ready"));
		pmo_ok(project, "stop", "web");
		run_pmo_finish(&other, &run);
		run_release(&run);
		unlink(project_path(project, "ready"));
	}
}

/* A thousand at once, with the few descriptors that a shell gives by default. */
static void test_a_thousand_services(void **state)
{
	struct test_project *project = *state;
	enum { COUNT = 1000 };
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct run run;
	int i;

	for (i = 0; i < COUNT; i++)
		fprintf(out, "s%d: {cmd: [%s, wait], start_watch: 0}\n", i, ACTOR);
	fclose(out);
	project_write(project, "pmo.yml", "%s", text);
	free(text);
	run_pmo_with(project, &run, &(struct run_options){ .limits = { { RLIMIT_NOFILE, 1024 } } },
		     "start", "all", NULL);
	assert_run(&run, 0, NULL, "");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), COUNT);
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_run(&run, 0, NULL, "");
	assert_int_equal(json_count(run.out, ""), COUNT);
	assert_json(run.out, "999/status", "running");
	assert_json(run.out, "999/name", "s999");
	run_release(&run);
	run_pmo_with(project, &run, &(struct run_options){ .limits = { { RLIMIT_NOFILE, 1024 } } },
		     "stop", "all", NULL);
	assert_run(&run, 0, NULL, "");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_int_equal(project_count(project, ".pmo/pids", "*.pid"), 0);
}

/* A crash may print anything: 300 bytes of each line are enough. */
static void test_long_last_lines(void **state)
{
	static const char *const ascii[] = { "LC_ALL=C", NULL };
	const struct run_options plain = { .environment = ascii };
	struct test_project *project = *state;
	struct run run;
	char text[301];
	char *expected;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	project_write(project, "pmo.yml",
		      "long:\n  cmd: [%s, print, err, '%s', print, err, '%syz', exit, '3']\n"
		      "split:\n  cmd: [%s, print, err, '%.299s\xc3\xa9', exit, '3']\n",
		      ACTOR, text, text, ACTOR, text);
	expected = text_format("pmo: 'long' ended at once with exit status 3\n"
			       "    | %s\n    | %s…\n",
			       text, text);
	run_pmo(project, &run, "start", "long", NULL);
	assert_run(&run, 1, "", expected);
	run_release(&run);
	free(expected);
	expected =
	    text_format("pmo: 'split' ended at once with exit status 3\n    | %.299s...\n", text);
	run_pmo_with(project, &run, &plain, "start", "split", NULL);
	assert_run(&run, 1, "", expected);
	run_release(&run);
	free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_started_and_already_running),
		PROJECT_TEST(test_nothing_of_pmo_stays),
		PROJECT_TEST(test_instant_death),
		PROJECT_TEST(test_long_last_lines),
		PROJECT_TEST(test_shell_command_not_found),
		PROJECT_TEST(test_watch_length),
		PROJECT_TEST(test_watches_run_together),
		PROJECT_TEST(test_background_command),
		PROJECT_TEST(test_start_after_a_crash),
		PROJECT_TEST(test_record),
		PROJECT_TEST(test_no_longer_configured),
		PROJECT_TEST(test_stopped_by_another_command),
		PROJECT_TEST(test_a_thousand_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
