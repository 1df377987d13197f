/*
 * Which services there are, and what a specification names.
 */
#include "support/support.h"

#include "base/memory.h"
#include "model/catalog.h"

#include <stdlib.h>
#include <string.h>

static const char configuration[] = "web: {cmd: a, namespace: front}\n"
				    "worker: {cmd: b, namespace: back}\n"
				    "cron: {cmd: c, autostart: no}\n"
				    "two words: {cmd: d, namespace: back}\n"
				    "db: e\n";

/* A catalog and all that it stands on. */
struct fixture {
	struct config config;
	struct state files;
	struct catalog catalog;
};

/* CONFIG is NULL for a pmo.yml that cannot be read. */
static void fixture_open(struct fixture *fixture, struct test_project *project, const char *config)
{
	struct message_list problems = MESSAGE_LIST_INIT;
	struct error err = ERROR_INIT;
	memset(fixture, 0, sizeof(*fixture));
	if (config &&
	    config_parse(config, strlen(config), "pmo.yml", &fixture->config, &problems) < 0)
		fail_msg("%s", problems.items[0].text);
	message_list_release(&problems);
	assert_int_equal(state_open(&fixture->files, project->directory, NULL, STATE_READ, &err),
			 0);
	assert_int_equal(catalog_build(&fixture->catalog, config ? &fixture->config : NULL,
				       &fixture->files, &err),
			 0);
}

static void fixture_close(struct fixture *fixture)
{
	catalog_release(&fixture->catalog);
	state_close(&fixture->files);
	config_release(&fixture->config);
}

/* worker and cron are meant to be up, db has ended, old and lost are no longer configured. */
static void write_records(struct test_project *project)
{
	project_write(project, ".pmo/pids/worker.pid", "4242\n");
	project_write(project, ".pmo/pids/cron.pid", "%s", "");
	project_write(project, ".pmo/pids/db.exit", "code 0 5\n");
	project_write(project, ".pmo/pids/old.pid", "4243\n");
	project_write(project, ".pmo/pids/old.spec", "old:\n  cmd: x\n  namespace: back\n");
	project_write(project, ".pmo/pids/lost.exit", "signal 9 5\n");
	project_write(project, ".pmo/pids/lost.spec", "garbage: [\n");
}

static void test_build(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *name;
		bool configured;
		bool recorded;
		const char *namespace_name; /* NULL: no definition */
	} rows[] = {
		{ "web", true, false, "front" },   { "worker", true, true, "back" },
		{ "cron", true, true, "default" }, { "two words", true, false, "back" },
		{ "db", true, true, "default" },   { "lost", false, true, NULL },
		{ "old", false, true, "back" },
	};
	struct fixture fixture;
	write_records(project);
	fixture_open(&fixture, project, configuration);
	const struct catalog *catalog = &fixture.catalog;
	assert_true(catalog->ids_valid);
	assert_int_equal(catalog->count, ARRAY_LENGTH(rows));
	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->entries[i];
		assert_int_equal(entry->id, i + 1);
		assert_string_equal(entry->name, rows[i].name);
		assert_int_equal(entry->configured, rows[i].configured);
		assert_int_equal(entry->recorded, rows[i].recorded);
		assert_int_equal(entry->definition != NULL, rows[i].namespace_name != NULL);
		if (entry->definition)
			assert_string_equal(entry->definition->namespace_name,
					    rows[i].namespace_name);
		assert_ptr_equal(catalog_find(catalog, rows[i].name), entry);
	}
	assert_null(catalog_find(catalog, "nobody"));
	assert_null(catalog_find(catalog, ""));
	fixture_close(&fixture);
}

static void test_build_without_config(void **state)
{
	struct test_project *project = *state;
	static const char *const expected[] = { "cron", "db", "lost", "old", "worker" };
	struct fixture fixture;
	write_records(project);
	fixture_open(&fixture, project, NULL);
	assert_false(fixture.catalog.ids_valid);
	assert_int_equal(fixture.catalog.count, ARRAY_LENGTH(expected));
	for (size_t i = 0; i < fixture.catalog.count; i++) {
		assert_string_equal(fixture.catalog.entries[i].name, expected[i]);
		assert_false(fixture.catalog.entries[i].configured);
		assert_true(fixture.catalog.entries[i].recorded);
	}
	fixture_close(&fixture);
}

static void test_build_nothing(void **state)
{
	struct test_project *project = *state;
	struct fixture fixture;
	struct selection selection;
	char all[] = "all";
	char *specs[] = { all };
	fixture_open(&fixture, project, NULL);
	assert_int_equal(fixture.catalog.count, 0);
	assert_int_equal(catalog_select(&fixture.catalog, specs, 1, SELECT_ALL_KNOWN, &selection,
					NULL),
			 0);
	assert_int_equal(selection.count, 0);
	selection_release(&selection);
	assert_int_equal(catalog_select(&fixture.catalog, specs, 0, SELECT_ALL_KNOWN, &selection,
					NULL),
			 0);
	assert_int_equal(selection.count, 0);
	selection_release(&selection);
	fixture_close(&fixture);
}

struct select_case {
	const char *specs; /* separated by '|' */
	enum select_all all;
	const char *names;    /* what is selected, likewise */
	const char *messages; /* one a line; "" where all is well */
};

static void check_select(const struct catalog *catalog, const struct select_case *row)
{
	struct message_list messages = MESSAGE_LIST_INIT;
	struct selection selection;
	struct buffer names CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer said CLEANUP_BUFFER = BUFFER_INIT;
	char *text CLEANUP_FREE = memory_strdup(row->specs);
	char *specs[16];
	size_t count = 0;
	for (char *rest = text, *spec; (spec = strsep(&rest, "|")) != NULL;)
		specs[count++] = spec;
	int result = catalog_select(catalog, specs, count, row->all, &selection, &messages);
	for (size_t i = 0; i < selection.count; i++)
		buffer_printf(&names, "%s%s", i ? "|" : "", selection.entries[i]->name);
	for (size_t i = 0; i < messages.count; i++) {
		assert_int_equal(messages.items[i].level, MESSAGE_ERROR);
		buffer_printf(&said, "%s%s", i ? "\n" : "", messages.items[i].text);
	}
	if (strcmp(buffer_string(&names), row->names) != 0)
		fail_msg("'%s' selects '%s', not '%s'", row->specs, buffer_string(&names),
			 row->names);
	assert_string_equal(buffer_string(&said), row->messages);
	assert_int_equal(result, *row->messages ? -1 : 0);
	selection_release(&selection);
	message_list_release(&messages);
}

static void test_select(void **state)
{
	struct test_project *project = *state;
	static const struct select_case rows[] = {
		{ "web", SELECT_ALL_KNOWN, "web", "" },
		{ "two words", SELECT_ALL_KNOWN, "two words", "" },
		{ "old", SELECT_ALL_CONFIGURED, "old", "" },
		/* catalog order, each once */
		{ "db|web|db|1|web", SELECT_ALL_KNOWN, "web|db", "" },
		{ "2", SELECT_ALL_KNOWN, "worker", "" },
		{ "007", SELECT_ALL_KNOWN, "old", "" },
		{ "@back", SELECT_ALL_KNOWN, "worker|two words|old", "" },
		{ "@default", SELECT_ALL_KNOWN, "cron|db|lost", "" },
		{ "@front|@back|web", SELECT_ALL_KNOWN, "web|worker|two words|old", "" },
		/* what `all` means depends on the command */
		{ "all", SELECT_ALL_AUTOSTART, "web|worker|two words|db", "" },
		{ "all", SELECT_ALL_RECORDED, "worker|cron|db|lost|old", "" },
		{ "all", SELECT_ALL_INTENDED, "worker|cron", "" },
		{ "all", SELECT_ALL_CONFIGURED, "web|worker|cron|two words|db", "" },
		{ "all", SELECT_ALL_KNOWN, "web|worker|cron|two words|db|lost|old", "" },
		{ "all|cron", SELECT_ALL_AUTOSTART, "web|worker|cron|two words|db", "" },
		/* what names nothing does not keep the rest from being selected */
		{ "wbe|db", SELECT_ALL_KNOWN, "db", "no service 'wbe' (did you mean 'web'?)" },
		{ "WEB", SELECT_ALL_KNOWN, "", "no service 'WEB' (did you mean 'web'?)" },
		{ "wrker|two word|zzz", SELECT_ALL_KNOWN, "",
		  "no service 'wrker' (did you mean 'worker'?)\n"
		  "no service 'two word' (did you mean 'two words'?)\nno service 'zzz'" },
		{ "", SELECT_ALL_KNOWN, "", "no service ''" },
		{ "ALL", SELECT_ALL_KNOWN, "", "no service 'ALL'" },
		{ "web*", SELECT_ALL_KNOWN, "", "no service 'web*' (did you mean 'web'?)" },
		{ "0", SELECT_ALL_KNOWN, "", "no service with id '0' (there are 7)" },
		{ "8|web", SELECT_ALL_KNOWN, "web", "no service with id '8' (there are 7)" },
		{ "99999999999999999999", SELECT_ALL_KNOWN, "",
		  "no service with id '99999999999999999999' (there are 7)" },
		{ "-1", SELECT_ALL_KNOWN, "", "no service '-1'" },
		{ "@", SELECT_ALL_KNOWN, "", "no service in namespace ''" },
		{ "@frotn", SELECT_ALL_KNOWN, "",
		  "no service in namespace 'frotn' (did you mean '@front'?)" },
		{ "@elsewhere", SELECT_ALL_KNOWN, "", "no service in namespace 'elsewhere'" },
		{ "@web", SELECT_ALL_KNOWN, "", "no service in namespace 'web'" },
		/* no escape sequence passes through a message */
		{ "\x1b[31mred", SELECT_ALL_KNOWN, "", "no service '\\x1b[31mred'" },
		{ "@\x1b[31mred", SELECT_ALL_KNOWN, "", "no service in namespace '\\x1b[31mred'" },
	};
	struct fixture fixture;
	write_records(project);
	fixture_open(&fixture, project, configuration);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		check_select(&fixture.catalog, &rows[i]);
	fixture_close(&fixture);
}

static void test_select_without_config(void **state)
{
	struct test_project *project = *state;
	static const struct select_case rows[] = {
		{ "worker", SELECT_ALL_RECORDED, "worker", "" },
		{ "all", SELECT_ALL_RECORDED, "cron|db|lost|old|worker", "" },
		{ "all", SELECT_ALL_AUTOSTART, "", "" },
		{ "all", SELECT_ALL_INTENDED, "", "" },
		{ "@back", SELECT_ALL_RECORDED, "old", "" },
		/* positions have moved: what was 1 is another one now */
		{ "1|db", SELECT_ALL_RECORDED, "db",
		  "id '1' means nothing while pmo.yml cannot be read: use the name" },
		{ "web", SELECT_ALL_RECORDED, "", "no service 'web'" },
	};
	struct fixture fixture;
	write_records(project);
	fixture_open(&fixture, project, NULL);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		check_select(&fixture.catalog, &rows[i]);
	fixture_close(&fixture);
}

/* A service whose records are garbage is still there to be selected, and meant to be up. */
static void test_select_garbage(void **state)
{
	struct test_project *project = *state;
	static const struct select_case rows[] = {
		{ "all", SELECT_ALL_RECORDED, "web", "" },
		{ "all", SELECT_ALL_INTENDED, "web", "" },
	};
	static const char *const contents[] = { "", "garbage", "-1\n", "999999999999\n" };
	for (size_t i = 0; i < ARRAY_LENGTH(contents); i++) {
		struct fixture fixture;
		project_write(project, ".pmo/pids/web.pid", "%s", contents[i]);
		fixture_open(&fixture, project, "web: x\n");
		for (size_t j = 0; j < ARRAY_LENGTH(rows); j++)
			check_select(&fixture.catalog, &rows[j]);
		fixture_close(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_build),
		PROJECT_TEST(test_build_without_config),
		PROJECT_TEST(test_build_nothing),
		PROJECT_TEST(test_select),
		PROJECT_TEST(test_select_without_config),
		PROJECT_TEST(test_select_garbage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
