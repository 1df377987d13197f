/*
 * The process that watches files for a supervisor, `watch` in pmo.yml(5): a child of its own, so
 * that the memory that this takes is given back when it ends.
 *
 * It speaks in lines, without waiting for answers:
 *
 *	changed PATH	something has changed, PATH first (see os/tree_watch.h)
 *	missing PATH	PATH, one of the roots, is not there when it begins: it is looked for
 *	error MESSAGE	it cannot watch (any more); the last line
 *
 * PATH begins like its root when that is relative. When all roots are absolute it counts from the
 * directory that all are in: the root, when there is one and it is a directory. PATH and MESSAGE
 * are without control characters.
 */
#ifndef PMO_SERVICE_WATCHER_H
#define PMO_SERVICE_WATCHER_H

#include <stddef.h>

/* Watch ROOTS (at least one), directories or files, absolute or from the current directory, for
 * anything that PATTERNS (model/ignore_pattern.h) do not ignore, and write to CHANNEL, a socket or
 * a pipe, until its other end is closed. Call it in the child; no process but the parent may hold
 * the other end, and the child should hold nothing but CHANNEL. 0 when the other end is closed, -1
 * after an error, which has been sent; CHANNEL stays open. */
int watcher_run(const char *const *roots, size_t root_count, const char *const *patterns,
		size_t pattern_count, int channel);

enum watcher_news {
	WATCHER_CHANGED,
	WATCHER_MISSING,
	WATCHER_ERROR,
	WATCHER_UNKNOWN, /* no line of a watcher */
};

/* For the parent: what LINE (without its newline) says; *text is the rest of it. */
enum watcher_news watcher_parse(const char *line, const char **text);

#endif
