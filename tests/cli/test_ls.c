/* pmo ls and pmo status on real services: output, streams, exit statuses. */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

static void test_nothing(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml", "{}\n");
	run_pmo(project, &run, "ls", NULL);
	assert_run(&run, 0, "",
		   "pmo: no services in 'pmo.yml' yet: add a line such as 'web: python3 -m "
		   "http.server'\n");
	run_release(&run);
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_run(&run, 0, "[]\n", "");
	run_release(&run);
	run_pmo(project, &run, "status", NULL);
	assert_run(&run, 0, "", "pmo: there are no services to show\n");
	run_release(&run);
	run_pmo(project, &run, "dry-run", NULL);
	assert_run(&run, 0, "", "pmo: no services in 'pmo.yml': nothing would start\n");
	run_release(&run);
}

static void test_running(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml", "web: {cmd: [%s, wait]}\nidle: {cmd: [%s, wait]}\n",
		      ACTOR, ACTOR);
	pmo_ok(project, "start", "web");
	run_pmo(project, &run, "list", NULL);
	assert_run(&run, 0,
		   "id  name%SPACEpid  uptime  status   ↺   cpu%SPACEmem  user\n"
		   " 1  web %SPACE%NUMBER%SPACE%NUMBERs  running  0  %NUMBER%%%SPACE%WORD  %WORD\n"
		   " 2  idle%SPACE-       -  stopped  0     -%SPACE-  -\n",
		   "");
	run_release(&run);
	run_pmo(project, &run, "ls", "--sample", "0", "--json", "web", NULL);
	assert_int_equal(run.status, 0);
	assert_json(run.out, "0/status", "running");
	assert_json(run.out, "0/cpu_percent", "null");
	assert_json(run.out, "0/processes", "1");
	assert_json(run.out, "0/cwd", project->directory);
	assert_int_equal(json_count(run.out, ""), 1);
	run_release(&run);
	run_pmo(project, &run, "status", "web", NULL);
	assert_run(&run, 0,
		   "web\n  status      running\n  pid         %NUMBER\n%ANY"
		   "  command     %LINE wait\n  directory   %DIR\n%ANY\n\n"
		   "%SPACEpid%SPACEcpu%SPACEmem  command\n%LINE wait\n",
		   "");
	run_release(&run);
	pmo_status(project, 3, "status", "idle", "web");
	pmo_ok(project, "stop", "web");
	pmo_status(project, 3, "st", "web");
}

static void test_exit_statuses(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml", "bad: exit 3\nfine: exit 0\n");
	pmo_status(project, 1, "start", "bad", "fine");
	run_pmo(project, &run, "status", "fine", "bad", NULL);
	assert_int_equal(run.status, 1);
	assert_out_has(&run, "bad\n  status      errored (exit status 3, %TIME)\n");
	assert_out_has(&run, "fine\n  status      exited (exit status 0, %TIME)\n");
	run_release(&run);
	pmo_status(project, 3, "status", "fine");
	run_pmo(project, &run, "status", "--json", "bad", NULL);
	assert_int_equal(run.status, 1);
	assert_json(run.out, "0/exit_code", "3");
	assert_json(run.out, "0/wanted", "false");
	run_release(&run);
	run_pmo(project, &run, "status", "bda", "fine", NULL);
	assert_int_equal(run.status, 4);
	assert_out_has(&run, "fine\n");
	assert_string_equal(run.err, "pmo: no service 'bda' (did you mean 'bad'?)\n");
	run_release(&run);
	run_pmo(project, &run, "ls", "nothing-like-it", NULL);
	assert_run(&run, 4, "", "pmo: no service 'nothing-like-it'\n");
	run_release(&run);
	run_pmo(project, &run, "ls", "--sample", "soon", NULL);
	assert_run(&run, 2, "",
		   "pmo: invalid value 'soon' for --sample: expected a duration such as 500ms, 5s "
		   "or 2m\n");
	run_release(&run);
}

static void test_terminal(void **state)
{
	static const char *const no_color[] = { "NO_COLOR=1", NULL };
	const struct run_options narrow = { .columns = 40, .environment = no_color };
	const struct run_options colored = { .columns = 100 };
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      "bad: exit 3\na-service-with-a-long-name-in-it: \"true\"\n");
	pmo_status(project, 1, "start", "bad");
	run_pmo_with(project, &run, &narrow, "ls", NULL);
	assert_int_equal(run.status, 0);
	assert_out_has(&run, "a-service-with-a-");
	assert_out_has(&run, "…");
	assert_out_has(&run, "0 of 2 running");
	assert_out_has(&run, "bad: exit status 3, %TIME; see pmo logs bad");
	assert_null(strchr(run.out, '\033'));
	run_release(&run);
	run_pmo_with(project, &run, &colored, "ls", NULL);
	assert_out_has(&run, "\033[31merrored\033[0m");
	run_release(&run);
	run_pmo_with(project, &run, &colored, "--no-color", "ls", NULL);
	assert_null(strchr(run.out, '\033'));
	run_release(&run);
}

static void test_full_disk(void **state)
{
	const struct run_options full = { .output_path = "/dev/full" };
	static const char *const commands[] = { "ls", "status", "dry-run" };
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml", "web: \"true\"\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		run_pmo_with(project, &run, &full, commands[i], NULL);
		assert_int_equal(run.status, 1);
		assert_string_equal(
		    run.err, "pmo: cannot write to standard output: No space left on device\n");
		run_release(&run);
	}
}

static void test_removed_service(void **state)
{
	const struct run_options terminal = { .columns = 100 };
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml", "web: {cmd: [%s, wait]}\n", ACTOR);
	pmo_ok(project, "start", "web");
	project_write(project, "pmo.yml", "api: \"true\"\n");
	run_pmo_with(project, &run, &terminal, "--no-color", "ls", NULL);
	assert_out_has(&run, "running**");
	assert_out_has(&run, "** not in pmo.yml any more: pmo delete removes it");
	run_release(&run);
	run_pmo(project, &run, "ls", "--json", "web", NULL);
	assert_json(run.out, "0/configured", "false");
	run_release(&run);
	run_pmo(project, &run, "dry-run", "web", NULL);
	assert_run(&run, 4, "", "pmo: 'web' is no longer in 'pmo.yml'\n");
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

static void test_changed_definition(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml", "web: {cmd: [%s, wait]}\n", ACTOR);
	pmo_ok(project, "start", "web");
	project_write(project, "pmo.yml", "web: {cmd: [%s, wait], env: {A: 1}}\n", ACTOR);
	run_pmo(project, &run, "status", "web", NULL);
	assert_out_has(&run,
		       "  note        pmo.yml has changed since the start: restart to apply\n");
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

static void test_other_host(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml", "pmo: {per_host: yes}\nweb: \"true\"\n");
	project_write(project, ".pmo/node7/pids/db.pid", "77\n");
	project_write(project, ".pmo/node7/pids/db.time",
		      "1767225600.5\n77 1234 01234567-89ab-cdef-0123-456789abcdef 4026531836 node7 "
		      "0123456789abcdef0123456789abcdef\n");
	run_pmo(project, &run, "ls", "web", "node7:", NULL);
	assert_run(&run, 0,
		   "id  name  pid  uptime  status     ↺  cpu  mem  host   user\n"
		   " 1  web     -       -  stopped    0    -    -  -      -\n"
		   " -  db      -       -  elsewhere  0    -    -  node7  -\n",
		   "");
	run_release(&run);
	run_pmo(project, &run, "ls", "node8:db", NULL);
	assert_run(&run, 4, "", "pmo: no host 'node8' (did you mean 'node7'?)\n");
	run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_nothing),
		PROJECT_TEST(test_running),
		PROJECT_TEST(test_exit_statuses),
		PROJECT_TEST(test_terminal),
		PROJECT_TEST(test_full_disk),
		PROJECT_TEST(test_removed_service),
		PROJECT_TEST(test_changed_definition),
		PROJECT_TEST(test_other_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
