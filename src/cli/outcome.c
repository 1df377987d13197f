#include "cli/outcome.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/report.h"
#include "view/style.h"

#include <string.h>
#include <unistd.h>

enum { PROGRESS_NAMES = 5 };

/* Bytes of a line that are shown: what a crash printed may be anything. */
enum { OUTPUT_LINE_LIMIT = 300 };

/* No character is cut in two. */
static size_t shown_length(const char *line, size_t length)
{
	if (length <= OUTPUT_LINE_LIMIT)
		return length;
	length = OUTPUT_LINE_LIMIT;
	for (size_t back = 0; back < 4 && ((unsigned char)line[length] & 0xc0) == 0x80; back++)
		length--;
	return length;
}

/* The service's own last lines, indented, so that they cannot be taken for pmo's. */
static void report_output(const struct buffer *output)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	const char *ellipsis = output_describe(STDERR_FILENO, false).utf8 ? "…" : "...";
	const char *line = buffer_string(output);
	const char *end = line + output->length;
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);
		buffer_append_string(&text, "    | ");
		size_t shown = shown_length(line, length);
		text_append_visible(&text, line, shown);
		buffer_append_string(&text, shown < length ? ellipsis : "");
		buffer_append_char(&text, '\n');
		line += length + 1;
	}
	(void)file_write_all(STDERR_FILENO, buffer_string(&text), text.length);
}

static int report_start_failure(const struct start_result *result)
{
	const char *name = result->entry->name;
	if (result->error.message)
		report_line("%s", result->error.message);
	if (result->output.length)
		report_output(&result->output);
	if (result->survivors)
		report_line("%zu process%s of '%s' run%s on: 'pmo stop %s' ends %s",
			    result->survivors, result->survivors == 1 ? "" : "es", name,
			    result->survivors == 1 ? "s" : "", name,
			    result->survivors == 1 ? "it" : "them");
	return ERROR_FAILED;
}

static void append_running(const struct context *context, const struct start_result *result,
			   struct buffer *text)
{
	buffer_printf(text, "%s is already running (pid %ld)\n", result->entry->name,
		      (long)result->pid);
	if (result->changed)
		report_line("'%s' runs with an older definition than '%s' has now: "
			    "'pmo restart %s' applies it",
			    result->entry->name, context->project.label, result->entry->name);
}

static void append_finished(const struct start_result *result, struct buffer *text)
{
	buffer_printf(text, "%s finished (exit status 0)\n", result->entry->name);
	if (result->survivors)
		report_line("'%s' went into the background: pmo sees %zu of its processes, but not "
			    "how they end; a command that stays in the foreground is better",
			    result->entry->name, result->survivors);
}

int outcome_append_start(const struct context *context, const struct start_result *result,
			 const char *verb, struct buffer *text)
{
	switch (result->outcome) {
	case START_STARTED:
		buffer_printf(text, "%s %s (pid %ld)\n", verb, result->entry->name,
			      (long)result->pid);
		break;
	case START_ADOPTED:
		buffer_printf(text, "%s has a new supervisor (pid %ld runs on)\n",
			      result->entry->name, (long)result->pid);
		break;
	case START_SKIPPED:
		break;
	case START_ALREADY_RUNNING:
		append_running(context, result, text);
		break;
	case START_FINISHED:
		append_finished(result, text);
		break;
	case START_FAILED:
		return report_start_failure(result);
	}
	return 0;
}

int outcome_append_stop(const struct stop_result *result, const char *verb, struct buffer *text)
{
	const char *name = result->entry->name;
	switch (result->outcome) {
	case STOP_STOPPED:
		buffer_printf(text, "%s %s\n", verb, name);
		break;
	case STOP_KILLED:
		buffer_printf(text, "%s %s (it had to be killed)\n", verb, name);
		break;
	case STOP_NOT_RUNNING:
		if (strcmp(verb, "stopped") == 0)
			buffer_printf(text, "%s is not running\n", name);
		else
			buffer_printf(text, "%s %s\n", verb, name);
		break;
	case STOP_DISCARDED:
		buffer_printf(text, "discarded the record of %s\n", name);
		break;
	case STOP_FAILED:
		report_line("%s", result->error.message);
		return ERROR_FAILED;
	}
	return 0;
}

void outcome_progress(void *context, const struct stop_result *const *waiting, size_t count)
{
	(void)context;
	struct buffer line CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer cut CLEANUP_BUFFER = BUFFER_INIT;
	struct output output = output_describe(STDERR_FILENO, false);
	if (!output.terminal)
		return;
	buffer_append_string(&line, "waiting for ");
	for (size_t i = 0; i < count && i < PROGRESS_NAMES; i++)
		buffer_printf(&line, "%s%s", i ? ", " : "", waiting[i]->entry->name);
	if (count > PROGRESS_NAMES)
		buffer_printf(&line, " and %zu more", count - PROGRESS_NAMES);
	buffer_append_string(&cut, "\r");
	text_append_cut(&cut, buffer_string(&line), output.columns - 1, output.utf8 ? "…" : "...");
	buffer_append_string(&cut, "\033[K");
	(void)file_write_all(STDERR_FILENO, buffer_string(&cut), cut.length);
}

void outcome_progress_end(void)
{
	static const char erase[] = "\r\033[K";
	if (output_describe(STDERR_FILENO, false).terminal)
		(void)file_write_all(STDERR_FILENO, erase, sizeof(erase) - 1);
}
