#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/config.h"

#include <stdlib.h>
#include <string.h>

static void check_same_list(const struct string_list *a, const struct string_list *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		assert_string_equal(a->items[i], b->items[i]);
}

static void check_same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void check_same_supervision(const struct definition *a, const struct definition *b)
{
	assert_int_equal(a->restart, b->restart);
	assert_int_equal(a->max_restarts, b->max_restarts);
	assert_int_equal(a->min_uptime_ns, b->min_uptime_ns);
	assert_int_equal(a->restart_delay_ns, b->restart_delay_ns);
	assert_int_equal(a->restart_delay_max_ns, b->restart_delay_max_ns);
	assert_int_equal(a->on_exit, b->on_exit);
	assert_int_equal(a->max_memory_bytes, b->max_memory_bytes);
	assert_int_equal(a->log_max_size_bytes, b->log_max_size_bytes);
	for (int kind = 0; kind < HOOK_COUNT; kind++)
		check_same_text(a->hooks.commands[kind], b->hooks.commands[kind]);
	assert_int_equal(a->hooks.timeout_ns, b->hooks.timeout_ns);
	check_same_list(&a->watch, &b->watch);
	check_same_list(&a->ignore_watch, &b->ignore_watch);
	assert_int_equal(definition_needs_supervisor(a), definition_needs_supervisor(b));
}

static void check_same(const struct definition *a, const struct definition *b,
		       enum config_environment environment)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->namespace_name, b->namespace_name);
	check_same_text(a->shell_command, b->shell_command);
	check_same_list(&a->command, &b->command);
	check_same_text(a->cwd, b->cwd);
	assert_int_equal(a->env_count, b->env_count);
	for (size_t i = 0; i < a->env_count; i++) {
		assert_string_equal(a->env[i].name, b->env[i].name);
		assert_string_equal(environment == CONFIG_ENVIRONMENT_NAMES ? "" : a->env[i].value,
				    b->env[i].value);
	}
	check_same_list(&a->env_files, &b->env_files);
	check_same_text(a->user, b->user);
	check_same_text(a->group, b->group);
	assert_int_equal(a->umask, b->umask);
	assert_int_equal(a->has_nice, b->has_nice);
	assert_int_equal(a->nice, b->nice);
	assert_int_equal(a->limit_count, b->limit_count);
	for (size_t i = 0; i < a->limit_count; i++) {
		assert_string_equal(a->limits[i].name, b->limits[i].name);
		assert_int_equal(a->limits[i].resource, b->limits[i].resource);
		assert_true(a->limits[i].soft == b->limits[i].soft);
		assert_true(a->limits[i].hard == b->limits[i].hard);
	}
	assert_int_equal(a->autostart, b->autostart);
	assert_int_equal(a->merge_logs, b->merge_logs);
	check_same_text(a->out_file, b->out_file);
	check_same_text(a->error_file, b->error_file);
	assert_int_equal(a->log_keep, b->log_keep);
	assert_int_equal(a->log_on_stop, b->log_on_stop);
	assert_int_equal(a->stop_signal, b->stop_signal);
	assert_int_equal(a->stop_timeout_ns, b->stop_timeout_ns);
	assert_int_equal(a->start_watch_ns, b->start_watch_ns);
	check_same_supervision(a, b);
}

static const char *pick_text(struct arena *arena, unsigned int *seed)
{
	static const char *const pieces[] = {
		"a", " ",  "\n", ": ", "#",    "'",  "\"",  "- ",      "*",  "&x", "!",        "|",
		"%", "\t", "\\", "ü",  "日本", "$X", "yes", "\x1b[0m", "  ", "\r", "\xc2\x85",
	};
	const char *text = "";
	for (int i = rand_r(seed) % 8; i >= 0; i--)
		text = arena_printf(arena, "%s%s", text,
				    pieces[(size_t)rand_r(seed) % ARRAY_LENGTH(pieces)]);
	return arena_printf(arena, "%s.", text);
}

static bool toss(unsigned int *seed)
{
	return rand_r(seed) % 2 == 0;
}

static void fill_list(struct string_list *list, struct arena *arena, unsigned int *seed)
{
	list->count = (size_t)rand_r(seed) % 4;
	list->items = arena_alloc(arena, list->count * sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		list->items[i] = pick_text(arena, seed);
}

static void fill_environment(struct definition *definition, struct arena *arena, unsigned int *seed)
{
	definition->env_count = (size_t)rand_r(seed) % 5;
	definition->env = arena_alloc(arena, definition->env_count * sizeof(*definition->env));
	for (size_t i = 0; i < definition->env_count; i++) {
		definition->env[i].name = arena_printf(arena, "%s%zu", toss(seed) ? "V" : "<<", i);
		definition->env[i].value = toss(seed) ? pick_text(arena, seed) : "";
	}
}

static void fill_limits(struct definition *definition, struct arena *arena, unsigned int *seed)
{
	static const struct limit limits[] = {
		{ "nofile", RLIMIT_NOFILE, 10, 20 },
		{ "core", RLIMIT_CORE, 0, RLIM_INFINITY },
		{ "as", RLIMIT_AS, INT64_MAX / 4, INT64_MAX / 4 },
		{ "cpu", RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY },
	};
	definition->limit_count = (size_t)rand_r(seed) % (ARRAY_LENGTH(limits) + 1);
	definition->limits = arena_alloc(arena, sizeof(limits));
	memcpy(definition->limits, limits, sizeof(limits));
}

/* A timeout alone is not written. */
static void fill_hooks(struct hooks *hooks, struct arena *arena, unsigned int *seed)
{
	bool any = false;
	for (int kind = 0; kind < HOOK_COUNT; kind++) {
		hooks->commands[kind] = rand_r(seed) % 4 == 0 ? pick_text(arena, seed) : NULL;
		any = any || hooks->commands[kind];
	}
	hooks->timeout_ns = DEFINITION_HOOK_TIMEOUT_NS;
	if (any && toss(seed))
		hooks->timeout_ns = (1 + rand_r(seed) % 100000) * NSEC_PER_MSEC;
}

static void fill_watch(struct string_list *watch, struct arena *arena, unsigned int *seed)
{
	static const char *const odd[] = { ".", "yes", "no", "true", "OFF" };
	fill_list(watch, arena, seed);
	for (size_t i = 0; i < watch->count; i++)
		if (toss(seed))
			watch->items[i] = odd[(size_t)rand_r(seed) % ARRAY_LENGTH(odd)];
}

static void fill_supervision(struct definition *definition, struct arena *arena, unsigned int *seed)
{
	definition->restart = (enum restart_mode)(rand_r(seed) % 3);
	definition->max_restarts = toss(seed) ? 16 : rand_r(seed) % 1000001;
	definition->min_uptime_ns = toss(seed) ? NSEC_PER_SEC : rand_r(seed) * NSEC_PER_MSEC;
	definition->restart_delay_ns = rand_r(seed) % 30000 * NSEC_PER_MSEC;
	definition->restart_delay_max_ns =
	    definition->restart_delay_ns + rand_r(seed) % 3 * NSEC_PER_SEC;
	definition->on_exit = toss(seed) ? ON_EXIT_NONE : ON_EXIT_STOP_ALL;
	definition->max_memory_bytes = toss(seed) ? 0 : (1 << 20) + (int64_t)rand_r(seed);
	definition->log_max_size_bytes = toss(seed) ? 0 : (int64_t)(4 + rand_r(seed) % 9) << 30;
	fill_hooks(&definition->hooks, arena, seed);
	fill_watch(&definition->watch, arena, seed);
	fill_list(&definition->ignore_watch, arena, seed);
}

static void fill_definition(struct definition *definition, struct arena *arena, unsigned int *seed)
{
	*definition = (struct definition){ .name = toss(seed) ? "web" : "my ä's service" };
	definition->namespace_name = toss(seed) ? "default" : pick_text(arena, seed);
	fill_list(&definition->command, arena, seed);
	if (definition->command.count == 0)
		definition->shell_command = pick_text(arena, seed);
	definition->cwd = toss(seed) ? NULL : pick_text(arena, seed);
	fill_environment(definition, arena, seed);
	fill_list(&definition->env_files, arena, seed);
	definition->user = toss(seed) ? NULL : pick_text(arena, seed);
	definition->group = toss(seed) ? NULL : pick_text(arena, seed);
	definition->umask = toss(seed) ? -1 : rand_r(seed) % 01000;
	definition->has_nice = toss(seed);
	definition->nice = definition->has_nice ? rand_r(seed) % 40 - 20 : 0;
	fill_limits(definition, arena, seed);
	definition->autostart = toss(seed);
	definition->merge_logs = toss(seed);
	definition->out_file = toss(seed) ? NULL : pick_text(arena, seed);
	definition->error_file = toss(seed) ? NULL : pick_text(arena, seed);
	definition->log_keep = rand_r(seed) % 1001;
	definition->log_on_stop = toss(seed) ? LOG_ON_STOP_KEEP : LOG_ON_STOP_DELETE;
	definition->stop_signal = 1 + rand_r(seed) % 31;
	definition->stop_timeout_ns = rand_r(seed) % 100000 * NSEC_PER_MSEC;
	definition->start_watch_ns = rand_r(seed) % 10000 * NSEC_PER_MSEC;
	fill_supervision(definition, arena, seed);
}

static void check_round_trip(const struct definition *definition, struct arena *arena)
{
	for (int form = CONFIG_ENVIRONMENT_VALUES; form <= CONFIG_ENVIRONMENT_NAMES; form++) {
		struct definition back;
		struct error err = ERROR_INIT;
		struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
		config_append_yaml(definition, (enum config_environment)form, &text);
		if (config_parse_spec(buffer_string(&text), text.length, definition->name, arena,
				      &back, &err) < 0)
			fail_msg("%s\n%s", err.message, buffer_string(&text));
		check_same(definition, &back, (enum config_environment)form);
	}
}

static void test_round_trips(void **state)
{
	(void)state;
	unsigned int seed = 11;
	for (int round = 0; round < 3000; round++) {
		struct arena arena = ARENA_INIT;
		struct definition definition;
		fill_definition(&definition, &arena, &seed);
		check_round_trip(&definition, &arena);
		arena_release(&arena);
	}
}

static void test_spec_problems(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *message;
	} table[] = {
		{ "", "web.spec:1:1: not the record of 'web'" },
		{ "\x7f"
		  "ELF",
		  "web.spec:1:1: control character U+007F is not allowed" },
		{ "web: x\napi: y\n", "web.spec:1:1: not the record of 'web'" },
		{ "api:\n  cmd: x\n", "web.spec:1:1: not the record of 'web'" },
		{ "[web]\n", "web.spec:1:1: not the record of 'web'" },
		{ "web: {}\n", "web.spec:1:1: there is no command" },
		{ "web:\n  cwd: x\n", "web.spec:1:1: there is no command" },
		{ "web:\n  cmd: x\n  extends: y\n",
		  "web.spec:3:3: 'extends' cannot stand in a record" },
		{ "web:\n  cmd: x\n  depends_on: y\n",
		  "web.spec:3:3: 'depends_on' in 'web' is not supported by this version of pmo "
		  "yet" },
		{ "web:\n  cmd: x\n  restart_delay: 2s\n  restart_delay_max: 1s\n",
		  "web.spec:1:1: 'restart_delay' of 'web' is 2s, longer than its "
		  "'restart_delay_max' of 1s" },
		{ "web:\n  cmd: x\n  stop_sig\n", "web.spec:4:1: could not find expected ':' while "
						  "scanning a simple key that starts "
						  "in line 3" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		struct arena arena = ARENA_INIT;
		struct definition definition;
		struct error err = ERROR_INIT;
		assert_int_equal(config_parse_spec(table[i].text, strlen(table[i].text), "web",
						   &arena, &definition, &err),
				 -1);
		assert_int_equal(err.kind, ERROR_FAILED);
		assert_string_equal(err.message, table[i].message);
		error_clear(&err);
		arena_release(&arena);
	}
}

/* Any prefix and any damaged byte is an error or a definition with a command, never a crash. */
static void test_damaged_specs(void **state)
{
	(void)state;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct config config;
	struct message_list messages = MESSAGE_LIST_INIT;
	unsigned int seed = 3;
	assert_int_equal(config_load(PMO_FIXTURES "/config/full.yml", "f", &config, &messages), 0);
	config_append_yaml(config_find(&config, "web"), CONFIG_ENVIRONMENT_NAMES, &text);
	for (size_t i = 0; i < text.length * 8; i++) {
		struct arena arena = ARENA_INIT;
		struct definition definition;
		size_t length = i < text.length ? i : text.length;
		char *copy CLEANUP_FREE = memory_strndup(buffer_string(&text), text.length);
		if (i >= text.length)
			copy[(size_t)rand_r(&seed) % length] = (char)(rand_r(&seed) % 256);
		if (config_parse_spec(copy, length, "web", &arena, &definition, NULL) == 0)
			assert_true(definition.shell_command || definition.command.count > 0);
		arena_release(&arena);
	}
	config_release(&config);
}

static void test_huge_spec(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct definition definition;
	struct error err = ERROR_INIT;
	size_t length = 5 << 20;
	char *text CLEANUP_FREE = memory_zalloc(length + 1, 1);
	memset(text, 'a', length);
	assert_int_equal(config_parse_spec(text, length, "web", &arena, &definition, &err), -1);
	assert_string_equal(err.message, "web.spec:1:1: larger than 4 MiB");
	error_clear(&err);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_spec_problems),
		cmocka_unit_test(test_damaged_specs),
		cmocka_unit_test(test_huge_spec),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
