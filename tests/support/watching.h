/*
 * A tree_watch under test, in a time of its own: reports come without waiting.
 */
#ifndef PMO_TESTS_WATCHING_H
#define PMO_TESTS_WATCHING_H

#include "os/tree_watch.h"

struct watching {
	struct tree_watch *watch;
	int64_t now_ns;
};

/* Watch one root; the second form with one pattern to ignore. */
struct watching watching_open(const char *root);
struct watching watching_open_without(const char *root, const char *ignored);
void watching_close(struct watching *watching);

/* What is reported when nothing more happens for a while: valid until the next call, or NULL. */
const char *watching_report(struct watching *watching);

/* Go to the time when the watch wants to look without being told. */
void watching_skip_to_deadline(struct watching *watching);

/* One report, for this path, and no second; none. */
#define assert_change(watching, expected) check_change(watching, expected, __FILE__, __LINE__)
#define assert_silence(watching)          check_change(watching, NULL, __FILE__, __LINE__)
void check_change(struct watching *watching, const char *expected, const char *file, int line);

/* Write TEXT at the end of the file, which is made if necessary; remove a directory with all that
 * is in it. */
void append_to(const char *path, const char *text);
void remove_tree(const char *path);

#endif
