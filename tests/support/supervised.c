#include "support/supervised.h"

#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEW_BOOT "00000000-0000-0000-0000-000000000000"

pid_t supervisor_pid(struct test_project *project, const char *name)
{
	char *text = project_read(project, project_path(project, ".pmo/pids/%s.supervisor", name));
	pid_t pid = text ? (pid_t)strtol(text, NULL, 10) : 0;
	free(text);
	return pid;
}

bool has_new_leader(struct test_project *project, const char *name, pid_t old)
{
	pid_t pid = read_pid(project, name);
	return pid > 0 && pid != old && process_alive(pid);
}

bool file_says(struct test_project *project, const char *file, const char *text)
{
	char *content = project_read(project, file);
	bool found = content && strstr(content, text);
	free(content);
	return found;
}

int file_count(struct test_project *project, const char *file, const char *text)
{
	char *content = project_read(project, file);
	int count = 0;
	for (const char *at = content; at && (at = strstr(at, text)) != NULL; at++)
		count++;
	free(content);
	return count;
}

bool list_says(struct test_project *project, const char *text)
{
	struct run run;
	run_pmo(project, &run, "ls", "--json", NULL);
	bool found = strstr(run.out, text) != NULL;
	run_release(&run);
	return found;
}

void kill_hard(pid_t pid)
{
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	WAIT_FOR(!process_alive(pid));
}

char *read_records(struct test_project *project, const char *const *names)
{
	static const char *const suffixes[] = { "pid",      "time", "exit",      "stop",
						"restarts", "spec", "supervisor" };
	char *all = strdup("");
	for (; *names; names++)
		for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
			const char *path =
			    project_path(project, ".pmo/pids/%s.%s", *names, suffixes[i]);
			char *text = project_read(project, path);
			char *longer = text_format("%s%s: %s\n", all, path, text ? text : "none");
			free(text);
			free(all);
			all = longer;
		}
	return all;
}

void replace(struct test_project *project, const char *file, const char *from, const char *to)
{
	char *text = project_read(project, file);
	char *at = text ? strstr(text, from) : NULL;
	if (at) {
		*at = '\0';
		project_write(project, file, "%s%s%s", text, to, at + strlen(from));
	}
	free(text);
}

void reboot(struct test_project *project, const char *const *names)
{
	char *boot_id = read_file("/proc/sys/kernel/random/boot_id", NULL);
	boot_id[36] = '\0';
	for (const char *const *name = names; *name; name++)
		if (process_alive(supervisor_pid(project, *name)))
			kill_hard(supervisor_pid(project, *name));
	project_kill_all(project);
	for (; *names; names++) {
		replace(project, project_path(project, ".pmo/pids/%s.time", *names), boot_id,
			NEW_BOOT);
		replace(project, project_path(project, ".pmo/pids/%s.supervisor", *names), boot_id,
			NEW_BOOT);
	}
	free(boot_id);
}

void resurrect(struct test_project *project, const char *out)
{
	struct run run;
	run_pmo(project, &run, "resurrect", NULL);
	assert_run(&run, 0, out, "");
	run_release(&run);
}
