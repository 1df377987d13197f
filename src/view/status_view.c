#include "view/status_view.h"

#include "base/clock.h"
#include "base/text.h"
#include "view/figure.h"
#include "view/process_view.h"

#include <math.h>
#include <string.h>

enum { LABEL_WIDTH = 12 };

enum status_code status_view_code(const struct service_status *service)
{
	switch (service->state) {
	case SERVICE_STARTING:
	case SERVICE_RUNNING:
	case SERVICE_RESTARTING:
	case SERVICE_STOPPING:
		return STATUS_CODE_RUNNING;
	case SERVICE_EXITED:
	case SERVICE_ERRORED:
		return figure_has_failed(service) ? STATUS_CODE_FAILED : STATUS_CODE_STOPPED;
	case SERVICE_ELSEWHERE:
	case SERVICE_UNKNOWN:
		return STATUS_CODE_UNKNOWN;
	case SERVICE_STOPPED:
	case SERVICE_STATE_COUNT:
		break;
	}
	return STATUS_CODE_STOPPED;
}

enum status_code status_view_worse_code(enum status_code a, enum status_code b)
{
	static const int severity[] = {
		[STATUS_CODE_RUNNING] = 0,
		[STATUS_CODE_STOPPED] = 1,
		[STATUS_CODE_FAILED] = 2,
		[STATUS_CODE_UNKNOWN] = 3,
	};
	return severity[a] >= severity[b] ? a : b;
}

/* Where the panel of one service goes. */
struct panel {
	const struct service_status *service;
	const struct catalog *catalog;
	const struct output *output;
	struct buffer *buffer;
};

static void append_label(const struct panel *panel, const char *label)
{
	buffer_append(panel->buffer, "  ", 2);
	style_append(panel->buffer, panel->output, STYLE_DIM, label);
	buffer_printf(panel->buffer, "%*s", (int)(LABEL_WIDTH - strlen(label)), "");
}

/* One line; none for a NULL text. Newlines at the end of a command are no news. */
static void append_line(const struct panel *panel, const char *label, const char *text)
{
	if (!text)
		return;
	size_t length = strlen(text);
	while (length > 0 && text[length - 1] == '\n')
		length--;
	append_label(panel, label);
	text_append_visible(panel->buffer, text, length);
	buffer_append_char(panel->buffer, '\n');
}

static bool has_ended(enum service_state state)
{
	return state == SERVICE_EXITED || state == SERVICE_ERRORED;
}

static void append_when(const struct exit_record *exit, struct buffer *buffer)
{
	struct exit_record end = *exit;
	end.reason[0] = '\0';
	figure_append_end(&end, buffer);
}

/* "errored (exit status 3, 2026-01-31 12:00:00)" */
static void append_state(const struct panel *panel)
{
	const struct service_status *service = panel->service;
	const struct record *record = &service->record;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	append_label(panel, "status");
	style_append(panel->buffer, panel->output, figure_state_style(service->state),
		     service_state_name(service->state));
	if (has_ended(service->state)) {
		append_when(&record->exit, &text);
		buffer_printf(panel->buffer, " (%s)", buffer_string(&text));
	} else if (service->state == SERVICE_RESTARTING) {
		figure_append_next_try(service->next_try_in_ns, &text);
		buffer_printf(panel->buffer, " (%s)", buffer_string(&text));
	} else if (service->state == SERVICE_ELSEWHERE && record->valid) {
		const char *host = record->identity.host.name;
		text_append_visible(&text, host, strlen(host));
		buffer_printf(panel->buffer, " (on record from host %s)", buffer_string(&text));
	}
	buffer_append_char(panel->buffer, '\n');
}

/* How it has ended, where the state does not say so, and why. */
static void append_last_end(const struct panel *panel)
{
	const struct exit_record *exit = &panel->service->record.exit;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	if (exit->kind == EXIT_UNKNOWN && exit->at_realtime_ns == 0)
		return;
	append_when(exit, &text);
	if (!has_ended(panel->service->state))
		append_line(panel, "last end", buffer_string(&text));
	if (exit->reason[0])
		append_line(panel, "reason", exit->reason);
}

static void append_count(const struct panel *panel, const char *label, int64_t count)
{
	append_label(panel, label);
	buffer_printf(panel->buffer, "%lld\n", (long long)count);
}

static void append_supervisor(const struct panel *panel)
{
	switch (panel->service->supervision) {
	case SUPERVISION_NONE:
		break;
	case SUPERVISION_ALIVE:
		append_count(panel, "supervisor", panel->service->supervisor_pid);
		break;
	case SUPERVISION_MISSING:
		append_line(panel, "supervisor", "missing: pmo resurrect gives it a new one");
		break;
	}
}

static void append_times(const struct panel *panel)
{
	const struct service_status *service = panel->service;
	char text[FIGURE_SIZE];
	if (service->pid > 0)
		append_count(panel, "pid", service->pid);
	append_supervisor(panel);
	if (service->uptime_ns >= 0) {
		figure_format_uptime(service->uptime_ns, text);
		append_line(panel, "uptime", text);
	}
	if (service->record.started_at_ns) {
		clock_format_local(service->record.started_at_ns, text, sizeof(text));
		append_line(panel, "started", text);
	}
	append_count(panel, "restarts", service->record.restarts);
}

static void append_gpus(const struct panel *panel)
{
	const struct service_status *service = panel->service;
	const char *label = "gpu";
	if (!service->gpu_known)
		append_line(panel, label, "?");
	for (size_t i = 0; i < service->gpu_count && service->gpu_known; i++) {
		const struct gpu_total *gpu = &service->gpus[i];
		struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
		char memory[FIGURE_SIZE];
		figure_format_memory(gpu->memory_bytes, memory);
		if (gpu->index >= 0)
			buffer_printf(&text, "%d: ", gpu->index);
		buffer_append_string(&text, gpu->memory_bytes < 0 ? "?" : memory);
		if (gpu->uuid)
			buffer_printf(&text, " (%s)", gpu->uuid);
		append_line(panel, label, buffer_string(&text));
		label = "";
	}
}

/* What has been used since the start. */
static void append_past(const struct panel *panel)
{
	const struct service_status *service = panel->service;
	char text[FIGURE_SIZE];
	if (service->memory_peak_bytes >= 0) {
		figure_format_memory(service->memory_peak_bytes, text);
		append_line(panel, "peak memory", text);
	}
	if (!isnan(service->cpu_seconds)) {
		figure_format_cpu_time(service->cpu_seconds, text);
		append_line(panel, "cpu time", text);
	}
}

static void append_figures(const struct panel *panel)
{
	const struct service_status *service = panel->service;
	char text[FIGURE_SIZE];
	if (!figure_has_processes(service))
		return;
	figure_format_cpu(service->cpu_percent, text);
	append_line(panel, "cpu", text);
	figure_format_memory(service->memory_bytes, text);
	append_line(panel, "memory", text);
	append_past(panel);
	append_count(panel, "processes", (int64_t)service->member_count);
	append_gpus(panel);
}

static void append_variables(const struct panel *panel, const struct definition *definition)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	if (!definition || definition->env_count == 0)
		return;
	for (size_t i = 0; i < definition->env_count; i++) {
		buffer_append_string(&text, i ? " " : "");
		buffer_append_string(&text, definition->env[i].name);
	}
	append_line(panel, "variables", buffer_string(&text));
}

static void append_namespace(const struct panel *panel, const struct definition *definition)
{
	if (definition && strcmp(definition->namespace_name, "default") != 0)
		append_line(panel, "namespace", definition->namespace_name);
}

static void append_logs(const struct panel *panel)
{
	const char *out = panel->service->log_out;
	const char *error = panel->service->log_error;
	append_line(panel, "logs", out);
	if (error && (!out || strcmp(out, error) != 0))
		append_line(panel, out ? "" : "logs", error);
}

static void append_notes(const struct panel *panel)
{
	if (panel->catalog->ids_valid && !panel->service->entry->configured)
		append_line(panel, "note", "not in pmo.yml any more: pmo delete removes it");
	else if (panel->service->changed)
		append_line(panel, "note", "pmo.yml has changed since the start: restart to apply");
}

void status_view_append(const struct service_status *service, const struct catalog *catalog,
			const struct output *output, struct buffer *buffer)
{
	const struct panel panel = { service, catalog, output, buffer };
	const struct definition *definition = service->entry->definition;
	struct buffer name CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&name, service->entry->name, strlen(service->entry->name));
	style_append(buffer, output, STYLE_BOLD, buffer_string(&name));
	buffer_append_char(buffer, '\n');
	append_state(&panel);
	append_last_end(&panel);
	append_times(&panel);
	append_figures(&panel);
	append_line(&panel, "command", service->command);
	append_line(&panel, "directory", service->cwd);
	append_line(&panel, "user", service->user);
	append_namespace(&panel, definition);
	append_variables(&panel, definition);
	append_logs(&panel);
	append_notes(&panel);
	if (service->members) {
		buffer_append_char(buffer, '\n');
		process_view_append(service, output, buffer);
	}
}
