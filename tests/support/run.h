/*
 * Running the real binary.
 *
 * The environment of a run is made here, not inherited: PATH, HOME, USER, LOGNAME, SHELL, TMPDIR
 * and the options of the sanitizers, plus LC_ALL=C.UTF-8, TZ=UTC and TERM=xterm-256color. A run
 * that is over its time limit is killed and fails the test.
 */
#ifndef PMO_TESTS_RUN_H
#define PMO_TESTS_RUN_H

#include "sandbox.h"

#include <sys/resource.h>

/* What came of it. */
struct run {
	int status; /* exit status, -1 when a signal ended it */
	int signal; /* the signal that ended it, or 0 */
	char *out;  /* NUL-terminated; on a terminal everything is here */
	char *err;
	size_t out_length;
	size_t err_length;
	double seconds;  /* wall time */
	char *command;   /* for failure output */
	char *directory; /* of the project, for %DIR */
};

struct run_limit {
	int resource; /* RLIMIT_NOFILE */
	rlim_t value; /* soft and hard */
};

/* All fields may be left 0. */
struct run_options {
	const char *program;            /* instead of pmo */
	const char *const *environment; /* "NAME=value" adds, "NAME" removes; NULL-terminated */
	const char *input;              /* standard input; NULL is /dev/null */
	const char *output_path;        /* standard output goes to this file instead */
	const char *directory;          /* where it runs; NULL is the project's directory */
	uid_t user;                     /* another user (and group); 0 is our own */
	gid_t group;
	unsigned short columns; /* not 0: on a terminal of this size (rows 0: 24) */
	unsigned short rows;
	struct run_limit limits[4]; /* ends with value 0 */
	int time_limit_s;           /* 0: 60 */
	bool signals_ignored;       /* begin with every signal ignored and blocked */
};

/* A run that is under way. */
struct running {
	pid_t pid;
	int pidfd;
	int out_fd; /* memory files that collect the output; on a terminal its master is out_fd */
	int err_fd;
	bool terminal;
	char *screen; /* what came from the terminal so far */
	size_t screen_length;
	double started_at;
	int time_limit_s;
	char *command;
	char *directory;
};

/* Run pmo with these arguments (the list ends with NULL) in the project, to its end. */
void run_pmo(struct test_project *project, struct run *run, ...) __attribute__((sentinel));
void run_pmo_with(struct test_project *project, struct run *run, const struct run_options *options,
		  ...) __attribute__((sentinel));

/* The same in two steps. */
void run_pmo_start(struct test_project *project, struct running *running,
		   const struct run_options *options, ...) __attribute__((sentinel));
void run_pmo_finish(struct running *running, struct run *run);

/* The same with an argument vector, without the program's name. */
void run_pmo_start_argv(struct test_project *project, struct running *running,
			const struct run_options *options, const char *const *arguments);

/* Send a signal to a run that is under way. */
void run_pmo_signal(struct running *running, int signal);

/* What it has written to standard output (or its terminal) so far: text to be freed. */
char *run_pmo_output(struct running *running);
char *run_pmo_errors(struct running *running);

/* Type on its terminal, or change the terminal's size. */
void run_pmo_type(struct running *running, const char *text);
void run_pmo_resize(struct running *running, unsigned short columns, unsigned short rows);

void run_release(struct run *run);

/* The path of the binary under test. */
const char *pmo_binary(void);

/* Run pmo for the sake of its effect: it must exit with 0. */
#define pmo_ok(project, ...) run_pmo_expect(project, 0, __FILE__, __LINE__, __VA_ARGS__, NULL)

/* The same with another status. */
#define pmo_status(project, status, ...)                                                           \
	run_pmo_expect(project, status, __FILE__, __LINE__, __VA_ARGS__, NULL)
void run_pmo_expect(struct test_project *project, int status, const char *file, int line, ...)
    __attribute__((sentinel));

#endif
