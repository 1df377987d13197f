/*
 * The obedient child: does what its arguments say, in order, and exits with 0 at their end.
 *
 * Output
 *	print out|err TEXT	a line		partial out|err TEXT	the same without a newline
 *	lines N			"line 1" to "line N" to standard output
 *	print-forever		numbered lines without end
 *	close-output		close descriptors 1 and 2
 * Signals
 *	ignore SIGNAL		default SIGNAL
 *	handle SIGNAL exit N	from now on while in `wait`: exit with N
 *	handle SIGNAL print TEXT	print a line
 *	handle SIGNAL breed	fork a child that ignores SIGTERM and waits
 * Time
 *	wait			for ever		sleep MILLISECONDS
 *	wait-file PATH		until it exists		stop			SIGSTOP itself
 * Children (ACTIONS end with a lone `}`; a child exits with 0 at their end)
 *	fork { ACTIONS }	in a child
 *	setsid { ACTIONS }	in a child with a session of its own
 *	daemonize { ACTIONS }	in a grandchild with a session of its own, whose parent is gone
 *	breed N			N generations, each forks the next one and ends after a few
 *milliseconds wipe-environment	go on after execve(2) with an empty environment thread-leader-exit
 *the main thread ends, another one waits for ever exec PROGRAM ARGUMENT...	takes the rest of
 *the arguments The end exit N			die SIGNAL Resources
 *	burn			CPU time, for ever	hold SIZE[K|M]		resident memory
 *	name TEXT		the name that /proc shows
 * Files
 *	write-file PATH TEXT	append-file PATH TEXT	touch PATH	pid-file PATH
 * What it finds itself with, to standard output
 *	env NAME		"NAME=value" or "NAME is not set"
 *	environment		all of it, in order
 *	fds			open descriptors, "0 -> /dev/null" each
 *	signals			"blocked MASK", "ignored MASK", "caught MASK" as proc(5) shows them
 *	limits			/proc/self/limits
 *	ids			uid, gid, groups, umask, nice, cwd and whether it leads its session
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { SIGNALS = 65, LINE_SIZE = 4096 };

struct handler {
	const char *action; /* NULL: none */
	const char *text;
};

struct actor {
	char **program; /* argv */
	char **next;    /* the next word */
	sigset_t handled;
	struct handler handlers[SIGNALS];
};

static void perform(struct actor *actor);

static void fail(const char *what, const char *word)
{
	fprintf(stderr, "actor: %s: %s\n", what, word);
	_exit(99);
}

static char *take(struct actor *actor)
{
	if (*actor->next == NULL)
		fail("an argument is missing after", actor->next[-1]);
	return *actor->next++;
}

static int take_signal(struct actor *actor)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{ "TERM", SIGTERM }, { "INT", SIGINT },   { "HUP", SIGHUP },   { "QUIT", SIGQUIT },
		{ "KILL", SIGKILL }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "SEGV", SIGSEGV },
		{ "ABRT", SIGABRT }, { "PIPE", SIGPIPE }, { "CHLD", SIGCHLD },
	};
	const char *word = take(actor);
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, word) == 0)
			return names[i].number;
	}
	fail("unknown signal", word);
	return 0;
}

static int take_stream(struct actor *actor)
{
	const char *word = take(actor);

	return strcmp(word, "err") == 0 ? STDERR_FILENO : STDOUT_FILENO;
}

static void put(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t done = write(fd, text, length);

		if (done < 0)
			return;
		text += done;
		length -= (size_t)done;
	}
}

/* One write for one line, so that lines of several processes do not mix. */
static void put_line(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_line(int fd, const char *format, ...)
{
	char *text = NULL;
	char *line = NULL;
	va_list list;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0 || asprintf(&line, "%s\n", text) < 0)
		_exit(99);
	va_end(list);
	put(fd, line);
	free(line);
	free(text);
}

static void pause_for(long milliseconds)
{
	const struct timespec pause = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

static void act_print(struct actor *actor)
{
	int fd = take_stream(actor);

	put_line(fd, "%s", take(actor));
}

static void act_partial(struct actor *actor)
{
	int fd = take_stream(actor);

	put(fd, take(actor));
}

static void act_lines(struct actor *actor)
{
	long count = strtol(take(actor), NULL, 10);
	long i;

	for (i = 1; i <= count; i++)
		put_line(STDOUT_FILENO, "line %ld", i);
}

static void act_print_forever(struct actor *actor)
{
	long i;

	(void)actor;
	for (i = 1;; i++) {
		put_line(STDOUT_FILENO, "line %ld", i);
		pause_for(1);
	}
}

static void act_close_output(struct actor *actor)
{
	(void)actor;
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
}

static void act_ignore(struct actor *actor)
{
	signal(take_signal(actor), SIG_IGN);
}

static void act_default(struct actor *actor)
{
	signal(take_signal(actor), SIG_DFL);
}

static void act_handle(struct actor *actor)
{
	int number = take_signal(actor);
	struct handler *handler = &actor->handlers[number];

	handler->action = take(actor);
	if (strcmp(handler->action, "breed") != 0)
		handler->text = take(actor);
	sigaddset(&actor->handled, number);
	sigprocmask(SIG_BLOCK, &actor->handled, NULL);
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static void breed(const struct actor *actor)
{
	if (fork() != 0)
		return;
	signal(SIGTERM, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &actor->handled, NULL);
	wait_for_ever();
}

static void act_wait(struct actor *actor)
{
	int number;

	while (sigisemptyset(&actor->handled))
		pause();
	while (sigwait(&actor->handled, &number) == 0) {
		const struct handler *handler = &actor->handlers[number];

		if (strcmp(handler->action, "exit") == 0)
			_exit((int)strtol(handler->text, NULL, 10));
		if (strcmp(handler->action, "print") == 0)
			put_line(STDOUT_FILENO, "%s", handler->text);
		else
			breed(actor);
	}
}

static void act_sleep(struct actor *actor)
{
	pause_for(strtol(take(actor), NULL, 10));
}

static void act_wait_file(struct actor *actor)
{
	const char *path = take(actor);

	while (access(path, F_OK) != 0)
		pause_for(2);
}

static void act_stop(struct actor *actor)
{
	(void)actor;
	raise(SIGSTOP);
}

/* Find the `}` of the block that begins at actor->next; returns the word behind it. */
static char **block_end(struct actor *actor)
{
	char **word = actor->next;
	int depth = 0;

	do {
		if (*word == NULL)
			fail("a block is not closed", actor->next[-1]);
		depth += strcmp(*word, "{") == 0;
		depth -= strcmp(*word, "}") == 0;
		word++;
	} while (depth > 0);
	return word;
}

enum birth { BIRTH_CHILD, BIRTH_SESSION, BIRTH_DAEMON };

/* In the child: perform the block as if it were all there is. */
static void perform_block(struct actor *actor, char **end)
{
	end[-1] = NULL;
	actor->next++;
	perform(actor);
	_exit(0);
}

static void give_birth(struct actor *actor, enum birth birth)
{
	char **end = block_end(actor);
	pid_t pid = fork();

	if (pid < 0)
		fail("cannot fork", strerror(errno));
	if (pid == 0) {
		if (birth != BIRTH_CHILD)
			setsid();
		if (birth == BIRTH_DAEMON && fork() > 0)
			_exit(0);
		perform_block(actor, end);
	}
	actor->next = end;
}

static void act_fork(struct actor *actor)
{
	give_birth(actor, BIRTH_CHILD);
}

static void act_setsid(struct actor *actor)
{
	give_birth(actor, BIRTH_SESSION);
}

static void act_daemonize(struct actor *actor)
{
	give_birth(actor, BIRTH_DAEMON);
}

/* Each generation forks the next one and is gone a moment later: nobody who lists the processes
 * finds the same one twice. */
static void act_breed(struct actor *actor)
{
	long left = strtol(take(actor), NULL, 10);

	signal(SIGTERM, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (; left > 0; left--) {
		pid_t pid;

		pause_for(3);
		pid = fork();
		if (pid > 0)
			pause_for(3);
		if (pid != 0)
			_exit(0);
	}
	_exit(0);
}

static void act_wipe_environment(struct actor *actor)
{
	char *empty[] = { NULL };

	actor->next[-1] = actor->program[0];
	execve("/proc/self/exe", actor->next - 1, empty);
	fail("cannot execute", strerror(errno));
}

static void *wait_in_thread(void *unused)
{
	(void)unused;
	wait_for_ever();
	return NULL;
}

static void act_thread_leader_exit(struct actor *actor)
{
	pthread_t thread;

	(void)actor;
	if (pthread_create(&thread, NULL, wait_in_thread, NULL) != 0)
		fail("cannot make", "a thread");
	pthread_exit(NULL);
}

static void act_exec(struct actor *actor)
{
	char **arguments = actor->next;

	execvp(take(actor), arguments);
	fail("cannot execute", arguments[0]);
}

static void act_exit(struct actor *actor)
{
	_exit((int)strtol(take(actor), NULL, 10));
}

static void act_die(struct actor *actor)
{
	int number = take_signal(actor);
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	signal(number, SIG_DFL);
	raise(number);
}

static void act_burn(struct actor *actor)
{
	volatile unsigned long count = 0;

	(void)actor;
	for (;;)
		count++;
}

static void act_hold(struct actor *actor)
{
	char *unit = NULL;
	size_t size = strtoul(take(actor), &unit, 10);
	char *memory;

	if (*unit == 'K')
		size <<= 10;
	if (*unit == 'M')
		size <<= 20;
	memory = malloc(size);
	if (memory == NULL)
		fail("cannot hold", actor->next[-1]);
	memset(memory, 1, size);
	__asm__ volatile("" : : "r"(memory) : "memory");
}

static void act_name(struct actor *actor)
{
	prctl(PR_SET_NAME, take(actor));
}

static void put_file(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

	if (fd < 0)
		fail("cannot write", path);
	put(fd, text);
	close(fd);
}

static void act_write_file(struct actor *actor)
{
	const char *path = take(actor);

	put_file(path, take(actor), O_TRUNC);
}

static void act_append_file(struct actor *actor)
{
	const char *path = take(actor);
	char *line = NULL;

	if (asprintf(&line, "%s\n", take(actor)) < 0)
		_exit(99);
	put_file(path, line, O_APPEND);
	free(line);
}

static void act_touch(struct actor *actor)
{
	put_file(take(actor), "", 0);
}

/* Renamed into place, so that nobody reads half a number. */
static void act_pid_file(struct actor *actor)
{
	const char *path = take(actor);
	char temporary[LINE_SIZE];
	char text[32];

	snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid());
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	put_file(temporary, text, O_TRUNC);
	if (rename(temporary, path) != 0)
		fail("cannot write", path);
}

static void act_env(struct actor *actor)
{
	const char *name = take(actor);
	const char *value = getenv(name);

	if (value == NULL)
		put_line(STDOUT_FILENO, "%s is not set", name);
	else
		put_line(STDOUT_FILENO, "%s=%s", name, value);
}

static void act_environment(struct actor *actor)
{
	char **entry;

	(void)actor;
	for (entry = environ; *entry != NULL; entry++) {
		put(STDOUT_FILENO, *entry);
		put(STDOUT_FILENO, "\n");
	}
}

static void act_fds(struct actor *actor)
{
	char path[64];
	char target[LINE_SIZE];
	int fd;

	(void)actor;
	for (fd = 0; fd < 65536; fd++) {
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		length = readlink(path, target, sizeof(target) - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		put_line(STDOUT_FILENO, "%d -> %s", fd, target);
	}
}

static void act_signals(struct actor *actor)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[LINE_SIZE];
	char mask[64];

	(void)actor;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "SigBlk: %63s", mask) == 1)
			put_line(STDOUT_FILENO, "blocked %s", mask);
		else if (sscanf(line, "SigIgn: %63s", mask) == 1)
			put_line(STDOUT_FILENO, "ignored %s", mask);
		else if (sscanf(line, "SigCgt: %63s", mask) == 1)
			put_line(STDOUT_FILENO, "caught %s", mask);
	}
	if (file != NULL)
		fclose(file);
}

static void act_limits(struct actor *actor)
{
	FILE *file = fopen("/proc/self/limits", "re");
	char line[LINE_SIZE];

	(void)actor;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		put(STDOUT_FILENO, line);
	if (file != NULL)
		fclose(file);
}

static void act_ids(struct actor *actor)
{
	gid_t groups[256];
	int count = getgroups(256, groups);
	mode_t mask = umask(0);
	char directory[LINE_SIZE];
	int i;

	(void)actor;
	umask(mask);
	dprintf(STDOUT_FILENO, "uid %u %u\ngid %u %u\ngroups", getuid(), geteuid(), getgid(),
		getegid());
	for (i = 0; i < count; i++)
		dprintf(STDOUT_FILENO, " %u", groups[i]);
	dprintf(STDOUT_FILENO, "\numask %04o\nnice %d\ncwd %s\nleader %s\n", mask,
		getpriority(PRIO_PROCESS, 0),
		getcwd(directory, sizeof(directory)) != NULL ? directory : "?",
		getsid(0) == getpid() ? "yes" : "no");
}

static const struct {
	const char *name;
	void (*act)(struct actor *actor);
} actions[] = {
	{ "print", act_print },
	{ "partial", act_partial },
	{ "lines", act_lines },
	{ "print-forever", act_print_forever },
	{ "close-output", act_close_output },
	{ "ignore", act_ignore },
	{ "default", act_default },
	{ "handle", act_handle },
	{ "wait", act_wait },
	{ "sleep", act_sleep },
	{ "wait-file", act_wait_file },
	{ "stop", act_stop },
	{ "fork", act_fork },
	{ "setsid", act_setsid },
	{ "daemonize", act_daemonize },
	{ "breed", act_breed },
	{ "wipe-environment", act_wipe_environment },
	{ "thread-leader-exit", act_thread_leader_exit },
	{ "exec", act_exec },
	{ "exit", act_exit },
	{ "die", act_die },
	{ "burn", act_burn },
	{ "hold", act_hold },
	{ "name", act_name },
	{ "write-file", act_write_file },
	{ "append-file", act_append_file },
	{ "touch", act_touch },
	{ "pid-file", act_pid_file },
	{ "env", act_env },
	{ "environment", act_environment },
	{ "fds", act_fds },
	{ "signals", act_signals },
	{ "limits", act_limits },
	{ "ids", act_ids },
};

static void perform_one(struct actor *actor)
{
	const char *word = take(actor);
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, word) == 0) {
			actions[i].act(actor);
			return;
		}
	}
	fail("unknown action", word);
}

static void perform(struct actor *actor)
{
	while (*actor->next != NULL)
		perform_one(actor);
}

int main(int argc, char **argv)
{
	struct actor actor = { .program = argv, .next = argv + (argc > 0) };

	sigemptyset(&actor.handled);
	perform(&actor);
	return 0;
}
