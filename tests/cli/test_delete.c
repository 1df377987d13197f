/*
 * pmo delete: stops, then removes state and logs; asks before it deletes several.
 */
#include "support/support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUICK  "pmo: {defaults: {start_watch: 0}}\n"
#define SAMPLE QUICK "web: &a {cmd: [" ACTOR ", wait]}\napi: *a\n"

static void test_delete(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "%s", SAMPLE);
	pmo_ok(project, "start", "all");
	pmo_ok(project, "restart", "web");
	run_pmo(project, &run, "delete", "web", NULL);
	assert_run(&run, 0, "deleted web\n", "");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 1);
	/* the lock file is never removed */
	assert_int_equal(project_count(project, ".pmo/pids", "web.*"), 1);
	assert_int_equal(project_count(project, ".pmo/pids", "web.lock"), 1);
	assert_int_equal(project_count(project, ".pmo/logs", "web*"), 0);
	assert_true(process_alive(read_pid(project, "api")));
	assert_int_equal(project_count(project, ".pmo/logs", "api*"), 2);
	pmo_ok(project, "rm", "api");
	assert_true(project_exists(project, "pmo.yml"));
}

/* Also logs that pmo.yml put elsewhere, but nothing that is not a log. */
static void test_custom_logs(void **state)
{
	struct test_project *project = *state;

	project_write(project, "logs/keep", "x");
	project_write(project, "pmo.yml",
		      QUICK "web:\n  cmd: [%s, print, out, x, touch, ready, wait]\n"
			    "  out_file: logs/o.log\n  error_file: /dev/null\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	pmo_ok(project, "restart", "web");
	assert_int_equal(project_count(project, "logs", "o.log*"), 2);
	pmo_ok(project, "delete", "web");
	assert_int_equal(project_count(project, "logs", "*"), 1);
	assert_int_equal(access("/dev/null", W_OK), 0);
}

/* What it wrote before merge_logs came or went, but nothing that another service may write. */
static void test_logs_of_an_earlier_form(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", QUICK "web: {cmd: [%s, wait]}\nweb-out: {cmd: 'true'}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	/* web-out.log is what web-out would have with merge_logs, but `web` writes it */
	project_write(project, ".pmo/logs/web-out-out.log", "its own");
	pmo_ok(project, "delete", "web-out");
	assert_true(project_exists(project, ".pmo/logs/web-out.log"));
	assert_false(project_exists(project, ".pmo/logs/web-out-out.log"));
	pmo_ok(project, "stop", "web");
	project_write(project, "pmo.yml",
		      QUICK "web: {cmd: 'true', merge_logs: true, out_file: o}\n"
			    "web-error: {cmd: 'true', merge_logs: true}\n"
			    "own: {cmd: 'true', out_file: .pmo/logs/web.log}\n");
	project_write(project, ".pmo/logs/web-out.log.1", "earlier");
	project_write(project, ".pmo/logs/web-error.log", "of web-error");
	project_write(project, ".pmo/logs/web.log", "of own");
	run_pmo(project, &run, "delete", "web", NULL);
	assert_run(&run, 0, "deleted web\n", "");
	run_release(&run);
	assert_int_equal(project_count(project, ".pmo/logs", "web-out*"), 0);
	assert_true(project_exists(project, ".pmo/logs/web-error.log"));
	assert_true(project_exists(project, ".pmo/logs/web.log"));
	/* nobody else may write them now */
	project_write(project, "pmo.yml", QUICK "web: {cmd: 'true', out_file: o}\n");
	pmo_ok(project, "delete", "web");
	assert_int_equal(project_count(project, ".pmo/logs", "*"), 0);
}

/* In batches, the last of pmo.yml first. */
static void test_few_open_files(void **state)
{
	enum { SERVICES = 21 };
	const struct run_options few = { .limits = { { RLIMIT_NOFILE, 64 } } };
	struct test_project *project = *state;
	struct run run;
	char *text = text_format("%s", QUICK);
	char *deleted = text_format("%s", "");
	int i;

	for (i = 0; i < SERVICES; i++) {
		char *more = text_format("%sweb%d: {cmd: [%s, wait]}\n", text, i, ACTOR);
		char *line = text_format("%sdeleted web%d\n", deleted, i);

		free(text);
		free(deleted);
		text = more;
		deleted = line;
	}
	project_write(project, "pmo.yml", "%s", text);
	pmo_ok(project, "start", "all");
	run_pmo_with(project, &run, &few, "delete", "--force", "all", NULL);
	assert_run(&run, 0, deleted, "");
	run_release(&run);
	free(text);
	free(deleted);
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_int_equal(project_count(project, ".pmo/logs", "*"), 0);
	assert_int_equal(project_count(project, ".pmo/pids", "*"), SERVICES);
}

static void test_bulk_needs_force(void **state)
{
	static const char *const refusal =
	    "pmo: deleting several services at once needs --force where nobody can be asked\n";
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "%s", SAMPLE);
	run_pmo(project, &run, "delete", "--status", "errored", NULL);
	assert_run(&run, 0, "", "pmo: there is nothing to delete\n");
	run_release(&run);
	pmo_ok(project, "start", "all");
	run_pmo(project, &run, "delete", "all", NULL);
	assert_run(&run, 2, "", refusal);
	run_release(&run);
	run_pmo(project, &run, "delete", "@default", NULL);
	assert_run(&run, 2, "", refusal);
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 2);
	run_pmo(project, &run, "delete", "--force", "all", NULL);
	assert_run(&run, 0, "deleted web\ndeleted api\n", "");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_int_equal(project_count(project, ".pmo/logs", "*"), 0);
}

static void test_asks_on_a_terminal(void **state)
{
	const struct run_options terminal = { .columns = 100 };
	struct test_project *project = *state;
	struct running running;
	struct run run;
	char *screen;
	bool asked = false;

	project_write(project, "pmo.yml", "%s", SAMPLE);
	pmo_ok(project, "start", "all");
	run_pmo_start(project, &running, &terminal, "delete", "all", NULL);
	run_pmo_type(&running, "n\n");
	run_pmo_finish(&running, &run);
	assert_run(&run, 1, NULL, NULL);
	assert_out_has(&run, "stop and delete 2 services with state and logs? (y/N) ");
	assert_out_has(&run, "pmo: nothing was deleted\r\n");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 2);
	run_pmo_start(project, &running, &terminal, "delete", "all", NULL);
	while (!asked) {
		screen = run_pmo_output(&running);
		asked = strstr(screen, "(y/N) ") != NULL;
		free(screen);
		wait_microseconds(2000);
	}
	assert_int_equal(project_processes(project, NULL, 0), 3);
	run_pmo_type(&running, "y\n");
	run_pmo_finish(&running, &run);
	assert_run(&run, 0, NULL, NULL);
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* Ctrl-D for an answer: what is said next has a line of its own. */
static void test_end_of_input(void **state)
{
	const struct run_options terminal = { .columns = 80 };
	struct test_project *project = *state;
	struct running running;
	struct run run;

	project_write(project, "pmo.yml", "%s", SAMPLE);
	run_pmo_start(project, &running, &terminal, "delete", "all", NULL);
	run_pmo_type(&running, "\004");
	run_pmo_finish(&running, &run);
	assert_run(&run, 1, NULL, NULL);
	assert_out_has(&run, "(y/N) \r\npmo: nothing was deleted\r\n");
	run_release(&run);
}

static void test_by_status(void **state)
{
	struct test_project *project = *state;
	struct run run;
	pid_t pid;

	project_write(project, "pmo.yml", "%s", SAMPLE "bad: {cmd: exit 3, start_watch: 10s}\n");
	pmo_status(project, 1, "start", "all");
	pid = read_pid(project, "api");
	kill(pid, SIGKILL);
	WAIT_FOR(!process_alive(pid));
	run_pmo(project, &run, "delete", "--force", "--status", "exited", NULL);
	assert_run(&run, 0, "deleted api\n", "");
	run_release(&run);
	run_pmo(project, &run, "delete", "--force", "--status", "errored", NULL);
	assert_run(&run, 0, "deleted bad\n", "");
	run_release(&run);
	assert_true(process_alive(read_pid(project, "web")));
	run_pmo(project, &run, "delete", "--force", "--status", "runing", NULL);
	assert_run(&run, 2, "", "pmo: unknown status 'runing' (did you mean 'running'?)\n");
	run_release(&run);
	run_pmo(project, &run, "delete", "--force", "--status", "running", NULL);
	assert_run(&run, 0, "deleted web\n", "");
	run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_delete),
		PROJECT_TEST(test_custom_logs),
		PROJECT_TEST(test_bulk_needs_force),
		PROJECT_TEST(test_asks_on_a_terminal),
		PROJECT_TEST(test_end_of_input),
		PROJECT_TEST(test_by_status),
		PROJECT_TEST(test_logs_of_an_earlier_form),
		PROJECT_TEST(test_few_open_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
