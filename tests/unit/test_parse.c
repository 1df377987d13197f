/*
 * Command lines: options, operands, "--", and what is said about mistakes.
 */
#include "support/support.h"

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/parse.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec specs[] = {
	{ 'l', "lines", "N", "how many" },      { 'f', "follow", NULL, "go on" },
	{ 'n', "no-follow", NULL, "do not" },   { 0, "wait", NULL, "wait" },
	{ 0, "wait-timeout", "T", "how long" }, { 't', "timeout", "T", "how long" },
	{ 's', "signal", "SIG", "which" },      { 0, NULL, NULL, NULL },
};

static const struct option_spec with_help[] = {
	{ 0, "help", "TOPIC", "its own" },
	{ 0, NULL, NULL, NULL },
};

/* Split TEXT at each '|'; the words point into it. "" is no word at all. */
static int split(char *text, char **words)
{
	int count = 0;
	char command[] = "logs";
	static char name[sizeof(command)];
	memcpy(name, command, sizeof(command));
	words[count++] = name;
	for (char *rest = *text ? text : NULL, *word; (word = strsep(&rest, "|")) != NULL;)
		words[count++] = word;
	words[count] = NULL;
	return count;
}

/* "lines=5 follow= : a|b", to be freed: the options in their order, and the operands. */
static char *describe(const struct arguments *arguments)
{
	struct buffer text = BUFFER_INIT;
	for (size_t i = 0; i < arguments->option_count; i++)
		buffer_printf(&text, "%s=%s ", arguments->options[i].spec->long_name,
			      arguments->options[i].value);
	buffer_append_string(&text, ":");
	for (size_t i = 0; i < arguments->operand_count; i++)
		buffer_printf(&text, "%s%s", i ? "|" : " ", arguments->operands[i]);
	assert_null(arguments->operands[arguments->operand_count]);
	return buffer_detach(&text);
}

struct line {
	const char *words; /* separated by '|' */
	const char *parsed;
	size_t before_dashes;
};

static void check_line(const struct line *line, enum parse_order order)
{
	char *text CLEANUP_FREE = memory_strdup(line->words);
	char *words[32];
	struct arguments arguments;
	struct error err = ERROR_INIT;
	int count = split(text, words);
	if (parse_arguments("logs", specs, order, count, words, &arguments, &err) < 0)
		fail_msg("'%s': %s", line->words, err.message);
	char *parsed CLEANUP_FREE = describe(&arguments);
	if (strcmp(parsed, line->parsed) != 0)
		fail_msg("'%s' is '%s', not '%s'", line->words, parsed, line->parsed);
	assert_int_equal(arguments.operands_before_dashes, line->before_dashes);
	arguments_release(&arguments);
}

static void test_anywhere(void **state)
{
	static const struct line rows[] = {
		{ "", ":", 0 },
		{ "web", ": web", 1 },
		{ "web|db", ": web|db", 2 },
		{ "-f|web", "follow= : web", 1 },
		{ "web|-f", "follow= : web", 1 },
		{ "a|-f|b|-l|5|c", "follow= lines=5 : a|b|c", 3 },
		{ "-l5|web", "lines=5 : web", 1 },
		{ "-fl5|web", "follow= lines=5 : web", 1 },
		{ "-fn", "follow= no-follow= :", 0 },
		{ "--lines|5|web", "lines=5 : web", 1 },
		{ "--lines=5|web", "lines=5 : web", 1 },
		{ "--lines=", "lines= :", 0 },
		{ "--lines||web", "lines= : web", 1 },
		{ "-l|-5", "lines=-5 :", 0 },
		{ "--lines|--follow", "lines=--follow :", 0 },
		{ "-lines", "lines=ines :", 0 },
		{ "--lines=a=b", "lines=a=b :", 0 },
		{ "-l|1|-l|2", "lines=1 lines=2 :", 0 },
		/* an unambiguous beginning is enough, and a whole name is never ambiguous */
		{ "--li|5", "lines=5 :", 0 },
		{ "--fo", "follow= :", 0 },
		{ "--no|x", "no-follow= : x", 1 },
		{ "--wait", "wait= :", 0 },
		{ "--wait-|5", "wait-timeout=5 :", 0 },
		{ "--timeout|5", "timeout=5 :", 0 },
		/* behind "--" nothing is an option */
		{ "--|-f", ": -f", 0 },
		{ "web|--|-f|--lines", ": web|-f|--lines", 1 },
		{ "-f|--|web", "follow= : web", 0 },
		{ "a|-f|--|b|--|c", "follow= : a|b|--|c", 1 },
		{ "--", ":", 0 },
		/* a single '-' and an empty word are operands */
		{ "-|-f", "follow= : -", 1 },
		{ "web||db", ": web||db", 3 },
		/* everybody understands these */
		{ "-h", "help= :", 0 },
		{ "web|--help", "help= : web", 1 },
		{ "--h", "help= :", 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		check_line(&rows[i], PARSE_ANYWHERE);
}

static void test_up_to_operand(void **state)
{
	static const struct line rows[] = {
		{ "", ":", 0 },
		{ "-f|web|-l|5", "follow= : web|-l|5", 3 },
		{ "web|--help", ": web|--help", 2 },
		{ "web|--|ls|-l", ": web|--|ls|-l", 4 },
		{ "--|web|-f", ": web|-f", 2 },
		{ "-f|--|-x", "follow= : -x", 1 },
		{ "-l|5|-f|web", "lines=5 follow= : web", 1 },
		{ "-l|--|-f", "lines=-- follow= :", 0 },
		{ "-|-f", ": -|-f", 2 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		check_line(&rows[i], PARSE_UP_TO_OPERAND);
}

static void test_errors(void **state)
{
	static const struct {
		const char *words;
		const char *message;
	} rows[] = {
		{ "-x", "unknown option '-x' for 'logs'" },
		{ "web|-x|db", "unknown option '-x' for 'logs'" },
		{ "-fx", "unknown option '-x' for 'logs'" },
		{ "-xf", "unknown option '-x' for 'logs'" },
		{ "--quux", "unknown option '--quux' for 'logs'" },
		{ "web|--quux|db", "unknown option '--quux' for 'logs'" },
		{ "--quux=5", "unknown option '--quux' for 'logs'" },
		{ "--folow", "unknown option '--folow' for 'logs' (did you mean '--follow'?)" },
		{ "--lnies=5", "unknown option '--lnies' for 'logs' (did you mean '--lines'?)" },
		{ "--Follow", "unknown option '--Follow' for 'logs' (did you mean '--follow'?)" },
		{ "--hlep", "unknown option '--hlep' for 'logs' (did you mean '--help'?)" },
		{ "--wai", "unknown option '--wai' for 'logs' (did you mean '--wait'?)" },
		{ "-l", "option '--lines' of 'logs' needs a value: --lines N" },
		{ "-fl", "option '--lines' of 'logs' needs a value: --lines N" },
		{ "web|-l", "option '--lines' of 'logs' needs a value: --lines N" },
		{ "--lines", "option '--lines' of 'logs' needs a value: --lines N" },
		{ "web|--wait-timeout",
		  "option '--wait-timeout' of 'logs' needs a value: --wait-timeout T" },
		{ "-l|--|web", "option '--lines' of 'logs' needs a value: --lines N" },
		{ "--follow=yes", "option '--follow' of 'logs' takes no value" },
		{ "web|--follow=", "option '--follow' of 'logs' takes no value" },
		{ "--help=me", "option '--help' of 'logs' takes no value" },
		/* whatever was typed, the terminal does not obey it */
		{ "--\x1b[31m", "unknown option '--\\x1b[31m' for 'logs'" },
		{ "-\x1b", "unknown option '-\\x1b' for 'logs'" },
		{ "-\xc3\xa9", "unknown option '-\\xc3' for 'logs'" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char *text CLEANUP_FREE = memory_strdup(rows[i].words);
		char *words[32];
		struct arguments arguments;
		struct error err = ERROR_INIT;
		int count = split(text, words);
		int result =
		    parse_arguments("logs", specs, PARSE_ANYWHERE, count, words, &arguments, &err);
		if (result == 0)
			fail_msg("'%s' was accepted", rows[i].words);
		assert_string_equal(err.message, rows[i].message);
		assert_int_equal(err.kind, ERROR_USAGE);
		assert_int_equal(arguments.option_count, 0);
		assert_null(arguments.operands);
		error_clear(&err);
	}
}

/* Without options of its own, and with a help of its own. */
static void test_specs(void **state)
{
	char name[] = "x";
	char help[] = "--help";
	char short_help[] = "-h";
	char topic[] = "topic";
	char *words[] = { name, help, topic, NULL };
	char *short_words[] = { name, short_help, NULL };
	struct arguments arguments;
	struct error err = ERROR_INIT;
	(void)state;
	assert_int_equal(parse_arguments("x", NULL, PARSE_ANYWHERE, 3, words, &arguments, &err), 0);
	assert_true(arguments_has(&arguments, "help"));
	assert_int_equal(arguments.operand_count, 1);
	arguments_release(&arguments);
	char *own_words[] = { name, help, topic, NULL };
	assert_int_equal(parse_arguments("x", with_help, PARSE_ANYWHERE, 3, own_words, &arguments,
					 &err),
			 0);
	assert_string_equal(arguments_value(&arguments, "help"), "topic");
	assert_int_equal(arguments.operand_count, 0);
	arguments_release(&arguments);
	assert_int_equal(parse_arguments("x", NULL, PARSE_ANYWHERE, 2, short_words, &arguments,
					 &err),
			 0);
	assert_true(arguments_has(&arguments, "help"));
	arguments_release(&arguments);
}

/* Each parse is a new one, also after one that broke off in the middle of a word. */
static void test_again(void **state)
{
	struct error err = ERROR_INIT;
	static const struct line rows[] = {
		{ "a|-f|b", "follow= : a|b", 2 },
		{ "-l|5|b", "lines=5 : b", 1 },
	};
	(void)state;
	for (int i = 0; i < 3; i++) {
		char text[] = "-xfl|a|b|c|d|e|f|g";
		char *words[32];
		struct arguments arguments;
		int count = split(text, words);
		assert_int_equal(parse_arguments("logs", specs, PARSE_ANYWHERE, count, words,
						 &arguments, &err),
				 -1);
		error_clear(&err);
		for (size_t j = 0; j < ARRAY_LENGTH(rows); j++) {
			check_line(&rows[j], PARSE_ANYWHERE);
			check_line(&(struct line){ "a|-f|b", ": a|-f|b", 3 }, PARSE_UP_TO_OPERAND);
		}
	}
}

/* Parse LINE for the arguments_* functions; the caller releases *arguments. */
static void parse_line(char *line, struct arguments *arguments)
{
	char *words[32];
	struct error err = ERROR_INIT;
	int count = split(line, words);
	if (parse_arguments("logs", specs, PARSE_ANYWHERE, count, words, arguments, &err) < 0)
		fail_msg("%s", err.message);
}

static void test_values(void **state)
{
	char line[] = "-l|1|--lines=2|-f|web|-s|usr1|-t|1.5s";
	struct arguments arguments;
	struct error err = ERROR_INIT;
	int64_t number = 42;
	int64_t duration = 42;
	int signal = 42;
	(void)state;
	parse_line(line, &arguments);
	assert_string_equal(arguments_value(&arguments, "lines"), "2");
	assert_string_equal(arguments_value(&arguments, "follow"), "");
	assert_null(arguments_value(&arguments, "wait"));
	assert_true(arguments_has(&arguments, "follow"));
	assert_false(arguments_has(&arguments, "wait"));
	assert_int_equal(arguments_integer(&arguments, "lines", 0, 10, &number, &err), 0);
	assert_int_equal(number, 2);
	assert_int_equal(arguments_duration(&arguments, "timeout", &duration, &err), 0);
	assert_int_equal(duration, 1500000000);
	assert_int_equal(arguments_signal(&arguments, "signal", &signal, &err), 0);
	assert_int_equal(signal, SIGUSR1);
	/* what was not given changes nothing */
	assert_int_equal(arguments_integer(&arguments, "wait-timeout", 0, 1, &number, &err), 0);
	assert_int_equal(arguments_duration(&arguments, "wait-timeout", &duration, &err), 0);
	assert_int_equal(arguments_signal(&arguments, "wait-timeout", &signal, &err), 0);
	assert_int_equal(number, 2);
	assert_int_equal(duration, 1500000000);
	assert_int_equal(signal, SIGUSR1);
	arguments_release(&arguments);
}

static void test_bad_values(void **state)
{
	char line[] = "-l|many|-t|soon|-s|SIGNOTHING";
	struct arguments arguments;
	struct error err = ERROR_INIT;
	int64_t value = 42;
	int signal = 42;
	(void)state;
	parse_line(line, &arguments);
	assert_int_equal(arguments_integer(&arguments, "lines", 0, 10, &value, &err), -1);
	assert_string_equal(err.message,
			    "invalid value 'many' for --lines: expected a number from 0 to 10");
	assert_int_equal(err.kind, ERROR_USAGE);
	error_clear(&err);
	assert_int_equal(arguments_duration(&arguments, "timeout", &value, &err), -1);
	assert_string_equal(err.message, "invalid value 'soon' for --timeout: expected a duration "
					 "such as 500ms, 5s or 2m");
	assert_int_equal(err.kind, ERROR_USAGE);
	error_clear(&err);
	assert_int_equal(arguments_signal(&arguments, "signal", &signal, &err), -1);
	assert_string_equal(err.message, "invalid value 'SIGNOTHING' for --signal: expected a "
					 "signal such as TERM, INT or 9");
	assert_int_equal(err.kind, ERROR_USAGE);
	error_clear(&err);
	assert_int_equal(value, 42);
	assert_int_equal(signal, 42);
	arguments_release(&arguments);
	char negative[] = "-l|-1";
	parse_line(negative, &arguments);
	assert_int_equal(arguments_integer(&arguments, "lines", 0, 10, &value, &err), -1);
	assert_string_equal(err.message,
			    "invalid value '-1' for --lines: expected a number from 0 to 10");
	error_clear(&err);
	arguments_release(&arguments);
}

/* The tables of the commands themselves: no letter or name twice, none of them 'help'. */
static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; command_table[i]; i++) {
		const struct option_spec *options = command_table[i]->options;
		for (size_t j = 0; options && options[j].long_name; j++) {
			assert_string_not_equal(options[j].long_name, "help");
			assert_int_not_equal(options[j].short_name, 'h');
			assert_true(!options[j].help || *options[j].help);
			for (size_t k = 0; k < j; k++) {
				assert_string_not_equal(options[j].long_name, options[k].long_name);
				if (options[j].short_name)
					assert_int_not_equal(options[j].short_name,
							     options[k].short_name);
			}
		}
		assert_ptr_equal(command_find(command_table[i]->name), command_table[i]);
	}
	assert_null(command_find("no-such-command"));
	assert_null(command_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anywhere),   cmocka_unit_test(test_up_to_operand),
		cmocka_unit_test(test_errors),     cmocka_unit_test(test_specs),
		cmocka_unit_test(test_again),      cmocka_unit_test(test_values),
		cmocka_unit_test(test_bad_values), cmocka_unit_test(test_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
