/*
 * Hooks: when they run, with what, what they can prevent, and what becomes of them when somebody
 * interferes.
 */
#include "support/guarded.h"
#include "support/support.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each notes its name in the file `events`. */
#define NOTE "'echo $PMO_HOOK >>events'"
#define ALL_HOOKS                                                                                  \
	"  hooks:\n    pre_start: " NOTE "\n    post_start: " NOTE "\n    pre_stop: " NOTE         \
	"\n    post_stop: " NOTE "\n    on_restart: " NOTE "\n    on_fail: " NOTE "\n"

#define LOG "web-error.log"

static bool log_says(struct test_project *project, const char *text)
{
	return file_says(project, ".pmo/logs/" LOG, text);
}

static void assert_events(struct test_project *project, const char *expected)
{
	char *text = project_read(project, "events");
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static size_t events(struct test_project *project, const char *name)
{
	char *line = text_format("%s\n", name);
	size_t count = file_count(project, "events", line);
	free(line);
	return count;
}

static void test_start_and_stop(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait", ALL_HOOKS);
	pmo_ok(project, "start", "web");
	WAIT_FOR(events(project, "post_start") == 1);
	pmo_ok(project, "stop", "web");
	assert_events(project, "pre_start\npost_start\npre_stop\npost_stop\n");
	assert_nothing_left(project, "web");
}

static void test_restart(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait", ALL_HOOKS);
	pmo_ok(project, "start", "web");
	WAIT_FOR(events(project, "post_start") == 1);
	pmo_ok(project, "restart", "web");
	WAIT_FOR(events(project, "post_start") == 2);
	/* it is the user who has asked for this one */
	assert_events(project, "pre_start\npost_start\npre_stop\npost_stop\n"
			       "pre_start\npost_start\n");
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

static void test_crash(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait", "  restart: always\n  restart_delay: 0\n" ALL_HOOKS);
	pmo_ok(project, "start", "web");
	WAIT_FOR(events(project, "post_start") == 1);
	kill_leader(project, "web");
	WAIT_FOR(events(project, "post_start") == 2 && events(project, "on_restart") == 1);
	assert_int_equal(events(project, "pre_start"), 2);
	assert_int_equal(events(project, "pre_stop"), 0);
	assert_int_equal(events(project, "post_stop"), 0);
	assert_int_equal(events(project, "on_fail"), 0);
	pmo_ok(project, "stop", "web");
	assert_int_equal(events(project, "pre_stop"), 1);
	assert_int_equal(events(project, "post_stop"), 1);
	assert_nothing_left(project, "web");
}

static void test_failure_for_good(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait", ALL_HOOKS);
	pmo_ok(project, "start", "web");
	WAIT_FOR(events(project, "post_start") == 1);
	kill_leader(project, "web");
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_events(project, "pre_start\npost_start\non_fail\npost_stop\n");
	assert_true(service_is(project, "web", "status", "errored"));
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_gives_up(void **state)
{
	struct test_project *project = *state;
	configure_web(
	    project, "sleep, '20', exit, '7'",
	    "  restart: always\n  restart_delay: 0\n  max_restarts: 2\n  start_watch: 0\n"
	    "  hooks:\n    on_fail: 'echo code=$PMO_EXIT_CODE signal=$PMO_EXIT_SIGNAL "
	    "pid=$PMO_PID >>events'\n    on_restart: 'echo code=$PMO_EXIT_CODE >>restarts'\n");
	pmo_ok(project, "start", "web");
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_events(project, "code=7 signal= pid=\n");
	assert_int_equal(file_count(project, "restarts", "code=7\n"), 2);
	assert_true(service_is(project, "web", "status", "errored"));
}

static void test_success_for_good(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait-file, go", ALL_HOOKS);
	pmo_ok(project, "start", "web");
	WAIT_FOR(events(project, "post_start") == 1);
	project_write(project, "go", "now\n");
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_events(project, "pre_start\npost_start\npost_stop\n");
	assert_true(service_is(project, "web", "status", "exited"));
}

static void test_supervisor_terminated(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait", "  restart: always\n" ALL_HOOKS);
	pmo_ok(project, "start", "web");
	WAIT_FOR(events(project, "post_start") == 1);
	pid_t supervisor = supervisor_pid(project, "web");
	assert_int_equal(kill(supervisor, SIGTERM), 0);
	WAIT_FOR(!process_alive(supervisor));
	assert_events(project, "pre_start\npost_start\npre_stop\npost_stop\n");
	assert_down_but_wanted(project, "web");
}

/* The value of a variable in a file that env(1) has written; to be freed. */
static char *value_in(struct test_project *project, const char *file, const char *name)
{
	char *text = project_read(project, file);
	char *line = text_format("\n%s=", name);
	char *all = text_format("\n%s", text ? text : "");
	char *found = strstr(all, line);
	char *value = NULL;
	if (found) {
		found += strlen(line);
		value = text_format("%.*s", (int)strcspn(found, "\n"), found);
	}
	free(text);
	free(line);
	free(all);
	return value;
}

#define assert_value(project, file, name, expected)                                                \
	check_value(project, file, name, expected, __LINE__)
static void check_value(struct test_project *project, const char *file, const char *name,
			const char *expected, int line)
{
	char *value = value_in(project, file, name);
	if (!value || strcmp(value, expected) != 0)
		fail_msg("line %d: %s in '%s' is '%s', not '%s'", line, name, file,
			 value ? value : "(not set)", expected);
	free(value);
}

static const char show_environment[] =
    "  env: {COLOUR: green}\n  hooks:\n"
    "    pre_start: 'env >pre_start.new; mv pre_start.new pre_start'\n"
    "    post_start: 'env >post_start.new; mv post_start.new post_start'\n"
    "    pre_stop: 'env >pre_stop.new; mv pre_stop.new pre_stop'\n"
    "    post_stop: 'env >post_stop.new; mv post_stop.new post_stop'\n"
    "    on_restart: 'env >on_restart.new; mv on_restart.new on_restart'\n";

static void check_environment(struct test_project *project, const char *hook, const char *pid,
			      const char *signal)
{
	assert_value(project, hook, "PMO_SERVICE", "web");
	assert_value(project, hook, "PMO_HOOK", hook);
	assert_value(project, hook, "COLOUR", "green");
	assert_value(project, hook, "PMO_DIR", project->directory);
	assert_value(project, hook, "PWD", project->directory);
	assert_value(project, hook, "PMO_PID", pid);
	assert_value(project, hook, "PMO_EXIT_CODE", "");
	assert_value(project, hook, "PMO_EXIT_SIGNAL", signal);
}

static void test_environment(void **state)
{
	struct test_project *project = *state;
	char *lines = text_format("  restart: always\n  restart_delay: 0\n%s", show_environment);
	configure_web(project, "wait", lines);
	pmo_ok(project, "start", "web");
	char *pid = text_format("%d", read_pid(project, "web"));
	WAIT_FOR(project_exists(project, "post_start"));
	check_environment(project, "pre_start", "", "");
	check_environment(project, "post_start", pid, "");
	unlink(project_path(project, "post_start"));
	kill_leader(project, "web");
	WAIT_FOR(project_exists(project, "post_start") && project_exists(project, "on_restart"));
	free(pid);
	pid = text_format("%d", read_pid(project, "web"));
	check_environment(project, "pre_start", "", "KILL");
	check_environment(project, "post_start", pid, "KILL");
	check_environment(project, "on_restart", pid, "KILL");
	pmo_ok(project, "stop", "web");
	check_environment(project, "pre_stop", pid, "");
	check_environment(project, "post_stop", "", "");
	free(pid);
	free(lines);
}

static void test_veto(void **state)
{
	struct test_project *project = *state;
	struct run run;
	configure_web(project, "touch, ran, wait",
		      "  restart: always\n  hooks:\n    pre_start: 'sleep 600 & exit 3'\n"
		      "    on_fail: 'touch failed'\n    post_stop: 'touch stopped'\n");
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: cannot start 'web': hook 'pre_start' ended with exit status 3\n");
	run_release(&run);
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_false(project_exists(project, "ran"));
	assert_false(project_exists(project, "failed"));
	assert_false(project_exists(project, "stopped"));
	assert_true(service_is(project, "web", "status", "errored"));
	assert_true(
	    service_is(project, "web", "exit_reason", "hook 'pre_start' ended with exit status 3"));
	assert_true(log_says(project, "--- hook 'pre_start' ended with exit status 3 at "));
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_veto_at_a_restart(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait",
		      "  restart: always\n  restart_delay: 20ms\n  max_restarts: 1000\n"
		      "  restart_delay_max: 50ms\n  hooks:\n    pre_start: 'test ! -e veto'\n");
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	project_write(project, "veto", "no\n");
	kill_leader(project, "web");
	WAIT_FOR(log_says(project, "Service 'web' could not be started: hook 'pre_start' ended "
				   "with exit status 1; next try in "));
	WAIT_FOR(file_says(project, ".pmo/pids/web.exit",
			   "reason hook 'pre_start' ended with exit status 1\n"));
	assert_false(has_new_leader(project, "web", pid));
	unlink(project_path(project, "veto"));
	WAIT_FOR(has_new_leader(project, "web", pid));
	WAIT_FOR(service_is(project, "web", "status", "running"));
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

static void test_veto_for_ever(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait",
		      "  restart: always\n  restart_delay: 0\n  max_restarts: 40\n  hooks:\n"
		      "    pre_start: 'test ! -e veto'\n    on_fail: 'echo $PMO_HOOK >>events'\n");
	pmo_ok(project, "start", "web");
	project_write(project, "veto", "no\n");
	kill_leader(project, "web");
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_events(project, "on_fail\n");
	assert_true(
	    service_is(project, "web", "exit_reason", "gave up after 40 restarts in a row"));
	assert_true(log_says(project, "could not be started; gave up after 40 restarts in a row"));
}

static void test_time_limit_of_pre_start(void **state)
{
	struct test_project *project = *state;
	struct run run;
	configure_web(project, "wait",
		      "  hooks:\n    timeout: 100ms\n    pre_start: 'sleep 600 & sleep 600'\n");
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: cannot start 'web': hook 'pre_start' took longer than 100ms\n");
	assert_true(run.seconds < 10);
	run_release(&run);
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_time_limit_of_others(void **state)
{
	struct test_project *project = *state;
	struct run run;
	configure_web(project, "wait",
		      "  hooks:\n    timeout: 100ms\n    post_start: 'sleep 600 & sleep 600'\n"
		      "    pre_stop: sleep 600\n    post_stop: sleep 600\n");
	pmo_ok(project, "start", "web");
	WAIT_FOR(log_says(project, "--- hook 'post_start' took longer than 100ms at "));
	WAIT_FOR(project_processes(project, NULL, 0) == 1);
	run_pmo(project, &run, "stop", "web", NULL);
	assert_run(&run, 0, "stopped web\n", "");
	assert_true(run.seconds < 10);
	run_release(&run);
	assert_true(log_says(project, "--- hook 'pre_stop' took longer than 100ms at "));
	assert_true(log_says(project, "--- hook 'post_stop' took longer than 100ms at "));
	assert_nothing_left(project, "web");
}

static void test_output(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait",
		      "  hooks:\n    pre_start: 'echo before; echo oops >&2'\n"
		      "    post_stop: 'echo after; echo alas >&2; exit 9'\n");
	pmo_ok(project, "start", "web");
	pmo_ok(project, "stop", "web");
	assert_true(file_says(project, ".pmo/logs/web-out.log", "before\nafter\n"));
	assert_true(log_says(project, "oops\nalas\n"));
	assert_true(log_says(project, "--- hook 'post_stop' ended with exit status 9 at "));
}

static void test_user(void **state)
{
	struct test_project *project = *state;
	SKIP_UNLESS_ROOT();
	if (!getpwnam("daemon"))
		SKIP("there is no user 'daemon'");
	project_write(project, "pmo.yml",
		      "web:\n  cmd: [%s, wait]\n  user: daemon\n  hooks:\n"
		      "    pre_start: 'echo $PMO_HOOK $(id -un) $USER'\n"
		      "    post_start: 'echo $PMO_HOOK $(id -un) $USER'\n"
		      "    pre_stop: 'echo $PMO_HOOK $(id -un) $USER'\n"
		      "    post_stop: 'echo $PMO_HOOK $(id -un) $USER'\n",
		      project_copy_program(project, ACTOR));
	pmo_ok(project, "start", "web");
	WAIT_FOR(file_says(project, ".pmo/logs/web-out.log", "post_start daemon daemon\n"));
	pmo_ok(project, "stop", "web");
	assert_true(file_says(project, ".pmo/logs/web-out.log",
			      "pre_start daemon daemon\npost_start daemon daemon\n"
			      "pre_stop daemon daemon\npost_stop daemon daemon\n"));
	assert_nothing_left(project, "web");
}

/* What pre_start has started in the background lives and ends with the service. */
static void test_hook_leaves_a_companion(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait", "  hooks:\n    pre_start: 'sleep 600 &'\n");
	pmo_ok(project, "start", "web");
	assert_int_equal(project_processes(project, NULL, 0), 2);
	assert_true(service_is(project, "web", "processes", "2"));
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_start_and_stop),
		PROJECT_TEST(test_restart),
		PROJECT_TEST(test_crash),
		PROJECT_TEST(test_failure_for_good),
		PROJECT_TEST(test_gives_up),
		PROJECT_TEST(test_success_for_good),
		PROJECT_TEST(test_supervisor_terminated),
		PROJECT_TEST(test_environment),
		PROJECT_TEST(test_veto),
		PROJECT_TEST(test_veto_at_a_restart),
		PROJECT_TEST(test_veto_for_ever),
		PROJECT_TEST(test_time_limit_of_pre_start),
		PROJECT_TEST(test_time_limit_of_others),
		PROJECT_TEST(test_output),
		PROJECT_TEST(test_user),
		PROJECT_TEST(test_hook_leaves_a_companion),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
