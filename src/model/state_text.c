#include "model/state_text.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

int64_t state_text_parse_time(const char *text)
{
	int64_t time_ns = 0;
	if (strspn(text, "0123456789.") == strlen(text))
		(void)units_parse_duration(text, &time_ns);
	return time_ns;
}

void state_text_append_time(struct buffer *buffer, int64_t time_ns)
{
	buffer_printf(buffer, "%" PRId64 ".%06" PRId64, time_ns / NSEC_PER_SEC,
		      time_ns % NSEC_PER_SEC / 1000);
}

/* Make REASON visible, and cut it to REASON_SIZE between two characters. */
static void copy_reason(char reason[REASON_SIZE], const char *text)
{
	struct buffer visible CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&visible, text, strlen(text));
	const char *bytes = buffer_string(&visible);
	size_t length = strnlen(bytes, REASON_SIZE);
	if (length == REASON_SIZE)
		for (length--; length > 0 && ((unsigned char)bytes[length] & 0xc0) == 0x80;)
			length--;
	memcpy(reason, bytes, length);
	reason[length] = '\0';
}

/* "code 1 1769860800.5" */
static bool parse_end(char *line, struct exit_record *exit)
{
	char *rest = NULL;
	const char *kind = strtok_r(line, " ", &rest);
	const char *number = kind ? strtok_r(NULL, " ", &rest) : NULL;
	const char *time = number ? strtok_r(NULL, " ", &rest) : NULL;
	int64_t value;
	if (!number)
		return false;
	if (strcmp(kind, "code") == 0 && units_parse_integer(number, 0, 255, &value))
		exit->kind = EXIT_CODE;
	else if (strcmp(kind, "signal") == 0 && units_parse_integer(number, 1, SIGRTMAX, &value))
		exit->kind = EXIT_SIGNAL;
	else if (strcmp(kind, "unknown") == 0 && units_parse_integer(number, 0, 0, &value))
		exit->kind = EXIT_UNKNOWN;
	else
		return false;
	exit->value = (int)value;
	exit->at_realtime_ns = time ? state_text_parse_time(time) : 0;
	return true;
}

static void parse_detail(const char *line, struct exit_record *exit)
{
	static const char next[] = "next ";
	static const char reason[] = "reason ";
	if (strncmp(line, next, strlen(next)) == 0)
		exit->next_try_ns = state_text_parse_time(line + strlen(next));
	else if (strncmp(line, reason, strlen(reason)) == 0)
		copy_reason(exit->reason, line + strlen(reason));
}

void state_text_parse_exit(char *text, struct exit_record *exit)
{
	char *rest = text;
	char *line = strsep(&rest, "\n");
	if (!parse_end(line, exit))
		return;
	while ((line = strsep(&rest, "\n")) != NULL)
		parse_detail(line, exit);
}

void state_text_append_exit(struct buffer *buffer, const struct exit_record *exit)
{
	static const char *const kinds[] = {
		[EXIT_UNKNOWN] = "unknown",
		[EXIT_CODE] = "code",
		[EXIT_SIGNAL] = "signal",
	};
	char reason[REASON_SIZE];
	buffer_printf(buffer, "%s %d ", kinds[exit->kind],
		      exit->kind == EXIT_UNKNOWN ? 0 : exit->value);
	state_text_append_time(buffer, exit->at_realtime_ns);
	buffer_append_char(buffer, '\n');
	if (exit->next_try_ns) {
		buffer_append_string(buffer, "next ");
		state_text_append_time(buffer, exit->next_try_ns);
		buffer_append_char(buffer, '\n');
	}
	copy_reason(reason, exit->reason);
	if (reason[0])
		buffer_printf(buffer, "reason %s\n", reason);
}

bool state_text_parse_supervisor(char *text, struct identity *identity)
{
	int64_t pid;
	char *rest = text;
	const char *line = strsep(&rest, "\n");
	return rest && units_parse_integer(line, 2, INT32_MAX, &pid) &&
	       identity_parse(rest, identity) && identity->pid == (pid_t)pid;
}

void state_text_append_supervisor(struct buffer *buffer, const struct identity *identity)
{
	buffer_printf(buffer, "%ld\n", (long)identity->pid);
	identity_append(buffer, identity);
	buffer_append_char(buffer, '\n');
}
