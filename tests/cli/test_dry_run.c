/*
 * pmo dry-run and start --dry-run: what would run, as a line that sh takes, and nothing happens.
 */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_prints_what_would_run(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, ".env", "SECRET=hush\n");
	project_write(
	    project, "pmo.yml", "%s",
	    "web:\n  cmd: exec serve \"$SECRET\"\n  cwd: sub dir\n  env: {A: it's, B: ''}\n"
	    "list:\n  cmd: [serve, a b, '$SECRET']\n  umask: 022\n  nice: 5\n");
	run_pmo(project, &run, "dry-run", "web", NULL);
	assert_run(
	    &run, 0,
	    "# web\n"
	    "cd '%DIR/sub dir' && env SECRET='****' A='it'\\''s' B='' /bin/sh -c 'exec serve "
	    "\"$SECRET\"'\n"
	    "# '****' hides what comes from .env and env_file: --show-env shows it\n",
	    "");
	run_release(&run);
	run_pmo(project, &run, "dry-run", "--show-env", "list", NULL);
	assert_run(&run, 0,
		   "# list: umask 022, nice 5\n"
		   "cd %DIR && env SECRET=hush serve 'a b' hush\n",
		   "");
	run_release(&run);
	run_pmo(project, &run, "dry-run", NULL);
	assert_run(&run, 0, "# web\n%LINE\n# list%LINE\n%LINE\n# '****'%LINE\n", "");
	assert_out_lacks(&run, "hush");
	run_release(&run);
	assert_false(project_exists(project, ".pmo"));
}

static void test_start_option(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "web: touch started\n");
	run_pmo(project, &run, "start", "--dry-run", "web", NULL);
	assert_run(&run, 0, "# web\ncd %DIR && /bin/sh -c 'touch started'\n", "");
	run_release(&run);
	assert_false(project_exists(project, ".pmo"));
	assert_false(project_exists(project, "started"));
}

/* The printed line, given to sh, does what start does. */
static void test_the_line_runs(void **state)
{
	struct test_project *project = *state;
	struct run run;
	struct run shell;

	project_write(project, ".env", "%s", "A='quo\"te '\nB=\"two\\nlines\"\n");
	project_write(
	    project, "pmo.yml", "%s",
	    "web:\n  cmd: printf '%s|' \"$A\" \"$B\" \"$C\"\n  env: {C: \"it's $$A; rm\"}\n");
	run_pmo(project, &run, "dry-run", "--show-env", "web", NULL);
	assert_run(&run, 0, NULL, "");
	run_pmo_with(project, &shell, &(struct run_options){ .program = "/bin/sh" }, "-c", run.out,
		     NULL);
	assert_run(&shell, 0, "quo\"te |two\nlines|it's $A; rm|", "");
	run_release(&shell);
	run_release(&run);
}

static void test_messages(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "web: 'true'\n");
	run_pmo(project, &run, "dry-run", "wbe", NULL);
	assert_run(&run, 4, "", "pmo: no service 'wbe' (did you mean 'web'?)\n");
	run_release(&run);
	project_write(project, "pmo.yml", "x-nothing: 1\n");
	run_pmo(project, &run, "dry-run", NULL);
	assert_run(&run, 0, "", "pmo: no services in 'pmo.yml': nothing would start\n");
	run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_prints_what_would_run),
		PROJECT_TEST(test_start_option),
		PROJECT_TEST(test_the_line_runs),
		PROJECT_TEST(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
