#include "support.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char *text_format(const char *format, ...)
{
	char *text = NULL;
	va_list list;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		abort();
	va_end(list);
	return text;
}

struct test_project *project_create(void)
{
	struct test_project *project = calloc(1, sizeof(*project));
	const char *parent = getenv("TMPDIR");
	char *template = text_format("%s/pmo-test-XXXXXX", parent != NULL ? parent : "/tmp");

	if (project == NULL || mkdtemp(template) == NULL || chmod(template, 0755) != 0)
		fail_msg("cannot make a directory %s: %s", template, strerror(errno));
	project->directory = realpath(template, NULL);
	free(template);
	return project;
}

void project_leave_running(struct test_project *project)
{
	project->leave_running = true;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)info;
	(void)kind;
	(void)place;
	remove(path);
	return 0;
}

/* A test may have taken the permissions away that the removal needs. */
static int allow_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)place;
	if (kind == FTW_D || kind == FTW_DNR)
		chmod(path, info->st_mode | 0700);
	return 0;
}

size_t project_destroy(struct test_project *project)
{
	size_t left = project_kill_all(project);

	nftw(project->directory, allow_entry, 16, FTW_PHYS);
	nftw(project->directory, remove_entry, 16, FTW_PHYS | FTW_DEPTH);
	while (project->text_count > 0)
		free(project->texts[--project->text_count]);
	free(project->texts);
	free(project->directory);
	free(project);
	return left;
}

int project_setup(void **state)
{
	*state = project_create();
	return 0;
}

int project_setup_in_memory(void **state)
{
	const char *parent = getenv("TMPDIR");
	char *before = parent != NULL ? text_format("%s", parent) : NULL;

	if (access("/dev/shm", W_OK | X_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	int result = project_setup(state);
	if (before != NULL)
		setenv("TMPDIR", before, 1);
	else
		unsetenv("TMPDIR");
	free(before);
	return result;
}

int project_teardown(void **state)
{
	struct test_project *project = *state;
	bool expected = project->leave_running;
	size_t left = project_destroy(project);

	if (left > 0 && !expected) {
		print_error("%zu processes were left at the end of the test\n", left);
		return -1;
	}
	return 0;
}

static const char *project_keep(struct test_project *project, char *text)
{
	project->texts =
	    realloc(project->texts, (project->text_count + 1) * sizeof(project->texts[0]));
	assert_non_null(project->texts);
	project->texts[project->text_count++] = text;
	return text;
}

const char *project_path(struct test_project *project, const char *format, ...)
{
	char *name = NULL;
	char *path;
	va_list list;

	va_start(list, format);
	if (vasprintf(&name, format, list) < 0)
		abort();
	va_end(list);
	path = name[0] == '/' ? strdup(name) : text_format("%s/%s", project->directory, name);
	free(name);
	return project_keep(project, path);
}

void project_write_bytes(struct test_project *project, const char *name, const void *bytes,
			 size_t length)
{
	char *path = strdup(project_path(project, "%s", name));
	char *slash = path;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	write_file(path, bytes, length);
	free(path);
}

void project_write(struct test_project *project, const char *name, const char *format, ...)
{
	char *text = NULL;
	va_list list;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		abort();
	va_end(list);
	project_write_bytes(project, name, text, strlen(text));
	free(text);
}

char *project_read(struct test_project *project, const char *name)
{
	return read_file(project_path(project, "%s", name), NULL);
}

bool project_exists(struct test_project *project, const char *name)
{
	return access(project_path(project, "%s", name), F_OK) == 0;
}

size_t project_count(struct test_project *project, const char *name, const char *pattern)
{
	DIR *directory = opendir(project_path(project, "%s", name));
	struct dirent *entry;
	size_t count = 0;

	if (directory == NULL)
		return 0;
	while ((entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		count += fnmatch(pattern, entry->d_name, 0) == 0;
	}
	closedir(directory);
	return count;
}

pid_t read_pid(struct test_project *project, const char *name)
{
	char *path = text_format("%s/.pmo/pids/%s.pid", project->directory, name);
	char *text = read_file(path, NULL);
	pid_t pid = text != NULL ? (pid_t)atoi(text) : 0;

	free(text);
	free(path);
	return pid;
}

void write_file(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "we");

	if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
		fail_msg("cannot write %s: %s", path, strerror(errno));
}

char *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t capacity = 0;
	size_t used = 0;
	size_t got;

	if (file == NULL)
		return NULL;
	do {
		capacity = capacity * 2 + 4096;
		text = realloc(text, capacity + 1);
		assert_non_null(text);
		got = fread(text + used, 1, capacity - used, file);
		used += got;
	} while (got > 0);
	fclose(file);
	text[used] = '\0';
	if (length != NULL)
		*length = used;
	return text;
}

const char *project_copy_program(struct test_project *project, const char *program)
{
	const char *name = strrchr(program, '/');
	const char *path = project_path(project, "%s", name != NULL ? name + 1 : program);
	int from = open(program, O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char bytes[65536];
	ssize_t got;

	assert_true(from >= 0 && to >= 0);
	while ((got = read(from, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(to, bytes, (size_t)got), got);
	assert_int_equal(got, 0);
	assert_int_equal(fchmod(to, 0755), 0);
	close(from);
	close(to);
	return path;
}
