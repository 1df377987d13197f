#include "model/state.h"

#include "base/file.h"
#include "model/name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0700 };

static char *state_directory(const char *directory, const char *host)
{
	return memory_printf("%s/.pmo%s%s", directory, host ? "/" : "", host ? host : "");
}

static int make_directory(const char *path, struct error *err)
{
	int result = file_make_directory(AT_FDCWD, path, DIRECTORY_MODE);
	if (result == 0)
		return 0;
	return error_set_errno(err, ERROR_FAILED, -result, "cannot make directory '%s'", path);
}

/* Below .pmo, in the hands of who has that. */
static int make_below(const char *parent, const char *name, struct error *err)
{
	int parent_fd CLEANUP_CLOSE = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd < 0)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot open directory '%s'",
				       parent);
	if (file_is_directory(parent_fd, name))
		return 0;
	int result = file_make_directory(parent_fd, name, DIRECTORY_MODE);
	if (result < 0)
		return error_set_errno(err, ERROR_FAILED, -result, "cannot make directory '%s/%s'",
				       parent, name);
	int fd CLEANUP_CLOSE =
	    openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		file_give_to_owner(parent_fd, fd);
	return 0;
}

static int make_directories(const char *directory, const char *host, struct error *err)
{
	char *top CLEANUP_FREE = state_directory(directory, NULL);
	char *own CLEANUP_FREE = state_directory(directory, host);
	if (make_directory(top, err) < 0 || (host && make_below(top, host, err) < 0))
		return -1;
	return make_below(own, "pids", err) < 0 ? -1 : make_below(own, "logs", err);
}

int state_open(struct state *state, const char *directory, const char *host,
	       enum state_access access, struct error *err)
{
	*state = (struct state)STATE_INIT;
	state->directory = state_directory(directory, host);
	state->logs_directory = memory_printf("%s/logs", state->directory);
	char *pids CLEANUP_FREE = memory_printf("%s/pids", state->directory);
	if (access == STATE_CREATE && make_directories(directory, host, err) < 0)
		goto failed;
	state->pids_fd = open(pids, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->pids_fd >= 0 || (errno == ENOENT && access == STATE_READ))
		return 0;
	error_set_errno(err, ERROR_FAILED, errno, "cannot open directory '%s'", pids);
failed:
	state_close(state);
	return -1;
}

void state_close(struct state *state)
{
	free(state->directory);
	free(state->logs_directory);
	if (state->pids_fd >= 0)
		close(state->pids_fd);
	*state = (struct state)STATE_INIT;
}

void state_suspend(struct state *state)
{
	if (state->pids_fd >= 0)
		close(state->pids_fd);
	state->pids_fd = -1;
}

int state_resume(struct state *state)
{
	char *pids CLEANUP_FREE = memory_printf("%s/pids", state->directory);
	state->pids_fd = open(pids, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return state->pids_fd < 0 ? -1 : 0;
}

bool state_exists(const char *directory, const char *host)
{
	char *own CLEANUP_FREE = state_directory(directory, host);
	char *pids CLEANUP_FREE = memory_printf("%s/pids", own);
	return file_is_directory(AT_FDCWD, pids);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void names_sort(struct state_names *names)
{
	if (names->count == 0)
		return;
	qsort(names->items, names->count, sizeof(*names->items), compare_names);
	size_t kept = 1;
	for (size_t i = 1; i < names->count; i++)
		if (strcmp(names->items[i], names->items[kept - 1]) != 0)
			names->items[kept++] = names->items[i];
	names->count = kept;
}

void state_names_release(struct state_names *names)
{
	free(names->items);
	free(names->files);
	arena_release(&names->arena);
	*names = (struct state_names){ 0 };
}

/* One file of a service, as the directory lists it. */
struct listed_file {
	char *name; /* of the service */
	unsigned file;
};

static int compare_listed(const void *left, const void *right)
{
	return strcmp(((const struct listed_file *)left)->name,
		      ((const struct listed_file *)right)->name);
}

/* Length of the service's name in "NAME.pid" and the like, else 0. */
static size_t listed_name_length(const char *entry, enum state_file *file)
{
	static const struct {
		const char *suffix;
		enum state_file file;
	} suffixes[] = { { ".pid", STATE_FILE_PID },
			 { ".exit", STATE_FILE_EXIT },
			 { ".restarts", STATE_FILE_RESTARTS },
			 { ".stop", STATE_FILE_STOP },
			 { ".supervisor", STATE_FILE_SUPERVISOR } };
	size_t length = strlen(entry);
	for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++) {
		size_t suffix = strlen(suffixes[i].suffix);
		*file = suffixes[i].file;
		if (length > suffix && strcmp(entry + length - suffix, suffixes[i].suffix) == 0)
			return name_problem(entry, length - suffix) ? 0 : length - suffix;
	}
	return 0;
}

/* Merge the files of each name; a name is on record if it has a .pid, an .exit or a
 * .supervisor. */
static void names_merge(struct state_names *names, struct listed_file *files, size_t count)
{
	const unsigned on_record =
	    1U << STATE_FILE_PID | 1U << STATE_FILE_EXIT | 1U << STATE_FILE_SUPERVISOR;
	names->items = memory_alloc(count * sizeof(*names->items));
	names->files = memory_alloc(count * sizeof(*names->files));
	if (count)
		qsort(files, count, sizeof(*files), compare_listed);
	for (size_t i = 0, next; i < count; i = next) {
		unsigned bits = 0;
		for (next = i; next < count && strcmp(files[next].name, files[i].name) == 0; next++)
			bits |= files[next].file;
		if (!(bits & on_record))
			continue;
		names->items[names->count] = files[i].name;
		names->files[names->count++] = bits;
	}
}

/* A new directory stream on the directory of FD, whose own offset stays as it is. */
static DIR *stream_open(int fd, struct error *err)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	if (!stream) {
		error_set_errno(err, ERROR_FAILED, errno, "cannot read the state directory");
		if (copy >= 0)
			close(copy);
	}
	return stream;
}

int state_list(const struct state *state, struct state_names *names, struct error *err)
{
	*names = (struct state_names){ 0 };
	if (state->pids_fd < 0)
		return 0;
	DIR *stream = stream_open(state->pids_fd, err);
	if (!stream)
		return -1;
	struct listed_file *files CLEANUP_FREE = NULL;
	size_t count = 0;
	size_t capacity = 0;
	errno = 0;
	for (struct dirent *entry; (entry = readdir(stream)) != NULL; errno = 0) {
		enum state_file file;
		size_t length = listed_name_length(entry->d_name, &file);
		if (length == 0 || entry->d_type == DT_DIR)
			continue;
		MEMORY_GROW(files, count, capacity);
		files[count++] =
		    (struct listed_file){ arena_strndup(&names->arena, entry->d_name, length),
					  1U << file };
	}
	int error = errno;
	closedir(stream);
	names_merge(names, files, count);
	if (error == 0)
		return 0;
	state_names_release(names);
	return error_set_errno(err, ERROR_FAILED, error, "cannot read '%s/pids'", state->directory);
}

int state_list_hosts(const char *directory, struct state_names *hosts, struct error *err)
{
	*hosts = (struct state_names){ 0 };
	char *top CLEANUP_FREE = state_directory(directory, NULL);
	DIR *stream = opendir(top);
	if (!stream && errno == ENOENT)
		return 0;
	if (!stream)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot read directory '%s'", top);
	size_t capacity = 0;
	for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
		if (entry->d_name[0] == '.' || !state_exists(directory, entry->d_name))
			continue;
		MEMORY_GROW(hosts->items, hosts->count, capacity);
		hosts->items[hosts->count++] = arena_strdup(&hosts->arena, entry->d_name);
	}
	closedir(stream);
	names_sort(hosts);
	return 0;
}

char *state_log_path(const struct state *state, const char *name, enum state_log log)
{
	static const char *const suffixes[] = {
		[STATE_LOG_OUT] = "-out",
		[STATE_LOG_ERROR] = "-error",
		[STATE_LOG_MERGED] = "",
	};
	return memory_printf("%s/%s%s.log", state->logs_directory, name, suffixes[log]);
}
