/* model/ignore_pattern: the rules of gitignore(5), one table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/ignore_pattern.h"

#include <stdio.h>
#include <string.h>

/* Patterns and paths are separated by blanks; a path that ends with '/' is a directory. */
struct rule {
	const char *patterns;
	const char *ignored;
	const char *kept;
};

static size_t split(char *text, const char **words, size_t capacity)
{
	size_t count = 0;
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
		assert_true(count < capacity);
		words[count++] = word;
	}
	return count;
}

static void check_paths(const struct ignore_list *list, const char *patterns, const char *paths,
			bool expected)
{
	char *text CLEANUP_FREE = memory_strdup(paths);
	const char *words[32];
	size_t count = split(text, words, ARRAY_LENGTH(words));
	for (size_t i = 0; i < count; i++) {
		char path[256];
		size_t length = (size_t)snprintf(path, sizeof(path), "%s", words[i]);
		bool directory = path[length - 1] == '/';
		path[length - directory] = '\0';
		if (ignore_list_matches(list, path, directory ? IGNORE_DIRECTORY : IGNORE_FILE) !=
		    expected)
			fail_msg("'%s' makes '%s' %s", patterns, words[i],
				 expected ? "kept" : "ignored");
	}
}

static void check_rules(const struct rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *text CLEANUP_FREE = memory_strdup(rules[i].patterns);
		const char *words[16];
		size_t length = split(text, words, ARRAY_LENGTH(words));
		struct ignore_list *list = ignore_list_create(words, length);
		check_paths(list, rules[i].patterns, rules[i].ignored, true);
		check_paths(list, rules[i].patterns, rules[i].kept, false);
		ignore_list_destroy(list);
	}
}

static void test_names(void **state)
{
	static const struct rule rules[] = {
		{ "foo", "foo foo/ a/foo a/b/foo/ foo/x a/foo/b/c", "food afoo a/fo Foo a/xfoo/y" },
		{ "foo/", "foo/ a/foo/ foo/x a/foo/b", "foo a/foo" },
		{ "/foo", "foo foo/ foo/x", "a/foo a/foo/ food" },
		{ "./foo", "foo foo/x", "a/foo" },
		{ "/foo/", "foo/ foo/a", "foo a/foo/" },
		{ "./foo/", "foo/ foo/a", "foo a/foo/" },
		{ "doc/frotz", "doc/frotz doc/frotz/ doc/frotz/x", "a/doc/frotz frotz doc/" },
		{ "doc/frotz/", "doc/frotz/ doc/frotz/x", "doc/frotz a/doc/frotz/" },
		{ "/doc/frotz", "doc/frotz", "a/doc/frotz" },
	};
	(void)state;
	check_rules(rules, ARRAY_LENGTH(rules));
}

static void test_wildcards(void **state)
{
	static const struct rule rules[] = {
		{ "*.log", "a.log .log x/y.log d.log/ d.log/x", "a.logs alog a.log.1" },
		{ "/*.log", "a.log", "x/a.log" },
		{ "hello.*", "hello.txt hello.c a/hello.java", "hello hello" },
		{ "/hello.*", "hello.txt", "a/hello.java" },
		{ "*", "a .a a/b", "" },
		{ "/*", "a a/ a/b", "" },
		{ "a/*", "a/b a/b/c a/.b", "a a/ b/a/c" },
		{ "a/*/c", "a/b/c a/b/c/d", "a/c a/b/b/c" },
		{ "f?o", "foo f.o x/fxo", "fo fooo f" },
		{ "a/?", "a/b", "a/bc a/" },
		{ "a?b", "axb", "a/b" },
		{ "a*b", "ab a.b", "a/b" },
		{ "[a-c]x", "ax bx y/cx", "dx x [a-c]x" },
		{ "[!a-c]x", "dx", "ax x" },
		{ "[^a]", "b", "a" },
		{ "[[:digit:]]", "7", "a" },
		{ "*.py[co]", "m.pyc m.pyo", "m.py m.pyx" },
		{ "\\*", "*", "a" },
		{ "a\\?", "a?", "ab" },
		{ "\\[a]", "[a]", "a" },
		{ "foo\\", "", "foo foo\\" },
		{ "[a", "", "a" },
	};
	(void)state;
	check_rules(rules, ARRAY_LENGTH(rules));
}

static void test_any_depth(void **state)
{
	static const struct rule rules[] = {
		{ "**/foo", "foo a/foo a/b/foo foo/x", "food a/food" },
		{ "**/foo/bar", "foo/bar a/foo/bar a/b/foo/bar/c", "foo/a/bar bar foo" },
		{ "**/foo/", "foo/ a/foo/", "foo a/foo" },
		{ "abc/**", "abc/x abc/x/y abc/x/", "abc abc/ a/abc/x" },
		{ "abc/**/", "abc/x/ abc/x/y abc/x/y/", "abc/ abc/x" },
		{ "a/**/b", "a/b a/x/b a/x/y/b a/x/b/c", "b a x/a/b a/xb ab" },
		{ "a/**/**/b", "a/b a/x/b a/x/y/z/b", "a/x" },
		{ "a/**/b/**/c", "a/b/c a/x/b/c a/b/x/c a/x/b/y/b/c a/b/b/c", "a/c a/b a/c/b" },
		{ "a/**/b/*", "a/b/c a/x/b/b", "a/b a/x" },
		{ "**", "a a/b .a", "" },
		{ "**/", "a/ a/b/ a/b", "a" },
		{ "/**", "a a/b", "" },
		{ "./**", "a a/b", "" },
		{ "**/**", "a a/b", "" },
		{ "a**b", "ab axb x/axyb", "a/b" },
		{ "/a**/b", "a/b ax/b", "a/x/b" },
		{ "**a/b", "a/b xa/b", "x/a/b" },
		{ "**/*.o", "x.o a/b/x.o", "x.oo" },
		{ "/src/**/gen/*.c", "src/gen/a.c src/x/y/gen/a.c", "src/gen/x/a.c gen/a.c" },
	};
	(void)state;
	check_rules(rules, ARRAY_LENGTH(rules));
}

static void test_negation(void **state)
{
	static const struct rule rules[] = {
		{ "*.log !keep.log", "a.log x/b.log", "keep.log x/keep.log" },
		{ "!keep.log *.log", "keep.log", "" },
		{ "*.log !keep.log keep.log", "keep.log", "" },
		{ "foo !foo/bar", "foo/ foo/bar foo/bar/x", "bar" },
		{ "foo/* !foo/bar", "foo/x foo/y/bar", "foo/ foo/bar foo/bar/x" },
		{ "/* !/src", "a b/c", "src/ src/a src/b/c" },
		{ "/* !/src/", "a src", "src/ src/a" },
		{ "* !*/ !*.c", "a x/a x/a.h", "x/ a.c x/y/a.c" },
		{ "\\!a", "!a", "a" },
		{ "!", "", "a !" },
		{ "!!a", "", "a !a" },
	};
	(void)state;
	check_rules(rules, ARRAY_LENGTH(rules));
}

/* Where a file's lines and a list's elements differ, and what matches nothing. */
static void test_edges(void **state)
{
	static const struct rule rules[] = {
		{ "#a", "#a x/#a", "a" }, { "\\#a", "#a", "a" }, { "/", "", "a a/" },
		{ "//", "", "a a/" },     { "a//b", "", "a/b" }, { "", "", "a a/" },
		{ ".", "", "a" },         { "./", "", "a" },     { "!/", "", "a" },
	};
	const char *const empty[] = { "", "a b " };
	(void)state;
	check_rules(rules, ARRAY_LENGTH(rules));
	struct ignore_list *list = ignore_list_create(empty, 2);
	assert_false(ignore_list_matches(list, "a", IGNORE_FILE));
	assert_false(ignore_list_matches(list, "", IGNORE_DIRECTORY));
	assert_false(ignore_list_matches(list, "a b", IGNORE_FILE));
	assert_true(ignore_list_matches(list, "a b ", IGNORE_FILE));
	ignore_list_destroy(list);
	ignore_list_destroy(NULL);
}

static void test_built_in(void **state)
{
	static const struct rule rules[] = {
		{ "",
		  ".git/ .git .git/index a/.git/HEAD .hg/x .svn/x node_modules/a/b.js "
		  "web/node_modules/ __pycache__/a.pyc .pmo/pids/a.pid .a.c.swp a.c~ .#a.c 4913 "
		  "x/4913 #a.c# .DS_Store x/.DS_Store",
		  ".gitignore .github/x .env node_module/ a.swpx a~b #a a# 49130" },
		{ "!node_modules", "node_modules/.git/x a~", "node_modules/ node_modules/a/b" },
		{ "!/node_modules !*~", "a/node_modules/", "node_modules/x a~" },
	};
	(void)state;
	check_rules(rules, ARRAY_LENGTH(rules));
}

/* Work must not explode where many wildcards meet a path that they fit almost. */
static void test_many_wildcards(void **state)
{
	char pattern[512] = "";
	char path[1024] = "";
	for (size_t i = 0; i < 40; i++)
		strcat(pattern, "**/a/");
	strcat(pattern, "b");
	for (size_t i = 0; i < 200; i++)
		strcat(path, "a/");
	strcat(path, "c");
	const char *const patterns[] = { pattern };
	(void)state;
	struct ignore_list *list = ignore_list_create(patterns, 1);
	assert_false(ignore_list_matches(list, path, IGNORE_FILE));
	path[strlen(path) - 1] = 'b';
	assert_true(ignore_list_matches(list, path, IGNORE_FILE));
	ignore_list_destroy(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),          cmocka_unit_test(test_wildcards),
		cmocka_unit_test(test_any_depth),      cmocka_unit_test(test_negation),
		cmocka_unit_test(test_edges),          cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_many_wildcards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
