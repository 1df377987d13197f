#include "guarded.h"

#include "json.h"
#include "run.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool service_is(struct test_project *project, const char *name, const char *field, const char *text)
{
	struct run run;
	run_pmo(project, &run, "ls", "--json", name, NULL);
	char *path = text_format("0/%s", field);
	char *value = json_get(run.out, path);
	bool same = value && strcmp(value, text) == 0;
	free(value);
	free(path);
	run_release(&run);
	return same;
}

/* Parent and session of a process that lives. */
static bool read_family(const char *name, long *parent, long *session)
{
	char path[64];
	char state;
	size_t length;
	snprintf(path, sizeof(path), "/proc/%.16s/stat", name);
	char *text = read_file(path, &length);
	char *rest = text ? strrchr(text, ')') : NULL;
	bool found =
	    rest && sscanf(rest, ") %c %ld %*d %ld", &state, parent, session) == 3 && state != 'Z';
	free(text);
	return found;
}

pid_t supervisor_helper(pid_t supervisor)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	pid_t found = 0;
	long parent;
	long session;
	while (proc && found == 0 && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    read_family(entry->d_name, &parent, &session) && parent == supervisor &&
		    session == supervisor)
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	if (proc)
		closedir(proc);
	return found;
}
