#include "base/clock.h"
#include "base/units.h"
#include "view/figure.h"
#include "view/service_json.h"
#include "view/status_view.h"

static void append_identity(struct json *json, const struct record *record)
{
	const struct identity *identity = &record->identity;
	json_key(json, "identity");
	if (!record->valid) {
		json_null(json);
		return;
	}
	json_begin_object(json);
	service_json_count(json, "pid", identity->pid);
	service_json_count(json, "start_ticks", (int64_t)identity->ticks);
	service_json_text(json, "boot_id", identity->host.boot_id);
	service_json_count(json, "pid_namespace", (int64_t)identity->host.pid_namespace);
	service_json_text(json, "host", identity->host.name);
	service_json_text(json, "mark", identity->mark);
	json_end_object(json);
}

static void append_boolean(struct json *json, const char *key, bool value)
{
	json_key(json, key);
	json_boolean(json, value);
}

static void append_seconds(struct json *json, const char *key, int64_t nanoseconds)
{
	json_key(json, key);
	json_number(json, (double)nanoseconds / (double)NSEC_PER_SEC);
}

static void append_unknown_definition(struct json *json)
{
	static const char *const keys[] = {
		"autostart",           "merge_logs",  "stop_signal", "stop_timeout_seconds",
		"start_watch_seconds", "environment", "env_files"
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		service_json_text(json, keys[i], NULL);
}

static void append_definition(struct json *json, const struct definition *definition)
{
	char signal[FIGURE_SIZE];
	if (!definition) {
		append_unknown_definition(json);
		return;
	}
	append_boolean(json, "autostart", definition->autostart);
	append_boolean(json, "merge_logs", definition->merge_logs);
	units_format_signal(definition->stop_signal, signal, sizeof(signal));
	service_json_text(json, "stop_signal", signal);
	append_seconds(json, "stop_timeout_seconds", definition->stop_timeout_ns);
	append_seconds(json, "start_watch_seconds", definition->start_watch_ns);
	json_key(json, "environment");
	json_begin_array(json);
	for (size_t i = 0; i < definition->env_count; i++)
		json_string(json, definition->env[i].name);
	json_end_array(json);
	json_key(json, "env_files");
	json_begin_array(json);
	for (size_t i = 0; i < definition->env_files.count; i++)
		json_string(json, definition->env_files.items[i]);
	json_end_array(json);
}

static void append_member(struct json *json, const struct member *member)
{
	const struct process *process = member->process;
	json_begin_object(json);
	service_json_count(json, "pid", process->pid);
	service_json_count(json, "parent", process->parent);
	service_json_count(json, "depth", member->depth);
	service_json_text(json, "name", process->name);
	json_key(json, "state");
	json_string_bounded(json, &process->state, 1);
	json_key(json, "cpu_percent");
	json_number(json, member->cpu_percent);
	service_json_count(json, "memory_bytes", process->resident_bytes);
	service_json_text(json, "command", member->command);
	json_end_object(json);
}

void status_view_append_json(struct json *json, const struct service_status *service,
			     const struct catalog *catalog)
{
	json_begin_object(json);
	service_json_append(json, service, catalog);
	append_boolean(json, "wanted", service->record.intent);
	json_key(json, "definition_changed");
	if (catalog->ids_valid)
		json_boolean(json, service->changed);
	else
		json_null(json);
	append_identity(json, &service->record);
	append_definition(json, service->entry->definition);
	json_key(json, "process_tree");
	json_begin_array(json);
	for (size_t i = 0; service->members && i < service->member_count; i++)
		append_member(json, &service->members[i]);
	json_end_array(json);
	json_end_object(json);
}
