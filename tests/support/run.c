#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 1100, ENVIRONMENT_MAX = 64 };

const char *pmo_binary(void)
{
	const char *binary = getenv("PMO_BINARY");

	return binary != NULL && binary[0] != '\0' ? binary : PMO_BINARY;
}

struct environment {
	char *items[ENVIRONMENT_MAX];
	size_t count;
};

static bool names_same(const char *left, const char *right)
{
	size_t length = strcspn(left, "=");

	return length == strcspn(right, "=") && strncmp(left, right, length) == 0;
}

/* "NAME=value" sets, "NAME" removes. */
static void environment_change(struct environment *environment, const char *entry)
{
	size_t i;

	for (i = 0; i < environment->count; i++) {
		if (!names_same(environment->items[i], entry))
			continue;
		free(environment->items[i]);
		environment->items[i] = environment->items[--environment->count];
		break;
	}
	if (strchr(entry, '=') == NULL)
		return;
	assert_true(environment->count < ENVIRONMENT_MAX - 1);
	environment->items[environment->count++] = strdup(entry);
}

static void environment_make(struct environment *environment, const char *const *changes)
{
	static const char *const kept[] = { "PATH",         "HOME",          "USER",
					    "LOGNAME",      "SHELL",         "TMPDIR",
					    "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" };
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char *value = getenv(kept[i]);
		char *entry;

		if (value == NULL)
			continue;
		entry = text_format("%s=%s", kept[i], value);
		environment_change(environment, entry);
		free(entry);
	}
	environment_change(environment, "LC_ALL=C.UTF-8");
	environment_change(environment, "TZ=UTC");
	environment_change(environment, "TERM=xterm-256color");
	for (i = 0; changes != NULL && changes[i] != NULL; i++)
		environment_change(environment, changes[i]);
}

static void environment_release(struct environment *environment)
{
	while (environment->count > 0)
		free(environment->items[--environment->count]);
}

static char *command_text(const char *program, const char *const *arguments)
{
	char *text = strdup(program);

	for (; *arguments != NULL; arguments++) {
		char *longer = text_format("%s %.200s", text, *arguments);

		free(text);
		text = longer;
		if (strlen(text) > 2000)
			break;
	}
	return text;
}

/* What the child gets as its standard streams. */
struct streams {
	int input;
	int output;
	int errors;
	bool terminal;
};

static int open_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int open_input(const char *text)
{
	int fd;

	if (text == NULL) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		return fd;
	}
	fd = open_memory("stdin");
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int open_terminal(struct running *running, const struct run_options *options)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];
	int slave;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	assert_int_equal(ptsname_r(master, name, sizeof(name)), 0);
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	running->out_fd = master;
	running->terminal = true;
	run_pmo_resize(running, options->columns, options->rows != 0 ? options->rows : 24);
	return slave;
}

static void open_streams(struct streams *streams, struct running *running,
			 const struct run_options *options)
{
	running->err_fd = open_memory("stderr");
	if (options->columns != 0) {
		int slave = open_terminal(running, options);

		*streams = (struct streams){ slave, slave, slave, true };
		return;
	}
	running->out_fd = open_memory("stdout");
	streams->input = open_input(options->input);
	streams->output = running->out_fd;
	streams->errors = running->err_fd;
	if (options->output_path != NULL) {
		streams->output = open(options->output_path, O_WRONLY | O_CLOEXEC);
		assert_true(streams->output >= 0);
	}
}

static void close_streams(const struct streams *streams, const struct running *running)
{
	close(streams->input);
	if (!streams->terminal && streams->output != running->out_fd)
		close(streams->output);
}

static int child_set_limits(const struct run_options *options)
{
	const struct run_limit *limit = options->limits;
	size_t i;

	for (i = 0; i < 4 && limit[i].value != 0; i++) {
		const struct rlimit value = { limit[i].value, limit[i].value };

		if (setrlimit((__rlimit_resource_t)limit[i].resource, &value) != 0)
			return -1;
	}
	return 0;
}

static int child_set_user(const struct run_options *options)
{
	if (options->user == 0)
		return 0;
	return setgroups(0, NULL) != 0 || setgid(options->group) != 0 || setuid(options->user) != 0;
}

/* Those of the C library itself (32 and 33), which signal(2) does not touch: whoever runs the tests
 * may have them ignored. The kernel's struct sigaction, all zeros, is SIG_DFL. */
static void child_reset_internal_signals(void)
{
	const unsigned long by_default[8] = { 0 };
	int number;

	for (number = 32; number < SIGRTMIN; number++)
		syscall(SYS_rt_sigaction, number, by_default, NULL, 8);
}

static void child_set_signals(const struct run_options *options)
{
	sigset_t mask;
	int number;

	child_reset_internal_signals();

	sigemptyset(&mask);
	if (options->signals_ignored) {
		sigfillset(&mask);
		for (number = 1; number < SIGRTMIN; number++)
			signal(number, SIG_IGN);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* In the child: never returns. */
static void child_run(const struct run_options *options, const struct streams *streams,
		      const char *directory, char *const *arguments, char *const *environment)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_set_signals(options);
	if (streams->terminal) {
		setsid();
		ioctl(streams->input, TIOCSCTTY, 0);
	}
	if (dup2(streams->input, 0) < 0 || dup2(streams->output, 1) < 0 ||
	    dup2(streams->errors, 2) < 0)
		_exit(120);
	if (chdir(directory) != 0 || child_set_limits(options) != 0)
		_exit(121);
	if (child_set_user(options) != 0)
		_exit(122);
	execvpe(arguments[0], arguments, environment);
	_exit(123);
}

void run_pmo_start_argv(struct test_project *project, struct running *running,
			const struct run_options *options, const char *const *arguments)
{
	static const struct run_options none = { 0 };
	const char *program;
	const char *directory;
	char *vector[ARGUMENTS_MAX] = { 0 };
	struct environment environment = { { 0 }, 0 };
	struct streams streams = { -1, -1, -1, false };
	size_t i;

	if (options == NULL)
		options = &none;
	program = options->program != NULL ? options->program : pmo_binary();
	directory = options->directory != NULL ? options->directory : project->directory;
	vector[0] = (char *)program;
	for (i = 0; arguments[i] != NULL; i++) {
		assert_true(i < ARGUMENTS_MAX - 2);
		vector[i + 1] = (char *)arguments[i];
	}
	memset(running, 0, sizeof(*running));
	environment_make(&environment, options->environment);
	open_streams(&streams, running, options);
	running->command = command_text(program, arguments);
	running->directory = strdup(project->directory);
	running->time_limit_s = options->time_limit_s != 0 ? options->time_limit_s : 60;
	running->started_at = wait_now();
	running->pid = fork();
	if (running->pid == 0)
		child_run(options, &streams, directory, vector, environment.items);
	assert_true(running->pid > 0);
	running->pidfd = pidfd_open(running->pid, 0);
	assert_true(running->pidfd >= 0);
	close_streams(&streams, running);
	environment_release(&environment);
}

static void start_list(struct test_project *project, struct running *running,
		       const struct run_options *options, va_list list)
{
	const char *arguments[ARGUMENTS_MAX];
	size_t count = 0;

	while ((arguments[count] = va_arg(list, const char *)) != NULL) {
		count++;
		assert_true(count < ARGUMENTS_MAX);
	}
	run_pmo_start_argv(project, running, options, arguments);
}

void run_pmo_start(struct test_project *project, struct running *running,
		   const struct run_options *options, ...)
{
	va_list list;

	va_start(list, options);
	start_list(project, running, options, list);
	va_end(list);
}

/* Take what the terminal has; false when it was hung up. */
static bool screen_take(struct running *running)
{
	char piece[4096];
	ssize_t got = read(running->out_fd, piece, sizeof(piece));

	if (got <= 0)
		return false;
	running->screen = realloc(running->screen, running->screen_length + (size_t)got + 1);
	assert_non_null(running->screen);
	memcpy(running->screen + running->screen_length, piece, (size_t)got);
	running->screen_length += (size_t)got;
	running->screen[running->screen_length] = '\0';
	return true;
}

static void screen_take_all(struct running *running)
{
	struct pollfd ready = { .fd = running->out_fd, .events = POLLIN };

	while (poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0 && screen_take(running))
		continue;
}

static char *memory_text(int fd, size_t *length)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	assert_non_null(text);
	*length = (size_t)pread(fd, text, (size_t)size, 0);
	return text;
}

char *run_pmo_output(struct running *running)
{
	size_t length;

	if (!running->terminal)
		return memory_text(running->out_fd, &length);
	screen_take_all(running);
	return strdup(running->screen != NULL ? running->screen : "");
}

char *run_pmo_errors(struct running *running)
{
	size_t length;

	return memory_text(running->err_fd, &length);
}

void run_pmo_type(struct running *running, const char *text)
{
	assert_int_equal(write(running->out_fd, text, strlen(text)), (ssize_t)strlen(text));
}

void run_pmo_resize(struct running *running, unsigned short columns, unsigned short rows)
{
	const struct winsize size = { .ws_row = rows, .ws_col = columns };

	assert_int_equal(ioctl(running->out_fd, TIOCSWINSZ, &size), 0);
}

void run_pmo_signal(struct running *running, int signal)
{
	kill(running->pid, signal);
}

/* Wait for the end while the terminal is kept empty. False when the time limit passed. */
static bool wait_for_end(struct running *running)
{
	double deadline = running->started_at + running->time_limit_s;
	struct pollfd ready[2] = { { .fd = running->pidfd, .events = POLLIN },
				   { .fd = running->out_fd, .events = POLLIN } };

	for (;;) {
		double left = deadline - wait_now();

		if (left <= 0)
			return false;
		if (poll(ready, running->terminal ? 2 : 1, (int)(left * 1000) + 1) <= 0)
			continue;
		if ((ready[0].revents & POLLIN) != 0)
			return true;
		if ((ready[1].revents & POLLIN) != 0)
			screen_take(running);
		else if (ready[1].revents != 0)
			ready[1].fd = -1;
	}
}

static void take_status(struct run *run, const struct running *running)
{
	int status = 0;

	waitpid(running->pid, &status, 0);
	run->seconds = wait_now() - running->started_at;
	run->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	run->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void run_pmo_finish(struct running *running, struct run *run)
{
	bool ended = wait_for_end(running);

	memset(run, 0, sizeof(*run));
	if (!ended)
		kill(running->pid, SIGKILL);
	take_status(run, running);
	if (running->terminal) {
		screen_take_all(running);
		run->out = running->screen != NULL ? running->screen : strdup("");
		run->out_length = running->screen_length;
	} else {
		run->out = memory_text(running->out_fd, &run->out_length);
	}
	run->err = memory_text(running->err_fd, &run->err_length);
	run->command = running->command;
	run->directory = running->directory;
	close(running->pidfd);
	close(running->out_fd);
	close(running->err_fd);
	if (!ended) {
		print_error("killed after %d s\n", running->time_limit_s);
		assert_run(run, 0, NULL, NULL);
	}
}

void run_pmo_with(struct test_project *project, struct run *run, const struct run_options *options,
		  ...)
{
	struct running running;
	va_list list;

	va_start(list, options);
	start_list(project, &running, options, list);
	va_end(list);
	run_pmo_finish(&running, run);
}

void run_pmo(struct test_project *project, struct run *run, ...)
{
	struct running running;
	va_list list;

	va_start(list, run);
	start_list(project, &running, NULL, list);
	va_end(list);
	run_pmo_finish(&running, run);
}

void run_pmo_expect(struct test_project *project, int status, const char *file, int line, ...)
{
	struct running running;
	struct run run;
	va_list list;

	va_start(list, line);
	start_list(project, &running, NULL, list);
	va_end(list);
	run_pmo_finish(&running, &run);
	check_run(&run, status, NULL, NULL, file, line);
	run_release(&run);
}

void run_release(struct run *run)
{
	free(run->out);
	free(run->err);
	free(run->command);
	free(run->directory);
	memset(run, 0, sizeof(*run));
}
