/*
 * max_memory: who takes more is restarted, gracefully; who does not is left alone.
 */
#include "support/guarded.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG ".pmo/logs/web-error.log"

/* Too much in its first run only; asked to end it exits with 5. */
static const char fat_once[] =
    "  cmd: |\n"
    "    test -e lean && exec %s touch thin wait\n"
    "    touch lean; exec %s handle TERM exit 5 hold 40M touch fat wait\n";

static void configure_fat(struct test_project *project, const char *lines)
{
	char *cmd = text_format(fat_once, ACTOR, ACTOR);
	project_write(project, "pmo.yml", "web:\n%s%s", cmd, lines);
	free(cmd);
}

static void test_restarted_gracefully(void **state)
{
	struct test_project *project = *state;
	configure_fat(project, "  restart: no\n  max_memory: 20M\n  stop_timeout: 60s\n");
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	WAIT_FOR(has_new_leader(project, "web", pid));
	WAIT_FOR(service_is(project, "web", "restarts", "1"));
	WAIT_FOR(project_exists(project, "thin"));
	assert_true(file_says(project, LOG, "Service 'web' is restarted: its memory, 4"));
	assert_true(file_says(project, LOG, ", has passed max_memory, 20"));
	assert_true(file_says(project, LOG, "ended with exit status 5; next try now"));
	assert_false(process_alive(pid));
	assert_true(service_is(project, "web", "status", "running"));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* The limit stands for all processes together, wherever they have gone; each alone is below. The
 * other service lives for as long as this one is restarted again and again. */
static void test_tree_counts_together(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, daemonize, '{', hold, 15M, wait, '}', setsid, '{', hold, "
		      "15M, wait, '}', hold, 15M, wait], max_memory: 40M}\n"
		      "thin: {cmd: [%s, hold, 25M, wait], max_memory: 40M}\n",
		      ACTOR, ACTOR);
	pmo_ok(project, "start", "web", "thin");
	pid_t thin = read_pid(project, "thin");
	WAIT_FOR(service_is(project, "web", "restarts", "3"));
	assert_true(file_says(project, LOG, "Service 'web' is restarted: its memory, "));
	assert_int_equal(read_pid(project, "thin"), thin);
	assert_true(process_alive(thin));
	assert_true(service_is(project, "thin", "restarts", "0"));
	assert_false(file_says(project, ".pmo/logs/thin-error.log", "memory"));
	pmo_ok(project, "stop", "all");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* The rest of a tree is stopped with it, and the hooks know what is going on. */
static void test_hooks(void **state)
{
	struct test_project *project = *state;
	configure_fat(project, "  max_memory: 20M\n  hooks:\n"
			       "    pre_stop: 'echo $PMO_HOOK $PMO_PID >>events'\n"
			       "    post_stop: 'echo $PMO_HOOK >>events'\n"
			       "    on_fail: 'echo $PMO_HOOK >>events'\n"
			       "    on_restart: 'echo $PMO_HOOK $PMO_EXIT_CODE >>events'\n");
	pmo_ok(project, "start", "web");
	char *expected = text_format("pre_stop %d\non_restart 5\n", read_pid(project, "web"));
	WAIT_FOR(file_says(project, "events", "on_restart"));
	char *text = project_read(project, "events");
	assert_string_equal(text, expected);
	free(text);
	free(expected);
	pmo_ok(project, "stop", "web");
}

/* A stop in the middle of such a restart is the last word. */
static void test_stopped_meanwhile(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, ignore, TERM, hold, 40M, wait], max_memory: 20M, "
		      "stop_timeout: 10m, restart: always}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(file_says(project, LOG, "is restarted: its memory"));
	pid_t supervisor = supervisor_pid(project, "web");
	pmo_ok(project, "stop", "-t", "100ms", "web");
	assert_false(process_alive(supervisor));
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_int_equal(project_count(project, ".pmo/pids", "web.[!lr]*"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_restarted_gracefully),
		PROJECT_TEST(test_tree_counts_together),
		PROJECT_TEST(test_hooks),
		PROJECT_TEST(test_stopped_meanwhile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
