#include "service/hook_source.h"

#include "service/account.h"
#include "service/run_environment.h"

#include <unistd.h>

static void take_settings(struct hook_source *source, const struct definition *definition)
{
	source->service = definition->name;
	source->hooks = &definition->hooks;
	source->has_nice = definition->has_nice;
	source->nice = definition->nice;
	source->limits = definition->limits;
	source->limit_count = definition->limit_count;
}

void hook_source_from_launch(struct hook_source *source, const struct launch *launch, int umask,
			     const struct rlimit *file_limit)
{
	*source = (struct hook_source){
		.environment = &launch->environment,
		.directory = launch->directory,
		.log_out = launch->log_out,
		.log_error = launch->log_error,
		.credentials = launch->credentials,
		.umask = launch->definition->umask >= 0 ? launch->definition->umask : umask,
		.file_limit = file_limit,
	};
	take_settings(source, launch->definition);
}

/* What is being read of one service. */
struct reading {
	struct hook_source *source;
	const struct project *project;
	const struct identity *leader; /* NULL: none */
	struct account account;
};

static void make_environment(const struct reading *reading, struct environment *environment)
{
	const struct hook_source *source = reading->source;
	const struct account *account = &reading->account;
	environment_import(environment, environ);
	if (account->name) {
		environment_set(environment, "HOME", account->home);
		environment_set(environment, "USER", account->name);
		environment_set(environment, "LOGNAME", account->name);
		environment_set(environment, "SHELL", account->shell);
	}
	environment_set(environment, "PWD", source->directory);
	environment_set(environment, "PMO_SERVICE", source->service);
	environment_set(environment, "PMO_DIR", reading->project->directory);
	if (reading->leader && *reading->leader->mark)
		environment_set(environment, "PMO_RUN", reading->leader->mark);
}

static void find_environment(const struct reading *reading)
{
	struct hook_source *source = reading->source;
	source->owned = arena_alloc(&source->arena, sizeof(*source->owned));
	source->environment = source->owned;
	if (!reading->leader ||
	    !run_environment_read(source->owned, reading->leader, source->credentials.user))
		make_environment(reading, source->owned);
}

static int read_definition(struct reading *reading, const struct catalog_entry *entry,
			   struct error *err)
{
	struct hook_source *source = reading->source;
	const struct state *state = &reading->project->state;
	struct arena *arena = &source->arena;
	struct definition *definition = arena_alloc(arena, sizeof(*definition));
	struct log_paths logs;
	if (state_read_spec(state, entry->name, arena, definition, err) < 0 ||
	    service_log_paths(reading->project, state, entry, arena, &logs, err) < 0 ||
	    account_resolve(definition->user, definition->group, arena, &reading->account,
			    &source->credentials, err) < 0)
		return -1;
	take_settings(source, definition);
	source->umask = definition->umask;
	source->log_out = logs.out;
	source->log_error = logs.error;
	source->directory = definition->cwd ? definition->cwd : reading->project->directory;
	return 0;
}

int hook_source_read(struct hook_source *source, const struct project *project,
		     const struct catalog_entry *entry, const struct identity *leader,
		     const struct rlimit *file_limit, struct error *err)
{
	struct reading reading = { .source = source, .project = project, .leader = leader };
	*source = (struct hook_source){ .umask = -1, .file_limit = file_limit };
	if (read_definition(&reading, entry, err) < 0)
		return -1;
	find_environment(&reading);
	return 0;
}

void hook_source_release(struct hook_source *source)
{
	if (source->owned)
		environment_release(source->owned);
	arena_release(&source->arena);
	*source = (struct hook_source){ 0 };
}
