/*
 * A broken pmo.yml never locks the user out: what works on records goes on, with a warning.
 */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WARNINGS                                                                                   \
	"pmo: warning: pmo.yml:2:1: %LINE\n"                                                       \
	"pmo: warning: 'pmo.yml' cannot be read: going on from the records of what was started\n"

static void start_and_break(struct test_project *project)
{
	project_write(project, "pmo.yml",
		      "pmo: {defaults: {start_watch: 0}}\n"
		      "web: {cmd: [%s, print, out, hello, touch, ready, wait], namespace: front, "
		      "stop_signal: INT}\n"
		      "api: {cmd: [%s, wait]}\n",
		      ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
	WAIT_FOR(project_exists(project, "ready"));
	project_write(project, "pmo.yml", "web: [broken\n");
}

static void test_what_goes_on(void **state)
{
	static const struct {
		const char *arguments[5];
		int status;
		const char *out;
	} cases[] = {
		{ { "ls" }, 0, "%ANYapi%LINErunning%LINE\n%ANYweb%LINErunning%LINE\n" },
		{ { "ls", "--json" }, 0, "[%ANY\"configured\": null%ANY]\n" },
		{ { "status", "web" }, 0, "web\n  status%SPACErunning\n%ANYhello%ANY" },
		{ { "logs", "-n", "web" }, 0, "%ANYhello\n%ANY" },
		{ { "flush", "web" }, 0, "%ANY" },
		{ { "kill", "-s", "WINCH", "web" }, 0, "sent WINCH to web (1 process)\n" },
		{ { "stop", "@front" }, 0, "stopped web\n" },
		{ { "delete", "api" }, 0, "deleted api\n" },
	};
	struct test_project *project = *state;
	size_t i;

	start_and_break(project);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct running running;
		struct run run;

		run_pmo_start_argv(project, &running, NULL, cases[i].arguments);
		run_pmo_finish(&running, &run);
		assert_run(&run, cases[i].status, cases[i].out, WARNINGS);
		run_release(&run);
	}
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* What needs it says so and changes nothing. */
static void test_what_does_not(void **state)
{
	static const char *const commands[] = { "start",  "restart", "dry-run",
						"config", "env",     "exec" };
	struct test_project *project = *state;
	size_t i;

	start_and_break(project);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct run run;

		run_pmo(project, &run, commands[i], "web", NULL);
		assert_run(
		    &run, 2, "",
		    "pmo: pmo.yml:2:1: %LINE\npmo: 'pmo.yml' has 1 error: nothing was done\n");
		run_release(&run);
	}
	assert_int_equal(project_processes(project, NULL, 0), 2);
	pmo_ok(project, "stop", "all");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_ids_mean_nothing(void **state)
{
	struct test_project *project = *state;
	struct run run;

	start_and_break(project);
	run_pmo(project, &run, "stop", "1", NULL);
	assert_run(&run, 4, "",
		   WARNINGS
		   "pmo: id '1' means nothing while pmo.yml cannot be read: use the name\n");
	run_release(&run);
	pmo_ok(project, "stop", "all");
}

/* pmo.yml removed altogether, and the project found by its records. */
static void test_missing_config(void **state)
{
	struct test_project *project = *state;
	struct run run;

	start_and_break(project);
	unlink(project_path(project, "pmo.yml"));
	run_pmo(project, &run, "stop", "all", NULL);
	assert_run(&run, 0, "stopped api\nstopped web\n",
		   "pmo: warning: 'pmo.yml' is gone: going on from the records of what was "
		   "started\n");
	run_release(&run);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 2, "", "pmo: cannot open 'pmo.yml': No such file or directory\n");
	run_release(&run);
}

/* A directory without a host in its name says nothing about what runs in the one of this host, nor
 * the other way round. */
static void test_per_host(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char host[256];

	assert_int_equal(gethostname(host, sizeof(host)), 0);
	for (size_t i = 0; i < 2; i++) {
		char *other = text_format(".pmo/%s/pids/old.exit", i == 0 ? "." : host);
		project_write(project, "pmo.yml",
			      "pmo: {per_host: %s, defaults: {start_watch: 0}}\n"
			      "web: {cmd: [%s, wait]}\n",
			      i == 0 ? "true" : "false", ACTOR);
		pmo_ok(project, "start", "web");
		project_write(project, other, "code 0 1700000000.5\n");
		free(other);
		project_write(project, "pmo.yml", "web:\n [broken\n");
		run_pmo(project, &run, "ls", NULL);
		assert_run(&run, 0, "%ANYweb%LINErunning%LINE\n", "%ANY");
		run_release(&run);
		pmo_ok(project, "stop", "web");
		assert_int_equal(project_processes(project, NULL, 0), 0);
	}
}

/* Both directories have something that is meant to be up: one is worked on, the other named. */
static void test_both_in_use(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      "pmo: {per_host: true, defaults: {start_watch: 0}}\n"
		      "web: {cmd: [%s, wait]}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	project_write(project, ".pmo/pids/old.pid", "%s", "");
	project_write(project, "pmo.yml", "%s", "web: [broken\n");
	run_pmo(project, &run, "stop", "all", NULL);
	assert_run(&run, 0, "stopped web\n",
		   WARNINGS "pmo: warning: going on from '.pmo/%LINE': what '.pmo/pids' has on "
			    "record is left alone\n");
	run_release(&run);
	assert_true(project_exists(project, ".pmo/pids/old.pid"));
}

/* Whatever stands in the state files, commands work and nothing escapes. */
static void test_garbage_in_every_state_file(void **state)
{
	static const char *const suffixes[] = {
		"time", "spec", "restarts", "exit", "stop", "lock"
	};
	static const char garbage[][40] = {
		"",
		"\n\n\n",
		"\x1b[31mred\x1b[0m\n",
		"\xff\xfe\x80\n",
		"-1\n",
		"99999999999999999999999999\n",
		"code 99999 x\n",
		"web: {cmd: [x], cwd: ../../..}\n",
		"other: {cmd: x}\n",
		"web: *nothing\n",
	};
	static const char *const commands[][5] = {
		{ "ls", "--json", "--sample", "0" },
		{ "ls", "--sample", "0" },
		{ "logs", "-n", "web" },
		{ "status", "web" },
	};
	struct test_project *project = *state;
	size_t file;
	size_t content;
	size_t i;

	project_write(project, "pmo.yml", "web: {cmd: [%s, wait], start_watch: 0}\n", ACTOR);
	for (file = 0; file < sizeof(suffixes) / sizeof(suffixes[0]); file++) {
		pmo_ok(project, "start", "web");
		for (content = 0; content < sizeof(garbage) / sizeof(garbage[0]); content++) {
			char *name = text_format(".pmo/pids/web.%s", suffixes[file]);

			if (strcmp(suffixes[file], "time") != 0)
				project_write(project, name, "%s", garbage[content]);
			free(name);
			for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
				struct running running;
				struct run run;

				run_pmo_start_argv(project, &running, NULL, commands[i]);
				run_pmo_finish(&running, &run);
				assert_int_equal(run.signal, 0);
				assert_true(run.status <= 1);
				assert_null(strchr(run.out, '\x1b'));
				assert_null(strchr(run.err, '\x1b'));
				if (i == 0 && !json_valid(run.out))
					assert_run(&run, 0, "valid JSON", NULL);
				run_release(&run);
			}
		}
		pmo_ok(project, "stop", "web");
		assert_int_equal(project_processes(project, NULL, 0), 0);
	}
}

/* Names of files under .pmo that no service can have. */
static void test_hostile_file_names(void **state)
{
	static const char *const names[] = { "evil\x1b[31m.pid", "new\nline.pid", "all.pid",
					     "12.pid",           ".hidden.pid",   "-x.pid",
					     "\xff.pid",         "pmo.exit",      ".pid",
					     "a:b.pid" };
	struct test_project *project = *state;
	struct run run;
	size_t i;

	project_write(project, "pmo.yml", "web: {cmd: [%s, wait]}\n", ACTOR);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *name = text_format(".pmo/pids/%s", names[i]);

		project_write(project, name, "1\n");
		free(name);
	}
	run_pmo(project, &run, "ls", NULL);
	assert_run(&run, 0, NULL, NULL);
	assert_null(strchr(run.out, '\x1b'));
	assert_null(strchr(run.err, '\x1b'));
	run_release(&run);
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_run(&run, 0, NULL, NULL);
	assert_true(json_valid(run.out));
	run_release(&run);
	pmo_ok(project, "stop", "all");
	pmo_ok(project, "start", "web");
	pmo_ok(project, "stop", "web");
}

/* Terminal escapes in commands, directories and process names. */
static void test_hostile_texts_are_not_obeyed(void **state)
{
	const struct run_options terminal = { .columns = 80 };
	static const char *const commands[] = { "ls", "status", "dry-run" };
	struct test_project *project = *state;
	struct run run;
	size_t i;

	project_write(project, "pmo.yml",
		      "'we\u202eb ü': {cmd: \"echo '\\e]0;x\\a' >/dev/null; exec %s name "
		      "'\x1b[5m' touch ready wait\", namespace: \"n\\e[1m\"}\n",
		      ACTOR);
	project_write(project, "pmo.yml",
		      "'web ü': {cmd: \"echo '\\e]0;x\\a' >/dev/null; exec %s name '\\e[5m' touch "
		      "ready wait\", env: {A: \"\\e[41m\"}}\n",
		      ACTOR);
	pmo_ok(project, "start", "all");
	WAIT_FOR(project_exists(project, "ready"));
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		run_pmo_with(project, &run, &terminal, "--no-color", commands[i], NULL);
		assert_run(&run, 0, NULL, NULL);
		assert_null(strchr(run.out, '\x1b'));
		assert_null(strchr(run.out, '\a'));
		run_release(&run);
	}
	pmo_ok(project, "stop", "all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_what_goes_on),
		PROJECT_TEST(test_what_does_not),
		PROJECT_TEST(test_ids_mean_nothing),
		PROJECT_TEST(test_missing_config),
		PROJECT_TEST(test_per_host),
		PROJECT_TEST(test_both_in_use),
		PROJECT_TEST(test_garbage_in_every_state_file),
		PROJECT_TEST(test_hostile_file_names),
		PROJECT_TEST(test_hostile_texts_are_not_obeyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
