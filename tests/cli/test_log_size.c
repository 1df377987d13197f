/*
 * log_max_size: logs of running services are rotated, and nobody notices.
 */
#include "support/guarded.h"
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where a file system cannot take away the front of a file a line is lost that is written within
 * the microsecond between copying and emptying: one of a thousand rotations would show it. */
enum { MOST_LOST = 1 };

static long file_size(struct test_project *project, const char *name)
{
	struct stat status;
	return stat(project_path(project, "%s", name), &status) < 0 ? -1 : (long)status.st_size;
}

static bool log_exists(struct test_project *project, const char *name, int number)
{
	return project_exists(project, project_path(project, ".pmo/logs/%s.%d", name, number));
}

/* The numbers of all "line N" in TEXT ascend by one; returns how many there are. */
static long check_lines(const char *text)
{
	long last = 0;
	long count = 0;
	long lost = 0;
	for (const char *at = text; (at = strstr(at, "line ")); at++) {
		long number = strtol(at + 5, NULL, 10);
		if (count++ > 0 && number != last + 1)
			print_message("line %ld comes after line %ld\n", number, last);
		if (count > 1)
			assert_true(number > last);
		lost += count > 1 ? number - last - 1 : 0;
		last = number;
	}
	assert_true(lost <= MOST_LOST);
	return count;
}

/* A log with what was rotated, the oldest first. */
static char *read_chain(struct test_project *project, const char *name, int kept)
{
	char *all = text_format("%s", "");
	for (int number = kept; number >= 0; number--) {
		char *part =
		    project_read(project, number == 0 ? project_path(project, ".pmo/logs/%s", name)
						      : project_path(project, ".pmo/logs/%s.%d",
								     name, number));
		char *longer = text_format("%s%s", all, part ? part : "");
		free(part);
		free(all);
		all = longer;
	}
	return all;
}

static void test_rotated_and_kept(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, print, err, hello, print-forever], log_max_size: 4K, "
		      "log_keep: 3}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	WAIT_FOR(log_exists(project, "web-out.log", 3));
	/* three rotations more, at least */
	char *first = project_read(project, ".pmo/logs/web-out.log.1");
	char *line = text_format("%.*s", (int)strcspn(first, "\n"), first);
	WAIT_FOR(file_says(project, ".pmo/logs/web-out.log.3", line));
	WAIT_FOR(!file_says(project, ".pmo/logs/web-out.log.3", line));
	assert_false(log_exists(project, "web-out.log", 4));
	assert_int_equal(read_pid(project, "web"), pid);
	assert_true(process_alive(pid));
	pmo_ok(project, "stop", "web");
	char *all = read_chain(project, "web-out.log", 3);
	assert_true(check_lines(all) > 500);
	assert_true(file_size(project, ".pmo/logs/web-out.log.1") > 4096);
	assert_true(file_size(project, ".pmo/logs/web-out.log.1") < 100000);
	/* who is small enough stays */
	assert_false(log_exists(project, "web-error.log", 1));
	assert_true(file_says(project, ".pmo/logs/web-error.log", "hello\n"));
	assert_int_equal(project_count(project, ".pmo/logs", "*.part"), 0);
	free(all);
	free(line);
	free(first);
}

static void test_nothing_kept(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, lines, '3000', touch, done, wait], log_max_size: 4K, "
		      "log_keep: 0}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "done"));
	WAIT_FOR(file_size(project, ".pmo/logs/web-out.log") <= 4096);
	assert_int_equal(project_count(project, ".pmo/logs", "web-out.log.*"), 0);
	pmo_ok(project, "stop", "web");
}

static void test_merged(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, print, err, hello, print-forever], log_max_size: 4K, "
		      "log_keep: 10, merge_logs: true}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(log_exists(project, "web.log", 3));
	pmo_ok(project, "stop", "web");
	char *all = read_chain(project, "web.log", 10);
	assert_non_null(strstr(all, "hello\n"));
	assert_non_null(strstr(all, "line 1\n"));
	assert_true(check_lines(all) > 500);
	free(all);
}

static bool has_output(struct running *running, const char *text)
{
	char *output = run_pmo_output(running);
	bool found = strstr(output, text) != NULL;
	free(output);
	return found;
}

static void test_followed(void **state)
{
	struct test_project *project = *state;
	struct running running;
	struct run run;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait-file, go, print-forever], log_max_size: 4K, log_keep: "
		      "20}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	run_pmo_start(project, &running, NULL, "logs", "-f", "--out", "web", NULL);
	WAIT_FOR(has_output(&running, "Starting service"));
	project_write(project, "go", "now\n");
	WAIT_FOR(log_exists(project, "web-out.log", 5));
	WAIT_FOR(has_output(&running, "line 2500\n"));
	run_pmo_signal(&running, SIGINT);
	run_pmo_finish(&running, &run);
	assert_non_null(strstr(run.out, "line 1\n"));
	assert_true(check_lines(run.out) >= 2500 - MOST_LOST);
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

/* The logs of two services side by side, of a supervised one that comes back in between. */
static void test_rotated_after_a_restart(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, print-forever], log_max_size: 4K, restart: always, "
		      "restart_delay: 0}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	WAIT_FOR(log_exists(project, "web-out.log", 1));
	assert_int_equal(kill(pid, SIGKILL), 0);
	WAIT_FOR(has_new_leader(project, "web", pid));
	WAIT_FOR(log_exists(project, "web-out.log", 3));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_rotated_and_kept),
		PROJECT_TEST(test_nothing_kept),
		PROJECT_TEST(test_merged),
		PROJECT_TEST(test_followed),
		PROJECT_TEST(test_rotated_after_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
