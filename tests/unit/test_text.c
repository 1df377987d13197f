/*
 * UTF-8, visible text, widths, cutting, suggestions.
 */
#include "support/support.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* A string literal and its length, NULs included. */
#define BYTES(literal) literal, sizeof(literal) - 1

static void test_decode(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		size_t size; /* 0: not UTF-8 */
		uint32_t code_point;
	} rows[] = {
		{ BYTES(""), 0, 0 },
		{ BYTES("\0"), 1, 0 },
		{ BYTES("a"), 1, 'a' },
		{ BYTES("ab"), 1, 'a' },
		{ BYTES("\x7f"), 1, 0x7f },
		{ BYTES("\xc2\x80"), 2, 0x80 },
		{ BYTES("\xc3\xa9x"), 2, 0xe9 },
		{ BYTES("\xdf\xbf"), 2, 0x7ff },
		{ BYTES("\xe0\xa0\x80"), 3, 0x800 },
		{ BYTES("\xe2\x82\xac"), 3, 0x20ac },
		{ BYTES("\xed\x9f\xbf"), 3, 0xd7ff },
		{ BYTES("\xee\x80\x80"), 3, 0xe000 },
		{ BYTES("\xef\xbf\xbf"), 3, 0xffff },
		{ BYTES("\xf0\x90\x80\x80"), 4, 0x10000 },
		{ BYTES("\xf0\x9f\x98\x80"), 4, 0x1f600 },
		{ BYTES("\xf4\x8f\xbf\xbf"), 4, 0x10ffff },
		/* bytes that begin nothing */
		{ BYTES("\x80"), 0, 0 },
		{ BYTES("\xbf"), 0, 0 },
		{ BYTES("\xf5\x80\x80\x80"), 0, 0 },
		{ BYTES("\xf8\x88\x80\x80\x80"), 0, 0 },
		{ BYTES("\xfe"), 0, 0 },
		{ BYTES("\xff"), 0, 0 },
		/* overlong */
		{ BYTES("\xc0\x80"), 0, 0 },
		{ BYTES("\xc0\xaf"), 0, 0 },
		{ BYTES("\xc1\xbf"), 0, 0 },
		{ BYTES("\xe0\x80\xaf"), 0, 0 },
		{ BYTES("\xe0\x9f\xbf"), 0, 0 },
		{ BYTES("\xf0\x80\x80\xaf"), 0, 0 },
		{ BYTES("\xf0\x8f\xbf\xbf"), 0, 0 },
		/* surrogates, and beyond the last character */
		{ BYTES("\xed\xa0\x80"), 0, 0 },
		{ BYTES("\xed\xad\xbf"), 0, 0 },
		{ BYTES("\xed\xbf\xbf"), 0, 0 },
		{ BYTES("\xf4\x90\x80\x80"), 0, 0 },
		/* cut short, and interrupted */
		{ BYTES("\xc3"), 0, 0 },
		{ BYTES("\xe2\x82"), 0, 0 },
		{ BYTES("\xf0\x9f\x98"), 0, 0 },
		{ BYTES("\xc3("), 0, 0 },
		{ BYTES("\xe2(\xac"), 0, 0 },
		{ BYTES("\xe2\x82("), 0, 0 },
		{ BYTES("\xf0\x9f\x98\xc3"), 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		uint32_t code_point = 0xdead;
		/* memory of exactly this length, for the sanitizer to watch */
		char *exact CLEANUP_FREE = memory_alloc(rows[i].length);
		memcpy(exact, rows[i].bytes, rows[i].length);
		size_t size = text_utf8_decode(exact, rows[i].length, &code_point);
		if (size != rows[i].size)
			fail_msg("row %zu: size %zu, not %zu", i, size, rows[i].size);
		if (size)
			assert_int_equal(code_point, rows[i].code_point);
	}
}

static size_t encode(uint32_t c, char *bytes)
{
	if (c < 0x80) {
		bytes[0] = (char)c;
		return 1;
	}
	size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = size; i-- > 1; c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3f));
	bytes[0] = (char)((0xf00U >> size & 0xff) | c);
	return size;
}

/* Every number up to beyond the last one, surrogates being the only ones refused. */
static void test_decode_all(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x110100; c++) {
		char bytes[4];
		uint32_t code_point = 0xdead;
		size_t length = encode(c, bytes);
		size_t size = text_utf8_decode(bytes, length, &code_point);
		bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		if (size != (valid ? length : 0) || (valid && code_point != c))
			fail_msg("U+%04x: size %zu, U+%04x", c, size, code_point);
	}
}

static void test_is_utf8(void **state)
{
	(void)state;
	assert_true(text_is_utf8("", 0));
	assert_true(text_is_utf8(BYTES("plain \xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80\0.")));
	assert_false(text_is_utf8(BYTES("plain \xc3")));
	assert_false(text_is_utf8(BYTES("\xff plain")));
	assert_false(text_is_utf8(BYTES("caf\xe9")));
}

static void test_visible(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *visible;
	} rows[] = {
		{ BYTES(""), "" },
		{ BYTES("plain ~ text"), "plain ~ text" },
		{ BYTES("na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac"),
		  "na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac" },
		{ BYTES("a\nb\tc\rd"), "a\\nb\\tc\\x0dd" },
		{ BYTES("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m" },
		{ BYTES("\x1b]0;title\x07"), "\\x1b]0;title\\x07" },
		{ BYTES("nul\0nul"), "nul\\x00nul" },
		{ BYTES("\x7f"), "\\x7f" },
		{ BYTES("\xc2\x9b"
			"31m"),
		  "\\xc2\\x9b31m" },
		{ BYTES("\xc2\x85"), "\\xc2\\x85" },
		{ BYTES("\xe2\x80\xae"
			"evil"),
		  "\\xe2\\x80\\xaeevil" },
		{ BYTES("\xe2\x80\xa8"), "\\xe2\\x80\\xa8" },
		{ BYTES("\xe2\x81\xa6"), "\\xe2\\x81\\xa6" },
		{ BYTES("\xd8\x9c"), "\\xd8\\x9c" },
		{ BYTES("\xef\xbb\xbf"
			"x"),
		  "\\xef\\xbb\\xbfx" },
		{ BYTES("caf\xe9!"), "caf\\xe9!" },
		{ BYTES("\xe2\x82"), "\\xe2\\x82" },
		{ BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80" },
		{ BYTES("\xc0\x9b"), "\\xc0\\x9b" },
		{ BYTES("back\\slash"), "back\\slash" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
		text_append_visible(&shown, rows[i].bytes, rows[i].length);
		assert_string_equal(buffer_string(&shown), rows[i].visible);
		/* and again: what is visible stays as it is */
		struct buffer again CLEANUP_BUFFER = BUFFER_INIT;
		text_append_visible(&again, buffer_string(&shown), shown.length);
		assert_string_equal(buffer_string(&again), rows[i].visible);
	}
}

/* No byte below 0x20, no DEL and nothing but UTF-8 comes out, whatever goes in. */
static void test_visible_random(void **state)
{
	unsigned int seed = 3;
	(void)state;
	for (int round = 0; round < 3000; round++) {
		char bytes[32];
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)rand_r(&seed);
		struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
		text_append_visible(&shown, bytes, sizeof(bytes));
		assert_true(text_is_utf8(shown.data, shown.length));
		for (size_t i = 0; i < shown.length; i++)
			assert_true((unsigned char)shown.data[i] >= 0x20 && shown.data[i] != 0x7f);
	}
}

static void test_visible_lines(void **state)
{
	static const struct {
		const char *text;
		const char *visible;
	} rows[] = {
		{ "", "" },
		{ "one", "one" },
		{ "one\n", "one\n" },
		{ "\n\none\ntwo\x1b[m\r\n", "\n\none\ntwo\\x1b[m\\x0d\n" },
		{ "tab\there", "tab\\there" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
		text_append_visible_lines(&shown, rows[i].text);
		assert_string_equal(buffer_string(&shown), rows[i].visible);
	}
}

static void test_width(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} rows[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "na\xc3\xafve", 5 },
		{ "\xe6\x97\xa5\xe6\x9c\xac", 4 }, /* two ideographs */
		{ "e\xcc\x81", 1 },                /* e and COMBINING ACUTE ACCENT */
		{ "\xef\xbd\xb1", 1 },             /* half-width katakana */
		{ "\xf0\x9f\x98\x80", 2 },         /* a face */
		{ "\xe2\x80\xa6", 1 },             /* ellipsis */
		{ "\xe2\x86\xba", 1 },             /* the arrow of restarts */
		{ "\xe2\x80\x8b", 0 },             /* ZERO WIDTH SPACE */
		{ "\xee\x80\x80", 1 },             /* private use */
		{ "\xff\xfe", 2 },                 /* no UTF-8: one column a byte */
		{ "a\xe6\x97", 3 },                /* cut short */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		if (text_width(rows[i].text) != rows[i].width)
			fail_msg("'%s' has width %zu, not %zu", rows[i].text,
				 text_width(rows[i].text), rows[i].width);
}

#define DOTS "\xe2\x80\xa6"

static void test_cut(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *ellipsis;
		const char *expected;
	} rows[] = {
		{ "abcdef", 6, DOTS, "abcdef" },
		{ "abcdef", 7, DOTS, "abcdef" },
		{ "abcdef", 5, DOTS, "abcd" DOTS },
		{ "abcdef", 1, DOTS, DOTS },
		{ "abcdef", 0, DOTS, "" },
		{ "", 0, DOTS, "" },
		{ "abcdef", 4, "...", "a..." },
		{ "abcdef", 3, "...", "..." },
		{ "abcdef", 2, "...", "" },
		{ "abcdef", 3, "", "abc" },
		/* a wide character is never halved */
		{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 6, DOTS,
		  "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
		{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5, DOTS,
		  "\xe6\x97\xa5\xe6\x9c\xac" DOTS },
		{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, DOTS, "\xe6\x97\xa5" DOTS },
		{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 2, DOTS, DOTS },
		/* an accent stays with its letter */
		{ "e\xcc\x81"
		  "e\xcc\x81"
		  "e\xcc\x81",
		  2, DOTS, "e\xcc\x81" DOTS },
		{ "e\xcc\x81"
		  "e\xcc\x81",
		  2, DOTS,
		  "e\xcc\x81"
		  "e\xcc\x81" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct buffer cut CLEANUP_BUFFER = BUFFER_INIT;
		buffer_append_string(&cut, ">");
		text_append_cut(&cut, rows[i].text, rows[i].columns, rows[i].ellipsis);
		assert_string_equal(buffer_string(&cut) + 1, rows[i].expected);
		assert_true(text_width(buffer_string(&cut) + 1) <= rows[i].columns);
	}
}

static void test_locale(void **state)
{
	static const struct {
		const char *all, *ctype, *lang;
		bool utf8;
	} rows[] = {
		{ NULL, NULL, NULL, false },          { NULL, NULL, "C", false },
		{ NULL, NULL, "en_US.UTF-8", true },  { NULL, NULL, "de_DE.utf8", true },
		{ NULL, NULL, "C.UTF-8", true },      { NULL, NULL, "en_US.ISO-8859-1", false },
		{ NULL, "C.UTF-8", "C", true },       { NULL, "C", "C.UTF-8", false },
		{ "C", "C.UTF-8", "C.UTF-8", false }, { "C.UTF-8", "C", "C", true },
		{ "", "", "C.UTF-8", true },          { "POSIX", NULL, "C.UTF-8", false },
	};
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const char *const values[] = { rows[i].all, rows[i].ctype, rows[i].lang };
		for (size_t j = 0; j < ARRAY_LENGTH(names); j++) {
			unsetenv(names[j]);
			if (values[j])
				setenv(names[j], values[j], 1);
		}
		if (text_locale_is_utf8() != rows[i].utf8)
			fail_msg("row %zu: not %d", i, rows[i].utf8);
	}
}

static void test_suggest(void **state)
{
	static const char *const commands[] = { "start", "stop", "status", "restart", "logs",
						"ls",    "all",  "Web",    "x" };
	static const struct {
		const char *word;
		const char *nearest;
	} rows[] = {
		{ "start", "start" },   { "strat", "start" },
		{ "satrt", "start" },   { "STRAT", "start" },
		{ "sTRat", "start" },   { "stpo", "stop" },
		{ "stp", "stop" },      { "stopp", "stop" },
		{ "statsu", "status" }, { "resatrt", "restart" },
		{ "web", "Web" },       { "ewb", "Web" },
		{ "sl", "ls" },         { "log", "logs" },
		{ "frobnicate", NULL }, { "", NULL },
		{ "y", NULL }, /* one letter for another is no resemblance */
		{ "qqqq", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const char *nearest = text_suggest(rows[i].word, commands, ARRAY_LENGTH(commands));
		if ((nearest == NULL) != (rows[i].nearest == NULL) ||
		    (nearest && strcmp(nearest, rows[i].nearest) != 0))
			fail_msg("'%s' suggests '%s', not '%s'", rows[i].word,
				 nearest ? nearest : "nothing",
				 rows[i].nearest ? rows[i].nearest : "nothing");
	}
	assert_null(text_suggest("start", NULL, 0));
}

/* Words that are too long to be compared resemble nothing. */
static void test_suggest_long(void **state)
{
	char word[301];
	char other[101];
	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	memset(other, 'b', sizeof(other) - 1);
	other[sizeof(other) - 1] = '\0';
	const char *const candidates[] = { other, word + 230, "aaa" };
	assert_null(text_suggest(word, candidates, ARRAY_LENGTH(candidates)));
	/* 64 bytes are still compared */
	const char *const near[] = { word + 300 - 63 };
	assert_ptr_equal(text_suggest(word + 300 - 64, near, 1), near[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),         cmocka_unit_test(test_decode_all),
		cmocka_unit_test(test_is_utf8),        cmocka_unit_test(test_visible),
		cmocka_unit_test(test_visible_random), cmocka_unit_test(test_visible_lines),
		cmocka_unit_test(test_width),          cmocka_unit_test(test_cut),
		cmocka_unit_test(test_locale),         cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_suggest_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
