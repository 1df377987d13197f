/*
 * pmo kill: one signal to the service's process group, and nothing else happens.
 */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUICK "pmo: {defaults: {start_watch: 0}}\n"

static void test_signal_reaches_the_group(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      QUICK
		      "web:\n  cmd: [%s, fork, '{', handle, USR1, print, child, touch, ready1, "
		      "wait, '}', handle, USR1, print, leader, touch, ready2, wait]\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready1") && project_exists(project, "ready2"));
	run_pmo(project, &run, "kill", "-s", "USR1", "web", NULL);
	assert_run(&run, 0, "sent USR1 to web (2 processes)\n", "");
	run_release(&run);
	for (;;) {
		char *log = project_read(project, ".pmo/logs/web-out.log");
		bool both = strstr(log, "leader\n") != NULL && strstr(log, "child\n") != NULL;

		free(log);
		if (both)
			break;
		wait_microseconds(3000);
	}
	assert_int_equal(project_processes(project, NULL, 0), 2);
	pmo_ok(project, "stop", "web");
}

/* It ends the process, not the intent. */
static void test_intent_stays(void **state)
{
	struct test_project *project = *state;
	struct run run;
	pid_t pid;

	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	pmo_ok(project, "start", "web");
	pid = read_pid(project, "web");
	run_pmo(project, &run, "kill", "web", NULL);
	assert_run(&run, 0, "sent TERM to web (1 process)\n", "");
	run_release(&run);
	WAIT_FOR(!process_alive(pid));
	assert_int_equal(read_pid(project, "web"), pid);
	run_pmo(project, &run, "kill", "web", NULL);
	assert_run(&run, 1, "", "pmo: 'web' is not running\n");
	run_release(&run);
	pmo_ok(project, "stop", "web");
	run_pmo(project, &run, "kill", "all", NULL);
	assert_run(&run, 0, "", "pmo: nothing is running\n");
	run_release(&run);
}

static void test_signal_names(void **state)
{
	static const char *const signals[][2] = {
		{ "HUP", "HUP" }, { "sighup", "HUP" }, { "1", "HUP" }, { "SIGWINCH", "WINCH" }
	};
	struct test_project *project = *state;
	struct run run;
	size_t i;

	project_write(project, "pmo.yml",
		      QUICK "web:\n  cmd: [%s, ignore, HUP, touch, ready, wait]\n", ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		char *expected = text_format("sent %s to web (1 process)\n", signals[i][1]);

		run_pmo(project, &run, "kill", "-s", signals[i][0], "web", NULL);
		assert_run(&run, 0, expected, "");
		run_release(&run);
		free(expected);
	}
	run_pmo(project, &run, "kill", "-s", "0x", "web", NULL);
	assert_run(
	    &run, 2, "",
	    "pmo: invalid value '0x' for --signal: expected a signal such as TERM, INT or 9\n");
	run_release(&run);
	run_pmo(project, &run, "kill", NULL);
	assert_run(&run, 2, "",
		   "pmo: 'kill' needs a service: its name, its id, @NAMESPACE or 'all'\n"
		   "pmo: services: web\n");
	run_release(&run);
	run_pmo(project, &run, "kill", "wbe", NULL);
	assert_run(&run, 4, "", "pmo: no service 'wbe' (did you mean 'web'?)\n");
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

static void test_not_from_inside(void **state)
{
	struct test_project *project = *state;
	char *text;

	project_write(project, "pmo.yml",
		      QUICK
		      "self:\n  cmd: '%s kill -s KILL self >said 2>&1; echo $? >status; mv status"
		      " done; exec %s wait'\n",
		      pmo_binary(), ACTOR);
	pmo_ok(project, "start", "self");
	WAIT_FOR(project_exists(project, "done"));
	text = project_read(project, "said");
	assert_text(text,
		    "pmo: cannot signal 'self' from inside it: this pmo runs in that service\n");
	free(text);
	text = project_read(project, "done");
	assert_text(text, "1\n");
	free(text);
	pmo_ok(project, "stop", "self");
}

/* What may run is not said to be stopped. */
static void test_what_cannot_be_known(void **state)
{
	struct test_project *project = *state;
	struct run run;
	pid_t pid;

	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	pmo_ok(project, "start", "web");
	pid = read_pid(project, "web");
	project_write(project, ".pmo/pids/web.time", "garbage\n");
	run_pmo(project, &run, "kill", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: the record of 'web' is damaged, and pid %NUMBER still runs that was "
		   "started as 'web': end it with kill(1) first\n");
	run_release(&run);
	assert_true(process_alive(pid));
	assert_int_equal(project_kill_all(project), 1);
	run_pmo(project, &run, "kill", "web", NULL);
	assert_run(&run, 1, "", "pmo: 'web' is not running\n");
	run_release(&run);
	project_write(
	    project, ".pmo/pids/web.time",
	    "1700000000.5\n77 4711 00000000-1111-2222-3333-444444444444 4026531836 farhost "
	    "0123456789abcdef0123456789abcdef\n");
	project_write(project, ".pmo/pids/web.pid", "77\n");
	run_pmo(project, &run, "kill", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: 'web' was started elsewhere, by host 'farhost': it can be signalled there "
		   "alone\n");
	run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_signal_reaches_the_group),
		PROJECT_TEST(test_intent_stays),
		PROJECT_TEST(test_signal_names),
		PROJECT_TEST(test_not_from_inside),
		PROJECT_TEST(test_what_cannot_be_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
