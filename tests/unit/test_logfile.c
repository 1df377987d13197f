/* os/logfile: rotation, header, flush, and reading from the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "os/logfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char timestamp[] = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] "
				"[0-9][0-9]:[0-9][0-9]:[0-9][0-9]";

struct scratch {
	char directory[64];
	char path[96]; /* the log under test */
	struct error err;
};

static int scratch_create(void **state)
{
	struct scratch *scratch = memory_zalloc(1, sizeof(*scratch));
	snprintf(scratch->directory, sizeof(scratch->directory), "/tmp/pmo-logfile-XXXXXX");
	assert_non_null(mkdtemp(scratch->directory));
	snprintf(scratch->path, sizeof(scratch->path), "%s/web-out.log", scratch->directory);
	*state = scratch;
	return 0;
}

static int scratch_destroy(void **state)
{
	struct scratch *scratch = *state;
	DIR *stream = opendir(scratch->directory);
	struct dirent *entry;
	while (stream && (entry = readdir(stream)))
		if (unlinkat(dirfd(stream), entry->d_name, 0) < 0 && errno == EISDIR)
			unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR);
	closedir(stream);
	assert_int_equal(rmdir(scratch->directory), 0);
	error_clear(&scratch->err);
	free(scratch);
	return 0;
}

/* NAME in the scratch directory; valid until the next call but three. */
static const char *in(const struct scratch *scratch, const char *name)
{
	static char paths[4][160];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", scratch->directory, name);
	return path;
}

static void put(const char *path, const char *text)
{
	assert_int_equal(file_replace(AT_FDCWD, path, text, strlen(text), 0600), 0);
}

static void assert_content(const char *path, const char *expected)
{
	struct buffer content CLEANUP_BUFFER = BUFFER_INIT;
	assert_int_equal(file_read(AT_FDCWD, path, 0, &content), 0);
	assert_string_equal(buffer_string(&content), expected);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static size_t file_count(const struct scratch *scratch)
{
	size_t count = 0;
	DIR *stream = opendir(scratch->directory);
	while (readdir(stream))
		count++;
	closedir(stream);
	return count - 2;
}

/* The message is BEFORE, the quoted path of NAME, AFTER. */
static void assert_error(struct scratch *scratch, const char *before, const char *name,
			 const char *after)
{
	char expected[512];
	snprintf(expected, sizeof(expected), "%s'%s/%s'%s", before, scratch->directory, name,
		 after);
	assert_non_null(scratch->err.message);
	assert_string_equal(scratch->err.message, expected);
	assert_int_equal(scratch->err.kind, ERROR_FAILED);
	error_clear(&scratch->err);
}

/* One run of a service: start the log, write TEXT. */
static void run_once(struct scratch *scratch, int keep, const char *text)
{
	int fd = logfile_start(scratch->path, keep, LOGFILE_NO_OWNER, &scratch->err);
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void test_descriptor(void **state)
{
	struct scratch *scratch = *state;
	struct stat status;
	int fd = logfile_start(scratch->path, 3, LOGFILE_NO_OWNER, &scratch->err);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK),
			 O_WRONLY | O_APPEND);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	close(fd);
}

static void test_rotation(void **state)
{
	struct scratch *scratch = *state;
	char text[16];
	for (int run = 1; run <= 6; run++) {
		snprintf(text, sizeof(text), "%d", run);
		run_once(scratch, 3, text);
	}
	assert_content(scratch->path, "6");
	assert_content(in(scratch, "web-out.log.1"), "5");
	assert_content(in(scratch, "web-out.log.2"), "4");
	assert_content(in(scratch, "web-out.log.3"), "3");
	assert_int_equal(file_count(scratch), 4);
}

static void test_thirty_are_kept(void **state)
{
	struct scratch *scratch = *state;
	char text[16];
	for (int run = 1; run <= 40; run++) {
		snprintf(text, sizeof(text), "%d", run);
		run_once(scratch, 30, text);
	}
	assert_content(in(scratch, "web-out.log.1"), "39");
	assert_content(in(scratch, "web-out.log.30"), "10");
	assert_int_equal(file_count(scratch), 31);
}

static void test_gap_is_filled(void **state)
{
	struct scratch *scratch = *state;
	put(scratch->path, "now");
	put(in(scratch, "web-out.log.1"), "one");
	put(in(scratch, "web-out.log.3"), "three");
	run_once(scratch, 30, "new");
	assert_content(in(scratch, "web-out.log.1"), "now");
	assert_content(in(scratch, "web-out.log.2"), "one");
	assert_content(in(scratch, "web-out.log.3"), "three");
}

static void test_keep_none(void **state)
{
	struct scratch *scratch = *state;
	put(scratch->path, "old");
	put(in(scratch, "web-out.log.1"), "older");
	run_once(scratch, 0, "new");
	assert_content(scratch->path, "new");
	assert_int_equal(file_count(scratch), 1);
}

static void test_keep_fewer_than_before(void **state)
{
	struct scratch *scratch = *state;
	for (int run = 0; run < 8; run++)
		run_once(scratch, 30, "x");
	run_once(scratch, 2, "y");
	assert_int_equal(file_count(scratch), 3);
}

static void test_empty_is_not_rotated(void **state)
{
	struct scratch *scratch = *state;
	put(scratch->path, "");
	put(in(scratch, "web-out.log.1"), "one");
	run_once(scratch, 30, "new");
	assert_content(scratch->path, "new");
	assert_content(in(scratch, "web-out.log.1"), "one");
	assert_int_equal(file_count(scratch), 2);
}

/* The oldest cannot be replaced: nothing has moved, nothing is lost. */
static void test_failed_rotation_loses_nothing(void **state)
{
	struct scratch *scratch = *state;
	put(scratch->path, "now");
	put(in(scratch, "web-out.log.1"), "one");
	assert_int_equal(mkdir(in(scratch, "web-out.log.2"), 0700), 0);
	assert_int_equal(logfile_start(scratch->path, 2, LOGFILE_NO_OWNER, &scratch->err), -1);
	char expected[512];
	snprintf(expected, sizeof(expected), "cannot rotate log '%s.1' to '%s.2': Is a directory",
		 scratch->path, scratch->path);
	assert_string_equal(scratch->err.message, expected);
	assert_content(scratch->path, "now");
	assert_content(in(scratch, "web-out.log.1"), "one");
}

static void test_directory_in_its_place(void **state)
{
	struct scratch *scratch = *state;
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	assert_int_equal(mkdir(scratch->path, 0700), 0);
	assert_int_equal(logfile_start(scratch->path, 3, LOGFILE_NO_OWNER, &scratch->err), -1);
	assert_error(scratch, "log ", "web-out.log", " is a directory");
	assert_int_equal(logfile_flush(scratch->path, &scratch->err), -1);
	assert_error(scratch, "log ", "web-out.log", " is a directory");
	assert_int_equal(logfile_remove(scratch->path, &scratch->err), -1);
	assert_error(scratch, "log ", "web-out.log", " is a directory");
	assert_int_equal(logfile_read_last(scratch->path, 1, 0, &buffer, NULL, &scratch->err), -1);
	assert_error(scratch, "log ", "web-out.log", " is a directory");
}

static void test_missing_parent(void **state)
{
	struct scratch *scratch = *state;
	char expected[512];
	assert_int_equal(logfile_start(in(scratch, "no/web.log"), 3, LOGFILE_NO_OWNER,
				       &scratch->err),
			 -1);
	snprintf(expected, sizeof(expected),
		 "cannot open log '%s/no/web.log': create its directory '%s/no' first",
		 scratch->directory, scratch->directory);
	assert_string_equal(scratch->err.message, expected);
}

static void test_parent_is_a_file(void **state)
{
	struct scratch *scratch = *state;
	put(in(scratch, "file"), "");
	assert_int_equal(logfile_start(in(scratch, "file/web.log"), 3, LOGFILE_NO_OWNER,
				       &scratch->err),
			 -1);
	assert_error(scratch, "cannot open log ", "file/web.log", ": Not a directory");
}

static void test_fifo(void **state)
{
	struct scratch *scratch = *state;
	assert_int_equal(mkfifo(scratch->path, 0600), 0);
	assert_int_equal(logfile_start(scratch->path, 3, LOGFILE_NO_OWNER, &scratch->err), -1);
	assert_error(scratch, "cannot open log ", "web-out.log",
		     ": nobody reads it, start its reader first");
	int reader = open(scratch->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int fd = logfile_start(scratch->path, 3, LOGFILE_NO_OWNER, &scratch->err);
	assert_true(fd >= 0);
	assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(logfile_write_header(fd, scratch->path, "web", "", &scratch->err), 0);
	char byte;
	assert_int_equal(read(reader, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(logfile_flush(scratch->path, &scratch->err), 0);
	assert_int_equal(logfile_remove(scratch->path, &scratch->err), 0);
	assert_true(exists(scratch->path));
	close(fd);
	close(reader);
}

static void test_device_is_left_alone(void **state)
{
	struct scratch *scratch = *state;
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	int fd = logfile_start("/dev/null", 3, LOGFILE_NO_OWNER, &scratch->err);
	assert_true(fd >= 0);
	assert_int_equal(logfile_write_header(fd, "/dev/null", "web", "", &scratch->err), 0);
	close(fd);
	assert_int_equal(logfile_flush("/dev/null", &scratch->err), 0);
	assert_int_equal(logfile_remove("/dev/null", &scratch->err), 0);
	assert_int_equal(logfile_read_last("/dev/null", 5, 0, &buffer, NULL, &scratch->err), 0);
	assert_int_equal(buffer.length, 0);
	assert_true(exists("/dev/null"));
	assert_false(exists("/dev/null.1"));
}

static void test_link_is_appended_to(void **state)
{
	struct scratch *scratch = *state;
	put(in(scratch, "target"), "old\n");
	assert_int_equal(symlink("target", scratch->path), 0);
	run_once(scratch, 3, "new\n");
	assert_content(in(scratch, "target"), "old\nnew\n");
	assert_int_equal(logfile_flush(scratch->path, &scratch->err), 0);
	assert_int_equal(logfile_remove(scratch->path, &scratch->err), 0);
	assert_content(scratch->path, "old\nnew\n");
	assert_int_equal(file_count(scratch), 2);
}

static uid_t owner_of(const char *path)
{
	struct stat status;
	assert_int_equal(lstat(path, &status), 0);
	return status.st_uid;
}

static void expect_unsafe(struct scratch *scratch, const char *path)
{
	char part[] = "leads through a symbolic link that is not safe";
	assert_int_equal(logfile_check(path, 65534, &scratch->err), -1);
	assert_non_null(strstr(scratch->err.message, part));
	assert_int_equal(logfile_start(path, 3, 65534, &scratch->err), -1);
	assert_non_null(strstr(scratch->err.message, part));
}

/* Root gives nothing away that somebody else put in the log's place. */
static void test_log_of_another_user(void **state)
{
	struct scratch *scratch = *state;
	if (geteuid() != 0)
		skip();
	int fd = logfile_start(scratch->path, 3, 65534, &scratch->err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(owner_of(scratch->path), 65534);
	unlink(scratch->path);
	put(in(scratch, "target"), "old\n");
	assert_int_equal(symlink("target", scratch->path), 0);
	assert_int_equal(lchown(scratch->path, 65534, 65534), 0);
	expect_unsafe(scratch, scratch->path);
	/* without an owner it is nobody's business */
	fd = logfile_start(scratch->path, 3, LOGFILE_NO_OWNER, &scratch->err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(lchown(scratch->path, 0, 0), 0);
	fd = logfile_start(scratch->path, 3, 65534, &scratch->err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(chmod(scratch->directory, 0777), 0);
	expect_unsafe(scratch, scratch->path);
	assert_int_equal(owner_of(in(scratch, "target")), 0);
	assert_content(in(scratch, "target"), "old\n");
	unlink(scratch->path);
	put(in(scratch, "target"), "");
	assert_int_equal(link(in(scratch, "target"), scratch->path), 0);
	assert_int_equal(logfile_start(scratch->path, 3, 65534, &scratch->err), -1);
	assert_non_null(strstr(scratch->err.message, "has another name"));
	assert_int_equal(owner_of(in(scratch, "target")), 0);
}

/* On the way to the log no link of somebody else is followed, and one of root's is. */
static void test_directory_of_another_user(void **state)
{
	struct scratch *scratch = *state;
	if (geteuid() != 0)
		skip();
	const char *here = in(scratch, "here");
	char log[192];
	snprintf(log, sizeof(log), "%s/../here/app.log", here);
	assert_int_equal(symlink(".", here), 0);
	assert_int_equal(lchown(here, 65534, 65534), 0);
	expect_unsafe(scratch, log);
	assert_false(exists(in(scratch, "app.log")));
	assert_int_equal(lchown(here, 0, 0), 0);
	snprintf(log, sizeof(log), "%s/app.log", here);
	int fd = logfile_start(log, 3, 65534, &scratch->err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(owner_of(in(scratch, "app.log")), 65534);
	unlink(here);
	/* a link to itself ends */
	assert_int_equal(symlink("here", here), 0);
	expect_unsafe(scratch, log);
	assert_int_equal(logfile_start(in(scratch, "no/x"), 3, 65534, &scratch->err), -1);
	assert_non_null(strstr(scratch->err.message, "create its directory"));
	assert_int_equal(logfile_start(in(scratch, "app.log/x"), 3, 65534, &scratch->err), -1);
	assert_non_null(strstr(scratch->err.message, "Not a directory"));
}

/* Run CHECK in a child that is no longer root; its status is the result. */
static int without_root(int (*check)(const char *path), const char *path)
{
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(99);
		_exit(check(path));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int append_a_line(const char *path)
{
	struct error err = ERROR_INIT;
	int fd = logfile_start(path, 3, LOGFILE_NO_OWNER, &err);
	return fd < 0 || write(fd, "new\n", 4) != 4;
}

/* A log in a directory of somebody else cannot be rotated, but it can be written. */
static void test_foreign_directory(void **state)
{
	struct scratch *scratch = *state;
	put(scratch->path, "old\n");
	assert_int_equal(chmod(scratch->path, 0666), 0);
	assert_int_equal(chmod(scratch->directory, 0555), 0);
	int result = without_root(append_a_line, scratch->path);
	assert_int_equal(chmod(scratch->directory, 0700), 0);
	assert_int_equal(result, 0);
	assert_content(scratch->path, "old\nnew\n");
}

static int expect_refusal(const char *path)
{
	struct error err = ERROR_INIT;
	char expected[512];
	snprintf(expected, sizeof(expected), "cannot open log '%s': Permission denied", path);
	bool same = logfile_start(path, 3, LOGFILE_NO_OWNER, &err) == -1 &&
		    strcmp(err.message, expected) == 0;
	error_clear(&err);
	return !same;
}

static void test_refused(void **state)
{
	struct scratch *scratch = *state;
	assert_int_equal(chmod(scratch->directory, 0555), 0);
	int result = without_root(expect_refusal, scratch->path);
	assert_int_equal(chmod(scratch->directory, 0700), 0);
	assert_int_equal(result, 0);
}

static void assert_matches(const char *path, const char *before, const char *after)
{
	char pattern[256];
	struct buffer content CLEANUP_BUFFER = BUFFER_INIT;
	assert_int_equal(file_read(AT_FDCWD, path, 0, &content), 0);
	snprintf(pattern, sizeof(pattern), "%s%s%s", before, timestamp, after);
	if (fnmatch(pattern, buffer_string(&content), 0) != 0)
		fail_msg("'%s' does not match '%s'", buffer_string(&content), pattern);
}

static void test_header(void **state)
{
	struct scratch *scratch = *state;
	int fd = logfile_start(scratch->path, 3, LOGFILE_NO_OWNER, &scratch->err);
	assert_int_equal(logfile_write_header(fd, scratch->path, "web", "", &scratch->err), 0);
	assert_matches(scratch->path, "--- Starting service 'web' at ", " ---\n");
	assert_int_equal(logfile_write_header(fd, scratch->path, "w b", " (merged logs)",
					      &scratch->err),
			 0);
	assert_matches(scratch->path,
		       "--- Starting service 'web' at * ---\n\n"
		       "--- Starting service 'w b' at ",
		       " (merged logs) ---\n");
	close(fd);
}

/* A limit on file sizes stands for the full disk: EFBIG instead of ENOSPC. */
static int expect_full(const char *path)
{
	struct error err = ERROR_INIT;
	struct rlimit limit = { 10, 10 };
	char expected[512];
	int fd = logfile_start(path, 3, LOGFILE_NO_OWNER, &err);
	signal(SIGXFSZ, SIG_IGN);
	if (fd < 0 || setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	snprintf(expected, sizeof(expected), "cannot write to log '%s': File too large", path);
	bool same = logfile_write_header(fd, path, "web", "", &err) == -1 &&
		    strcmp(err.message, expected) == 0;
	error_clear(&err);
	close(fd);
	return !same;
}

static void test_full_disk(void **state)
{
	struct scratch *scratch = *state;
	assert_int_equal(chmod(scratch->directory, 0777), 0);
	assert_int_equal(without_root(expect_full, scratch->path), 0);
}

static void test_flush(void **state)
{
	struct scratch *scratch = *state;
	for (int run = 0; run < 4; run++)
		run_once(scratch, 30, "x\n");
	put(in(scratch, "web-out.log.40"), "behind a gap");
	put(in(scratch, "web-out.log.old"), "not ours");
	int writer = open(scratch->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(logfile_flush(scratch->path, &scratch->err), 0);
	assert_matches(scratch->path, "--- Log flushed at ", " ---\n");
	assert_int_equal(file_count(scratch), 2);
	assert_int_equal(write(writer, "on\n", 3), 3);
	assert_matches(scratch->path, "--- Log flushed at ", " ---\non\n");
	close(writer);
	assert_int_equal(logfile_remove(scratch->path, &scratch->err), 0);
	assert_int_equal(file_count(scratch), 1);
}

static void test_flush_of_nothing(void **state)
{
	struct scratch *scratch = *state;
	assert_false(logfile_exists(scratch->path));
	assert_false(logfile_exists("/dev/null"));
	put(in(scratch, "web-out.log.3"), "rotated");
	assert_true(logfile_exists(scratch->path));
	assert_int_equal(logfile_flush(scratch->path, &scratch->err), 0);
	assert_int_equal(file_count(scratch), 0);
	assert_int_equal(logfile_remove(scratch->path, &scratch->err), 0);
}

static void test_rotated_directory_cannot_be_removed(void **state)
{
	struct scratch *scratch = *state;
	put(scratch->path, "x");
	assert_int_equal(mkdir(in(scratch, "web-out.log.1"), 0700), 0);
	assert_int_equal(logfile_remove(scratch->path, &scratch->err), -1);
	assert_error(scratch, "cannot remove log ", "web-out.log.1", ": Is a directory");
}

static void test_list(void **state)
{
	struct scratch *scratch = *state;
	static const char *const names[] = { "web-out.log",
					     "web-out.log.1",
					     "web-out.log.12",
					     "old.log.3",
					     "a b.log",
					     "x.log.tmp",
					     ".log",
					     "12",
					     "log",
					     "notes.txt",
					     "n.1" };
	struct logfile_list list;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		put(in(scratch, names[i]), "");
	assert_int_equal(logfile_list(&list, scratch->directory, &scratch->err), 0);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.paths[0], in(scratch, "a b.log"));
	assert_string_equal(list.paths[1], in(scratch, "old.log"));
	assert_string_equal(list.paths[2], in(scratch, "web-out.log"));
	logfile_list_release(&list);
	assert_int_equal(logfile_list(&list, in(scratch, "none"), &scratch->err), 0);
	assert_int_equal(list.count, 0);
	assert_int_equal(logfile_list(&list, in(scratch, "12"), &scratch->err), -1);
	assert_error(scratch, "cannot read directory ", "12", ": Not a directory");
}

struct last_case {
	const char *content;
	size_t lines;
	size_t limit;
	const char *expected;
};

static const struct last_case last_cases[] = {
	{ "", 5, 0, "" },
	{ "a\nb\nc\n", 0, 0, "" },
	{ "a\nb\nc\n", 1, 0, "c\n" },
	{ "a\nb\nc\n", 2, 0, "b\nc\n" },
	{ "a\nb\nc\n", 3, 0, "a\nb\nc\n" },
	{ "a\nb\nc\n", 4, 0, "a\nb\nc\n" },
	{ "a\nb\nc", 2, 0, "b\nc\n" },
	{ "a\nb\nc", 1, 0, "c\n" },
	{ "alone", 3, 0, "alone\n" },
	{ "\n", 1, 0, "\n" },
	{ "\n\n\n", 2, 0, "\n\n" },
	{ "a\n\n", 2, 0, "a\n\n" },
	{ "\xff\xfe\n\x01\x80\n", 1, 0, "\x01\x80\n" },
	{ "aaaa\nbbbb\ncccc\n", 3, 15, "aaaa\nbbbb\ncccc\n" },
	{ "aaaa\nbbbb\ncccc\n", 3, 14, "bbbb\ncccc\n" },
	{ "aaaa\nbbbb\ncccc\n", 3, 10, "bbbb\ncccc\n" },
	{ "aaaa\nbbbb\ncccc\n", 3, 9, "cccc\n" },
	{ "aaaa\nbbbb\ncccc\n", 3, 5, "cccc\n" },
	{ "aaaa\nbbbb\ncccc\n", 3, 3, "cc\n" },
	{ "aaaa\nbbbb\ncccc\n", 1, 100, "cccc\n" },
	{ "0123456789", 3, 4, "6789\n" },
};

static void test_read_last(void **state)
{
	struct scratch *scratch = *state;
	for (size_t i = 0; i < ARRAY_LENGTH(last_cases); i++) {
		const struct last_case *given = &last_cases[i];
		struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
		off_t end = -1;
		put(scratch->path, given->content);
		assert_int_equal(logfile_read_last(scratch->path, given->lines, given->limit,
						   &buffer, &end, &scratch->err),
				 0);
		assert_string_equal(buffer_string(&buffer), given->expected);
		assert_int_equal(end, strlen(given->content));
	}
}

static void collect(void *context, const char *line, size_t length)
{
	struct buffer *buffer = context;
	buffer_append(buffer, line, length);
	buffer_append_char(buffer, '$');
}

struct visit_case {
	const char *content;
	size_t lines;
	enum logfile_ending ending;
	const char *expected;
	off_t offset;
};

static const struct visit_case visit_cases[] = {
	{ "", 5, LOGFILE_ALL_LINES, "", 0 },
	{ "", 5, LOGFILE_WHOLE_LINES, "", 0 },
	{ "a\nb\nc\n", 2, LOGFILE_ALL_LINES, "b$c$", 6 },
	{ "a\nb\nc\n", 2, LOGFILE_WHOLE_LINES, "b$c$", 6 },
	{ "a\nb\nc", 2, LOGFILE_ALL_LINES, "b$c$", 5 },
	{ "a\nb\nc", 2, LOGFILE_WHOLE_LINES, "a$b$", 4 },
	{ "a\nb\nc", 0, LOGFILE_WHOLE_LINES, "", 4 },
	{ "begun", 2, LOGFILE_WHOLE_LINES, "", 0 },
	{ "begun", 2, LOGFILE_ALL_LINES, "begun$", 5 },
	{ "\n\n", 9, LOGFILE_WHOLE_LINES, "$$", 2 },
};

static void test_visit_last(void **state)
{
	struct scratch *scratch = *state;
	for (size_t i = 0; i < ARRAY_LENGTH(visit_cases); i++) {
		const struct visit_case *given = &visit_cases[i];
		struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
		struct logfile_position position;
		struct stat status;
		put(scratch->path, given->content);
		assert_int_equal(stat(scratch->path, &status), 0);
		assert_int_equal(logfile_visit_last(scratch->path, given->lines, given->ending,
						    collect, &buffer, &position, &scratch->err),
				 0);
		assert_string_equal(buffer_string(&buffer), given->expected);
		assert_int_equal(position.offset, given->offset);
		assert_int_equal(position.inode, status.st_ino);
	}
}

static void test_nothing_there(void **state)
{
	struct scratch *scratch = *state;
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	struct logfile_position position = { .device = 1, .inode = 1, .offset = 1 };
	off_t end = -1;
	assert_int_equal(logfile_read_last(scratch->path, 5, 0, &buffer, &end, &scratch->err), 0);
	assert_int_equal(end, 0);
	assert_int_equal(logfile_visit_last(scratch->path, 5, LOGFILE_ALL_LINES, collect, &buffer,
					    &position, &scratch->err),
			 0);
	assert_int_equal(position.inode, 0);
	assert_int_equal(buffer.length, 0);
}

/* Reading must not open a FIFO: closing it again would kill its writer. */
static void test_fifo_is_not_read(void **state)
{
	struct scratch *scratch = *state;
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	assert_int_equal(mkfifo(scratch->path, 0600), 0);
	assert_int_equal(logfile_read_last(scratch->path, 5, 0, &buffer, NULL, &scratch->err), 0);
	assert_int_equal(buffer.length, 0);
}

static int expect_unreadable(const char *path)
{
	struct error err = ERROR_INIT;
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	char expected[512];
	snprintf(expected, sizeof(expected), "cannot read log '%s': Permission denied", path);
	bool same = logfile_read_last(path, 5, 0, &buffer, NULL, &err) == -1 &&
		    strcmp(err.message, expected) == 0;
	error_clear(&err);
	return !same;
}

static void test_unreadable(void **state)
{
	struct scratch *scratch = *state;
	put(scratch->path, "secret\n");
	assert_int_equal(chmod(scratch->path, 0), 0);
	assert_int_equal(chmod(scratch->directory, 0755), 0);
	assert_int_equal(without_root(expect_unreadable, scratch->path), 0);
}

/* Line lengths around and beyond the blocks that files are read in. */
static void test_every_block_boundary(void **state)
{
	struct scratch *scratch = *state;
	static const size_t lengths[] = { 0,     1,      65534,  65535,  65536,
					  65537, 131070, 131071, 131072, 200000 };
	for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
		struct buffer content CLEANUP_BUFFER = BUFFER_INIT;
		struct buffer last CLEANUP_BUFFER = BUFFER_INIT;
		struct buffer visited CLEANUP_BUFFER = BUFFER_INIT;
		memset(buffer_reserve(&content, lengths[i]), 'x', lengths[i]);
		content.length = lengths[i];
		buffer_append_string(&content, "\nsecond\nthird\n");
		put(scratch->path, content.data);
		assert_int_equal(logfile_read_last(scratch->path, 2, 0, &last, NULL, &scratch->err),
				 0);
		assert_string_equal(last.data, "second\nthird\n");
		buffer_clear(&last);
		assert_int_equal(logfile_read_last(scratch->path, 3, 0, &last, NULL, &scratch->err),
				 0);
		assert_string_equal(last.data, content.data);
		assert_int_equal(logfile_visit_last(scratch->path, 3, LOGFILE_ALL_LINES, collect,
						    &visited, NULL, &scratch->err),
				 0);
		assert_int_equal(visited.length, content.length);
	}
}

/* The time is that of a few blocks, not of the file. */
static void test_huge_file(void **state)
{
	struct scratch *scratch = *state;
	const off_t size = (off_t)64 << 30;
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	off_t end;
	int fd = open(scratch->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, size), 0);
	for (int line = 0; line < 20; line++)
		assert_int_equal(pwrite(fd, "0123456789abcde\n", 16, size + line * 16), 16);
	close(fd);
	clock_t before = clock();
	assert_int_equal(logfile_read_last(scratch->path, 15, 0, &buffer, &end, &scratch->err), 0);
	assert_true(clock() - before < CLOCKS_PER_SEC / 4);
	assert_int_equal(buffer.length, 15 * 16);
	assert_int_equal(end, size + 20 * 16);
}

int main(void)
{
#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_create, scratch_destroy)
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_descriptor),
		SCRATCH_TEST(test_rotation),
		SCRATCH_TEST(test_thirty_are_kept),
		SCRATCH_TEST(test_gap_is_filled),
		SCRATCH_TEST(test_keep_none),
		SCRATCH_TEST(test_keep_fewer_than_before),
		SCRATCH_TEST(test_empty_is_not_rotated),
		SCRATCH_TEST(test_failed_rotation_loses_nothing),
		SCRATCH_TEST(test_directory_in_its_place),
		SCRATCH_TEST(test_missing_parent),
		SCRATCH_TEST(test_parent_is_a_file),
		SCRATCH_TEST(test_fifo),
		SCRATCH_TEST(test_device_is_left_alone),
		SCRATCH_TEST(test_link_is_appended_to),
		SCRATCH_TEST(test_log_of_another_user),
		SCRATCH_TEST(test_directory_of_another_user),
		SCRATCH_TEST(test_foreign_directory),
		SCRATCH_TEST(test_refused),
		SCRATCH_TEST(test_header),
		SCRATCH_TEST(test_full_disk),
		SCRATCH_TEST(test_flush),
		SCRATCH_TEST(test_flush_of_nothing),
		SCRATCH_TEST(test_rotated_directory_cannot_be_removed),
		SCRATCH_TEST(test_list),
		SCRATCH_TEST(test_read_last),
		SCRATCH_TEST(test_visit_last),
		SCRATCH_TEST(test_nothing_there),
		SCRATCH_TEST(test_fifo_is_not_read),
		SCRATCH_TEST(test_unreadable),
		SCRATCH_TEST(test_every_block_boundary),
		SCRATCH_TEST(test_huge_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
