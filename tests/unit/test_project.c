/*
 * Finding the project, and going on when its pmo.yml is missing or broken.
 */
#include "support/support.h"

#include "base/memory.h"
#include "service/project.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BROKEN "web: {cmd: x, cdw: y}\n"

/* Where the test program itself runs, to return to. */
static char *home;

static void go(struct test_project *project, const char *place)
{
	const char *path = project_path(project, "%s", place);
	if (chdir(path) < 0)
		fail_msg("cannot change to '%s'", path);
}

static int go_home(void **state)
{
	if (chdir(home) < 0)
		return -1;
	return project_teardown(state);
}

#define PLACE_TEST(function) cmocka_unit_test_setup_teardown(function, project_setup, go_home)

/* What came of an opening. */
struct opening {
	struct project project;
	struct message_list messages;
	struct error error;
	int result;
};

static void open_project(struct opening *opening, const char *file, enum project_need need)
{
	memset(opening, 0, sizeof(*opening));
	opening->result =
	    project_open(&opening->project, file, need, &opening->messages, &opening->error);
}

static void close_project(struct opening *opening)
{
	if (opening->result == 0)
		project_close(&opening->project);
	message_list_release(&opening->messages);
	error_clear(&opening->error);
}

/* The messages, one a line, with a letter for the level: to be freed. */
static char *said(const struct opening *opening)
{
	struct buffer text = BUFFER_INIT;
	for (size_t i = 0; i < opening->messages.count; i++) {
		const struct message *message = &opening->messages.items[i];
		buffer_printf(&text, "%s%c %s", i ? "\n" : "", "nwe"[message->level],
			      message -> text);
	}
	return buffer_detach(&text);
}

static void check_opening(const struct opening *opening, int result, const char *error,
			  const char *messages)
{
	char *text CLEANUP_FREE = said(opening);
	assert_string_equal(text, messages);
	assert_string_equal(opening->error.message ? opening->error.message : "", error);
	assert_int_equal(opening->result, result);
	assert_int_equal(opening->error.kind, result < 0 ? ERROR_USAGE : ERROR_NONE);
}

static void test_search(void **state)
{
	struct test_project *project = *state;
	struct host host;
	struct error err = ERROR_INIT;
	assert_int_equal(host_read(&host, &err), 0);
	static const struct {
		const char *from;
		const char *found; /* the directory, in the test's */
	} rows[] = {
		{ "a", "a" },
		{ "a/b", "a/b" },
		{ "a/b/c", "a/b" },
		{ "a/d", "a" },
		{ "a/near", "a/near" },
		{ "a/near/x/y", "a/near" },
		{ "a/records", "a/records" },
		{ "a/records/x", "a/records" },
		{ "a/hosts/x", "a/hosts" },
		{ "a/empty", "a" }, /* a .pmo without pids is none */
		{ "link", "a/b" },  /* a link to a/b/c: its real parents count */
	};
	project_write(project, "a/pmo.yml", "web: x\n");
	project_write(project, "a/near/pmo.yml", "web: x\n");
	project_write(project, "a/near/x/y/file", "x");
	project_write(project, "a/b/pmo.yml/inside", "even a directory of that name\n");
	project_write(project, "a/b/c/file", "x");
	project_write(project, "a/d/file", "x");
	project_write(project, "a/records/.pmo/pids/web.pid", "1");
	project_write(project, "a/records/x/file", "x");
	project_write(project, project_path(project, "a/hosts/.pmo/%s/pids/web.pid", host.name),
		      "1");
	project_write(project, "a/hosts/x/file", "x");
	project_write(project, "a/empty/.pmo/file", "x");
	assert_int_equal(symlink("a/b/c", project_path(project, "link")), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct opening opening;
		go(project, rows[i].from);
		open_project(&opening, NULL, PROJECT_NEEDS_STATE);
		const char *found = rows[i].found;
		if (opening.result < 0)
			fail_msg("from '%s': %s", rows[i].from, opening.error.message);
		assert_string_equal(opening.project.directory, project_path(project, "%s", found));
		assert_string_equal(opening.project.config_path,
				    project_path(project, "%s/pmo.yml", found));
		assert_string_equal(opening.project.label, "pmo.yml");
		close_project(&opening);
	}
}

static void test_search_nothing(void **state)
{
	struct test_project *project = *state;
	struct opening opening;
	static const enum project_need needs[] = { PROJECT_NEEDS_CONFIG, PROJECT_NEEDS_STATE };
	project_write(project, "a/other.yml", "web: x\n");
	static const char *const places[] = { "a", "/" };
	for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
		for (size_t j = 0; j < ARRAY_LENGTH(needs); j++) {
			if (places[i][0] == '/')
				assert_int_equal(chdir("/"), 0);
			else
				go(project, places[i]);
			open_project(&opening, NULL, needs[j]);
			check_opening(&opening, -1,
				      "no pmo.yml here or in a parent directory (run 'pmo init' to "
				      "make one)",
				      "");
			close_project(&opening);
		}
	}
}

static void test_lost_directory(void **state)
{
	struct test_project *project = *state;
	struct opening opening;
	assert_int_equal(mkdir(project_path(project, "gone"), 0755), 0);
	go(project, "gone");
	assert_int_equal(rmdir(project_path(project, "gone")), 0);
	open_project(&opening, NULL, PROJECT_NEEDS_CONFIG);
	assert_int_equal(opening.result, -1);
	assert_string_equal(opening.error.message,
			    "cannot find the current directory: No such file or directory");
	close_project(&opening);
}

static void test_file(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *file;
		const char *directory; /* in the test's */
		const char *path;
	} rows[] = {
		{ "other.yml", "a", "a/other.yml" },
		{ "./other.yml", "a", "a/other.yml" },
		{ "b/pmo.yml", "a/b", "a/b/pmo.yml" },
		{ "../top.yml", "", "top.yml" },
		{ "b/../other.yml", "a", "a/other.yml" },
		{ "link.yml", "a", "a/link.yml" }, /* the link's directory, not its target's */
	};
	project_write(project, "pmo.yml", "never: read\n");
	project_write(project, "top.yml", "web: x\n");
	project_write(project, "a/other.yml", "web: x\n");
	project_write(project, "a/b/pmo.yml", "web: x\n");
	assert_int_equal(symlink("b/pmo.yml", project_path(project, "a/link.yml")), 0);
	go(project, "a");
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct opening opening;
		open_project(&opening, rows[i].file, PROJECT_NEEDS_CONFIG);
		check_opening(&opening, 0, "", "");
		char *directory CLEANUP_FREE =
		    text_format("%s%s%s", project->directory, *rows[i].directory ? "/" : "",
				rows[i].directory);
		assert_string_equal(opening.project.directory, directory);
		assert_string_equal(opening.project.config_path,
				    project_path(project, "%s", rows[i].path));
		assert_string_equal(opening.project.label, rows[i].file);
		assert_non_null(catalog_find(&opening.project.catalog, "web"));
		close_project(&opening);
	}
	struct opening opening;
	const char *absolute = project_path(project, "top.yml");
	open_project(&opening, absolute, PROJECT_NEEDS_CONFIG);
	check_opening(&opening, 0, "", "");
	assert_string_equal(opening.project.directory, project->directory);
	assert_string_equal(opening.project.config_path, absolute);
	close_project(&opening);
}

static void test_file_missing(void **state)
{
	struct test_project *project = *state;
	struct opening opening;
	static const struct {
		const char *file;
		const char *error;
		const char *messages;
	} rows[] = {
		{ "no.yml", "cannot open 'no.yml': No such file or directory", "" },
		{ "no/such.yml", "cannot open 'no/such.yml': No such file or directory", "" },
		{ "pmo.yml/x.yml", "'pmo.yml/x.yml' has 1 error: nothing was done",
		  "e cannot read 'pmo.yml/x.yml': Not a directory" },
	};
	project_write(project, "pmo.yml", "web: x\n");
	go(project, ".");
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		open_project(&opening, rows[i].file, PROJECT_NEEDS_CONFIG);
		check_opening(&opening, -1, rows[i].error, rows[i].messages);
		close_project(&opening);
	}
}

#define GONE   "w 'pmo.yml' is gone: going on from the records of what was started"
#define UNREAD "w 'pmo.yml' cannot be read: going on from the records of what was started"

static void test_config_missing(void **state)
{
	struct test_project *project = *state;
	struct opening opening;
	project_write(project, ".pmo/pids/web.pid", "4242\n");
	go(project, ".");
	open_project(&opening, NULL, PROJECT_NEEDS_CONFIG);
	check_opening(&opening, -1, "cannot open 'pmo.yml': No such file or directory", "");
	close_project(&opening);
	open_project(&opening, NULL, PROJECT_NEEDS_STATE);
	check_opening(&opening, 0, "", GONE);
	assert_int_equal(opening.project.config_state, PROJECT_CONFIG_MISSING);
	assert_int_equal(opening.project.config.service_count, 0);
	assert_false(opening.project.catalog.ids_valid);
	assert_int_equal(opening.project.catalog.count, 1);
	assert_non_null(catalog_find(&opening.project.catalog, "web"));
	close_project(&opening);
	/* a file that was named, beside records of one that is gone */
	open_project(&opening, "other.yml", PROJECT_NEEDS_STATE);
	check_opening(&opening, -1, "cannot open 'other.yml': No such file or directory", "");
	close_project(&opening);
	/* and where there is no record either */
	project_write(project, "empty/file", "x");
	go(project, "empty");
	open_project(&opening, "other.yml", PROJECT_NEEDS_STATE);
	check_opening(&opening, -1, "cannot open 'other.yml': No such file or directory", "");
	close_project(&opening);
}

static void test_config_broken(void **state)
{
	struct test_project *project = *state;
	struct opening opening;
	project_write(project, "pmo.yml", BROKEN "db: {cmd: x, nice: 99}\n");
	project_write(project, ".pmo/pids/old.pid", "4242\n");
	go(project, ".");
	open_project(&opening, NULL, PROJECT_NEEDS_CONFIG);
	char *errors CLEANUP_FREE = said(&opening);
	assert_int_equal(opening.result, -1);
	assert_int_equal(opening.error.kind, ERROR_USAGE);
	assert_string_equal(opening.error.message, "'pmo.yml' has 2 errors: nothing was done");
	assert_int_equal(message_count(&opening.messages, MESSAGE_ERROR), 2);
	check_text(errors, "e pmo.yml:1:15: ", false, __FILE__, __LINE__);
	check_text(errors, "e pmo.yml:2:", false, __FILE__, __LINE__);
	close_project(&opening);
	/* the same problems are warnings to who can do without */
	open_project(&opening, NULL, PROJECT_NEEDS_STATE);
	char *warnings CLEANUP_FREE = said(&opening);
	assert_int_equal(opening.result, 0);
	assert_int_equal(message_count(&opening.messages, MESSAGE_ERROR), 0);
	assert_int_equal(message_count(&opening.messages, MESSAGE_WARNING), 3);
	check_text(warnings, "w pmo.yml:1:15: ", false, __FILE__, __LINE__);
	check_text(warnings, UNREAD, false, __FILE__, __LINE__);
	assert_int_equal(opening.project.config_state, PROJECT_CONFIG_BROKEN);
	assert_false(opening.project.catalog.ids_valid);
	assert_null(catalog_find(&opening.project.catalog, "web"));
	assert_non_null(catalog_find(&opening.project.catalog, "old"));
	close_project(&opening);
	project_write(project, "pmo.yml", BROKEN);
	open_project(&opening, NULL, PROJECT_NEEDS_CONFIG);
	assert_string_equal(opening.error.message, "'pmo.yml' has 1 error: nothing was done");
	close_project(&opening);
}

/* No records at all: a broken file still says so, and nothing more is there. */
static void test_config_broken_alone(void **state)
{
	struct test_project *project = *state;
	struct opening opening;
	static const char *const contents[] = { "web: [", "\x01", "- a list\n", BROKEN };
	go(project, ".");
	for (size_t i = 0; i < ARRAY_LENGTH(contents); i++) {
		project_write(project, "pmo.yml", "%s", contents[i]);
		open_project(&opening, NULL, PROJECT_NEEDS_STATE);
		assert_int_equal(opening.result, 0);
		assert_int_equal(opening.project.config_state, PROJECT_CONFIG_BROKEN);
		assert_int_equal(opening.project.catalog.count, 0);
		assert_true(message_count(&opening.messages, MESSAGE_WARNING) >= 2);
		assert_int_equal(opening.project.state.pids_fd, -1);
		close_project(&opening);
	}
	assert_false(project_exists(project, ".pmo"));
}

static void test_config_is_directory(void **state)
{
	struct test_project *project = *state;
	struct opening opening;
	project_write(project, "pmo.yml/inside", "x");
	project_write(project, ".pmo/pids/old.pid", "4242\n");
	go(project, ".");
	open_project(&opening, NULL, PROJECT_NEEDS_CONFIG);
	assert_int_equal(opening.result, -1);
	assert_int_equal(opening.error.kind, ERROR_USAGE);
	close_project(&opening);
	open_project(&opening, NULL, PROJECT_NEEDS_STATE);
	assert_int_equal(opening.result, 0);
	assert_non_null(catalog_find(&opening.project.catalog, "old"));
	close_project(&opening);
}

static void test_state_blocked(void **state)
{
	struct test_project *project = *state;
	struct opening opening;
	project_write(project, "pmo.yml", "web: x\n");
	project_write(project, ".pmo", "a file");
	go(project, ".");
	open_project(&opening, NULL, PROJECT_NEEDS_CONFIG);
	char *expected CLEANUP_FREE = text_format("cannot open directory '%s': Not a directory",
						  project_path(project, ".pmo/pids"));
	assert_int_equal(opening.result, -1);
	assert_int_equal(opening.error.kind, ERROR_FAILED);
	assert_string_equal(opening.error.message, expected);
	close_project(&opening);
}

/* Where the state is, as pmo.yml says or as the directories tell. */
static void test_per_host(void **state)
{
	struct test_project *project = *state;
	struct host host;
	struct error err = ERROR_INIT;
	assert_int_equal(host_read(&host, &err), 0);
	const struct {
		const char *config; /* NULL: none */
		bool plain;         /* .pmo/pids exists */
		bool own;           /* .pmo/HOST/pids exists */
		bool per_host;      /* which is used */
	} rows[] = {
		{ "web: x\n", false, false, false },
		{ "web: x\n", false, true, false },
		{ "web: x\n", true, true, false },
		{ "web: x\npmo: {per_host: true}\n", false, false, true },
		{ "web: x\npmo: {per_host: true}\n", true, false, true },
		{ "web: x\npmo: {per_host: true}\n", true, true, true },
		{ BROKEN, false, false, false },
		{ BROKEN, true, false, false },
		{ BROKEN, false, true, true },
		{ BROKEN, true, true, true },
		{ NULL, true, false, false },
		{ NULL, false, true, true },
		{ NULL, true, true, true },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct opening opening;
		char *place CLEANUP_FREE = text_format("row-%zu", i);
		project_write(project, project_path(project, "%s/file", place), "x");
		if (rows[i].config)
			project_write(project, project_path(project, "%s/pmo.yml", place), "%s",
				      rows[i].config);
		if (rows[i].plain)
			project_write(project,
				      project_path(project, "%s/.pmo/pids/plain.pid", place), "1");
		if (rows[i].own)
			project_write(project,
				      project_path(project, "%s/.pmo/%s/pids/own.pid", place,
						   host.name),
				      "1");
		go(project, place);
		open_project(&opening, NULL, PROJECT_NEEDS_STATE);
		assert_int_equal(opening.result, 0);
		char *expected CLEANUP_FREE =
		    text_format("%s/%s/.pmo%s%s", project->directory, place,
				rows[i].per_host ? "/" : "", rows[i].per_host ? host.name : "");
		if (strcmp(opening.project.state.directory, expected) != 0)
			fail_msg("row %zu: '%s'", i, opening.project.state.directory);
		const struct catalog *catalog = &opening.project.catalog;
		assert_int_equal(catalog_find(catalog, "plain") != NULL,
				 rows[i].plain && !rows[i].per_host);
		assert_int_equal(catalog_find(catalog, "own") != NULL,
				 rows[i].own && rows[i].per_host);
		close_project(&opening);
	}
}

static void check_prepare(struct test_project *project, const char *config, const char *pids)
{
	struct opening opening;
	struct error err = ERROR_INIT;
	project_write(project, "pmo.yml", "%s", config);
	go(project, ".");
	open_project(&opening, NULL, PROJECT_NEEDS_CONFIG);
	check_opening(&opening, 0, "", "");
	assert_int_equal(opening.project.state.pids_fd, -1);
	assert_false(project_exists(project, ".pmo"));
	assert_int_equal(project_prepare_state(&opening.project, &err), 0);
	assert_true(opening.project.state.pids_fd >= 0);
	assert_true(project_exists(project, pids));
	/* the catalog sees what is written from now on */
	assert_ptr_equal(opening.project.catalog.state, &opening.project.state);
	assert_int_equal(state_write_pid(&opening.project.state, "web", 4242, &err), 0);
	struct record record;
	state_read(opening.project.catalog.state, "web", &record);
	assert_true(record.intent);
	assert_int_equal(project_prepare_state(&opening.project, &err), 0);
	close_project(&opening);
}

static void test_prepare(void **state)
{
	check_prepare(*state, "web: x\n", ".pmo/pids");
}

static void test_prepare_per_host(void **state)
{
	struct host host;
	struct error err = ERROR_INIT;
	assert_int_equal(host_read(&host, &err), 0);
	char *pids CLEANUP_FREE = text_format(".pmo/%s/pids", host.name);
	check_prepare(*state, "web: x\npmo: {per_host: yes}\n", pids);
}

static void test_prepare_fails(void **state)
{
	struct test_project *project = *state;
	struct opening opening;
	struct error err = ERROR_INIT;
	project_write(project, "pmo.yml", "web: x\n");
	go(project, ".");
	open_project(&opening, NULL, PROJECT_NEEDS_CONFIG);
	project_write(project, ".pmo", "a file");
	assert_int_equal(project_prepare_state(&opening.project, &err), -1);
	char *expected CLEANUP_FREE = text_format("cannot make directory '%s': Not a directory",
						  project_path(project, ".pmo"));
	assert_string_equal(err.message, expected);
	assert_int_equal(opening.project.state.pids_fd, -1);
	error_clear(&err);
	close_project(&opening);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(test_search),
		PLACE_TEST(test_search_nothing),
		PLACE_TEST(test_lost_directory),
		PLACE_TEST(test_file),
		PLACE_TEST(test_file_missing),
		PLACE_TEST(test_config_missing),
		PLACE_TEST(test_config_broken),
		PLACE_TEST(test_config_broken_alone),
		PLACE_TEST(test_config_is_directory),
		PLACE_TEST(test_state_blocked),
		PLACE_TEST(test_per_host),
		PLACE_TEST(test_prepare),
		PLACE_TEST(test_prepare_per_host),
		PLACE_TEST(test_prepare_fails),
	};
	home = realpath(".", NULL);
	int result = cmocka_run_group_tests(tests, NULL, NULL);
	free(home);
	return result;
}
