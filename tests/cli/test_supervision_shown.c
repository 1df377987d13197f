/*
 * What ls, status and JSON say of supervision, by the files under .pmo alone: the supervisors here
 * are children of the test that their records name.
 */
#include "support/support.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUICK "pmo: {defaults: {start_watch: 0}}\n"

static const struct run_options terminal = { .columns = 120 };

/* The identity of web's record, " TICKS BOOT ..." left out up to the boot. */
static char *read_boot_part(struct test_project *project)
{
	char *text = project_read(project, ".pmo/pids/web.time");
	assert_non_null(text);
	char *line = strchr(text, '\n') + 1;
	char *ticks = strchr(line, ' ') + 1;
	char *boot = text_format("%s", strchr(ticks, ' ') + 1);
	free(text);
	return boot;
}

static void write_supervisor(struct test_project *project, pid_t pid, unsigned long long ticks)
{
	char *boot = read_boot_part(project);
	project_write(project, ".pmo/pids/web.supervisor", "%d\n%d %llu %s", pid, pid, ticks, boot);
	free(boot);
}

/* A service that runs, and a supervisor, with a helper in its session and a child outside it. */
struct supervised {
	struct test_project *project;
	pid_t supervisor;
	pid_t helper;
	pid_t child;
};

static pid_t read_number(struct test_project *project, const char *name)
{
	WAIT_FOR(project_exists(project, name));
	char *text = project_read(project, name);
	pid_t pid = (pid_t)strtol(text, NULL, 10);
	free(text);
	assert_true(pid > 1);
	return pid;
}

static void supervise(struct supervised *supervised, struct test_project *project)
{
	supervised->project = project;
	project_write(project, "pmo.yml", QUICK "web: {cmd: [%s, wait]}\n", ACTOR);
	pmo_ok(project, "start", "web");
	supervised->supervisor =
	    child_start(ACTOR, "fork", "{", "pid-file", project_path(project, "helper"), "wait",
			"}", "setsid", "{", "pid-file", project_path(project, "child"), "touch",
			project_path(project, "ready"), "wait", "}", "wait", NULL);
	WAIT_FOR(project_exists(project, "ready"));
	supervised->helper = read_number(project, "helper");
	supervised->child = read_number(project, "child");
	write_supervisor(project, supervised->supervisor,
			 process_start_ticks(supervised->supervisor));
}

static void kill_supervisor(struct supervised *supervised)
{
	child_stop(supervised->supervisor);
	kill(supervised->helper, SIGKILL);
	kill(supervised->child, SIGKILL);
	WAIT_FOR(!process_alive(supervised->helper) && !process_alive(supervised->child));
}

static void kill_leader(struct supervised *supervised)
{
	pid_t pid = read_pid(supervised->project, "web");
	assert_int_equal(kill(pid, SIGKILL), 0);
	WAIT_FOR(!process_alive(pid));
}

static void forget(struct supervised *supervised, const char *file)
{
	assert_int_equal(unlink(project_path(supervised->project, ".pmo/pids/web.%s", file)), 0);
}

static void assert_status(struct test_project *project, int status, const char *path,
			  const char *expected)
{
	struct run run;
	run_pmo(project, &run, "status", "--json", "web", NULL);
	assert_int_equal(run.status, status);
	char *full = text_format("0/%s", path);
	assert_json(run.out, full, expected);
	free(full);
	run_release(&run);
}

/* What ls shows on a terminal, and status. */
static void assert_shown(struct test_project *project, const char *listed, const char *panel)
{
	struct run run;
	run_pmo_with(project, &run, &terminal, "--no-color", "ls", NULL);
	assert_out_has(&run, listed);
	run_release(&run);
	run_pmo(project, &run, "status", "web", NULL);
	assert_out_has(&run, panel);
	run_release(&run);
}

static void test_alive(void **state)
{
	struct supervised supervised;
	struct run run;
	supervise(&supervised, *state);
	char *pid = text_format("%d", supervised.supervisor);
	char *panel = text_format("  supervisor  %s\n", pid);
	assert_status(*state, 0, "supervisor_pid", pid);
	assert_status(*state, 0, "supervisor", "alive");
	assert_status(*state, 0, "status", "running");
	/* the leader, and the child outside the supervisor's session; neither it nor its helper */
	assert_status(*state, 0, "processes", "2");
	assert_status(*state, 0, "next_try_at", "null");
	assert_shown(*state, "1 of 1 running\r\n", panel);
	run_pmo_with(*state, &run, &terminal, "--no-color", "ls", NULL);
	assert_out_lacks(&run, "web:");
	run_release(&run);
	free(panel);
	free(pid);
	kill_supervisor(&supervised);
	pmo_ok(*state, "stop", "web");
	assert_int_equal(project_count(*state, ".pmo/pids", "web.supervisor"), 0);
}

/* Off a terminal ls says it on standard error, and with --json in the array alone. */
static void assert_warned(struct test_project *project, const char *warning)
{
	struct run run;
	run_pmo(project, &run, "ls", NULL);
	assert_run(&run, 0, "%ANYweb%LINE\n", warning);
	run_release(&run);
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_run(&run, 0, NULL, "");
	run_release(&run);
}

static void test_missing(void **state)
{
	struct supervised supervised;
	supervise(&supervised, *state);
	assert_warned(*state, "");
	kill_supervisor(&supervised);
	assert_warned(*state, "pmo: warning: the supervisor of 'web' is gone: 'pmo resurrect' "
			      "gives it a new one\n");
	assert_status(*state, 0, "status", "running");
	assert_status(*state, 0, "supervisor_pid", "null");
	assert_status(*state, 0, "supervisor", "missing");
	assert_shown(*state, "web: its supervisor is gone; pmo resurrect gives it a new one\r\n",
		     "  supervisor  missing: pmo resurrect gives it a new one\n");
	/* another process has its pid by now */
	write_supervisor(*state, getpid(), 1);
	assert_status(*state, 0, "supervisor", "missing");
	assert_status(*state, 0, "processes", "1");
	project_write(*state, ".pmo/pids/web.supervisor", "garbage\033[31m\n");
	assert_status(*state, 0, "supervisor", "missing");
	forget(&supervised, "supervisor");
	assert_status(*state, 0, "supervisor", "null");
	pmo_ok(*state, "stop", "web");
}

static void write_exit(struct test_project *project, const char *end, const char *details,
		       long next_in_s)
{
	long now = (long)time(NULL);
	char *next =
	    next_in_s ? text_format("next %ld.5\n", now + next_in_s) : text_format("%s", "");
	project_write(project, ".pmo/pids/web.exit", "%s %ld.999999\n%s%s", end, now, next,
		      details);
	free(next);
}

static void test_restarting(void **state)
{
	struct supervised supervised;
	supervise(&supervised, *state);
	project_write(*state, ".pmo/pids/web.restarts", "4\n");
	kill_leader(&supervised);
	write_exit(*state, "signal 9", "", 1000);
	assert_status(*state, 0, "status", "restarting");
	assert_status(*state, 0, "exit_signal", "9");
	assert_status(*state, 0, "exit_reason", "null");
	assert_status(*state, 0, "next_try_at", "%NUMBER-%NUMBER-%WORD");
	assert_shown(*state, "web: next try in 16m %NUMBERs (signal KILL, 4 restarts)\r\n",
		     "  status      restarting (next try in 16m %NUMBERs)\n"
		     "  last end    signal KILL, %TIME\n");
	write_exit(*state, "signal 15", "reason its memory passed 512M\n", -5);
	assert_status(*state, 0, "exit_reason", "its memory passed 512M");
	assert_shown(*state, "web: next try now (its memory passed 512M, 4 restarts)\r\n",
		     "  reason      its memory passed 512M\n");
	/* nobody is left to try it again */
	write_exit(*state, "signal 9", "", 1000);
	kill_supervisor(&supervised);
	assert_status(*state, 1, "status", "errored");
	assert_status(*state, 1, "next_try_at", "null");
	assert_shown(*state,
		     "web: signal KILL, %TIME, and its supervisor is gone; see pmo logs web",
		     "  status      errored (signal KILL, %TIME)\n");
	pmo_ok(*state, "stop", "web");
}

/* Between the end of a run and its record: .exit tells of none, or of an earlier one. */
static void test_in_between(void **state)
{
	struct supervised supervised;
	supervise(&supervised, *state);
	kill_leader(&supervised);
	assert_status(*state, 0, "status", "stopping");
	project_write(*state, ".pmo/pids/web.exit", "code 1 1700000000.5\nnext 1700000001.5\n");
	assert_status(*state, 0, "status", "stopping");
	project_write(*state, "pmo.yml", "web: {cmd: [%s, wait], restart: always}\n", ACTOR);
	assert_status(*state, 0, "status", "restarting");
	forget(&supervised, "exit");
	assert_shown(*state, "web: next try soon (exit status unknown, 0 restarts)\r\n",
		     "  status      restarting (next try soon)\n");
	kill_supervisor(&supervised);
	pmo_ok(*state, "stop", "web");
}

static void test_given_up(void **state)
{
	struct supervised supervised;
	supervise(&supervised, *state);
	kill_leader(&supervised);
	write_exit(*state, "code 1", "reason gave up after 16 restarts in a row\n", 0);
	/* still there for its last hooks */
	assert_status(*state, 1, "status", "errored");
	kill_supervisor(&supervised);
	forget(&supervised, "pid");
	forget(&supervised, "time");
	assert_status(*state, 1, "supervisor", "null");
	forget(&supervised, "supervisor");
	assert_status(*state, 1, "exit_reason", "gave up after 16 restarts in a row");
	assert_shown(*state,
		     "web: gave up after 16 restarts in a row (exit status 1), %TIME; see pmo logs "
		     "web\r\n",
		     "  status      errored (exit status 1, %TIME)\n"
		     "  reason      gave up after 16 restarts in a row\n");
	/* also where the last of them ended well */
	write_exit(*state, "code 0", "reason \033]0;gave up\n", 0);
	assert_status(*state, 1, "status", "errored");
	assert_shown(*state, "web: \\x1b]0;gave up (exit status 0), %TIME; see pmo logs web\r\n",
		     "  reason      \\x1b]0;gave up\n");
	write_exit(*state, "code 0", "", 0);
	assert_status(*state, 3, "status", "exited");
	write_exit(*state, "unknown 0", "", 0);
	assert_status(*state, 1, "status", "exited");
	assert_status(*state, 1, "exit_code", "null");
	assert_shown(*state, "web: exit status unknown, %TIME; see pmo logs web\r\n",
		     "  status      exited (exit status unknown, %TIME)\n");
}

/* A supervisor that has not started its service yet, because a hook runs before. */
static void test_preparing(void **state)
{
	struct supervised supervised;
	supervise(&supervised, *state);
	kill_leader(&supervised);
	forget(&supervised, "pid");
	forget(&supervised, "time");
	assert_status(*state, 0, "status", "starting");
	project_write(*state, ".pmo/pids/web.exit", "code 1 1700000000.5\n");
	assert_status(*state, 0, "status", "starting");
	/* also where pmo.yml does not name it any more */
	project_write(*state, "pmo.yml", "other: x\n");
	forget(&supervised, "exit");
	assert_status(*state, 0, "status", "starting");
	kill_supervisor(&supervised);
	assert_status(*state, 3, "status", "stopped");
	assert_status(*state, 3, "supervisor", "null");
}

/* A number of the first service of `ls --json`. */
static double figure(struct test_project *project, const char *key)
{
	char *path = text_format("0/%s", key);
	struct run run;
	run_pmo(project, &run, "ls", "--json", "--sample", "0", NULL);
	assert_run(&run, 0, NULL, NULL);
	char *value = json_get(run.out, path);
	double number = value && strcmp(value, "null") != 0 ? strtod(value, NULL) : NAN;
	free(value);
	free(path);
	run_release(&run);
	return number;
}

static void test_past(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: [%s, fork, '{', hold, 40M, burn, '}', wait]}\n", ACTOR);
	assert_true(isnan(figure(project, "memory_peak_bytes")));
	assert_true(isnan(figure(project, "cpu_seconds")));
	pmo_ok(project, "start", "web");
	WAIT_FOR(figure(project, "cpu_seconds") > 0.2);
	assert_true(figure(project, "memory_peak_bytes") > 40 << 20);
	double before = figure(project, "cpu_seconds");
	WAIT_FOR(figure(project, "cpu_seconds") > before);
	run_pmo(project, &run, "status", "web", NULL);
	assert_out_has(&run, "  peak memory %NUMBERmb\n  cpu time    %NUMBERs\n");
	run_release(&run);
	pmo_ok(project, "stop", "web");
	assert_true(isnan(figure(project, "cpu_seconds")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_alive),      PROJECT_TEST(test_missing),
		PROJECT_TEST(test_restarting), PROJECT_TEST(test_in_between),
		PROJECT_TEST(test_given_up),   PROJECT_TEST(test_preparing),
		PROJECT_TEST(test_past),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
