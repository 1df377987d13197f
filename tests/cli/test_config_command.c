/*
 * pmo config and pmo env: what pmo.yml comes to.
 */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

static const char sample[] = "pmo: {defaults: {stop_timeout: 2s}}\n"
			     "base: &base\n"
			     "  env: {A: one, B: two}\n"
			     "  namespace: back\n"
			     "web:\n"
			     "  extends: base\n"
			     "  cmd: [serve, --port, '80']\n"
			     "  env: {B: three, C: 010}\n"
			     "worker:\n"
			     "  <<: *base\n"
			     "  script: work $HARD\n"
			     "  nice: 3\n"
			     "x-note: ignored\n"
			     "base-less: exec true\n";

static void test_yaml(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char *first;

	project_write(project, "pmo.yml", "%s", sample);
	run_pmo(project, &run, "config", NULL);
	assert_run(
	    &run, 0,
	    "%ANYweb:\n%ANYcmd:%ANYserve%ANY--port%ANY80%ANYA: one\n%ANYB: three\n%ANYC: 010\n"
	    "%ANYnamespace: back\n%ANYstop_timeout: 2s\n%ANYworker:\n%ANYcmd: work $HARD\n"
	    "%ANYnice: 3\n%ANYbase-less:\n%ANYcmd: exec true\n%ANY",
	    "");
	first = strdup(run.out);
	run_release(&run);
	/* what it prints is a pmo.yml that comes to the same */
	project_write(project, "pmo.yml", "%s", first);
	run_pmo(project, &run, "config", NULL);
	assert_int_equal(run.status, 0);
	assert_string_equal(run.out, first);
	run_release(&run);
	free(first);
}

static void test_json(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "%s", sample);
	run_pmo(project, &run, "config", "--json", NULL);
	assert_run(&run, 0, NULL, "");
	assert_true(json_valid(run.out));
	assert_int_equal(json_count(run.out, ""), 3);
	assert_json(run.out, "web/cmd/2", "80");
	assert_json(run.out, "web/env/B", "three");
	assert_json(run.out, "web/env/C", "010");
	assert_json(run.out, "web/stop_timeout", "2");
	assert_json(run.out, "web/stop_signal", "TERM");
	assert_json(run.out, "web/autostart", "true");
	assert_json(run.out, "worker/cmd", "work $HARD");
	assert_json(run.out, "worker/namespace", "back");
	assert_json(run.out, "worker/nice", "3");
	assert_json(run.out, "base-less/log_keep", "30");
	assert_json(run.out, "web/restart", "no");
	assert_json(run.out, "web/restart_delay", "0.1");
	run_release(&run);
	run_pmo(project, &run, "config", "--json", "worker", NULL);
	assert_run(&run, 0, NULL, "");
	assert_int_equal(json_count(run.out, ""), 1);
	run_release(&run);
}

/* Sizes are bytes and durations seconds in JSON; both forms come to the same again. */
static void test_supervision(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char *first;

	project_write(
	    project, "pmo.yml", "%s",
	    "web:\n  cmd: x\n  restart: always\n  restart_delay: 20s\n  max_memory: 1.5G\n"
	    "  hooks: {on_fail: 'tell \"$PMO_SERVICE\"', timeout: 90}\n"
	    "  watch: true\n  ignore_watch: ['*.o', /out/]\n  log_max_size: 10M\n");
	run_pmo(project, &run, "config", NULL);
	assert_run(&run, 0,
		   "web:\n  cmd: x\n  restart: always\n  restart_delay: 20s\n"
		   "  restart_delay_max: 20s\n  max_memory: 1536M\n  hooks:\n"
		   "    on_fail: tell \"$PMO_SERVICE\"\n    timeout: 90s\n  watch: .\n"
		   "  ignore_watch: ['*.o', /out/]\n  log_max_size: 10M\n",
		   "");
	first = strdup(run.out);
	run_release(&run);
	run_pmo(project, &run, "config", "--json", NULL);
	assert_run(&run, 0, NULL, "");
	assert_json(run.out, "web/restart", "always");
	assert_json(run.out, "web/max_restarts", "16");
	assert_json(run.out, "web/min_uptime", "1");
	assert_json(run.out, "web/restart_delay_max", "20");
	assert_json(run.out, "web/on_exit", "none");
	assert_json(run.out, "web/max_memory", "1610612736");
	assert_json(run.out, "web/hooks/on_fail", "tell \"$PMO_SERVICE\"");
	assert_json(run.out, "web/hooks/timeout", "90s");
	assert_json(run.out, "web/ignore_watch/1", "/out/");
	assert_json(run.out, "web/log_max_size", "10485760");
	project_write(project, "pmo.yml", "%s", run.out);
	run_release(&run);
	run_pmo(project, &run, "config", NULL);
	assert_run(&run, 0, first, "");
	run_release(&run);
	free(first);
}

static void test_unknown_service(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "%s", sample);
	run_pmo(project, &run, "config", "wbe", NULL);
	assert_run(&run, 4, "", "pmo: no service 'wbe' (did you mean 'web'?)\n");
	run_release(&run);
	/* a template is no service */
	run_pmo(project, &run, "config", "base", NULL);
	assert_run(&run, 4, "", "pmo: no service 'base'%LINE\n");
	run_release(&run);
}

static void test_env(void **state)
{
	struct test_project *project = *state;
	const char *const environment[] = { "OWN=x y", NULL };
	const struct run_options options = { .environment = environment };
	struct run run;

	project_write(project, ".env", "FILE='two\nlines'\nA=dotenv\n");
	project_write(project, "pmo.yml", "%s", sample);
	run_pmo_with(project, &run, &options, "env", "web", NULL);
	assert_run(&run, 0, "A=one\n%ANYB=three\n%ANYC=010\n%ANYFILE='two\nlines'\n%ANY", "");
	assert_out_has(&run, "\nOWN=x y\n");
	assert_out_has(&run, "\nPMO_DIR=%DIR\n");
	assert_out_has(&run, "\nPMO_SERVICE=web\n");
	assert_out_has(&run, "\nPWD=%DIR\n");
	run_release(&run);
	run_pmo_with(project, &run, &options, "env", "--json", "web", NULL);
	assert_run(&run, 0, NULL, "");
	assert_json(run.out, "FILE", "two\nlines");
	assert_json(run.out, "OWN", "x y");
	run_release(&run);
	run_pmo(project, &run, "env", "web", "worker", NULL);
	assert_run(&run, 2, "", "pmo: env takes exactly one SERVICE, not 2\n");
	run_release(&run);
	run_pmo(project, &run, "env", "@back", NULL);
	assert_run(&run, 2, "", "pmo: '@back' selects 2 services: name exactly one\n");
	run_release(&run);
	run_pmo(project, &run, "env", "nobody", NULL);
	assert_run(&run, 4, "", "pmo: no service 'nobody'\n");
	run_release(&run);
}

/* JSON is YAML. */
static void test_json_as_configuration(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "%s",
		      "{\"web\": {\"cmd\": [\"a\\u00e9\", \"\\\"\"], \"env\": {\"N\": 1}}, "
		      "\"api\": \"run\"}\n");
	run_pmo(project, &run, "config", "--json", NULL);
	assert_run(&run, 0, NULL, "");
	assert_json(run.out, "web/cmd/0", "a\xc3\xa9");
	assert_json(run.out, "web/cmd/1", "\"");
	assert_json(run.out, "web/env/N", "1");
	assert_json(run.out, "api/cmd", "run");
	run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_yaml),        PROJECT_TEST(test_json),
		PROJECT_TEST(test_supervision), PROJECT_TEST(test_unknown_service),
		PROJECT_TEST(test_env),         PROJECT_TEST(test_json_as_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
