/* view/table: alignment, fitting a terminal, text from strangers. */
#include "support/support.h"

#include "base/memory.h"
#include "base/text.h"
#include "view/table.h"

#include <string.h>

static const struct table_column columns[] = {
	{ "id", TABLE_RIGHT, 2 }, { "name", TABLE_LEFT, TABLE_KEEP }, { "status", TABLE_LEFT, 1 },
	{ "↺", TABLE_RIGHT, 3 },  { "user", TABLE_LEFT, 4 },
};

static const char *const plain_rows[][5] = {
	{ "1", "web", "running", "0", "www" },
	{ "10", "a-rather-long-service-name", "exited", "12", "" },
};

static void fill(struct table *table)
{
	table_init(table, columns, ARRAY_LENGTH(columns));
	for (size_t row = 0; row < ARRAY_LENGTH(plain_rows); row++)
		for (size_t column = 0; column < ARRAY_LENGTH(columns); column++)
			table_add(table, STYLE_PLAIN, plain_rows[row][column]);
}

static void assert_table(const struct output *output, size_t indent, const char *expected)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct table table;
	fill(&table);
	table_append(&table, output, indent, &text);
	assert_string_equal(buffer_string(&text), expected);
	table_release(&table);
}

static void test_plain(void **state)
{
	const struct output output = { .utf8 = true };
	(void)state;
	assert_table(&output, 0,
		     "id  name                        status    ↺  user\n"
		     " 1  web                         running   0  www\n"
		     "10  a-rather-long-service-name  exited   12\n");
	assert_table(&output, 2,
		     "  id  name                        status    ↺  user\n"
		     "   1  web                         running   0  www\n"
		     "  10  a-rather-long-service-name  exited   12\n");
}

static void test_fits_terminal(void **state)
{
	static const struct {
		size_t columns;
		bool utf8;
		const char *expected;
	} cases[] = {
		{ 80, true,
		  "id  name                        status    ↺  user\n"
		  " 1  web                         running   0  www\n"
		  "10  a-rather-long-service-name  exited   12\n" },
		/* the name gives way first */
		{ 39, true,
		  "id  name              status    ↺  user\n"
		  " 1  web               running   0  www\n"
		  "10  a-rather-long-s…  exited   12\n" },
		/* then columns go by priority, and the name gets the room */
		{ 38, true,
		  "id  name                   status    ↺\n"
		  " 1  web                    running   0\n"
		  "10  a-rather-long-servic…  exited   12\n" },
		{ 30, false,
		  "id  name               status\n"
		  " 1  web                running\n"
		  "10  a-rather-long-...  exited\n" },
		{ 25, true,
		  "name              status\n"
		  "web               running\n"
		  "a-rather-long-s…  exited\n" },
		{ 12, true, "name\nweb\na-rather-lo…\n" },
		{ 3, true, "na…\nweb\na-…\n" },
		{ 1, true, "…\n…\n…\n" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		const struct output output = { .terminal = true,
					       .utf8 = cases[i].utf8,
					       .columns = cases[i].columns };
		assert_table(&output, 0, cases[i].expected);
	}
}

/* Whatever the width, no line is wider and none ends in a space. */
static void test_every_width(void **state)
{
	(void)state;
	for (size_t width = 1; width < 70; width++) {
		const struct output output = { .terminal = true, .utf8 = true, .columns = width };
		struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
		struct table table;
		fill(&table);
		table_append(&table, &output, 0, &text);
		size_t lines = 0;
		for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n")) {
			assert_true(text_width(line) <= width);
			assert_true(line[strlen(line) - 1] != ' ');
			lines++;
		}
		assert_int_equal(lines, 3);
		table_release(&table);
	}
}

static void test_wide_and_hostile_text(void **state)
{
	static const struct table_column two[] = {
		{ "name", TABLE_LEFT, TABLE_KEEP },
		{ "n", TABLE_RIGHT, 1 },
	};
	static const char *const names[] = { "中文服务", "na\xc3\xafve", "e\xcc\x81t", "\033[2Jx\n",
					     "\xff" };
	const struct output plain = { .utf8 = true };
	const struct output narrow = { .terminal = true, .utf8 = true, .columns = 9 };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct table table;
	(void)state;
	table_init(&table, two, ARRAY_LENGTH(two));
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		table_add(&table, STYLE_NAME, names[i]);
		table_add_integer(&table, STYLE_PLAIN, (int64_t)i);
	}
	table_append(&table, &plain, 0, &text);
	assert_string_equal(buffer_string(&text), "name        n\n"
						  "中文服务    0\n"
						  "na\xc3\xafve       1\n"
						  "e\xcc\x81t          2\n"
						  "\\x1b[2Jx\\n  3\n"
						  "\\xff        4\n");
	buffer_clear(&text);
	table_append(&table, &narrow, 0, &text);
	assert_string_equal(buffer_string(&text), "name\n"
						  "中文服务\n"
						  "na\xc3\xafve\n"
						  "e\xcc\x81t\n"
						  "\\x1b[2Jx…\n"
						  "\\xff\n");
	buffer_clear(&text);
	const struct output tiny = { .terminal = true, .utf8 = true, .columns = 4 };
	table_append(&table, &tiny, 0, &text);
	assert_string_equal(buffer_string(&text), "name\n中…\nna\xc3\xaf…\ne\xcc\x81t\n\\x1…\n"
						  "\\xff\n");
	table_release(&table);
}

static void test_styles(void **state)
{
	static const struct table_column two[] = {
		{ "name", TABLE_LEFT, TABLE_KEEP },
		{ "status", TABLE_LEFT, 1 },
	};
	const struct output output = { .terminal = true, .color = true, .columns = 80 };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct table table;
	(void)state;
	table_init(&table, two, ARRAY_LENGTH(two));
	table_add(&table, STYLE_NAME, "a");
	table_add(&table, STYLE_GOOD, "running");
	table_append(&table, &output, 0, &text);
	assert_string_equal(buffer_string(&text), "\033[1mname\033[0m  \033[1mstatus\033[0m\n"
						  "\033[36ma\033[0m     \033[32mrunning\033[0m\n");
	table_release(&table);
}

static void test_integers(void **state)
{
	static const struct table_column one[] = { { "n", TABLE_RIGHT, TABLE_KEEP } };
	const struct output output = { 0 };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct table table;
	(void)state;
	table_init(&table, one, 1);
	table_add_integer(&table, STYLE_PLAIN, 0);
	table_add_integer(&table, STYLE_PLAIN, -70);
	table_add_integer(&table, STYLE_PLAIN, INT64_MAX);
	table_add_integer(&table, STYLE_PLAIN, INT64_MIN);
	table_append(&table, &output, 0, &text);
	assert_string_equal(buffer_string(&text), "                   n\n"
						  "                   0\n"
						  "                 -70\n"
						  " 9223372036854775807\n"
						  "-9223372036854775808\n");
	table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),       cmocka_unit_test(test_fits_terminal),
		cmocka_unit_test(test_every_width), cmocka_unit_test(test_wide_and_hostile_text),
		cmocka_unit_test(test_styles),      cmocka_unit_test(test_integers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
