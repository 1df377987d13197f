/*
 * Opening logs, also where another user may have a hand in what lies there. Part of logfile.h.
 */
#ifndef PMO_OS_LOGFILE_OPEN_H
#define PMO_OS_LOGFILE_OPEN_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* A log, and the directory it is opened in. */
struct log_place {
	const char *path; /* borrowed, for messages */
	uid_t owner;      /* or LOGFILE_NO_OWNER */
	int directory;    /* AT_FDCWD, or with an owner a descriptor of its own */
	const char *name; /* of the log as seen from there */
};

/* Find PATH. With an OWNER every symbolic link on the way to its directory must belong to root or
 * to this process's user, else it is an error: root must not be led away. The caller releases
 * *place, also after an error. */
int log_place_find(struct log_place *place, const char *path, uid_t owner, struct error *err);
void log_place_release(struct log_place *place);

/* Without an error if the log itself is no symbolic link, or one that the owner cannot have made.
 */
int log_place_check(const struct log_place *place, struct error *err);

/* Open for appending, close-on-exec, with open(2)'s FLAGS besides; a FIFO that nobody reads is an
 * error instead of a wait. With an owner a regular file is given to the owner, a link is followed
 * only as log_place_check allows (and what it leads to is not given away), and a file that has
 * other names is an error. Returns the descriptor, or -1 with an error. */
int log_place_open(const struct log_place *place, int flags, struct error *err);

/* Open the log at PATH for appending, made if it is missing, by the rules above; nothing is
 * rotated. Returns the descriptor, or -1 with an error. */
int logfile_append(const char *path, uid_t owner, struct error *err);

/* Append a line "--- TEXT at YYYY-MM-DD HH:MM:SS ---", which begins a line, to the log at PATH.
 * What is told about a service matters less than the service: nobody hears of a failure. */
void logfile_note(const char *path, uid_t owner, const char *text);

/* The error for a log at PATH that open(2) refused with ERRNUM. Returns -1. */
int log_open_failed(const char *path, int errnum, struct error *err);

#endif
