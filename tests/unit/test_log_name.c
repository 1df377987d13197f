#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "model/log_name.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_plain(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "l", "l" },          { "./l", "l" }, { "d//.///l", "d/l" },
		{ "//d/./l", "/d/l" }, { ".l", ".l" }, { "d/../l", "d/../l" },
		{ "d/.", "d/" },       { "/", "/" },   { "", "" },
	};
	struct arena arena = ARENA_INIT;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		assert_string_equal(log_name_plain(&arena, rows[i][0]), rows[i][1]);
	arena_release(&arena);
}

static void test_unrotated(void **state)
{
	(void)state;
	assert_int_equal(log_name_unrotated("d/web.log.1"), strlen("d/web.log"));
	assert_int_equal(log_name_unrotated("l.30"), 1);
	static const char *const others[] = { "l",  "l.",   "l.01", "l.0",  "l.1x", "1",
					      ".1", "d/.1", "l1",   "l.-1", "" };
	for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
		assert_int_equal(log_name_unrotated(others[i]), 0);
}

/* Files that are there and files that are not, by any of their names. */
static void test_reaches(void **state)
{
	(void)state;
	static const struct {
		const char *log;
		const char *file;
		bool reaches;
	} rows[] = {
		{ "file", "file", true },         { "d/../file", "file", true },
		{ "link", "file", true },         { "hard", "file", true },
		{ "to-d/new", "d/new", true },    { "new", "d/new", false },
		{ "new", "new.7", true },         { "new.7", "new", false },
		{ "new", "new.old", false },      { "d/file", "file", false },
		{ "none/new", "none/new", true }, { "none/new", "none2/new", false },
		{ "/dev/null", "null", false },
	};
	char directory[] = "/tmp/pmo-log-name-XXXXXX";
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(file_replace(AT_FDCWD, "file", "x", 1, 0600), 0);
	assert_int_equal(symlink("file", "link"), 0);
	assert_int_equal(symlink("/dev/null", "null"), 0);
	assert_int_equal(symlink("d", "to-d"), 0);
	assert_int_equal(link("file", "hard"), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		if (log_name_reaches(rows[i].log, rows[i].file) != rows[i].reaches)
			fail_msg("'%s' and '%s'", rows[i].log, rows[i].file);
	static const char *const made[] = { "file", "link", "null", "to-d", "hard" };
	for (size_t i = 0; i < ARRAY_LENGTH(made); i++)
		unlink(made[i]);
	assert_int_equal(rmdir("d"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_unrotated),
		cmocka_unit_test(test_reaches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
