/*
 * A supervisor that is killed at each of the system calls of a restart: the service is tracked, or
 * does not run; a stop leaves nothing; a new supervisor brings it back.
 */
#include "support/supervised.h"
#include "support/support.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLER PMO_HELPERS "/syscall-killer"

/* A tracer that will kill PID at its N-th stop; returns when it is attached, 0 if it may not. */
static pid_t killer_start(pid_t pid, int n)
{
	char numbers[2][16];
	char answer[16] = "";
	int ends[2];
	snprintf(numbers[0], sizeof(numbers[0]), "%d", pid);
	snprintf(numbers[1], sizeof(numbers[1]), "%d", n);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t killer = fork();
	if (killer == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execl(KILLER, "syscall-killer", numbers[0], numbers[1], NULL);
		_exit(127);
	}
	close(ends[1]);
	ssize_t got = read(ends[0], answer, sizeof(answer) - 1);
	close(ends[0]);
	if (got > 0)
		return killer;
	int status;
	waitpid(killer, &status, 0);
	return 0;
}

/* Whether the supervisor was killed: a restart has only so many system calls. */
static bool killer_finish(struct test_project *project, pid_t killer, pid_t old)
{
	int status;
	double limit = wait_now() + 5;
	while (waitpid(killer, &status, WNOHANG) == 0) {
		pid_t pid = read_pid(project, "web");
		/* it runs again, and its supervisor has come to rest */
		if (pid != old && process_alive(pid) && wait_now() > limit - 4.8) {
			kill(killer, SIGKILL);
			waitpid(killer, &status, 0);
			return false;
		}
		assert_true(wait_now() < limit);
		wait_microseconds(500);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Every process of the service is the recorded leader, or ends by itself: a child that was held. */
static bool all_is_tracked(struct test_project *project)
{
	pid_t pids[8];
	size_t count = project_processes(project, pids, 8);
	return count == 0 || (count == 1 && pids[0] == read_pid(project, "web"));
}

static void start_service(struct test_project *project)
{
	pmo_ok(project, "start", "web");
	WAIT_FOR(supervisor_pid(project, "web") > 0 && process_alive(read_pid(project, "web")));
}

/* Returns false when N is beyond the last system call of a restart. */
static bool kill_at(struct test_project *project, int n, bool *refused)
{
	start_service(project);
	pid_t pid = read_pid(project, "web");
	pid_t supervisor = supervisor_pid(project, "web");
	pid_t killer = killer_start(supervisor, n);
	*refused = killer == 0;
	if (killer == 0)
		return false;
	kill(pid, SIGKILL);
	bool killed = killer_finish(project, killer, pid);
	if (killed)
		WAIT_FOR(!process_alive(supervisor));
	WAIT_FOR(all_is_tracked(project));
	return killed;
}

static void test_killed_at_each_call_of_a_restart(void **state)
{
	struct test_project *project = *state;
	bool refused = false;
	int n = 1;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], restart: always, restart_delay: 0, start_watch: 0}\n",
		      ACTOR);
	for (; kill_at(project, n, &refused); n++) {
		/* every other time it is brought back first */
		if (n % 2 == 0) {
			pmo_ok(project, "resurrect");
			WAIT_FOR(process_alive(read_pid(project, "web")));
			assert_true(process_alive(supervisor_pid(project, "web")));
			WAIT_FOR(all_is_tracked(project));
		}
		pmo_ok(project, "stop", "web");
		assert_int_equal(project_processes(project, NULL, 0), 0);
		/* not even what was half written, apart from the count of restarts */
		assert_int_equal(project_count(project, ".pmo/pids", "web.[!lr]*"), 0);
	}
	if (refused)
		SKIP("may not trace processes here");
	print_message("killed at %d places, held at %d\n", n - 1, n - 1);
	assert_true(n > 40);
	pmo_ok(project, "stop", "web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_killed_at_each_call_of_a_restart,
						project_setup_in_memory, project_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
