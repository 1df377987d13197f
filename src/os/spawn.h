/*
 * The only place that forks.
 *
 * A child is born held: it waits on a socket until the parent releases it, so that the parent can
 * put the child's pid and identity on disk first. If the parent dies before that, the child reads
 * the end of the socket and exits without running anything. On release it changes into what the
 * plan says and executes; a step that fails comes back over the same socket as {step, errno}.
 *
 * Calling sequence: spawn_start, (records), spawn_release, wait until `channel` is readable,
 * spawn_finish. Everything that allocates happens in the parent, before the fork.
 */
#ifndef PMO_OS_SPAWN_H
#define PMO_OS_SPAWN_H

#include "base/error.h"
#include "model/definition.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

enum spawn_group {
	SPAWN_NEW_SESSION,  /* setsid(2): a service, a supervisor */
	SPAWN_NEW_GROUP,    /* setpgid(2): a tool that pmo waits for */
	SPAWN_SAME_SESSION, /* a helper of a supervisor */
};

/* Who the child becomes; resolved before the fork. */
struct credentials {
	bool set;
	uid_t user;
	gid_t group;
	gid_t *groups;
	size_t group_count;
};

struct spawn_plan {
	const char *program;      /* what execve(2) gets; see spawn_find_program */
	char *const *arguments;   /* NULL-terminated */
	char *const *environment; /* NULL-terminated */
	const char *directory;    /* NULL: where we are */
	int input;                /* descriptors that become 0, 1 and 2; -1 is /dev/null */
	int output;
	int errors;
	enum spawn_group group;
	struct credentials credentials;
	int umask; /* -1: inherited */
	bool has_nice;
	int nice;
	const struct limit *limits;
	size_t limit_count;
	const struct rlimit *file_limit; /* RLIMIT_NOFILE to give back; NULL: as it is */
};

struct spawned {
	pid_t pid;
	int pidfd;   /* readable when the process has ended: pidfd_open(2) */
	int channel; /* readable when it runs, or could not be run */
};

/* The file that NAME means: itself when it holds a '/', else the first executable in PATH (a
 * colon-separated list; NULL is the system's default). Elements of PATH that are relative or empty
 * count from DIRECTORY, where the program will run (NULL: here). The caller frees it; NULL if there
 * is none. */
char *spawn_find_program(const char *name, const char *path, const char *directory);

/* Fork a held child. Descriptors 0, 1 and 2 of this process must be open. A SIGCHLD that is ignored
 * is set to its default, for spawn_reap's sake. Returns 0, or -1 with an error and nothing left
 * behind: all of CHILD is -1. */
int spawn_start(const struct spawn_plan *plan, struct spawned *child, struct error *err);

/* A process that goes on in this program: a supervisor, or one of its helpers. */
struct spawn_body {
	/* What it does, with its end of the channel, and KEPT at its new place (-1 if there was
	 * none). All signals are blocked and have their default action. Its result is the exit
	 * status. */
	int (*run)(void *context, int channel, int kept);
	void *context;
	enum spawn_group group;
	int keep; /* the one descriptor that it gets beside 0, 1, 2 (/dev/null) and the channel; -1
		   */
};

/* Fork a held child that will run BODY, and spawn_release, spawn_abandon and spawn_reap as above;
 * there is no spawn_finish: `channel` is the caller's to use and to close. The memory of this
 * process is the child's as it is now. */
int spawn_process(const struct spawn_body *body, struct spawned *child, struct error *err);

/* Let it run. Succeeds also when it has failed before: spawn_finish then says why. */
int spawn_release(struct spawned *child, struct error *err);

/* Take the result, when `channel` is readable or to wait for it, and close `channel`. PLAN is the
 * one of spawn_start. 0: the program runs. -1: it could not be run, err says which step failed,
 * *exec_errno (may be NULL) why; the child has exited and waits to be reaped. */
int spawn_finish(const struct spawn_plan *plan, struct spawned *child, int *exec_errno,
		 struct error *err);

/* Wait for the child's end, reap it and close its pidfd. *wait_status (may be NULL) is
 * waitpid(2)'s. False when it was no child of ours any more. */
bool spawn_reap(struct spawned *child, int *wait_status);

/* End a child that was not released, before it has run anything; reaped here. Its pid, which may be
 * another process's from now on, becomes -1: with that nothing is done. */
void spawn_abandon(struct spawned *child);

/* Replace this process (`pmo exec`). Returns only on failure: the errno value. */
int spawn_replace(const struct spawn_plan *plan);

/* Raise the soft limit on open files to the hard one, for many services at once. *original gets
 * what it was: services are given that back. */
void spawn_raise_file_limit(struct rlimit *original);

#endif
