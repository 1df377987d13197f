/*
 * Which services a command means: names, ids, @NAMESPACE, all, HOST:SERVICE, and what is said about
 * one that is not there.
 */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char sample[] = "pmo: {defaults: {start_watch: 0}}\n"
			     "template: {cwd: /}\n"
			     "web: &wait\n  cmd: [" ACTOR ", wait]\n  namespace: front\n"
			     "api:\n  <<: *wait\n  namespace: back\n"
			     "my worker:\n  <<: *wait\n  namespace: back\n  autostart: false\n"
			     "x.y+z@1:\n  <<: *wait\n"
			     "child:\n  extends: template\n  cmd: [" ACTOR ", wait]\n";

/* The names that run now, in the order of `ls`, each followed by a space. */
static char *running_names(struct test_project *project)
{
	char *names = strdup("");
	struct run run;
	int count;
	int i;

	run_pmo(project, &run, "ls", "--json", "--sample", "0", NULL);
	assert_run(&run, 0, NULL, "");
	count = json_count(run.out, "");
	for (i = 0; i < count; i++) {
		char *path = text_format("%d/name", i);
		char *name = json_get(run.out, path);
		char *status;
		char *longer;

		free(path);
		path = text_format("%d/status", i);
		status = json_get(run.out, path);
		if (strcmp(status, "running") == 0) {
			longer = text_format("%s%s,", names, name);
			free(names);
			names = longer;
		}
		free(path);
		free(name);
		free(status);
	}
	run_release(&run);
	return names;
}

static void test_start_selects(void **state)
{
	static const struct {
		const char *specs[4];
		const char *running;
	} cases[] = {
		{ { "web" }, "web," },
		{ { "my worker" }, "my worker," },
		{ { "1" }, "web," },
		{ { "3", "2" }, "api,my worker," },
		{ { "x.y+z@1" }, "x.y+z@1," },
		{ { "@back" }, "api,my worker," },
		{ { "@front", "@back", "web" }, "web,api,my worker,x.y+z@1," },
		{ { "@default", "5" }, "child," },
		{ { "all" }, "web,api,x.y+z@1,child," },
		{ { "all", "3" }, "web,api,my worker,x.y+z@1,child," },
		{ { "web", "web", "1" }, "web," },
		{ { "--", "web" }, "web," },
	};
	struct test_project *project = *state;
	size_t i;

	project_write(project, "pmo.yml", "%s", sample);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *arguments[6] = { "start" };
		struct running running;
		struct run run;
		char *names;
		size_t count;

		for (count = 0; count < 4 && cases[i].specs[count] != NULL; count++)
			arguments[count + 1] = cases[i].specs[count];
		run_pmo_start_argv(project, &running, NULL, arguments);
		run_pmo_finish(&running, &run);
		assert_run(&run, 0, NULL, "");
		names = running_names(project);
		assert_string_equal(names, cases[i].running);
		free(names);
		run_release(&run);
		pmo_ok(project, "stop", "all");
	}
}

static void test_stop_selects(void **state)
{
	struct test_project *project = *state;
	char *names;

	project_write(project, "pmo.yml", "%s", sample);
	pmo_ok(project, "start", "all", "3");
	pmo_ok(project, "stop", "@back");
	names = running_names(project);
	assert_string_equal(names, "web,x.y+z@1,child,");
	free(names);
	pmo_ok(project, "stop", "4", "web");
	names = running_names(project);
	assert_string_equal(names, "child,");
	free(names);
	/* restart all: those that are meant to be up, no others */
	pmo_ok(project, "restart", "all");
	names = running_names(project);
	assert_string_equal(names, "child,");
	free(names);
	/* stop all: also what autostart leaves out */
	pmo_ok(project, "start", "my worker");
	pmo_ok(project, "stop", "all");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_unknown_services(void **state)
{
	static const struct {
		const char *spec;
		const char *message;
	} cases[] = {
		{ "wbe", "no service 'wbe' (did you mean 'web'?)" },
		{ "apii", "no service 'apii' (did you mean 'api'?)" },
		{ "zzzzzzz", "no service 'zzzzzzz'" },
		{ "template", "no service 'template'" },
		{ "0", "no service with id '0' (there are 5)" },
		{ "6", "no service with id '6' (there are 5)" },
		{ "99999999999999999999",
		  "no service with id '99999999999999999999' (there are 5)" },
		{ "@bakc", "no service in namespace 'bakc' (did you mean '@back'?)" },
		{ "@zzzzzz", "no service in namespace 'zzzzzz'" },
		{ "evil\x1b[31m", "no service 'evil\\x1b[31m'" },
		{ "../web", "no service '../web'%LINE" },
		{ "", "no service ''" },
	};
	static const char *const commands[] = { "start", "stop",   "restart", "status", "ls",
						"logs",  "delete", "dry-run", "config", "flush" };
	struct test_project *project = *state;
	size_t command;
	size_t i;

	project_write(project, "pmo.yml", "%s", sample);
	for (command = 0; command < sizeof(commands) / sizeof(commands[0]); command++) {
		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			char *expected = text_format("pmo: %s\n", cases[i].message);
			struct run run;

			run_pmo(project, &run, commands[command], cases[i].spec, NULL);
			assert_run(&run, 4, "", expected);
			run_release(&run);
			free(expected);
		}
	}
	assert_false(project_exists(project, ".pmo"));
}

/* A misspelt one among good ones is reported, the others go on. */
static void test_one_of_several_is_unknown(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "%s", sample);
	run_pmo(project, &run, "start", "wbe", "api", NULL);
	assert_run(&run, 4, NULL, "pmo: no service 'wbe' (did you mean 'web'?)\n%ANY");
	run_release(&run);
	assert_true(process_alive(read_pid(project, "api")));
	run_pmo(project, &run, "stop", "api", "wbe", NULL);
	assert_run(&run, 4, NULL, "pmo: no service 'wbe' (did you mean 'web'?)\n%ANY");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_nothing_named(void **state)
{
	static const char *const commands[] = { "start", "stop", "restart", "delete" };
	struct test_project *project = *state;
	size_t i;

	project_write(project, "pmo.yml", "%s", sample);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct run run;

		run_pmo(project, &run, commands[i], NULL);
		assert_run(&run, 2, "", "%ANYweb%ANYapi%ANYmy worker%ANYchild%ANY");
		assert_err_has(&run, commands[i]);
		run_release(&run);
	}
	assert_false(project_exists(project, ".pmo"));
}

/* The project is that of the current directory or the nearest parent. */
static void test_project_is_found(void **state)
{
	struct test_project *project = *state;
	const char *deep = project_path(project, "a/b");
	const char *const environment[] = { "PMO_FILE=other/x.yml", NULL };
	struct run run;

	project_write(project, "pmo.yml", "web: {cmd: [%s, wait]}\n", ACTOR);
	project_write(project, "a/b/file", "x");
	project_write(project, "other/x.yml", "elsewhere: 'true'\n");
	run_pmo_with(project, &run, &(struct run_options){ .directory = deep }, "start", "web",
		     NULL);
	assert_run(&run, 0, NULL, "");
	run_release(&run);
	assert_true(process_alive(read_pid(project, "web")));
	run_pmo(project, &run, "-C", "a", "stop", "web", NULL);
	assert_run(&run, 0, NULL, "");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
	run_pmo_with(project, &run, &(struct run_options){ .environment = environment }, "config",
		     NULL);
	assert_run(&run, 0, "elsewhere:\n%ANY", "");
	run_release(&run);
	/* -f is stronger than PMO_FILE */
	run_pmo_with(project, &run, &(struct run_options){ .environment = environment }, "-f",
		     "pmo.yml", "config", NULL);
	assert_run(&run, 0, "web:\n%ANY", "");
	run_release(&run);
}

/* With per_host each machine has its own state; the others' can be looked at. */
static void test_per_host(void **state)
{
	struct test_project *project = *state;
	char host[256] = "";
	struct run run;
	char *directory;
	char *spec;

	gethostname(host, sizeof(host) - 1);
	project_write(project, "pmo.yml",
		      "pmo: {per_host: true, defaults: {start_watch: 0}}\nweb: {cmd: [%s, wait]}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	directory = text_format(".pmo/%s/pids", host);
	assert_int_equal(project_count(project, directory, "web.pid"), 1);
	assert_false(project_exists(project, ".pmo/pids"));
	free(directory);
	spec = text_format("%s:web", host);
	run_pmo(project, &run, "ls", "--json", spec, NULL);
	assert_run(&run, 0, NULL, "");
	assert_json(run.out, "0/status", "running");
	run_release(&run);
	free(spec);

	project_write(
	    project, ".pmo/farhost/pids/db.time",
	    "1700000000.5\n77 4711 00000000-1111-2222-3333-444444444444 4026531836 farhost "
	    "0123456789abcdef0123456789abcdef\n");
	project_write(project, ".pmo/farhost/pids/db.pid", "77\n");
	run_pmo(project, &run, "ls", "--json", "farhost:db", NULL);
	assert_run(&run, 0, NULL, "");
	assert_int_equal(json_count(run.out, ""), 1);
	assert_json(run.out, "0/name", "db");
	assert_json(run.out, "0/status", "elsewhere");
	assert_json(run.out, "0/host", "farhost");
	run_release(&run);
	run_pmo(project, &run, "ls", "--json", "farhost:all", NULL);
	assert_run(&run, 0, NULL, "");
	assert_int_equal(json_count(run.out, ""), 1);
	run_release(&run);
	run_pmo(project, &run, "ls", "fahrost:db", NULL);
	assert_run(&run, 4, "", "pmo: %LINE'fahrost'%LINE\n");
	run_release(&run);
	pmo_ok(project, "stop", "all");
	assert_true(project_exists(project, ".pmo/farhost/pids/db.pid"));
}

/* Without per_host the record of another machine is shown, and touched with --force only. */
static void test_records_from_elsewhere(void **state)
{
	static const char refusal[] =
	    "pmo: %LINE'web' was started elsewhere, by host 'farhost': stop it there, or discard "
	    "its "
	    "record with --force ('per_host: true' in pmo.yml keeps hosts apart)\n";
	static const char *const commands[] = { "start", "stop", "restart", "delete" };
	struct test_project *project = *state;
	struct run run;
	size_t i;

	project_write(project, "pmo.yml",
		      "pmo: {defaults: {start_watch: 0}}\nweb: {cmd: [%s, wait]}\n", ACTOR);
	project_write(
	    project, ".pmo/pids/web.time",
	    "1700000000.5\n77 4711 00000000-1111-2222-3333-444444444444 4026531836 farhost "
	    "0123456789abcdef0123456789abcdef\n");
	project_write(project, ".pmo/pids/web.pid", "77\n");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		run_pmo(project, &run, commands[i], "web", NULL);
		assert_run(&run, 1, "", refusal);
		run_release(&run);
		assert_int_equal(read_pid(project, "web"), 77);
	}
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_run(&run, 0, NULL, "");
	assert_json(run.out, "0/status", "elsewhere");
	assert_json(run.out, "0/pid", "null");
	run_release(&run);
	pmo_status(project, 4, "status", "web");
	pmo_ok(project, "start", "--force", "web");
	assert_true(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_start_selects),    PROJECT_TEST(test_stop_selects),
		PROJECT_TEST(test_unknown_services), PROJECT_TEST(test_one_of_several_is_unknown),
		PROJECT_TEST(test_nothing_named),    PROJECT_TEST(test_project_is_found),
		PROJECT_TEST(test_per_host),         PROJECT_TEST(test_records_from_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
