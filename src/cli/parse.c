#include "cli/parse.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec help_option = { 'h', "help", NULL, NULL };

/* getopt_long(3)'s own tables, made from ours. */
struct tables {
	const struct option_spec **specs; /* ours, and help */
	struct option *options; /* ends with zeros; val is the index into specs, above 255 */
	struct buffer letters;
	size_t count;
};

enum { FIRST_INDEX = 256 };

static void tables_add(struct tables *tables, const struct option_spec *spec)
{
	struct option *option = &tables->options[tables->count];
	option->name = spec->long_name;
	option->has_arg = spec->argument ? required_argument : no_argument;
	option->val = FIRST_INDEX + (int)tables->count;
	if (spec->short_name)
		buffer_printf(&tables->letters, "%c%s", spec->short_name,
			      spec->argument ? ":" : "");
	tables->specs[tables->count++] = spec;
}

static struct tables tables_create(const struct option_spec *specs, enum parse_order order)
{
	size_t count = 0;
	bool has_help = false;
	for (; specs && specs[count].long_name; count++)
		has_help = has_help || strcmp(specs[count].long_name, "help") == 0;
	struct tables tables = {
		.specs = memory_zalloc(count + 2, sizeof(struct option_spec *)),
		.options = memory_zalloc(count + 2, sizeof(struct option)),
	};
	buffer_append_string(&tables.letters, order == PARSE_UP_TO_OPERAND ? "+:" : ":");
	for (size_t i = 0; i < count; i++)
		tables_add(&tables, &specs[i]);
	if (!has_help)
		tables_add(&tables, &help_option);
	return tables;
}

static void tables_release(struct tables *tables)
{
	free(tables->specs);
	free(tables->options);
	buffer_release(&tables->letters);
}

static const struct option_spec *tables_find(const struct tables *tables, int code)
{
	if (code >= FIRST_INDEX)
		return tables->specs[code - FIRST_INDEX];
	for (size_t i = 0; i < tables->count; i++)
		if (tables->specs[i]->short_name == code)
			return tables->specs[i];
	return NULL;
}

/* What `start` and `restart` will have: better than a wrong guess at what was meant. */
static bool is_later_option(const char *subject, const char *name)
{
	static const char *const later[] = { "--wait", "--wait-timeout", "--no-deps", "--port" };
	if (strcmp(subject, "start") != 0 && strcmp(subject, "restart") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(later); i++)
		if (strcmp(name, later[i]) == 0)
			return true;
	return false;
}

/* WORD is what could not be understood, as it was typed. */
static int unknown_option(const struct tables *tables, const char *subject, const char *word,
			  struct error *err)
{
	const char **names CLEANUP_FREE = memory_zalloc(tables->count, sizeof(*names));
	struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
	size_t length = strcspn(word, "=");
	char *name CLEANUP_FREE = memory_strndup(word, length);
	if (is_later_option(subject, name))
		return error_set(err, ERROR_USAGE,
				 "'%s' is not supported by this version of pmo yet", name);
	for (size_t i = 0; i < tables->count; i++)
		names[i] = tables->specs[i]->long_name;
	text_append_visible(&shown, name, length);
	const char *nearest = NULL;
	if (strncmp(name, "--", 2) == 0)
		nearest = text_suggest(name + 2, names, tables->count);
	if (nearest)
		return error_set(err, ERROR_USAGE,
				 "unknown option '%s' for '%s' (did you mean '--%s'?)",
				 buffer_string(&shown), subject, nearest);
	return error_set(err, ERROR_USAGE, "unknown option '%s' for '%s'", buffer_string(&shown),
			 subject);
}

static int bad_option(const struct tables *tables, const char *subject, int code, char **argv,
		      struct error *err)
{
	const struct option_spec *spec = optopt ? tables_find(tables, optopt) : NULL;
	const char *word = argv[optind - 1];
	char letter[] = { '-', (char)optopt, '\0' };
	if (code == ':' && spec)
		return error_set(err, ERROR_USAGE, "option '--%s' of '%s' needs a value: --%s %s",
				 spec->long_name, subject, spec->long_name, spec->argument);
	if (spec && strncmp(word, "--", 2) == 0)
		return error_set(err, ERROR_USAGE, "option '--%s' of '%s' takes no value",
				 spec->long_name, subject);
	return unknown_option(tables, subject, optopt && !spec ? letter : word, err);
}

static int parse_options(const struct tables *tables, const char *subject, int argc, char **argv,
			 struct arguments *arguments, struct error *err)
{
	size_t capacity = 0;
	optind = 0; /* glibc: begin anew, also for the order */
	opterr = 0;
	for (;;) {
		optopt = 0;
		int code =
		    getopt_long(argc, argv, buffer_string(&tables->letters), tables->options, NULL);
		if (code == -1)
			return 0;
		if (code == '?' || code == ':')
			return bad_option(tables, subject, code, argv, err);
		MEMORY_GROW(arguments->options, arguments->option_count, capacity);
		arguments->options[arguments->option_count++] = (struct option_value){
			.spec = tables_find(tables, code),
			.value = optarg ? optarg : "",
		};
	}
}

/* Where "--" stands, argc without one. */
static int find_dashes(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return argc;
}

static void add_operands(struct arguments *arguments, char **words, int count)
{
	for (int i = 0; i < count; i++)
		arguments->operands[arguments->operand_count++] = words[i];
}

int parse_arguments(const char *subject, const struct option_spec *specs, enum parse_order order,
		    int argc, char **argv, struct arguments *arguments, struct error *err)
{
	struct tables tables = tables_create(specs, order);
	int dashes = order == PARSE_ANYWHERE ? find_dashes(argc, argv) : argc;
	*arguments = (struct arguments){
		.operands = memory_zalloc((size_t)argc + 1, sizeof(char *)),
	};
	int result = parse_options(&tables, subject, dashes, argv, arguments, err);
	if (result == 0) {
		add_operands(arguments, argv + optind, dashes - optind);
		arguments->operands_before_dashes = arguments->operand_count;
		if (dashes < argc)
			add_operands(arguments, argv + dashes + 1, argc - dashes - 1);
	}
	tables_release(&tables);
	if (result < 0)
		arguments_release(arguments);
	return result;
}

void arguments_release(struct arguments *arguments)
{
	free(arguments->options);
	free(arguments->operands);
	*arguments = (struct arguments){ 0 };
}
