#include "base/text.h"

#include "base/memory.h"

#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

size_t text_utf8_decode(const char *bytes, size_t length, uint32_t *code_point)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (length == 0)
		return 0;
	unsigned char lead = (unsigned char)bytes[0];
	size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (size == 0 || lead > 0xf4 || size > length)
		return 0;
	uint32_t value = size == 1 ? lead : lead & (0x7fU >> size);
	for (size_t i = 1; i < size; i++) {
		unsigned char next = (unsigned char)bytes[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (next & 0x3f);
	}
	if (value < smallest[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	*code_point = value;
	return size;
}

bool text_is_utf8(const char *bytes, size_t length)
{
	uint32_t code_point;
	for (size_t size; length > 0; bytes += size, length -= size) {
		size = text_utf8_decode(bytes, length, &code_point);
		if (size == 0)
			return false;
	}
	return true;
}

bool text_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

bool text_is_invisible(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0xad, 0xad },       { 0x34f, 0x34f },     { 0x61c, 0x61c },
		{ 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
		{ 0x200b, 0x200f },   { 0x202a, 0x202e },   { 0x2060, 0x206f },
		{ 0x3164, 0x3164 },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },   { 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

static void append_escaped(struct buffer *buffer, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n')
			buffer_append(buffer, "\\n", 2);
		else if (bytes[i] == '\t')
			buffer_append(buffer, "\\t", 2);
		else
			buffer_printf(buffer, "\\x%02x", (unsigned char)bytes[i]);
	}
}

void text_append_visible(struct buffer *buffer, const char *bytes, size_t length)
{
	while (length > 0) {
		uint32_t code_point;
		size_t size = text_utf8_decode(bytes, length, &code_point);
		if (size > 0 && !text_is_control(code_point))
			buffer_append(buffer, bytes, size);
		else
			append_escaped(buffer, bytes, size ? size : 1);
		size = size ? size : 1;
		bytes += size;
		length -= size;
	}
}

void text_append_visible_lines(struct buffer *buffer, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, "\n");
		text_append_visible(buffer, text, length);
		if (!text[length])
			return;
		buffer_append_char(buffer, '\n');
		text += length + 1;
	}
}

/* wcwidth(3) knows nothing beyond ASCII in the "C" locale, and loading another costs more than a
 * whole `pmo version`: it is done at the first character that needs it. */
static size_t character_width(uint32_t code_point)
{
	if (code_point < 0x80)
		return 1;
	int width = wcwidth((wchar_t)code_point);
	if (width < 0 && setlocale(LC_CTYPE, "C.UTF-8"))
		width = wcwidth((wchar_t)code_point);
	return width < 0 ? 1 : (size_t)width;
}

/* Bytes of PREFIX of VISIBLE that fit into COLUMNS; *width gets the columns they take. */
static size_t fitting_prefix(const char *visible, size_t columns, size_t *width)
{
	size_t length = strlen(visible);
	size_t position = 0;
	*width = 0;
	while (position < length) {
		uint32_t code_point = '?';
		size_t size = text_utf8_decode(visible + position, length - position, &code_point);
		size_t step = character_width(code_point);
		if (*width + step > columns)
			break;
		*width += step;
		position += size ? size : 1;
	}
	return position;
}

size_t text_width(const char *visible)
{
	size_t width;
	fitting_prefix(visible, SIZE_MAX / 2, &width);
	return width;
}

void text_append_cut(struct buffer *buffer, const char *visible, size_t columns,
		     const char *ellipsis)
{
	if (text_width(visible) <= columns) {
		buffer_append_string(buffer, visible);
		return;
	}
	size_t mark = text_width(ellipsis);
	if (mark > columns)
		return;
	size_t width;
	buffer_append(buffer, visible, fitting_prefix(visible, columns - mark, &width));
	buffer_append_string(buffer, ellipsis);
}

bool text_locale_is_utf8(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	for (size_t i = 0; i < ARRAY_LENGTH(variables); i++) {
		const char *value = getenv(variables[i]);
		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment distance, case folded; SIZE_MAX where it is not worth the effort. */
static size_t edit_distance(const char *a, const char *b)
{
	enum { LONGEST = 64 };
	size_t rows[3][LONGEST + 1];
	size_t a_length = strlen(a);
	size_t b_length = strlen(b);
	if (a_length > LONGEST || b_length > LONGEST)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			bool same = same_letter(a[i - 1], b[j - 1]);
			row[j] = smaller(smaller(above[j], row[j - 1]) + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				row[j] = smaller(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

const char *text_suggest(const char *word, const char *const *candidates, size_t count)
{
	size_t length = strlen(word);
	size_t best = length / 3 > 1 ? length / 3 + 1 : 2;
	const char *nearest = NULL;
	for (size_t i = 0; i < count; i++) {
		size_t distance = edit_distance(word, candidates[i]);
		if (distance < best && distance < strlen(candidates[i])) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}
