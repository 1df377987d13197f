/* view/style: what a stream is, its colours, and the one write of a result. */
#include "support/support.h"

#include "base/memory.h"
#include "view/style.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void set_variable(const char *name, const char *value)
{
	if (value)
		assert_int_equal(setenv(name, value, 1), 0);
	else
		assert_int_equal(unsetenv(name), 0);
}

static void open_terminal(int *master, int *terminal)
{
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*master >= 0);
	assert_int_equal(grantpt(*master), 0);
	assert_int_equal(unlockpt(*master), 0);
	*terminal = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*terminal >= 0);
}

static void test_terminal_color(void **state)
{
	static const struct {
		const char *term;
		const char *no_color;
		bool allowed;
		bool color;
	} cases[] = {
		{ "xterm", NULL, true, true },   { "xterm", "", true, true },
		{ "xterm", "1", true, false },   { "xterm", "0", true, false },
		{ "xterm", NULL, false, false }, { "dumb", NULL, true, false },
		{ "", NULL, true, false },       { NULL, NULL, true, false },
	};
	int master;
	int terminal;
	(void)state;
	open_terminal(&master, &terminal);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		set_variable("TERM", cases[i].term);
		set_variable("NO_COLOR", cases[i].no_color);
		struct output output = output_describe(terminal, cases[i].allowed);
		assert_true(output.terminal);
		assert_int_equal(output.color, cases[i].color);
		assert_string_equal(style_begin(&output, STYLE_GOOD),
				    cases[i].color ? "\033[32m" : "");
		assert_string_equal(style_end(&output, STYLE_GOOD),
				    cases[i].color ? "\033[0m" : "");
		assert_string_equal(style_end(&output, STYLE_PLAIN), "");
	}
	close(master);
	close(terminal);
}

static void test_terminal_width(void **state)
{
	static const struct {
		const char *columns;
		unsigned short size;
		size_t expected;
	} cases[] = {
		{ NULL, 132, 132 }, { NULL, 0, 80 }, { "40", 132, 40 }, { "0", 132, 132 },
		{ "-5", 132, 132 }, { "x", 0, 80 },  { "", 100, 100 },  { "99999999", 90, 90 },
	};
	int master;
	int terminal;
	(void)state;
	open_terminal(&master, &terminal);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct winsize size = { .ws_row = 24, .ws_col = cases[i].size };
		set_variable("COLUMNS", cases[i].columns);
		assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
		assert_int_equal(output_describe(terminal, true).columns, cases[i].expected);
	}
	set_variable("COLUMNS", NULL);
	close(master);
	close(terminal);
}

static void test_no_terminal(void **state)
{
	int ends[2];
	(void)state;
	set_variable("COLUMNS", "40");
	set_variable("TERM", "xterm");
	set_variable("NO_COLOR", NULL);
	assert_int_equal(pipe(ends), 0);
	struct output output = output_describe(ends[1], true);
	assert_false(output.terminal);
	assert_false(output.color);
	assert_int_equal(output.columns, 0);
	close(ends[0]);
	close(ends[1]);
	assert_false(output_describe(ends[1], true).terminal);
	set_variable("COLUMNS", NULL);
}

static void test_utf8(void **state)
{
	(void)state;
	set_variable("LC_CTYPE", NULL);
	set_variable("LANG", "de_DE.UTF-8");
	set_variable("LC_ALL", "C");
	assert_false(output_describe(STDOUT_FILENO, true).utf8);
	set_variable("LC_ALL", NULL);
	assert_true(output_describe(STDOUT_FILENO, true).utf8);
}

static void test_append(void **state)
{
	const struct output color = { .terminal = true, .color = true };
	const struct output plain = { 0 };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	style_append(&text, &color, STYLE_BAD, "errored");
	style_append(&text, &plain, STYLE_BAD, "|errored");
	style_append(&text, &color, STYLE_PLAIN, "|plain");
	style_append(&text, &color, STYLE_BAD, "");
	assert_string_equal(buffer_string(&text), "\033[31merrored\033[0m|errored|plain");
}

/* Run output_write with FD as standard output. */
static int write_to(int fd, const struct buffer *text, struct error *err)
{
	int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	fflush(stdout);
	assert_true(saved >= 0);
	if (fd >= 0)
		assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	else
		close(STDOUT_FILENO);
	int result = output_write(text, err);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
	return result;
}

static void test_write_errors(void **state)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct error err = ERROR_INIT;
	int ends[2];
	(void)state;
	buffer_append_string(&text, "result\n");
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(full >= 0);
	assert_int_equal(write_to(full, &text, &err), -1);
	assert_int_equal(err.kind, ERROR_FAILED);
	assert_string_equal(err.message,
			    "cannot write to standard output: No space left on device");
	error_clear(&err);
	close(full);
	assert_int_equal(write_to(-1, &text, &err), -1);
	assert_string_equal(err.message, "cannot write to standard output: Bad file descriptor");
	error_clear(&err);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(write_to(ends[1], &text, &err), 0);
	assert_null(err.message);
	close(ends[1]);
}

struct reader {
	int fd;
	struct buffer text;
};

static void *read_all(void *argument)
{
	struct reader *reader = argument;
	char chunk[4096];
	for (ssize_t count; (count = read(reader->fd, chunk, sizeof(chunk))) > 0;)
		buffer_append(&reader->text, chunk, (size_t)count);
	return NULL;
}

/* More than a pipe holds, into a pipe that somebody made non-blocking. */
static void test_write_non_blocking(void **state)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct error err = ERROR_INIT;
	struct reader reader = { 0 };
	pthread_t thread;
	int ends[2];
	(void)state;
	for (int i = 0; i < 100000; i++)
		buffer_printf(&text, "line %d\n", i);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	reader.fd = ends[0];
	assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
	assert_int_equal(write_to(ends[1], &text, &err), 0);
	close(ends[1]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(reader.text.length, text.length);
	assert_memory_equal(reader.text.data, text.data, text.length);
	buffer_release(&reader.text);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terminal_color),
		cmocka_unit_test(test_terminal_width),
		cmocka_unit_test(test_no_terminal),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_write_errors),
		cmocka_unit_test(test_write_non_blocking),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
