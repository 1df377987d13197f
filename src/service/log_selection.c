#include "service/log_selection.h"

#include "model/name.h"
#include "os/logfile.h"

#include <string.h>

/* Room for COUNT more. Freed with the arena. */
static void reserve(struct log_selection *selection, size_t count)
{
	size_t total = selection->count + count;
	struct service_log *items = arena_alloc(&selection->arena, total * sizeof(*items));
	if (selection->count > 0)
		memcpy(items, selection->items, selection->count * sizeof(*items));
	selection->items = items;
}

static int add_entry(struct log_selection *selection, const struct host_selection *host,
		     const struct catalog_entry *entry, struct message_list *messages)
{
	struct service_log log = { .name = entry->name, .label = entry->name };
	struct error err = ERROR_INIT;
	if (host->host) {
		log.owner = LOG_OWNER_OTHER_HOST;
		log.label = arena_printf(&selection->arena, "%s:%s", host->host, entry->name);
	}
	if (service_log_paths(host->project, &host->project->state, entry, &selection->arena,
			      &log.paths, &err) < 0) {
		message_add(messages, MESSAGE_ERROR, "%s", err.message);
		error_clear(&err);
		return -1;
	}
	selection->items[selection->count++] = log;
	return 0;
}

static int add_entries(struct log_selection *selection, struct message_list *messages)
{
	int result = 0;
	for (size_t i = 0; i < selection->hosts.count; i++) {
		const struct host_selection *host = &selection->hosts.items[i];
		reserve(selection, host->selection.count);
		for (size_t j = 0; j < host->selection.count; j++)
			if (add_entry(selection, host, host->selection.entries[j], messages) < 0)
				result = -1;
	}
	return result;
}

/* A spec taken apart. */
struct target {
	const char *host; /* NULL: this one */
	const char *rest;
};

static struct target take_apart(struct log_selection *selection, const struct project *project,
				const char *spec)
{
	const char *colon = strchr(spec, ':');
	struct target target = { NULL, spec };
	if (!colon)
		return target;
	target.rest = colon + 1;
	const char *host = arena_strndup(&selection->arena, spec, (size_t)(colon - spec));
	if (strcmp(host, project->host.name) != 0)
		target.host = host;
	return target;
}

/* The logs that lie there under NAME. False if there are none. */
static bool find_left_paths(const struct state *state, const char *name, struct arena *arena,
			    struct log_paths *paths)
{
	char *out CLEANUP_FREE = state_log_path(state, name, STATE_LOG_OUT);
	char *error CLEANUP_FREE = state_log_path(state, name, STATE_LOG_ERROR);
	char *merged CLEANUP_FREE = state_log_path(state, name, STATE_LOG_MERGED);
	if (logfile_exists(out) || logfile_exists(error)) {
		paths->out = arena_strdup(arena, out);
		paths->error = arena_strdup(arena, error);
		return true;
	}
	if (!logfile_exists(merged))
		return false;
	paths->out = arena_strdup(arena, merged);
	paths->error = paths->out;
	return true;
}

/* The same on another host, unless it has a record of NAME. */
static bool find_left_elsewhere(const struct project *project, const struct target *target,
				struct arena *arena, struct log_paths *paths)
{
	struct state state;
	struct record record;
	if (name_problem(target->host, strlen(target->host)) ||
	    state_open(&state, project->directory, target->host, STATE_READ, NULL) < 0)
		return false;
	state_read(&state, target->rest, &record);
	bool recorded =
	    record.intent || record.exit.kind != EXIT_UNKNOWN || record.exit.at_realtime_ns != 0;
	bool found = !recorded && find_left_paths(&state, target->rest, arena, paths);
	state_close(&state);
	return found;
}

/* The logs of a service that is neither configured nor on record. False if SPEC names no such
 * thing: then it is what the catalog says it is. */
static bool find_left_over(struct log_selection *selection, const struct project *project,
			   const char *spec, struct service_log *log)
{
	struct target target = take_apart(selection, project, spec);
	struct arena *arena = &selection->arena;
	if (name_problem(target.rest, strlen(target.rest)))
		return false;
	*log = (struct service_log){ .name = target.rest, .label = target.rest };
	if (!target.host)
		return !catalog_find(&project->catalog, target.rest) &&
		       find_left_paths(&project->state, target.rest, arena, &log->paths);
	log->label = spec;
	log->owner = LOG_OWNER_OTHER_HOST;
	return find_left_elsewhere(project, &target, arena, &log->paths);
}

static void add_left_over(struct log_selection *selection, const struct service_log *log)
{
	for (size_t i = 0; i < selection->count; i++)
		if (strcmp(selection->items[i].paths.out, log->paths.out) == 0)
			return;
	selection->items[selection->count++] = *log;
}

static bool names_all_here(struct log_selection *selection, const struct project *project,
			   const char *spec)
{
	struct target target = take_apart(selection, project, spec);
	bool other_host = target.host != NULL;
	bool with_host = target.rest != spec;
	return !other_host && (strcmp(target.rest, "all") == 0 || (with_host && !*target.rest));
}

enum error_kind log_selection_make(struct log_selection *selection, const struct project *project,
				   char *const *specs, size_t count, struct message_list *messages)
{
	*selection = (struct log_selection){ .all_here = count == 0 };
	char **others CLEANUP_FREE = memory_zalloc(count + 1, sizeof(*others));
	struct service_log *left CLEANUP_FREE = memory_zalloc(count + 1, sizeof(*left));
	size_t other_count = 0;
	size_t left_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (names_all_here(selection, project, specs[i]))
			selection->all_here = true;
		if (find_left_over(selection, project, specs[i], &left[left_count]))
			left_count++;
		else
			others[other_count++] = specs[i];
	}
	enum error_kind result = ERROR_NONE;
	if ((other_count > 0 || count == 0) &&
	    host_selections_make(&selection->hosts, project, others, other_count, SELECT_ALL_KNOWN,
				 messages) < 0)
		result = ERROR_NO_SERVICE;
	if (add_entries(selection, messages) < 0 && result == ERROR_NONE)
		result = ERROR_FAILED;
	reserve(selection, left_count);
	for (size_t i = 0; i < left_count; i++)
		add_left_over(selection, &left[i]);
	return result;
}

void log_selection_release(struct log_selection *selection)
{
	host_selections_release(&selection->hosts);
	arena_release(&selection->arena);
	*selection = (struct log_selection){ 0 };
}
