#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/name.h"

#include <string.h>

static const char *problem_of(const char *name)
{
	return name_problem(name, strlen(name));
}

static void test_good_names(void **state)
{
	(void)state;
	static const char *const names[] = {
		"web",        "a",     "web-1", "api.v2", "a_b",     "c++", "me@host",
		"my service", "web!",  "größe", "日本",   "1a",      "1.5", "alls",
		"pmo2",       "port",  "Ports", "x",      "y-x",     "a~b", "$(reboot)",
		"it's",       "\"q\"", "*",     "web#1",  "all.pid",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *problem = problem_of(names[i]);
		if (problem)
			fail_msg("'%s' %s", names[i], problem);
	}
}

static void test_bad_names(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *problem;
	} table[] = {
		{ "", "is empty" },
		{ "a/b", "contains '/'" },
		{ "../etc/passwd", "contains '/'" },
		{ "host:web", "contains ':'" },
		{ "a\nb", "contains a control character" },
		{ "a\x1b[31m", "contains a control character" },
		{ "a\x7f", "contains a control character" },
		{ "a\xc2\x9b", "contains a control character" },
		{ "a\xe2\x80\xae", "contains a control character" },
		{ "we\xe2\x80\x8b"
		  "b",
		  "contains an invisible character" },                        /* U+200B */
		{ "web\xe2\x80\x8d", "contains an invisible character" },     /* U+200D */
		{ "web\xc2\xad", "contains an invisible character" },         /* U+00AD */
		{ "web\xe2\x81\xa0", "contains an invisible character" },     /* U+2060 */
		{ "web\xe3\x85\xa4", "contains an invisible character" },     /* U+3164 */
		{ "web\xef\xb8\x8f", "contains an invisible character" },     /* U+FE0F */
		{ "web\xf3\xa0\x81\xa1", "contains an invisible character" }, /* U+E0061 */
		{ "a\xff", "is not UTF-8" },
		{ "a\xc0\xaf", "is not UTF-8" },
		{ ".", "starts with '.'" },
		{ "..", "starts with '.'" },
		{ ".hidden", "starts with '.'" },
		{ "-f", "starts with '-'" },
		{ "@group", "starts with '@'" },
		{ " web", "starts with a space" },
		{ "web ", "ends with a space" },
		{ "web~", "ends with '~'" },
		{ "all", "is a reserved word" },
		{ "ALL", "is a reserved word" },
		{ "pmo", "is a reserved word" },
		{ "PmO", "is a reserved word" },
		{ "ports", "is reserved, because pmo has a file of that name" },
		{ "x-web", "starts with 'x-'" },
		{ "1", "is a number, which would be taken for an id" },
		{ "0042", "is a number, which would be taken for an id" },
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *problem = problem_of(table[i].name);
		if (!problem)
			fail_msg("'%s' was accepted", table[i].name);
		assert_string_equal(problem, table[i].problem);
	}
}

static void test_length(void **state)
{
	(void)state;
	char name[202];
	memset(name, 'a', sizeof(name));
	assert_null(name_problem(name, 200));
	assert_string_equal(name_problem(name, 201), "is longer than 200 bytes");
	assert_string_equal(name_problem("a\0b", 3), "contains a control character");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_names),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
