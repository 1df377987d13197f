/*
 * A project directory of a test's own, the processes that run in it, and its files.
 */
#ifndef PMO_TESTS_SANDBOX_H
#define PMO_TESTS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct test_project {
	char *directory;    /* absolute, without symbolic links */
	bool leave_running; /* processes may be left at the end: they are killed, silently */
	char **texts;       /* results of project_path, freed with the project */
	size_t text_count;
};

/* A fresh directory (0755) under $TMPDIR or /tmp. Fails the test if that is impossible. */
struct test_project *project_create(void);

/* Kill what still runs in the project or carries its PMO_DIR, remove the tree, and return how many
 * processes there were. */
size_t project_destroy(struct test_project *project);

/* The test expects processes to be left when it ends. */
void project_leave_running(struct test_project *project);

/* cmocka fixtures; see PROJECT_TEST. */
int project_setup(void **state);
/* The same in memory where that is possible: some file systems write a replaced file to the disk at
 * once, and ten thousand replacements then take ten seconds. */
int project_setup_in_memory(void **state);
int project_teardown(void **state);

/* A copy of a program in the project, which every user may execute: the checkout may lie where
 * others cannot get, below /root for instance. Its path, valid as long as the project. */
const char *project_copy_program(struct test_project *project, const char *program);

/* The absolute path of a file in the project; valid as long as the project. */
const char *project_path(struct test_project *project, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Write a file of the project; directories on the way are made. NAME may be an absolute path. */
void project_write(struct test_project *project, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void project_write_bytes(struct test_project *project, const char *name, const void *bytes,
			 size_t length);

/* The content of a file of the project as text, to be freed; NULL if there is none. */
char *project_read(struct test_project *project, const char *name);
bool project_exists(struct test_project *project, const char *name);

/* How many entries the directory NAME has that match the fnmatch(3) pattern; 0 without it. */
size_t project_count(struct test_project *project, const char *name, const char *pattern);

/* What .pmo/pids/NAME.pid says; 0 when there is none. */
pid_t read_pid(struct test_project *project, const char *name);

/* The live processes of the project: those that carry its PMO_DIR or have a current directory in
 * it, apart from the test itself. Up to CAPACITY pids go to PIDS; the result is how many there
 * are. */
size_t project_processes(const struct test_project *project, pid_t *pids, size_t capacity);

/* SIGKILL all of them until none is left; returns how many there were at first. */
size_t project_kill_all(const struct test_project *project);

/* The same two for any file: text to be freed (NULL if it cannot be read), whole replacement. */
char *read_file(const char *path, size_t *length);
void write_file(const char *path, const void *bytes, size_t length);

/* False for what is gone and for zombies. */
bool process_alive(pid_t pid);

/* The state letter of /proc/PID/stat, 0 if there is no such process. */
char process_state(pid_t pid);

/* Field 22 of /proc/PID/stat, 0 if there is no such process. */
unsigned long long process_start_ticks(pid_t pid);

/* Start a process that has nothing to do with pmo, in a session of its own; it dies with the test.
 * The list ends with NULL. */
pid_t child_start(const char *program, ...) __attribute__((sentinel));

/* SIGKILL and reap it. */
void child_stop(pid_t pid);

/* A printf-formatted text, to be freed. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
