/*
 * The manuals against the tables of the program: every command, option, key and default is
 * documented, in the same order, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "model/keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* A manual, line by line, within one section. */
struct manual {
	struct buffer text;
	char *next;
	bool inside;
	int depth; /* of lists */
};

static void manual_open(struct manual *manual, const char *name)
{
	char *path CLEANUP_FREE = memory_printf("%s/%s", PMO_MANUALS, name);
	*manual = (struct manual){ 0 };
	assert_int_equal(file_read(AT_FDCWD, path, 0, &manual->text), 0);
	manual->next = manual->text.data;
}

/* The next line of the section that SECTION (".Sh NAME") begins, NULL at its end. */
static char *manual_line(struct manual *manual, const char *section)
{
	while (manual->next && *manual->next) {
		char *line = manual->next;
		char *newline = strchr(line, '\n');
		manual->next = newline ? newline + 1 : NULL;
		if (newline)
			*newline = '\0';
		if (strncmp(line, ".Sh ", 4) == 0 || strncmp(line, ".Ss ", 4) == 0) {
			if (manual->inside)
				return NULL;
			manual->inside = strcmp(line, section) == 0;
			continue;
		}
		if (!manual->inside)
			continue;
		manual->depth += strncmp(line, ".Bl", 3) == 0;
		manual->depth -= strncmp(line, ".El", 3) == 0;
		return line;
	}
	return NULL;
}

/* Append what stands behind each MACRO of LINE, before it PREFIX. Returns how many there were. */
static size_t append_words(struct buffer *found, char *line, const char *macro, const char *prefix)
{
	size_t count = 0;
	char *rest = line;
	for (char *word; (word = strsep(&rest, " "));) {
		if (strcmp(word, macro) != 0 || !rest)
			continue;
		char *value = strsep(&rest, " ");
		if (value[0] == '\\' && value[1] == '-')
			value++;
		buffer_printf(found, "%s%s", prefix, value);
		count++;
	}
	return count;
}

static void append_table_options(struct buffer *expected, const struct option_spec *options)
{
	for (const struct option_spec *option = options; option && option->long_name; option++) {
		if (!option->help)
			continue;
		if (option->short_name)
			buffer_printf(expected, " -%c", option->short_name);
		buffer_printf(expected, " --%s", option->long_name);
	}
}

static void test_commands_are_documented(void **state)
{
	struct buffer expected CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer found CLEANUP_BUFFER = BUFFER_INIT;
	struct manual manual;
	(void)state;
	for (size_t i = 0; command_table[i]; i++) {
		const struct command *command = command_table[i];
		if (command->hidden)
			continue;
		buffer_printf(&expected, "\n%s", command->name);
		for (size_t j = 0; j < ARRAY_LENGTH(command->aliases) && command->aliases[j]; j++)
			buffer_printf(&expected, " alias %s", command->aliases[j]);
		append_table_options(&expected, command->options);
	}
	manual_open(&manual, "pmo.1");
	bool name_follows = false;
	for (char *line; (line = manual_line(&manual, ".Sh COMMANDS"));) {
		bool item = strncmp(line, ".It ", 4) == 0;
		if (manual.depth == 1 && item && strstr(line, "No ..."))
			append_words(&found, line, "Cm", " alias ");
		else if (manual.depth == 1 && item && strncmp(line, ".It Cm ", 7) == 0)
			buffer_printf(&found, "\n%.*s", (int)strcspn(line + 7, " "), line + 7);
		else if (name_follows && strncmp(line, ".Cm ", 4) == 0)
			buffer_printf(&found, "\n%s", line + 4);
		else if (manual.depth == 2 && item)
			append_words(&found, line, "Fl", " -");
		name_follows = strcmp(line, ".It Xo") == 0;
	}
	assert_string_equal(buffer_string(&found), buffer_string(&expected));
	buffer_release(&manual.text);
}

static void test_global_options_are_documented(void **state)
{
	struct buffer expected CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer found CLEANUP_BUFFER = BUFFER_INIT;
	struct manual manual;
	(void)state;
	append_table_options(&expected, help_global_options);
	manual_open(&manual, "pmo.1");
	for (char *line; (line = manual_line(&manual, ".Sh DESCRIPTION"));)
		if (manual.depth == 1 && strncmp(line, ".It ", 4) == 0)
			append_words(&found, line, "Fl", " -");
	assert_string_equal(buffer_string(&found), buffer_string(&expected));
	buffer_release(&manual.text);
}

static void test_keys_are_documented_with_their_defaults(void **state)
{
	struct buffer expected CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer found CLEANUP_BUFFER = BUFFER_INIT;
	struct manual manual;
	(void)state;
	for (size_t i = 0; i < key_count(); i++) {
		const struct key *key = key_at(i);
		if (key->kind == KEY_UNSUPPORTED)
			continue;
		buffer_printf(&expected, "\n%s", key->name);
		if (key->default_text)
			buffer_printf(&expected, " = %s", key->default_text);
	}
	manual_open(&manual, "pmo.yml.5");
	for (char *line; (line = manual_line(&manual, ".Sh KEYS"));) {
		if (manual.depth == 1 && strncmp(line, ".It Cm ", 7) == 0)
			buffer_printf(&found, "\n%s", line + 7);
		else if (strncmp(line, ".Pq Cm ", 7) == 0)
			buffer_printf(&found, " = %.*s", (int)strcspn(line + 7, " "), line + 7);
	}
	assert_string_equal(buffer_string(&found), buffer_string(&expected));
	buffer_release(&manual.text);
}

static void test_keys_of_later_versions_are_listed(void **state)
{
	struct buffer expected CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer found CLEANUP_BUFFER = BUFFER_INIT;
	struct manual manual;
	(void)state;
	for (size_t i = 0; i < key_count(); i++)
		if (key_at(i)->kind == KEY_UNSUPPORTED)
			buffer_printf(&expected, " %s", key_at(i)->name);
	manual_open(&manual, "pmo.yml.5");
	for (char *line; (line = manual_line(&manual, ".Ss Keys of later versions"));) {
		char *rest = line + 4;
		if (strncmp(line, ".Cm ", 4) != 0)
			continue;
		for (char *word; (word = strsep(&rest, " "));)
			if (*word >= 'a' && *word <= 'z')
				buffer_printf(&found, " %s", word);
	}
	assert_string_equal(buffer_string(&found), buffer_string(&expected));
	buffer_release(&manual.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_are_documented),
		cmocka_unit_test(test_global_options_are_documented),
		cmocka_unit_test(test_keys_are_documented_with_their_defaults),
		cmocka_unit_test(test_keys_of_later_versions_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
