/*
 * A stop never races with a restart: services that crash in a loop, without a pause, are stopped at
 * any moment, and none of them comes back.
 *
 * ROUNDS is how often that is tried, with SERVICES services at a time: `make check-races`.
 */
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVICES = 20, ROUNDS_USUAL = 6, LONGEST_RUN_US = 30000 };

static int rounds(void)
{
	const char *wanted = getenv("ROUNDS");
	return wanted ? (int)strtol(wanted, NULL, 10) : ROUNDS_USUAL;
}

/* Runs of nothing to a few milliseconds, some with children that they leave behind. */
static void write_services(struct test_project *project)
{
	char *text = text_format("pmo: {defaults: {start_watch: 0, restart: always, restart_delay: "
				 "0, max_restarts: 1000000}}\n");
	for (int i = 0; i < SERVICES; i++) {
		char *more =
		    text_format("%sweb%d: {cmd: [%s, %s sleep, '%d', exit, '%d']}\n", text, i,
				ACTOR, i % 3 == 0 ? "setsid, '{', sleep, '5', '}'," : "", i % 7,
				i % 2);
		free(text);
		text = more;
	}
	project_write(project, "pmo.yml", "%s", text);
	free(text);
}

static void test_nothing_comes_back(void **state)
{
	struct test_project *project = *state;
	int count = rounds();
	write_services(project);
	for (int round = 0; round < count; round++) {
		pmo_ok(project, "start", "all");
		wait_microseconds((long)round * 7919 % LONGEST_RUN_US);
		pmo_ok(project, round % 4 == 3 ? "restart" : "stop", "all");
		if (round % 4 == 3)
			pmo_ok(project, "stop", "all");
		assert_int_equal(project_processes(project, NULL, 0), 0);
		assert_int_equal(project_count(project, ".pmo/pids", "*.pid"), 0);
		assert_int_equal(project_count(project, ".pmo/pids", "*.supervisor"), 0);
		/* what would come back would do so at once */
		wait_microseconds(5000);
		assert_int_equal(project_processes(project, NULL, 0), 0);
	}
	print_message("stopped in a loop of crashes: tried %d, held %d\n", count * SERVICES,
		      count * SERVICES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_comes_back, project_setup_in_memory,
						project_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
