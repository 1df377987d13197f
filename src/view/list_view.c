#include "view/list_view.h"

#include "view/figure.h"
#include "view/service_json.h"
#include "view/table.h"
#include "view/trouble_view.h"

#include <stdio.h>

enum list_column {
	LIST_ID,
	LIST_NAME,
	LIST_PID,
	LIST_UPTIME,
	LIST_STATUS,
	LIST_RESTARTS,
	LIST_CPU,
	LIST_MEMORY,
	LIST_GPU_MEMORY,
	LIST_GPU_INDEX,
	LIST_HOST,
	LIST_USER,
	LIST_COLUMN_COUNT
};

static const struct table_column list_columns[LIST_COLUMN_COUNT] = {
	[LIST_ID] = { "id", TABLE_RIGHT, 2 },
	[LIST_NAME] = { "name", TABLE_LEFT, TABLE_KEEP },
	[LIST_PID] = { "pid", TABLE_RIGHT, 3 },
	[LIST_UPTIME] = { "uptime", TABLE_RIGHT, 5 },
	[LIST_STATUS] = { "status", TABLE_LEFT, 1 },
	[LIST_RESTARTS] = { "↺", TABLE_RIGHT, 10 },
	[LIST_CPU] = { "cpu", TABLE_RIGHT, 7 },
	[LIST_MEMORY] = { "mem", TABLE_RIGHT, 6 },
	[LIST_GPU_MEMORY] = { "gpu mem", TABLE_RIGHT, 8 },
	[LIST_GPU_INDEX] = { "gpu id", TABLE_RIGHT, 9 },
	[LIST_HOST] = { "host", TABLE_LEFT, 4 },
	[LIST_USER] = { "user", TABLE_LEFT, 11 },
};

/* What all services together say about the shape of the table and its footer. */
struct survey {
	size_t total;
	size_t running;
	size_t changed;
	size_t removed;
	bool wanted[LIST_COLUMN_COUNT];
};

static bool is_removed(const struct service_status *service, const struct catalog *catalog)
{
	return catalog->ids_valid && !service->entry->configured;
}

static void survey_part(const struct list_part *part, struct survey *survey)
{
	for (size_t i = 0; i < part->snapshot->count; i++) {
		const struct service_status *service = &part->snapshot->services[i];
		bool gpu = service->gpu_count > 0 ||
			   (!service->gpu_known && figure_has_processes(service));
		survey->total++;
		survey->running += service->state == SERVICE_RUNNING;
		survey->changed += service->changed;
		survey->removed += is_removed(service, part->catalog);
		survey->wanted[LIST_GPU_MEMORY] |= gpu;
		survey->wanted[LIST_GPU_INDEX] |= gpu;
		survey->wanted[LIST_HOST] |= service->state == SERVICE_ELSEWHERE;
	}
}

static struct survey survey_all(const struct list_part *parts, size_t count)
{
	struct survey survey = { 0 };
	for (size_t column = 0; column < LIST_COLUMN_COUNT; column++)
		survey.wanted[column] =
		    column != LIST_GPU_MEMORY && column != LIST_GPU_INDEX && column != LIST_HOST;
	for (size_t i = 0; i < count; i++)
		survey_part(&parts[i], &survey);
	return survey;
}

static void add_status(struct table *table, const struct service_status *service,
		       const struct list_part *part, const struct output *output)
{
	const char *mark = "";
	char text[FIGURE_SIZE];
	if (output->terminal)
		mark = is_removed(service, part->catalog) ? "**" : service->changed ? "*" : "";
	snprintf(text, sizeof(text), "%s%s", service_state_name(service->state), mark);
	table_add(table, figure_state_style(service->state), text);
}

static void add_number(struct table *table, int64_t number)
{
	if (number > 0)
		table_add_integer(table, STYLE_PLAIN, number);
	else
		table_add(table, STYLE_PLAIN, "-");
}

static void add_gpu_indexes(struct table *table, const struct service_status *service)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	figure_append_gpu_indexes(service, &text);
	table_add(table, STYLE_PLAIN, buffer_string(&text));
}

static void add_cell(struct table *table, enum list_column column,
		     const struct service_status *service, const struct list_part *part,
		     const struct output *output)
{
	const struct record *record = &service->record;
	char text[FIGURE_SIZE] = "-";
	switch (column) {
	case LIST_ID:
		add_number(table, part->catalog->ids_valid ? (int64_t)service->entry->id : 0);
		return;
	case LIST_NAME:
		table_add(table, STYLE_NAME, service->entry->name);
		return;
	case LIST_PID:
		add_number(table, service->pid);
		return;
	case LIST_UPTIME:
		figure_format_uptime(service->uptime_ns, text);
		break;
	case LIST_STATUS:
		add_status(table, service, part, output);
		return;
	case LIST_RESTARTS:
		table_add_integer(table, STYLE_PLAIN, record->restarts);
		return;
	case LIST_CPU:
		figure_format_cpu(service->cpu_percent, text);
		break;
	case LIST_MEMORY:
		figure_format_memory(service->memory_bytes, text);
		break;
	case LIST_GPU_MEMORY:
		figure_format_gpu_memory(service, text);
		break;
	case LIST_GPU_INDEX:
		add_gpu_indexes(table, service);
		return;
	case LIST_HOST:
		table_add(table, STYLE_PLAIN, record->valid ? record->identity.host.name : "-");
		return;
	case LIST_USER:
		table_add(table, STYLE_PLAIN, service->user ? service->user : "-");
		return;
	case LIST_COLUMN_COUNT:
		return;
	}
	table_add(table, STYLE_PLAIN, text);
}

static void append_table(const struct list_part *parts, size_t count, const struct survey *survey,
			 const struct output *output, struct buffer *buffer)
{
	struct table_column columns[LIST_COLUMN_COUNT];
	enum list_column meaning[LIST_COLUMN_COUNT];
	size_t column_count = 0;
	for (size_t column = 0; column < LIST_COLUMN_COUNT; column++) {
		if (!survey->wanted[column])
			continue;
		columns[column_count] = list_columns[column];
		if (column == LIST_RESTARTS && !output->utf8)
			columns[column_count].title = "rst";
		meaning[column_count++] = (enum list_column)column;
	}
	struct table table;
	table_init(&table, columns, column_count);
	for (size_t part = 0; part < count; part++)
		for (size_t i = 0; i < parts[part].snapshot->count; i++)
			for (size_t column = 0; column < column_count; column++)
				add_cell(&table, meaning[column],
					 &parts[part].snapshot->services[i], &parts[part], output);
	table_append(&table, output, 0, buffer);
	table_release(&table);
}

static void append_note(size_t count, const char *text, const struct output *output,
			struct buffer *buffer)
{
	if (count == 0)
		return;
	style_append(buffer, output, STYLE_DIM, text);
	buffer_append_char(buffer, '\n');
}

static void append_footer(const struct list_part *parts, size_t count, const struct survey *survey,
			  const struct output *output, struct buffer *buffer)
{
	buffer_printf(buffer, "%zu of %zu running\n", survey->running, survey->total);
	trouble_view_append(parts, count, output, buffer);
	append_note(survey->changed, "* pmo.yml has changed since the start: restart to apply",
		    output, buffer);
	append_note(survey->removed, "** not in pmo.yml any more: pmo delete removes it", output,
		    buffer);
}

void list_view_append(const struct list_part *parts, size_t count, const struct output *output,
		      struct buffer *buffer)
{
	struct survey survey = survey_all(parts, count);
	if (survey.total == 0)
		return;
	append_table(parts, count, &survey, output, buffer);
	if (output->terminal)
		append_footer(parts, count, &survey, output, buffer);
}

void list_view_append_json(const struct list_part *parts, size_t count, struct buffer *buffer)
{
	struct json json = JSON_INIT(buffer);
	json_begin_array(&json);
	for (size_t part = 0; part < count; part++) {
		for (size_t i = 0; i < parts[part].snapshot->count; i++) {
			json_begin_object(&json);
			service_json_append(&json, &parts[part].snapshot->services[i],
					    parts[part].catalog);
			json_end_object(&json);
		}
	}
	json_end_array(&json);
	json_finish(&json);
}
