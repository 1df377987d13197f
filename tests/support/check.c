#include "support.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef size_t span_function(const char *text);

static size_t span_number(const char *text)
{
	size_t length = strspn(text, "0123456789");

	if (length > 0 && text[length] == '.' && isdigit((unsigned char)text[length + 1]))
		length += 1 + strspn(text + length + 1, "0123456789");
	return length;
}

static size_t span_word(const char *text)
{
	return strcspn(text, " \t\n");
}

static size_t span_space(const char *text)
{
	return strspn(text, " \t");
}

static size_t span_time(const char *text)
{
	const char *form = "dddd-dd-dd dd:dd:dd";
	size_t at;

	for (at = 0; form[at] != '\0'; at++) {
		if (form[at] == 'd' ? !isdigit((unsigned char)text[at]) : text[at] != form[at])
			return 0;
	}
	return at;
}

static size_t span_line(const char *text)
{
	return strcspn(text, "\n");
}

static size_t span_any(const char *text)
{
	return strlen(text);
}

/* A placeholder stands for LEAST bytes up to what its function spans. */
struct placeholder {
	const char *name;
	span_function *span;
	size_t least;
};

static const struct placeholder placeholders[] = {
	{ "%NUMBER", span_number, 1 }, { "%WORD", span_word, 1 }, { "%SPACE", span_space, 1 },
	{ "%TIME", span_time, 19 },    { "%LINE", span_line, 0 }, { "%ANY", span_any, 0 },
};

static const struct placeholder *placeholder_at(const char *pattern)
{
	size_t i;

	for (i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++) {
		if (strncmp(pattern, placeholders[i].name, strlen(placeholders[i].name)) == 0)
			return &placeholders[i];
	}
	return NULL;
}

static bool match_here(const char *text, const char *pattern, const char *directory);

static bool match_placeholder(const char *text, const char *rest,
			      const struct placeholder *placeholder, const char *directory)
{
	size_t most = placeholder->span(text);
	size_t length;

	for (length = placeholder->least; length <= most; length++) {
		if (match_here(text + length, rest, directory))
			return true;
	}
	return false;
}

static bool match_here(const char *text, const char *pattern, const char *directory)
{
	while (*pattern != '\0') {
		if (*pattern == '%') {
			const struct placeholder *placeholder = placeholder_at(pattern);

			if (placeholder != NULL)
				return match_placeholder(text, pattern + strlen(placeholder->name),
							 placeholder, directory);
			if (strncmp(pattern, "%DIR", 4) == 0 && directory != NULL) {
				if (strncmp(text, directory, strlen(directory)) != 0)
					return false;
				text += strlen(directory);
				pattern += 4;
				continue;
			}
			if (pattern[1] == '%')
				pattern++;
		}
		if (*text++ != *pattern++)
			return false;
	}
	return *text == '\0';
}

bool text_matches(const char *text, const char *pattern, const char *directory)
{
	return match_here(text, pattern, directory);
}

static bool text_contains(const char *text, const char *part, const char *directory)
{
	char *pattern = text_format("%%ANY%s%%ANY", part);
	bool found = match_here(text, pattern, directory);

	free(pattern);
	return found;
}

/* Controls are shown as \xNN: a failing test must not confuse the terminal either. */
static void show(const char *title, const char *text)
{
	fprintf(stderr, "--- %s\n", title);
	for (; text != NULL && *text != '\0'; text++) {
		if (iscntrl((unsigned char)*text) && *text != '\n' && *text != '\t')
			fprintf(stderr, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, stderr);
	}
	fprintf(stderr, text == NULL ? "(nothing)\n" : "\n");
}

static void show_run(const struct run *run)
{
	fprintf(stderr, "--- ran: %s\n    in %s, %.3f s, status %d, signal %d\n", run->command,
		run->directory, run->seconds, run->status, run->signal);
	show("standard output", run->out);
	show("standard error", run->err);
}

static void fail_run(const struct run *run, const char *what, const char *expected,
		     const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	if (expected != NULL)
		show("expected", expected);
	show_run(run);
	_fail(file, line);
}

void check_run(const struct run *run, int status, const char *out, const char *err,
	       const char *file, int line)
{
	if (run->status != status) {
		char *what = text_format("exit status is %d, expected %d", run->status, status);

		fail_run(run, what, NULL, file, line);
	}
	if (out != NULL && !text_matches(run->out, out, run->directory))
		fail_run(run, "standard output differs", out, file, line);
	if (err != NULL && !text_matches(run->err, err, run->directory))
		fail_run(run, "standard error differs", err, file, line);
}

void check_has(const struct run *run, const char *stream, const char *text, bool wanted,
	       const char *file, int line)
{
	if (text_contains(stream, text, run->directory) != wanted)
		fail_run(run, wanted ? "this text is missing" : "this text should not be there",
			 text, file, line);
}

void check_text(const char *text, const char *pattern, bool whole, const char *file, int line)
{
	if (text != NULL &&
	    (whole ? text_matches(text, pattern, NULL) : text_contains(text, pattern, NULL)))
		return;
	fprintf(stderr, "%s:%d: text differs\n", file, line);
	show(whole ? "expected" : "expected to hold", pattern);
	show("got", text);
	_fail(file, line);
}
