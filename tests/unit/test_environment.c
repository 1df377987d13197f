#include "model/environment_load.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_block(const struct environment *environment, const char *const *expected)
{
	size_t count = 0;
	for (; expected[count]; count++) {
		assert_true(count < environment->count);
		assert_string_equal(environment->entries[count], expected[count]);
	}
	assert_int_equal(environment->count, count);
	if (count > 0)
		assert_null(environment->entries[count]);
}

static void test_set_get_unset(void **state)
{
	struct environment environment = ENVIRONMENT_INIT;
	(void)state;
	assert_null(environment_get(&environment, "A"));
	environment_unset(&environment, "A");
	environment_set(&environment, "A", "1");
	environment_set(&environment, "AB", "2");
	environment_set(&environment, "C", "");
	environment_set(&environment, "A", "x=y");
	static const char *const set[] = { "A=x=y", "AB=2", "C=", NULL };
	assert_block(&environment, set);
	assert_string_equal(environment_get(&environment, "A"), "x=y");
	assert_string_equal(environment_get_bounded(&environment, "ABC", 2), "2");
	assert_string_equal(environment_get(&environment, "C"), "");
	assert_null(environment_get(&environment, "B"));
	assert_null(environment_get(&environment, ""));
	assert_null(environment_get(&environment, "A=x"));
	environment_unset(&environment, "AB");
	environment_unset(&environment, "B");
	static const char *const unset[] = { "A=x=y", "C=", NULL };
	assert_block(&environment, unset);
	assert_string_equal(environment_get(&environment, "C"), "");
	assert_null(environment_get(&environment, "AB"));
	environment_set(&environment, "AB", "3");
	assert_string_equal(environment.entries[2], "AB=3");
	environment_release(&environment);
	assert_int_equal(environment.count, 0);
}

static void test_many(void **state)
{
	enum { COUNT = 20000 };
	struct environment environment = ENVIRONMENT_INIT;
	struct environment copy = ENVIRONMENT_INIT;
	char name[32];
	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < COUNT; i++) {
			snprintf(name, sizeof(name), "NAME_%d", i);
			environment_set(&environment, name, round ? "again" : name);
		}
	}
	assert_int_equal(environment.count, COUNT);
	environment_copy(&copy, &environment);
	environment_unset(&copy, "NAME_0");
	environment_set(&copy, "NAME_1", "changed");
	assert_int_equal(environment.count, COUNT);
	assert_int_equal(copy.count, COUNT - 1);
	assert_string_equal(environment_get(&environment, "NAME_0"), "again");
	assert_string_equal(environment_get(&environment, "NAME_1"), "again");
	assert_null(environment_get(&copy, "NAME_0"));
	assert_string_equal(environment_get(&copy, "NAME_1"), "changed");
	for (int i = 2; i < COUNT; i++) {
		snprintf(name, sizeof(name), "NAME_%d", i);
		assert_string_equal(environment_get(&copy, name), "again");
	}
	environment_copy(&copy, &(struct environment)ENVIRONMENT_INIT);
	assert_int_equal(copy.count, 0);
	environment_release(&environment);
}

static void test_import(void **state)
{
	char *const block[] = { (char *)"PATH=/bin",  (char *)"PMO_RUN=x",
				(char *)"EMPTY=",     (char *)"nonsense",
				(char *)"=x",         (char *)"PMO_SERVICE=x",
				(char *)"PMO_DIR=/x", (char *)"PMO_INSTANCE=1",
				(char *)"PMO_FILE=f", (char *)"PATH=/usr",
				(char *)"X=\xff",     NULL };
	static const char *const expected[] = { "PATH=/usr", "EMPTY=", "PMO_FILE=f", "X=\xff",
						NULL };
	struct environment environment = ENVIRONMENT_INIT;
	(void)state;
	environment_import(&environment, NULL);
	assert_int_equal(environment.count, 0);
	environment_import(&environment, block);
	assert_block(&environment, expected);
	environment_release(&environment);
}

static void test_sizes(void **state)
{
	struct environment environment = ENVIRONMENT_INIT;
	struct error err = ERROR_INIT;
	size_t limit = (size_t)sysconf(_SC_PAGESIZE) * 32;
	char *value CLEANUP_FREE = memory_zalloc(limit + 1, 1);
	(void)state;
	memset(value, 'v', limit - 6);
	environment_set(&environment, "SMALL", "1");
	environment_set(&environment, "NAME", value);
	assert_int_equal(strlen(environment.entries[1]), limit - 1);
	assert_int_equal(environment_check_sizes(&environment, &err), 0);
	value[limit - 6] = 'v';
	environment_set(&environment, "NAME", value);
	assert_int_equal(environment_check_sizes(&environment, &err), -1);
	assert_int_equal(err.kind, ERROR_USAGE);
	char *expected CLEANUP_FREE =
	    memory_printf("the variable 'NAME' is too long: NAME=value has %zu bytes, and the "
			  "kernel takes at most %zu",
			  limit, limit - 1);
	assert_string_equal(err.message, expected);
	error_clear(&err);
	environment_release(&environment);
}

/* A directory with files, as a project has them. */
struct place {
	char directory[40];
	struct environment environment;
	struct environment base;
	struct environment first; /* dotenv or file_added */
	struct environment second;
	struct message_list messages;
	struct error err;
};

static int place_setup(void **state)
{
	struct place *place = memory_zalloc(1, sizeof(*place));
	strncpy(place->directory, "/tmp/pmo-environment-XXXXXX", sizeof(place->directory) - 1);
	*state = place;
	environment_set(&place->base, "PATH", "/bin");
	environment_set(&place->base, "CONF", "conf");
	return mkdtemp(place->directory) ? 0 : -1;
}

static int place_teardown(void **state)
{
	static const char *const names[] = { ".env", "a.env", "conf/b.env", "conf" };
	struct place *place = *state;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		char *path CLEANUP_FREE = memory_printf("%s/%s", place->directory, names[i]);
		remove(path);
	}
	int result = rmdir(place->directory);
	environment_release(&place->environment);
	environment_release(&place->base);
	environment_release(&place->first);
	environment_release(&place->second);
	message_list_release(&place->messages);
	error_clear(&place->err);
	free(place);
	return result;
}

static void place_write(const struct place *place, const char *name, const char *text)
{
	char *path CLEANUP_FREE = memory_printf("%s/%s", place->directory, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void place_make_directory(const struct place *place, const char *name)
{
	char *path CLEANUP_FREE = memory_printf("%s/%s", place->directory, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int load_project(struct place *place)
{
	char *const caller[] = { (char *)"HOME=/root", (char *)"A=caller", NULL };
	char *path CLEANUP_FREE = memory_printf("%s/.env", place->directory);
	return environment_load_project(&place->environment, caller, path, &place->first,
					&place->messages, &place->err);
}

static int load_service(struct place *place, const struct definition *definition)
{
	return environment_load_service(&place->environment, &place->base, definition,
					place->directory, &place->first, &place->second,
					&place->messages, &place->err);
}

static void test_project(void **state)
{
	struct place *place = *state;
	static const char *const expected[] = { "HOME=/root", "A=dotenv", "B=/root/dotenv", NULL };
	static const char *const dotenv[] = { "A=dotenv", "B=/root/dotenv", NULL };
	place_write(place, ".env", "A=dotenv\nB=${HOME}/${A}\nbare\n");
	assert_int_equal(load_project(place), 0);
	assert_block(&place->environment, expected);
	assert_block(&place->first, dotenv);
	assert_int_equal(place->messages.count, 1);
	assert_string_equal(place->messages.items[0].text,
			    ".env:3: skipped: a name without '=' (NAME= sets it to nothing)");
}

static void test_project_without_dotenv(void **state)
{
	struct place *place = *state;
	static const char *const expected[] = { "HOME=/root", "A=caller", NULL };
	assert_int_equal(load_project(place), 0);
	assert_block(&place->environment, expected);
	assert_int_equal(place->first.count, 0);
	assert_int_equal(place->messages.count, 0);
}

static void test_project_with_a_directory(void **state)
{
	struct place *place = *state;
	place_make_directory(place, ".env");
	assert_int_equal(load_project(place), -1);
	assert_int_equal(place->err.kind, ERROR_USAGE);
	assert_string_equal(place->err.message, "cannot read '.env': it is a directory");
}

static void test_service_order(void **state)
{
	struct place *place = *state;
	const char *files[] = { "a.env", "$CONF/${WHICH}.env" };
	struct variable variables[] = {
		{ "C", "env" },         { "PATH", "/x:$PATH" }, { "PATH", "/y:$PATH" },
		{ "D", "${B} $C $$C" }, { "E", "$NOTHING." },
	};
	struct definition definition = { .name = "web",
					 .env_files = { files, 2 },
					 .env = variables,
					 .env_count = ARRAY_LENGTH(variables) };
	static const char *const expected[] = {
		"PATH=/y:/x:/bin", "CONF=conf",    "A=a", "B=b-a", "C=env",
		"WHICH=b",         "D=b-a env $C", "E=.", NULL,
	};
	static const char *const from_files[] = { "A=a", "B=b-a", "C=file", "WHICH=b", NULL };
	static const char *const from_config[] = { "C=env", "PATH=/y:/x:/bin", "D=b-a env $C",
						   "E=.", NULL };
	place_write(place, "a.env", "A=a\nB=a\nC=file\nWHICH=b\n");
	place_make_directory(place, "conf");
	place_write(place, "conf/b.env", "B=b-${A}\noops oops\n");
	assert_int_equal(load_service(place, &definition), 0);
	assert_block(&place->environment, expected);
	assert_block(&place->first, from_files);
	assert_block(&place->second, from_config);
	assert_int_equal(place->messages.count, 2);
	assert_string_equal(place->messages.items[0].text,
			    "conf/b.env:2: skipped: a '=' is missing after the name");
	assert_string_equal(place->messages.items[1].text,
			    "'env.E' of 'web': 'NOTHING' is not set");
}

static void test_service_without_anything(void **state)
{
	struct place *place = *state;
	struct definition definition = { .name = "web" };
	static const char *const expected[] = { "PATH=/bin", "CONF=conf", NULL };
	environment_set(&place->environment, "OLD", "1");
	assert_int_equal(environment_load_service(&place->environment, &place->base, &definition,
						  place->directory, NULL, NULL, NULL, &place->err),
			 0);
	assert_block(&place->environment, expected);
}

static void test_service_errors(void **state)
{
	struct place *place = *state;
	static const struct {
		const char *file;
		const char *value;
		const char *message;
	} rows[] = {
		{ "none.env", "", "cannot read 'none.env': No such file or directory" },
		{ ".", "", "cannot read '.': it is a directory" },
		{ "/dev/null", "", "cannot read '/dev/null': it is no regular file" },
		{ "${CONF:-}${NO-}a.env", "",
		  "cannot read 'confa.env': No such file or directory" },
		{ "${NO-}", "", "'env_file' of 'web' is empty: name a file" },
		{ "${NO:?which}", "", "'env_file' of 'web': 'NO' is not set or empty: which" },
		{ "a.env", "", "a.env:2: this is not UTF-8 text" },
		{ NULL, "${X", "'env.V' of 'web': '${' is never closed: add '}', or write '$${'" },
	};
	place_write(place, "a.env", "\n\xff");
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const char *files[] = { rows[i].file };
		struct variable variable = { "V", rows[i].value };
		struct definition definition = { .name = "web",
						 .env_files = { files, rows[i].file ? 1 : 0 },
						 .env = &variable,
						 .env_count = 1 };
		assert_int_equal(load_service(place, &definition), -1);
		assert_int_equal(place->err.kind, ERROR_USAGE);
		assert_string_equal(place->err.message, rows[i].message);
	}
}

#define PLACE_TEST(function) cmocka_unit_test_setup_teardown(function, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_get_unset),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_sizes),
		PLACE_TEST(test_project),
		PLACE_TEST(test_project_without_dotenv),
		PLACE_TEST(test_project_with_a_directory),
		PLACE_TEST(test_service_order),
		PLACE_TEST(test_service_without_anything),
		PLACE_TEST(test_service_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
