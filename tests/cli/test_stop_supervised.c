/*
 * Stopping what has a supervisor, where something stands in the way: the stop comes from inside, is
 * killed half-way, or the service takes care not to be found.
 */
#include "support/guarded.h"
#include "support/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A hook KIND that calls pmo with COMMAND, whose status goes to the file `status`, and another one
 * that says that it was run. */
static void configure_caller(struct test_project *project, const char *kind, const char *command,
			     const char *other)
{
	project_write(project, "pmo.yml",
		      "web:\n  cmd: [%s, wait]\n  restart: on-failure\n  max_restarts: 0\n"
		      "  hooks:\n"
		      "    %s: '%s %s web >answer 2>&1; echo $? >status.new; mv status.new "
		      "status'\n    %s: 'touch other'\n",
		      ACTOR, kind, pmo_binary(), command, other);
}

static void test_refused_stop_does_nothing(void **state)
{
	struct test_project *project = *state;
	configure_caller(project, "post_start", "stop", "pre_stop");
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	pid_t supervisor = supervisor_pid(project, "web");
	WAIT_FOR(project_exists(project, "status"));
	assert_true(file_says(project, "status", "1\n"));
	assert_true(file_says(project, "answer", "cannot stop 'web' from inside it"));
	assert_false(project_exists(project, "other"));
	assert_false(project_exists(project, ".pmo/pids/web.stop"));
	assert_true(process_alive(pid));
	assert_true(process_alive(supervisor));
	pmo_ok(project, "stop", "web");
	assert_true(project_exists(project, "other"));
	assert_nothing_left(project, "web");
}

/* The supervisor is about to go, and goes its way. */
static void test_on_fail_asks_for_a_restart(void **state)
{
	struct test_project *project = *state;
	configure_caller(project, "on_fail", "restart", "post_stop");
	pmo_ok(project, "start", "web");
	pid_t supervisor = supervisor_pid(project, "web");
	kill_leader(project, "web");
	WAIT_FOR(project_exists(project, "status"));
	assert_true(file_says(project, "status", "1\n"));
	assert_true(file_says(project, "answer", "from inside it"));
	WAIT_FOR(!process_alive(supervisor));
	assert_true(project_exists(project, "other"));
	assert_int_equal(supervisor_pid(project, "web"), 0);
	assert_true(service_is(project, "web", "status", "errored"));
}

/* It is the parent of what nothing else tells the owner of. */
static void test_terminated_supervisor_leaves_nobody(void **state)
{
	struct test_project *project = *state;
	project_write(
	    project, "pmo.yml",
	    "web: {cmd: [%s, daemonize, '{', wipe-environment, touch, up, wait, '}', wait], "
	    "restart: always}\n",
	    ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "up"));
	pid_t supervisor = supervisor_pid(project, "web");
	assert_int_equal(kill(supervisor, SIGTERM), 0);
	WAIT_FOR(!process_alive(supervisor));
	assert_down_but_wanted(project, "web");
}

/* `pmo stop web` is killed while the supervisor stands still. */
static void interrupt_stop(struct test_project *project)
{
	struct running running;
	struct run run;
	unlink(project_path(project, "up"));
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, ignore, TERM, touch, up, wait], restart: always, "
		      "restart_delay: 0, stop_timeout: 10m}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "up"));
	pid_t supervisor = supervisor_pid(project, "web");
	run_pmo_start(project, &running, NULL, "stop", "web", NULL);
	WAIT_FOR(process_state(supervisor) == 'T');
	assert_true(service_is(project, "web", "status", "stopping"));
	assert_true(service_is(project, "web", "supervisor", "alive"));
	run_pmo_signal(&running, SIGKILL);
	run_pmo_finish(&running, &run);
	run_release(&run);
	assert_int_equal(process_state(supervisor), 'T');
}

static void test_interrupted_stop_is_told(void **state)
{
	static const char note[] = "'pmo stop web' was interrupted: run it again";
	struct test_project *project = *state;
	struct run run;
	interrupt_stop(project);
	assert_true(service_is(project, "web", "supervisor", "missing"));
	run_pmo(project, &run, "ls", NULL);
	assert_text_has(run.err, note);
	run_release(&run);
	run_pmo(project, &run, "resurrect", NULL);
	assert_int_equal(run.status, 1);
	assert_text_has(run.err, note);
	run_release(&run);
	kill_leader(project, "web");
	assert_false(service_is(project, "web", "status", "restarting"));
	run_pmo(project, &run, "resurrect", NULL);
	assert_int_equal(run.status, 1);
	assert_text_has(run.err, note);
	run_release(&run);
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
	resurrect(project, "");
}

static void test_interrupted_stop_is_taken_back(void **state)
{
	struct test_project *project = *state;
	interrupt_stop(project);
	pid_t pid = read_pid(project, "web");
	pmo_ok(project, "start", "web");
	assert_false(project_exists(project, ".pmo/pids/web.stop"));
	assert_true(service_is(project, "web", "supervisor", "alive"));
	kill_leader(project, "web");
	WAIT_FOR(has_new_leader(project, "web", pid));
	pmo_ok(project, "stop", "-t", "0", "web");
	assert_nothing_left(project, "web");
}

/* The supervisor is killed while the hook runs that comes before the very first run. */
static void kill_in_first_hook(struct test_project *project)
{
	struct running running;
	struct run run;
	configure_web(project, "wait",
		      "  restart: always\n  hooks:\n    pre_start: 'touch slowly; sleep 600'\n"
		      "    timeout: 10m\n");
	run_pmo_start(project, &running, NULL, "start", "web", NULL);
	WAIT_FOR(project_exists(project, "slowly"));
	pid_t supervisor = supervisor_pid(project, "web");
	assert_true(supervisor > 0);
	run_pmo_signal(&running, SIGKILL);
	run_pmo_finish(&running, &run);
	run_release(&run);
	kill_hard(supervisor);
	assert_true(project_processes(project, NULL, 0) > 0);
	unlink(project_path(project, "slowly"));
}

static void test_stop_finds_the_first_hook(void **state)
{
	struct test_project *project = *state;
	kill_in_first_hook(project);
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

static void test_never_two_first_hooks(void **state)
{
	struct test_project *project = *state;
	struct run run;
	kill_in_first_hook(project);
	run_pmo(project, &run, "start", "web", NULL);
	assert_int_equal(run.status, 1);
	assert_text_has(run.err, "its last run left pid ");
	assert_text_has(run.err, "'pmo stop web' ends ");
	run_release(&run);
	assert_false(project_exists(project, "slowly"));
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

/* It is about to be restarted: that is done at once, and nothing of the last run stays. */
static void test_start_while_the_last_run_is_cleared_up(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(
	    project, "pmo.yml",
	    "web: {cmd: [%s, setsid, '{', ignore, TERM, pid-file, child, wait, '}', wait], "
	    "restart: always, restart_delay: 0, stop_timeout: 3s}\n",
	    ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "child"));
	pid_t pid = read_pid(project, "web");
	char *text = project_read(project, "child");
	pid_t child = (pid_t)strtol(text, NULL, 10);
	free(text);
	pid_t supervisor = supervisor_pid(project, "web");
	kill_leader(project, "web");
	WAIT_FOR(supervisor_helper(supervisor) > 0);
	run_pmo(project, &run, "start", "web", NULL);
	assert_text(run.err, "");
	assert_int_equal(run.status, 0);
	run_release(&run);
	assert_true(has_new_leader(project, "web", pid));
	assert_false(process_alive(child));
	assert_false(process_alive(supervisor));
	assert_true(process_alive(supervisor_pid(project, "web")));
	pmo_ok(project, "stop", "-t", "0", "web");
	assert_nothing_left(project, "web");
}

/* Counts its generations in the file `beat`, each with a session of its own and gone before anybody
 * can look at it, until there is a file `end`. */
static int breed(void)
{
	int fd = open("beat", O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(unsigned)) < 0)
		return 1;
	volatile unsigned *beat =
	    mmap(NULL, sizeof(*beat), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (beat == MAP_FAILED)
		return 1;
	signal(SIGTERM, SIG_IGN);
	while (access("end", F_OK) < 0) {
		pid_t pid = fork();
		if (pid > 0)
			_exit(0);
		if (pid == 0)
			setsid();
		++*beat;
		usleep(200);
	}
	return 0;
}

static unsigned read_beat(struct test_project *project)
{
	unsigned beat = 0;
	int fd = open(project_path(project, "beat"), O_RDONLY);
	if (fd < 0)
		return 0;
	assert_int_equal(read(fd, &beat, sizeof(beat)), sizeof(beat));
	close(fd);
	return beat;
}

static void test_chain_is_not_said_to_be_gone(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(length > 0);
	self[length] = '\0';
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, breed], restart: always, start_watch: 0, stop_timeout: "
		      "200ms}\n",
		      self);
	pmo_ok(project, "start", "web");
	WAIT_FOR(read_beat(project) > 10);
	run_pmo(project, &run, "stop", "web", NULL);
	unsigned before = read_beat(project);
	wait_microseconds(50000);
	if (read_beat(project) != before)
		assert_int_equal(run.status, 1);
	run_release(&run);
	project_write(project, "end", "now\n");
	WAIT_FOR(project_processes(project, NULL, 0) == 0);
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_refused_stop_does_nothing),
		PROJECT_TEST(test_on_fail_asks_for_a_restart),
		PROJECT_TEST(test_terminated_supervisor_leaves_nobody),
		PROJECT_TEST(test_interrupted_stop_is_told),
		PROJECT_TEST(test_interrupted_stop_is_taken_back),
		PROJECT_TEST(test_stop_finds_the_first_hook),
		PROJECT_TEST(test_never_two_first_hooks),
		PROJECT_TEST(test_start_while_the_last_run_is_cleared_up),
		PROJECT_TEST(test_chain_is_not_said_to_be_gone),
	};
	if (argc > 1 && strcmp(argv[1], "breed") == 0)
		return breed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
