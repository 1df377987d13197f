/*
 * Everything an end-to-end test needs: include this alone.
 *
 *	static void test_something(void **state)
 *	{
 *		struct test_project *project = *state;
 *		struct run run;
 *
 *		project_write(project, "pmo.yml", "web: %s wait\n", ACTOR);
 *		run_pmo(project, &run, "start", "web", NULL);
 *		assert_run(&run, 0, "", "");
 *		run_release(&run);
 *	}
 *
 *	int main(void)
 *	{
 *		const struct CMUnitTest tests[] = { PROJECT_TEST(test_something) };
 *		return cmocka_run_group_tests(tests, NULL, NULL);
 *	}
 *
 * PROJECT_TEST gives every test a fresh project directory in *state and destroys it afterwards,
 * also when the test failed; what still runs by then is killed, and makes the test fail unless it
 * said project_leave_running.
 *
 * PMO_BINARY, PMO_HELPERS and PMO_FIXTURES are absolute paths given by the build; the environment
 * variable PMO_BINARY overrides the first.
 */
#ifndef PMO_TESTS_SUPPORT_H
#define PMO_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check.h"
#include "json.h"
#include "run.h"
#include "sandbox.h"
#include "wait.h"

/* The obedient child: tests/helpers/actor.c says what it understands. */
#define ACTOR PMO_HELPERS "/actor"

#define PROJECT_TEST(function)                                                                     \
	cmocka_unit_test_setup_teardown(function, project_setup, project_teardown)

/* Skip the test with a message. */
#define SKIP(reason)                                                                               \
	do {                                                                                       \
		print_message("%s: skipped: %s\n", __func__, reason);                              \
		skip();                                                                            \
	} while (0)

#define SKIP_UNLESS_ROOT()                                                                         \
	do {                                                                                       \
		if (geteuid() != 0)                                                                \
			SKIP("needs root");                                                        \
	} while (0)

#endif
