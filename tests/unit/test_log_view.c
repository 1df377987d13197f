/* view/log_view: prefixes, and what may reach a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "view/log_view.h"

#include <stdlib.h>
#include <string.h>

struct safe_case {
	const char *line;
	const char *passed;  /* with colour */
	const char *dropped; /* without */
};

static const struct safe_case safe_cases[] = {
	{ "", "", "" },
	{ "plain text", "plain text", "plain text" },
	{ "a\tb", "a\tb", "a\tb" },
	{ "na\xc3\xafve \xe2\x86\xba", "na\xc3\xafve \xe2\x86\xba", "na\xc3\xafve \xe2\x86\xba" },
	{ "\033[31mred", "\033[31mred\033[0m", "red" },
	{ "\033[1;38;5;208mx\033[0m", "\033[1;38;5;208mx\033[0m\033[0m", "x" },
	{ "\033[38:2::1:2:3mx", "\033[38:2::1:2:3mx\033[0m", "x" },
	{ "\033[mx", "\033[mx\033[0m", "x" },
	{ "\033[2J", "\\x1b[2J", "\\x1b[2J" },
	{ "\033[10;10H", "\\x1b[10;10H", "\\x1b[10;10H" },
	{ "\033[?25l", "\\x1b[?25l", "\\x1b[?25l" },
	{ "\033[>4m", "\\x1b[>4m", "\\x1b[>4m" },
	{ "\033]0;title\a", "\\x1b]0;title\\x07", "\\x1b]0;title\\x07" },
	{ "\033]8;;http://x\033\\", "\\x1b]8;;http://x\\x1b\\", "\\x1b]8;;http://x\\x1b\\" },
	{ "\033Pq\033\\", "\\x1bPq\\x1b\\", "\\x1bPq\\x1b\\" },
	{ "\033c", "\\x1bc", "\\x1bc" },
	{ "\033", "\\x1b", "\\x1b" },
	{ "\033[", "\\x1b[", "\\x1b[" },
	{ "\033[31", "\\x1b[31", "\\x1b[31" },
	{ "\033\033[31mx", "\\x1b\033[31mx\033[0m", "\\x1bx" },
	{ "\033[3\t1m", "\\x1b[3\t1m", "\\x1b[3\t1m" },
	{ "50%\r60%", "50%\\x0d60%", "50%\\x0d60%" },
	{ "bell\a back\b", "bell\\x07 back\\x08", "bell\\x07 back\\x08" },
	{ "\x7f", "\\x7f", "\\x7f" },
	{ "\x9b"
	  "2J",
	  "\\x9b2J", "\\x9b2J" },
	{ "\xc2\x9b"
	  "2J",
	  "\\xc2\\x9b2J", "\\xc2\\x9b2J" },
	{ "\xff\xfe", "\\xff\\xfe", "\\xff\\xfe" },
	{ "\xc3", "\\xc3", "\\xc3" },
	{ "\xc3\033[31m", "\\xc3\033[31m\033[0m", "\\xc3" },
	{ "\xe2\x80\xae"
	  "evil",
	  "\\xe2\\x80\\xaeevil", "\\xe2\\x80\\xaeevil" },
};

static void test_safe_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(safe_cases); i++) {
		const struct safe_case *given = &safe_cases[i];
		struct buffer passed CLEANUP_BUFFER = BUFFER_INIT;
		struct buffer dropped CLEANUP_BUFFER = BUFFER_INIT;
		log_view_append_safe(given->line, strlen(given->line), LOG_COLOR_PASS, &passed);
		log_view_append_safe(given->line, strlen(given->line), LOG_COLOR_DROP, &dropped);
		assert_string_equal(buffer_string(&passed), given->passed);
		assert_string_equal(buffer_string(&dropped), given->dropped);
	}
}

static void test_nul_is_shown(void **state)
{
	(void)state;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	log_view_append_safe("a\0b\033[\0m", 7, LOG_COLOR_PASS, &text);
	assert_string_equal(text.data, "a\\x00b\\x1b[\\x00m");
}

/* A sequence without an end must not be passed on in pieces. */
static void test_endless_sgr(void **state)
{
	(void)state;
	char line[1000];
	memset(line, ';', sizeof(line));
	memcpy(line, "\033[", 2);
	line[sizeof(line) - 1] = 'm';
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	log_view_append_safe(line, sizeof(line), LOG_COLOR_PASS, &text);
	assert_null(strchr(text.data, '\033'));
	assert_memory_equal(text.data, "\\x1b[;", 6);
}

static void assert_harmless(const struct buffer *text)
{
	for (size_t i = 0; i < text->length;) {
		uint32_t code_point = 0;
		size_t size = text_utf8_decode(text->data + i, text->length - i, &code_point);
		assert_true(size > 0);
		assert_true(code_point == '\t' || !text_is_control(code_point));
		i += size;
	}
}

/* Whatever the bytes are: what comes out is UTF-8 without any control character but tabs. */
static void test_random_bytes(void **state)
{
	static const char alphabet[] = "\033\033\033[[[;m?]J31\a\r\n\t\x9b\xc2\xe2\x80\xae x";
	(void)state;
	unsigned seed = 12345;
	for (int round = 0; round < 2000; round++) {
		char line[64];
		for (size_t i = 0; i < sizeof(line); i++)
			line[i] = alphabet[(size_t)rand_r(&seed) % sizeof(alphabet)];
		struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
		log_view_append_safe(line, sizeof(line), LOG_COLOR_DROP, &text);
		assert_harmless(&text);
	}
}

static void append(const struct output *output, enum log_stream stream, const char *line,
		   struct buffer *buffer)
{
	struct log_view view;
	log_view_init(&view, output);
	log_view_add_name(&view, "web");
	log_view_add_name(&view, "w\xc3\xb6rker");
	log_view_append(&view, "web", 0, stream, line, strlen(line), buffer);
	log_view_append(&view, "w\xc3\xb6rker", 1, stream, line, strlen(line), buffer);
}

static void test_prefix_off_terminal(void **state)
{
	(void)state;
	const struct output output = { 0 };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	append(&output, LOG_STREAM_OUT, "\033[2J\xff\r", &text);
	append(&output, LOG_STREAM_ERROR, "", &text);
	assert_string_equal(text.data, "web    | \033[2J\xff\r\n"
				       "w\xc3\xb6rker | \033[2J\xff\r\n"
				       "web    ! \n"
				       "w\xc3\xb6rker ! \n");
}

static void test_prefix_on_terminal(void **state)
{
	(void)state;
	const struct output output = { .terminal = true, .color = true, .utf8 = true };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	append(&output, LOG_STREAM_OUT, "\033[32mok\r", &text);
	append(&output, LOG_STREAM_ERROR, "no", &text);
	assert_string_equal(text.data, "\033[36mweb   \033[0m | \033[32mok\033[0m\n"
				       "\033[33mw\xc3\xb6rker\033[0m | \033[32mok\033[0m\n"
				       "\033[36mweb   \033[0m \033[31m!\033[0m no\n"
				       "\033[33mw\xc3\xb6rker\033[0m \033[31m!\033[0m no\n");
}

static void test_terminal_without_color(void **state)
{
	(void)state;
	const struct output output = { .terminal = true, .utf8 = true };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	append(&output, LOG_STREAM_OUT, "\033[32mok\033[K", &text);
	assert_string_equal(text.data, "web    | ok\\x1b[K\n"
				       "w\xc3\xb6rker | ok\\x1b[K\n");
}

static void test_hostile_name(void **state)
{
	(void)state;
	const struct output output = { .terminal = true };
	struct log_view view;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	log_view_init(&view, &output);
	log_view_add_name(&view, "a\033[2J");
	log_view_append(&view, "a\033[2J", 0, LOG_STREAM_OUT, "x", 1, &text);
	assert_string_equal(text.data, "a\\x1b[2J | x\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_safe_lines),
		cmocka_unit_test(test_nul_is_shown),
		cmocka_unit_test(test_endless_sgr),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_prefix_off_terminal),
		cmocka_unit_test(test_prefix_on_terminal),
		cmocka_unit_test(test_terminal_without_color),
		cmocka_unit_test(test_hostile_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
