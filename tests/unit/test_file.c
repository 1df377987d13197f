/*
 * Files read whole and replaced whole.
 */
#include "support/support.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY_ID = 65534, NOT_POSSIBLE = 99 };

/* What WORK returns in a child of its own, 0 to 98 or NOT_POSSIBLE. */
static int in_child(int (*work)(const char *directory), const char *directory)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(work(directory));
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Give up root, for what root may always do. */
static bool become_nobody(void)
{
	if (geteuid() != 0)
		return true;
	return setgroups(0, NULL) == 0 && setgid(NOBODY_ID) == 0 && setuid(NOBODY_ID) == 0;
}

static int open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("cannot open '%s': %s", path, strerror(errno));
	return fd;
}

static void make_special_files(struct test_project *project)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	assert_int_equal(mkdir(project_path(project, "directory"), 0755), 0);
	assert_int_equal(mkfifo(project_path(project, "fifo"), 0600), 0);
	assert_int_equal(symlink("/dev/null", project_path(project, "null")), 0);
	assert_int_equal(symlink("nowhere", project_path(project, "dangling")), 0);
	assert_int_equal(symlink("loop", project_path(project, "loop")), 0);
	assert_int_equal(symlink("file", project_path(project, "link")), 0);
	const char *path = project_path(project, "socket");
	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void test_read(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *name;
		size_t limit;
		int result;
		size_t length;
	} rows[] = {
		{ "file", 0, 0, 10 },           { "file", 10, 0, 10 },
		{ "file", 11, 0, 10 },          { "file", 9, -EFBIG, 0 },
		{ "link", 0, 0, 10 },           { "empty", 0, 0, 0 },
		{ "empty", 1, 0, 0 },           { "large", 0, 0, 300000 },
		{ "large", 300000, 0, 300000 }, { "large", 299999, -EFBIG, 0 },
		{ "missing", 0, -ENOENT, 0 },   { "dangling", 0, -ENOENT, 0 },
		{ "file/x", 0, -ENOTDIR, 0 },   { "loop", 0, -ELOOP, 0 },
		{ "directory", 0, -EISDIR, 0 }, { "fifo", 0, -EINVAL, 0 },
		{ "null", 0, -EINVAL, 0 },      { "socket", 0, -EINVAL, 0 },
	};
	char *large CLEANUP_FREE = memory_alloc(300000);
	memset(large, 'l', 300000);
	project_write_bytes(project, "file", "0123\0456789", 10);
	project_write_bytes(project, "empty", "", 0);
	project_write_bytes(project, "large", large, 300000);
	make_special_files(project);
	int dirfd CLEANUP_CLOSE = open_directory(project->directory);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
		buffer_append_string(&buffer, "before ");
		int result = file_read(dirfd, rows[i].name, rows[i].limit, &buffer);
		if (result != rows[i].result)
			fail_msg("'%s' with limit %zu: %d", rows[i].name, rows[i].limit, result);
		assert_int_equal(buffer.length, 7 + rows[i].length);
		assert_memory_equal(buffer.data, "before ", 7);
		assert_int_equal(buffer.data[buffer.length], '\0');
	}
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	assert_int_equal(file_read(AT_FDCWD, project_path(project, "file"), 0, &buffer), 0);
	assert_memory_equal(buffer.data, "0123\0456789", 10);
	/* no descriptor was left open, not by the failures either */
	int next = dup(dirfd);
	assert_int_equal(next, dirfd + 1);
	close(next);
}

static int read_forbidden(const char *directory)
{
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	char *path CLEANUP_FREE = memory_printf("%s/secret", directory);
	if (!become_nobody())
		return NOT_POSSIBLE;
	return -file_read(AT_FDCWD, path, 0, &buffer);
}

static void test_read_forbidden(void **state)
{
	struct test_project *project = *state;
	project_write(project, "secret", "x");
	assert_int_equal(chmod(project_path(project, "secret"), 0), 0);
	assert_int_equal(in_child(read_forbidden, project->directory), EACCES);
}

/* Files of /proc say that they are empty. */
static void test_read_proc(void **state)
{
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	(void)state;
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/stat", 0, &buffer), 0);
	assert_true(buffer.length > 50);
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/stat", 10, &buffer), -EFBIG);
}

static void test_read_fd(void **state)
{
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	int ends[2];
	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(file_write_all(ends[1], "hello", 5), 0);
	close(ends[1]);
	assert_int_equal(file_read_fd(ends[0], 5, &buffer), 0);
	assert_string_equal(buffer_string(&buffer), "hello");
	close(ends[0]);
	assert_int_equal(file_read_fd(ends[0], 5, &buffer), -EBADF);
	assert_string_equal(buffer_string(&buffer), "hello");
}

static void ignore_alarm(int signal)
{
	(void)signal;
}

static void *read_slowly(void *argument)
{
	int fd = *(int *)argument;
	size_t total = 0;
	char bytes[20011];
	for (ssize_t got; (got = read(fd, bytes, sizeof(bytes))) != 0;) {
		if (got < 0)
			continue;
		for (ssize_t i = 0; i < got; i++)
			if (bytes[i] != (char)((total + (size_t)i) % 251))
				return (void *)1;
		total += (size_t)got;
	}
	return total == 3000000 ? NULL : (void *)2;
}

/* Over short writes, with a signal every half millisecond that does not restart system calls. */
static void test_write_all(void **state)
{
	struct sigaction action = { .sa_handler = ignore_alarm };
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	int ends[2];
	pthread_t reader;
	void *result;
	(void)state;
	char *bytes CLEANUP_FREE = memory_alloc(3000000);
	for (size_t i = 0; i < 3000000; i++)
		bytes[i] = (char)(i % 251);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_slowly, &ends[0]), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	int written = file_write_all(ends[1], bytes, 3000000);
	setitimer(ITIMER_REAL, &never, NULL);
	close(ends[1]);
	pthread_join(reader, &result);
	close(ends[0]);
	assert_int_equal(written, 0);
	assert_null(result);
}

static void test_write_all_fails(void **state)
{
	int full CLEANUP_CLOSE = open("/dev/full", O_WRONLY | O_CLOEXEC);
	(void)state;
	assert_int_equal(file_write_all(full, "x", 1), -ENOSPC);
	assert_int_equal(file_write_all(full, "", 0), 0);
	assert_int_equal(file_write_all(-1, "x", 1), -EBADF);
}

static void check_file(struct test_project *project, const char *name, const char *expected)
{
	char *text CLEANUP_FREE = project_read(project, name);
	assert_non_null(text);
	assert_string_equal(text, expected);
}

static mode_t file_mode(struct test_project *project, const char *name)
{
	struct stat status;
	assert_int_equal(lstat(project_path(project, "%s", name), &status), 0);
	return status.st_mode;
}

static void test_replace(void **state)
{
	struct test_project *project = *state;
	int dirfd CLEANUP_CLOSE = open_directory(project->directory);
	assert_int_equal(file_replace(dirfd, "new", "one", 3, 0600), 0);
	check_file(project, "new", "one");
	assert_int_equal(file_mode(project, "new"), S_IFREG | 0600);
	assert_int_equal(file_replace(dirfd, "new", "", 0, 0640), 0);
	check_file(project, "new", "");
	assert_int_equal(file_mode(project, "new"), S_IFREG | 0640);
	/* a link is replaced, not followed */
	project_write(project, "target", "untouched");
	assert_int_equal(symlink("target", project_path(project, "link")), 0);
	assert_int_equal(file_replace(dirfd, "link", "two", 3, 0600), 0);
	assert_int_equal(file_mode(project, "link"), S_IFREG | 0600);
	check_file(project, "target", "untouched");
	assert_false(project_exists(project, "new~"));
	assert_false(project_exists(project, "link~"));
	/* no descriptor was left open */
	int next = dup(dirfd);
	assert_int_equal(next, dirfd + 1);
	close(next);
}

/* What a killed writer, or somebody else, has left in the way. */
static void test_replace_leftovers(void **state)
{
	struct test_project *project = *state;
	int dirfd CLEANUP_CLOSE = open_directory(project->directory);
	project_write(project, "target", "untouched");
	project_write(project, "a~", "a longer leftover of another time");
	assert_int_equal(chmod(project_path(project, "a~"), 0644), 0);
	assert_int_equal(symlink("target", project_path(project, "b~")), 0);
	assert_int_equal(link(project_path(project, "target"), project_path(project, "c~")), 0);
	assert_int_equal(mkfifo(project_path(project, "d~"), 0600), 0);
	assert_int_equal(symlink("/dev/full", project_path(project, "e~")), 0);
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		assert_int_equal(file_replace(dirfd, names[i], "new", 3, 0600), 0);
		check_file(project, names[i], "new");
		assert_int_equal(file_mode(project, names[i]), S_IFREG | 0600);
		assert_false(project_exists(project, project_path(project, "%s~", names[i])));
	}
	check_file(project, "target", "untouched");
}

static void test_replace_fails(void **state)
{
	struct test_project *project = *state;
	char long_name[600];
	memset(long_name, 'n', sizeof(long_name));
	long_name[599] = '\0';
	int dirfd CLEANUP_CLOSE = open_directory(project->directory);
	project_write(project, "directory/inside", "x");
	project_write(project, "blocked", "old");
	project_write(project, "blocked~/inside", "x");
	const struct {
		const char *name;
		int result;
	} rows[] = {
		{ "directory", -EISDIR },     { "missing/name", -ENOENT },
		{ "blocked/x", -ENOTDIR },    { "blocked", -EISDIR },
		{ long_name, -ENAMETOOLONG }, { long_name + 599 - 255, -ENAMETOOLONG },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		int result = file_replace(dirfd, rows[i].name, "new", 3, 0600);
		if (result != rows[i].result)
			fail_msg("'%s': %d (%s)", rows[i].name, result, strerror(-result));
	}
	check_file(project, "blocked", "old");
	assert_false(project_exists(project, "directory~"));
	assert_int_equal(project_count(project, ".", "*"), 3);
}

enum { REPLACEMENTS = 10000, SIZE_STEP = 97 };

/* The content number I: a letter, as often as the number says. */
static size_t make_content(unsigned int i, char content[64 * SIZE_STEP])
{
	size_t length = (i % 64) * SIZE_STEP;
	memset(content, 'a' + (int)(i % 26), length);
	return length;
}

static int replace_often(const char *directory)
{
	int dirfd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char content[64 * SIZE_STEP];
	for (unsigned int i = 0; i < REPLACEMENTS; i++) {
		size_t length = make_content(i, content);
		if (file_replace(dirfd, "file", content, length, 0600) < 0)
			return 1;
	}
	return 0;
}

static void check_content(const struct buffer *buffer)
{
	assert_int_equal(buffer->length % SIZE_STEP, 0);
	for (size_t i = 1; i < buffer->length; i++)
		if (buffer->data[i] != buffer->data[0])
			fail_msg("%zu bytes of '%c', then '%c'", i, buffer->data[0],
				 buffer->data[i]);
}

/* A reader sees the old content or the new, never a part, and never nothing at all. */
static void test_replace_is_atomic(void **state)
{
	struct test_project *project = *state;
	int dirfd CLEANUP_CLOSE = open_directory(project->directory);
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	size_t reads = 0;
	size_t changes = 0;
	size_t previous = SIZE_MAX;
	project_write(project, "file", "%s", "");
	pid_t writer = fork();
	assert_true(writer >= 0);
	if (writer == 0)
		_exit(replace_often(project->directory));
	int status;
	while (waitpid(writer, &status, WNOHANG) == 0) {
		buffer_clear(&buffer);
		assert_int_equal(file_read(dirfd, "file", 0, &buffer), 0);
		check_content(&buffer);
		changes += buffer.length != previous;
		previous = buffer.length;
		reads++;
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* the reader did get a look at it */
	assert_true(reads > 20);
	assert_true(changes > 10);
	assert_int_equal(project_count(project, ".", "*"), 1);
}

static int replace_beyond_limit(const char *directory)
{
	struct rlimit limit = { 100, 100 };
	char content[200];
	int dirfd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(content, 'x', sizeof(content));
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return NOT_POSSIBLE;
	return -file_replace(dirfd, "file", content, sizeof(content), 0600);
}

/* The write breaks off in the middle: the old content stays, and nothing else. */
static void test_replace_breaks_off(void **state)
{
	struct test_project *project = *state;
	project_write(project, "file", "old");
	assert_int_equal(in_child(replace_beyond_limit, project->directory), EFBIG);
	check_file(project, "file", "old");
	assert_int_equal(project_count(project, ".", "*"), 1);
}

static int write_until_full(int dirfd)
{
	static const char content[4096];
	for (int i = 0; i < 100; i++) {
		char name[16];
		snprintf(name, sizeof(name), "fill-%d", i);
		int result = file_replace(dirfd, name, content, sizeof(content), 0600);
		if (result < 0)
			return -result;
	}
	return NOT_POSSIBLE;
}

/* A file system of our own, in a mount namespace that ends with the child. */
static int replace_on_full_disk(const char *directory)
{
	struct buffer buffer CLEANUP_BUFFER = BUFFER_INIT;
	char large[65536];
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", directory, "tmpfs", 0, "size=32k") < 0)
		return NOT_POSSIBLE;
	int dirfd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(large, 'x', sizeof(large));
	if (file_replace(dirfd, "file", "old", 3, 0600) < 0)
		return 1;
	int error = write_until_full(dirfd);
	if (error != ENOSPC)
		return error;
	if (file_replace(dirfd, "file", large, sizeof(large), 0600) != -ENOSPC ||
	    faccessat(dirfd, "file~", F_OK, 0) == 0)
		return 2;
	if (file_read(dirfd, "file", 0, &buffer) < 0 || strcmp(buffer_string(&buffer), "old") != 0)
		return 3;
	if (mount(NULL, directory, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0 &&
	    file_replace(dirfd, "file", "new", 3, 0600) != -EROFS)
		return 4;
	return 0;
}

static void test_replace_full_disk(void **state)
{
	struct test_project *project = *state;
	int result = in_child(replace_on_full_disk, project->directory);
	if (result == NOT_POSSIBLE)
		SKIP("cannot mount a file system");
	assert_int_equal(result, 0);
}

static int replace_without_permission(const char *directory)
{
	int dirfd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!become_nobody())
		return NOT_POSSIBLE;
	return -file_replace(dirfd, "file", "new", 3, 0600);
}

static void test_replace_read_only(void **state)
{
	struct test_project *project = *state;
	project_write(project, "file", "old");
	assert_int_equal(chmod(project->directory, 0555), 0);
	assert_int_equal(in_child(replace_without_permission, project->directory), EACCES);
	assert_int_equal(chmod(project->directory, 0755), 0);
	check_file(project, "file", "old");
	assert_int_equal(project_count(project, ".", "*"), 1);
}

static void test_directories(void **state)
{
	struct test_project *project = *state;
	int dirfd CLEANUP_CLOSE = open_directory(project->directory);
	project_write(project, "file", "x");
	assert_int_equal(symlink("nowhere", project_path(project, "dangling")), 0);
	assert_int_equal(symlink(".", project_path(project, "link")), 0);
	static const struct {
		const char *path;
		int result;
		bool is_directory;
	} rows[] = {
		{ "new", 0, true },
		{ "new", 0, true },
		{ "new/inner", 0, true },
		{ "link", 0, true },
		{ "file", -ENOTDIR, false },
		{ "dangling", -ENOTDIR, false },
		{ "missing/inner", -ENOENT, false },
		{ "file/inner", -ENOTDIR, false },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		assert_int_equal(file_make_directory(dirfd, rows[i].path, 0700), rows[i].result);
		assert_int_equal(file_is_directory(dirfd, rows[i].path), rows[i].is_directory);
	}
	assert_int_equal(file_mode(project, "new"), S_IFDIR | 0700);
	assert_false(file_is_directory(AT_FDCWD, project_path(project, "file")));
	assert_true(file_is_directory(AT_FDCWD, "/"));
}

static int check_budget(const char *unused)
{
	static const struct {
		rlim_t limit;
		size_t budget;
	} rows[] = { { 1024, 960 }, { 256, 192 }, { 128, 64 }, { 127, 8 }, { 20, 8 } };
	(void)unused;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct rlimit limit = { rows[i].limit, rows[i].limit };
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			return NOT_POSSIBLE;
		if (file_descriptor_budget() != rows[i].budget)
			return (int)i + 1;
	}
	return 0;
}

static void test_budget(void **state)
{
	(void)state;
	assert_int_equal(in_child(check_budget, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_read),
		PROJECT_TEST(test_read_forbidden),
		cmocka_unit_test(test_read_proc),
		cmocka_unit_test(test_read_fd),
		cmocka_unit_test(test_write_all),
		cmocka_unit_test(test_write_all_fails),
		PROJECT_TEST(test_replace),
		PROJECT_TEST(test_replace_leftovers),
		PROJECT_TEST(test_replace_fails),
		cmocka_unit_test_setup_teardown(test_replace_is_atomic, project_setup_in_memory,
						project_teardown),
		PROJECT_TEST(test_replace_breaks_off),
		PROJECT_TEST(test_replace_full_disk),
		PROJECT_TEST(test_replace_read_only),
		PROJECT_TEST(test_directories),
		cmocka_unit_test(test_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
