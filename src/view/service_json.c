#include "view/service_json.h"

#include "base/clock.h"
#include "view/figure.h"

#include <math.h>

void service_json_count(struct json *json, const char *key, int64_t number)
{
	json_key(json, key);
	if (number < 0)
		json_null(json);
	else
		json_integer(json, number);
}

void service_json_time(struct json *json, const char *key, int64_t realtime_ns)
{
	char text[FIGURE_SIZE];
	json_key(json, key);
	if (realtime_ns == 0) {
		json_null(json);
		return;
	}
	clock_format_rfc3339(realtime_ns, text, sizeof(text));
	json_string(json, text);
}

void service_json_text(struct json *json, const char *key, const char *text)
{
	json_key(json, key);
	json_string(json, text);
}

static void append_null(struct json *json, const char *key)
{
	json_key(json, key);
	json_null(json);
}

static void append_gpus(struct json *json, const struct service_status *service)
{
	json_key(json, "gpus");
	if (service->state == SERVICE_ELSEWHERE ||
	    (!service->gpu_known && figure_has_processes(service))) {
		json_null(json);
		return;
	}
	json_begin_array(json);
	for (size_t i = 0; i < service->gpu_count; i++) {
		const struct gpu_total *gpu = &service->gpus[i];
		json_begin_object(json);
		service_json_count(json, "index", gpu->index);
		service_json_text(json, "uuid", gpu->uuid);
		service_json_count(json, "memory_bytes", gpu->memory_bytes);
		json_end_object(json);
	}
	json_end_array(json);
}

static void append_exit(struct json *json, const struct exit_record *exit)
{
	service_json_count(json, "exit_code", exit->kind == EXIT_CODE ? exit->value : -1);
	service_json_count(json, "exit_signal", exit->kind == EXIT_SIGNAL ? exit->value : -1);
	service_json_time(json, "exited_at", exit->at_realtime_ns);
	service_json_text(json, "exit_reason", exit->reason[0] ? exit->reason : NULL);
}

static void append_supervisor(struct json *json, const struct service_status *service)
{
	static const char *const names[] = {
		[SUPERVISION_NONE] = NULL,
		[SUPERVISION_ALIVE] = "alive",
		[SUPERVISION_MISSING] = "missing",
	};
	service_json_count(json, "supervisor_pid",
			   service->supervisor_pid > 0 ? service->supervisor_pid : -1);
	service_json_text(json, "supervisor", names[service->supervision]);
}

static void append_figures(struct json *json, const struct service_status *service)
{
	bool hidden = service->state == SERVICE_ELSEWHERE || service->state == SERVICE_UNKNOWN;
	double uptime = (double)service->uptime_ns / (double)NSEC_PER_SEC;
	json_key(json, "uptime_seconds");
	json_number(json, service->uptime_ns < 0 ? NAN : uptime);
	service_json_time(json, "started_at", service->record.started_at_ns);
	service_json_count(json, "restarts", service->record.restarts);
	json_key(json, "cpu_percent");
	json_number(json, service->cpu_percent);
	service_json_count(json, "memory_bytes", service->memory_bytes);
	service_json_count(json, "memory_peak_bytes", service->memory_peak_bytes);
	json_key(json, "cpu_seconds");
	json_number(json, service->cpu_seconds);
	service_json_count(json, "processes", hidden ? -1 : (int64_t)service->member_count);
}

void service_json_append(struct json *json, const struct service_status *service,
			 const struct catalog *catalog)
{
	const struct catalog_entry *entry = service->entry;
	const struct definition *definition = entry->definition;
	const struct record *record = &service->record;
	service_json_count(json, "id", catalog->ids_valid ? (int64_t)entry->id : -1);
	service_json_text(json, "name", entry->name);
	service_json_text(json, "namespace", definition ? definition->namespace_name : NULL);
	service_json_text(json, "status", service_state_name(service->state));
	append_null(json, "health");
	service_json_count(json, "pid", service->pid > 0 ? service->pid : -1);
	append_supervisor(json, service);
	append_figures(json, service);
	json_key(json, "ports");
	json_begin_array(json);
	json_end_array(json);
	append_gpus(json, service);
	service_json_text(json, "user", service->user);
	append_exit(json, &record->exit);
	service_json_time(json, "next_try_at",
			  service->next_try_in_ns >= 0 ? record->exit.next_try_ns : 0);
	json_key(json, "configured");
	if (catalog->ids_valid)
		json_boolean(json, entry->configured);
	else
		json_null(json);
	service_json_text(json, "command", service->command);
	service_json_text(json, "cwd", service->cwd);
	service_json_text(json, "log_out", service->log_out);
	service_json_text(json, "log_error", service->log_error);
	service_json_text(json, "host", record->valid ? record->identity.host.name : NULL);
}
