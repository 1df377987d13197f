#include "view/trouble_view.h"

#include "base/clock.h"
#include "base/message.h"
#include "base/text.h"
#include "view/figure.h"

#include <string.h>

enum trouble { TROUBLE_FAILED, TROUBLE_UNSUPERVISED, TROUBLE_RESTARTING, TROUBLE_COUNT };

/* TROUBLE_COUNT: none. */
static enum trouble find_trouble(const struct service_status *service)
{
	if (figure_has_failed(service))
		return TROUBLE_FAILED;
	if (service->supervision == SUPERVISION_MISSING)
		return TROUBLE_UNSUPERVISED;
	return service->state == SERVICE_RESTARTING ? TROUBLE_RESTARTING : TROUBLE_COUNT;
}

static void append_pointer(const char *command, const char *name, struct buffer *line)
{
	struct buffer word CLEANUP_BUFFER = BUFFER_INIT;
	definition_append_quoted(&word, name);
	buffer_printf(line, "; %s ", command);
	text_append_visible(line, buffer_string(&word), word.length);
}

/* "exit status 3, 2026-01-31 12:00:00; see pmo logs web" */
static void append_failure(const struct service_status *service, struct buffer *line)
{
	figure_append_end(&service->record.exit, line);
	if (service->supervision == SUPERVISION_MISSING)
		buffer_append_string(line, ", and its supervisor is gone");
	append_pointer("see pmo logs", service->entry->name, line);
}

/* "next try in 3.2s (exit status 1, 4 restarts)" */
static void append_restart(const struct service_status *service, struct buffer *line)
{
	const struct exit_record *exit = &service->record.exit;
	long long restarts = service->record.restarts;
	figure_append_next_try(service->next_try_in_ns, line);
	buffer_append_string(line, " (");
	if (exit->reason[0])
		buffer_append_string(line, exit->reason);
	else
		figure_append_exit(exit, line);
	buffer_printf(line, ", %lld restart%s)", restarts, restarts == 1 ? "" : "s");
}

static void append_line(const struct service_status *service, enum trouble trouble,
			const struct output *output, struct buffer *buffer)
{
	static const enum style styles[TROUBLE_COUNT] = {
		[TROUBLE_FAILED] = STYLE_BAD,
		[TROUBLE_UNSUPERVISED] = STYLE_BAD,
		[TROUBLE_RESTARTING] = STYLE_BUSY,
	};
	struct buffer line CLEANUP_BUFFER = BUFFER_INIT;
	const char *name = service->entry->name;
	text_append_visible(&line, name, strlen(name));
	buffer_append_string(&line, ": ");
	if (trouble == TROUBLE_FAILED)
		append_failure(service, &line);
	else if (trouble == TROUBLE_RESTARTING)
		append_restart(service, &line);
	else
		buffer_append_string(&line,
				     "its supervisor is gone; pmo resurrect gives it a new one");
	style_append(buffer, output, styles[trouble], buffer_string(&line));
	buffer_append_char(buffer, '\n');
}

/* Lines of one kind; of more only the number is told. */
enum { MOST_LINES = 5 };

static void append_kind(const struct list_part *parts, size_t count, enum trouble trouble,
			const struct output *output, struct buffer *buffer)
{
	static const char *const others[TROUBLE_COUNT] = {
		[TROUBLE_FAILED] = "that failed",
		[TROUBLE_UNSUPERVISED] = "without a supervisor",
		[TROUBLE_RESTARTING] = "that wait to be restarted",
	};
	size_t found = 0;
	for (size_t part = 0; part < count; part++) {
		for (size_t i = 0; i < parts[part].snapshot->count; i++) {
			const struct service_status *service = &parts[part].snapshot->services[i];
			if (find_trouble(service) == trouble && found++ < MOST_LINES)
				append_line(service, trouble, output, buffer);
		}
	}
	if (found > MOST_LINES)
		buffer_printf(buffer, "and %zu more %s\n", found - MOST_LINES, others[trouble]);
}

void trouble_view_append(const struct list_part *parts, size_t count, const struct output *output,
			 struct buffer *buffer)
{
	for (int trouble = 0; trouble < TROUBLE_COUNT; trouble++)
		append_kind(parts, count, (enum trouble)trouble, output, buffer);
}

static void warn(const struct service_status *service, struct message_list *messages)
{
	struct buffer name CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&name, service->entry->name, strlen(service->entry->name));
	message_add(messages, MESSAGE_WARNING,
		    "the supervisor of '%s' is gone: 'pmo resurrect' gives it a new one",
		    buffer_string(&name));
}

void trouble_view_warn(const struct list_part *parts, size_t count, struct message_list *messages)
{
	size_t found = 0;
	for (size_t part = 0; part < count; part++) {
		for (size_t i = 0; i < parts[part].snapshot->count; i++) {
			const struct service_status *service = &parts[part].snapshot->services[i];
			if (service->supervision == SUPERVISION_MISSING && found++ < MOST_LINES)
				warn(service, messages);
		}
	}
	if (found > MOST_LINES)
		message_add(messages, MESSAGE_WARNING, "and %zu more without a supervisor",
			    found - MOST_LINES);
}
