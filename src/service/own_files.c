#include "service/own_files.h"

#include "base/memory.h"
#include "model/log_name.h"

#include <string.h>

static bool is_state_file(const struct project *project, const char *log)
{
	struct arena arena = ARENA_INIT;
	const char *pids = arena_printf(&arena, "%s/pids/", project->state.directory);
	bool result =
	    strncmp(log, pids, strlen(pids)) == 0 ||
	    strcmp(log_name_directory(&arena, log), log_name_directory(&arena, pids)) == 0;
	arena_release(&arena);
	return result;
}

int own_files_refuse(const struct project *project, const char *const *env_files, size_t count,
		     const char *log, struct error *err)
{
	char *dotenv CLEANUP_FREE = memory_printf("%s/.env", project->directory);
	bool own = log_name_reaches(log, project->config_path) || log_name_reaches(log, dotenv) ||
		   is_state_file(project, log);
	for (size_t i = 0; !own && i < count; i++)
		own = log_name_reaches(log, env_files[i]);
	return own ? error_set(err, ERROR_FAILED, "'%s' cannot be a log: pmo needs it itself", log)
		   : 0;
}
