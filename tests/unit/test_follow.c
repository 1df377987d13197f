/* os/follow: nothing lost, nothing repeated, no line split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "os/follow.h"
#include "os/log_rotate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIME_LIMIT_S = 60 };

/* The only way to hear of a signal. */
static volatile bool alarmed;

static void note_alarm(int signal)
{
	(void)signal;
	alarmed = true;
}

struct scratch {
	char directory[64];
	struct follower *follower;
	struct buffer text; /* "SOURCE:LINE$" for each line */
	size_t lines;
	struct error err;
};

static void note_line(void *context, size_t source, const char *line, size_t length)
{
	struct scratch *scratch = context;
	buffer_printf(&scratch->text, "%zu:", source);
	buffer_append(&scratch->text, line, length);
	buffer_append_char(&scratch->text, '$');
	scratch->lines++;
}

static int scratch_create(void **state)
{
	struct scratch *scratch = memory_zalloc(1, sizeof(*scratch));
	struct sigaction action = { .sa_handler = note_alarm };
	sigaction(SIGALRM, &action, NULL);
	alarmed = false;
	alarm(TIME_LIMIT_S);
	snprintf(scratch->directory, sizeof(scratch->directory), "/tmp/pmo-follow-XXXXXX");
	assert_non_null(mkdtemp(scratch->directory));
	scratch->follower = follower_create(note_line, scratch);
	*state = scratch;
	return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int scratch_destroy(void **state)
{
	struct scratch *scratch = *state;
	alarm(0);
	follower_destroy(scratch->follower);
	assert_int_equal(nftw(scratch->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	buffer_release(&scratch->text);
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

static void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

/* What a restart does to the log. */
static void rotate(const char *path, const char *text)
{
	struct error err = ERROR_INIT;
	int fd = logfile_start(path, 30, LOGFILE_NO_OWNER, &err);
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static size_t add(struct scratch *scratch, const char *name)
{
	return follower_add(scratch->follower, in(scratch, name), NULL, FOLLOW_NOTIFIED);
}

static void run(struct scratch *scratch)
{
	assert_int_equal(follower_run(scratch->follower, &alarmed, &scratch->err), 0);
	assert_false(alarmed);
}

/* Run until there are as many lines as EXPECTED has, which must then be these. */
static void expect(struct scratch *scratch, const char *expected)
{
	size_t lines = 0;
	for (const char *end = expected; (end = strchr(end, '$')); end++)
		lines++;
	while (scratch->lines < lines)
		run(scratch);
	assert_string_equal(buffer_string(&scratch->text), expected);
	buffer_clear(&scratch->text);
	scratch->lines = 0;
}

static void test_whole_lines(void **state)
{
	struct scratch *scratch = *state;
	append(in(scratch, "a"), "one\ntw");
	add(scratch, "a");
	add(scratch, "b");
	expect(scratch, "0:one$");
	append(in(scratch, "b"), "other\n");
	expect(scratch, "1:other$");
	append(in(scratch, "a"), "o\nthree\n\nfo");
	expect(scratch, "0:two$0:three$0:$");
	append(in(scratch, "b"), "un");
	run(scratch);
	follower_destroy(scratch->follower);
	scratch->follower = NULL;
	assert_string_equal(scratch->text.data, "0:fo$1:un$");
}

static void test_bytes_that_are_not_text(void **state)
{
	struct scratch *scratch = *state;
	int fd = open(in(scratch, "a"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "\0\xff\r\n\x1b\n", 6), 6);
	close(fd);
	add(scratch, "a");
	while (scratch->lines < 2)
		run(scratch);
	assert_int_equal(scratch->text.length, 10);
	assert_memory_equal(scratch->text.data, "0:\0\xff\r$0:\x1b$", 10);
}

static void test_from_a_position(void **state)
{
	struct scratch *scratch = *state;
	struct logfile_position position;
	append(in(scratch, "a"), "one\ntwo\nthr");
	assert_int_equal(logfile_visit_last(in(scratch, "a"), 0, LOGFILE_WHOLE_LINES, NULL, NULL,
					    &position, &scratch->err),
			 0);
	follower_add(scratch->follower, in(scratch, "a"), &position, FOLLOW_NOTIFIED);
	append(in(scratch, "a"), "ee\n");
	expect(scratch, "0:three$");
}

/* Between the last lines that were shown and the first look, the service was restarted, twice. */
static void test_from_a_position_in_a_rotated_file(void **state)
{
	struct scratch *scratch = *state;
	struct logfile_position position;
	const char *path = in(scratch, "a");
	append(path, "one\n");
	assert_int_equal(logfile_visit_last(path, 0, LOGFILE_WHOLE_LINES, NULL, NULL, &position,
					    &scratch->err),
			 0);
	append(path, "two\n");
	rotate(path, "three\n");
	rotate(path, "four\n");
	follower_add(scratch->follower, path, &position, FOLLOW_NOTIFIED);
	expect(scratch, "0:two$0:three$0:four$");
}

static void test_rotation(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	append(path, "one\n");
	add(scratch, "a");
	expect(scratch, "0:one$");
	append(path, "two\ncut");
	rotate(path, "three\n");
	expect(scratch, "0:two$0:cut$0:three$");
	append(path, "four\n");
	expect(scratch, "0:four$");
}

static void test_rotations_that_were_not_seen(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	append(path, "zero\n");
	rotate(path, "one\n");
	add(scratch, "a");
	expect(scratch, "0:one$");
	for (int i = 0; i < 5; i++)
		rotate(path, "more\ncut");
	append(path, " end\n");
	expect(scratch, "0:more$0:cut$0:more$0:cut$0:more$0:cut$0:more$0:cut$0:more$0:cut end$");
}

static void test_flush(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	append(path, "a line that is somewhat longer than the mark that a flush leaves behind\nx");
	add(scratch, "a");
	expect(scratch,
	       "0:a line that is somewhat longer than the mark that a flush leaves behind$");
	assert_int_equal(logfile_flush(path, &scratch->err), 0);
	while (scratch->lines < 2)
		run(scratch);
	assert_memory_equal(scratch->text.data, "0:x$0:--- Log flushed at ", 25);
	buffer_clear(&scratch->text);
	scratch->lines = 0;
	append(path, "next\n");
	expect(scratch, "0:next$");
}

/* The file is longer again than it was before anybody looked. */
static void test_flush_and_growth(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	append(path, "short\n");
	add(scratch, "a");
	expect(scratch, "0:short$");
	assert_int_equal(truncate(path, 0), 0);
	append(path, "much longer than before\nand more\n");
	expect(scratch, "0:much longer than before$0:and more$");
}

/* What log_max_size does to the log of a running service. */
static void cut(struct scratch *scratch, const char *path)
{
	if (logfile_rotate_running(path, 30, LOGFILE_NO_OWNER, &scratch->err) < 0)
		fail_msg("%s", scratch->err.message);
}

static void test_cut(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	append(path, "one\ntw");
	add(scratch, "a");
	expect(scratch, "0:one$");
	append(path, "o\nthr");
	cut(scratch, path);
	append(path, "ee\n");
	expect(scratch, "0:two$0:three$");
	cut(scratch, path);
	append(path, "four\n");
	expect(scratch, "0:four$");
}

/* Everything looks as it did, and is new. */
static void test_cut_and_same_text(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	append(path, "same\n");
	add(scratch, "a");
	expect(scratch, "0:same$");
	for (int i = 0; i < 3; i++) {
		cut(scratch, path);
		append(path, "same\n");
	}
	expect(scratch, "0:same$0:same$0:same$");
}

static void test_cuts_and_restarts_that_were_not_seen(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	const struct timespec tick = { .tv_nsec = 20000000 }; /* birth times are that coarse */
	append(path, "old\n");
	cut(scratch, path);
	append(path, "one\n");
	add(scratch, "a");
	expect(scratch, "0:one$");
	append(path, "two\nthr");
	cut(scratch, path);
	append(path, "ee\n");
	cut(scratch, path);
	append(path, "cut");
	rotate(path, "run 2\ndivi");
	nanosleep(&tick, NULL);
	cut(scratch, path);
	append(path, "ded\ncut");
	nanosleep(&tick, NULL);
	rotate(path, "run 3\n");
	nanosleep(&tick, NULL);
	cut(scratch, path);
	append(path, "end\n");
	expect(scratch, "0:two$0:three$0:cut$0:run 2$0:divided$0:cut$0:run 3$0:end$");
}

/* Between the last lines that were shown and the first look. */
static void test_from_a_position_in_a_copy(void **state)
{
	struct scratch *scratch = *state;
	struct logfile_position position;
	const char *path = in(scratch, "a");
	append(path, "one\n");
	cut(scratch, path);
	append(path, "two\nthr");
	assert_int_equal(logfile_visit_last(path, 0, LOGFILE_WHOLE_LINES, NULL, NULL, &position,
					    &scratch->err),
			 0);
	cut(scratch, path);
	append(path, "ee\nfour\n");
	cut(scratch, path);
	follower_add(scratch->follower, path, &position, FOLLOW_NOTIFIED);
	expect(scratch, "0:three$0:four$");
}

static void test_cut_and_removed(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	append(path, "one\n");
	add(scratch, "a");
	expect(scratch, "0:one$");
	append(path, "two\n");
	cut(scratch, path);
	append(path, "three\n");
	assert_int_equal(unlink(path), 0);
	append(path, "four\n");
	expect(scratch, "0:two$0:three$0:four$");
}

/* A rotation that was killed before it cut the log changes nothing; one killed after it does. */
static void test_cut_that_was_killed(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	append(path, "one\n");
	add(scratch, "a");
	expect(scratch, "0:one$");
	append(in(scratch, "a.0"), "one\n");
	append(path, "two\n");
	expect(scratch, "0:two$");
	cut(scratch, path);
	append(path, "three\n");
	expect(scratch, "0:three$");
	append(in(scratch, "a.0"), "three\nfour\n");
	assert_int_equal(truncate(path, 0), 0);
	append(path, "five\n");
	expect(scratch, "0:four$0:five$");
	cut(scratch, path);
	append(path, "six\n");
	expect(scratch, "0:six$");
}

static size_t open_descriptors(void)
{
	size_t count = 0;
	DIR *stream = opendir("/proc/self/fd");
	while (readdir(stream))
		count++;
	closedir(stream);
	return count;
}

/* Rotated files that were there before are not shown when the log begins anew. */
static void test_removal(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	append(in(scratch, "a.1"), "old\n");
	append(path, "one\n");
	add(scratch, "a");
	size_t before = open_descriptors();
	expect(scratch, "0:one$");
	assert_int_equal(open_descriptors(), before + 1);
	append(path, "cut");
	assert_int_equal(unlink(path), 0);
	expect(scratch, "0:cut$");
	while (open_descriptors() > before)
		run(scratch);
	append(path, "two\n");
	expect(scratch, "0:two$");
}

static void test_removal_and_creation_at_once(void **state)
{
	struct scratch *scratch = *state;
	const char *path = in(scratch, "a");
	append(in(scratch, "a.1"), "old\n");
	append(path, "one\n");
	add(scratch, "a");
	expect(scratch, "0:one$");
	append(path, "two\n");
	assert_int_equal(unlink(path), 0);
	append(path, "three\n");
	expect(scratch, "0:two$0:three$");
}

static void test_replaced_by_rename(void **state)
{
	struct scratch *scratch = *state;
	append(in(scratch, "a"), "one\n");
	add(scratch, "a");
	expect(scratch, "0:one$");
	append(in(scratch, "new"), "two\n");
	assert_int_equal(rename(in(scratch, "new"), in(scratch, "a")), 0);
	expect(scratch, "0:two$");
}

static void test_directory_comes_and_goes(void **state)
{
	struct scratch *scratch = *state;
	add(scratch, "x/y/a");
	add(scratch, "b");
	append(in(scratch, "b"), "go\n");
	expect(scratch, "1:go$");
	assert_int_equal(mkdir(in(scratch, "x"), 0700), 0);
	run(scratch);
	assert_int_equal(mkdir(in(scratch, "x/y"), 0700), 0);
	run(scratch);
	append(in(scratch, "x/y/a"), "one\n");
	expect(scratch, "0:one$");
	assert_int_equal(unlink(in(scratch, "x/y/a")), 0);
	assert_int_equal(rmdir(in(scratch, "x/y")), 0);
	assert_int_equal(rmdir(in(scratch, "x")), 0);
	append(in(scratch, "b"), "gone\n");
	expect(scratch, "1:gone$");
	assert_int_equal(mkdir(in(scratch, "x"), 0700), 0);
	assert_int_equal(mkdir(in(scratch, "x/y"), 0700), 0);
	append(in(scratch, "x/y/a"), "two\n");
	expect(scratch, "0:two$");
	append(in(scratch, "x/y/a"), "three\n");
	expect(scratch, "0:three$");
}

static void test_directory_is_replaced(void **state)
{
	struct scratch *scratch = *state;
	assert_int_equal(mkdir(in(scratch, "logs"), 0700), 0);
	append(in(scratch, "logs/a"), "one\n");
	add(scratch, "logs/a");
	expect(scratch, "0:one$");
	assert_int_equal(rename(in(scratch, "logs"), in(scratch, "away")), 0);
	assert_int_equal(mkdir(in(scratch, "logs"), 0700), 0);
	append(in(scratch, "logs/a"), "two\n");
	expect(scratch, "0:two$");
	append(in(scratch, "logs/a"), "three\n");
	expect(scratch, "0:three$");
}

static void test_same_name_in_two_directories(void **state)
{
	struct scratch *scratch = *state;
	assert_int_equal(mkdir(in(scratch, "x"), 0700), 0);
	add(scratch, "a");
	add(scratch, "x/a");
	append(in(scratch, "x/a"), "x\n");
	expect(scratch, "1:x$");
	append(in(scratch, "a"), "top\n");
	expect(scratch, "0:top$");
}

static void test_relative_path(void **state)
{
	struct scratch *scratch = *state;
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(scratch->directory), 0);
	follower_add(scratch->follower, "a", NULL, FOLLOW_NOTIFIED);
	follower_add(scratch->follower, "x/b", NULL, FOLLOW_NOTIFIED);
	append("a", "one\n");
	expect(scratch, "0:one$");
	assert_int_equal(mkdir("x", 0700), 0);
	append("x/b", "two\n");
	expect(scratch, "1:two$");
	assert_int_equal(fchdir(here), 0);
	close(here);
}

/* No event tells of what a link leads to: it is looked at from time to time. */
static void test_link(void **state)
{
	struct scratch *scratch = *state;
	assert_int_equal(mkdir(in(scratch, "x"), 0700), 0);
	append(in(scratch, "x/target"), "one\n");
	assert_int_equal(symlink("x/target", in(scratch, "a")), 0);
	add(scratch, "a");
	expect(scratch, "0:one$");
	append(in(scratch, "x/target"), "two\n");
	expect(scratch, "0:two$");
}

static void test_not_a_file(void **state)
{
	struct scratch *scratch = *state;
	assert_int_equal(mkfifo(in(scratch, "fifo"), 0600), 0);
	assert_int_equal(mkdir(in(scratch, "directory"), 0700), 0);
	add(scratch, "fifo");
	add(scratch, "directory");
	add(scratch, "a");
	append(in(scratch, "a"), "one\n");
	expect(scratch, "2:one$");
}

/* Without a descriptor for inotify everything is polled. */
static void test_without_inotify(void **state)
{
	struct scratch *scratch = *state;
	struct rlimit limit;
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	struct rlimit none = { (rlim_t)lowest, limit.rlim_max };
	follower_destroy(scratch->follower);
	lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	none.rlim_cur = (rlim_t)lowest;
	close(lowest);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	scratch->follower = follower_create(note_line, scratch);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	add(scratch, "a");
	append(in(scratch, "a"), "one\n");
	expect(scratch, "0:one$");
	rotate(in(scratch, "a"), "two\n");
	expect(scratch, "0:two$");
}

static void test_no_descriptor_left(void **state)
{
	struct scratch *scratch = *state;
	struct rlimit limit;
	char expected[256];
	append(in(scratch, "a"), "one\n");
	add(scratch, "a");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(lowest);
	struct rlimit none = { (rlim_t)lowest, limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int result = follower_run(scratch->follower, NULL, &scratch->err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(result, -1);
	snprintf(expected, sizeof(expected), "cannot follow log '%s/a': Too many open files",
		 scratch->directory);
	assert_string_equal(scratch->err.message, expected);
}

/* More events than the kernel keeps, and the one that matters among those it drops. */
static void test_queue_overflow(void **state)
{
	struct scratch *scratch = *state;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	add(scratch, "a");
	append(in(scratch, "a"), "one\n");
	expect(scratch, "0:one$");
	file_read(AT_FDCWD, "/proc/sys/fs/inotify/max_queued_events", 0, &text);
	int noise[2] = { open(in(scratch, "x"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600),
			 open(in(scratch, "y"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600) };
	for (long event = strtol(buffer_string(&text), NULL, 10) + 100; event > 0; event--)
		assert_int_equal(pwrite(noise[event % 2], "x", 1, 0), 1);
	append(in(scratch, "a"), "two\n");
	expect(scratch, "0:two$");
	append(in(scratch, "a"), "three\n");
	expect(scratch, "0:three$");
	close(noise[0]);
	close(noise[1]);
}

static void test_many_files(void **state)
{
	enum { FILES = 500 };
	struct scratch *scratch = *state;
	char name[32];
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "service-%d-out.log", i);
		assert_int_equal(add(scratch, name), i);
	}
	for (int round = 0; round < 3; round++) {
		for (int i = FILES - 1; i >= 0; i--) {
			snprintf(name, sizeof(name), "service-%d-out.log", i);
			append(in(scratch, name), "line\n");
		}
		while (scratch->lines < FILES)
			run(scratch);
		assert_int_equal(scratch->lines, FILES);
		for (int i = 0; i < FILES; i++) {
			snprintf(name, sizeof(name), "%d:line$", i);
			assert_non_null(strstr(scratch->text.data, name));
		}
		buffer_clear(&scratch->text);
		scratch->lines = 0;
	}
}

static void test_overlong_line(void **state)
{
	struct scratch *scratch = *state;
	const size_t size = LINE_HELD_LIMIT + 200000;
	char *line CLEANUP_FREE = memory_alloc(size + 1);
	memset(line, 'x', size);
	line[size] = '\0';
	add(scratch, "a");
	append(in(scratch, "a"), line);
	while (scratch->lines < 1)
		run(scratch);
	append(in(scratch, "a"), "end\n");
	while (scratch->lines < 2)
		run(scratch);
	size_t count = 0;
	for (size_t i = 0; i < scratch->text.length; i++)
		count += scratch->text.data[i] == 'x';
	assert_int_equal(count, size);
	assert_string_equal(scratch->text.data + scratch->text.length - 4, "end$");
}

/* An idle follower sleeps, until a signal stops it. */
static void test_stop(void **state)
{
	struct scratch *scratch = *state;
	add(scratch, "a");
	add(scratch, "missing/b");
	size_t runs = 0;
	struct itimerval soon = { .it_value = { .tv_usec = 200000 } };
	setitimer(ITIMER_REAL, &soon, NULL);
	while (!alarmed) {
		assert_int_equal(follower_run(scratch->follower, &alarmed, &scratch->err), 0);
		runs++;
	}
	assert_in_range(runs, 1, 3);
	assert_int_equal(follower_run(scratch->follower, &alarmed, &scratch->err), 0);
}

static void test_reader_goes_away(void **state)
{
	struct scratch *scratch = *state;
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	add(scratch, "a");
	follower_end_with(scratch->follower, ends[1]);
	append(in(scratch, "a"), "one\n");
	expect(scratch, "0:one$");
	close(ends[0]);
	int result;
	while ((result = follower_run(scratch->follower, &alarmed, &scratch->err)) == 0)
		assert_false(alarmed);
	assert_int_equal(result, FOLLOW_ENDED);
	close(ends[1]);
}

/* Counted lines from a process that writes as fast as it can, over many rotations. */
enum { FAST_LINES = 100000, FAST_LINES_PER_RUN = 1000 };

static void write_fast(const char *path)
{
	int fd = -1;
	char line[64];
	for (int number = 0; number < FAST_LINES; number++) {
		if (number % FAST_LINES_PER_RUN == 0) {
			if (fd >= 0)
				close(fd);
			fd = logfile_start(path, FAST_LINES, LOGFILE_NO_OWNER, NULL);
		}
		int length = snprintf(line, sizeof(line), "%d%s\n", number,
				      number % 7 ? "" : " with some more text to it");
		if (number % 11 == 0) {
			if (write(fd, line, 1) != 1)
				_exit(1);
			if (write(fd, line + 1, (size_t)length - 1) != length - 1)
				_exit(1);
		} else if (write(fd, line, (size_t)length) != length) {
			_exit(1);
		}
	}
	_exit(0);
}

struct counter {
	long next; /* the number that must come */
	bool wrong;
};

static void count_line(void *context, size_t source, const char *line, size_t length)
{
	struct counter *counter = context;
	char text[64] = "";
	(void)source;
	memcpy(text, line, length < sizeof(text) ? length : sizeof(text) - 1);
	char *rest;
	long number = strtol(text, &rest, 10);
	bool whole = strcmp(rest, number % 7 ? "" : " with some more text to it") == 0;
	if ((number != counter->next || !whole) && !counter->wrong) {
		print_error("expected line %ld, got '%s'\n", counter->next, text);
		counter->wrong = true;
	}
	counter->next++;
}

static void test_fast_writer(void **state)
{
	struct scratch *scratch = *state;
	struct counter counter = { 0 };
	struct follower *follower = follower_create(count_line, &counter);
	follower_add(follower, in(scratch, "a"), NULL, FOLLOW_NOTIFIED);
	pid_t writer = fork();
	if (writer == 0)
		write_fast(in(scratch, "a"));
	while (counter.next < FAST_LINES && !counter.wrong && !alarmed)
		assert_int_equal(follower_run(follower, &alarmed, &scratch->err), 0);
	int status;
	if (alarmed)
		kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	follower_destroy(follower);
	assert_int_equal(status, 0);
	assert_false(counter.wrong);
	assert_int_equal(counter.next, FAST_LINES);
}

/* A service that writes all the time, and its supervisor, which rotates as soon as there is enough.
 */
static void write_steadily(const char *path, bool same)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	char line[64];
	for (int number = 0; number < FAST_LINES; number++) {
		int length = same ? snprintf(line, sizeof(line), "%015d\n", 0)
				  : snprintf(line, sizeof(line), "%d%s\n", number,
					     number % 7 ? "" : " with some more text to it");
		if (write(fd, line, (size_t)length) != length)
			_exit(1);
	}
	_exit(0);
}

static void cut_repeatedly(const char *path)
{
	alarm(TIME_LIMIT_S);
	while (!alarmed) {
		struct stat status;
		if (stat(path, &status) == 0 && status.st_size > 10000)
			logfile_rotate_running(path, FAST_LINES, LOGFILE_NO_OWNER, NULL);
	}
	_exit(0);
}

struct collected {
	struct buffer text;
	size_t lines;
};

static void collect_line(void *context, size_t source, const char *line, size_t length)
{
	struct collected *collected = context;
	(void)source;
	buffer_append(&collected->text, line, length);
	buffer_append_char(&collected->text, '\n');
	collected->lines++;
}

/* All that is in the files, in order; how many there are. */
static int read_files(const char *path, struct buffer *text)
{
	int count = 0;
	char name[200];
	do
		snprintf(name, sizeof(name), "%s.%d", path, ++count);
	while (access(name, F_OK) == 0);
	for (int number = count - 1; number > 0; number--) {
		snprintf(name, sizeof(name), "%s.%d", path, number);
		assert_int_equal(file_read(AT_FDCWD, name, 0, text), 0);
	}
	assert_int_equal(file_read(AT_FDCWD, path, 0, text), 0);
	return count;
}

/* Every line that the files have arrives exactly once. PAUSE_NS between looks lets several
 * rotations pass in between. */
static void check_cuts(struct scratch *scratch, const char *path, bool same, long pause_ns)
{
	struct collected collected = { 0 };
	struct buffer expected CLEANUP_BUFFER = BUFFER_INIT;
	struct follower *follower = follower_create(collect_line, &collected);
	int status;
	bool written = false;
	follower_add(follower, path, NULL, FOLLOW_POLLED);
	pid_t rotator = fork();
	if (rotator == 0)
		cut_repeatedly(path);
	pid_t writer = fork();
	if (writer == 0)
		write_steadily(path, same);
	while (!alarmed && collected.text.length < (written ? expected.length : SIZE_MAX)) {
		assert_int_equal(follower_run(follower, &alarmed, &scratch->err), 0);
		if (pause_ns)
			nanosleep(&(struct timespec){ .tv_nsec = pause_ns }, NULL);
		if (written || waitpid(writer, &status, WNOHANG) != writer)
			continue;
		written = true;
		assert_int_equal(status, 0);
		kill(rotator, SIGALRM);
		assert_int_equal(waitpid(rotator, &status, 0), rotator);
		assert_int_equal(status, 0);
		int count = read_files(path, &expected);
		print_message("%s: %d files\n", path, count);
		assert_true(count > 3);
	}
	assert_false(alarmed);
	follower_destroy(follower);
	assert_int_equal(collected.text.length, expected.length);
	assert_memory_equal(collected.text.data, expected.data, expected.length);
	buffer_release(&collected.text);
}

static void test_cuts(void **state)
{
	struct scratch *scratch = *state;
	check_cuts(scratch, in(scratch, "a"), false, 0);
	check_cuts(scratch, in(scratch, "b"), true, 0);
}

static void test_cuts_and_slow_reader(void **state)
{
	struct scratch *scratch = *state;
	check_cuts(scratch, in(scratch, "a"), false, 10000000);
	check_cuts(scratch, in(scratch, "b"), true, 10000000);
}

static void test_cuts_in_memory(void **state)
{
	struct scratch *scratch = *state;
	if (access("/dev/shm", W_OK) < 0)
		skip();
	assert_int_equal(rmdir(scratch->directory), 0);
	snprintf(scratch->directory, sizeof(scratch->directory), "/dev/shm/pmo-follow-XXXXXX");
	assert_non_null(mkdtemp(scratch->directory));
	check_cuts(scratch, in(scratch, "a"), false, 0);
	check_cuts(scratch, in(scratch, "b"), true, 0);
	check_cuts(scratch, in(scratch, "c"), false, 10000000);
}

int main(void)
{
#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_create, scratch_destroy)
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_whole_lines),
		SCRATCH_TEST(test_bytes_that_are_not_text),
		SCRATCH_TEST(test_from_a_position),
		SCRATCH_TEST(test_from_a_position_in_a_rotated_file),
		SCRATCH_TEST(test_rotation),
		SCRATCH_TEST(test_rotations_that_were_not_seen),
		SCRATCH_TEST(test_flush),
		SCRATCH_TEST(test_flush_and_growth),
		SCRATCH_TEST(test_removal),
		SCRATCH_TEST(test_removal_and_creation_at_once),
		SCRATCH_TEST(test_replaced_by_rename),
		SCRATCH_TEST(test_directory_comes_and_goes),
		SCRATCH_TEST(test_directory_is_replaced),
		SCRATCH_TEST(test_same_name_in_two_directories),
		SCRATCH_TEST(test_relative_path),
		SCRATCH_TEST(test_link),
		SCRATCH_TEST(test_not_a_file),
		SCRATCH_TEST(test_without_inotify),
		SCRATCH_TEST(test_no_descriptor_left),
		SCRATCH_TEST(test_queue_overflow),
		SCRATCH_TEST(test_many_files),
		SCRATCH_TEST(test_overlong_line),
		SCRATCH_TEST(test_stop),
		SCRATCH_TEST(test_reader_goes_away),
		SCRATCH_TEST(test_fast_writer),
		SCRATCH_TEST(test_cut),
		SCRATCH_TEST(test_cut_and_same_text),
		SCRATCH_TEST(test_cuts_and_restarts_that_were_not_seen),
		SCRATCH_TEST(test_from_a_position_in_a_copy),
		SCRATCH_TEST(test_cut_and_removed),
		SCRATCH_TEST(test_cut_that_was_killed),
		SCRATCH_TEST(test_cuts),
		SCRATCH_TEST(test_cuts_and_slow_reader),
		SCRATCH_TEST(test_cuts_in_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
