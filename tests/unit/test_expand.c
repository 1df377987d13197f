#include "model/expand.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct expanded {
	struct buffer text;
	struct message_list messages;
	struct error err;
	int result;
};

static struct expanded expand(const char *text)
{
	struct expanded expanded = { 0 };
	struct environment environment = ENVIRONMENT_INIT;
	environment_set(&environment, "A", "x$A${B}$$");
	environment_set(&environment, "B", "bee");
	environment_set(&environment, "B_2", "two");
	environment_set(&environment, "EMPTY", "");
	expanded.result = expand_append(&expanded.text, text, &environment, "'cwd' of 'web'",
					&expanded.messages, &expanded.err);
	environment_release(&environment);
	return expanded;
}

static void expanded_release(struct expanded *expanded)
{
	buffer_release(&expanded->text);
	message_list_release(&expanded->messages);
	error_clear(&expanded->err);
}

static void assert_expands(const char *text, const char *result, const char *const *unset)
{
	struct expanded expanded = expand(text);
	assert_int_equal(expanded.result, 0);
	assert_string_equal(buffer_string(&expanded.text), result);
	size_t count = 0;
	for (; count < 2 && unset[count]; count++) {
		char *message CLEANUP_FREE =
		    memory_printf("'cwd' of 'web': '%s' is not set", unset[count]);
		assert_true(count < expanded.messages.count);
		assert_int_equal(expanded.messages.items[count].level, MESSAGE_WARNING);
		assert_string_equal(expanded.messages.items[count].text, message);
	}
	assert_int_equal(expanded.messages.count, count);
	expanded_release(&expanded);
}

static void test_forms(void **state)
{
	static const struct {
		const char *text;
		const char *result;
		const char *unset[2];
	} rows[] = {
		{ "", "", { 0 } },
		{ "plain {text} 100%", "plain {text} 100%", { 0 } },
		{ "$B", "bee", { 0 } },
		{ "<$B>$B_2-$B/x", "<bee>two-bee/x", { 0 } },
		{ "${B}${B_2}", "beetwo", { 0 } },
		{ "$EMPTY|${EMPTY}", "|", { 0 } },
		{ "$NO|${NONE}", "|", { "NO", "NONE" } },
		{ "$Bé", "beeé", { 0 } },
		{ "${NO:-d}${EMPTY:-d}${B:-d}", "ddbee", { 0 } },
		{ "${NO-d}|${EMPTY-d}|${B-d}", "d||bee", { 0 } },
		{ "${NO:-}${NO-}", "", { 0 } },
		{ "${NO:--}${NO--1}", "--1", { 0 } },
		{ "${B:?must be set}", "bee", { 0 } },
		{ "$$B $$$B $$$$ $${B}", "$B $bee $$ ${B}", { 0 } },
		/* never again */
		{ "$A|${A}|${NO:-$A}", "x$A${B}$$|x$A${B}$$|x$A${B}$$", { 0 } },
		/* no references */
		{ "$1 $0 $? $@ $* $# $! $- $/", "$1 $0 $? $@ $* $# $! $- $/", { 0 } },
		{ "$(date) $((1+1)) $'x' $\"x\"", "$(date) $((1+1)) $'x' $\"x\"", { 0 } },
		{ "$", "$", { 0 } },
		{ "a $ b$", "a $ b$", { 0 } },
		{ "\\$B", "\\bee", { 0 } },
		{ "${B%e}${B+y}${B:+y}${B?e}", "${B%e}${B+y}${B:+y}${B?e}", { 0 } },
		{ "${}${1}${B }${ B}${!B}${#B}${B:}", "${}${1}${B }${ B}${!B}${#B}${B:}", { 0 } },
		{ "${B%${B_2}$B}$B", "${B%${B_2}$B}bee", { 0 } },
		/* nested */
		{ "${NO:-${NONE:-c}}", "c", { 0 } },
		{ "${NO:-<${B}$B_2>}!", "<beetwo>!", { 0 } },
		{ "${B:-$NO}", "bee", { 0 } },
		{ "${NO:-$NONE}", "", { "NONE" } },
		{ "${NO:-{\"k\": {\"n\": 1}}}", "{\"k\": {\"n\": 1}}", { 0 } },
		{ "${NO:-$$}${NO:-a:-b}", "$a:-b", { 0 } },
		{ "${NO:-a b}c}", "a bc}", { 0 } },
		{ "${NO:-${B%x}}", "${B%x}", { 0 } },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		assert_expands(rows[i].text, rows[i].result, rows[i].unset);
}

static void assert_refused(const char *text, const char *message)
{
	struct expanded expanded = expand(text);
	assert_int_equal(expanded.result, -1);
	assert_int_equal(expanded.err.kind, ERROR_USAGE);
	assert_string_equal(expanded.err.message, message);
	expanded_release(&expanded);
}

static void test_errors(void **state)
{
#define SUBJECT      "'cwd' of 'web': "
#define NEVER_CLOSED SUBJECT "'${' is never closed: add '}', or write '$${'"
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{ "${NO:?}", SUBJECT "'NO' is not set or empty" },
		{ "${EMPTY:?}", SUBJECT "'EMPTY' is not set or empty" },
		{ "x${NO:?set it to $B}", SUBJECT "'NO' is not set or empty: set it to bee" },
		{ "${NONE:-${NO:?why}}", SUBJECT "'NO' is not set or empty: why" },
		{ "${NO:?${NONE:?inner}}", SUBJECT "'NONE' is not set or empty: inner" },
		{ "${", NEVER_CLOSED },
		{ "$B ${B", NEVER_CLOSED },
		{ "${NO:-${B}", NEVER_CLOSED },
		{ "${NO:-{}", NEVER_CLOSED },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		assert_refused(rows[i].text, rows[i].message);
}

static char *nested(int depth)
{
	struct buffer text = BUFFER_INIT;
	for (int i = 0; i < depth; i++)
		buffer_append_string(&text, "${NO:-");
	buffer_append_string(&text, "end");
	for (int i = 0; i < depth; i++)
		buffer_append_char(&text, '}');
	return buffer_detach(&text);
}

static void test_depth(void **state)
{
	static const char *const none[2] = { 0 };
	(void)state;
	char *deep CLEANUP_FREE = nested(31);
	assert_expands(deep, "end", none);
	char *too_deep CLEANUP_FREE = nested(32);
	assert_refused(too_deep, "'cwd' of 'web': '${' is nested more than 32 deep");
	char *abyss CLEANUP_FREE = nested(100000);
	assert_refused(abyss, "'cwd' of 'web': '${' is nested more than 32 deep");
}

static void test_growth_is_limited(void **state)
{
	struct environment environment = ENVIRONMENT_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer result CLEANUP_BUFFER = BUFFER_INIT;
	struct error err = ERROR_INIT;
	(void)state;
	for (int i = 0; i < 100000; i++)
		buffer_append_char(&text, 'x');
	environment_set(&environment, "LONG", buffer_string(&text));
	buffer_clear(&text);
	for (int i = 0; i < 100000; i++)
		buffer_append_string(&text, "$LONG");
	assert_int_equal(expand_append(&result, buffer_string(&text), &environment,
				       "'env.A' of 'web'", NULL, &err),
			 -1);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_string_equal(err.message, "'env.A' of 'web': the text grows beyond 4 MiB");
	assert_true(result.length < 5 << 20);
	error_clear(&err);
	environment_release(&environment);
}

static void test_appends(void **state)
{
	struct environment environment = ENVIRONMENT_INIT;
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	struct error err = ERROR_INIT;
	(void)state;
	buffer_append_string(&buffer, "before ");
	assert_int_equal(expand_append(&buffer, "${A:-x}", &environment, "s", NULL, &err), 0);
	assert_string_equal(buffer_string(&buffer), "before x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),   cmocka_unit_test(test_errors),
		cmocka_unit_test(test_depth),   cmocka_unit_test(test_growth_is_limited),
		cmocka_unit_test(test_appends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
