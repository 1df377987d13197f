#include "model/environment_load.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "model/dotenv.h"
#include "model/expand.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int environment_load_project(struct environment *environment, char *const *caller,
			     const char *dotenv_path, struct environment *dotenv,
			     struct message_list *messages, struct error *err)
{
	environment_import(environment, caller);
	if (access(dotenv_path, F_OK) < 0 && errno == ENOENT)
		return 0;
	const char *slash = strrchr(dotenv_path, '/');
	return dotenv_load(dotenv_path, slash ? slash + 1 : dotenv_path, environment, dotenv,
			   messages, err);
}

static int load_file(struct environment *environment, const char *written, const char *directory,
		     const char *subject, struct environment *added, struct message_list *messages,
		     struct error *err)
{
	struct buffer label CLEANUP_BUFFER = BUFFER_INIT;
	if (expand_append(&label, written, environment, subject, messages, err) < 0)
		return -1;
	const char *name = buffer_string(&label);
	if (!*name)
		return error_set(err, ERROR_USAGE, "%s is empty: name a file", subject);
	char *path CLEANUP_FREE =
	    *name == '/' ? memory_strdup(name) : memory_printf("%s/%s", directory, name);
	return dotenv_load(path, name, environment, added, messages, err);
}

static int load_variable(struct environment *environment, const struct variable *variable,
			 const char *service, struct environment *added,
			 struct message_list *messages, struct error *err)
{
	struct buffer expanded CLEANUP_BUFFER = BUFFER_INIT;
	const char *value = variable->value;
	if (strchr(value, '$')) {
		char *subject CLEANUP_FREE =
		    memory_printf("'env.%s' of '%s'", variable->name, service);
		if (expand_append(&expanded, value, environment, subject, messages, err) < 0)
			return -1;
		value = buffer_string(&expanded);
	}
	environment_set(environment, variable->name, value);
	if (added)
		environment_set(added, variable->name, value);
	return 0;
}

int environment_load_service(struct environment *environment, const struct environment *base,
			     const struct definition *definition, const char *directory,
			     struct environment *file_added, struct environment *config_added,
			     struct message_list *messages, struct error *err)
{
	environment_borrow(environment, base);
	for (size_t i = 0; i < definition->env_files.count; i++) {
		char *subject CLEANUP_FREE = memory_printf("'env_file' of '%s'", definition->name);
		if (load_file(environment, definition->env_files.items[i], directory, subject,
			      file_added, messages, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < definition->env_count; i++) {
		if (load_variable(environment, &definition->env[i], definition->name, config_added,
				  messages, err) < 0)
			return -1;
	}
	return 0;
}
