#include "service/log_owners.h"

#include "model/log_name.h"
#include "model/lookup.h"
#include "service/launch.h"
#include "service/liveness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A service that names a log, in a list of all that name the same. */
struct owner {
	const struct catalog_entry *entry;
	struct owner *next;
};

struct log_owners {
	enum log_owners_scope scope;
	bool built;
	bool incomplete; /* the logs of some service could not be found out */
	const struct project *project;
	struct arena arena;
	struct lookup directories; /* as written, to what log_name_directory makes of them */
	struct lookup names;       /* to catalog entries */
	struct lookup given;       /* logs that are not at their default place, to owners */
	struct lookup rotations;   /* those of them that end in .N, without that, to owners */
};

struct log_owners *log_owners_create(enum log_owners_scope scope)
{
	struct log_owners *owners = memory_zalloc(1, sizeof(*owners));
	owners->scope = scope;
	lookup_init(&owners->directories, &owners->arena, 0);
	lookup_init(&owners->names, &owners->arena, 0);
	lookup_init(&owners->given, &owners->arena, 0);
	lookup_init(&owners->rotations, &owners->arena, 0);
	return owners;
}

void log_owners_free(struct log_owners *owners)
{
	if (owners)
		arena_release(&owners->arena);
	free(owners);
}

/* PATH in the one form that all its spellings share. */
static const char *canonical(struct log_owners *owners, const char *path)
{
	size_t length = (size_t)(log_name_base(path) - path);
	const char *directory = lookup_find(&owners->directories, path, length);
	if (!directory) {
		const char *key = arena_strndup(&owners->arena, path, length);
		directory = log_name_directory(&owners->arena, path);
		*lookup_slot(&owners->directories, key, length) = (void *)directory;
	}
	return arena_printf(&owners->arena, "%s/%s", directory, path + length);
}

static void add_owner(struct log_owners *owners, struct lookup *lookup, const char *key,
		      size_t length, const struct catalog_entry *entry)
{
	struct owner **slot = (struct owner **)lookup_slot(lookup, key, length);
	struct owner *owner = arena_alloc(&owners->arena, sizeof(*owner));
	*owner = (struct owner){ .entry = entry, .next = *slot };
	*slot = owner;
}

static void add_path(struct log_owners *owners, const struct catalog_entry *entry, const char *path)
{
	const char *key = canonical(owners, path);
	size_t base = log_name_unrotated(key);
	add_owner(owners, &owners->given, key, strlen(key), entry);
	if (base > 0)
		add_owner(owners, &owners->rotations, key, base, entry);
}

static bool names_logs(const struct definition *definition)
{
	return definition && (definition->out_file || definition->error_file);
}

/* Its own start says why where the paths cannot be known. */
static void add_configured(struct log_owners *owners, const struct launcher *launcher,
			   const struct catalog_entry *entry)
{
	struct arena arena = ARENA_INIT;
	struct log_paths paths;
	if (launch_find_logs(launcher, entry->definition, &arena, &paths, NULL) == 0) {
		if (entry->definition->out_file)
			add_path(owners, entry, paths.out);
		if (entry->definition->error_file && paths.error != paths.out)
			add_path(owners, entry, paths.error);
	} else {
		owners->incomplete = true;
	}
	arena_release(&arena);
}

/* Parsed only where it names logs. */
static void add_recorded(struct log_owners *owners, const struct catalog_entry *entry)
{
	struct arena arena = ARENA_INIT;
	struct definition definition;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	const struct state *state = &owners->project->state;
	if (state_read_spec_text(state, entry->name, &text) == 0 &&
	    strstr(buffer_string(&text), "_file") &&
	    state_read_spec(state, entry->name, &arena, &definition, NULL) == 0) {
		if (definition.out_file)
			add_path(owners, entry, definition.out_file);
		if (definition.error_file)
			add_path(owners, entry, definition.error_file);
	}
	arena_release(&arena);
}

/* LAUNCHER is NULL if .env cannot be read. */
static void build(struct log_owners *owners, const struct launcher *launcher)
{
	const struct catalog *catalog = &owners->project->catalog;
	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->entries[i];
		if (owners->scope == LOG_OWNERS_KNOWN && entry->recorded)
			add_recorded(owners, entry);
		if (!entry->configured || !names_logs(entry->definition))
			continue;
		if (launcher)
			add_configured(owners, launcher, entry);
		else
			owners->incomplete = true;
	}
	if (owners->scope == LOG_OWNERS_CONFIGURED && owners->given.count == 0)
		return;
	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->entries[i];
		*lookup_slot(&owners->names, entry->name, strlen(entry->name)) = (void *)entry;
	}
}

static void build_once(struct log_owners *owners, const struct project *project,
		       const struct launcher *launcher)
{
	struct launcher own;
	if (owners->built)
		return;
	owners->built = true;
	owners->project = project;
	bool opened = !launcher && launcher_open(&own, project, NULL, NULL) == 0;
	build(owners, opened ? &own : launcher);
	if (opened)
		launcher_close(&own);
}

/* Whether a service writes its log of this form at the default place. */
static bool writes_default(const struct definition *definition, enum state_log form)
{
	switch (form) {
	case STATE_LOG_OUT:
		return !definition->merge_logs && !definition->out_file;
	case STATE_LOG_ERROR:
		return !definition->merge_logs && !definition->error_file;
	case STATE_LOG_MERGED:
		break;
	}
	return definition->merge_logs && !definition->out_file;
}

/* The service whose log of FORM the canonical KEY (LENGTH bytes) would be by its name, or NULL. */
static const struct catalog_entry *default_owner(struct log_owners *owners, const char *key,
						 size_t length, enum state_log form)
{
	static const char *const endings[] = { [STATE_LOG_OUT] = "-out.log",
					       [STATE_LOG_ERROR] = "-error.log",
					       [STATE_LOG_MERGED] = ".log" };
	char *text CLEANUP_FREE = memory_strndup(key, length);
	char *place CLEANUP_FREE = memory_printf("%s/x", owners->project->state.logs_directory);
	const char *base = log_name_base(text);
	size_t base_length = strlen(base);
	size_t ending = strlen(endings[form]);
	const char *logs = canonical(owners, place);
	size_t directory = (size_t)(base - text);
	if (base_length <= ending || strcmp(base + base_length - ending, endings[form]) != 0 ||
	    strlen(logs) != directory + 1 || strncmp(logs, text, directory) != 0)
		return NULL;
	return lookup_find(&owners->names, base, base_length - ending);
}

/* An owner other than NAME in a list, of those that pmo.yml has. */
static const struct catalog_entry *other_owner(const struct owner *owner, const char *name)
{
	while (owner && strcmp(owner->entry->name, name) == 0)
		owner = owner->next;
	return owner ? owner->entry : NULL;
}

/* A service other than NAME that writes the canonical KEY. */
static const struct catalog_entry *other_writer(struct log_owners *owners, const char *key,
						size_t length, const char *name)
{
	const struct catalog_entry *other =
	    other_owner(lookup_find(&owners->given, key, length), name);
	for (enum state_log form = STATE_LOG_OUT; !other && form <= STATE_LOG_MERGED; form++) {
		const struct catalog_entry *entry = default_owner(owners, key, length, form);
		if (entry && strcmp(entry->name, name) != 0 && entry->configured &&
		    writes_default(entry->definition, form))
			other = entry;
	}
	return other;
}

static bool may_be_shared(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static int check_path(struct log_owners *owners, const char *name, const char *path,
		      struct error *err)
{
	const char *key = canonical(owners, path);
	size_t length = strlen(key);
	size_t base = log_name_unrotated(key);
	const struct catalog_entry *other = other_writer(owners, key, length, name);
	if (other && !may_be_shared(path))
		return error_set(err, ERROR_FAILED,
				 "'%s' and '%s' would both write the log file '%s'", name,
				 other->name, path);
	other = base ? other_writer(owners, key, base, name) : NULL;
	if (other && !may_be_shared(path))
		return error_set(err, ERROR_FAILED,
				 "its log file '%s' has the name of a rotated log of '%s'", path,
				 other->name);
	other = other_owner(lookup_find(&owners->rotations, key, length), name);
	if (other && !may_be_shared(path))
		return error_set(err, ERROR_FAILED,
				 "a log file of '%s' has the name of a rotated log of its own, "
				 "'%s'",
				 other->name, path);
	return 0;
}

int log_owners_check(struct log_owners *owners, const struct launcher *launcher,
		     const struct launch *launch, struct error *err)
{
	const char *name = launch->definition->name;
	build_once(owners, launcher->project, launcher);
	if (owners->given.count == 0)
		return 0;
	if (check_path(owners, name, launch->log_out, err) < 0)
		return -1;
	return launch->log_error == launch->log_out
		   ? 0
		   : check_path(owners, name, launch->log_error, err);
}

static bool list_has(const struct project *project, const struct owner *owner, const char *name,
		     enum log_writer kind)
{
	for (; owner; owner = owner->next)
		if (strcmp(owner->entry->name, name) != 0 &&
		    (kind == LOG_WRITER_POSSIBLE || service_may_write(project, owner->entry->name)))
			return true;
	return false;
}

/* Whether what runs writes its log of this form at the default place; true where nobody knows. */
static bool running_writes_default(const struct project *project, const struct catalog_entry *entry,
				   enum state_log form)
{
	struct arena arena = ARENA_INIT;
	struct definition definition;
	bool writes =
	    service_may_write(project, entry->name) &&
	    (state_read_spec(&project->state, entry->name, &arena, &definition, NULL) < 0 ||
	     writes_default(&definition, form));
	arena_release(&arena);
	return writes;
}

static bool default_has(struct log_owners *owners, const char *key, size_t length, const char *name,
			enum log_writer kind)
{
	for (enum state_log form = STATE_LOG_OUT; form <= STATE_LOG_MERGED; form++) {
		const struct catalog_entry *entry = default_owner(owners, key, length, form);
		if (entry && strcmp(entry->name, name) != 0 &&
		    (kind == LOG_WRITER_POSSIBLE ||
		     running_writes_default(owners->project, entry, form)))
			return true;
	}
	return false;
}

bool log_owners_has_other(struct log_owners *owners, const struct project *project,
			  const char *name, const char *path, enum log_writer kind)
{
	build_once(owners, project, NULL);
	if (owners->incomplete && kind == LOG_WRITER_POSSIBLE)
		return true;
	const char *key = canonical(owners, path);
	size_t lengths[] = { strlen(key), log_name_unrotated(key) };
	for (size_t i = 0; i < ARRAY_LENGTH(lengths) && lengths[i] > 0; i++)
		if (list_has(project, lookup_find(&owners->given, key, lengths[i]), name, kind) ||
		    default_has(owners, key, lengths[i], name, kind))
			return true;
	return list_has(project, lookup_find(&owners->rotations, key, strlen(key)), name, kind);
}
