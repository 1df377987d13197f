/*
 * What a service finds itself with: descriptors, signals, limits, environment, directory, identity.
 */
#include "support/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the actor wrote after the header of the log, once it has ended. */
static char *output_of(struct test_project *project, const char *name)
{
	char *path = text_format(".pmo/logs/%s-out.log", name);
	char *text;
	char *body;

	WAIT_FOR(!process_alive(read_pid(project, name)));
	text = project_read(project, path);
	free(path);
	assert_non_null(text);
	body = strstr(text, " ---\n");
	assert_non_null(body);
	body = strdup(body + 5);
	free(text);
	return body;
}

static void run_actor(struct test_project *project, const char *actions,
		      const struct run_options *options, const char *keys)
{
	struct run run;

	project_write(project, "pmo.yml", "web:\n  cmd: [%s, %s]\n%s", ACTOR, actions, keys);
	run_pmo_with(project, &run, options, "start", "web", NULL);
	assert_run(&run, 0, NULL, NULL);
	run_release(&run);
}

static void test_descriptors(void **state)
{
	struct test_project *project = *state;
	int stray = open("/dev/zero", O_RDONLY); /* inherited by pmo, on purpose */
	int high = fcntl(stray, F_DUPFD, 700);
	char *text;
	char *expected;

	run_actor(project, "fds", NULL, "");
	close(stray);
	close(high);
	text = output_of(project, "web");
	expected = text_format("0 -> /dev/null\n1 -> %s/.pmo/logs/web-out.log\n"
			       "2 -> %s/.pmo/logs/web-error.log\n",
			       project->directory, project->directory);
	assert_string_equal(text, expected);
	free(expected);
	free(text);
}

static void test_descriptors_of_many_services(void **state)
{
	struct test_project *project = *state;
	char *text;
	int i;

	project_write(project, "pmo.yml", "a: &a {cmd: [%s, fds]}\nb: *a\nc: *a\nd: *a\ne: *a\n",
		      ACTOR);
	pmo_ok(project, "start", "all");
	for (i = 0; i < 5; i++) {
		const char name[] = { (char)('a' + i), '\0' };

		text = output_of(project, name);
		assert_text(text, "0 -> /dev/null\n1 -> %LINE\n2 -> %LINE\n");
		free(text);
	}
}

static void test_closed_standard_streams(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char *command;
	char *text;

	project_write(project, "pmo.yml", "web:\n  cmd: [%s, fds]\n", ACTOR);
	command = text_format("exec '%s' start web <&- >&- 2>&-", pmo_binary());
	run_pmo_with(project, &run, &(struct run_options){ .program = "/bin/sh" }, "-c", command,
		     NULL);
	assert_run(&run, 0, "", "");
	run_release(&run);
	text = output_of(project, "web");
	assert_text(text, "0 -> /dev/null\n1 -> %LINE/web-out.log\n2 -> %LINE/web-error.log\n");
	free(text);
	free(command);
}

static void test_signals(void **state)
{
	struct test_project *project = *state;
	const struct run_options options = { .signals_ignored = true };
	char *text;

	run_actor(project, "signals", &options, "");
	text = output_of(project, "web");
	assert_text(text, "blocked 0000000000000000\nignored 0000000000000000\n"
			  "caught 0000000000000000\n");
	free(text);
}

/* SIGCHLD ignored by the caller must not make pmo lose the end of what it watches. */
static void test_ignored_child_signal(void **state)
{
	struct test_project *project = *state;
	const struct run_options options = { .signals_ignored = true };
	struct run run;

	project_write(project, "pmo.yml", "web:\n  cmd: [%s, exit, '3']\n", ACTOR);
	run_pmo_with(project, &run, &options, "start", "web", NULL);
	assert_run(&run, 1, NULL, "%ANYstatus 3%ANY");
	run_release(&run);
}

static void test_file_limit_is_given_back(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char *command;
	char *text;

	project_write(project, "pmo.yml", "web:\n  cmd: [%s, limits]\n", ACTOR);
	command = text_format("ulimit -Sn 137; exec '%s' start web", pmo_binary());
	run_pmo_with(project, &run, &(struct run_options){ .program = "/bin/sh" }, "-c", command,
		     NULL);
	assert_run(&run, 0, NULL, NULL);
	run_release(&run);
	free(command);
	text = output_of(project, "web");
	assert_text_has(text, "Max open files%SPACE137%SPACE");
	free(text);
}

static void test_limits_key(void **state)
{
	struct test_project *project = *state;
	char *text;

	run_actor(project, "limits", NULL, "  limits: {nofile: 99, core: 0, stack: 4M}\n");
	text = output_of(project, "web");
	assert_text_has(text, "Max open files%SPACE99%SPACE99%SPACEfiles");
	assert_text_has(text, "Max core file size%SPACE0%SPACE0%SPACEbytes");
	assert_text_has(text, "Max stack size%SPACE4194304%SPACE4194304%SPACEbytes");
	free(text);
}

static void test_umask_nice_and_session(void **state)
{
	struct test_project *project = *state;
	char *text;

	run_actor(project, "ids", NULL, "  umask: 027\n  nice: 5\n");
	text = output_of(project, "web");
	assert_text_has(text, "umask 0027\nnice 5\n");
	assert_text_has(text, "leader yes\n");
	free(text);
	/* without the keys they are inherited */
	run_actor(project, "ids", NULL, "");
	text = output_of(project, "web");
	assert_text_has(text, "umask 0022\nnice 0\n");
	free(text);
}

/* Last wins: pmo's own environment, .env, env_file, env, what pmo sets. */
static void test_environment_order(void **state)
{
	struct test_project *project = *state;
	const char *const environment[] = { "A=own", "B=own",         "C=own",    "D=own",
					    "PWD=x", "PMO_SERVICE=x", "OWN=kept", NULL };
	const struct run_options options = { .environment = environment };
	char *text;

	project_write(project, ".env", "B=dotenv\nC=dotenv\nD=dotenv\nPMO_DIR=x\n");
	project_write(project, "more.env", "C=file\nD=file\nPMO_RUN=x\n");
	run_actor(project,
		  "env, A, env, B, env, C, env, D, env, OWN, env, PWD, env, PMO_SERVICE, env, "
		  "PMO_DIR, env, PMO_RUN, env, NOT",
		  &options, "  env_file: more.env\n  env: {D: env, PMO_SERVICE: y}\n");
	text = output_of(project, "web");
	assert_text_has(text, "A=own\nB=dotenv\nC=file\nD=env\nOWN=kept\nPWD=/");
	assert_text_has(text, "\nPMO_SERVICE=web\nPMO_DIR=/");
	assert_text_has(text, "\nNOT is not set\n");
	assert_null(strstr(text, "PMO_RUN=x"));
	free(text);
}

static void test_values_reach_the_service_as_written(void **state)
{
	struct test_project *project = *state;
	static const char *const expected =
	    "yes\n010\n22:22\n1_000\n2001-01-01\nnull\n~\n\n a b \n";
	char *text;

	run_actor(
	    project,
	    "exec, sh, -c, "
	    "'printf \"%s\\n\" \"$A\" \"$B\" \"$C\" \"$D\" \"$E\" \"$F\" \"$G\" \"$H\" \"$I\"'",
	    NULL,
	    "  env: {A: yes, B: 010, C: 22:22, D: 1_000, E: 2001-01-01, F: null, G: ~, H: '', "
	    "I: ' a b '}\n");
	text = output_of(project, "web");
	assert_string_equal(text, expected);
	free(text);
}

static void test_dotenv_reaches_the_service(void **state)
{
	struct test_project *project = *state;
	char *text;

	project_write(project, ".env", "%s",
		      "# comment\nexport A='single $X'\nB=\"two\\nlines\"\nC=semi;colon # gone\n"
		      "D=a:b=c\n  E  =  indented\nF=\"multi\nline\"\n");
	run_actor(project, "env, A, env, B, env, C, env, D, env, E, env, F", NULL, "");
	text = output_of(project, "web");
	assert_string_equal(text, "A=single $X\nB=two\nlines\nC=semi;colon\nD=a:b=c\nE=indented\n"
				  "F=multi\nline\n");
	free(text);
}

static void test_directory(void **state)
{
	struct test_project *project = *state;
	char *text;
	char *expected;

	project_write(project, "sub/file", "x");
	run_actor(project, "ids, env, PWD", NULL, "  cwd: sub\n");
	text = output_of(project, "web");
	expected = text_format("cwd %s/sub\n", project->directory);
	assert_text_has(text, expected);
	free(expected);
	expected = text_format("PWD=%s/sub\n", project->directory);
	assert_text_has(text, expected);
	free(expected);
	free(text);
	run_actor(project, "ids", NULL, "  cwd: ${WHERE:-/}\n");
	text = output_of(project, "web");
	assert_text_has(text, "cwd /\n");
	free(text);
}

/* A string goes to the shell untouched; in a list pmo expands. */
static void test_expansion(void **state)
{
	struct test_project *project = *state;
	const char *const environment[] = { "NAME=value", NULL };
	struct run run;
	char *text;

	project_write(project, "pmo.yml", "%s",
		      "shell: for i in 1 2; do echo \"$i $NAME ${UNSET:-default} $$\" | awk "
		      "'{print $1 $2 $3}'; done\n"
		      "list:\n  cmd: [echo, '$NAME', '${UNSET:-default}', '$$NAME', $1, "
		      "'[$UNSET]']\n");
	run_pmo_with(project, &run, &(struct run_options){ .environment = environment }, "start",
		     "all", NULL);
	assert_run(&run, 0, NULL, "pmo: warning: %LINE'UNSET'%LINE\n");
	run_release(&run);
	text = output_of(project, "shell");
	assert_string_equal(text, "1valuedefault\n2valuedefault\n");
	free(text);
	text = output_of(project, "list");
	assert_string_equal(text, "value default $NAME $1 []\n");
	free(text);
}

static void test_python_is_unbuffered(void **state)
{
	struct test_project *project = *state;
	char *text;

	project_write(project, "python3", "#!/bin/sh\necho \"[$PYTHONUNBUFFERED]\"\n");
	project_write(project, "pmo.yml",
		      "a: sh python3\nb:\n  cmd: sh python3\n  env: {PYTHONUNBUFFERED: ''}\n"
		      "c: sh -c 'echo \"[$PYTHONUNBUFFERED]\"'\n");
	pmo_ok(project, "start", "all");
	text = output_of(project, "a");
	assert_string_equal(text, "[1]\n");
	free(text);
	text = output_of(project, "b");
	assert_string_equal(text, "[]\n");
	free(text);
	text = output_of(project, "c");
	assert_string_equal(text, "[]\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_descriptors),
		PROJECT_TEST(test_descriptors_of_many_services),
		PROJECT_TEST(test_closed_standard_streams),
		PROJECT_TEST(test_signals),
		PROJECT_TEST(test_ignored_child_signal),
		PROJECT_TEST(test_file_limit_is_given_back),
		PROJECT_TEST(test_limits_key),
		PROJECT_TEST(test_umask_nice_and_session),
		PROJECT_TEST(test_environment_order),
		PROJECT_TEST(test_values_reach_the_service_as_written),
		PROJECT_TEST(test_dotenv_reaches_the_service),
		PROJECT_TEST(test_directory),
		PROJECT_TEST(test_expansion),
		PROJECT_TEST(test_python_is_unbuffered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
