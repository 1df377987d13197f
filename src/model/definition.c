#include "model/definition.h"

#include "base/buffer.h"

#include <string.h>

/* What no shell gives a meaning to. */
static const char plain_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_@%+=:,./-";

const char *hook_kind_name(enum hook_kind kind)
{
	static const char *const names[HOOK_COUNT] = {
		[HOOK_PRE_START] = "pre_start",   [HOOK_POST_START] = "post_start",
		[HOOK_PRE_STOP] = "pre_stop",     [HOOK_POST_STOP] = "post_stop",
		[HOOK_ON_RESTART] = "on_restart", [HOOK_ON_FAIL] = "on_fail",
	};
	return names[kind];
}

static bool has_hook(const struct hooks *hooks)
{
	for (int kind = 0; kind < HOOK_COUNT; kind++)
		if (hooks->commands[kind])
			return true;
	return false;
}

bool definition_needs_supervisor(const struct definition *definition)
{
	return definition->restart != RESTART_NO || definition->on_exit != ON_EXIT_NONE ||
	       definition->max_memory_bytes > 0 || definition->log_max_size_bytes > 0 ||
	       definition->watch.count > 0 || has_hook(&definition->hooks);
}

static void append_in_quotes(struct buffer *buffer, const char *word)
{
	buffer_append_char(buffer, '\'');
	for (;;) {
		size_t length = strcspn(word, "'");
		buffer_append(buffer, word, length);
		if (word[length] == '\0')
			break;
		buffer_append_string(buffer, "'\\''");
		word += length + 1;
	}
	buffer_append_char(buffer, '\'');
}

void definition_append_quoted(struct buffer *buffer, const char *word)
{
	if (*word != '\0' && word[strspn(word, plain_characters)] == '\0')
		buffer_append_string(buffer, word);
	else
		append_in_quotes(buffer, word);
}

void definition_append_command(const struct definition *definition, struct buffer *buffer)
{
	const struct string_list *command = &definition->command;
	if (definition->shell_command) {
		buffer_append_string(buffer, definition->shell_command);
		return;
	}
	for (size_t i = 0; i < command->count; i++) {
		if (i > 0)
			buffer_append_char(buffer, ' ');
		/* as first word, NAME=value would be an assignment */
		if (i == 0 && strchr(command->items[i], '='))
			append_in_quotes(buffer, command->items[i]);
		else
			definition_append_quoted(buffer, command->items[i]);
	}
}
