/*
 * Locks of services: taken, waited for, released by death.
 */
#include "support/support.h"

#include "base/clock.h"
#include "base/memory.h"
#include "os/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int open_lock(struct test_project *project, const char *name)
{
	int fd = open(project_path(project, "%s", name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void test_try(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	int first = open_lock(project, "web.lock");
	int second = open_lock(project, "web.lock");
	int other = open_lock(project, "db.lock");
	assert_int_equal(lock_try(first, "web", &err), LOCK_TAKEN);
	assert_int_equal(lock_try(first, "web", &err), LOCK_TAKEN);
	assert_int_equal(lock_try(second, "web", &err), LOCK_BUSY);
	assert_int_equal(lock_try(other, "db", &err), LOCK_TAKEN);
	assert_null(err.message);
	/* released by closing, and by closing alone */
	int copy = dup(first);
	close(first);
	assert_int_equal(lock_try(second, "web", &err), LOCK_BUSY);
	close(copy);
	assert_int_equal(lock_try(second, "web", &err), LOCK_TAKEN);
	close(second);
	close(other);
}

static void test_fails(void **state)
{
	struct error err = ERROR_INIT;
	(void)state;
	assert_int_equal(lock_try(-1, "web", &err), LOCK_FAILED);
	assert_string_equal(err.message, "cannot lock 'web': Bad file descriptor");
	assert_int_equal(err.kind, ERROR_FAILED);
	error_clear(&err);
	assert_int_equal(lock_wait(-1, INT64_MAX, "web", &err), -1);
	assert_string_equal(err.message, "cannot lock 'web': Bad file descriptor");
	error_clear(&err);
}

/* A process that takes the lock of PATH, says so through a pipe, and holds it for HOLD_MS (-1: for
 * ever). */
static pid_t start_holder(const char *path, int hold_ms)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		struct timespec time = { hold_ms / 1000, hold_ms % 1000 * 1000000L };
		if (hold_ms >= 0)
			nanosleep(&time, NULL);
		while (hold_ms < 0)
			pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void reap(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* Who waits too long is told who holds it. */
static void test_busy(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	int fd = open_lock(project, "web.lock");
	pid_t holder = start_holder(project_path(project, "web.lock"), -1);
	int64_t begin = clock_monotonic_ns();
	assert_int_equal(lock_wait(fd, begin + 50 * NSEC_PER_MSEC, "web", &err), -1);
	int64_t waited = clock_monotonic_ns() - begin;
	assert_true(waited >= 50 * NSEC_PER_MSEC);
	char *command CLEANUP_FREE = text_format("/proc/%ld/cmdline", (long)holder);
	char *program CLEANUP_FREE = read_file(command, NULL);
	char *expected CLEANUP_FREE =
	    text_format("'web' is locked by pid %ld (%s)", (long)holder, program);
	assert_string_equal(err.message, expected);
	assert_int_equal(err.kind, ERROR_FAILED);
	error_clear(&err);
	/* a time limit that has passed still tries once */
	assert_int_equal(lock_wait(fd, 0, "web", &err), -1);
	assert_string_equal(err.message, expected);
	error_clear(&err);
	kill(holder, SIGKILL);
	reap(holder);
	assert_int_equal(lock_wait(fd, 0, "web", &err), 0);
	close(fd);
}

/* The holder of another lock is not taken for this one's. */
static void test_busy_among_others(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	int first = open_lock(project, "a.lock");
	int second = open_lock(project, "b.lock");
	int third = open_lock(project, "c.lock");
	pid_t a = start_holder(project_path(project, "a.lock"), -1);
	pid_t b = start_holder(project_path(project, "b.lock"), -1);
	pid_t c = start_holder(project_path(project, "c.lock"), -1);
	assert_int_equal(lock_wait(second, 0, "b", &err), -1);
	char *expected CLEANUP_FREE = text_format("'b' is locked by pid %ld (", (long)b);
	check_text(err.message, expected, false, __FILE__, __LINE__);
	error_clear(&err);
	pid_t holders[] = { a, b, c };
	for (size_t i = 0; i < ARRAY_LENGTH(holders); i++) {
		kill(holders[i], SIGKILL);
		reap(holders[i]);
	}
	close(first);
	close(second);
	close(third);
}

/* A holder that nobody can name any more: the process that took it has died, its child lives. */
static void test_busy_by_heir(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	int ready[2];
	char byte;
	const char *path = project_path(project, "web.lock");
	int fd = open_lock(project, "web.lock");
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int lock = open(path, O_RDWR | O_CLOEXEC);
		if (flock(lock, LOCK_EX) < 0)
			_exit(1);
		/* the heir lives until the test has closed its end */
		if (fork() == 0) {
			close(ready[1]);
			(void)!read(ready[0], &byte, 1);
		}
		_exit(0);
	}
	reap(pid);
	assert_int_equal(lock_wait(fd, 0, "web", &err), -1);
	assert_string_equal(err.message, "'web' is locked by another pmo");
	error_clear(&err);
	close(ready[1]);
	assert_int_equal(lock_wait(fd, clock_monotonic_ns() + LOCK_TIMEOUT_NS, "web", &err), 0);
	close(ready[0]);
	close(fd);
}

static void test_wait(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	int fd = open_lock(project, "web.lock");
	pid_t holder = start_holder(project_path(project, "web.lock"), 60);
	assert_int_equal(lock_wait(fd, clock_monotonic_ns() + LOCK_TIMEOUT_NS, "web", &err), 0);
	assert_null(err.message);
	reap(holder);
	close(fd);
}

/* The kernel gives the lock back when its holder is killed, whatever it was doing. */
static void test_death(void **state)
{
	struct test_project *project = *state;
	struct error err = ERROR_INIT;
	int fd = open_lock(project, "web.lock");
	pid_t holder = start_holder(project_path(project, "web.lock"), -1);
	assert_int_equal(lock_try(fd, "web", &err), LOCK_BUSY);
	kill(holder, SIGSTOP);
	WAIT_FOR(process_state(holder) == 'T');
	assert_int_equal(lock_try(fd, "web", &err), LOCK_BUSY);
	kill(holder, SIGKILL);
	assert_int_equal(lock_wait(fd, clock_monotonic_ns() + LOCK_TIMEOUT_NS, "web", &err), 0);
	reap(holder);
	close(fd);
}

enum { CONTENDERS = 8, ROUNDS = 25 };

/* Read a number, wait, write it back one higher: as often as two do it at once, one is lost. */
static int count_up(const char *lock_path, const char *number_path)
{
	for (int i = 0; i < ROUNDS; i++) {
		int fd CLEANUP_CLOSE = open(lock_path, O_RDWR | O_CLOEXEC);
		if (lock_wait(fd, clock_monotonic_ns() + 60 * NSEC_PER_SEC, "web", NULL) < 0)
			return 1;
		char *text CLEANUP_FREE = read_file(number_path, NULL);
		char *next CLEANUP_FREE = text_format("%d", atoi(text) + 1);
		wait_microseconds(100);
		write_file(number_path, next, strlen(next));
	}
	return 0;
}

static void test_exclusion(void **state)
{
	struct test_project *project = *state;
	const char *lock_path = project_path(project, "web.lock");
	const char *number_path = project_path(project, "number");
	pid_t pids[CONTENDERS];
	close(open_lock(project, "web.lock"));
	project_write(project, "number", "0");
	for (int i = 0; i < CONTENDERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(count_up(lock_path, number_path));
	}
	for (int i = 0; i < CONTENDERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	char *text CLEANUP_FREE = project_read(project, "number");
	assert_int_equal(atoi(text), CONTENDERS * ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_try),          cmocka_unit_test(test_fails),
		PROJECT_TEST(test_busy),         PROJECT_TEST(test_busy_among_others),
		PROJECT_TEST(test_busy_by_heir), PROJECT_TEST(test_wait),
		PROJECT_TEST(test_death),        PROJECT_TEST(test_exclusion),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
