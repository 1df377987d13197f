#include "model/config_check.h"

#include "model/log_name.h"

#include <string.h>
#include <sys/stat.h>

/* The log files that a service writes under .pmo/logs: NAME.log, or NAME-out.log and NAME-error.log
 * unless pmo.yml gives others. Rotated ones only collide where these do. */
static bool writes_default(const struct entry *entry, const char *suffix)
{
	const struct definition *definition = &entry->definition;
	if (definition->merge_logs)
		return *suffix == '\0' && (!definition->out_file || !definition->error_file);
	if (strcmp(suffix, "-out") == 0)
		return !definition->out_file;
	return strcmp(suffix, "-error") == 0 && !definition->error_file;
}

static bool is_service(const struct entry *entry)
{
	return entry->state == ENTRY_RESOLVED &&
	       (entry->definition.shell_command || entry->definition.command.count > 0);
}

/* `web-out` with merged logs writes web-out.log, as a plain `web` does. */
static void check_default(struct entry_list *list, const struct entry *entry, const char *suffix)
{
	size_t length = strlen(entry->name);
	size_t tail = strlen(suffix);
	if (length <= tail || strcmp(entry->name + length - tail, suffix) != 0)
		return;
	const struct entry *other = lookup_find(&list->names, entry->name, length - tail);
	if (other && is_service(other) && writes_default(other, suffix))
		problem_add(list->problems, entry->place,
			    "'%s' and '%s' would both write the log file '%s.log'", other->shown,
			    entry->shown, entry->shown);
}

/* Devices, FIFOs and links may be shared: they are never rotated. What holds a variable is
 * different for each service, as far as can be known here. */
static bool may_be_shared(const char *path)
{
	struct stat status;
	if (strchr(path, '$'))
		return true;
	return path[0] == '/' && lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static void add_given(struct entry_list *list, struct lookup *files, struct entry *entry,
		      const char *path)
{
	if (!path)
		return;
	const char *plain = log_name_plain(files->arena, path);
	struct entry **slot = (struct entry **)lookup_slot(files, plain, strlen(plain));
	if (!*slot)
		*slot = entry;
	else if (*slot != entry && !may_be_shared(path))
		problem_add(list->problems, entry->place,
			    "'%s' and '%s' would both write the log file '%s'", (*slot)->shown,
			    entry->shown, problem_show(list->problems, path, strlen(path)));
}

/* `l.1` is where `l` is rotated to. */
static void check_rotated(struct entry_list *list, const struct lookup *files,
			  const struct entry *entry, const char *path)
{
	if (!path || log_name_unrotated(path) == 0)
		return;
	const char *plain = log_name_plain(files->arena, path);
	const struct entry *other = lookup_find(files, plain, log_name_unrotated(plain));
	if (other && !may_be_shared(path))
		problem_add(list->problems, entry->place,
			    "the log file '%s' of '%s' has the name of a rotated log of '%s'",
			    problem_show(list->problems, path, strlen(path)), entry->shown,
			    other->shown);
}

void config_check_files(struct entry_list *list)
{
	struct arena scratch = ARENA_INIT;
	struct lookup files;
	lookup_init(&files, &scratch, 0);
	for (size_t i = 0; i < list->count; i++) {
		struct entry *entry = &list->items[i];
		if (!is_service(entry))
			continue;
		if (writes_default(entry, "")) {
			check_default(list, entry, "-out");
			check_default(list, entry, "-error");
		}
		add_given(list, &files, entry, entry->definition.out_file);
		add_given(list, &files, entry, entry->definition.error_file);
	}
	for (size_t i = 0; files.count > 1 && i < list->count; i++) {
		const struct entry *entry = &list->items[i];
		if (!is_service(entry))
			continue;
		check_rotated(list, &files, entry, entry->definition.out_file);
		check_rotated(list, &files, entry, entry->definition.error_file);
	}
	arena_release(&scratch);
}
