/*
 * Services with a supervisor, as tests see them that kill one or the other.
 */
#ifndef PMO_TESTS_SUPERVISED_H
#define PMO_TESTS_SUPERVISED_H

#include "sandbox.h"

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define TAKEN_OVER "web has a new supervisor (pid %NUMBER runs on)\n"

/* What NAME.supervisor says; 0 when there is none. */
pid_t supervisor_pid(struct test_project *project, const char *name);

/* The service has another leader than OLD, and it lives. */
bool has_new_leader(struct test_project *project, const char *name, pid_t old);

/* The file has this text in it; how often. */
bool file_says(struct test_project *project, const char *file, const char *text);
int file_count(struct test_project *project, const char *file, const char *text);

/* `pmo ls --json` has this text in it. */
bool list_says(struct test_project *project, const char *text);

/* SIGKILL, and wait for the end. */
void kill_hard(pid_t pid);

/* Write TO for the first FROM in a file that has it; what has no such file is left alone. */
void replace(struct test_project *project, const char *file, const char *from, const char *to);

/* The records of these services (ends with NULL) but for the locks: text to be freed. */
char *read_records(struct test_project *project, const char *const *names);

/* The machine is gone and comes again: no process of these services or of the project lives, and
 * the records are of another boot. */
void reboot(struct test_project *project, const char *const *names);

/* `pmo resurrect` says this and nothing else. */
void resurrect(struct test_project *project, const char *out);

#endif
