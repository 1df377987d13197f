#include "service/project.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char CONFIG_NAME[] = "pmo.yml";

static bool directory_holds_project(const char *directory, const struct host *host)
{
	char *config CLEANUP_FREE = memory_printf("%s/%s", directory, CONFIG_NAME);
	return faccessat(AT_FDCWD, config, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       state_exists(directory, NULL) || state_exists(directory, host->name);
}

/* The current directory or the nearest parent that holds a project, owned by the caller. */
static char *find_directory(const struct host *host, struct error *err)
{
	char *directory = realpath(".", NULL);
	if (!directory) {
		error_set_errno(err, ERROR_FAILED, errno, "cannot find the current directory");
		return NULL;
	}
	for (;;) {
		if (directory_holds_project(directory, host))
			return directory;
		char *slash = strrchr(directory, '/');
		if (!slash || directory[1] == '\0')
			break;
		slash[slash == directory] = '\0';
	}
	free(directory);
	error_set(err, ERROR_USAGE,
		  "no pmo.yml here or in a parent directory (run 'pmo init' to make one)");
	return NULL;
}

/* The directory that holds FILE, owned by the caller. */
static char *directory_of(const char *file, struct error *err)
{
	const char *slash = strrchr(file, '/');
	char *parent CLEANUP_FREE =
	    slash ? memory_strndup(file, slash == file ? 1 : (size_t)(slash - file))
		  : memory_strdup(".");
	char *directory = realpath(parent, NULL);
	if (!directory)
		error_set_errno(err, ERROR_USAGE, errno, "cannot open '%s'", file);
	return directory;
}

static int locate(struct project *project, const char *file, struct error *err)
{
	project->directory = file ? directory_of(file, err) : find_directory(&project->host, err);
	if (!project->directory)
		return -1;
	const char *slash = file ? strrchr(file, '/') : NULL;
	const char *name = slash ? slash + 1 : file ? file : CONFIG_NAME;
	project->label = memory_strdup(file ? file : CONFIG_NAME);
	project->config_path = memory_printf("%s/%s", project->directory, name);
	return 0;
}

static void add_problems(struct message_list *messages, const struct message_list *problems,
			 enum project_need need)
{
	for (size_t i = 0; i < problems->count; i++) {
		enum message_level level = problems->items[i].level;
		if (need == PROJECT_NEEDS_STATE)
			level = MESSAGE_WARNING;
		message_add(messages, level, "%s", problems->items[i].text);
	}
}

/* A pmo.yml that is gone is one thing, a file that was asked for by a wrong name another. */
static int config_missing(struct project *project, const char *file, enum project_need need,
			  struct error *err)
{
	project->config_state = PROJECT_CONFIG_MISSING;
	if (!file && need == PROJECT_NEEDS_STATE &&
	    (state_exists(project->directory, NULL) ||
	     state_exists(project->directory, project->host.name)))
		return 0;
	return error_set(err, ERROR_USAGE, "cannot open '%s': %s", project->label,
			 strerror(ENOENT));
}

/* A directory, or a device, that was given as the file: as wrong a name as one of nothing. */
static int require_regular(const struct project *project, struct error *err)
{
	struct stat status;
	if (stat(project->config_path, &status) < 0 || S_ISREG(status.st_mode))
		return 0;
	return error_set(err, ERROR_USAGE, "cannot open '%s': %s", project->label,
			 S_ISDIR(status.st_mode) ? "it is a directory, not a file"
						 : "it is not a regular file");
}

static int read_config(struct project *project, const char *file, enum project_need need,
		       struct message_list *messages, struct error *err)
{
	if (access(project->config_path, F_OK) < 0 && errno == ENOENT) {
		if (config_missing(project, file, need, err) < 0)
			return -1;
		message_add(messages, MESSAGE_WARNING,
			    "'%s' is gone: going on from the records of what was started",
			    project->label);
		return 0;
	}
	if (file && require_regular(project, err) < 0)
		return -1;
	struct message_list problems = MESSAGE_LIST_INIT;
	int result = config_load(project->config_path, project->label, &project->config, &problems);
	add_problems(messages, &problems, need);
	size_t errors = message_count(&problems, MESSAGE_ERROR);
	message_list_release(&problems);
	project->config_state = result == 0 ? PROJECT_CONFIG_OK : PROJECT_CONFIG_BROKEN;
	if (result < 0 && need == PROJECT_NEEDS_CONFIG)
		return error_set(err, ERROR_USAGE, "'%s' has %zu error%s: nothing was done",
				 project->label, errors, errors == 1 ? "" : "s");
	if (result < 0)
		message_add(messages, MESSAGE_WARNING,
			    "'%s' cannot be read: going on from the records of what was started",
			    project->label);
	return 0;
}

/* Whether something is meant to be up, by what .pmo, or the directory of HOST in it, has. */
static bool holds_intents(const struct project *project, const char *host)
{
	enum { INTENT = 1 << STATE_FILE_PID | 1 << STATE_FILE_SUPERVISOR };
	struct state state = STATE_INIT;
	struct state_names names = { 0 };
	bool found = false;
	if (state_open(&state, project->directory, host, STATE_READ, NULL) == 0 &&
	    state_list(&state, &names, NULL) == 0)
		for (size_t i = 0; i < names.count && !found; i++)
			found = names.files[i] & INTENT;
	state_names_release(&names);
	state_close(&state);
	return found;
}

/* With a pmo.yml that cannot be read, the directories tell whether it said `per_host`. Where both
 * are there, what is meant to be up decides. */
static const char *state_host(const struct project *project)
{
	const char *host = project->host.name;
	if (project->config_state == PROJECT_CONFIG_OK)
		return project->config.per_host ? host : NULL;
	if (!state_exists(project->directory, host))
		return NULL;
	return !state_exists(project->directory, NULL) || holds_intents(project, host) ||
		       !holds_intents(project, NULL)
		   ? host
		   : NULL;
}

/* What the other directory has cannot be reached before pmo.yml can be read again. */
static void warn_of_others(const struct project *project, struct message_list *messages)
{
	if (project->config_state != PROJECT_CONFIG_OK && state_host(project) &&
	    holds_intents(project, NULL))
		message_add(messages, MESSAGE_WARNING,
			    "going on from '.pmo/%s': what '.pmo/pids' has on record is left alone",
			    project->host.name);
}

static int read_state(struct project *project, struct message_list *messages, struct error *err)
{
	const struct config *config =
	    project->config_state == PROJECT_CONFIG_OK ? &project->config : NULL;
	if (state_open(&project->state, project->directory, state_host(project), STATE_READ, err) <
	    0)
		return -1;
	warn_of_others(project, messages);
	return catalog_build(&project->catalog, config, &project->state, err);
}

int project_open(struct project *project, const char *file, enum project_need need,
		 struct message_list *messages, struct error *err)
{
	*project = (struct project){ .state = STATE_INIT };
	if (host_read(&project->host, err) == 0 && locate(project, file, err) == 0 &&
	    read_config(project, file, need, messages, err) == 0 &&
	    read_state(project, messages, err) == 0)
		return 0;
	project_close(project);
	return -1;
}

void project_close(struct project *project)
{
	catalog_release(&project->catalog);
	state_close(&project->state);
	config_release(&project->config);
	free(project->directory);
	free(project->config_path);
	free(project->label);
	*project = (struct project){ .state = STATE_INIT };
}

int project_prepare_state(struct project *project, struct error *err)
{
	const char *host = state_host(project);
	struct state state;
	if (state_open(&state, project->directory, host, STATE_CREATE, err) < 0)
		return -1;
	/* the catalog and everything selected from it point at the state: it stays where it is */
	state_close(&project->state);
	project->state = state;
	if (faccessat(state.pids_fd, ".", W_OK, AT_EACCESS) == 0)
		return 0;
	return error_set_errno(err, ERROR_FAILED, errno, "cannot write to '%s/pids'",
			       state.directory);
}
