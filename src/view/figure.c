#include "view/figure.h"

#include "base/clock.h"
#include "base/units.h"

#include <math.h>
#include <stdio.h>

enum style figure_state_style(enum service_state state)
{
	static const enum style styles[SERVICE_STATE_COUNT] = {
		[SERVICE_STOPPED] = STYLE_DIM,   [SERVICE_STARTING] = STYLE_BUSY,
		[SERVICE_RUNNING] = STYLE_GOOD,  [SERVICE_RESTARTING] = STYLE_BUSY,
		[SERVICE_STOPPING] = STYLE_BUSY, [SERVICE_EXITED] = STYLE_DIM,
		[SERVICE_ERRORED] = STYLE_BAD,   [SERVICE_ELSEWHERE] = STYLE_DIM,
		[SERVICE_UNKNOWN] = STYLE_BAD,
	};
	return styles[state];
}

bool figure_has_failed(const struct service_status *service)
{
	const struct record *record = &service->record;
	if (service->state == SERVICE_EXITED)
		return record->exit.kind == EXIT_UNKNOWN &&
		       (record->intent || record->exit.at_realtime_ns != 0);
	return service->state == SERVICE_ERRORED;
}

bool figure_has_processes(const struct service_status *service)
{
	return service->pid > 0 || service->member_count > 0;
}

void figure_format_cpu(double percent, char *text)
{
	if (!isfinite(percent)) {
		snprintf(text, FIGURE_SIZE, "-");
		return;
	}
	long tenths = (long)(percent * 10 + 0.5);
	snprintf(text, FIGURE_SIZE, "%ld.%ld%%", tenths / 10, tenths % 10);
}

void figure_format_memory(int64_t bytes, char *text)
{
	if (bytes < 0)
		snprintf(text, FIGURE_SIZE, "-");
	else
		units_format_size(bytes, text, FIGURE_SIZE);
}

void figure_format_uptime(int64_t nanoseconds, char *text)
{
	if (nanoseconds < 0)
		snprintf(text, FIGURE_SIZE, "-");
	else
		units_format_duration(nanoseconds, text, FIGURE_SIZE);
}

void figure_format_cpu_time(double seconds, char *text)
{
	if (!isfinite(seconds))
		snprintf(text, FIGURE_SIZE, "-");
	else if (seconds < 59.995)
		snprintf(text, FIGURE_SIZE, "%.2fs", seconds);
	else
		units_format_duration((int64_t)(seconds * (double)NSEC_PER_SEC), text, FIGURE_SIZE);
}

void figure_format_gpu_memory(const struct service_status *service, char *text)
{
	int64_t sum = 0;
	bool known = service->gpu_known;
	for (size_t i = 0; i < service->gpu_count; i++) {
		known = known && service->gpus[i].memory_bytes >= 0;
		sum += service->gpus[i].memory_bytes;
	}
	if (!figure_has_processes(service) || (known && service->gpu_count == 0))
		snprintf(text, FIGURE_SIZE, "-");
	else if (known)
		units_format_size(sum, text, FIGURE_SIZE);
	else
		snprintf(text, FIGURE_SIZE, "?");
}

/* Slices of one device share its number. */
static bool index_came_before(const struct service_status *service, size_t position)
{
	for (size_t i = 0; i < position; i++)
		if (service->gpus[i].index == service->gpus[position].index)
			return true;
	return false;
}

void figure_append_gpu_indexes(const struct service_status *service, struct buffer *buffer)
{
	if (!service->gpu_known && figure_has_processes(service)) {
		buffer_append_char(buffer, '?');
		return;
	}
	if (service->gpu_count == 0)
		buffer_append_char(buffer, '-');
	for (size_t i = 0; i < service->gpu_count; i++) {
		if (index_came_before(service, i))
			continue;
		if (i > 0)
			buffer_append_char(buffer, ',');
		if (service->gpus[i].index >= 0)
			buffer_printf(buffer, "%d", service->gpus[i].index);
		else
			buffer_append_char(buffer, '?');
	}
}

void figure_append_exit(const struct exit_record *exit, struct buffer *buffer)
{
	char signal[FIGURE_SIZE];
	switch (exit->kind) {
	case EXIT_CODE:
		buffer_printf(buffer, "exit status %d", exit->value);
		break;
	case EXIT_SIGNAL:
		units_format_signal(exit->value, signal, sizeof(signal));
		buffer_printf(buffer, "signal %s", signal);
		break;
	case EXIT_UNKNOWN:
		buffer_append_string(buffer, "exit status unknown");
		break;
	}
}

void figure_append_end(const struct exit_record *exit, struct buffer *buffer)
{
	char when[FIGURE_SIZE];
	if (exit->reason[0])
		buffer_printf(buffer, "%s (", exit->reason);
	figure_append_exit(exit, buffer);
	if (exit->reason[0])
		buffer_append_char(buffer, ')');
	if (exit->at_realtime_ns) {
		clock_format_local(exit->at_realtime_ns, when, sizeof(when));
		buffer_printf(buffer, ", %s", when);
	}
}

void figure_append_next_try(int64_t nanoseconds, struct buffer *buffer)
{
	char text[FIGURE_SIZE];
	if (nanoseconds < 0) {
		buffer_append_string(buffer, "next try soon");
	} else if (nanoseconds < NSEC_PER_SEC / 20) {
		buffer_append_string(buffer, "next try now");
	} else if (nanoseconds < 59 * NSEC_PER_SEC) {
		buffer_printf(buffer, "next try in %.1fs",
			      (double)nanoseconds / (double)NSEC_PER_SEC);
	} else {
		units_format_duration(nanoseconds, text, sizeof(text));
		buffer_printf(buffer, "next try in %s", text);
	}
}
