#include "os/gpu.h"

#include "base/units.h"

#include <stdlib.h>
#include <string.h>

static const int64_t BYTES_PER_MIB = INT64_C(1048576);
static const int64_t MIB_MAXIMUM = INT64_C(1) << 40;

enum { INDEX_MAXIMUM = 65535, FIELD_SIZE = 128 };

/* What stands for an empty list. */
static const char *const empty_answers[] = {
	"No running processes found",
	"No running compute processes found",
	"No devices were found",
};

struct device {
	int index;
	const char *uuid;
};

struct device_list {
	struct device *items;
	size_t count;
};

enum row { ROW_USE, ROW_SKIPPED, ROW_FOREIGN };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line without blanks around it; false at the end. */
static bool take_line(const char **cursor, const char **line, size_t *length)
{
	if (**cursor == '\0')
		return false;
	*line = *cursor;
	*length = strcspn(*cursor, "\n");
	*cursor += *length;
	if (**cursor == '\n')
		(*cursor)++;
	while (*length > 0 && is_blank(**line)) {
		(*line)++;
		(*length)--;
	}
	while (*length > 0 && is_blank((*line)[*length - 1]))
		(*length)--;
	return true;
}

/* The next field of a line, up to a comma, without blanks around it. False when there is none, or
 * when it is longer than any that means something. */
static bool take_field(const char **line, size_t *length, char field[FIELD_SIZE])
{
	const char *start = *line;
	const char *comma = memchr(start, ',', *length);
	size_t size = comma ? (size_t)(comma - start) : *length;
	*line += comma ? size + 1 : size;
	*length -= comma ? size + 1 : size;
	while (size > 0 && is_blank(*start)) {
		start++;
		size--;
	}
	while (size > 0 && is_blank(start[size - 1]))
		size--;
	if (size == 0 || size >= FIELD_SIZE)
		return false;
	memcpy(field, start, size);
	field[size] = '\0';
	return true;
}

static size_t count_lines(const char *text)
{
	size_t count = 1;
	while ((text = strchr(text, '\n'))) {
		count++;
		text++;
	}
	return count;
}

/* "[N/A]", "[Not Found]", "[Not Supported]", "[Insufficient Permissions]", "[Unknown Error]" ... */
static bool is_unknown(const char *field)
{
	size_t length = strlen(field);
	return (field[0] == '[' && field[length - 1] == ']') || strcmp(field, "N/A") == 0;
}

/* The slashes are of "MIG-GPU-.../7/0", as drivers before 470 wrote it. */
static bool is_uuid(const char *field)
{
	if (strncmp(field, "GPU-", 4) != 0 && strncmp(field, "MIG-", 4) != 0)
		return false;
	return field[strspn(field, "0123456789abcdefABCDEFGIMPU-/")] == '\0';
}

static struct device_list parse_devices(struct arena *arena, const char *text)
{
	struct device_list devices = { .count = 0 };
	const char *line;
	size_t length;
	devices.items = arena_alloc(arena, count_lines(text) * sizeof(*devices.items));
	while (take_line(&text, &line, &length)) {
		char index[FIELD_SIZE];
		char uuid[FIELD_SIZE];
		int64_t number;
		if (!take_field(&line, &length, index) || !take_field(&line, &length, uuid) ||
		    !units_parse_integer(index, 0, INDEX_MAXIMUM, &number) || !is_uuid(uuid))
			continue;
		devices.items[devices.count++] = (struct device){
			.index = (int)number,
			.uuid = arena_strdup(arena, uuid),
		};
	}
	return devices;
}

/* The index of the device that UUID is or is a part of, -1 where that is not to be known. */
static int find_index(const struct device_list *devices, const char *uuid)
{
	bool is_part = strncmp(uuid, "MIG-", 4) == 0;
	size_t length = strlen(uuid);
	if (strncmp(uuid, "MIG-GPU-", 8) == 0) {
		uuid += 4;
		length = strcspn(uuid, "/");
	}
	for (size_t i = 0; i < devices->count; i++) {
		const char *candidate = devices->items[i].uuid;
		if (strncmp(candidate, uuid, length) == 0 && candidate[length] == '\0')
			return devices->items[i].index;
	}
	return is_part && devices->count == 1 ? devices->items[0].index : -1;
}

static bool is_remark(const char *line, size_t length)
{
	static const char warning[] = "WARNING:";
	if (length == 0)
		return true;
	/* "WARNING: infoROM is corrupted at gpu 0000:00:1E.0" stands among good rows */
	if (length >= sizeof(warning) - 1 && memcmp(line, warning, sizeof(warning) - 1) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LENGTH(empty_answers); i++) {
		if (length >= strlen(empty_answers[i]) &&
		    memcmp(line, empty_answers[i], strlen(empty_answers[i])) == 0)
			return true;
	}
	return line[0] == '[' && line[length - 1] == ']' && !memchr(line, ',', length);
}

static bool parse_memory(const char *field, int64_t *bytes)
{
	int64_t mebibytes;
	*bytes = -1;
	if (is_unknown(field))
		return true;
	if (!units_parse_integer(field, 0, MIB_MAXIMUM, &mebibytes))
		return false;
	*bytes = mebibytes * BYTES_PER_MIB;
	return true;
}

static enum row parse_row(struct gpu_report *report, const struct device_list *devices,
			  const char *line, size_t length)
{
	char pid[FIELD_SIZE];
	char uuid[FIELD_SIZE];
	char memory[FIELD_SIZE];
	int64_t number;
	struct gpu_use use = { .index = -1, .uuid = "" };
	if (is_remark(line, length))
		return ROW_SKIPPED;
	if (!take_field(&line, &length, pid) || !take_field(&line, &length, uuid) ||
	    !take_field(&line, &length, memory) || length > 0 ||
	    !parse_memory(memory, &use.memory_bytes) || (!is_uuid(uuid) && !is_unknown(uuid)))
		return ROW_FOREIGN;
	if (is_unknown(pid))
		return ROW_SKIPPED;
	if (!units_parse_integer(pid, 1, INT32_MAX, &number))
		return ROW_FOREIGN;
	use.pid = (pid_t)number;
	if (!is_unknown(uuid)) {
		use.uuid = arena_strdup(&report->arena, uuid);
		use.index = find_index(devices, uuid);
	}
	report->uses[report->count++] = use;
	return ROW_USE;
}

static int compare_uses(const void *left, const void *right)
{
	const struct gpu_use *a = left;
	const struct gpu_use *b = right;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	return strcmp(a->uuid, b->uuid);
}

/* Several contexts of one process on one device become one; an unknown part makes the sum unknown.
 */
static void sum_contexts(struct gpu_report *report)
{
	size_t kept = 0;
	for (size_t i = 0; i < report->count; i++) {
		const struct gpu_use *use = &report->uses[i];
		struct gpu_use *last = kept > 0 ? &report->uses[kept - 1] : NULL;
		if (!last || compare_uses(last, use) != 0)
			report->uses[kept++] = *use;
		else if (last->memory_bytes < 0 || use->memory_bytes < 0)
			last->memory_bytes = -1;
		else
			last->memory_bytes += use->memory_bytes;
	}
	report->count = kept;
}

bool gpu_report_parse(struct gpu_report *report, const char *devices, const char *apps)
{
	const char *line;
	size_t length;
	*report = (struct gpu_report){ .known = false };
	struct device_list list = parse_devices(&report->arena, devices);
	report->uses = arena_alloc(&report->arena, count_lines(apps) * sizeof(*report->uses));
	while (take_line(&apps, &line, &length)) {
		if (parse_row(report, &list, line, length) == ROW_FOREIGN) {
			gpu_report_release(report);
			return false;
		}
	}
	qsort(report->uses, report->count, sizeof(*report->uses), compare_uses);
	sum_contexts(report);
	report->known = true;
	return true;
}

void gpu_report_release(struct gpu_report *report)
{
	arena_release(&report->arena);
	free(report->problem);
	*report = (struct gpu_report){ .known = false };
}
