#include "cli/report.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One write for one line, so that lines of concurrent invocations do not mix. What it quotes may
 * come from anybody. */
static void write_line(const char *prefix, const char *text)
{
	struct buffer line CLEANUP_BUFFER = BUFFER_INIT;
	buffer_printf(&line, "pmo: %s", prefix);
	text_append_visible(&line, text, strlen(text));
	buffer_append_char(&line, '\n');
	/* a standard error that is closed leaves nobody to tell */
	(void)file_write_all(STDERR_FILENO, buffer_string(&line), line.length);
}

int report_error(struct error *err)
{
	int status = err->kind;
	if (err->message)
		write_line("", err->message);
	error_clear(err);
	return status;
}

void report_line(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text CLEANUP_FREE = memory_vprintf(format, arguments);
	va_end(arguments);
	write_line("", text);
}

void report_messages(struct context *context)
{
	for (size_t i = 0; i < context->messages.count; i++) {
		const struct message *message = &context->messages.items[i];
		write_line(message->level == MESSAGE_WARNING ? "warning: " : "", message->text);
	}
	message_list_release(&context->messages);
}

static void list_services(const struct catalog *catalog)
{
	struct buffer names CLEANUP_BUFFER = BUFFER_INIT;
	for (size_t i = 0; i < catalog->count; i++) {
		buffer_append_string(&names, i ? ", " : "");
		text_append_visible(&names, catalog->entries[i].name,
				    strlen(catalog->entries[i].name));
	}
	report_line("services: %s", names.length ? buffer_string(&names) : "none");
}

int report_nothing_named(const struct context *context, const struct command *command,
			 const char *forms)
{
	report_line("'%s' needs a service: %s", command->name, forms);
	if (command->operand_kind == OPERANDS_SERVICES)
		list_services(&context->project.catalog);
	return ERROR_USAGE;
}

int report_one_needed(const struct context *context, const struct command *command)
{
	report_line("'%s' needs one service: its name or its id", command->name);
	list_services(&context->project.catalog);
	return ERROR_USAGE;
}

int report_selection(struct context *context, const struct arguments *arguments,
		     enum select_all all, struct selection *selection)
{
	static char everything[] = "all";
	char *default_specs[] = { everything, NULL };
	char *const *specs = arguments->operand_count ? arguments->operands : default_specs;
	size_t count = arguments->operand_count ? arguments->operand_count : 1;
	int result = catalog_select(&context->project.catalog, specs, count, all, selection,
				    &context->messages);
	report_messages(context);
	return result < 0 ? ERROR_NO_SERVICE : 0;
}

int report_configured_selection(struct context *context, const struct arguments *arguments,
				enum select_all all, struct selection *selection)
{
	int status = report_selection(context, arguments, all, selection);
	size_t kept = 0;
	for (size_t i = 0; i < selection->count; i++) {
		const struct catalog_entry *entry = selection->entries[i];
		if (entry->configured) {
			selection->entries[kept++] = entry;
			continue;
		}
		report_line("'%s' is no longer in '%s'", entry->name, context->project.label);
		status = ERROR_NO_SERVICE;
	}
	selection->count = kept;
	return status;
}
