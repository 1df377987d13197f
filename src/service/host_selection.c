#include "service/host_selection.h"

#include "base/buffer.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Specs that go to one host. */
struct group {
	const char *host; /* NULL: this one */
	char **specs;
	size_t count;
};

struct resolver {
	const struct project *project;
	enum select_all all;
	struct message_list *messages;
	struct host_selections *selections;
	struct group *groups;
	size_t group_count;
};

static struct group *find_group(struct resolver *resolver, const char *host, size_t spec_limit)
{
	for (size_t i = 0; i < resolver->group_count; i++) {
		const char *known = resolver->groups[i].host;
		if (host == known || (host && known && strcmp(host, known) == 0))
			return &resolver->groups[i];
	}
	struct group *group = &resolver->groups[resolver->group_count++];
	group->host = host;
	group->specs = arena_alloc(&resolver->selections->arena, spec_limit * sizeof(char *));
	return group;
}

/* The host that SPEC names, in the arena; NULL for this one. */
static const char *spec_host(const struct resolver *resolver, const char *spec)
{
	const char *colon = strchr(spec, ':');
	if (!colon)
		return NULL;
	const char *host =
	    arena_strndup(&resolver->selections->arena, spec, (size_t)(colon - spec));
	return strcmp(host, resolver->project->host.name) == 0 ? NULL : host;
}

enum whose { OURS, OTHERS };

static void add_specs(struct resolver *resolver, char *const *specs, size_t count,
		      enum whose wanted)
{
	struct arena *arena = &resolver->selections->arena;
	for (size_t i = 0; i < count; i++) {
		const char *host = spec_host(resolver, specs[i]);
		const char *colon = strchr(specs[i], ':');
		const char *rest = colon ? colon + 1 : specs[i];
		if ((host ? OTHERS : OURS) != wanted)
			continue;
		struct group *group = find_group(resolver, host, count);
		group->specs[group->count++] = arena_strdup(arena, colon && !*rest ? "all" : rest);
	}
}

static void report_unknown_host(const struct resolver *resolver, const char *host,
				const struct state_names *hosts)
{
	struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&shown, host, strlen(host));
	const char *nearest = text_suggest(host, (const char *const *)hosts->items, hosts->count);
	if (nearest)
		message_add(resolver->messages, MESSAGE_ERROR, "no host '%s' (did you mean '%s'?)",
			    buffer_string(&shown), nearest);
	else if (hosts->count > 0 || resolver->project->config.per_host)
		message_add(resolver->messages, MESSAGE_ERROR, "no host '%s' in '%s/.pmo'",
			    buffer_string(&shown), resolver->project->directory);
	else
		message_add(resolver->messages, MESSAGE_ERROR,
			    "no host '%s': HOST:SERVICE is for projects with 'per_host'",
			    buffer_string(&shown));
}

static int check_host(const struct resolver *resolver, const char *host)
{
	struct state_names hosts;
	struct error err = ERROR_INIT;
	if (state_list_hosts(resolver->project->directory, &hosts, &err) < 0) {
		message_add(resolver->messages, MESSAGE_ERROR, "%s", err.message);
		error_clear(&err);
		return -1;
	}
	bool known = false;
	for (size_t i = 0; i < hosts.count; i++)
		known = known || strcmp(hosts.items[i], host) == 0;
	if (!known)
		report_unknown_host(resolver, host, &hosts);
	state_names_release(&hosts);
	return known ? 0 : -1;
}

/* The project as the records of another host tell it. */
static int open_other(struct resolver *resolver, const char *host, struct project *other)
{
	struct error err = ERROR_INIT;
	*other = *resolver->project;
	other->config_state = PROJECT_CONFIG_MISSING;
	other->config = (struct config){ 0 };
	other->state = (struct state)STATE_INIT;
	other->catalog = (struct catalog)CATALOG_INIT;
	if (state_open(&other->state, other->directory, host, STATE_READ, &err) == 0 &&
	    catalog_build(&other->catalog, NULL, &other->state, &err) == 0)
		return 0;
	state_close(&other->state);
	message_add(resolver->messages, MESSAGE_ERROR, "%s", err.message);
	error_clear(&err);
	return -1;
}

static int resolve_group(struct resolver *resolver, const struct group *group)
{
	struct host_selections *selections = resolver->selections;
	struct host_selection *item = &selections->items[selections->count];
	*item = (struct host_selection){ .host = group->host, .project = resolver->project };
	if (group->host) {
		if (check_host(resolver, group->host) < 0)
			return -1;
		item->other = arena_alloc(&selections->arena, sizeof(*item->other));
		item->project = item->other;
		if (open_other(resolver, group->host, item->other) < 0)
			return -1;
	}
	selections->count++;
	return catalog_select(&item->project->catalog, group->specs, group->count, resolver->all,
			      &item->selection, resolver->messages);
}

int host_selections_make(struct host_selections *selections, const struct project *project,
			 char *const *specs, size_t count, enum select_all all,
			 struct message_list *messages)
{
	static char everything[] = "all";
	char *const default_specs[] = { everything };
	*selections = (struct host_selections){ 0 };
	struct resolver resolver = { project, all, messages, selections, NULL, 0 };
	struct group *groups CLEANUP_FREE = memory_zalloc(count + 1, sizeof(*groups));
	resolver.groups = groups;
	if (count == 0)
		add_specs(&resolver, default_specs, 1, OURS);
	add_specs(&resolver, specs, count, OURS);
	add_specs(&resolver, specs, count, OTHERS);
	selections->items =
	    arena_alloc(&selections->arena, resolver.group_count * sizeof(*selections->items));
	int result = 0;
	for (size_t i = 0; i < resolver.group_count; i++)
		if (resolve_group(&resolver, &groups[i]) < 0)
			result = -1;
	return result;
}

void host_selections_release(struct host_selections *selections)
{
	for (size_t i = 0; i < selections->count; i++) {
		struct host_selection *item = &selections->items[i];
		selection_release(&item->selection);
		if (item->other) {
			catalog_release(&item->other->catalog);
			state_close(&item->other->state);
		}
	}
	arena_release(&selections->arena);
	*selections = (struct host_selections){ 0 };
}
