/*
 * Locks: taken in name order, waited for at most 10 s, the holder named, never left behind.
 */
#include "support/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLE "pmo: {defaults: {start_watch: 0}}\nweb: &a {cmd: [" ACTOR ", wait]}\nother: *a\n"

static int hold_lock(struct test_project *project, const char *name)
{
	const char *path = project_path(project, ".pmo/pids/%s.lock", name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

/* start, stop, restart and delete wait for it, but not for ever; readers do not wait at all. */
static void test_busy_lock(void **state)
{
	static const char *const commands[] = { "start", "stop", "restart", "delete" };
	enum { COMMANDS = 4 };
	struct test_project *project = *state;
	struct running running[COMMANDS];
	struct run run;
	char *expected;
	int lock;
	int i;

	project_write(project, "pmo.yml", "%s", SAMPLE);
	pmo_ok(project, "start", "all");
	lock = hold_lock(project, "web");
	expected =
	    text_format("pmo: %%LINE'web' is locked by pid %d (%%LINE)%%LINE\n", (int)getpid());
	for (i = 0; i < COMMANDS; i++)
		run_pmo_start(project, &running[i], NULL, commands[i], "web", NULL);
	run_pmo(project, &run, "ls", NULL);
	assert_run(&run, 0, NULL, "");
	assert_true(run.seconds < 5);
	run_release(&run);
	run_pmo(project, &run, "status", "web", NULL);
	assert_run(&run, 0, NULL, "");
	assert_true(run.seconds < 5);
	run_release(&run);
	for (i = 0; i < COMMANDS; i++) {
		run_pmo_finish(&running[i], &run);
		assert_run(&run, 1, NULL, expected);
		assert_true(run.seconds >= 9.5 && run.seconds < 15);
		run_release(&run);
	}
	free(expected);
	close(lock);
	assert_true(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "all");
}

/* It goes on as soon as the lock is free. */
static void test_lock_is_waited_for(void **state)
{
	struct test_project *project = *state;
	struct running running;
	struct run run;
	int lock;

	project_write(project, "pmo.yml", "%s", SAMPLE);
	pmo_ok(project, "start", "other");
	lock = hold_lock(project, "web");
	run_pmo_start(project, &running, NULL, "start", "all", NULL);
	wait_microseconds(100000);
	assert_true(process_alive(running.pid));
	close(lock);
	run_pmo_finish(&running, &run);
	assert_run(&run, 0, NULL, "");
	assert_true(run.seconds < 5);
	run_release(&run);
	pmo_ok(project, "stop", "all");
}

/* Neither a service nor anything else keeps a lock after pmo is gone. */
static void test_lock_is_not_inherited(void **state)
{
	struct test_project *project = *state;
	struct running running;
	struct run run;
	int round;

	project_write(project, "pmo.yml", "%s", SAMPLE);
	for (round = 0; round < 30; round++) {
		run_pmo_start(project, &running, NULL, "restart", "all", NULL);
		wait_microseconds(round * 400);
		run_pmo_signal(&running, SIGKILL);
		run_pmo_finish(&running, &run);
		run_release(&run);
		run_pmo(project, &run, "start", "all", NULL);
		assert_run(&run, 0, NULL, "");
		assert_true(run.seconds < 5);
		run_release(&run);
	}
	close(hold_lock(project, "web"));
	close(hold_lock(project, "other"));
	pmo_ok(project, "stop", "all");
}

/* The watch does not hold the lock: `stop` gets in at once. */
static void test_watch_holds_no_lock(void **state)
{
	struct test_project *project = *state;
	struct running running;
	struct run run;

	project_write(project, "pmo.yml", "web:\n  cmd: [%s, wait]\n  start_watch: 8s\n", ACTOR);
	run_pmo_start(project, &running, NULL, "start", "web", NULL);
	WAIT_FOR(process_alive(read_pid(project, "web")));
	run_pmo(project, &run, "stop", "web", NULL);
	assert_run(&run, 0, NULL, NULL);
	assert_true(run.seconds < 5);
	run_release(&run);
	run_pmo_finish(&running, &run);
	assert_int_equal(run.signal, 0);
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* Two that name the same services in opposite orders do not wait for each other for ever. */
static void test_opposite_orders(void **state)
{
	struct test_project *project = *state;
	enum { PAIRS = 10 };
	struct running running[2 * PAIRS];
	struct run run;
	int i;

	project_write(project, "pmo.yml", "%s", SAMPLE);
	for (i = 0; i < PAIRS; i++) {
		run_pmo_start(project, &running[2 * i], NULL, "restart", "web", "other", NULL);
		run_pmo_start(project, &running[2 * i + 1], NULL, "restart", "other", "web", NULL);
	}
	for (i = 0; i < 2 * PAIRS; i++) {
		run_pmo_finish(&running[i], &run);
		assert_run(&run, 0, NULL, NULL);
		run_release(&run);
	}
	pmo_ok(project, "stop", "all");
}

static void test_lock_file_stays_and_is_private(void **state)
{
	struct test_project *project = *state;
	struct stat before;
	struct stat after;
	struct stat directory;

	project_write(project, "pmo.yml", "%s", SAMPLE);
	pmo_ok(project, "start", "web");
	assert_int_equal(stat(project_path(project, ".pmo/pids/web.lock"), &before), 0);
	pmo_ok(project, "restart", "web");
	pmo_ok(project, "stop", "web");
	assert_int_equal(stat(project_path(project, ".pmo/pids/web.lock"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_mode & 07777, 0600);
	assert_int_equal(stat(project_path(project, ".pmo"), &directory), 0);
	assert_int_equal(directory.st_mode & 07777, 0700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_busy_lock),
		PROJECT_TEST(test_lock_is_waited_for),
		PROJECT_TEST(test_lock_is_not_inherited),
		PROJECT_TEST(test_watch_holds_no_lock),
		PROJECT_TEST(test_opposite_orders),
		PROJECT_TEST(test_lock_file_stays_and_is_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
