/*
 * Signals reach the process they are meant for, or nobody.
 */
#include "support/support.h"

#include "base/memory.h"
#include "os/signal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY_ID = 65534 };

static int open_proc(void)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static pid_t start_stranger(void)
{
	return child_start("/bin/sleep", "300", NULL);
}

static void test_send(void **state)
{
	int proc_fd CLEANUP_CLOSE = open_proc();
	int status;
	(void)state;
	pid_t pid = start_stranger();
	uint64_t ticks = process_start_ticks(pid);
	assert_int_equal(signal_send(proc_fd, pid, ticks, 0), 0);
	assert_true(process_alive(pid));
	assert_int_equal(signal_send(proc_fd, pid, ticks, SIGUSR1), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGUSR1);
	assert_int_equal(signal_send(proc_fd, pid, ticks, SIGTERM), -ESRCH);
}

/* The pid is right but the process is another: it lives. */
static void test_stranger(void **state)
{
	int proc_fd CLEANUP_CLOSE = open_proc();
	(void)state;
	pid_t pid = start_stranger();
	uint64_t ticks = process_start_ticks(pid);
	const uint64_t wrong[] = { 0,         1, ticks - 1, ticks + 1, ticks + (UINT64_C(1) << 32),
				   UINT64_MAX };
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
		assert_int_equal(signal_send(proc_fd, pid, wrong[i], SIGKILL), -ESRCH);
		assert_int_equal(signal_open(proc_fd, pid, wrong[i]), -ESRCH);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_true(process_alive(pid));
	child_stop(pid);
}

static void test_refused(void **state)
{
	static const pid_t pids[] = { 0, 1, -1, -2, INT_MIN };
	int proc_fd CLEANUP_CLOSE = open_proc();
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(pids); i++) {
		uint64_t ticks = pids[i] == 1 ? process_start_ticks(1) : 0;
		assert_int_equal(signal_send(proc_fd, pids[i], ticks, 0), -EINVAL);
		assert_int_equal(signal_open(proc_fd, pids[i], ticks), -EINVAL);
	}
	/* a negative pid would be a process group: ours has us in it */
	assert_int_equal(signal_send(proc_fd, -getpgrp(), 0, SIGTERM), -EINVAL);
	/* itself, with everything right */
	uint64_t own = process_start_ticks(getpid());
	assert_int_equal(signal_send(proc_fd, getpid(), own, SIGKILL), -EINVAL);
	assert_int_equal(signal_open(proc_fd, getpid(), own), -EINVAL);
	assert_int_equal(signal_send(proc_fd, INT_MAX, 1, SIGKILL), -ESRCH);
}

/* A zombie can still be named, and takes nothing amiss. */
static void test_zombie(void **state)
{
	int proc_fd CLEANUP_CLOSE = open_proc();
	(void)state;
	pid_t pid = start_stranger();
	uint64_t ticks = process_start_ticks(pid);
	kill(pid, SIGKILL);
	WAIT_FOR(process_state(pid) == 'Z');
	int result = signal_send(proc_fd, pid, ticks, SIGTERM);
	assert_true(result == 0 || result == -ESRCH);
	child_stop(pid);
}

static void test_open(void **state)
{
	int proc_fd CLEANUP_CLOSE = open_proc();
	(void)state;
	pid_t pid = start_stranger();
	int pidfd = signal_open(proc_fd, pid, process_start_ticks(pid));
	assert_true(pidfd >= 0);
	assert_int_equal(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	struct pollfd entry = { .fd = pidfd, .events = POLLIN };
	assert_int_equal(poll(&entry, 1, 0), 0);
	assert_int_equal(signal_send_open(pidfd, 0), 0);
	assert_int_equal(signal_send_open(pidfd, 12345), -EINVAL);
	assert_int_equal(signal_send_open(pidfd, SIGKILL), 0);
	assert_int_equal(poll(&entry, 1, 10000), 1);
	child_stop(pid);
	assert_int_equal(signal_send_open(pidfd, SIGKILL), -ESRCH);
	close(pidfd);
	assert_int_equal(signal_send_open(-1, SIGKILL), -EBADF);
}

/* Failures leave no descriptor behind. */
static void test_descriptors(void **state)
{
	int proc_fd CLEANUP_CLOSE = open_proc();
	(void)state;
	pid_t pid = start_stranger();
	for (int i = 0; i < 50; i++) {
		assert_int_equal(signal_open(proc_fd, pid, 1), -ESRCH);
		assert_int_equal(signal_send(proc_fd, pid, process_start_ticks(pid), 0), 0);
		assert_int_equal(signal_open(-1, pid, 1), -EBADF);
	}
	int next = dup(proc_fd);
	assert_int_equal(next, proc_fd + 1);
	close(next);
	child_stop(pid);
}

struct thread_id {
	pid_t id;
	pthread_barrier_t *barrier;
};

static void *thread_run(void *argument)
{
	struct thread_id *thread = argument;
	thread->id = gettid();
	pthread_barrier_wait(thread->barrier);
	pthread_barrier_wait(thread->barrier);
	return NULL;
}

/* The number of a thread is no process, although /proc answers to it. */
static void test_thread(void **state)
{
	int proc_fd CLEANUP_CLOSE = open_proc();
	pthread_barrier_t barrier;
	pthread_t thread;
	struct thread_id other = { 0, &barrier };
	(void)state;
	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, thread_run, &other), 0);
	pthread_barrier_wait(&barrier);
	uint64_t ticks = process_start_ticks(other.id);
	assert_int_equal(signal_send(proc_fd, other.id, ticks, SIGKILL), -ESRCH);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
}

static void test_not_permitted(void **state)
{
	int proc_fd CLEANUP_CLOSE = open_proc();
	int status;
	(void)state;
	SKIP_UNLESS_ROOT();
	pid_t stranger = start_stranger();
	uint64_t ticks = process_start_ticks(stranger);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgid(NOBODY_ID) < 0 || setuid(NOBODY_ID) < 0)
			_exit(99);
		_exit(-signal_send(proc_fd, stranger, ticks, SIGTERM));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EPERM);
	assert_true(process_alive(stranger));
	child_stop(stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send),    cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_zombie),
		cmocka_unit_test(test_open),    cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_thread),  cmocka_unit_test(test_not_permitted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
