/*
 * The only fork: held children, what they find when they are released, and who they become.
 */
#include "support/support.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "os/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY_ID = 65534 };

static const char *const plain_environment[] = { "PATH=/usr/bin:/bin", NULL };

/* ARGUMENTS[0] is executed as it is. */
static struct spawn_plan plan_for(const char *const *arguments)
{
	return (struct spawn_plan){
		.program = arguments[0],
		.arguments = (char *const *)arguments,
		.environment = (char *const *)plain_environment,
		.input = -1,
		.output = -1,
		.errors = -1,
		.group = SPAWN_NEW_SESSION,
		.umask = -1,
	};
}

static void start(const struct spawn_plan *plan, struct spawned *child)
{
	struct error err = ERROR_INIT;
	if (spawn_start(plan, child, &err) < 0)
		fail_msg("%s", err.message);
}

static void release(const struct spawn_plan *plan, struct spawned *child)
{
	struct error err = ERROR_INIT;
	int exec_errno = 0;
	if (spawn_release(child, &err) < 0 || spawn_finish(plan, child, &exec_errno, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(exec_errno, 0);
	assert_int_equal(child->channel, -1);
}

/* Run it to its end: its wait status. */
static int run(const struct spawn_plan *plan)
{
	struct spawned child;
	int status = -1;
	start(plan, &child);
	release(plan, &child);
	assert_true(spawn_reap(&child, &status));
	assert_int_equal(child.pidfd, -1);
	return status;
}

/* What a shell script writes, when it is run by this plan but for its arguments and output. */
static char *script_output(struct test_project *project, struct spawn_plan plan, const char *script)
{
	const char *const arguments[] = { "/bin/sh", "-c", script, "sh", NULL };
	int fd CLEANUP_CLOSE =
	    open(project_path(project, "output"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	plan.program = arguments[0];
	plan.arguments = (char *const *)arguments;
	plan.output = fd;
	int status = run(&plan);
	if (status != 0)
		fail_msg("'%s' ended with wait status %#x", script, (unsigned int)status);
	return project_read(project, "output");
}

static void test_run(void **state)
{
	struct test_project *project = *state;
	static const char *const exit_7[] = { "/bin/sh", "-c", "exit 7", NULL };
	static const char *const kill_itself[] = { "/bin/sh", "-c", "kill -USR1 $$", NULL };
	struct spawn_plan plan = plan_for(exit_7);
	int status = run(&plan);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	plan = plan_for(kill_itself);
	status = run(&plan);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGUSR1);
	char *output CLEANUP_FREE = script_output(project, plan, "echo hello");
	assert_string_equal(output, "hello\n");
}

/* Arguments and environment arrive byte for byte, and nothing else does. */
static void test_arguments(void **state)
{
	struct test_project *project = *state;
	static const char *const arguments[] = { "/usr/bin/printf", "[%s]",   "a b",    "",
						 "$HOME",           "'\"\\*", "\xff\n", NULL };
	static const char *const cat[] = { "/bin/cat", "/proc/self/environ", NULL };
	static const char *const environment[] = { "ONE=1", "EMPTY=", "ODD=a b\nc=$x", NULL };
	static const char block[] = "ONE=1\0EMPTY=\0ODD=a b\nc=$x";
	struct spawn_plan plan = plan_for(arguments);
	int fd CLEANUP_CLOSE =
	    open(project_path(project, "output"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	plan.output = fd;
	assert_int_equal(run(&plan), 0);
	char *output CLEANUP_FREE = project_read(project, "output");
	assert_string_equal(output, "[a b][][$HOME]['\"\\*][\xff\n]");
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	plan = plan_for(cat);
	plan.environment = (char *const *)environment;
	plan.output = fd;
	assert_int_equal(run(&plan), 0);
	size_t length;
	char *variables CLEANUP_FREE = read_file(project_path(project, "output"), &length);
	assert_int_equal(length, sizeof(block));
	assert_memory_equal(variables, block, sizeof(block));
}

static void test_streams(void **state)
{
	struct test_project *project = *state;
	static const char *const arguments[] = { "/bin/sh", "-c", "cat; echo failed >&2", NULL };
	struct spawn_plan plan = plan_for(arguments);
	project_write(project, "input", "what it reads");
	plan.input = open(project_path(project, "input"), O_RDONLY | O_CLOEXEC);
	plan.output = open(project_path(project, "out"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	plan.errors = open(project_path(project, "err"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(run(&plan), 0);
	char *out CLEANUP_FREE = project_read(project, "out");
	char *err CLEANUP_FREE = project_read(project, "err");
	assert_string_equal(out, "what it reads");
	assert_string_equal(err, "failed\n");
	close(plan.input);
	close(plan.output);
	close(plan.errors);
}

/* The target of a link of /proc, to be freed; "" if there is none. */
static char *link_target(const char *path)
{
	char target[4096];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	return memory_strndup(target, length > 0 ? (size_t)length : 0);
}

/* "0:/dev/null 1:/dev/null ..." in ascending order, to be freed. */
static char *descriptors_of(pid_t pid)
{
	struct buffer text = BUFFER_INIT;
	for (int fd = 0; fd < 4096; fd++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)pid, fd);
		char *target CLEANUP_FREE = link_target(path);
		if (!*target)
			continue;
		if (strncmp(target, "socket:", 7) == 0)
			target[6] = '\0';
		buffer_printf(&text, "%s%d:%s", text.length ? " " : "", fd, target);
	}
	return buffer_detach(&text);
}

static bool has_descriptors(pid_t pid, const char *expected)
{
	char *found CLEANUP_FREE = descriptors_of(pid);
	return strcmp(found, expected) == 0;
}

#define NULL_STREAMS "0:/dev/null 1:/dev/null 2:/dev/null"

/* However much is open here, close-on-exec or not, the child has three descriptors. */
static void test_descriptors(void **state)
{
	static const char *const arguments[] = { "/bin/sleep", "300", NULL };
	struct spawn_plan plan = plan_for(arguments);
	struct spawned child;
	int fds[300];
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(fds); i++) {
		fds[i] = i % 3 ? open("/dev/zero", O_RDONLY) : open("/", O_RDONLY | O_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
	start(&plan, &child);
	assert_int_equal(fcntl(child.pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(child.channel, F_GETFD), FD_CLOEXEC);
	WAIT_FOR(has_descriptors(child.pid, NULL_STREAMS " 3:socket"));
	release(&plan, &child);
	char *found CLEANUP_FREE = descriptors_of(child.pid);
	assert_string_equal(found, NULL_STREAMS);
	kill(child.pid, SIGKILL);
	assert_true(spawn_reap(&child, NULL));
	for (size_t i = 0; i < ARRAY_LENGTH(fds); i++)
		close(fds[i]);
}

/* A held child has let go of the locks it was born with: releasing them is up to us alone. */
static void test_locks(void **state)
{
	struct test_project *project = *state;
	static const char *const arguments[] = { "/bin/sleep", "300", NULL };
	struct spawn_plan plan = plan_for(arguments);
	struct spawned child;
	const char *path = project_path(project, "lock");
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int other = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
	start(&plan, &child);
	WAIT_FOR(has_descriptors(child.pid, NULL_STREAMS " 3:socket"));
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	close(lock);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	spawn_abandon(&child);
	close(other);
}

/* A descriptor that is already where it belongs survives the exec, close-on-exec or not. */
static void test_stream_in_place(void **state)
{
	struct test_project *project = *state;
	int status;
	const char *path = project_path(project, "output");
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		static const char *const arguments[] = { "/bin/echo", "in place", NULL };
		struct spawn_plan plan = plan_for(arguments);
		struct spawned child;
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (dup3(fd, STDOUT_FILENO, O_CLOEXEC) < 0)
			_exit(1);
		plan.output = STDOUT_FILENO;
		if (spawn_start(&plan, &child, NULL) < 0 || spawn_release(&child, NULL) < 0 ||
		    spawn_finish(&plan, &child, NULL, NULL) < 0 || !spawn_reap(&child, &status))
			_exit(2);
		_exit(status ? 3 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	char *output CLEANUP_FREE = project_read(project, "output");
	assert_string_equal(output, "in place\n");
}

/* Ignore and block everything here: a caller may be like that. */
static void refuse_signals(void)
{
	sigset_t all;
	for (int signal_number = 1; signal_number <= SIGRTMAX; signal_number++)
		signal(signal_number, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

#define SIGNAL_SCRIPT "sed -n '/^Sig[PBIC]/p' /proc/self/status"

static const char clean_signals[] = "SigPnd:\t0000000000000000\nSigBlk:\t0000000000000000\n"
				    "SigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n";

static int spawn_from_deaf_parent(const char *path)
{
	static const char *const arguments[] = { "/bin/sh", "-c", "exec " SIGNAL_SCRIPT, NULL };
	struct spawn_plan plan = plan_for(arguments);
	struct spawned child;
	int status = -1;
	refuse_signals();
	plan.output = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (spawn_start(&plan, &child, NULL) < 0 || spawn_release(&child, NULL) < 0 ||
	    spawn_finish(&plan, &child, NULL, NULL) < 0)
		return 1;
	/* a caller's ignored SIGCHLD would throw the exit status away */
	return spawn_reap(&child, &status) && status == 0 ? 0 : 2;
}

static int replace_from_deaf_process(const char *path)
{
	static const char *const arguments[] = { "/bin/sh", "-c", "exec " SIGNAL_SCRIPT, NULL };
	struct spawn_plan plan = plan_for(arguments);
	refuse_signals();
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	dup2(fd, STDOUT_FILENO);
	return spawn_replace(&plan);
}

static void test_signals(void **state)
{
	struct test_project *project = *state;
	int (*const ways[])(const char *) = { spawn_from_deaf_parent, replace_from_deaf_process };
	const char *path = project_path(project, "output");
	for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
		int status;
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(ways[i](path));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		char *output CLEANUP_FREE = project_read(project, "output");
		assert_string_equal(output, clean_signals);
	}
}

/* Our own mask and handlers are as they were. */
static void test_own_signals(void **state)
{
	static const char *const arguments[] = { "/bin/true", NULL };
	struct spawn_plan plan = plan_for(arguments);
	sigset_t before;
	sigset_t after;
	(void)state;
	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGUSR1, SIG_IGN);
	assert_int_equal(run(&plan), 0);
	assert_ptr_equal(signal(SIGUSR1, SIG_DFL), SIG_IGN);
	sigprocmask(SIG_SETMASK, NULL, &after);
	assert_true(sigismember(&after, SIGUSR2));
	assert_false(sigismember(&after, SIGTERM));
	sigemptyset(&before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void test_groups(void **state)
{
	static const char *const arguments[] = { "/bin/sleep", "300", NULL };
	struct spawn_plan plan = plan_for(arguments);
	struct spawned child;
	(void)state;
	start(&plan, &child);
	release(&plan, &child);
	assert_int_equal(getsid(child.pid), child.pid);
	assert_int_equal(getpgid(child.pid), child.pid);
	kill(child.pid, SIGKILL);
	assert_true(spawn_reap(&child, NULL));
	plan.group = SPAWN_NEW_GROUP;
	start(&plan, &child);
	release(&plan, &child);
	assert_int_equal(getsid(child.pid), getsid(0));
	assert_int_equal(getpgid(child.pid), child.pid);
	kill(child.pid, SIGKILL);
	assert_true(spawn_reap(&child, NULL));
}

static void test_settings(void **state)
{
	struct test_project *project = *state;
	static const char *const none[] = { "/bin/true", NULL };
	static const struct limit limits[] = { { "nofile", RLIMIT_NOFILE, 77, 88 },
					       { "core", RLIMIT_CORE, 0, 0 } };
	struct spawn_plan plan = plan_for(none);
	plan.directory = "/usr";
	char *directory CLEANUP_FREE = script_output(project, plan, "pwd -P");
	assert_string_equal(directory, "/usr\n");
	plan.directory = NULL;
	plan.umask = 027;
	char *mask CLEANUP_FREE = script_output(project, plan, "umask");
	assert_string_equal(mask, "0027\n");
	plan.umask = -1;
	plan.has_nice = true;
	plan.nice = 7;
	char *nice_value CLEANUP_FREE = script_output(project, plan, "nice");
	assert_string_equal(nice_value, "7\n");
	plan.limits = limits;
	plan.limit_count = ARRAY_LENGTH(limits);
	char *shown CLEANUP_FREE =
	    script_output(project, plan, "ulimit -S -n; ulimit -H -n; ulimit -c");
	assert_string_equal(shown, "77\n88\n0\n");
}

/* The soft limit goes up for us, and services get the old one, unless they ask for another. */
static int raise_and_spawn(struct test_project *project)
{
	static const char *const none[] = { "/bin/true", NULL };
	static const struct limit limits[] = { { "nofile", RLIMIT_NOFILE, 55, 60 } };
	struct rlimit limit = { 100, 200 };
	struct rlimit original;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	spawn_raise_file_limit(&original);
	if (original.rlim_cur != 100 || original.rlim_max != 200 ||
	    getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur != 200)
		return 2;
	struct spawn_plan plan = plan_for(none);
	plan.file_limit = &original;
	char *shown CLEANUP_FREE = script_output(project, plan, "ulimit -S -n; ulimit -H -n");
	if (strcmp(shown, "100\n200\n") != 0)
		return 3;
	plan.limits = limits;
	plan.limit_count = ARRAY_LENGTH(limits);
	char *asked CLEANUP_FREE = script_output(project, plan, "ulimit -S -n; ulimit -H -n");
	return strcmp(asked, "55\n60\n") == 0 ? 0 : 4;
}

static void test_file_limit(void **state)
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(raise_and_spawn(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_credentials(void **state)
{
	struct test_project *project = *state;
	static const char *const none[] = { "/bin/true", NULL };
	gid_t groups[] = { NOBODY_ID, 12345 };
	struct spawn_plan plan = plan_for(none);
	SKIP_UNLESS_ROOT();
	plan.credentials = (struct credentials){ true, NOBODY_ID, 4321, groups, 2 };
	char *shown CLEANUP_FREE =
	    script_output(project, plan,
			  "grep -E '^(Uid|Gid|Groups)' /proc/self/status | tr -s ' \\t' ' '");
	assert_string_equal(shown, "Uid: 65534 65534 65534 65534\nGid: 4321 4321 4321 4321\n"
				   "Groups: 12345 65534 \n");
}

static bool is_this_program(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	char *theirs CLEANUP_FREE = link_target(path);
	char *ours CLEANUP_FREE = link_target("/proc/self/exe");
	return strcmp(theirs, ours) == 0;
}

static void test_held(void **state)
{
	struct test_project *project = *state;
	const char *marker = project_path(project, "marker");
	const char *const arguments[] = { "/usr/bin/touch", marker, NULL };
	struct spawn_plan plan = plan_for(arguments);
	struct spawned child;
	start(&plan, &child);
	WAIT_FOR(process_state(child.pid) == 'S');
	struct pollfd entries[] = { { child.pidfd, POLLIN, 0 }, { child.channel, POLLIN, 0 } };
	assert_int_equal(poll(entries, 2, 50), 0);
	assert_true(is_this_program(child.pid));
	assert_int_equal(getsid(child.pid), child.pid);
	assert_false(project_exists(project, "marker"));
	pid_t pid = child.pid;
	spawn_abandon(&child);
	assert_int_equal(child.pidfd, -1);
	assert_int_equal(child.channel, -1);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_false(project_exists(project, "marker"));
}

/* One that somebody has stopped must not keep us waiting. */
static void test_abandon_stopped(void **state)
{
	struct test_project *project = *state;
	const char *const arguments[] = { "/usr/bin/touch", project_path(project, "marker"), NULL };
	struct spawn_plan plan = plan_for(arguments);
	struct spawned child;
	start(&plan, &child);
	kill(child.pid, SIGSTOP);
	WAIT_FOR(process_state(child.pid) == 'T');
	spawn_abandon(&child);
	assert_false(project_exists(project, "marker"));
}

enum { ORPHANS = 5 };

/* Several held children, whose pids go to FD; then wait to be killed. */
static void hold_children(const char *marker, int fd)
{
	const char *const arguments[] = { "/usr/bin/touch", marker, NULL };
	struct spawn_plan plan = plan_for(arguments);
	struct spawned children[ORPHANS];
	for (int i = 0; i < ORPHANS; i++) {
		if (spawn_start(&plan, &children[i], NULL) < 0)
			_exit(1);
		if (write(fd, &children[i].pid, sizeof(pid_t)) < 0)
			_exit(2);
	}
	for (;;)
		pause();
}

/* The parent is killed before the release: the children end, and the program has never run. */
static void test_parent_dies(void **state)
{
	struct test_project *project = *state;
	const char *marker = project_path(project, "marker");
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	/* orphans come to us: we see how they end */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t parent = fork();
	assert_true(parent >= 0);
	if (parent == 0)
		hold_children(marker, ends[1]);
	close(ends[1]);
	pid_t orphans[ORPHANS];
	for (int i = 0; i < ORPHANS; i++)
		assert_int_equal(read(ends[0], &orphans[i], sizeof(pid_t)), sizeof(pid_t));
	close(ends[0]);
	for (int i = 0; i < ORPHANS; i++)
		assert_true(process_alive(orphans[i]));
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	for (int i = 0; i < ORPHANS; i++) {
		int status;
		assert_int_equal(waitpid(orphans[i], &status, 0), orphans[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 127);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	assert_false(project_exists(project, "marker"));
}

/* The parent is killed at any instant: at most what it has written down may have run. */
static void spawn_and_record(struct test_project *project, long pause_us)
{
	const char *const arguments[] = { "/usr/bin/touch", project_path(project, "marker"), NULL };
	struct spawn_plan plan = plan_for(arguments);
	struct spawned child;
	if (spawn_start(&plan, &child, NULL) < 0)
		_exit(1);
	project_write(project, "record", "%ld", (long)child.pid);
	if (pause_us)
		wait_microseconds(pause_us);
	if (spawn_release(&child, NULL) < 0)
		_exit(2);
	for (;;)
		pause();
}

static void reap_all(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
}

static void test_parent_dies_anytime(void **state)
{
	struct test_project *project = *state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (long i = 0; i < 60; i++) {
		pid_t parent = fork();
		assert_true(parent >= 0);
		if (parent == 0)
			spawn_and_record(project, i % 2 * 300);
		wait_microseconds(i * 60);
		kill(parent, SIGKILL);
		reap_all();
		bool is_recorded = project_exists(project, "record");
		bool has_run = project_exists(project, "marker");
		assert_true(is_recorded || !has_run);
		unlink(project_path(project, "record"));
		unlink(project_path(project, "marker"));
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void test_reap_not_ours(void **state)
{
	(void)state;
	struct spawned child = { .pid = 1, .pidfd = -1, .channel = -1 };
	int status = -1;
	assert_false(spawn_reap(&child, &status));
	assert_int_equal(status, 0);
}

static int replace_in_child(struct test_project *project)
{
	static const char *const arguments[] = { "/bin/sh", "-c",
						 "echo $$ $A; ulimit -S -n; umask; pwd -P", NULL };
	static const char *const environment[] = { "A=x y", NULL };
	struct rlimit limit = { 123, 200 };
	struct spawn_plan plan = plan_for(arguments);
	int fd = open(project_path(project, "output"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	plan.environment = (char *const *)environment;
	plan.file_limit = &limit;
	plan.umask = 070;
	plan.directory = "/usr";
	dup2(fd, STDOUT_FILENO);
	return spawn_replace(&plan);
}

static void test_replace(void **state)
{
	struct test_project *project = *state;
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(replace_in_child(project));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	char *output CLEANUP_FREE = project_read(project, "output");
	char *expected CLEANUP_FREE = text_format("%ld x y\n123\n0070\n/usr\n", (long)pid);
	assert_string_equal(output, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_run),
		PROJECT_TEST(test_arguments),
		PROJECT_TEST(test_streams),
		cmocka_unit_test(test_descriptors),
		PROJECT_TEST(test_locks),
		PROJECT_TEST(test_stream_in_place),
		PROJECT_TEST(test_signals),
		cmocka_unit_test(test_own_signals),
		cmocka_unit_test(test_groups),
		PROJECT_TEST(test_settings),
		PROJECT_TEST(test_file_limit),
		PROJECT_TEST(test_credentials),
		PROJECT_TEST(test_held),
		PROJECT_TEST(test_abandon_stopped),
		PROJECT_TEST(test_parent_dies),
		PROJECT_TEST(test_parent_dies_anytime),
		cmocka_unit_test(test_reap_not_ours),
		PROJECT_TEST(test_replace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
