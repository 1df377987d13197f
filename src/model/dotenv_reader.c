#include "model/dotenv_reader.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the white space character at TEXT, 0 if there is none: Unicode's, as Python has it. */
static size_t space_size(const char *text, const char *end)
{
	if (text == end)
		return 0;
	unsigned char byte = (unsigned char)*text;
	if (byte < 0x80)
		return byte == ' ' || (byte >= 0x09 && byte <= 0x0d) ||
		       (byte >= 0x1c && byte <= 0x1f);
	uint32_t c = 0;
	size_t size = text_utf8_decode(text, (size_t)(end - text), &c);
	bool space = c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
		     c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
	return space ? size : 0;
}

static void skip_white_space(struct dotenv_reader *reader)
{
	for (size_t size; (size = space_size(reader->position, reader->end)) > 0;)
		reader->position += size;
}

static bool at_end_of_line(const struct dotenv_reader *reader)
{
	return reader->position == reader->end || *reader->position == '\n';
}

/* White space within the line. True if there was some. */
static bool skip_blanks(struct dotenv_reader *reader)
{
	const char *start = reader->position;
	size_t size;
	while (!at_end_of_line(reader) && (size = space_size(reader->position, reader->end)) > 0)
		reader->position += size;
	return reader->position > start;
}

static void skip_line(struct dotenv_reader *reader)
{
	const char *newline =
	    memchr(reader->position, '\n', (size_t)(reader->end - reader->position));
	reader->position = newline ? newline : reader->end;
}

size_t dotenv_reader_line(struct dotenv_reader *reader)
{
	for (; reader->counted < reader->position; reader->counted++)
		reader->line += *reader->counted == '\n';
	return reader->line;
}

static bool peek_is(const struct dotenv_reader *reader, char character)
{
	return reader->position < reader->end && *reader->position == character;
}

static void skip_export(struct dotenv_reader *reader)
{
	static const char keyword[] = "export";
	size_t length = sizeof(keyword) - 1;
	const char *start = reader->position;
	if ((size_t)(reader->end - start) < length || memcmp(start, keyword, length) != 0)
		return;
	reader->position += length;
	if (!skip_blanks(reader))
		reader->position = start;
}

static bool read_quoted_name(struct dotenv_reader *reader, struct dotenv_statement *statement)
{
	const char *start = reader->position + 1;
	const char *close = memchr(start, '\'', (size_t)(reader->end - start));
	if (!close || close == start)
		return false;
	statement->name = start;
	statement->name_length = (size_t)(close - start);
	reader->position = close + 1;
	return true;
}

static bool read_name(struct dotenv_reader *reader, struct dotenv_statement *statement)
{
	if (peek_is(reader, '\''))
		return read_quoted_name(reader, statement);
	const char *start = reader->position;
	const char *position = start;
	while (position < reader->end && *position != '=' && *position != '#' &&
	       space_size(position, reader->end) == 0)
		position++;
	statement->name = start;
	statement->name_length = (size_t)(position - start);
	reader->position = position;
	return position > start;
}

/* The quote that closes the one at the reader, or NULL. As a regular expression that backtracks
 * sees it: when nothing closes it, the last escaped quote does. */
static const char *closing_quote(const struct dotenv_reader *reader)
{
	const char *position = reader->position;
	const char quote = *position++;
	const char *last_escaped = NULL;
	for (; position < reader->end && *position != quote; position++) {
		if (*position == '\\' && position + 1 < reader->end && position[1] == quote)
			last_escaped = ++position;
	}
	return position < reader->end ? position : last_escaped;
}

/* The character that a backslash and CODE mean between QUOTEs; 0 where they are two characters. */
static char escaped_character(char quote, char code)
{
	static const char codes[] = "\\'\"abfnrtv";
	static const char meanings[] = "\\'\"\a\b\f\n\r\t\v";
	const char *found = code ? strchr(codes, code) : NULL;
	if (!found || (quote == '\'' && found - codes > 1))
		return 0;
	return meanings[found - codes];
}

static bool read_quoted_value(struct dotenv_reader *reader, struct buffer *value)
{
	const char quote = *reader->position;
	const char *close = closing_quote(reader);
	if (!close)
		return false;
	for (const char *position = reader->position + 1; position < close; position++) {
		char meaning = *position == '\\' && position + 1 < close
				   ? escaped_character(quote, position[1])
				   : 0;
		buffer_append_char(value, meaning ? meaning : *position);
		position += meaning != 0;
	}
	reader->position = close + 1;
	return true;
}

/* Up to a '#' that stands after white space, less the white space at the end. */
static void read_unquoted_value(struct dotenv_reader *reader, struct buffer *value)
{
	const char *start = reader->position;
	const char *content_end = start;
	bool after_space = false;
	skip_line(reader);
	for (const char *position = start; position < reader->position;) {
		if (after_space && *position == '#')
			break;
		size_t size = space_size(position, reader->position);
		after_space = size > 0;
		position += size ? size : 1;
		if (!after_space)
			content_end = position;
	}
	buffer_append(value, start, (size_t)(content_end - start));
}

/* The reader stands after '='. */
static bool read_value(struct dotenv_reader *reader, struct dotenv_statement *statement)
{
	bool after_blank = skip_blanks(reader);
	statement->looks_commented = after_blank && peek_is(reader, '#');
	if (peek_is(reader, '"') || peek_is(reader, '\''))
		return read_quoted_value(reader, &statement->value);
	if (!at_end_of_line(reader))
		read_unquoted_value(reader, &statement->value);
	return true;
}

/* Returns NULL or what is wrong. */
static const char *read_binding(struct dotenv_reader *reader, struct dotenv_statement *statement)
{
	if (!peek_is(reader, '#')) {
		if (!read_name(reader, statement))
			return "a name is missing";
		statement->kind = DOTENV_BARE_NAME;
		skip_blanks(reader);
	}
	if (peek_is(reader, '=')) {
		reader->position++;
		statement->kind = DOTENV_PAIR;
		if (!read_value(reader, statement))
			return "a quote is never closed";
	}
	skip_blanks(reader);
	if (peek_is(reader, '#'))
		skip_line(reader);
	if (at_end_of_line(reader))
		return NULL;
	return statement->kind == DOTENV_PAIR ? "text follows the closing quote"
					      : "a '=' is missing after the name";
}

void dotenv_read_statement(struct dotenv_reader *reader, struct dotenv_statement *statement)
{
	buffer_clear(&statement->value);
	statement->kind = DOTENV_NOTHING;
	skip_white_space(reader);
	statement->line = dotenv_reader_line(reader);
	if (reader->position == reader->end)
		return;
	skip_export(reader);
	statement->problem = read_binding(reader, statement);
	if (statement->problem) {
		statement->kind = DOTENV_BROKEN;
		skip_line(reader);
	}
	if (reader->position < reader->end)
		reader->position++;
}
