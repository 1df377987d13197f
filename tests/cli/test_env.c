/*
 * `pmo env`: what a service would find in its environment.
 */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

/* Nothing of the run's own environment is left, so that the output is known whole. */
static const char *const bare[] = { "PATH=/bin",    "A1=one", "HOME",         "USER",
				    "LOGNAME",      "SHELL",  "TMPDIR",       "LC_ALL",
				    "TZ",           "TERM",   "ASAN_OPTIONS", "UBSAN_OPTIONS",
				    "LSAN_OPTIONS", NULL };

static void write_project(struct test_project *project)
{
	project_write(project, ".env", "B=dotenv\nC=dotenv\n");
	project_write(project, "web.env", "C=file\na-b=1\noops\n");
	project_write(project, "pmo.yml", "%s",
		      "web:\n"
		      "  cmd: sleep 1000\n"
		      "  env_file: web.env\n"
		      "  env:\n"
		      "    A: \"x $B\"\n"
		      "    PATH: /x:$PATH\n"
		      "    Q: \"'q'\"\n"
		      "    T: \"l1\\nit's l2\"\n"
		      "    PMO_RUN: mine\n"
		      "two: sleep 1000\n");
}

#define WARNINGS                                                                                   \
	"pmo: warning: web.env:2: 'a-b' is no name that sh can use: shells may drop it\n"          \
	"pmo: warning: web.env:3: skipped: a name without '=' (NAME= sets it to nothing)\n"

static void test_text(void **state)
{
	struct test_project *project = *state;
	const struct run_options options = { .environment = bare };
	struct run run;

	write_project(project);
	run_pmo_with(project, &run, &options, "env", "web", NULL);
	assert_run(&run, 0,
		   "A=x dotenv\nA1=one\nB=dotenv\nC=file\nPATH=/x:/bin\nPMO_DIR=%DIR\n"
		   "PMO_SERVICE=web\nPWD=%DIR\nQ=''\\''q'\\'''\n"
		   "T='l1\nit'\\''s l2'\na-b=1\n",
		   WARNINGS);
	run_release(&run);
}

static void test_json(void **state)
{
	struct test_project *project = *state;
	const struct run_options options = { .environment = bare };
	struct run run;

	write_project(project);
	run_pmo_with(project, &run, &options, "env", "--json", "web", NULL);
	assert_run(&run, 0,
		   "{\n  \"A\": \"x dotenv\",\n  \"A1\": \"one\",\n  \"B\": \"dotenv\",\n"
		   "  \"C\": \"file\",\n  \"PATH\": \"/x:/bin\",\n  \"PMO_DIR\": \"%DIR\",\n"
		   "  \"PMO_SERVICE\": \"web\",\n  \"PWD\": \"%DIR\",\n"
		   "  \"Q\": \"'q'\",\n  \"T\": \"l1\\nit's l2\",\n  \"a-b\": \"1\"\n}\n",
		   WARNINGS);
	run_release(&run);
}

/* A terminal gets no escape sequence that a value holds; a pipe gets the bytes. */
static void test_escapes(void **state)
{
	struct test_project *project = *state;
	const char *const environment[] = { "COLOR=\033[31m", NULL };
	struct run_options options = { .environment = environment };
	struct run run;

	project_write(project, "pmo.yml", "web: sleep 1000\n");
	run_pmo_with(project, &run, &options, "env", "web", NULL);
	assert_out_has(&run, "COLOR=\033[31m\n");
	run_release(&run);
	options.columns = 80;
	run_pmo_with(project, &run, &options, "env", "web", NULL);
	assert_out_has(&run, "COLOR=\\x1b[31m");
	assert_out_lacks(&run, "\033[31m");
	run_release(&run);
}

/* What `env` says is what the service gets. */
static void test_while_it_runs(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char *path;
	char *block;
	size_t length = 0;

	project_write(project, ".env", "X_A=\"two\\nlines\"\nX_B=${X_A};c\n");
	project_write(project, "pmo.yml", "web:\n  cmd: [sleep, '1000']\n  env: {X_C: $X_B}\n");
	pmo_ok(project, "start", "web");
	run_pmo(project, &run, "env", "web", NULL);
	assert_run(&run, 0, NULL, "");
	assert_out_has(&run, "X_A='two\nlines'\nX_B='two\nlines;c'\nX_C='two\nlines;c'\n");
	run_release(&run);
	path = text_format("/proc/%d/environ", (int)read_pid(project, "web"));
	block = read_file(path, &length);
	assert_non_null(block);
	assert_non_null(memmem(block, length, "\0X_C=two\nlines;c\0", 17));
	free(block);
	free(path);
	pmo_ok(project, "stop", "web");
}

static void test_errors(void **state)
{
	static const struct {
		const char *arguments[2];
		int status;
		const char *err;
	} cases[] = {
		{ { "web", "two" }, 2, "pmo: env takes exactly one SERVICE, not 2\n" },
		{ { "all" }, 2, "pmo: 'all' selects 2 services: name exactly one\n" },
		{ { "@default" }, 2, "pmo: '@default' selects 2 services: name exactly one\n" },
		{ { "wbe" }, 4, "pmo: no service 'wbe' (did you mean 'web'?)\n" },
		{ { NULL },
		  2,
		  "pmo: 'env' needs one service: its name or its id\npmo: services: %LINE\n" },
	};
	struct test_project *project = *state;
	size_t i;

	write_project(project);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run run;

		run_pmo(project, &run, "env", cases[i].arguments[0],
			cases[i].arguments[0] ? cases[i].arguments[1] : NULL, NULL);
		assert_run(&run, cases[i].status, "", cases[i].err);
		run_release(&run);
	}
}

static void test_a_service_that_is_not_configured(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "old: sleep 1000\n");
	pmo_ok(project, "start", "old");
	project_write(project, "pmo.yml", "web: sleep 1000\n");
	run_pmo(project, &run, "env", "old", NULL);
	assert_run(&run, 4, "",
		   "pmo: 'old' is not in pmo.yml any more: its environment is not known\n");
	run_release(&run);
	pmo_ok(project, "stop", "old");
}

static void test_files_that_are_wrong(void **state)
{
	struct test_project *project = *state;
	struct run run;

	write_project(project);
	project_write_bytes(project, "web.env", "A=1\nB=\0\n", 8);
	run_pmo(project, &run, "env", "web", NULL);
	assert_run(&run, 2, "", "pmo: 'web': web.env:2: there is a NUL byte in the text\n");
	run_release(&run);
	project_write(project, ".env", "A=\xff\n");
	run_pmo(project, &run, "env", "two", NULL);
	assert_run(&run, 2, "", "pmo: .env:1: this is not UTF-8 text\n");
	run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_text),
		PROJECT_TEST(test_json),
		PROJECT_TEST(test_escapes),
		PROJECT_TEST(test_while_it_runs),
		PROJECT_TEST(test_errors),
		PROJECT_TEST(test_a_service_that_is_not_configured),
		PROJECT_TEST(test_files_that_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
