/*
 * A pmo that runs inside a supervised service: what it starts is on its own, and no part of that.
 */
#include "support/guarded.h"
#include "support/supervised.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a service of the project in `inner`. */
static pid_t inner_number(struct test_project *project, const char *file)
{
	char *text = project_read(project, project_path(project, "inner/.pmo/pids/%s", file));
	pid_t pid = text ? (pid_t)strtol(text, NULL, 10) : 0;
	free(text);
	return pid;
}

/* With what little environment a supervisor is started, it is in no service but its own. */
static void test_environment_without_room(void **state)
{
	static const char *const environments[] = {
		"",
		"A=b",
		"PMO_RUN=x",
		"A=0123456789012345678901234567890123456789 PMO_RUN=",
	};
	struct test_project *project = *state;
	project_write(project, "inner/pmo.yml",
		      "in: {cmd: [%s, wait], restart: always, start_watch: 0}\n", ACTOR);
	for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++) {
		project_write(project, "pmo.yml",
			      "outer:\n  restart: always\n  cmd: |\n"
			      "    umask 027; env -i %s %s -C inner start in && touch up\n"
			      "    exec %s wait\n",
			      environments[i], pmo_binary(), ACTOR);
		pmo_ok(project, "start", "outer");
		WAIT_FOR(project_exists(project, "up"));
		pid_t supervisor = inner_number(project, "in.supervisor");
		pid_t leader = inner_number(project, "in.pid");
		assert_true(process_alive(supervisor) && process_alive(leader));
		pmo_ok(project, "stop", "outer");
		assert_true(process_alive(supervisor));
		assert_true(process_alive(leader));
		pmo_ok(project, "-C", "inner", "stop", "in");
		assert_int_equal(unlink(project_path(project, "up")), 0);
		assert_int_equal(project_processes(project, NULL, 0), 0);
	}
}

/* The command line is the same the second time, and so is what the service gets. */
static void test_started_anew(void **state)
{
	struct test_project *project = *state;
	struct run run;
	const struct run_options options = { .program = "/usr/bin/env" };
	project_write(project, "inner/pmo.yml",
		      "in: {cmd: [%s, environment, touch, ready, wait], restart: always}\n", ACTOR);
	run_pmo_with(project, &run, &options, "-i", "B=1", pmo_binary(), "-C", "inner", "start",
		     "in", NULL);
	assert_run(&run, 0, "started in (pid %NUMBER)\n", "");
	run_release(&run);
	WAIT_FOR(project_exists(project, "inner/ready"));
	char *log = project_read(project, "inner/.pmo/logs/in-out.log");
	assert_text_has(log, "B=1\n");
	assert_null(strstr(log, "PMO_RUN=0000"));
	free(log);
	run_pmo_with(project, &run, &options, "-i", pmo_binary(), "-C", "inner", "restart", "no",
		     NULL);
	assert_run(&run, 4, "", "pmo: %LINE\n");
	run_release(&run);
	run_pmo_with(project, &run, &options, "-i", pmo_binary(), "version", NULL);
	assert_run(&run, 0, "pmo %LINE\n", "");
	run_release(&run);
	pmo_ok(project, "-C", "inner", "stop", "in");
}

/* The other service lives as long as this one is restarted again and again; it is near enough to
 * the limit to be looked at as often. */
static void test_memory_is_its_own(void **state)
{
	struct test_project *project = *state;
	project_write(project, "inner/pmo.yml",
		      "kept: {cmd: [%s, hold, 25M, touch, kept, wait], restart: always}\n"
		      "plain: {cmd: [%s, hold, 25M, touch, plain, wait]}\n",
		      ACTOR, ACTOR);
	project_write(project, "pmo.yml",
		      "outer:\n  max_memory: 40M\n  cmd: |\n"
		      "    %s -C inner start all\n"
		      "    exec %s hold 25M touch up wait\n"
		      "fat: {cmd: [%s, hold, 50M, wait], max_memory: 40M}\n",
		      pmo_binary(), ACTOR, ACTOR);
	pmo_ok(project, "start", "outer");
	pid_t outer = read_pid(project, "outer");
	WAIT_FOR(project_exists(project, "up"));
	WAIT_FOR(project_exists(project, "inner/kept") && project_exists(project, "inner/plain"));
	pmo_ok(project, "start", "fat");
	WAIT_FOR(service_is(project, "fat", "restarts", "3"));
	assert_int_equal(read_pid(project, "outer"), outer);
	assert_true(service_is(project, "outer", "restarts", "0"));
	assert_false(file_says(project, ".pmo/logs/outer-error.log", "memory"));
	pmo_ok(project, "stop", "all");
	assert_true(process_alive(inner_number(project, "kept.pid")));
	assert_true(process_alive(inner_number(project, "plain.pid")));
	pmo_ok(project, "-C", "inner", "stop", "all");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_environment_without_room),
		PROJECT_TEST(test_started_anew),
		PROJECT_TEST(test_memory_is_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
