/* service/watcher: the process, its lines and its end. */
#include "support/support.h"
#include "support/watching.h"

#include "base/memory.h"
#include "service/watcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A watcher in a process of its own, as a supervisor has it. */
struct watched {
	pid_t pid;
	int channel;
	FILE *lines;
	char line[8192];
};

static void start(struct watched *watched, const int *channels, const char *const *roots,
		  size_t count)
{
	static const char *const patterns[] = { "*.log" };
	watched->pid = fork();
	assert_true(watched->pid >= 0);
	if (watched->pid == 0) {
		close(channels[0]);
		_exit(watcher_run(roots, count, patterns, 1, channels[1]) != 0);
	}
	close(channels[1]);
	watched->channel = channels[0];
	watched->lines = fdopen(channels[0], "r");
	assert_non_null(watched->lines);
	/* poll(2) does not see what stdio has read ahead */
	setvbuf(watched->lines, NULL, _IONBF, 0);
}

static void start_on_socket(struct watched *watched, const char *const *roots, size_t count)
{
	int channels[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channels), 0);
	start(watched, channels, roots, count);
}

static bool readable(const struct watched *watched, int milliseconds)
{
	struct pollfd ready = { .fd = watched->channel, .events = POLLIN };
	return poll(&ready, 1, milliseconds) == 1;
}

static const char *next_line(struct watched *watched)
{
	if (!readable(watched, WAIT_LIMIT_S * 1000))
		fail_msg("the watcher says nothing");
	if (!fgets(watched->line, sizeof(watched->line), watched->lines))
		return NULL;
	watched->line[strcspn(watched->line, "\n")] = '\0';
	return watched->line;
}

/* The file is changed until that is told. */
static void await_start(struct watched *watched, const char *probe)
{
	do
		append_to(probe, "x");
	while (!readable(watched, 500));
	assert_non_null(next_line(watched));
	while (readable(watched, 500))
		assert_non_null(next_line(watched));
}

static int end_status(struct watched *watched)
{
	int status;
	fclose(watched->lines);
	assert_int_equal(waitpid(watched->pid, &status, 0), watched->pid);
	return status;
}

static void test_changed(void **state)
{
	struct test_project *project = *state;
	struct watched watched;
	const char *const roots[] = { project->directory };
	project_write(project, "src/sub/a.c", "x");
	start_on_socket(&watched, roots, 1);
	await_start(&watched, project_path(project, "probe"));
	project_write(project, "src/sub/a.c", "y");
	assert_string_equal(next_line(&watched), "changed src/sub/a.c");
	project_write(project, "src/sub/a.log", "x");
	project_write(project, "src/sub/a\nb\033.c", "x");
	assert_string_equal(next_line(&watched), "changed src/sub/a\\nb\\x1b.c");
	assert_false(readable(&watched, 500));
	assert_int_equal(end_status(&watched), 0);
}

/* Two hundred changes over most of a second are one, if this test was not held up meanwhile. */
static void test_burst(void **state)
{
	struct test_project *project = *state;
	struct watched watched;
	const char *const roots[] = { project->directory };
	start_on_socket(&watched, roots, 1);
	await_start(&watched, project_path(project, "probe"));
	double begin = wait_now();
	double last = begin;
	double longest = 0;
	for (int i = 0; i < 200; i++) {
		project_write(project, "many", "%d", i);
		wait_microseconds(3000);
		double now = wait_now();
		longest = now - last > longest ? now - last : longest;
		last = now;
	}
	assert_string_equal(next_line(&watched), "changed many");
	if (longest < 0.1 && last - begin < 1.5)
		assert_false(readable(&watched, 500));
	assert_int_equal(end_status(&watched), 0);
}

static void test_paths(void **state)
{
	struct test_project *project = *state;
	struct watched watched;
	project_write(project, "lib/x", "x");
	const char *const roots[] = { project_path(project, "src"), project_path(project, "lib/"),
				      project_path(project, ".env") };
	start_on_socket(&watched, roots, 3);
	assert_string_equal(next_line(&watched), "missing src");
	assert_string_equal(next_line(&watched), "missing .env");
	project_write(project, "other", "x");
	project_write(project, "lib/x", "y");
	assert_string_equal(next_line(&watched), "changed lib/x");
	project_write(project, ".env", "A=1");
	assert_string_equal(next_line(&watched), "changed .env");
	project_write(project, "src/new", "x");
	assert_string_equal(next_line(&watched), "changed src");
	assert_int_equal(end_status(&watched), 0);
}

static void test_file_path(void **state)
{
	struct test_project *project = *state;
	struct watched watched;
	const char *const roots[] = { project_path(project, "src/a.c") };
	project_write(project, "src/a.c", "x");
	start_on_socket(&watched, roots, 1);
	await_start(&watched, roots[0]);
	project_write(project, "src/a.c", "y");
	assert_string_equal(next_line(&watched), "changed a.c");
	assert_int_equal(end_status(&watched), 0);
}

static void test_relative_paths(void **state)
{
	struct test_project *project = *state;
	struct watched watched;
	const char *const roots[] = { "src", "missing" };
	char *before CLEANUP_FREE = getcwd(NULL, 0);
	project_write(project, "src/a.c", "x");
	assert_int_equal(chdir(project->directory), 0);
	start_on_socket(&watched, roots, 2);
	assert_int_equal(chdir(before), 0);
	assert_string_equal(next_line(&watched), "missing missing");
	project_write(project, "src/a.c", "y");
	assert_string_equal(next_line(&watched), "changed src/a.c");
	assert_int_equal(end_status(&watched), 0);
}

static void test_pipe(void **state)
{
	struct test_project *project = *state;
	struct watched watched;
	const char *const roots[] = { project->directory };
	int channels[2];
	assert_int_equal(pipe2(channels, O_CLOEXEC), 0);
	start(&watched, channels, roots, 1);
	await_start(&watched, project_path(project, "probe"));
	project_write(project, "a", "x");
	assert_string_equal(next_line(&watched), "changed a");
	assert_int_equal(end_status(&watched), 0);
}

/* Nothing happens: only the end of the channel wakes it. */
static void test_idle_end(void **state)
{
	struct test_project *project = *state;
	struct watched watched;
	const char *const roots[] = { project->directory };
	start_on_socket(&watched, roots, 1);
	WAIT_FOR(process_state(watched.pid) == 'S');
	assert_int_equal(end_status(&watched), 0);
}

static void write_setting(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(77);
	close(fd);
}

static void run_in_namespace(int channel, const char *root)
{
	if (unshare(CLONE_NEWUSER) != 0)
		_exit(77);
	write_setting("/proc/sys/user/max_inotify_watches", "5");
	_exit(watcher_run(&root, 1, NULL, 0, channel) == 0);
}

/* The limits of a user namespace are its own. */
static void test_limit(void **state)
{
	struct test_project *project = *state;
	struct watched watched;
	const char *line;
	int channels[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channels), 0);
	assert_int_equal(mkdir(project_path(project, "a"), 0700), 0);
	watched.pid = fork();
	if (watched.pid == 0) {
		close(channels[0]);
		run_in_namespace(channels[1], project->directory);
	}
	close(channels[1]);
	watched.channel = channels[0];
	watched.lines = fdopen(channels[0], "r");
	for (int i = 0; !readable(&watched, 100); i++)
		mkdir(project_path(project, "d%d", i), 0700);
	while ((line = next_line(&watched)) && strncmp(line, "changed ", 8) == 0) {
	}
	if (line) {
		assert_text_has(line, "error cannot watch '");
		assert_text_has(line, "fs.inotify.max_user_watches");
		assert_null(next_line(&watched));
	}
	int status = end_status(&watched);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("needs user namespaces");
	assert_int_equal(status, 0);
}

static void test_parse(void **state)
{
	static const struct {
		const char *line;
		enum watcher_news news;
		const char *text;
	} cases[] = {
		{ "changed a b", WATCHER_CHANGED, "a b" },
		{ "missing src", WATCHER_MISSING, "src" },
		{ "error no more", WATCHER_ERROR, "no more" },
		{ "changed", WATCHER_UNKNOWN, "changed" },
		{ "", WATCHER_UNKNOWN, "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		const char *text;
		assert_int_equal(watcher_parse(cases[i].line, &text), cases[i].news);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_changed),        PROJECT_TEST(test_burst),
		PROJECT_TEST(test_paths),          PROJECT_TEST(test_file_path),
		PROJECT_TEST(test_relative_paths), PROJECT_TEST(test_pipe),
		PROJECT_TEST(test_idle_end),       PROJECT_TEST(test_limit),
		cmocka_unit_test(test_parse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
