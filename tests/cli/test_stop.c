/*
 * pmo stop: returns 0 only when everything is gone; order, signals, time limits, what it says.
 */
#include "support/support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUICK "pmo: {defaults: {start_watch: 0}}\n"

/* A service that does not want to go. */
struct hostile {
	const char *actions; /* of the actor, as items of a YAML list */
	size_t processes;    /* how many there are when it is ready */
};

static const struct hostile hostile_services[] = {
	{ "touch, ready, wait", 1 },
	{ "ignore, TERM, touch, ready, wait", 1 },
	{ "fork, '{', wait, '}', touch, ready, wait", 2 },
	{ "fork, '{', ignore, TERM, touch, ready, wait, '}', wait", 2 },
	{ "setsid, '{', touch, ready, wait, '}', wait", 2 },
	{ "setsid, '{', ignore, TERM, touch, ready, wait, '}', wait", 2 },
	{ "daemonize, '{', touch, ready, wait, '}', wait", 2 },
	{ "daemonize, '{', ignore, TERM, touch, ready, wait, '}', wait", 2 },
	{ "daemonize, '{', fork, '{', wait, '}', touch, ready, wait, '}', wait", 3 },
	/* the leader ends by itself, its children stay */
	{ "daemonize, '{', touch, ready, wait, '}', wait-file, ready", 1 },
	{ "fork, '{', touch, ready, wait, '}', wait-file, ready", 1 },
	{ "daemonize, '{', ignore, TERM, touch, ready, wait, '}', wait-file, ready, exit, '3'", 1 },
	/* the leader dies of the signal, its children do not */
	{ "fork, '{', ignore, TERM, setsid, '{', touch, ready, wait, '}', wait, '}', wait", 3 },
	/* children are born while it is being stopped */
	{ "handle, TERM, breed, touch, ready, wait", 1 },
	{ "fork, '{', handle, TERM, breed, touch, ready, wait, '}', wait", 2 },
	{ "fork, '{', breed, '2000', '}', touch, ready, wait", 0 },
	/* no environment to be found by */
	{ "wipe-environment, touch, ready, wait", 1 },
	{ "setsid, '{', wipe-environment, touch, ready, wait, '}', wait", 2 },
	{ "fork, '{', wipe-environment, ignore, TERM, touch, ready, wait, '}', wait", 2 },
	/* stopped by SIGSTOP */
	{ "fork, '{', stop, '}', touch, ready, wait", 2 },
	{ "touch, ready, stop", 1 },
	{ "ignore, TERM, touch, ready, stop", 1 },
	/* a zombie leader with a live thread; a zombie child */
	{ "touch, ready, thread-leader-exit", 0 },
	{ "fork, '{', exit, '1', '}', touch, ready, wait", 0 },
	/* names that confuse readers of /proc/PID/stat */
	{ "name, 'a) R 1 1 (b', fork, '{', name, ') Z 1', touch, ready, wait, '}', wait", 2 },
	{ "close-output, ignore, HUP, ignore, TERM, ignore, INT, touch, ready, wait", 1 },
};

static void test_stop_means_gone(void **state)
{
	struct test_project *project = *state;
	size_t i;

	for (i = 0; i < sizeof(hostile_services) / sizeof(hostile_services[0]); i++) {
		const struct hostile *hostile = &hostile_services[i];
		struct run run;

		project_write(project, "pmo.yml",
			      QUICK "web:\n  cmd: [%s, %s]\n  stop_timeout: 150ms\n", ACTOR,
			      hostile->actions);
		pmo_ok(project, "start", "web");
		WAIT_FOR(project_exists(project, "ready"));
		if (hostile->processes != 0)
			WAIT_FOR(project_processes(project, NULL, 0) == hostile->processes);
		run_pmo(project, &run, "stop", "web", NULL);
		if (run.status != 0 || project_processes(project, NULL, 0) != 0)
			print_error("with: %s\n", hostile->actions);
		assert_run(&run, 0, NULL, NULL);
		assert_int_equal(project_processes(project, NULL, 0), 0);
		assert_false(project_exists(project, ".pmo/pids/web.pid"));
		assert_false(project_exists(project, ".pmo/pids/web.time"));
		assert_false(project_exists(project, ".pmo/pids/web.stop"));
		run_release(&run);
		unlink(project_path(project, "ready"));
	}
}

static void test_shell_with_background_children(void **state)
{
	struct test_project *project = *state;

	project_write(project, "pmo.yml", "%s",
		      QUICK
		      "web: sleep 1000 & sleep 1000 & (setsid sleep 1000 &); touch ready; wait\n"
		      "stubborn:\n"
		      "  cmd: 'trap \"\" TERM; touch ready2; while :; do sleep 0.05; done'\n"
		      "  stop_timeout: 150ms\n");
	pmo_ok(project, "start", "all");
	WAIT_FOR(project_exists(project, "ready") && project_exists(project, "ready2"));
	WAIT_FOR(project_processes(project, NULL, 0) >= 5);
	pmo_ok(project, "stop", "all");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* Somebody who only stands near is left alone. */
static void test_stop_leaves_others_alone(void **state)
{
	struct test_project *project = *state;
	pid_t stranger;
	pid_t other;

	project_write(project, "pmo.yml",
		      QUICK "web:\n  cmd: [%s, wait]\nother:\n  cmd: [%s, wait]\n", ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
	stranger = child_start("sleep", "1000", NULL);
	other = read_pid(project, "other");
	pmo_ok(project, "stop", "web");
	assert_true(process_alive(other));
	assert_true(process_alive(stranger));
	pmo_ok(project, "stop", "all");
	assert_true(process_alive(stranger));
	child_stop(stranger);
}

/* A second service started from within the first one (as its descendant) is a service of its own.
 */
static void test_service_started_by_a_service(void **state)
{
	struct test_project *project = *state;

	project_write(project, "pmo.yml",
		      QUICK "parent: %s start child && touch ready && exec %s wait\n"
			    "child:\n  cmd: [%s, wait]\n",
		      pmo_binary(), ACTOR, ACTOR);
	pmo_ok(project, "start", "parent");
	WAIT_FOR(project_exists(project, "ready"));
	pmo_ok(project, "stop", "parent");
	assert_true(process_alive(read_pid(project, "child")));
	/* the pmo inside must be done before the child is stopped, or it starts it once more */
	unlink(project_path(project, "ready"));
	pmo_ok(project, "start", "parent");
	WAIT_FOR(project_exists(project, "ready"));
	pmo_ok(project, "stop", "child");
	assert_true(process_alive(read_pid(project, "parent")));
	pmo_ok(project, "stop", "all");
}

/* The leader and a child in its group: nobody gets the signal twice, whatever the scans see. */
static void test_signal_is_sent_once(void **state)
{
	struct test_project *project = *state;
	char *log;

	project_write(project, "pmo.yml",
		      QUICK
		      "web:\n"
		      "  cmd: [%s, fork, '{', handle, TERM, print, child, touch, ready, wait, '}',"
		      " handle, TERM, print, leader, wait]\n"
		      "  stop_timeout: 300ms\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	pmo_ok(project, "stop", "web");
	log = project_read(project, ".pmo/logs/web-out.log");
	assert_non_null(log);
	assert_text_has(log, "leader\n");
	assert_text_has(log, "child\n");
	assert_null(strstr(strstr(log, "leader\n") + 1, "leader\n"));
	assert_null(strstr(strstr(log, "child\n") + 1, "child\n"));
	free(log);
}

static void test_stop_signal_and_options(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char *log;
	double before;

	project_write(project, "pmo.yml",
		      QUICK
		      "web:\n"
		      "  cmd: [%s, handle, INT, print, got INT, handle, USR1, print, got USR1,"
		      " handle, TERM, print, got TERM, touch, ready, wait]\n"
		      "  stop_signal: INT\n"
		      "  stop_timeout: 500ms\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	pmo_ok(project, "stop", "web");
	log = project_read(project, ".pmo/logs/web-out.log");
	assert_text(log, "%ANY\ngot INT\n");
	free(log);
	unlink(project_path(project, "ready"));

	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	before = wait_now();
	pmo_ok(project, "stop", "-s", "SIGUSR1", "-t", "300ms", "web");
	assert_true(wait_now() - before >= 0.3);
	assert_true(wait_now() - before < 5);
	log = project_read(project, ".pmo/logs/web-out.log");
	assert_text(log, "%ANY\ngot USR1\n");
	free(log);

	pmo_ok(project, "start", "web");
	before = wait_now();
	pmo_ok(project, "stop", "--signal", "KILL", "--timeout", "20", "web");
	assert_true(wait_now() - before < 5);

	run_pmo(project, &run, "stop", "-t", "soon", "web", NULL);
	assert_run(&run, 2, "",
		   "pmo: invalid value 'soon' for --timeout: expected a duration such as 500ms, 5s "
		   "or 2m\n");
	run_release(&run);
	run_pmo(project, &run, "stop", "-s", "LOUD", "web", NULL);
	assert_run(&run, 2, "",
		   "pmo: invalid value 'LOUD' for --signal: expected a signal such as TERM, INT or "
		   "9\n");
	run_release(&run);
}

static void test_messages(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      QUICK "web:\n  cmd: [%s, wait]\n"
			    "deaf:\n  cmd: [%s, ignore, TERM, touch, ready, wait]\n"
			    "  stop_timeout: 100ms\n",
		      ACTOR, ACTOR);
	run_pmo(project, &run, "stop", "all", NULL);
	assert_run(&run, 0, "", "pmo: nothing is running\n");
	run_release(&run);
	run_pmo(project, &run, "stop", "web", NULL);
	assert_run(&run, 0, "web is not running\n", "");
	run_release(&run);
	pmo_ok(project, "start", "all");
	WAIT_FOR(project_exists(project, "ready"));
	run_pmo(project, &run, "stop", "all", NULL);
	assert_run(&run, 0, "stopped web\nstopped deaf (it had to be killed)\n", "");
	run_release(&run);
	run_pmo(project, &run, "stop", NULL);
	assert_run(&run, 2, "",
		   "pmo: 'stop' needs a service: its name, its id, @NAMESPACE or 'all'\n"
		   "pmo: services: web, deaf\n");
	run_release(&run);
	run_pmo(project, &run, "stop", "wbe", NULL);
	assert_run(&run, 4, "", "pmo: no service 'wbe' (did you mean 'web'?)\n");
	run_release(&run);
}

/* Without any time the signal is sent all the same, and SIGKILL is called by its name. */
static void test_no_time_at_all(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      QUICK "deaf:\n  cmd: [%s, ignore, TERM, touch, ready, wait]\n", ACTOR);
	pmo_ok(project, "start", "deaf");
	WAIT_FOR(project_exists(project, "ready"));
	run_pmo(project, &run, "stop", "-t", "0", "deaf", NULL);
	assert_run(&run, 0, "stopped deaf (it had to be killed)\n", "");
	run_release(&run);
}

/* The signal is meant for what the project runs now, not for what pmo.yml says by now. */
static void test_settings_of_the_start_count(void **state)
{
	struct test_project *project = *state;
	char *log;

	project_write(project, "pmo.yml",
		      QUICK "web:\n  cmd: [%s, handle, INT, exit, '7', ignore, TERM, touch, ready,"
			    " wait]\n  stop_signal: INT\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	log = project_read(project, ".pmo/pids/web.spec");
	assert_text_has(log, "stop_signal: INT");
	free(log);
	pmo_ok(project, "stop", "-t", "15", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* A service asks for its own end: refused, and the rest of `all` is stopped. */
static void test_service_cannot_stop_itself(void **state)
{
	struct test_project *project = *state;
	static const char *const commands[] = { "stop self", "restart self", "delete self",
						"stop all" };
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char *text;

		project_write(project, "pmo.yml",
			      QUICK "self:\n  cmd: '(%s %s) >said 2>&1; echo $? >status; mv status"
				    " done; exec %s wait'\n"
				    "other:\n  cmd: [%s, wait]\n",
			      pmo_binary(), commands[i], ACTOR, ACTOR);
		pmo_ok(project, "start", "other");
		pmo_ok(project, "start", "self");
		WAIT_FOR(project_exists(project, "done"));
		text = project_read(project, "done");
		assert_text(text, "1\n");
		free(text);
		text = project_read(project, "said");
		assert_text_has(text,
				"pmo: cannot stop 'self' from inside it: this pmo runs in that "
				"service\n");
		free(text);
		assert_true(process_alive(read_pid(project, "self")));
		assert_int_equal(process_alive(read_pid(project, "other")),
				 strcmp(commands[i], "stop all") != 0);
		pmo_ok(project, "stop", "all");
		unlink(project_path(project, "done"));
	}
}

/* `pmo stop` of a service whose leader died by itself removes the record and ends the rest. */
static void test_stop_after_a_crash(void **state)
{
	struct test_project *project = *state;
	pid_t pid;

	project_write(project, "pmo.yml",
		      QUICK "web:\n  cmd: [%s, setsid, '{', touch, ready, wait, '}', wait]\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	pid = read_pid(project, "web");
	kill(pid, SIGKILL);
	WAIT_FOR(!process_alive(pid));
	assert_int_equal(project_processes(project, NULL, 0), 1);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_false(project_exists(project, ".pmo/pids/web.pid"));
}

static void test_log_on_stop_delete(void **state)
{
	struct test_project *project = *state;

	project_write(project, "pmo.yml",
		      QUICK
		      "web:\n  cmd: [%s, wait]\n  log_on_stop: delete\nkept:\n  cmd: [%s, wait]\n",
		      ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
	pmo_ok(project, "stop", "all");
	assert_int_equal(project_count(project, ".pmo/logs", "web*"), 0);
	assert_int_equal(project_count(project, ".pmo/logs", "kept*"), 2);
}

/* A signal that cannot be sent for want of descriptors is not taken for sent: nobody is killed who
 * would have gone. */
static void test_few_descriptors(void **state)
{
	enum { FEWEST = 6, MOST = 14 };
	struct test_project *project = *state;
	int stopped = 0;

	project_write(project, "pmo.yml",
		      QUICK
		      "web: {cmd: ['%s', fork, '{', touch, ready, wait, '}', wait], stop_timeout: "
		      "2s}\n",
		      ACTOR);
	for (int limit = FEWEST; limit <= MOST; limit++) {
		struct run_options few = { .limits = { { RLIMIT_NOFILE, (rlim_t)limit } } };
		struct run run;

		pmo_ok(project, "start", "web");
		WAIT_FOR(project_exists(project, "ready"));
		run_pmo_with(project, &run, &few, "stop", "web", NULL);
		if (run.status == 0) {
			assert_run(&run, 0, "stopped web\n", "");
			stopped++;
		} else {
			assert_run(&run, 1, "", "pmo: %LINE: Too many open files\n");
			assert_int_equal(project_processes(project, NULL, 0), 2);
		}
		run_release(&run);
		pmo_ok(project, "stop", "web");
		unlink(project_path(project, "ready"));
	}
	assert_true(stopped > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_stop_means_gone),
		PROJECT_TEST(test_few_descriptors),
		PROJECT_TEST(test_shell_with_background_children),
		PROJECT_TEST(test_stop_leaves_others_alone),
		PROJECT_TEST(test_service_started_by_a_service),
		PROJECT_TEST(test_signal_is_sent_once),
		PROJECT_TEST(test_stop_signal_and_options),
		PROJECT_TEST(test_messages),
		PROJECT_TEST(test_no_time_at_all),
		PROJECT_TEST(test_settings_of_the_start_count),
		PROJECT_TEST(test_service_cannot_stop_itself),
		PROJECT_TEST(test_stop_after_a_crash),
		PROJECT_TEST(test_log_on_stop_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
