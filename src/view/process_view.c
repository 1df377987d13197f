#include "view/process_view.h"

#include "base/memory.h"
#include "view/figure.h"
#include "view/table.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST_DRAWN = 32 };

enum branch { BRANCH_FORK, BRANCH_LAST, BRANCH_PASSING, BRANCH_EMPTY };

static const char *const branches[2][4] = {
	{ "|- ", "`- ", "|  ", "   " },
	{ "├─ ", "└─ ", "│  ", "   " },
};

static int drawn_depth(const struct member *member)
{
	return member->depth < DEEPEST_DRAWN ? member->depth : DEEPEST_DRAWN;
}

/* For every member, whether no later one hangs on the same parent: seen from the end, it is the
 * first at its depth since something less deep. */
static bool *find_last_siblings(const struct service_status *service)
{
	bool *last = memory_zalloc(service->member_count, sizeof(*last));
	bool later[DEEPEST_DRAWN + 1] = { false };
	for (size_t i = service->member_count; i-- > 0;) {
		int depth = drawn_depth(&service->members[i]);
		last[i] = !later[depth];
		later[depth] = true;
		for (int deeper = depth + 1; deeper <= DEEPEST_DRAWN; deeper++)
			later[deeper] = false;
	}
	return last;
}

static void append_branches(struct buffer *text, const char *const *drawing, int depth,
			    const bool *ended)
{
	for (int level = 1; level < depth; level++)
		buffer_append_string(text, drawing[ended[level] ? BRANCH_EMPTY : BRANCH_PASSING]);
	if (depth > 0)
		buffer_append_string(text, drawing[ended[depth] ? BRANCH_LAST : BRANCH_FORK]);
}

static void add_figures(struct table *table, const struct member *member)
{
	char text[FIGURE_SIZE];
	table_add_integer(table, STYLE_PLAIN, member->process->pid);
	figure_format_cpu(member->cpu_percent, text);
	table_add(table, STYLE_PLAIN, text);
	figure_format_memory(member->process->resident_bytes, text);
	table_add(table, STYLE_PLAIN, text);
}

void process_view_append(const struct service_status *service, const struct output *output,
			 struct buffer *buffer)
{
	static const struct table_column columns[] = {
		{ "pid", TABLE_RIGHT, 1 },
		{ "cpu", TABLE_RIGHT, 3 },
		{ "mem", TABLE_RIGHT, 2 },
		{ "command", TABLE_LEFT, TABLE_KEEP },
	};
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	bool *last CLEANUP_FREE = find_last_siblings(service);
	bool ended[DEEPEST_DRAWN + 1] = { false };
	struct table table;
	table_init(&table, columns, ARRAY_LENGTH(columns));
	for (size_t i = 0; i < service->member_count; i++) {
		const struct member *member = &service->members[i];
		int depth = drawn_depth(member);
		ended[depth] = last[i];
		add_figures(&table, member);
		buffer_clear(&text);
		append_branches(&text, branches[output->utf8], depth, ended);
		buffer_append_string(&text,
				     member->command ? member->command : member->process->name);
		table_add(&table, STYLE_PLAIN, buffer_string(&text));
	}
	table_append(&table, output, 2, buffer);
	table_release(&table);
}
