/*
 * Which files do not matter: patterns as in gitignore(5).
 *
 *	*  ?  [a-z]  \	as in glob(7), never across a '/'; a leading dot is not special
 *	NAME		no '/' but at its end: at any depth
 *	/NAME, A/B	any other: from the root down; "./NAME" is the same as "/NAME"
 *	NAME/		directories only
 *	!NAME		not ignored after all
 *
 * Two asterisks that are a whole component stand for any number of directories, also none; at the
 * end of a pattern for everything inside.
 *
 * The last pattern that matches decides. What is in an ignored directory is ignored, whatever the
 * patterns say of it. Lists are not files: '#' begins no comment, spaces are part of a pattern.
 */
#ifndef PMO_MODEL_IGNORE_PATTERN_H
#define PMO_MODEL_IGNORE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

enum ignore_kind {
	IGNORE_FILE, /* anything but a directory, symbolic links to one among them */
	IGNORE_DIRECTORY,
};

struct ignore_list;

/* The built-in patterns, then these, which are copied: "!node_modules" brings one back. Built in is
 * what version control, package managers, editors and pmo itself keep beside the sources: .git .hg
 * .svn node_modules __pycache__ .pmo *.swp *~ .#* 4913 #*# .DS_Store. To be destroyed. */
struct ignore_list *ignore_list_create(const char *const *patterns, size_t count);
void ignore_list_destroy(struct ignore_list *list);

/* True if PATH, relative to the root, without "." and "..", is ignored. */
bool ignore_list_matches(const struct ignore_list *list, const char *path, enum ignore_kind kind);

#endif
