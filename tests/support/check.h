/*
 * Assertions about runs, with failure output that shows the whole run.
 *
 * Expected texts are word for word but for these placeholders:
 *	%NUMBER	digits, with an optional fraction	%LINE	anything up to the end of the line
 *	%WORD	one or more non-blank characters	%ANY	anything, over lines, also nothing
 *	%SPACE	one or more blanks			%DIR	the project's directory
 *	%TIME	YYYY-MM-DD HH:MM:SS			%%	a percent sign
 */
#ifndef PMO_TESTS_CHECK_H
#define PMO_TESTS_CHECK_H

#include <stdbool.h>

struct run;

/* True if TEXT is what PATTERN says, as a whole. */
bool text_matches(const char *text, const char *pattern, const char *directory);

/* The run exited with STATUS, and wrote OUT and ERR; NULL for a stream that does not matter. */
#define assert_run(run, status, out, err) check_run(run, status, out, err, __FILE__, __LINE__)
void check_run(const struct run *run, int status, const char *out, const char *err,
	       const char *file, int line);

/* One of its streams holds this text (with placeholders), or does not. */
#define assert_out_has(run, text)   check_has(run, (run)->out, text, true, __FILE__, __LINE__)
#define assert_err_has(run, text)   check_has(run, (run)->err, text, true, __FILE__, __LINE__)
#define assert_out_lacks(run, text) check_has(run, (run)->out, text, false, __FILE__, __LINE__)
#define assert_err_lacks(run, text) check_has(run, (run)->err, text, false, __FILE__, __LINE__)
void check_has(const struct run *run, const char *stream, const char *text, bool wanted,
	       const char *file, int line);

/* A text (not of a run) holds or is this, with placeholders. */
#define assert_text(text, pattern)  check_text(text, pattern, true, __FILE__, __LINE__)
#define assert_text_has(text, part) check_text(text, part, false, __FILE__, __LINE__)
void check_text(const char *text, const char *pattern, bool whole, const char *file, int line);

#endif
