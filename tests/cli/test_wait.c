/*
 * pmo wait: until services have ended for good, and how.
 */
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUICK "pmo: {defaults: {start_watch: 0}}\n"

static const struct run_options plain = { 0 };

/* Whether it stands still and watches COUNT processes. */
static bool watches(const struct running *running, int count)
{
	char path[64];
	char target[64];
	int found = 0;
	for (int fd = 0; fd < 32; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", running->pid, fd);
		ssize_t length = readlink(path, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		found += strstr(target, "pidfd") != NULL;
	}
	return found == count && process_state(running->pid) == 'S';
}

static void begin_wait(struct test_project *project, struct running *running, const char *service,
		       int count)
{
	run_pmo_start(project, running, &plain, "wait", service, NULL);
	WAIT_FOR(watches(running, count));
}

static void assert_waits(const struct running *running)
{
	assert_true(process_alive(running->pid));
}

static void finish(struct running *running, int status, const char *out, const char *err)
{
	struct run run;
	run_pmo_finish(running, &run);
	assert_run(&run, status, out, err);
	run_release(&run);
}

static void assert_wait(struct test_project *project, int status, const char *out, const char *err,
			const char *service)
{
	struct run run;
	run_pmo(project, &run, "wait", service, NULL);
	assert_run(&run, status, out, err);
	run_release(&run);
}

/* A service that ends when the file `go` is there, with its own status. */
static void test_exit_status(void **state)
{
	struct test_project *project = *state;
	struct running running;

	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: [%s, wait-file, go, exit, 7], restart: on-failure, "
			    "max_restarts: 0}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	begin_wait(project, &running, "web", 1);
	assert_waits(&running);
	project_write(project, "go", "\n");
	finish(&running, 7, "web ended with exit status 7: %LINE\n", "");
	/* and once more, of what is over */
	assert_wait(project, 7, "web ended with exit status 7: %LINE\n", "", "web");
	assert_wait(project, 7, "web ended with exit status 7: %LINE\n", "", "1");
}

static void test_finished(void **state)
{
	struct test_project *project = *state;
	struct running running;

	project_write(project, "pmo.yml",
		      QUICK "job: {cmd: [%s, wait-file, go], restart: on-failure}\n", ACTOR);
	pmo_ok(project, "start", "job");
	begin_wait(project, &running, "job", 1);
	project_write(project, "go", "\n");
	finish(&running, 0, "job ended with exit status 0\n", "");
}

static void test_signal(void **state)
{
	struct test_project *project = *state;
	struct running running;

	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: [%s, wait], hooks: {post_stop: 'true'}}\n", ACTOR);
	pmo_ok(project, "start", "web");
	begin_wait(project, &running, "web", 1);
	assert_int_equal(kill(read_pid(project, "web"), SIGKILL), 0);
	finish(&running, 137, "web was ended by signal KILL\n", "");
}

/* Nobody saw how a plain service ended. */
static void test_plain_service(void **state)
{
	struct test_project *project = *state;
	struct running running;
	static const char unseen[] =
	    "pmo: 'web' has ended; its exit status is not known (services with 'restart' have "
	    "one)\n";

	project_write(project, "pmo.yml", QUICK "web: {cmd: [%s, wait-file, go, exit, 7]}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	begin_wait(project, &running, "web", 1);
	project_write(project, "go", "\n");
	finish(&running, 1, "", unseen);
	assert_wait(project, 1, "", unseen, "web");
}

static void test_several(void **state)
{
	struct test_project *project = *state;
	struct running running;
	struct run run;

	project_write(project, "pmo.yml",
		      "pmo: {defaults: {start_watch: 0, on_exit: none, restart: on-failure, "
		      "max_restarts: 0}}\n"
		      "good: {cmd: [%s, wait-file, go-good]}\n"
		      "five: {cmd: [%s, wait-file, go-five, exit, 5]}\n"
		      "six: {cmd: [%s, wait-file, go-six, exit, 6]}\n",
		      ACTOR, ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
	run_pmo_start(project, &running, &plain, "wait", "six", "five", "good", NULL);
	WAIT_FOR(watches(&running, 3));
	project_write(project, "go-six", "\n");
	/* each is told as it ends, and the others are waited for */
	for (bool told = false; !told;) {
		char *text = run_pmo_output(&running);
		told = strstr(text, "six ended with exit status 6") != NULL;
		free(text);
		assert_waits(&running);
		wait_microseconds(2000);
	}
	project_write(project, "go-good", "\n");
	project_write(project, "go-five", "\n");
	run_pmo_finish(&running, &run);
	assert_int_equal(run.status, 5);
	assert_out_has(&run, "good ended with exit status 0\n");
	assert_out_has(&run, "five ended with exit status 5: ");
	run_release(&run);
}

static void test_timeout(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      QUICK
		      "web: {cmd: [%s, wait]}\njob: {cmd: [%s, exit, 7], restart: on-failure, "
		      "max_restarts: 0}\napi: {cmd: [%s, wait], restart: always}\n",
		      ACTOR, ACTOR, ACTOR);
	pmo_ok(project, "start", "web", "api");
	run_pmo(project, &run, "wait", "--timeout", "300ms", "web", "api", NULL);
	assert_run(&run, 3, "", "pmo: time ran out after 300ms: 'web', 'api' still running\n");
	assert_true(run.seconds >= 0.3);
	run_release(&run);
	run_pmo(project, &run, "wait", "-t", "0", "web", NULL);
	assert_run(&run, 3, "", "pmo: time ran out after 0s: 'web' still running\n");
	run_release(&run);
	/* time that ran out goes before a failure */
	run_pmo(project, &run, "start", "job", NULL);
	run_release(&run);
	run_pmo(project, &run, "wait", "-t", "500ms", "job", "web", NULL);
	assert_run(&run, 3, "job ended with exit status 7%LINE\n",
		   "pmo: time ran out after 500ms: 'web' still running\n");
	run_release(&run);
	pmo_ok(project, "stop", "all");
}

static void test_restart_during_the_wait(void **state)
{
	struct test_project *project = *state;
	struct running plain_wait, supervised_wait;

	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: [%s, wait]}\n"
			    "api: {cmd: [%s, wait-file, go, exit, 9], restart: on-failure, "
			    "max_restarts: 0}\n",
		      ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
	begin_wait(project, &plain_wait, "web", 1);
	begin_wait(project, &supervised_wait, "api", 1);
	for (int i = 0; i < 5; i++) {
		pmo_ok(project, "restart", "all");
		assert_waits(&plain_wait);
		assert_waits(&supervised_wait);
	}
	WAIT_FOR(watches(&plain_wait, 1) && watches(&supervised_wait, 1));
	pmo_ok(project, "stop", "web");
	finish(&plain_wait, 0, "web was stopped\n", "");
	project_write(project, "go", "\n");
	finish(&supervised_wait, 9, "api ended with exit status 9: %LINE\n", "");
}

static void test_stop_during_the_wait(void **state)
{
	struct test_project *project = *state;
	struct running running;

	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: [%s, wait]}\napi: {cmd: [%s, wait], restart: always}\n",
		      ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
	begin_wait(project, &running, "all", 2);
	pmo_ok(project, "stop", "web");
	assert_waits(&running);
	pmo_ok(project, "stop", "api");
	finish(&running, 0, "web was stopped\napi was stopped\n", "");
}

/* Between two runs it has not ended; when it is given up, it has. */
static void test_crash_loop(void **state)
{
	struct test_project *project = *state;
	struct running running;
	char *runs;

	project_write(project, "pmo.yml",
		      "web:\n  cmd: [%s, append-file, runs, x, wait-file, go, sleep, 20, exit, 4]\n"
		      "  restart: on-failure\n  max_restarts: 3\n  min_uptime: 1h\n"
		      "  restart_delay: 50ms\n  start_watch: 0\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	begin_wait(project, &running, "web", 1);
	project_write(project, "go", "\n");
	finish(&running, 4, "web ended with exit status 4: gave up after 3 restarts in a row\n",
	       "");
	runs = project_read(project, "runs");
	assert_text(runs, "x%ANYx%ANYx%ANYx%ANY");
	free(runs);
}

/* A service that always ends well and is given up all the same has failed. */
static void test_given_up_without_failure(void **state)
{
	struct test_project *project = *state;

	project_write(project, "pmo.yml",
		      QUICK
		      "web: {cmd: [%s], restart: always, max_restarts: 2, restart_delay: 0}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	assert_wait(project, 1, "web ended with exit status 0: gave up after 2 restarts in a row\n",
		    "", "web");
}

static void test_not_running(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", QUICK "web: {cmd: [%s, wait]}\njob: {cmd: [%s]}\n", ACTOR,
		      ACTOR);
	assert_wait(project, 0, "web is not running\n", "", "web");
	assert_wait(project, 0, "", "pmo: nothing is running\n", "all");
	assert_false(project_exists(project, ".pmo"));
	pmo_ok(project, "start", "web");
	pmo_ok(project, "stop", "web");
	assert_wait(project, 0, "web is not running\n", "", "web");
	/* a death that `start` saw */
	project_write(project, "pmo.yml", "web: {cmd: [%s, exit, 6]}\n", ACTOR);
	pmo_status(project, 1, "start", "web");
	run_pmo(project, &run, "wait", "web", NULL);
	assert_run(&run, 6, "web ended with exit status 6%LINE\n", "");
	run_release(&run);
}

/* The hooks of the end belong to the service. */
static void test_hooks_of_the_end(void **state)
{
	struct test_project *project = *state;
	struct running running;

	project_write(project, "pmo.yml",
		      QUICK "web:\n  cmd: [%s, wait-file, go, exit, 2]\n  hooks:\n"
			    "    on_fail: '%s wait-file finish touch done'\n",
		      ACTOR, ACTOR);
	pmo_ok(project, "start", "web");
	begin_wait(project, &running, "web", 1);
	project_write(project, "go", "\n");
	WAIT_FOR(project_exists(project, ".pmo/pids/web.exit"));
	WAIT_FOR(!project_exists(project, ".pmo/pids/web.pid"));
	assert_waits(&running);
	project_write(project, "finish", "\n");
	finish(&running, 2, "web ended with exit status 2%LINE\n", "");
	assert_true(project_exists(project, "done"));
}

/* The leader is watched instead. */
static void test_supervisor_is_killed(void **state)
{
	struct test_project *project = *state;
	struct running running;
	char *text;

	project_write(project, "pmo.yml", QUICK "web: {cmd: [%s, wait], restart: always}\n", ACTOR);
	pmo_ok(project, "start", "web");
	begin_wait(project, &running, "web", 1);
	text = project_read(project, ".pmo/pids/web.supervisor");
	pid_t supervisor = (pid_t)strtol(text, NULL, 10);
	free(text);
	assert_int_equal(kill(supervisor, SIGKILL), 0);
	WAIT_FOR(!process_alive(supervisor) && watches(&running, 1));
	assert_waits(&running);
	assert_int_equal(kill(read_pid(project, "web"), SIGKILL), 0);
	finish(&running, 1, "",
	       "pmo: 'web' has ended, and its supervisor is gone: its exit status is not known\n");
	pmo_ok(project, "stop", "web");
}

static void test_interrupt(void **state)
{
	struct test_project *project = *state;
	struct running running;
	struct run run;

	project_write(project, "pmo.yml", QUICK "web: {cmd: [%s, wait]}\n", ACTOR);
	pmo_ok(project, "start", "web");
	begin_wait(project, &running, "web", 1);
	run_pmo_signal(&running, SIGINT);
	run_pmo_finish(&running, &run);
	assert_int_equal(run.signal, SIGINT);
	run_release(&run);
	assert_true(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "web");
}

/* A stopped `pmo wait` is waked by the death alone, and not by the clock. */
static void test_sleeps_soundly(void **state)
{
	struct test_project *project = *state;
	struct running running;
	unsigned long before, after;
	char *path;

	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: [%s, wait]}\napi: {cmd: [%s, wait], restart: always}\n",
		      ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
	begin_wait(project, &running, "all", 2);
	path = text_format("/proc/%d/status", running.pid);
	for (int look = 0; look < 2; look++) {
		char *text = read_file(path, NULL);
		const char *switches = strstr(text, "\nvoluntary_ctxt_switches:");
		assert_non_null(switches);
		after = strtoul(switches + strlen("\nvoluntary_ctxt_switches:"), NULL, 10);
		before = look == 0 ? after : before;
		free(text);
		if (look == 0)
			wait_microseconds(300000);
	}
	free(path);
	assert_true(after - before <= 2);
	pmo_ok(project, "stop", "all");
	finish(&running, 0, NULL, "");
}

static void test_not_from_inside(void **state)
{
	struct test_project *project = *state;
	char *text;

	project_write(project, "pmo.yml",
		      QUICK "self:\n  cmd: '%s wait self >said 2>&1; echo $? >status; mv status "
			    "done; exec %s wait'\n",
		      pmo_binary(), ACTOR);
	pmo_ok(project, "start", "self");
	WAIT_FOR(project_exists(project, "done"));
	text = project_read(project, "said");
	assert_text(text,
		    "pmo: cannot wait for 'self' from inside it: this pmo runs in that service\n");
	free(text);
	text = project_read(project, "done");
	assert_text(text, "1\n");
	free(text);
	pmo_ok(project, "stop", "self");
}

static void test_what_cannot_be_known(void **state)
{
	struct test_project *project = *state;

	project_write(project, "pmo.yml", QUICK "web: {cmd: [%s, wait]}\n", ACTOR);
	pmo_ok(project, "start", "web");
	project_write(project, ".pmo/pids/web.time", "garbage\n");
	assert_wait(project, 1, "",
		    "pmo: the record of 'web' is damaged, and pid %NUMBER still runs that was "
		    "started as 'web': end it with kill(1) first\n",
		    "web");
	assert_int_equal(project_kill_all(project), 1);
	project_write(
	    project, ".pmo/pids/web.time",
	    "1700000000.5\n77 4711 00000000-1111-2222-3333-444444444444 4026531836 farhost "
	    "0123456789abcdef0123456789abcdef\n");
	project_write(project, ".pmo/pids/web.pid", "77\n");
	assert_wait(project, 1, "",
		    "pmo: 'web' was started elsewhere, by host 'farhost': it can be waited for "
		    "there alone\n",
		    "web");
}

static void test_usage(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", QUICK "web: {cmd: [%s, wait]}\n", ACTOR);
	run_pmo(project, &run, "wait", NULL);
	assert_run(&run, 2, "",
		   "pmo: 'wait' needs a service: its name, its id, @NAMESPACE or 'all'\n"
		   "pmo: services: web\n");
	run_release(&run);
	run_pmo(project, &run, "wait", "--for", "ready", "web", NULL);
	assert_run(&run, 2, "", "pmo: '--for ready' is not supported by this version of pmo yet\n");
	run_release(&run);
	run_pmo(project, &run, "wait", "--for", "healthy", "web", NULL);
	assert_run(&run, 2, "",
		   "pmo: '--for healthy' is not supported by this version of pmo yet\n");
	run_release(&run);
	run_pmo(project, &run, "wait", "--for", "rain", "web", NULL);
	assert_run(&run, 2, "", "pmo: invalid value 'rain' for --for: expected exit\n");
	run_release(&run);
	run_pmo(project, &run, "wait", "--timeout", "soon", "web", NULL);
	assert_run(&run, 2, "",
		   "pmo: invalid value 'soon' for --timeout: expected a duration such as 500ms, "
		   "5s or 2m\n");
	run_release(&run);
	/* nothing is waited for where a name is wrong */
	pmo_ok(project, "start", "web");
	run_pmo(project, &run, "wait", "--for", "exit", "web", "wbe", NULL);
	assert_run(&run, 4, "", "pmo: no service 'wbe' (did you mean 'web'?)\n");
	run_release(&run);
	/* and a broken pmo.yml does not matter */
	project_write(project, "pmo.yml", "web: [\n");
	run_pmo(project, &run, "wait", "-t", "0", "web", NULL);
	assert_int_equal(run.status, 3);
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_exit_status),
		PROJECT_TEST(test_finished),
		PROJECT_TEST(test_signal),
		PROJECT_TEST(test_plain_service),
		PROJECT_TEST(test_several),
		PROJECT_TEST(test_timeout),
		PROJECT_TEST(test_restart_during_the_wait),
		PROJECT_TEST(test_stop_during_the_wait),
		PROJECT_TEST(test_crash_loop),
		PROJECT_TEST(test_given_up_without_failure),
		PROJECT_TEST(test_not_running),
		PROJECT_TEST(test_hooks_of_the_end),
		PROJECT_TEST(test_supervisor_is_killed),
		PROJECT_TEST(test_interrupt),
		PROJECT_TEST(test_sleeps_soundly),
		PROJECT_TEST(test_not_from_inside),
		PROJECT_TEST(test_what_cannot_be_known),
		PROJECT_TEST(test_usage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
