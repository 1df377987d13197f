/*
 * Processes as /proc shows them: tests/fixtures/proc, and real ones.
 */
#include "support/support.h"

#include "model/process.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK "0123456789abcdef0123456789abcdef"

static int proc_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

struct parse_case {
	const char *text;
	bool accepted;
	struct process process;
};

/* resident_bytes is in pages here */
static const struct parse_case parse_cases[] = {
	{ "7 (sh) S 3 4 5 34816 9 4194304 1 2 3 4 10 20 30 40 20 0 2 0 987654 2502656 250 184467\n",
	  true,
	  { .pid = 7,
	    .parent = 3,
	    .group = 4,
	    .session = 5,
	    .state = 'S',
	    .name = "sh",
	    .threads = 2,
	    .ticks = 987654,
	    .cpu_ticks = 30,
	    .child_cpu_ticks = 70,
	    .resident_bytes = 250 } },
	{ "7 (sh) S 3 4 5 0 -1 4194304 1 2 3 4 10 20 0 0 -100 -20 1 0 1 0 0",
	  true,
	  { .pid = 7,
	    .parent = 3,
	    .group = 4,
	    .session = 5,
	    .state = 'S',
	    .name = "sh",
	    .threads = 1,
	    .ticks = 1,
	    .cpu_ticks = 30 } },
	{ "7 () Z 3 4 5 0 -1 4227084 0 0 0 0 0 0 0 0 20 0 1 0 18446744073709551615 0 0 0",
	  true,
	  { .pid = 7,
	    .parent = 3,
	    .group = 4,
	    .session = 5,
	    .state = 'Z',
	    .name = "",
	    .threads = 1,
	    .ticks = UINT64_MAX } },
	{ "7 (a) R 1 (b)) D 3 4 5 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0",
	  true,
	  { .pid = 7,
	    .parent = 3,
	    .group = 4,
	    .session = 5,
	    .state = 'D',
	    .name = "a) R 1 (b)",
	    .threads = 1,
	    .ticks = 5,
	    .kernel = true } },
	{ "7 (0123456789012345678901234567890123456789012345678901234567890123456789) I 3 4 5 0 -1 "
	  "69238880 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0",
	  true,
	  { .pid = 7,
	    .parent = 3,
	    .group = 4,
	    .session = 5,
	    .state = 'I',
	    .name = "012345678901234567890123456789012345678901234567890123456789012",
	    .threads = 1,
	    .ticks = 5,
	    .kernel = true } },
	{ .text = "" },
	{ .text = "7" },
	{ .text = "7 (" },
	{ .text = "7 (sh" },
	{ .text = "7 (sh)" },
	{ .text = "7 (sh) " },
	{ .text = "7 (sh) S" },
	{ .text = "(sh) S 3 4 5 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 2 0 987654 2502656 250" },
	{ .text = "7 sh) S 3 4 5 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 2 0 987654 2502656 250" },
	{ .text = "7) (sh S 3 4 5 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 2 0 987654 2502656 250" },
	{ .text = "-7 (sh) S 3 4 5 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 2 0 987654 250 250" },
	{ .text = "99999999999 (sh) S 3 4 5 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 2 0 98 250 250" },
	{ .text = "7 (sh) S 3 4 5 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 2 0 987654 2502656" },
	{ .text = "7 (sh) S 3 4 5 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 2 0 987654 2502656 " },
	{ .text = "7 (sh) S 3 4 5 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 2 0 987654 2502656 x" },
	{ .text = "7 (sh) S 3 4 5 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 2 0 987654 2502656 250x" },
	{ .text = "7 (sh) S 3 4 5 0 - 4194304 1 2 3 4 10 20 30 40 20 0 2 0 987654 2502656 250" },
	{ .text = "hello world" },
};

static bool same_process(const struct process *a, const struct process *b)
{
	return a->pid == b->pid && a->parent == b->parent && a->group == b->group &&
	       a->session == b->session && a->state == b->state && strcmp(a->name, b->name) == 0 &&
	       a->kernel == b->kernel && a->threads == b->threads && a->ticks == b->ticks &&
	       a->cpu_ticks == b->cpu_ticks && a->child_cpu_ticks == b->child_cpu_ticks &&
	       a->resident_bytes == b->resident_bytes;
}

static void test_parse_stat(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(parse_cases); i++) {
		const struct parse_case *this = &parse_cases[i];
		struct process process;
		struct process expected = this->process;
		expected.resident_bytes *= sysconf(_SC_PAGESIZE);
		if (process_parse_stat(this->text, &process) != this->accepted)
			fail_msg("%s: accepted %d", this->text, !this->accepted);
		if (this->accepted && !same_process(&process, &expected))
			fail_msg("%s: something is wrong", this->text);
	}
}

static void test_table(void **state)
{
	static const pid_t pids[] = { 1, 2, 31, 77, 100, 101, 4194304 };
	struct process_table table = PROCESS_TABLE_INIT;
	struct error err = ERROR_INIT;
	(void)state;
	table.proc_fd = proc_open(PMO_FIXTURES "/proc");
	for (int round = 0; round < 2; round++) {
		assert_int_equal(process_table_read(&table, &err), 0);
		assert_int_equal(table.count, ARRAY_LENGTH(pids));
		for (size_t i = 0; i < table.count; i++) {
			assert_int_equal(table.items[i].pid, pids[i]);
			assert_ptr_equal(process_table_find(&table, pids[i]), &table.items[i]);
		}
	}
	assert_null(process_table_find(&table, 0));
	assert_null(process_table_find(&table, 3));
	assert_null(process_table_find(&table, 4194305));
	assert_true(process_table_find(&table, 2)->kernel);
	assert_true(process_table_find(&table, 31)->kernel);
	assert_false(process_table_find(&table, 77)->kernel);
	assert_string_equal(process_table_find(&table, 77)->name, "a) R 1 (b");
	assert_true(process_table_is_alive(&table, 77, 4321));
	assert_false(process_table_is_alive(&table, 77, 4322));
	assert_false(process_table_is_alive(&table, 100, 4400));
	assert_true(process_table_is_alive(&table, 101, 4401));
	assert_false(process_table_is_alive(&table, 3, 0));
	process_table_release(&table);
	assert_int_equal(table.proc_fd, -1);
	assert_null(process_table_find(&table, 1));
}

/* The main thread has ended: its memory and environment are found with the one that runs. */
static void test_threads_that_outlive_the_main_one(void **state)
{
	struct process process;
	char mark[MARK_LENGTH + 1];
	int fd = proc_open(PMO_FIXTURES "/proc");
	(void)state;
	assert_int_equal(process_find_live_thread(fd, 101), 103);
	assert_int_equal(process_find_live_thread(fd, 77), -1);
	assert_int_equal(process_read(fd, 101, &process), 0);
	assert_int_equal(process.resident_bytes, 25 * sysconf(_SC_PAGESIZE));
	assert_true(process_is_alive(&process));
	assert_true(process_read_mark(fd, 101, mark));
	assert_string_equal(mark, "fedcba9876543210fedcba9876543210");
	close(fd);
}

static void test_table_errors(void **state)
{
	struct process_table table = PROCESS_TABLE_INIT;
	struct error err = ERROR_INIT;
	struct rlimit before;
	struct rlimit none;
	(void)state;
	table.proc_fd = open(PMO_FIXTURES "/proc/uptime", O_RDONLY | O_CLOEXEC);
	assert_int_equal(process_table_read(&table, &err), -1);
	assert_string_equal(err.message, "cannot list '/proc': Not a directory");
	process_table_release(&table);

	int pipe_ends[2];
	assert_int_equal(pipe(pipe_ends), 0);
	close(pipe_ends[1]);
	table.proc_fd = pipe_ends[0];
	assert_int_equal(process_table_read(&table, &err), -1);
	assert_string_equal(err.message, "cannot list '/proc': Illegal seek");
	process_table_release(&table);

	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	int result = process_table_read(&table, &err);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(result, -1);
	assert_int_equal(err.kind, ERROR_FAILED);
	assert_string_equal(err.message, "cannot open '/proc': Too many open files");

	table.proc_fd = proc_open(PMO_FIXTURES "/proc");
	setrlimit(RLIMIT_NOFILE, &none);
	result = process_table_read(&table, &err);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(result, -1);
	assert_text(err.message, "cannot read '/proc/%NUMBER/stat': Too many open files");
	process_table_release(&table);
	error_clear(&err);
}

static void test_unreadable_stat(void **state)
{
	struct test_project *project = *state;
	struct process_table table = PROCESS_TABLE_INIT;
	struct error err = ERROR_INIT;
	project_write(project, "proc/12/stat", "%s", "12 (half");
	table.proc_fd = proc_open(project_path(project, "proc"));
	assert_int_equal(process_table_read(&table, &err), -1);
	assert_string_equal(err.message, "cannot read '/proc/12/stat': Invalid argument");
	error_clear(&err);
	process_table_release(&table);
}

static void test_big_table(void **state)
{
	struct test_project *project = *state;
	struct process_table table = PROCESS_TABLE_INIT;
	struct error err = ERROR_INIT;
	for (int pid = 600; pid > 0; pid--) {
		char *name = text_format("proc/%d/stat", pid);
		project_write(project, name,
			      "%d (p) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0 0\n", pid,
			      pid * 2);
		free(name);
	}
	table.proc_fd = proc_open(project_path(project, "proc"));
	assert_int_equal(process_table_read(&table, &err), 0);
	assert_int_equal(table.count, 600);
	for (int pid = 1; pid <= 600; pid++) {
		assert_int_equal(table.items[pid - 1].pid, pid);
		assert_int_equal(process_table_find(&table, pid)->ticks, pid * 2);
	}
	process_table_release(&table);
}

static void write_stat(struct test_project *project, int pid, const char *name, int ticks)
{
	char *path = text_format("proc/%d/stat", pid);
	project_write(project, path, "%d (%s) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0 0\n",
		      pid, name, ticks);
	free(path);
}

/* What is older than the given time is taken from the last reading as long as it is the same. */
static void test_reread(void **state)
{
	struct test_project *project = *state;
	struct process_table table = PROCESS_TABLE_INIT;
	struct error err = ERROR_INIT;
	write_stat(project, 10, "before", 100);
	write_stat(project, 11, "before", 100);
	write_stat(project, 12, "before", 500);
	write_stat(project, 13, "before", 100);
	table.proc_fd = proc_open(project_path(project, "proc"));
	assert_int_equal(process_table_reread(&table, 300, &err), 0);
	assert_int_equal(table.count, 4);
	write_stat(project, 9, "after", 100);
	write_stat(project, 10, "after", 100);
	write_stat(project, 12, "after", 500);
	assert_int_equal(unlink(project_path(project, "proc/13/stat")), 0);
	/* the same number, another directory: another process */
	assert_int_equal(rename(project_path(project, "proc/11"),
				project_path(project, "proc/aside")),
			 0);
	write_stat(project, 11, "after", 200);
	assert_int_equal(rmdir(project_path(project, "proc/13")), 0);
	assert_int_equal(process_table_reread(&table, 300, &err), 0);
	assert_int_equal(table.count, 4);
	assert_string_equal(process_table_find(&table, 9)->name, "after");
	assert_string_equal(process_table_find(&table, 10)->name, "before");
	assert_string_equal(process_table_find(&table, 11)->name, "after");
	assert_string_equal(process_table_find(&table, 12)->name, "after");
	assert_int_equal(process_table_read(&table, &err), 0);
	assert_string_equal(process_table_find(&table, 10)->name, "after");
	process_table_release(&table);
}

static void test_real_table(void **state)
{
	struct process_table table = PROCESS_TABLE_INIT;
	struct error err = ERROR_INIT;
	struct process process;
	(void)state;
	pid_t sleeper = child_start("/bin/sleep", "1000", NULL);
	assert_int_equal(process_table_read(&table, &err), 0);
	const struct process *self = process_table_find(&table, getpid());
	const struct process *child = process_table_find(&table, sleeper);
	assert_non_null(self);
	assert_non_null(child);
	assert_int_equal(self->parent, getppid());
	assert_int_equal(self->group, getpgrp());
	assert_int_equal(self->session, getsid(0));
	assert_true(self->resident_bytes > 65536);
	assert_false(self->kernel);
	assert_int_equal(child->parent, getpid());
	assert_int_equal(child->ticks, process_start_ticks(sleeper));
	for (size_t i = 1; i < table.count; i++)
		assert_true(table.items[i - 1].pid < table.items[i].pid);
	assert_true(process_table_is_alive(&table, sleeper, child->ticks));
	child_stop(sleeper);
	assert_int_equal(process_table_read(&table, &err), 0);
	assert_null(process_table_find(&table, sleeper));
	assert_int_equal(process_read(table.proc_fd, sleeper, &process), -ESRCH);
	assert_int_equal(process_read(table.proc_fd, getpid(), &process), 0);
	assert_int_equal(process.pid, getpid());
	process_table_release(&table);
}

static void test_zombie(void **state)
{
	struct process process;
	siginfo_t info;
	int fd = proc_open("/proc");
	(void)state;
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(process_read(fd, child, &process), 0);
	assert_int_equal(process.state, 'Z');
	assert_false(process_is_alive(&process));
	waitpid(child, NULL, 0);
	assert_int_equal(process_read(fd, child, &process), -ESRCH);
	close(fd);
}

static void *wait_for_death(void *data)
{
	while (pause() < 0)
		continue;
	return data;
}

/* A program whose main thread ends while another runs on; it replaces this one's memory by some
 * that is its own, so that the environment is known. */
static int run_headless(void)
{
	pthread_t thread;
	char *memory = malloc(8 << 20);
	if (!memory || pthread_create(&thread, NULL, wait_for_death, NULL) != 0)
		return 1;
	memset(memory, 1, 8 << 20);
	pthread_exit(memory);
}

static pid_t start_self(const char *role, char *const *environment)
{
	char *arguments[] = { (char *)"test_process", (char *)role, NULL };
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execve("/proc/self/exe", arguments, environment);
		_exit(127);
	}
	assert_true(child > 0);
	return child;
}

static void test_headless(void **state)
{
	struct process process;
	char mark[MARK_LENGTH + 1];
	char *environment[] = { (char *)"A=1", (char *)"PMO_RUN=" MARK, NULL };
	struct buffer command = BUFFER_INIT;
	int fd = proc_open("/proc");
	(void)state;
	pid_t child = start_self("headless", environment);
	WAIT_FOR(process_state(child) == 'Z');
	assert_int_equal(process_read(fd, child, &process), 0);
	assert_int_equal(process.state, 'Z');
	assert_int_equal(process.threads, 2);
	assert_true(process_is_alive(&process));
	assert_true(process.resident_bytes >= 8 << 20);
	assert_true(process_read_mark(fd, child, mark));
	assert_string_equal(mark, MARK);
	process_append_command(fd, &process, &command);
	assert_string_equal(buffer_string(&command), "[exe]");
	buffer_release(&command);
	child_stop(child);
	close(fd);
}

struct mark_case {
	const char *environ;
	size_t length;
	const char *mark; /* NULL: none */
};

#define BYTES(text) text, sizeof(text) - 1

static const struct mark_case mark_cases[] = {
	{ BYTES("PMO_RUN=" MARK "\0"), MARK },
	{ BYTES("PMO_RUN=" MARK), MARK },
	{ BYTES("A=1\0PMO_RUN=" MARK "\0B=2\0"), MARK },
	{ BYTES("A=PMO_RUN=" MARK "\0"), NULL },
	{ BYTES("XPMO_RUN=" MARK "\0"), NULL },
	{ BYTES(" PMO_RUN=" MARK "\0"), NULL },
	{ BYTES("PMO_RUNX=" MARK "\0"), NULL },
	{ BYTES("PMO_RUN\0"), NULL },
	{ BYTES("PMO_RUN=\0"), NULL },
	{ BYTES("PMO_RUN="), NULL },
	{ BYTES("PMO_RU"), NULL },
	{ BYTES("pmo_run=" MARK "\0"), NULL },
	{ BYTES("PMO_RUN=ab\0"), "ab" },
	{ BYTES("PMO_RUN=" MARK "0\0"), NULL },
	{ BYTES("PMO_RUN=first\0PMO_RUN=second\0"), "first" },
	{ BYTES("\0\0\0PMO_RUN=" MARK "\0"), MARK },
	{ BYTES(""), NULL },
};

static void test_mark(void **state)
{
	struct test_project *project = *state;
	char mark[MARK_LENGTH + 1];
	int fd = proc_open(project->directory);
	for (size_t i = 0; i < ARRAY_LENGTH(mark_cases); i++) {
		const struct mark_case *this = &mark_cases[i];
		project_write_bytes(project, "5/environ", this->environ, this->length);
		if (process_read_mark(fd, 5, mark) != (this->mark != NULL))
			fail_msg("%s: wrong answer", this->environ);
		if (this->mark)
			assert_string_equal(mark, this->mark);
	}
	assert_false(process_read_mark(fd, 6, mark));
	close(fd);
}

/* The entry lies across every boundary that the reader may have, and behind a megabyte. */
static void test_mark_far_away(void **state)
{
	struct test_project *project = *state;
	char mark[MARK_LENGTH + 1];
	static const char entry[] = "PMO_RUN=" MARK;
	size_t size = (1 << 20) + 64;
	char *environment = malloc(size);
	int fd = proc_open(project->directory);
	for (size_t at = 8192 - sizeof(entry) - 2; at < 8192 + 2; at++) {
		memset(environment, 'x', at - 1);
		environment[at - 1] = '\0';
		memcpy(environment + at, entry, sizeof(entry));
		project_write_bytes(project, "5/environ", environment, at + sizeof(entry));
		assert_true(process_read_mark(fd, 5, mark));
		assert_string_equal(mark, MARK);
	}
	memset(environment, 'x', size);
	environment[1 << 20] = '\0';
	memcpy(environment + (1 << 20) + 1, entry, sizeof(entry));
	project_write_bytes(project, "5/environ", environment, size);
	assert_true(process_read_mark(fd, 5, mark));
	assert_string_equal(mark, MARK);
	free(environment);
	close(fd);
}

static void test_real_mark(void **state)
{
	char mark[MARK_LENGTH + 1];
	int fd = proc_open("/proc");
	char *big = malloc(100000);
	(void)state;
	memset(big, 'y', 99999);
	big[99999] = '\0';
	memcpy(big, "BIG=", 4);
	char *marked[] = { big, big, (char *)"PMO_RUN=" MARK, (char *)"Z=1", NULL };
	char *plain[] = { (char *)"PATH=/bin", NULL };
	char *none[] = { NULL };
	pid_t with = start_self("wait", marked);
	pid_t without = start_self("wait", plain);
	pid_t wiped = start_self("wait", none);
	WAIT_FOR(process_read_mark(fd, with, mark));
	assert_string_equal(mark, MARK);
	assert_false(process_read_mark(fd, without, mark));
	assert_false(process_read_mark(fd, wiped, mark));
	child_stop(with);
	child_stop(without);
	child_stop(wiped);
	assert_false(process_read_mark(fd, with, mark));
	free(big);
	close(fd);
}

/* What is somebody else's is no error, only unknown. */
static void test_forbidden_mark(void **state)
{
	char mark[MARK_LENGTH + 1];
	char *marked[] = { (char *)"PMO_RUN=" MARK, NULL };
	int fd = proc_open("/proc");
	int status;
	(void)state;
	SKIP_UNLESS_ROOT();
	pid_t owned_by_root = start_self("wait", marked);
	WAIT_FOR(process_read_mark(fd, owned_by_root, mark));
	pid_t child = fork();
	if (child == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		_exit(process_read_mark(fd, owned_by_root, mark) ? 1 : 0);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	child_stop(owned_by_root);
	close(fd);
}

static void test_command(void **state)
{
	struct test_project *project = *state;
	struct buffer command = BUFFER_INIT;
	struct process process = { .pid = 77, .name = "a) R 1 (b" };
	int fd = proc_open(PMO_FIXTURES "/proc");
	process_append_command(fd, &process, &command);
	assert_string_equal(buffer_string(&command), "/opt/a b --title \\x1b[31mred\\n\\xff");
	close(fd);

	buffer_clear(&command);
	buffer_append_string(&command, "> ");
	process = (struct process){ .pid = 2, .name = "kthr\033[1madd" };
	fd = proc_open("/proc");
	process_append_command(fd, &process, &command);
	assert_string_equal(buffer_string(&command), "> [kthr\\x1b[1madd]");
	close(fd);

	char *big = malloc(200000);
	memset(big, 'z', 200000);
	project_write_bytes(project, "9/cmdline", big, 200000);
	free(big);
	buffer_clear(&command);
	process = (struct process){ .pid = 9 };
	fd = proc_open(project->directory);
	process_append_command(fd, &process, &command);
	assert_int_equal(command.length, 65536);
	close(fd);
	buffer_release(&command);
}

static void test_real_command(void **state)
{
	struct buffer command = BUFFER_INIT;
	int fd = proc_open("/proc");
	(void)state;
	pid_t child = child_start("/bin/sleep", "1000", NULL);
	struct process process = { .pid = child };
	WAIT_FOR((buffer_clear(&command), process_append_command(fd, &process, &command),
		  strstr(buffer_string(&command), "sleep 1000")));
	child_stop(child);
	buffer_release(&command);
	close(fd);
}

/* A process that changed its user is not dumpable, and /proc then shows most of it as root's. */
static void test_owner(void **state)
{
	int fd = proc_open("/proc");
	uid_t owner = 1;
	int ready[2];
	char byte;
	(void)state;
	assert_true(process_read_owner(fd, getpid(), &owner));
	assert_int_equal(owner, geteuid());
	assert_false(process_read_owner(fd, 4194305, &owner));
	SKIP_UNLESS_ROOT();
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setgid(65533) < 0 || setuid(65533) < 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(process_read_owner(fd, child, &owner));
	assert_int_equal(owner, 65533);
	child_stop(child);
	close(ready[0]);
	close(ready[1]);
	close(fd);
}

static void test_ticks_per_second(void **state)
{
	(void)state;
	assert_int_equal(process_ticks_per_second(), sysconf(_SC_CLK_TCK));
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "headless") == 0)
		return run_headless();
	if (argc == 2 && strcmp(argv[1], "wait") == 0)
		wait_for_death(NULL);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_stat),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_threads_that_outlive_the_main_one),
		cmocka_unit_test(test_table_errors),
		PROJECT_TEST(test_unreadable_stat),
		PROJECT_TEST(test_big_table),
		PROJECT_TEST(test_reread),
		cmocka_unit_test(test_real_table),
		cmocka_unit_test(test_zombie),
		cmocka_unit_test(test_headless),
		PROJECT_TEST(test_mark),
		PROJECT_TEST(test_mark_far_away),
		cmocka_unit_test(test_real_mark),
		cmocka_unit_test(test_forbidden_mark),
		PROJECT_TEST(test_command),
		cmocka_unit_test(test_real_command),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_ticks_per_second),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
