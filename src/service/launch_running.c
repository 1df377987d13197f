/* A launch for a service that runs already: what its next run would be. */
#include "service/launch.h"

#include "service/account.h"
#include "service/run_environment.h"

#include <unistd.h>

/* The definition it was started with. One whose .spec is lost is taken from pmo.yml. */
static struct definition *find_definition(const struct launcher *launcher,
					  const struct catalog_entry *entry, struct arena *arena,
					  struct error *err)
{
	struct definition *definition = arena_alloc(arena, sizeof(*definition));
	const struct state *state = &launcher->project->state;
	if (state_read_spec(state, entry->name, arena, definition, NULL) == 0)
		return definition;
	if (!entry->configured) {
		error_set(err, ERROR_FAILED, "'%s' has no record of its definition", entry->name);
		return NULL;
	}
	*definition = *entry->definition;
	return definition;
}

/* The environment that it runs with is out of reach: what pmo.yml and .env say now is the best
 * there is. The record has no values, and empty ones would be worse than none. */
static void take_environment(struct definition *definition, const struct catalog_entry *entry)
{
	const struct definition *now = entry->configured ? entry->definition : NULL;
	definition->env = now ? now->env : NULL;
	definition->env_count = now ? now->env_count : 0;
	if (now)
		definition->env_files = now->env_files;
}

static int prepare(struct launch *launch, const struct launcher *launcher,
		   const struct catalog_entry *entry, struct definition *definition,
		   const struct identity *run, struct error *err)
{
	struct launcher own = *launcher;
	struct environment environment = ENVIRONMENT_INIT;
	struct arena arena = ARENA_INIT;
	struct account account;
	struct credentials credentials;
	int result = account_resolve(definition->user, definition->group, &arena, &account,
				     &credentials, err);
	uid_t user = result == 0 && credentials.set ? credentials.user : geteuid();
	if (result == 0 && run_environment_read(&environment, run, user))
		own.running = &environment;
	else
		take_environment(definition, entry);
	if (result == 0)
		result = launch_prepare(launch, &own, definition, err);
	environment_release(&environment);
	arena_release(&arena);
	return result;
}

int launch_prepare_running(struct launch *launch, const struct launcher *launcher,
			   const struct catalog_entry *entry, const struct identity *run,
			   struct error *err)
{
	struct arena arena = ARENA_INIT;
	struct definition *definition = find_definition(launcher, entry, &arena, err);
	if (definition && prepare(launch, launcher, entry, definition, run, err) == 0) {
		launch->definition_arena = arena;
		return 0;
	}
	arena_release(&arena);
	return -1;
}
