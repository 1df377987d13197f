#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "model/definition.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_quoting(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		const char *quoted;
	} table[] = {
		{ "", "''" },
		{ "plain", "plain" },
		{ "--port=80", "--port=80" },
		{ "/usr/bin/env", "/usr/bin/env" },
		{ "a b", "'a b'" },
		{ "it's", "'it'\\''s'" },
		{ "'", "''\\'''" },
		{ "$HOME", "'$HOME'" },
		{ "~", "'~'" },
		{ "a;b", "'a;b'" },
		{ "*", "'*'" },
		{ "l1\nl2", "'l1\nl2'" },
		{ "größe", "'größe'" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
		definition_append_quoted(&buffer, table[i].word);
		assert_string_equal(buffer_string(&buffer), table[i].quoted);
	}
}

/* Whatever the bytes are, sh(1) reads the quoted word back as it was. */
static void test_quoting_for_the_shell(void **state)
{
	(void)state;
	char word[256];
	for (int byte = 1; byte < 256; byte++)
		word[byte - 1] = (char)byte;
	word[255] = '\0';
	struct buffer script CLEANUP_BUFFER = BUFFER_INIT;
	buffer_append_string(&script, "[ \"$1\" = ");
	definition_append_quoted(&script, word);
	buffer_append_string(&script, " ]");
	pid_t child = fork();
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", buffer_string(&script), "sh", word, NULL);
		_exit(127);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void check_command(const struct definition *definition, const char *expected)
{
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	definition_append_command(definition, &buffer);
	assert_string_equal(buffer_string(&buffer), expected);
}

static void test_commands(void **state)
{
	(void)state;
	const char *words[] = { "python3", "-m", "http.server", "a b", "K=v" };
	const char *assignment[] = { "A=b", "A=b" };
	struct definition shell = { .shell_command = "sleep 1 && echo \"$X\"" };
	struct definition list = { .command = { words, ARRAY_LENGTH(words) } };
	struct definition odd = { .command = { assignment, ARRAY_LENGTH(assignment) } };
	check_command(&shell, "sleep 1 && echo \"$X\"");
	check_command(&list, "python3 -m http.server 'a b' K=v");
	check_command(&odd, "'A=b' A=b");
}

/* Each thing that only a supervisor can do, alone. */
static void test_needs_supervisor(void **state)
{
	const char *here[] = { "." };
	(void)state;
	const struct definition needing[] = {
		{ .restart = RESTART_ON_FAILURE }, { .restart = RESTART_ALWAYS },
		{ .on_exit = ON_EXIT_STOP_ALL },   { .max_memory_bytes = 1 },
		{ .log_max_size_bytes = 1 },       { .watch = { here, 1 } },
	};
	const struct definition plain[] = {
		{ .name = "web" },
		{ .max_restarts = 3, .min_uptime_ns = 1, .restart_delay_ns = 1 },
		{ .hooks.timeout_ns = 1 },
		{ .ignore_watch = { here, 1 } },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(needing); i++)
		assert_true(definition_needs_supervisor(&needing[i]));
	for (size_t i = 0; i < ARRAY_LENGTH(plain); i++)
		assert_false(definition_needs_supervisor(&plain[i]));
	for (int kind = 0; kind < HOOK_COUNT; kind++) {
		struct definition hooked = { .hooks.timeout_ns = 1 };
		hooked.hooks.commands[kind] = "x";
		assert_true(definition_needs_supervisor(&hooked));
	}
}

static void test_hook_names(void **state)
{
	static const char *const names[HOOK_COUNT] = { "pre_start", "post_start", "pre_stop",
						       "post_stop", "on_restart", "on_fail" };
	(void)state;
	for (int kind = 0; kind < HOOK_COUNT; kind++)
		assert_string_equal(hook_kind_name((enum hook_kind)kind), names[kind]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quoting),    cmocka_unit_test(test_quoting_for_the_shell),
		cmocka_unit_test(test_commands),   cmocka_unit_test(test_needs_supervisor),
		cmocka_unit_test(test_hook_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
