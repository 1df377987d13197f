/* os/log_rotate: the log of a running service is rotated, and its lines are all there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "os/log_rotate.h"
#include "os/logfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct scratch {
	char directory[64];
	char path[96]; /* the log under test */
	struct error err;
};

static void scratch_open(struct scratch *scratch, const char *parent)
{
	snprintf(scratch->directory, sizeof(scratch->directory), "%s/pmo-rotate-XXXXXX", parent);
	assert_non_null(mkdtemp(scratch->directory));
	snprintf(scratch->path, sizeof(scratch->path), "%s/web.log", scratch->directory);
}

static void scratch_close(struct scratch *scratch)
{
	DIR *stream = opendir(scratch->directory);
	struct dirent *entry;
	while (stream && (entry = readdir(stream)))
		if (unlinkat(dirfd(stream), entry->d_name, 0) < 0 && errno == EISDIR)
			unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR);
	closedir(stream);
	assert_int_equal(rmdir(scratch->directory), 0);
}

static int scratch_create(void **state)
{
	struct scratch *scratch = memory_zalloc(1, sizeof(*scratch));
	scratch_open(scratch, "/tmp");
	*state = scratch;
	return 0;
}

static int scratch_destroy(void **state)
{
	struct scratch *scratch = *state;
	scratch_close(scratch);
	error_clear(&scratch->err);
	free(scratch);
	return 0;
}

/* The log's name with this SUFFIX; valid until the next call but three. */
static const char *named(const struct scratch *scratch, const char *suffix)
{
	static char paths[4][160];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s%s", scratch->path, suffix);
	return path;
}

static void put(const char *path, const char *text)
{
	assert_int_equal(file_replace(AT_FDCWD, path, text, strlen(text), 0600), 0);
}

static void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void assert_content(const char *path, const char *expected)
{
	struct buffer content CLEANUP_BUFFER = BUFFER_INIT;
	assert_int_equal(file_read(AT_FDCWD, path, 0, &content), 0);
	assert_string_equal(buffer_string(&content), expected);
}

static size_t file_count(const struct scratch *scratch)
{
	size_t count = 0;
	DIR *stream = opendir(scratch->directory);
	struct dirent *entry;
	while ((entry = readdir(stream)))
		count += entry->d_name[0] != '.';
	closedir(stream);
	return count;
}

static void rotate(struct scratch *scratch, int keep)
{
	if (logfile_rotate_running(scratch->path, keep, LOGFILE_NO_OWNER, &scratch->err) < 0)
		fail_msg("%s", scratch->err.message);
}

static void assert_refused(struct scratch *scratch, const char *reason)
{
	assert_int_equal(logfile_rotate_running(scratch->path, 3, LOGFILE_NO_OWNER, &scratch->err),
			 -1);
	assert_non_null(strstr(scratch->err.message, scratch->path));
	assert_non_null(strstr(scratch->err.message, reason));
}

static void test_writer_goes_on(void **state)
{
	struct scratch *scratch = *state;
	int fd = open(scratch->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(write(fd, "one\n", 4), 4);
	rotate(scratch, 3);
	assert_int_equal(write(fd, "two\n", 4), 4);
	close(fd);
	assert_content(named(scratch, ".1"), "one\n");
	assert_content(scratch->path, "two\n");
	assert_int_equal(file_count(scratch), 2);
	struct stat status;
	assert_int_equal(stat(named(scratch, ".1"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
}

static void test_numbers(void **state)
{
	struct scratch *scratch = *state;
	append(named(scratch, ".4"), "surplus\n");
	for (int i = 0; i < 5; i++) {
		char text[8];
		snprintf(text, sizeof(text), "%d\n", i);
		append(scratch->path, text);
		rotate(scratch, 3);
		rotate(scratch, 3); /* there is nothing to rotate */
	}
	assert_content(named(scratch, ".1"), "4\n");
	assert_content(named(scratch, ".2"), "3\n");
	assert_content(named(scratch, ".3"), "2\n");
	assert_int_equal(file_count(scratch), 4);
	append(scratch->path, "5\n");
	rotate(scratch, 1);
	assert_content(named(scratch, ".1"), "5\n");
	assert_content(scratch->path, "");
	assert_int_equal(file_count(scratch), 2);
	append(scratch->path, "6\n");
	rotate(scratch, 0);
	assert_content(scratch->path, "");
	assert_int_equal(file_count(scratch), 1);
}

/* Larger than what is copied at a time, on a file system that may cut blocks. */
static void test_large(void **state)
{
	enum { LINES = 100000 };
	struct scratch *scratch = *state;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer content CLEANUP_BUFFER = BUFFER_INIT;
	for (int i = 0; i < LINES; i++)
		buffer_printf(&text, "line %d\n", i);
	put(scratch->path, text.data);
	rotate(scratch, 2);
	assert_int_equal(file_read(AT_FDCWD, named(scratch, ".1"), 0, &content), 0);
	assert_true(content.length + 65536 > text.length);
	assert_int_equal(file_read(AT_FDCWD, scratch->path, 0, &content), 0);
	assert_string_equal(content.data, text.data);
}

static void test_refused(void **state)
{
	struct scratch *scratch = *state;
	rotate(scratch, 3); /* missing */
	assert_int_equal(file_count(scratch), 0);
	append(named(scratch, ".target"), "text\n");
	assert_int_equal(symlink("web.log.target", scratch->path), 0);
	assert_refused(scratch, "no regular file");
	assert_content(named(scratch, ".target"), "text\n");
	assert_int_equal(unlink(scratch->path), 0);
	assert_int_equal(mkfifo(scratch->path, 0600), 0);
	assert_refused(scratch, "no regular file");
	assert_int_equal(unlink(scratch->path), 0);
	assert_int_equal(mkdir(scratch->path, 0700), 0);
	assert_refused(scratch, "no regular file");
}

static void test_owner(void **state)
{
	struct scratch *scratch = *state;
	append(scratch->path, "text\n");
	assert_int_equal(link(scratch->path, named(scratch, "-too")), 0);
	assert_int_equal(logfile_rotate_running(scratch->path, 3, geteuid(), &scratch->err), -1);
	assert_non_null(strstr(scratch->err.message, "another name"));
	assert_content(scratch->path, "text\n");
	assert_int_equal(unlink(named(scratch, "-too")), 0);
	assert_int_equal(logfile_rotate_running(scratch->path, 3, geteuid(), &scratch->err), 0);
	assert_content(named(scratch, ".1"), "text\n");
}

/* No room for the copy: a limit on the size of files stands for the full disk. */
static void test_no_room(void **state)
{
	struct scratch *scratch = *state;
	struct rlimit limit;
	char *text CLEANUP_FREE = memory_alloc(100001);
	memset(text, 'x', 100000);
	text[100000] = '\0';
	put(scratch->path, text);
	append(named(scratch, ".1"), "old\n");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	struct rlimit small = { 20000, limit.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int result = logfile_rotate_running(scratch->path, 3, LOGFILE_NO_OWNER, &scratch->err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(result, -1);
	assert_non_null(strstr(scratch->err.message, "File too large"));
	assert_content(scratch->path, text);
	assert_content(named(scratch, ".1"), "old\n");
	assert_int_equal(file_count(scratch), 2);
}

static void test_leftovers(void **state)
{
	struct scratch *scratch = *state;
	append(scratch->path, "one\ntwo\n");
	append(named(scratch, ".part"), "one");
	append(named(scratch, ".0"), "one\n"); /* the log was not cut */
	rotate(scratch, 3);
	assert_content(named(scratch, ".1"), "one\ntwo\n");
	assert_content(scratch->path, "");
	assert_int_equal(file_count(scratch), 2);

	append(scratch->path, "four\n");
	append(named(scratch, ".0"), "three\n"); /* it was cut */
	assert_int_equal(log_rotate_recover(scratch->path, 3, LOGFILE_NO_OWNER, &scratch->err), 0);
	assert_content(named(scratch, ".1"), "three\n");
	assert_content(named(scratch, ".2"), "one\ntwo\n");
	assert_content(scratch->path, "four\n");
	assert_int_equal(file_count(scratch), 3);

	append(named(scratch, ".0"), "x");
	append(named(scratch, ".part"), "x");
	log_rotate_discard(scratch->path);
	assert_int_equal(file_count(scratch), 3);
}

static void test_already_rotated(void **state)
{
	struct scratch *scratch = *state;
	append(scratch->path, "text\n");
	append(named(scratch, ".part"), "te");
	int fd = open(named(scratch, ".part"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_refused(scratch, "already");
	assert_content(named(scratch, ".part"), "te");
	close(fd);
	rotate(scratch, 3);
	assert_content(named(scratch, ".1"), "text\n");
}

/* A process that appends numbered lines until it is told to end. */
struct writer {
	int width;  /* of a line */
	long pause; /* nanoseconds after each; 0: as fast as it can */
	off_t size; /* of the log when it is rotated */
	int rotations;
};

static const struct writer fast = { 1, 0, 20000, 300 };
/* Much is to be copied while few lines come: each that is lost counts. */
static const struct writer steady = { 8000, 1, 4000000, 50 };

static volatile sig_atomic_t ended;

static void note_end(int signal)
{
	(void)signal;
	ended = 1;
}

static pid_t start_writer(const struct writer *writer, const char *path)
{
	pid_t process = fork();
	if (process != 0)
		return process;
	signal(SIGTERM, note_end);
	alarm(60);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	char line[16000];
	for (long number = 0; !ended; number++) {
		int length =
		    snprintf(line, sizeof(line), "%ld=%-*ld\n", number, writer->width, number);
		if (write(fd, line, (size_t)length) != length)
			_exit(1);
		if (writer->pause)
			nanosleep(&(struct timespec){ .tv_nsec = writer->pause }, NULL);
	}
	_exit(0);
}

static void end_process(pid_t process)
{
	int status;
	kill(process, SIGTERM);
	assert_int_equal(waitpid(process, &status, 0), process);
	assert_int_equal(status, 0);
}

struct count {
	long lines;
	long lost;     /* numbers left out */
	long repeated; /* numbers not higher than the one before */
};

static struct count count_lines(const struct scratch *scratch)
{
	struct count count = { 0 };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	int number = 0;
	char suffix[16] = ".1";
	while (access(named(scratch, suffix), F_OK) == 0)
		snprintf(suffix, sizeof(suffix), ".%d", ++number + 1);
	for (; number >= 0; number--) {
		snprintf(suffix, sizeof(suffix), ".%d", number);
		assert_int_equal(file_read(AT_FDCWD,
					   number ? named(scratch, suffix) : scratch->path, 0,
					   &text),
				 0);
	}
	long expected = 0;
	const char *newline;
	for (const char *line = buffer_string(&text); (newline = strchr(line, '\n'));
	     line = newline + 1) {
		char *again;
		long found = strtol(line, &again, 10);
		count.lines++;
		/* a line of which a part was lost is not counted, so its number will be missing */
		if (*again != '=' || strtol(again + 1, &again, 10) != found ||
		    (again != newline && *again != ' '))
			continue;
		count.lost += found > expected ? found - expected : 0;
		count.repeated += found < expected ? expected - found : 0;
		expected = found + 1;
	}
	return count;
}

static void wait_for_size(const char *path, off_t size)
{
	struct stat status = { 0 };
	while (stat(path, &status) < 0 || status.st_size < size)
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

static struct count measure(struct scratch *scratch, const struct writer *writer)
{
	alarm(60);
	pid_t process = start_writer(writer, scratch->path);
	for (int i = 0; i < writer->rotations; i++) {
		wait_for_size(scratch->path, writer->size);
		rotate(scratch, writer->rotations);
	}
	end_process(process);
	alarm(0);
	struct count count = count_lines(scratch);
	print_message("%s: %d rotations at %lld bytes, %ld lines, %ld lost, %ld repeated\n",
		      scratch->path, writer->rotations, (long long)writer->size, count.lines,
		      count.lost, count.repeated);
	return count;
}

static bool can_collapse(const struct scratch *scratch)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/probe", scratch->directory);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat status;
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(ftruncate(fd, 2 * status.st_blksize), 0);
	bool result = fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, status.st_blksize) == 0;
	close(fd);
	assert_int_equal(unlink(path), 0);
	return result;
}

/* Where the log can be cut nothing may be lost at all. Elsewhere a writer that does not pause for a
 * microsecond also keeps the system from emptying the file, so that this says little; of a steady
 * one a copy that does not catch up loses some lines each time. */
static void check_window(struct scratch *scratch)
{
	bool exact = can_collapse(scratch);
	struct count count = measure(scratch, &fast);
	assert_int_equal(count.repeated, 0);
	assert_in_range(count.lost, 0, exact ? 0 : count.lines / 2);
	assert_true(count.lines > fast.rotations);
}

static void check_steady_window(struct scratch *scratch)
{
	bool exact = can_collapse(scratch);
	struct count count = measure(scratch, &steady);
	assert_int_equal(count.repeated, 0);
	assert_in_range(count.lost, 0, exact ? 0 : 2 * steady.rotations);
	assert_true(count.lines > steady.rotations);
}

static void in_memory(void (*check)(struct scratch *scratch))
{
	struct scratch scratch = { 0 };
	if (access("/dev/shm", W_OK) < 0)
		skip();
	scratch_open(&scratch, "/dev/shm");
	check(&scratch);
	scratch_close(&scratch);
}

static void test_window(void **state)
{
	check_window(*state);
}

static void test_window_in_memory(void **state)
{
	(void)state;
	in_memory(check_window);
}

static void test_steady_window(void **state)
{
	check_steady_window(*state);
}

static void test_steady_window_in_memory(void **state)
{
	(void)state;
	in_memory(check_steady_window);
}

static void rotate_until_killed(const struct scratch *scratch)
{
	for (;;) {
		wait_for_size(scratch->path, 20000);
		logfile_rotate_running(scratch->path, 100000, LOGFILE_NO_OWNER, NULL);
	}
}

/* Whatever instant a rotation is killed at, nothing is lost, and nothing is there twice. */
static void check_killed(struct scratch *scratch)
{
	enum { KILLS = 200 };
	const struct writer writer = { 200, 1, 0, 0 };
	bool exact = can_collapse(scratch);
	alarm(60);
	pid_t process = start_writer(&writer, scratch->path);
	for (int i = 0; i < KILLS; i++) {
		pid_t rotator = fork();
		if (rotator == 0)
			rotate_until_killed(scratch);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 + i * 37 % 100 * 100000 }, NULL);
		kill(rotator, SIGKILL);
		assert_int_equal(waitpid(rotator, NULL, 0), rotator);
	}
	end_process(process);
	alarm(0);
	assert_int_equal(log_rotate_recover(scratch->path, 100000, LOGFILE_NO_OWNER, &scratch->err),
			 0);
	assert_true(access(named(scratch, ".part"), F_OK) < 0);
	assert_true(access(named(scratch, ".0"), F_OK) < 0);
	struct count count = count_lines(scratch);
	long files = (long)file_count(scratch);
	print_message("%s: %d kills, %ld files, %ld lines, %ld lost, %ld repeated\n", scratch->path,
		      KILLS, files, count.lines, count.lost, count.repeated);
	assert_true(files > 2);
	assert_int_equal(count.repeated, 0);
	assert_in_range(count.lost, 0, exact ? 0 : 2 * files);
}

static void test_killed(void **state)
{
	check_killed(*state);
}

static void test_killed_in_memory(void **state)
{
	(void)state;
	in_memory(check_killed);
}

static void test_next_check(void **state)
{
	(void)state;
	const int64_t ms = NSEC_PER_MSEC;
	const int64_t s = NSEC_PER_SEC;
	const struct {
		int64_t size, limit, grown, elapsed, expected;
	} cases[] = {
		{ 0, 1000, 0, 0, 200 * ms },          /* the first look */
		{ 1000, 1000, 0, s, 200 * ms },       /* full */
		{ 5000, 1000, 10, s, 200 * ms },      /* more than full */
		{ 100, 1000, -900, s, 200 * ms },     /* emptied */
		{ 500, 1000, 0, 200 * ms, 400 * ms }, /* idle: twice as long each time */
		{ 500, 1000, 0, 6 * s, 10 * s },      /* but not for ever */
		{ 500, 1000, 0, INT64_MAX, 10 * s },  /* */
		{ 500, 1000, 100, 2 * s, 4 * s },     /* full in 10 s: 5 s, but twice the last */
		{ 500, 1000, 100, s, 2 * s },         /* full in 5 s: 2.5 s, but twice the last */
		{ 500, 1000, 500, 2 * s, s },         /* full in 2 s */
		{ 999, 1000, 1, s, 500 * ms },        /* full in 1 s */
		{ 999, 1000, 1000, s, 200 * ms },     /* full at once */
		{ 0, INT64_MAX, INT64_MAX, 10 * s, 5 * s },
		{ 0, INT64_MAX, 1, 10 * s, 10 * s },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t found = log_size_next_check(cases[i].size, cases[i].limit, cases[i].grown,
						    cases[i].elapsed);
		if (found != cases[i].expected)
			fail_msg("case %zu: %lld ms", i, (long long)(found / ms));
	}
}

int main(void)
{
#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_create, scratch_destroy)
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_writer_goes_on), SCRATCH_TEST(test_numbers),
		SCRATCH_TEST(test_large),          SCRATCH_TEST(test_refused),
		SCRATCH_TEST(test_owner),          SCRATCH_TEST(test_no_room),
		SCRATCH_TEST(test_leftovers),      SCRATCH_TEST(test_already_rotated),
		SCRATCH_TEST(test_window),         cmocka_unit_test(test_window_in_memory),
		SCRATCH_TEST(test_steady_window),  cmocka_unit_test(test_steady_window_in_memory),
		SCRATCH_TEST(test_killed),         cmocka_unit_test(test_killed_in_memory),
		cmocka_unit_test(test_next_check),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
