/*
 * Which process a pid means: line 2 of pids/NAME.time.
 *
 * A pid alone is only a number that the kernel hands out again. Together with the start time in
 * clock ticks since boot (proc(5), /proc/PID/stat field 22), the boot and the pid namespace it
 * names one process for ever.
 */
#ifndef PMO_MODEL_IDENTITY_H
#define PMO_MODEL_IDENTITY_H

#include "base/buffer.h"
#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { BOOT_ID_LENGTH = 36, MARK_LENGTH = 32 };

/* Where we run. */
struct host {
	char boot_id[BOOT_ID_LENGTH + 1]; /* /proc/sys/kernel/random/boot_id */
	uint64_t pid_namespace;           /* inode of /proc/self/ns/pid */
	char name[HOST_NAME_MAX + 1];     /* gethostname(2), '/' and controls replaced */
};

struct identity {
	pid_t pid;
	uint64_t ticks;
	struct host host;
	char mark[MARK_LENGTH + 1]; /* also PMO_RUN in the environment of the service */
};

enum identity_place {
	IDENTITY_HERE,      /* this boot, this pid namespace: the pid means something */
	IDENTITY_LOST,      /* this host before its last boot: nothing of it can be alive */
	IDENTITY_ELSEWHERE, /* another host or pid namespace: nothing can be known from here */
};

int host_read(struct host *host, struct error *err);

/* A fresh random mark: 32 hexadecimal digits from getrandom(2). */
int identity_make_mark(char mark[MARK_LENGTH + 1], struct error *err);

/* "PID TICKS BOOT_ID PIDNS HOSTNAME MARK", without a newline. */
void identity_append(struct buffer *buffer, const struct identity *identity);

/* Accepts exactly that form. */
bool identity_parse(const char *line, struct identity *identity);

enum identity_place identity_place(const struct identity *identity, const struct host *host);

#endif
