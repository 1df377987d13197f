/*
 * Text from strangers, made fit for a terminal, and its width there.
 */
#ifndef PMO_BASE_TEXT_H
#define PMO_BASE_TEXT_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length in bytes of the well-formed UTF-8 character at BYTES (at most LENGTH), 0 if there is none.
 * *code_point gets its value. Follows RFC 3629: no surrogates, no overlong forms. */
size_t text_utf8_decode(const char *bytes, size_t length, uint32_t *code_point);

/* True if all LENGTH bytes are well-formed UTF-8. */
bool text_is_utf8(const char *bytes, size_t length);

/* True for C0 and C1 control characters, DEL, bidirectional controls and line separators. */
bool text_is_control(uint32_t code_point);

/* True for characters that take no room and show nothing by themselves: zero-width spaces and
 * joiners, fillers, variation selectors, tags (the default ignorable ones of Unicode). */
bool text_is_invisible(uint32_t code_point);

/* Append BYTES so that a terminal shows them and obeys none of them: control characters and bytes
 * that are not UTF-8 become \xNN, newline \n, tab \t. */
void text_append_visible(struct buffer *buffer, const char *bytes, size_t length);

/* The same for a whole text of several lines: its newlines stay newlines. */
void text_append_visible_lines(struct buffer *buffer, const char *text);

/* Columns that a visible string takes on a terminal, by wcwidth(3). */
size_t text_width(const char *visible);

/* Append a visible string cut to at most COLUMNS columns, its last one ELLIPSIS where it was cut.
 */
void text_append_cut(struct buffer *buffer, const char *visible, size_t columns,
		     const char *ellipsis);

/* True if the environment's locale (LC_ALL, LC_CTYPE, LANG) names UTF-8. */
bool text_locale_is_utf8(void);

/* The candidate that WORD was probably meant to be, or NULL: the nearest by edit distance with
 * swapped neighbours (at most a third of the length, at least 1), first of equals. */
const char *text_suggest(const char *word, const char *const *candidates, size_t count);

#endif
