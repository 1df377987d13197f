#ifndef BENCH_PIDFILES_H
#define BENCH_PIDFILES_H

#include <stddef.h>
#include <sys/types.h>

/* One DIRECTORY/NAME.pid, as the floor programs see it. */
struct pidfile {
	char name[64];
	pid_t pid;
};

struct pidfiles {
	struct pidfile *items;
	size_t count;
};

/*
 * Reads every file of `directory` whose name ends in .pid. The process ends with status 1 and a
 * message when that does not work: these programs have nobody to hand an error to. The list is
 * never freed, the programs end at once.
 */
struct pidfiles pidfiles_read(int directory);

/* Opens `path` as a directory, or ends the process with a message. */
int pidfiles_open(const char *path);

/* Lets this process have as many open files as its hard limit allows. */
void pidfiles_raise_limit(void);

/* Reads all of a small file below `directory` into `text`, NUL-terminated; -1 where it is gone. */
ssize_t pidfiles_read_small(int directory, const char *path, char *text, size_t size);

#endif
