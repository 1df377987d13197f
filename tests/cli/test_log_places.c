/*
 * Where logs may not be: led elsewhere by another user, on pmo's own files, on each other.
 */
#include "support/support.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOMEBODY = 65533 };

static bool file_has(struct test_project *project, const char *name, const char *wanted)
{
	char *text = project_read(project, name);
	bool found = text && strstr(text, wanted);

	free(text);
	return found;
}

static void assert_file(struct test_project *project, const char *name, const char *expected)
{
	char *text = project_read(project, name);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void start_fails(struct test_project *project, const char *name, const char *message)
{
	struct run run;

	run_pmo(project, &run, "start", name, NULL);
	assert_run(&run, 1, "", message);
	run_release(&run);
}

static uid_t owner_of(struct test_project *project, const char *name)
{
	struct stat status;

	assert_int_equal(lstat(project_path(project, "%s", name), &status), 0);
	return status.st_uid;
}

/* A service of somebody else that logs to FILE, in a directory of that user, and root's own file.
 */
static void prepare_theirs(struct test_project *project, const char *file, const char *secret)
{
	project_write(project, "theirs/here", "x");
	assert_int_equal(chown(project_path(project, "theirs"), SOMEBODY, SOMEBODY), 0);
	project_write(project, "victim", "%s", secret);
	assert_int_equal(chmod(project_path(project, "victim"), 0600), 0);
	project_write(project, "pmo.yml",
		      "web:\n  cmd: 'echo injected; exec %s wait'\n  user: '65533'\n"
		      "  group: '65533'\n  merge_logs: true\n  out_file: %s\n",
		      project_copy_program(project, ACTOR), file);
}

static void plant_link(struct test_project *project, const char *target, const char *name)
{
	const char *path = project_path(project, "%s", name);

	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(lchown(path, SOMEBODY, SOMEBODY), 0);
}

#define UNSAFE                                                                                     \
	"it leads through a symbolic link that is not safe for a service with 'user': name the "   \
	"file itself\n"

static void test_planted_link(void **state)
{
	struct test_project *project = *state;

	SKIP_UNLESS_ROOT();
	prepare_theirs(project, "theirs/app.log", "root-secret\n");
	plant_link(project, "../victim", "theirs/app.log");
	start_fails(project, "web",
		    "pmo: cannot start 'web': cannot open log '%DIR/theirs/app.log': " UNSAFE);
	assert_file(project, "victim", "root-secret\n");
	assert_int_equal(owner_of(project, "victim"), 0);
	/* root's own link in a directory of somebody else could be exchanged */
	assert_int_equal(lchown(project_path(project, "theirs/app.log"), 0, 0), 0);
	start_fails(project, "web",
		    "pmo: cannot start 'web': cannot open log '%DIR/theirs/app.log': " UNSAFE);
	assert_int_equal(unlink(project_path(project, "theirs/app.log")), 0);
	pmo_ok(project, "start", "web");
	WAIT_FOR(file_has(project, "theirs/app.log", "injected\n"));
	assert_int_equal(owner_of(project, "theirs/app.log"), SOMEBODY);
	/* a restart that would fail stops nothing */
	assert_int_equal(unlink(project_path(project, "theirs/app.log")), 0);
	plant_link(project, "../victim", "theirs/app.log");
	pmo_status(project, 1, "restart", "web");
	assert_true(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "web");
	assert_file(project, "victim", "root-secret\n");
}

static void test_planted_directory(void **state)
{
	struct test_project *project = *state;

	SKIP_UNLESS_ROOT();
	prepare_theirs(project, "theirs/logs/app.log", "root-secret\n");
	project_write(project, "private/app.log", "root's\n");
	plant_link(project, "../private", "theirs/logs");
	start_fails(project, "web",
		    "pmo: cannot start 'web': cannot open log '%DIR/theirs/logs/app.log': " UNSAFE);
	assert_file(project, "private/app.log", "root's\n");
	assert_int_equal(project_count(project, "private", "*"), 1);
	/* a link of root's is what the administrator wants */
	assert_int_equal(lchown(project_path(project, "theirs/logs"), 0, 0), 0);
	pmo_ok(project, "start", "web");
	WAIT_FOR(file_has(project, "private/app.log", "injected\n"));
	assert_file(project, "private/app.log.1", "root's\n");
	pmo_ok(project, "stop", "web");
}

/* Where the kernel lets users do it. */
static void test_planted_name(void **state)
{
	struct test_project *project = *state;

	SKIP_UNLESS_ROOT();
	prepare_theirs(project, "theirs/app.log", "");
	assert_int_equal(link(project_path(project, "victim"),
			      project_path(project, "theirs/app.log")),
			 0);
	start_fails(project, "web",
		    "pmo: cannot start 'web': cannot open log '%DIR/theirs/app.log': the file has "
		    "another name, which is not safe for a service with 'user': remove it\n");
	assert_file(project, "victim", "");
	assert_int_equal(owner_of(project, "victim"), 0);
}

/* /dev/stdout is a link, too; what it leads to stays whose it is. */
static void test_safe_link(void **state)
{
	struct test_project *project = *state;

	SKIP_UNLESS_ROOT();
	prepare_theirs(project, "safe.log", "root's\n");
	assert_int_equal(symlink("victim", project_path(project, "safe.log")), 0);
	pmo_ok(project, "start", "web");
	WAIT_FOR(file_has(project, "victim", "injected\n"));
	assert_true(file_has(project, "victim", "root's\n"));
	assert_int_equal(owner_of(project, "victim"), 0);
	pmo_ok(project, "stop", "web");
	assert_true(project_exists(project, "victim"));
}

/* However it is written, and also as the place that a log is rotated to. */
static void test_own_files(void **state)
{
	static const char *const files[] = {
		"./x/../pmo.yml", "link.yml", "x/../.env",        "./.env",
		"x/../a.env",     "b",        "x/../.pmo/pids/l", "pids/other",
	};
	struct test_project *project = *state;

	project_write(project, "x/here", "x");
	project_write(project, "a.env", "A=1\n");
	project_write(project, "b.2", "B=1\n");
	project_write(project, ".pmo/pids/here", "x");
	assert_int_equal(symlink("pmo.yml", project_path(project, "link.yml")), 0);
	assert_int_equal(symlink(".pmo/pids", project_path(project, "pids")), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
		char *expected = text_format("pmo: cannot start 'web': '%%DIR/%s' cannot be a log: "
					     "pmo needs it itself\n",
					     files[i] + (strncmp(files[i], "./", 2) == 0 ? 2 : 0));
		project_write(project, "pmo.yml",
			      "web: {cmd: 'true', env_file: [a.env, $D/b.2], error_file: '%s', "
			      "env: {D: no}}\n",
			      files[i]);
		project_write(project, ".env", "D=.\n");
		start_fails(project, "web", expected);
		free(expected);
		assert_file(project, ".env", "D=.\n");
		assert_file(project, "b.2", "B=1\n");
	}
}

/* .env need not be there to be what the next start would read. */
static void test_missing_dotenv(void **state)
{
	struct test_project *project = *state;

	project_write(project, "pmo.yml", "web: {cmd: 'true', out_file: .env}\n");
	start_fails(project, "web",
		    "pmo: cannot start 'web': '%DIR/.env' cannot be a log: pmo needs it itself\n");
	assert_false(project_exists(project, ".env"));
}

static void test_one_log_of_two(void **state)
{
	static const struct {
		const char *config;
		const char *message; /* why `a` does not start */
	} rows[] = {
		{ "a: {cmd: x, out_file: $L, env: {L: l}}\nb: {cmd: x, error_file: l}\n",
		  "'a' and 'b' would both write the log file '%DIR/l'" },
		{ "a: {cmd: x, out_file: l}\nb: {cmd: x, out_file: '${NONE-l}'}\n",
		  "'a' and 'b' would both write the log file '%DIR/l'" },
		{ "a: {cmd: x, out_file: d/../l}\nb: {cmd: x, out_file: l}\n",
		  "'a' and 'b' would both write the log file '%DIR/d/../l'" },
		{ "a: {cmd: x, out_file: link/l}\nb: {cmd: x, out_file: d/l}\n",
		  "'a' and 'b' would both write the log file '%DIR/link/l'" },
		{ "a: {cmd: x, out_file: .pmo/logs/b-out.log}\nb: x\n",
		  "'a' and 'b' would both write the log file '%DIR/.pmo/logs/b-out.log'" },
		{ "b: {cmd: x, error_file: d/../.pmo/logs/a-error.log}\na: x\n",
		  "'a' and 'b' would both write the log file '%DIR/.pmo/logs/a-error.log'" },
		{ "a: {cmd: x, out_file: $L.30, env: {L: l}}\nb: {cmd: x, out_file: l}\n",
		  "its log file '%DIR/l.30' has the name of a rotated log of 'b'" },
		{ "a: {cmd: x, out_file: .pmo/logs/b.log.1}\nb: {cmd: x, merge_logs: yes}\n",
		  "its log file '%DIR/.pmo/logs/b.log.1' has the name of a rotated log of 'b'" },
		{ "a: x\nb: {cmd: x, out_file: .pmo/logs/a-out.log.1}\n",
		  "a log file of 'b' has the name of a rotated log of its own, "
		  "'%DIR/.pmo/logs/a-out.log'" },
	};
	struct test_project *project = *state;

	project_write(project, "d/here", "x");
	assert_int_equal(symlink("d", project_path(project, "link")), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char *expected = text_format("pmo: cannot start 'a': %s\n", rows[i].message);
		project_write(project, "pmo.yml", "%s", rows[i].config);
		start_fails(project, "a", expected);
		free(expected);
	}
}

/* What only looks like it. */
static void test_logs_apart(void **state)
{
	struct test_project *project = *state;

	project_write(
	    project, "pmo.yml",
	    "a: {cmd: 'true', out_file: $PMO_L.log, env: {PMO_L: a}, error_file: /dev/null}\n"
	    "b: {cmd: 'true', out_file: $PMO_L.log, env: {PMO_L: b}, error_file: /dev/null}\n"
	    "c: {cmd: 'true', out_file: many.1, error_file: many.2}\n"
	    "d: {cmd: 'true', out_file: a-out.log, merge_logs: yes}\n"
	    "e: {cmd: 'true', out_file: to-null}\n"
	    "f: {cmd: 'true', out_file: $PMO_L, env: {PMO_L: to-null}}\n");
	assert_int_equal(symlink("/dev/null", project_path(project, "to-null")), 0);
	pmo_ok(project, "start", "all");
	pmo_ok(project, "restart", "all");
}

/* What runs may have been started from another pmo.yml. */
static void test_log_that_is_still_written(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml",
		      "u: {cmd: [%s, wait], out_file: x, log_on_stop: delete}\nw: y\n", ACTOR);
	pmo_ok(project, "start", "u");
	project_write(project, "pmo.yml",
		      "v: {cmd: [%s, print, out, said, wait], out_file: $PMO_X, env: {PMO_X: x}}\n",
		      ACTOR);
	pmo_ok(project, "start", "v");
	WAIT_FOR(file_has(project, "x", "said"));
	pmo_ok(project, "delete", "u");
	assert_true(file_has(project, "x", "said"));
	project_write(project, "pmo.yml", "u: {cmd: [%s, wait], out_file: x}\n", ACTOR);
	pmo_ok(project, "delete", "u");
	assert_true(file_has(project, "x", "said"));
	run_pmo(project, &run, "flush", "u", NULL);
	assert_int_equal(run.status, 0);
	run_release(&run);
	assert_true(file_has(project, "x", "--- Log flushed at"));
	pmo_ok(project, "delete", "v");
	assert_false(project_exists(project, "x"));
}

/* A name that is made of another service's says nothing about what that one writes. */
static void test_names_alike(void **state)
{
	struct test_project *project = *state;

	project_write(project, "pmo.yml", "web: {cmd: [%s, wait]}\nweb-out: {cmd: [%s, wait]}\n",
		      ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
	pmo_ok(project, "delete", "web");
	assert_int_equal(project_count(project, ".pmo/logs", "web-out.log"), 0);
	assert_int_equal(project_count(project, ".pmo/logs", "web-out-*"), 2);
	pmo_ok(project, "stop", "all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_planted_link),   PROJECT_TEST(test_planted_directory),
		PROJECT_TEST(test_planted_name),   PROJECT_TEST(test_safe_link),
		PROJECT_TEST(test_own_files),      PROJECT_TEST(test_missing_dotenv),
		PROJECT_TEST(test_one_log_of_two), PROJECT_TEST(test_logs_apart),
		PROJECT_TEST(test_names_alike),    PROJECT_TEST(test_log_that_is_still_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
