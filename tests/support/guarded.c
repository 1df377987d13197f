#include "guarded.h"

#include "support.h"

#include <dirent.h>
#include <signal.h>
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

void configure_web(struct test_project *project, const char *actions, const char *lines)
{
	project_write(project, "pmo.yml", "web:\n  cmd: [%s, %s]\n%s", ACTOR, actions, lines);
}

void kill_leader(struct test_project *project, const char *name)
{
	assert_int_equal(kill(read_pid(project, name), SIGKILL), 0);
}

void assert_nothing_left(struct test_project *project, const char *name)
{
	char *pattern = text_format("%s.[!lr]*", name);
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_int_equal(project_count(project, ".pmo/pids", pattern), 0);
	free(pattern);
}

void assert_down_but_wanted(struct test_project *project, const char *name)
{
	char *pid = project_read(project, project_path(project, ".pmo/pids/%s.pid", name));
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_non_null(pid);
	assert_string_equal(pid, "");
	assert_false(
	    project_exists(project, project_path(project, ".pmo/pids/%s.supervisor", name)));
	free(pid);
}
