/*
 * A log and its rotated files, from the newest to the oldest, as one reader meets them who was here
 * before: what came since.
 */
#ifndef PMO_OS_LOG_CHAIN_H
#define PMO_OS_LOG_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A certain file, told apart also from a later one that got its inode. */
struct log_identity {
	dev_t device;
	ino_t inode;      /* 0: no file */
	int64_t birth_ns; /* 0 where the file system does not know */
};

bool log_identity_equal(const struct log_identity *left, const struct log_identity *right);

/* What tells how often a log was rotated since it was looked at. A log changes otherwise than by
 * growing only after its mark changed (unless somebody empties it): whoever reads from it and then
 * finds the mark as it was before knows what was read. */
struct log_mark {
	struct log_identity newest; /* the newest rotated file */
	struct log_identity uncut;  /* a PATH.0 that does not count, log_rotate.h LOG_COPY_UNCUT */
};

/* The mark of PATH now. A rotation that is under way is waited for, up to a tenth of a second. */
void log_mark_take(struct log_mark *mark, const char *path);
bool log_mark_unchanged(const struct log_mark *mark, const char *path);

enum { LOG_ITSELF = -1 };

struct log_file {
	int number; /* of the rotated name, or LOG_ITSELF */
	int fd;
	struct log_identity identity;
	off_t size; /* what a copy will always have */
	bool copy;  /* made by logfile_rotate_running: the next newer file goes on where it ends */
};

/* Newest first. */
struct log_chain {
	struct log_file *items;
	size_t count;
	size_t capacity;
	struct log_mark mark; /* from now on */
	bool busy;            /* the log is being rotated: nothing can be said yet */
	int failure;          /* EMFILE or ENFILE when that kept a file from being opened */
};

/* What a reader knows. */
struct log_reader {
	struct log_mark mark;
	dev_t device; /* of the log that was read */
	ino_t inode;  /* 0: there was none */
};

/* Open the files that came into being since READER looked, and the log. The caller releases *chain.
 */
void log_chain_collect(struct log_chain *chain, const char *path, const struct log_reader *reader);
void log_chain_release(struct log_chain *chain);

/* The position of the reader's log in the chain; the chain's count if it is not there. */
size_t log_chain_find(const struct log_chain *chain, const struct log_reader *reader);

#endif
