/* The processes of a test: the second half of sandbox.h. */
#include "support.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The fields of /proc/PID/stat from the third one on. */
static char *stat_fields(pid_t pid)
{
	char *path = text_format("/proc/%d/stat", (int)pid);
	char *text = read_file(path, NULL);
	char *end = text != NULL ? strrchr(text, ')') : NULL;
	char *fields = end != NULL && strlen(end) > 2 ? strdup(end + 2) : NULL;

	free(text);
	free(path);
	return fields;
}

char process_state(pid_t pid)
{
	char *fields = pid > 0 ? stat_fields(pid) : NULL;
	char letter = '\0';

	if (fields != NULL)
		letter = fields[0];
	free(fields);
	return letter;
}

bool process_alive(pid_t pid)
{
	char letter = process_state(pid);

	return letter != '\0' && letter != 'Z' && letter != 'X';
}

unsigned long long process_start_ticks(pid_t pid)
{
	char *fields = stat_fields(pid);
	char *field = fields;
	unsigned long long ticks = 0;
	int i;

	for (i = 3; i < 22 && field != NULL; i++) {
		field = strchr(field, ' ');
		field = field != NULL ? field + 1 : NULL;
	}
	if (field != NULL)
		ticks = strtoull(field, NULL, 10);
	free(fields);
	return ticks;
}

static bool is_inside(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 &&
	       (path[length] == '\0' || path[length] == '/' || path[length] == ' ');
}

static bool works_inside(pid_t pid, const char *directory)
{
	char *link = text_format("/proc/%d/cwd", (int)pid);
	char target[4096];
	ssize_t length = readlink(link, target, sizeof(target) - 1);

	free(link);
	if (length < 0)
		return false;
	target[length] = '\0';
	return is_inside(target, directory);
}

static bool carries_directory(pid_t pid, const char *directory)
{
	char *path = text_format("/proc/%d/environ", (int)pid);
	size_t length = 0;
	char *block = read_file(path, &length);
	const char *entry = block;
	bool found = false;

	while (!found && block != NULL && entry < block + length) {
		found = strncmp(entry, "PMO_DIR=", 8) == 0 && is_inside(entry + 8, directory);
		entry += strlen(entry) + 1;
	}
	free(block);
	free(path);
	return found;
}

size_t project_processes(const struct test_project *project, pid_t *pids, size_t capacity)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(proc);
	while ((entry = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid <= 0 || pid == getpid())
			continue;
		if (!works_inside(pid, project->directory) &&
		    !carries_directory(pid, project->directory))
			continue;
		if (!process_alive(pid))
			continue;
		if (count < capacity)
			pids[count] = pid;
		count++;
	}
	closedir(proc);
	return count;
}

/* A whole group at once: one that forks faster than it is listed cannot get away. */
static void kill_group_of(pid_t pid)
{
	pid_t group = getpgid(pid);

	if (group > 1 && group != getpgrp())
		kill(-group, SIGKILL);
	kill(pid, SIGKILL);
}

size_t project_kill_all(const struct test_project *project)
{
	pid_t pids[512];
	size_t at_first = 0;
	int round;

	for (round = 0; round < 2000; round++) {
		size_t count = project_processes(project, pids, 512);
		size_t i;

		if (round == 0)
			at_first = count;
		if (count == 0)
			break;
		for (i = 0; i < count && i < 512; i++)
			kill_group_of(pids[i]);
		wait_microseconds(2000);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	return at_first;
}

pid_t child_start(const char *program, ...)
{
	char *arguments[32] = { (char *)program };
	size_t count = 1;
	va_list list;
	pid_t pid;

	va_start(list, program);
	while (count < 31 && (arguments[count] = va_arg(list, char *)) != NULL)
		count++;
	va_end(list);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		if (chdir("/") == 0)
			execvp(program, arguments);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

void child_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
