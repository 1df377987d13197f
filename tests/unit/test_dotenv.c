#include "model/dotenv.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct reading {
	struct environment environment;
	struct environment added;
	struct message_list messages;
	struct error err;
	int result;
};

static struct reading read_bytes(const char *text, size_t length)
{
	struct reading reading = { 0 };
	environment_set(&reading.environment, "HOME", "/root");
	environment_set(&reading.environment, "N0", "zero");
	reading.result = dotenv_parse(text, length, ".env", &reading.environment, &reading.added,
				      &reading.messages, &reading.err);
	return reading;
}

static struct reading read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void reading_release(struct reading *reading)
{
	environment_release(&reading->environment);
	environment_release(&reading->added);
	message_list_release(&reading->messages);
	error_clear(&reading->err);
}

static void assert_variables(const struct environment *added, const char *const *expected)
{
	size_t count = 0;
	for (; expected[count]; count++) {
		if (count >= added->count)
			fail_msg("'%s' is missing", expected[count]);
		assert_string_equal(added->entries[count], expected[count]);
	}
	if (added->count > count)
		fail_msg("unexpected '%s'", added->entries[count]);
}

static void assert_messages(const struct message_list *messages, const char *const *expected)
{
	size_t count = 0;
	for (; expected[count]; count++) {
		if (count >= messages->count)
			fail_msg("no message '%s'", expected[count]);
		assert_int_equal(messages->items[count].level, MESSAGE_WARNING);
		assert_string_equal(messages->items[count].text, expected[count]);
	}
	if (messages->count > count)
		fail_msg("unexpected message '%s'", messages->items[count].text);
}

#define BARE(line)       ".env:" line ": skipped: a name without '=' (NAME= sets it to nothing)"
#define NO_NAME(line)    ".env:" line ": skipped: a name is missing"
#define NO_EQUAL(line)   ".env:" line ": skipped: a '=' is missing after the name"
#define OPEN_QUOTE(line) ".env:" line ": skipped: a quote is never closed"
#define TEXT_AFTER(line) ".env:" line ": skipped: text follows the closing quote"
#define NOT_SHELL(line, name)                                                                      \
	".env:" line ": '" name "' is no name that sh can use: shells may drop it"
#define HASH_VALUE(line, name)                                                                     \
	".env:" line ": '" name "' gets a value that begins with '#': a comment cannot follow '='"
#define HAS_EQUAL(line, name) ".env:" line ": '" name "' is skipped: a name cannot hold '='"

struct row {
	const char *text;
	const char *variables[6];
	const char *warnings[4];
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct reading reading = read_text(rows[i].text);
		assert_int_equal(reading.result, 0);
		assert_variables(&reading.added, rows[i].variables);
		assert_messages(&reading.messages, rows[i].warnings);
		reading_release(&reading);
	}
}

/* What python-dotenv made of the same bytes when it was run. */
static void test_python_dialect(void **state)
{
	static const struct row rows[] = {
		{ "A = x ", { "A=x" }, { 0 } },
		{ "export A=x", { "A=x" }, { 0 } },
		{ "A=", { "A=" }, { 0 } },
		{ "A=x # c", { "A=x" }, { 0 } },
		{ "A=x#c", { "A=x#c" }, { 0 } },
		{ "A=#c", { "A=#c" }, { 0 } },
		{ "A=x\t# c", { "A=x" }, { 0 } },
		{ "A=\"x # y\" # c", { "A=x # y" }, { 0 } },
		{ "A=\"l1\\nl2\"", { "A=l1\nl2" }, { 0 } },
		{ "A='l1\\nl2'", { "A=l1\\nl2" }, { 0 } },
		{ "A=\"l1\nl2\"", { "A=l1\nl2" }, { 0 } },
		{ "A=\"x\nB=1", { "B=1" }, { OPEN_QUOTE("1") } },
		{ "A=\"x\"y", { 0 }, { TEXT_AFTER("1") } },
		{ "A=\"a\\\"b\"", { "A=a\"b" }, { 0 } },
		{ "A='a\\'b'", { "A=a'b" }, { 0 } },
		{ "A=1\nA=2", { "A=2" }, { 0 } },
		{ "A=1\nB=${A}2", { "A=1", "B=12" }, { 0 } },
		{ "A=1\nB=$A-2", { "A=1", "B=$A-2" }, { 0 } },
		{ "A=1\nB='${A}2'", { "A=1", "B=12" }, { 0 } },
		{ "B=${N:-d}", { "B=d" }, { 0 } },
		{ "B=${N-d}", { "B=" }, { 0 } },
		{ "B=${N:?e}", { "B=${N:?e}" }, { 0 } },
		{ "HOME=zz\nB=${HOME}", { "HOME=zz", "B=zz" }, { 0 } },
		{ "B=${A}\nA=1", { "B=", "A=1" }, { 0 } },
		{ "A=pa$$word", { "A=pa$$word" }, { 0 } },
		{ "A=\"pa\\$word\"", { "A=pa\\$word" }, { 0 } },
		{ "A=$2a$10$abc", { "A=$2a$10$abc" }, { 0 } },
		{ "A=`x # y`", { "A=`x" }, { 0 } },
		{ "A: x", { 0 }, { NO_EQUAL("1") } },
		{ "A=1\r\nB=\"2\r\n3\"\r\n", { "A=1", "B=2\n3" }, { 0 } },
		{ "'A'=1", { "A=1" }, { 0 } },
		{ "A B=1", { 0 }, { NO_EQUAL("1") } },
		{ "1A=1\na-b.c=1",
		  { "1A=1", "a-b.c=1" },
		  { NOT_SHELL("1", "1A"), NOT_SHELL("2", "a-b.c") } },
	};
	(void)state;
	check_rows(rows, ARRAY_LENGTH(rows));
}

/* Where pmo departs from it. */
static void test_departures(void **state)
{
	static const struct row rows[] = {
		{ "\xef\xbb\xbf"
		  "A=1",
		  { "A=1" },
		  { 0 } },
		{ "\xef\xbb\xbf\xef\xbb\xbf"
		  "A=1",
		  { "\xef\xbb\xbf"
		    "A=1" },
		  { NOT_SHELL("1", "\\xef\\xbb\\xbfA") } },
		{ "export A", { 0 }, { BARE("1") } },
		{ "A\nB=1", { "B=1" }, { BARE("1") } },
		{ "A=1\n\n# note\nA # note\nB=${A}", { "A=1", "B=1" }, { BARE("4") } },
		{ "'A=B'=1\nC=${A=B}", { "C=" }, { HAS_EQUAL("1", "A=B") } },
		{ "A= # c\nB=\t#\nC=  ",
		  { "A=# c", "B=#", "C=" },
		  { HASH_VALUE("1", "A"), HASH_VALUE("2", "B") } },
	};
	(void)state;
	check_rows(rows, ARRAY_LENGTH(rows));
}

static void test_names(void **state)
{
	static const struct row rows[] = {
		{ "", { 0 }, { 0 } },
		{ "\n \t\n# A=1\n  # B=2\n", { 0 }, { 0 } },
		{ "  export \t A  =  1", { "A=1" }, { 0 } },
		{ "export=1\nexportA=2", { "export=1", "exportA=2" }, { 0 } },
		{ "export 'A'=1", { "A=1" }, { 0 } },
		{ "export =1\nB=2", { "B=2" }, { NO_NAME("1") } },
		{ "export # note\nB=2", { "B=2" }, { 0 } },
		{ "=1\nB=2", { "B=2" }, { NO_NAME("1") } },
		{ "''=1\nB=2", { "B=2" }, { NO_NAME("1") } },
		{ "'A=1\nB=2", { "B=2" }, { NO_NAME("1") } },
		{ "A#b=1\nB=2", { "B=2" }, { BARE("1") } },
		{ "\"A\"=1", { "\"A\"=1" }, { NOT_SHELL("1", "\"A\"") } },
		{ "'a b'=1", { "a b=1" }, { NOT_SHELL("1", "a b") } },
		{ "'a\nb'=1\nC=2", { "a\nb=1", "C=2" }, { NOT_SHELL("1", "a\\nb") } },
		{ "gr\xc3\xbc\xc3\x9f=1",
		  { "gr\xc3\xbc\xc3\x9f=1" },
		  { NOT_SHELL("1", "gr\xc3\xbc\xc3\x9f") } },
		{ "A:=1", { "A:=1" }, { NOT_SHELL("1", "A:") } },
		{ "_a1=1", { "_a1=1" }, { 0 } },
		{ "export\xc2\xa0"
		  "A\xe2\x80\x83=\xc2\xa0x",
		  { "A=x" },
		  { 0 } },
	};
	(void)state;
	check_rows(rows, ARRAY_LENGTH(rows));
}

static void test_values(void **state)
{
	static const struct row rows[] = {
		{ "A=x=y=z", { "A=x=y=z" }, { 0 } },
		{ "A=x ; y : [z]", { "A=x ; y : [z]" }, { 0 } },
		{ "A=;x\nB=:\nC==", { "A=;x", "B=:", "C==" }, { 0 } },
		{ "A=x\n  B=y\n\tC=z", { "A=x", "B=y", "C=z" }, { 0 } },
		{ "A=%41%zz%", { "A=%41%zz%" }, { 0 } },
		{ "A=a\\nb\\\\c\\", { "A=a\\nb\\\\c\\" }, { 0 } },
		{ "A=x'y'\nB=x\"y", { "A=x'y'", "B=x\"y" }, { 0 } },
		{ "A=x #y #z\nB=x# y", { "A=x", "B=x# y" }, { 0 } },
		{ "A=x\xe2\x80\xa8#y", { "A=x" }, { 0 } },
		{ "A=x\x1c\nB=\xc2\x85y \xe3\x80\x80", { "A=x", "B=y" }, { 0 } },
		{ "A=\"\\a\\b\\f\\n\\r\\t\\v\\\\\\'\\\"\\x\\$\\0\"",
		  { "A=\a\b\f\n\r\t\v\\'\"\\x\\$\\0" },
		  { 0 } },
		{ "A='\\a\\\\\\'\\\"'", { "A=\\a\\'\\\"" }, { 0 } },
		{ "A=\" x \"\nB='  '", { "A= x ", "B=  " }, { 0 } },
		{ "A=\"x\"# c\nB='y' \nC=\"\"", { "A=x", "B=y", "C=" }, { 0 } },
		{ "A='x' 'y'\nB=1", { "B=1" }, { TEXT_AFTER("1") } },
		{ "A='x\ny'z\nB=1", { "B=1" }, { TEXT_AFTER("1") } },
		{ "A='C:\\'\nB=1", { "A=C:\\", "B=1" }, { 0 } },
		{ "A=\"\\\"\nB=1", { "A=\\", "B=1" }, { 0 } },
		{ "\n\nA=\"x\n\ny\"\nB 1\nC='z",
		  { "A=x\n\ny" },
		  { NO_EQUAL("6"), OPEN_QUOTE("7") } },
		{ "A=\xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x98\x80",
		  { "A=\xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x98\x80" },
		  { 0 } },
		{ "A=\x1b[31m", { "A=\x1b[31m" }, { 0 } },
		{ "A=x\rB=y\r\r\nC\r\n", { "A=x", "B=y" }, { BARE("4") } },
	};
	(void)state;
	check_rows(rows, ARRAY_LENGTH(rows));
}

static void test_references(void **state)
{
	static const struct row rows[] = {
		{ "B=${HOME}/x", { "B=/root/x" }, { 0 } },
		{ "A=\nB=[${A:-d}]", { "A=", "B=[]" }, { 0 } },
		{ "B=${N:-${HOME}}", { "B=${HOME}" }, { 0 } },
		{ "B=${}|${:-x}", { "B=|x" }, { 0 } },
		{ "B=${HOME", { "B=${HOME" }, { 0 } },
		{ "B=${N:-x", { "B=${N:-x" }, { 0 } },
		{ "B=${a:b ${HOME}", { "B=${a:b /root" }, { 0 } },
		{ "B=${${HOME}", { "B=" }, { 0 } },
		{ "B=$${HOME}$", { "B=$/root$" }, { 0 } },
		{ "A='${B}'\nB=${A}\nA=${A}${B}x", { "A=x", "B=" }, { 0 } },
		{ "A=\"\\${HOME}\"", { "A=\\/root" }, { 0 } },
		{ "A=${HOME} # ${N0}", { "A=/root" }, { 0 } },
	};
	(void)state;
	check_rows(rows, ARRAY_LENGTH(rows));
}

static void test_values_are_not_expanded_again(void **state)
{
	(void)state;
	struct reading reading = { 0 };
	static const char text[] = "B=${A}";
	environment_set(&reading.environment, "A", "x${A}");
	reading.result = dotenv_parse(text, strlen(text), ".env", &reading.environment,
				      &reading.added, NULL, &reading.err);
	assert_int_equal(reading.result, 0);
	assert_string_equal(environment_get(&reading.added, "B"), "x${A}");
	assert_string_equal(environment_get(&reading.environment, "B"), "x${A}");
	reading_release(&reading);
}

static void test_either_target_may_be_missing(void **state)
{
	static const char text[] = "A=1\nB=${A}${HOME}";
	struct environment block = ENVIRONMENT_INIT;
	struct error err = ERROR_INIT;
	(void)state;
	assert_int_equal(dotenv_parse(text, strlen(text), ".env", NULL, &block, NULL, &err), 0);
	assert_string_equal(environment_get(&block, "B"), "1");
	environment_release(&block);
	assert_int_equal(dotenv_parse(text, strlen(text), ".env", &block, NULL, NULL, &err), 0);
	assert_string_equal(environment_get(&block, "B"), "1");
	environment_release(&block);
	assert_int_equal(dotenv_parse(text, strlen(text), ".env", NULL, NULL, NULL, &err), 0);
	assert_int_equal(dotenv_parse(NULL, 0, ".env", NULL, NULL, NULL, &err), 0);
}

static void assert_refused(const char *text, size_t length, const char *message)
{
	struct reading reading = read_bytes(text, length);
	assert_int_equal(reading.result, -1);
	assert_int_equal(reading.err.kind, ERROR_USAGE);
	assert_string_equal(reading.err.message, message);
	assert_int_equal(reading.added.count, 0);
	reading_release(&reading);
}

static void test_foreign_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *message;
	} rows[] = {
		{ "A=1\nB=x\0y", 9, ".env:2: there is a NUL byte in the text" },
		{ "\0", 1, ".env:1: there is a NUL byte in the text" },
		{ "A=1\r\n\r\nB=\xff\n", 11, ".env:3: this is not UTF-8 text" },
		{ "A=\xc3", 3, ".env:1: this is not UTF-8 text" },
		{ "# \xed\xa0\x80", 5, ".env:1: this is not UTF-8 text" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		assert_refused(rows[i].text, rows[i].length, rows[i].message);
}

/* inih of other distributions stops at 200 bytes. */
static void test_long_texts(void **state)
{
	static const size_t lengths[] = {
		1, 39, 40, 41, 119, 120, 121, 199, 200, 201, 1000, 200000
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
		struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
		for (size_t j = 0; j < lengths[i]; j++)
			buffer_append_char(&text, "aZ;"[(j + i) % (j < lengths[i] / 2 ? 2 : 3)]);
		char *value CLEANUP_FREE = memory_strdup(buffer_string(&text));
		buffer_clear(&text);
		buffer_printf(&text, "A=%s\nlong%0*d=x\n", value, (int)lengths[i], 1);
		struct reading reading = read_bytes(text.data, text.length);
		assert_int_equal(reading.result, 0);
		assert_int_equal(reading.added.count, 2);
		assert_string_equal(environment_get(&reading.added, "A"), value);
		assert_int_equal(strlen(reading.added.entries[1]), lengths[i] + 6);
		reading_release(&reading);
	}
}

static void test_many_lines(void **state)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	for (int i = 0; i < 10000; i++)
		buffer_printf(&text, "NAME_%d=value # %d\n", i, i);
	struct reading reading = read_bytes(text.data, text.length);
	assert_int_equal(reading.result, 0);
	assert_int_equal(reading.added.count, 10000);
	assert_string_equal(environment_get(&reading.environment, "NAME_9999"), "value");
	reading_release(&reading);
}

static void test_growth_is_limited(void **state)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	buffer_append_string(&text, "A0=0123456789abcdef\n");
	for (int i = 1; i < 40; i++)
		buffer_printf(&text, "A%d=${A%d}${A%d}\n", i, i - 1, i - 1);
	struct reading reading = read_bytes(text.data, text.length);
	assert_int_equal(reading.result, -1);
	assert_int_equal(reading.err.kind, ERROR_USAGE);
	assert_string_equal(reading.err.message, ".env:20: the value of 'A19' grows beyond 4 MiB");
	reading_release(&reading);
}

/* Many references that are none must not take quadratic time. */
static void test_hopeless_references(void **state)
{
	static const char *const parts[] = { "${", "${a:-", "${a:", "$" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
		struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
		buffer_append_string(&text, "A=");
		while (text.length < 1000000)
			buffer_append_string(&text, parts[i]);
		struct reading reading = read_bytes(text.data, text.length);
		assert_int_equal(reading.result, 0);
		assert_string_equal(environment_get(&reading.added, "A"), text.data + 2);
		reading_release(&reading);
	}
}

/* What Debian's inih lets a program set, and others do not have. */
extern int ini_max_line __attribute__((weak));
extern bool ini_allow_inline_comments __attribute__((weak));
extern bool ini_allow_multiline __attribute__((weak));
extern bool ini_use_stack __attribute__((weak));

static void test_inih_that_cannot(void **state)
{
	(void)state;
	if (!&ini_max_line)
		skip();
	int usual = ini_max_line;
	ini_max_line = 20;
	struct reading reading = read_text("\nA=0123456789012345678901234567890123456789");
	ini_max_line = usual;
	assert_int_equal(reading.result, -1);
	assert_int_equal(reading.err.kind, ERROR_FAILED);
	assert_string_equal(reading.err.message,
			    ".env:2: the inih library cannot take this line: it must be built with "
			    "INI_MAX_LINE=200 or more");
	reading_release(&reading);
}

static void test_inih_built_otherwise(void **state)
{
	(void)state;
	if (!&ini_max_line || !&ini_allow_inline_comments || !&ini_allow_multiline ||
	    !&ini_use_stack)
		skip();
	ini_max_line = 200;
	for (int i = 0; i < 8; i++) {
		ini_allow_inline_comments = i & 1;
		ini_allow_multiline = i & 2;
		ini_use_stack = i & 4;
		struct reading reading = read_text("A=\"x ; y\n  z\" # c\n  B=1 ; 2 : 3");
		static const char *const expected[] = { "A=x ; y\n  z", "B=1 ; 2 : 3", NULL };
		assert_int_equal(reading.result, 0);
		assert_variables(&reading.added, expected);
		reading_release(&reading);
	}
	ini_allow_inline_comments = ini_allow_multiline = ini_use_stack = true;
}

static struct reading load(const char *path)
{
	struct reading reading = { 0 };
	reading.result = dotenv_load(path, "some.env", &reading.environment, &reading.added,
				     &reading.messages, &reading.err);
	return reading;
}

static void test_fixtures(void **state)
{
	static const char *const application[] = {
		"APP_NAME=shop",
		"APP_ENV=live",
		"APP_DEBUG=false",
		"APP_URL=https://shop.example.org:8443/?a=b&c=d#top",
		"DATABASE_USER=shop",
		"DATABASE_PASSWORD=p#ss;w\"rd $1 ' \\ end",
		"DATABASE_URL=postgres://shop:p#ss;w\"rd $1 ' \\ end@localhost:5432/shop",
		"INDENTED=kept : as = it ; is [section]",
		"HASH=$2a$10$abcdefghijklmnopqrstuv",
		"BANNER=line one\n  line two\ttabbed\nline \"three\"\n",
		"ARMOURED=-----BEGIN TEXT-----\nbm90IGEga2V5LCBvbmx5IHRleHQ+Pj8/\n"
		"L3dpdGgvc2xhc2hlcw==\n-----END TEXT-----",
		"EMPTY=",
		"QUOTED_EMPTY=",
		"UNICODE=grüße, 世界",
		NULL,
	};
	static const char *const application_warnings[] = {
		"some.env:11: skipped: a '=' is missing after the name",
		"some.env:12: skipped: a '=' is missing after the name",
		NULL,
	};
	static const char *const crlf[] = { "A=one",     "B=two\nlines", "C=three",
					    "D=old mac", "E=end",        NULL };
	static const char *const bom[] = { "A=1", "B=2", NULL };
	static const char *const nothing[] = { NULL };
	static const struct {
		const char *name;
		const char *const *variables;
		const char *const *warnings;
	} rows[] = {
		{ "application.env", application, application_warnings },
		{ "crlf.env", crlf, nothing },
		{ "bom.env", bom, nothing },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char *path CLEANUP_FREE = memory_printf(PMO_FIXTURES "/dotenv/%s", rows[i].name);
		struct reading reading = load(path);
		assert_int_equal(reading.result, 0);
		assert_variables(&reading.added, rows[i].variables);
		assert_messages(&reading.messages, rows[i].warnings);
		reading_release(&reading);
	}
}

static void assert_not_loaded(const char *path, const char *message)
{
	struct reading reading = load(path);
	assert_int_equal(reading.result, -1);
	assert_int_equal(reading.err.kind, ERROR_USAGE);
	assert_string_equal(reading.err.message, message);
	reading_release(&reading);
}

static void test_files_that_cannot_be_read(void **state)
{
	char directory[] = "/tmp/pmo-dotenv-XXXXXX";
	(void)state;
	assert_non_null(mkdtemp(directory));
	char *path CLEANUP_FREE = memory_printf("%s/file", directory);
	assert_not_loaded(path, "cannot read 'some.env': No such file or directory");
	assert_not_loaded(directory, "cannot read 'some.env': it is a directory");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_not_loaded(path, "cannot read 'some.env': it is no regular file");
	assert_int_equal(unlink(path), 0);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, (4 << 20) + 1), 0);
	close(fd);
	assert_not_loaded(path, "cannot read 'some.env': it is larger than 4 MiB");
	assert_int_equal(chmod(path, 0), 0);
	if (geteuid() != 0)
		assert_not_loaded(path, "cannot read 'some.env': Permission denied");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
	assert_not_loaded(PMO_FIXTURES "/dotenv/latin1.env", "some.env:3: this is not UTF-8 text");
	assert_not_loaded(PMO_FIXTURES "/dotenv/nul.env",
			  "some.env:2: there is a NUL byte in the text");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_python_dialect),
		cmocka_unit_test(test_departures),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_values_are_not_expanded_again),
		cmocka_unit_test(test_either_target_may_be_missing),
		cmocka_unit_test(test_foreign_bytes),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_many_lines),
		cmocka_unit_test(test_growth_is_limited),
		cmocka_unit_test(test_hopeless_references),
		cmocka_unit_test(test_inih_that_cannot),
		cmocka_unit_test(test_inih_built_otherwise),
		cmocka_unit_test(test_fixtures),
		cmocka_unit_test(test_files_that_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
