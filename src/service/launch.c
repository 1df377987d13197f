#include "service/launch.h"

#include "base/text.h"
#include "model/environment_load.h"
#include "model/expand.h"
#include "os/logfile.h"
#include "service/account.h"
#include "service/log_owners.h"
#include "service/own_files.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What resolving one definition needs at hand. */
struct resolver {
	struct launch *launch;
	const struct launcher *launcher;
	struct error *err;
};

int launcher_open(struct launcher *launcher, const struct project *project,
		  struct message_list *messages, struct error *err)
{
	*launcher = (struct launcher){ .project = project,
				       .messages = messages,
				       .log_owners = log_owners_create(LOG_OWNERS_CONFIGURED) };
	char *path CLEANUP_FREE = memory_printf("%s/.env", project->directory);
	if (environment_load_project(&launcher->base, environ, path, &launcher->dotenv, messages,
				     err) == 0)
		return 0;
	launcher_close(launcher);
	return -1;
}

void launcher_close(struct launcher *launcher)
{
	environment_release(&launcher->base);
	environment_release(&launcher->dotenv);
	log_owners_free(launcher->log_owners);
	*launcher = (struct launcher){ 0 };
}

/* TEXT expanded, or NULL with an error. SUBJECT is the key it comes from. */
static const char *expand_text(const struct resolver *resolver, const char *key, const char *text)
{
	struct launch *launch = resolver->launch;
	if (!strchr(text, '$'))
		return arena_strdup(&launch->arena, text);
	struct buffer expanded CLEANUP_BUFFER = BUFFER_INIT;
	char *subject CLEANUP_FREE = memory_printf("'%s' of '%s'", key, launch->definition->name);
	if (expand_append(&expanded, text, &launch->environment, subject,
			  resolver->launcher->messages, resolver->err) < 0)
		return NULL;
	return arena_strdup(&launch->arena, buffer_string(&expanded));
}

/* PATH expanded and made absolute from pmo.yml's directory, or NULL with an error. */
static const char *resolve_path(const struct resolver *resolver, const char *key, const char *path)
{
	const char *expanded = expand_text(resolver, key, path);
	if (!expanded || expanded[0] == '/')
		return expanded;
	struct arena *arena = &resolver->launch->arena;
	const char *directory = resolver->launcher->project->directory;
	while (expanded[0] == '.' && expanded[1] == '/')
		expanded += 2;
	if (expanded[0] == '\0' || strcmp(expanded, ".") == 0)
		return arena_strdup(arena, directory);
	return arena_printf(arena, "%s/%s", directory, expanded);
}

static const char *default_log(const struct resolver *resolver, enum state_log log)
{
	struct launch *launch = resolver->launch;
	char *path CLEANUP_FREE =
	    state_log_path(&resolver->launcher->project->state, launch->definition->name, log);
	return arena_strdup(&launch->arena, path);
}

static int resolve_logs(const struct resolver *resolver)
{
	struct launch *launch = resolver->launch;
	const struct definition *definition = launch->definition;
	enum state_log out = definition->merge_logs ? STATE_LOG_MERGED : STATE_LOG_OUT;
	launch->log_out = definition->out_file
			      ? resolve_path(resolver, "out_file", definition->out_file)
			      : default_log(resolver, out);
	if (!launch->log_out)
		return -1;
	if (definition->error_file)
		launch->log_error = resolve_path(resolver, "error_file", definition->error_file);
	else if (definition->merge_logs)
		launch->log_error = launch->log_out;
	else
		launch->log_error = default_log(resolver, STATE_LOG_ERROR);
	if (!launch->log_error)
		return -1;
	if (strcmp(launch->log_out, launch->log_error) == 0)
		launch->log_error = launch->log_out;
	return 0;
}

/* Shells that pmo did not write decide what runs; a hint is all this has to be. */
static bool is_python_word(const char *word, size_t length)
{
	const char *slash = memrchr(word, '/', length);
	const char *base = slash ? slash + 1 : word;
	size_t left = length - (size_t)(base - word);
	if (left < 6 || strncmp(base, "python", 6) != 0)
		return false;
	for (size_t i = 6; i < left; i++)
		if (!isdigit((unsigned char)base[i]) && base[i] != '.')
			return false;
	return true;
}

static bool ends_with(const char *word, size_t length, const char *suffix)
{
	size_t size = strlen(suffix);
	return length > size && strncmp(word + length - size, suffix, size) == 0;
}

static bool is_python_script(const char *word, size_t length)
{
	return ends_with(word, length, ".py") || ends_with(word, length, ".pyw");
}

static bool text_runs_python(const char *text)
{
	static const char separators[] = " \t\n;&|()";
	bool first = true;
	while (*text) {
		size_t length = strcspn(text, separators);
		if (is_python_word(text, length))
			return true;
		if (first && is_python_script(text, length))
			return true;
		first = first && length == 0;
		text += length;
		text += strspn(text, separators);
	}
	return false;
}

static bool launch_runs_python(const struct launch *launch)
{
	if (launch->definition->shell_command)
		return text_runs_python(launch->definition->shell_command);
	const char *program = launch->arguments[0];
	bool found = program && is_python_script(program, strlen(program));
	/* all of them: `env python3`, `nice -n 5 python3` */
	for (size_t i = 0; !found && launch->arguments[i]; i++)
		found = is_python_word(launch->arguments[i], strlen(launch->arguments[i]));
	return found;
}

static int resolve_arguments(const struct resolver *resolver)
{
	struct launch *launch = resolver->launch;
	const struct definition *definition = launch->definition;
	size_t count = definition->shell_command ? 3 : definition->command.count;
	launch->arguments = arena_alloc(&launch->arena, (count + 1) * sizeof(char *));
	if (definition->shell_command) {
		launch->arguments[0] = arena_strdup(&launch->arena, "/bin/sh");
		launch->arguments[1] = arena_strdup(&launch->arena, "-c");
		launch->arguments[2] = arena_strdup(&launch->arena, definition->shell_command);
		launch->program = "/bin/sh";
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		const char *word = expand_text(resolver, "cmd", definition->command.items[i]);
		if (!word)
			return -1;
		launch->arguments[i] = (char *)word;
	}
	char *program CLEANUP_FREE =
	    spawn_find_program(launch->arguments[0], environment_get(&launch->environment, "PATH"),
			       launch->directory);
	launch->program = program ? arena_strdup(&launch->arena, program) : NULL;
	return 0;
}

/* The user's HOME and so on, unless .env, env_file or env say otherwise. */
static void import_account(struct environment *base, const struct account *account,
			   const struct launcher *launcher)
{
	const struct variable variables[] = {
		{ "HOME", account->home },
		{ "USER", account->name },
		{ "LOGNAME", account->name },
		{ "SHELL", account->shell },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(variables); i++)
		if (!environment_get(&launcher->dotenv, variables[i].name))
			environment_set(base, variables[i].name, variables[i].value);
}

static int resolve_environment(const struct resolver *resolver, const struct account *account)
{
	struct launch *launch = resolver->launch;
	const struct launcher *launcher = resolver->launcher;
	struct environment *own = &launch->account_base;
	if (launcher->running) {
		environment_copy(&launch->environment, launcher->running);
		return 0;
	}
	if (account->name) {
		environment_borrow(own, &launcher->base);
		import_account(own, account, launcher);
	}
	return environment_load_service(&launch->environment, account->name ? own : &launcher->base,
					launch->definition, launcher->project->directory,
					&launch->file_added, &launch->config_added,
					launcher->messages, resolver->err);
}

static int refuse_logs(const struct launch *launch, const struct project *project,
		       const char *const *env_files, size_t count, struct error *err)
{
	if (own_files_refuse(project, env_files, count, launch->log_out, err) < 0)
		return -1;
	return launch->log_error == launch->log_out
		   ? 0
		   : own_files_refuse(project, env_files, count, launch->log_error, err);
}

/* A log is rotated away and written over: it must not be what pmo itself lives on. */
static int refuse_own_files(const struct resolver *resolver, const struct account *account)
{
	struct launch *launch = resolver->launch;
	struct definition definition = *launch->definition;
	size_t count = definition.env_files.count;
	if (!definition.out_file && !definition.error_file)
		return 0;
	/* `env` had no part in the names of the files, and nothing needs to be said twice */
	definition.env_count = 0;
	struct launch before = { .definition = &definition };
	struct launcher quiet = *resolver->launcher;
	const struct resolver again = { &before, &quiet, resolver->err };
	const char **files CLEANUP_FREE = memory_zalloc(count + 1, sizeof(*files));
	quiet.messages = NULL;
	int result = count ? resolve_environment(&again, account) : 0;
	for (size_t i = 0; result == 0 && i < count; i++)
		if (!(files[i] = resolve_path(&again, "env_file", definition.env_files.items[i])))
			result = -1;
	if (result == 0)
		result = refuse_logs(launch, quiet.project, files, count, resolver->err);
	launch_release(&before);
	return result;
}

/* What pmo itself sets, after everything the user may say. */
static int complete_environment(const struct resolver *resolver)
{
	struct launch *launch = resolver->launch;
	struct environment *environment = &launch->environment;
	environment_set(environment, "PWD", launch->directory);
	environment_set(environment, "PMO_SERVICE", launch->definition->name);
	environment_set(environment, "PMO_DIR", resolver->launcher->project->directory);
	if (launch_runs_python(launch) && !environment_get(environment, "PYTHONUNBUFFERED"))
		environment_set(environment, "PYTHONUNBUFFERED", "1");
	return environment_check_sizes(environment, resolver->err);
}

static int resolve(const struct resolver *resolver)
{
	struct launch *launch = resolver->launch;
	const struct definition *definition = launch->definition;
	struct account account;
	if (account_resolve(definition->user, definition->group, &launch->arena, &account,
			    &launch->credentials, resolver->err) < 0 ||
	    resolve_environment(resolver, &account) < 0)
		return -1;
	launch->directory =
	    definition->cwd ? resolve_path(resolver, "cwd", definition->cwd)
			    : arena_strdup(&launch->arena, resolver->launcher->project->directory);
	if (!launch->directory || resolve_arguments(resolver) < 0 || resolve_logs(resolver) < 0 ||
	    refuse_own_files(resolver, &account) < 0)
		return -1;
	return complete_environment(resolver);
}

int launch_prepare(struct launch *launch, const struct launcher *launcher,
		   const struct definition *definition, struct error *err)
{
	*launch = (struct launch){ .definition = definition };
	struct resolver resolver = { .launch = launch, .launcher = launcher, .err = err };
	if (resolve(&resolver) == 0)
		return 0;
	launch_release(launch);
	return -1;
}

int launch_find_logs(const struct launcher *launcher, const struct definition *definition,
		     struct arena *arena, struct log_paths *paths, struct error *err)
{
	struct launch launch = { .definition = definition };
	struct launcher quiet = *launcher;
	struct resolver resolver = { .launch = &launch, .launcher = &quiet, .err = err };
	struct account account;
	bool expands = (definition->out_file && strchr(definition->out_file, '$')) ||
		       (definition->error_file && strchr(definition->error_file, '$'));
	int result = 0;
	quiet.messages = NULL;
	if (expands)
		result = account_resolve(definition->user, definition->group, &launch.arena,
					 &account, &launch.credentials, err);
	if (expands && result == 0)
		result = resolve_environment(&resolver, &account);
	if (result == 0)
		result = resolve_logs(&resolver);
	if (result == 0) {
		paths->out = arena_strdup(arena, launch.log_out);
		paths->error = launch.log_error == launch.log_out
				   ? paths->out
				   : arena_strdup(arena, launch.log_error);
	}
	launch_release(&launch);
	return result;
}

uid_t launch_log_owner(const struct launch *launch)
{
	bool other = launch->credentials.set && launch->credentials.user != geteuid();
	return other ? launch->credentials.user : LOGFILE_NO_OWNER;
}

static int check_logs(const struct launch *launch, struct error *err)
{
	uid_t owner = launch_log_owner(launch);
	if (logfile_check(launch->log_out, owner, err) < 0)
		return -1;
	return launch->log_error == launch->log_out ? 0
						    : logfile_check(launch->log_error, owner, err);
}

int launch_check(const struct launch *launch, const struct launcher *launcher, struct error *err)
{
	struct stat status;
	if (!launch->program)
		return error_set(err, ERROR_FAILED, "command '%s' not found", launch->arguments[0]);
	int problem = stat(launch->directory, &status) < 0 ? errno
		      : !S_ISDIR(status.st_mode)           ? ENOTDIR
							   : 0;
	if (problem)
		return error_set_errno(err, ERROR_FAILED, problem,
				       "cannot change to directory '%s'", launch->directory);
	return check_logs(launch, err) < 0
		   ? -1
		   : log_owners_check(launcher->log_owners, launcher, launch, err);
}

void launch_release(struct launch *launch)
{
	environment_release(&launch->environment);
	environment_release(&launch->account_base);
	environment_release(&launch->file_added);
	environment_release(&launch->config_added);
	arena_release(&launch->arena);
	arena_release(&launch->definition_arena);
	*launch = (struct launch){ 0 };
}

void launch_append_spec(const struct launch *launch, struct buffer *buffer)
{
	struct definition resolved = *launch->definition;
	resolved.cwd = launch->directory;
	if (resolved.out_file)
		resolved.out_file = launch->log_out;
	if (resolved.error_file)
		resolved.error_file = launch->log_error;
	config_append_yaml(&resolved, CONFIG_ENVIRONMENT_NAMES, buffer);
}

bool launch_differs_from_record(const struct launcher *launcher, const struct catalog_entry *entry)
{
	struct launcher quiet = *launcher;
	struct launch launch;
	struct buffer now CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer then CLEANUP_BUFFER = BUFFER_INIT;
	quiet.messages = NULL;
	if (launch_prepare(&launch, &quiet, entry->definition, NULL) < 0)
		return false;
	launch_append_spec(&launch, &now);
	launch_release(&launch);
	return state_read_spec_text(&launcher->project->state, entry->name, &then) == 0 &&
	       strcmp(buffer_string(&now), buffer_string(&then)) != 0;
}
