#include "service/paths.h"

#include "service/launch.h"

#include <string.h>

static const char *command_text(const struct definition *definition, struct arena *arena)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	definition_append_command(definition, &text);
	return arena_strdup(arena, buffer_string(&text));
}

static void default_logs(const struct state *state, const char *name, bool merged,
			 struct arena *arena, struct service_paths *paths)
{
	char *out CLEANUP_FREE =
	    state_log_path(state, name, merged ? STATE_LOG_MERGED : STATE_LOG_OUT);
	char *error CLEANUP_FREE = state_log_path(state, name, STATE_LOG_ERROR);
	paths->log_out = arena_strdup(arena, out);
	paths->log_error = merged ? paths->log_out : arena_strdup(arena, error);
}

/* From a definition whose paths are absolute, or that has none. */
static void plain_paths(const struct state *state, const struct definition *definition,
			const char *directory, struct arena *arena, struct service_paths *paths)
{
	paths->command = command_text(definition, arena);
	paths->directory = arena_strdup(arena, definition->cwd ? definition->cwd : directory);
	default_logs(state, definition->name, definition->merge_logs, arena, paths);
	if (definition->out_file)
		paths->log_out = arena_strdup(arena, definition->out_file);
	if (definition->error_file)
		paths->log_error = arena_strdup(arena, definition->error_file);
	else if (definition->merge_logs)
		paths->log_error = paths->log_out;
	if (strcmp(paths->log_out, paths->log_error) == 0)
		paths->log_error = paths->log_out;
}

/* Relative paths and variables want the service's whole environment. */
static int resolved_paths(const struct project *project, const struct definition *definition,
			  struct arena *arena, struct service_paths *paths, struct error *err)
{
	struct launcher launcher;
	struct launch launch;
	if (launcher_open(&launcher, project, NULL, err) < 0)
		return -1;
	int result = launch_prepare(&launch, &launcher, definition, err);
	if (result == 0) {
		paths->command = command_text(definition, arena);
		paths->directory = arena_strdup(arena, launch.directory);
		paths->log_out = arena_strdup(arena, launch.log_out);
		paths->log_error = launch.log_error == launch.log_out
				       ? paths->log_out
				       : arena_strdup(arena, launch.log_error);
		launch_release(&launch);
	}
	launcher_close(&launcher);
	return result;
}

int service_paths_find(const struct project *project, const struct state *state,
		       const struct catalog_entry *entry, struct arena *arena,
		       struct service_paths *paths, struct error *err)
{
	struct definition recorded;
	const struct definition *definition = entry->definition;
	*paths = (struct service_paths){ 0 };
	if (entry->recorded && state_read_spec(state, entry->name, arena, &recorded, NULL) == 0)
		plain_paths(state, &recorded, project->directory, arena, paths);
	else if (!definition)
		default_logs(state, entry->name, false, arena, paths);
	else if (!entry->configured ||
		 (!definition->cwd && !definition->out_file && !definition->error_file))
		plain_paths(state, definition, project->directory, arena, paths);
	else
		return resolved_paths(project, definition, arena, paths, err);
	return 0;
}

int service_log_paths(const struct project *project, const struct state *state,
		      const struct catalog_entry *entry, struct arena *arena,
		      struct log_paths *paths, struct error *err)
{
	struct service_paths all;
	if (service_paths_find(project, state, entry, arena, &all, err) < 0)
		return -1;
	*paths = (struct log_paths){ .out = all.log_out, .error = all.log_error };
	return 0;
}
