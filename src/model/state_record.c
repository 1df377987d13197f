/* The files of one service: reading and writing each of them. */
#include "model/state.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/units.h"
#include "model/config.h"
#include "model/state_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0600, NAME_SIZE = 256, SMALL = 1024, SPEC_LIMIT = 4 * 1024 * 1024 };

static const char *const suffixes[STATE_FILE_COUNT] = {
	[STATE_FILE_PID] = "pid",
	[STATE_FILE_TIME] = "time",
	[STATE_FILE_SPEC] = "spec",
	[STATE_FILE_RESTARTS] = "restarts",
	[STATE_FILE_EXIT] = "exit",
	[STATE_FILE_STOP] = "stop",
	[STATE_FILE_SUPERVISOR] = "supervisor",
	[STATE_FILE_LOCK] = "lock",
};

static void file_name(char path[NAME_SIZE], const char *name, enum state_file file)
{
	snprintf(path, NAME_SIZE, "%s.%s", name, suffixes[file]);
}

/* Read a small file into TEXT, without its closing newline. Returns its length, or a negative errno
 * value. */
static ssize_t read_small(const struct state *state, const char *name, enum state_file file,
			  char text[SMALL])
{
	char path[NAME_SIZE];
	file_name(path, name, file);
	if (state->pids_fd < 0)
		return -ENOENT;
	int fd CLEANUP_CLOSE =
	    openat(state->pids_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	ssize_t length = read(fd, text, SMALL - 1);
	if (length < 0)
		return -errno;
	/* binary garbage says nothing, however it begins */
	if (memchr(text, '\0', (size_t)length))
		length = 0;
	while (length > 0 && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	return length;
}

static bool file_exists(const struct state *state, const char *name, enum state_file file)
{
	char path[NAME_SIZE];
	struct stat status;
	file_name(path, name, file);
	return state->pids_fd >= 0 &&
	       fstatat(state->pids_fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What read_small failed with: no file at all and what is no file (a link, a socket, a directory)
 * say something about the record, anything else says nothing. */
static void note_failure(struct record *record, enum state_file file, ssize_t result)
{
	if (result >= 0 || result == -ENOENT || result == -ELOOP || result == -ENXIO ||
	    result == -EISDIR)
		return;
	record->unreadable = (int)-result;
	record->unreadable_file = file;
}

static bool read_time(const struct state *state, const char *name, struct record *record)
{
	char text[SMALL];
	ssize_t length = read_small(state, name, STATE_FILE_TIME, text);
	note_failure(record, STATE_FILE_TIME, length);
	if (length < 0)
		return false;
	char *newline = strchr(text, '\n');
	if (!newline)
		return false;
	*newline = '\0';
	record->started_at_ns = state_text_parse_time(text);
	return identity_parse(newline + 1, &record->identity);
}

static void read_process(const struct state *state, const char *name, struct record *record)
{
	char text[SMALL];
	int64_t pid = 0;
	ssize_t length = read_small(state, name, STATE_FILE_PID, text);
	note_failure(record, STATE_FILE_PID, length);
	record->intent =
	    length >= 0 || record->unreadable || file_exists(state, name, STATE_FILE_PID);
	if (!record->intent || record->unreadable)
		return;
	if (length > 0 && !units_parse_integer(text, 2, INT32_MAX, &pid))
		pid = 0;
	bool readable = read_time(state, name, record);
	record->valid = readable && pid > 0 && record->identity.pid == (pid_t)pid;
	record->damaged = !record->valid && !record->unreadable && (length != 0 || readable);
}

int state_require_readable(const struct state *state, const char *name, const struct record *record,
			   struct error *err)
{
	char path[NAME_SIZE];
	if (!record->unreadable)
		return 0;
	file_name(path, name, record->unreadable_file);
	return error_set_errno(err, ERROR_FAILED, record->unreadable, "cannot read '%s/pids/%s'",
			       state->directory, path);
}

int64_t state_file_time(const struct state *state, const char *name, enum state_file file)
{
	char path[NAME_SIZE];
	struct stat status;
	file_name(path, name, file);
	if (state->pids_fd < 0 || fstatat(state->pids_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return status.st_mtim.tv_sec * NSEC_PER_SEC + status.st_mtim.tv_nsec;
}

static void read_exit(const struct state *state, const char *name, struct exit_record *exit)
{
	char text[SMALL];
	if (read_small(state, name, STATE_FILE_EXIT, text) > 0)
		state_text_parse_exit(text, exit);
}

void state_read_supervisor(const struct state *state, const char *name, struct record *record)
{
	char text[SMALL];
	ssize_t length = read_small(state, name, STATE_FILE_SUPERVISOR, text);
	record->supervised = length != -ENOENT;
	record->supervisor_valid =
	    length > 0 && state_text_parse_supervisor(text, &record->supervisor);
	note_failure(record, STATE_FILE_SUPERVISOR, length);
	if (record->unreadable) {
		record->intent = true;
		record->valid = record->damaged = false;
	}
}

void state_read_identity(const struct state *state, const char *name, struct record *record)
{
	*record = (struct record){ 0 };
	read_process(state, name, record);
	/* a restart may have been between its two renames */
	if (record->intent && !record->valid) {
		*record = (struct record){ 0 };
		read_process(state, name, record);
	}
}

void state_read_listed(const struct state *state, const char *name, unsigned files,
		       struct record *record)
{
	char text[SMALL];
	int64_t restarts;
	*record = (struct record){ 0 };
	if (files & 1U << STATE_FILE_PID)
		state_read_identity(state, name, record);
	if (files & 1U << STATE_FILE_RESTARTS &&
	    read_small(state, name, STATE_FILE_RESTARTS, text) > 0 &&
	    units_parse_integer(text, 0, INT32_MAX, &restarts))
		record->restarts = restarts;
	record->stopping =
	    files & 1U << STATE_FILE_STOP && read_small(state, name, STATE_FILE_STOP, text) >= 0;
	if (files & 1U << STATE_FILE_EXIT)
		read_exit(state, name, &record->exit);
	if (files & 1U << STATE_FILE_SUPERVISOR)
		state_read_supervisor(state, name, record);
}

void state_read(const struct state *state, const char *name, struct record *record)
{
	state_read_listed(state, name, UINT_MAX, record);
}

int state_read_spec_text(const struct state *state, const char *name, struct buffer *buffer)
{
	char path[NAME_SIZE];
	file_name(path, name, STATE_FILE_SPEC);
	if (state->pids_fd < 0)
		return -1;
	return file_read(state->pids_fd, path, SPEC_LIMIT, buffer) < 0 ? -1 : 0;
}

int state_read_spec(const struct state *state, const char *name, struct arena *arena,
		    struct definition *definition, struct error *err)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	if (state_read_spec_text(state, name, &text) < 0)
		return error_set(err, ERROR_FAILED, "'%s' has no record of its definition", name);
	return config_parse_spec(buffer_string(&text), text.length, name, arena, definition, err);
}

static int write_file(const struct state *state, const char *name, enum state_file file,
		      const char *bytes, size_t length, struct error *err)
{
	char path[NAME_SIZE];
	file_name(path, name, file);
	int result = file_replace(state->pids_fd, path, bytes, length, FILE_MODE);
	if (result == 0)
		return 0;
	return error_set_errno(err, ERROR_FAILED, -result, "cannot write '%s/pids/%s'",
			       state->directory, path);
}

int state_write_spec(const struct state *state, const char *name, const char *text, size_t length,
		     struct error *err)
{
	return write_file(state, name, STATE_FILE_SPEC, text, length, err);
}

int state_write_identity(const struct state *state, const char *name,
			 const struct identity *identity, int64_t started_at_ns, struct error *err)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	state_text_append_time(&text, started_at_ns);
	buffer_append_char(&text, '\n');
	identity_append(&text, identity);
	buffer_append_char(&text, '\n');
	return write_file(state, name, STATE_FILE_TIME, text.data, text.length, err);
}

static int write_number(const struct state *state, const char *name, enum state_file file,
			int64_t number, struct error *err)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%" PRId64 "\n", number);
	return write_file(state, name, file, text, (size_t)length, err);
}

int state_write_pid(const struct state *state, const char *name, pid_t pid, struct error *err)
{
	return write_number(state, name, STATE_FILE_PID, pid, err);
}

int state_write_restarts(const struct state *state, const char *name, int64_t restarts,
			 struct error *err)
{
	return write_number(state, name, STATE_FILE_RESTARTS, restarts, err);
}

int state_write_intent(const struct state *state, const char *name, struct error *err)
{
	return write_file(state, name, STATE_FILE_PID, "", 0, err);
}

int state_write_exit(const struct state *state, const char *name, const struct exit_record *exit,
		     struct error *err)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	state_text_append_exit(&text, exit);
	return write_file(state, name, STATE_FILE_EXIT, text.data, text.length, err);
}

int state_write_supervisor(const struct state *state, const char *name,
			   const struct identity *identity, struct error *err)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	state_text_append_supervisor(&text, identity);
	return write_file(state, name, STATE_FILE_SUPERVISOR, text.data, text.length, err);
}

/* The lock by another name: it is there, it is empty, and a link is far cheaper than a file. */
int state_write_stop(const struct state *state, const char *name, struct error *err)
{
	char path[NAME_SIZE];
	char lock[NAME_SIZE];
	file_name(path, name, STATE_FILE_STOP);
	file_name(lock, name, STATE_FILE_LOCK);
	if (linkat(state->pids_fd, lock, state->pids_fd, path, 0) == 0 || errno == EEXIST)
		return 0;
	/* a file system without links */
	return write_file(state, name, STATE_FILE_STOP, "", 0, err);
}

int state_remove(const struct state *state, const char *name, enum state_file file,
		 struct error *err)
{
	char path[NAME_SIZE];
	file_name(path, name, file);
	if (state->pids_fd < 0 || unlinkat(state->pids_fd, path, 0) == 0 || errno == ENOENT)
		return 0;
	return error_set_errno(err, ERROR_FAILED, errno, "cannot remove '%s/pids/%s'",
			       state->directory, path);
}

/* The lock that is there, or a new one. */
static int open_or_make_lock(const struct state *state, const char *path)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
	for (;;) {
		int fd = openat(state->pids_fd, path, flags);
		if (fd >= 0 || errno != ENOENT)
			return fd;
		fd = openat(state->pids_fd, path, flags | O_CREAT | O_EXCL, FILE_MODE);
		if (fd >= 0)
			file_give_to_owner(state->pids_fd, fd);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
}

void state_remove_unfinished(const struct state *state, const char *name)
{
	for (enum state_file file = 0; file < STATE_FILE_COUNT; file++) {
		char path[NAME_SIZE];
		file_name(path, name, file);
		char *unfinished CLEANUP_FREE = memory_printf("%s~", path);
		if (file != STATE_FILE_LOCK)
			(void)unlinkat(state->pids_fd, unfinished, 0);
	}
}

int state_open_lock(const struct state *state, const char *name, struct error *err)
{
	char path[NAME_SIZE];
	file_name(path, name, STATE_FILE_LOCK);
	int fd = open_or_make_lock(state, path);
	if (fd < 0 && (errno == EROFS || errno == EACCES))
		fd = openat(state->pids_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		error_set_errno(err, ERROR_FAILED, errno, "cannot open '%s/pids/%s'",
				state->directory, path);
	return fd;
}
