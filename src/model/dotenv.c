#include "model/dotenv.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/dotenv_reader.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { FILE_LIMIT = 4 << 20, INI_CHUNK = 120 };

static const char byte_order_mark[] = "\xef\xbb\xbf";

static const char hexadecimal[] = "0123456789abcdef";

/* Means nothing to inih anywhere in a value. */
static bool is_plain(unsigned char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
	       (byte >= 'A' && byte <= 'Z') || byte == '_' || (byte >= '+' && byte <= '/');
}

/* Append BYTES as lines "FIELD=text" that every build of inih reads back unchanged: short, and
 * whatever could mean something to it as %XX. */
static void ini_encode(struct buffer *lines, const char *field, const char *bytes, size_t length)
{
	const char *end = bytes + length;
	while (bytes < end) {
		char chunk[INI_CHUNK + 3];
		size_t used = 0;
		for (; bytes < end && used < INI_CHUNK; bytes++) {
			unsigned char byte = (unsigned char)*bytes;
			chunk[used++] = is_plain(byte) ? *bytes : '%';
			if (chunk[used - 1] == '%') {
				chunk[used++] = hexadecimal[byte >> 4];
				chunk[used++] = hexadecimal[byte & 15];
			}
		}
		buffer_append_string(lines, field);
		buffer_append_char(lines, '=');
		buffer_append(lines, chunk, used);
		buffer_append_char(lines, '\n');
	}
}

static int hexadecimal_value(char digit)
{
	return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}

/* Of what ini_encode wrote. */
static void ini_decode(struct buffer *bytes, const char *text)
{
	for (;;) {
		size_t plain = strcspn(text, "%");
		buffer_append(bytes, text, plain);
		text += plain;
		if (!text[0] || !text[1] || !text[2])
			break;
		int byte = hexadecimal_value(text[1]) << 4 | hexadecimal_value(text[2]);
		buffer_append_char(bytes, (char)byte);
		text += 3;
	}
}

struct pair {
	struct buffer name;
	struct buffer value;
};

/* Called by inih for each line; 1 is success. */
static int collect(void *user, const char *section, const char *name, const char *value)
{
	struct pair *pair = user;
	(void)section;
	ini_decode(strcmp(name, "name") == 0 ? &pair->name : &pair->value, value);
	return 1;
}

/* Find the end of the reference that '$' at TEXT begins. A name is everything up to '}' or ":-", so
 * "${N-d}" asks for a variable called "N-d". NULL where it is none: *name_end is then the first
 * place where another could begin. */
static const char *parse_reference(const char *text, const char **name_end, const char **fallback)
{
	*name_end = text + 1;
	if (text[1] != '{')
		return NULL;
	*name_end = text + 2 + strcspn(text + 2, "}:");
	*fallback = *name_end;
	const char *close = *name_end;
	if (close[0] == ':' && close[1] == '-') {
		*fallback = close + 2;
		close = strchrnul(*fallback, '}');
		if (*close == '\0')
			*name_end = close;
	}
	return *close == '}' ? close : NULL;
}

/* Returns -1 when the result grows beyond FILE_LIMIT. */
static int resolve(const char *value, const struct environment *known, struct buffer *resolved)
{
	for (const char *dollar; *(dollar = strchrnul(value, '$'));) {
		const char *name_end, *fallback, *text;
		buffer_append(resolved, value, (size_t)(dollar - value));
		const char *close = parse_reference(dollar, &name_end, &fallback);
		value = close ? close + 1 : name_end;
		if (!close)
			buffer_append(resolved, dollar, (size_t)(name_end - dollar));
		else if ((text = environment_get_bounded(known, dollar + 2,
							 (size_t)(name_end - dollar) - 2)))
			buffer_append_string(resolved, text);
		else
			buffer_append(resolved, fallback, (size_t)(close - fallback));
		if (resolved->length > FILE_LIMIT)
			return -1;
	}
	buffer_append_string(resolved, value);
	return 0;
}

static bool is_shell_name(const char *name)
{
	if (isdigit((unsigned char)*name))
		return false;
	while (isalnum((unsigned char)*name) || *name == '_')
		name++;
	return *name == '\0';
}

/* Where things go; `known` resolves references and is one of the other two where they are given. */
struct target {
	const char *label;
	struct environment *known;
	struct environment *added;
	struct message_list *messages;
};

static void warn_name(const struct target *target, size_t line, const char *name,
		      const char *problem)
{
	struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&shown, name, strlen(name));
	message_add(target->messages, MESSAGE_WARNING, "%s:%zu: '%s' %s", target->label, line,
		    buffer_string(&shown), problem);
}

static int store_pair(const struct target *target, const struct dotenv_statement *statement,
		      const struct pair *pair, struct error *err)
{
	size_t line = statement->line;
	const char *name = buffer_string(&pair->name);
	if (strchr(name, '=')) {
		warn_name(target, line, name, "is skipped: a name cannot hold '='");
		return 0;
	}
	if (!is_shell_name(name))
		warn_name(target, line, name, "is no name that sh can use: shells may drop it");
	if (statement->looks_commented)
		warn_name(target, line, name,
			  "gets a value that begins with '#': a comment cannot follow '='");
	struct buffer resolved CLEANUP_BUFFER = BUFFER_INIT;
	if (resolve(buffer_string(&pair->value), target->known, &resolved) < 0)
		return error_set(err, ERROR_USAGE, "%s:%zu: the value of '%s' grows beyond 4 MiB",
				 target->label, line, name);
	environment_set(target->known, name, buffer_string(&resolved));
	if (target->added && target->added != target->known)
		environment_set(target->added, name, buffer_string(&resolved));
	return 0;
}

/* What take_pair uses again for the next one. */
struct exchange {
	struct dotenv_statement statement;
	struct buffer lines; /* what inih gets */
	struct pair pair;    /* what it gives back */
};

static void exchange_release(struct exchange *exchange)
{
	buffer_release(&exchange->statement.value);
	buffer_release(&exchange->lines);
	buffer_release(&exchange->pair.name);
	buffer_release(&exchange->pair.value);
}

static int take_pair(const struct target *target, struct exchange *exchange, struct error *err)
{
	const struct dotenv_statement *statement = &exchange->statement;
	buffer_clear(&exchange->lines);
	buffer_clear(&exchange->pair.name);
	buffer_clear(&exchange->pair.value);
	ini_encode(&exchange->lines, "name", statement->name, statement->name_length);
	ini_encode(&exchange->lines, "value", buffer_string(&statement->value),
		   statement->value.length);
	int result = ini_parse_string(buffer_string(&exchange->lines), collect, &exchange->pair);
	if (result != 0 || exchange->pair.name.length == 0)
		return error_set(
		    err, ERROR_FAILED,
		    "%s:%zu: the inih library cannot take this line: it must be built with "
		    "INI_MAX_LINE=200 or more",
		    target->label, statement->line);
	return store_pair(target, statement, &exchange->pair, err);
}

static int take_statements(const struct target *target, struct dotenv_reader *reader,
			   struct error *err)
{
	struct exchange exchange __attribute__((cleanup(exchange_release))) = { 0 };
	const struct dotenv_statement *statement = &exchange.statement;
	int result = 0;
	while (reader->position < reader->end && result == 0) {
		dotenv_read_statement(reader, &exchange.statement);
		if (statement->kind == DOTENV_PAIR)
			result = take_pair(target, &exchange, err);
		else if (statement->kind == DOTENV_BARE_NAME)
			message_add(
			    target->messages, MESSAGE_WARNING,
			    "%s:%zu: skipped: a name without '=' (NAME= sets it to nothing)",
			    target->label, statement->line);
		else if (statement->kind == DOTENV_BROKEN)
			message_add(target->messages, MESSAGE_WARNING, "%s:%zu: skipped: %s",
				    target->label, statement->line, statement->problem);
	}
	return result;
}

/* Python reads text with universal newlines: "\r\n" and "\r" are "\n", in values too. */
static void normalise_newlines(const char *text, size_t length, struct buffer *normal)
{
	while (length > 0) {
		const char *found = memchr(text, '\r', length);
		size_t size = found ? (size_t)(found - text) : length;
		buffer_append(normal, text, size);
		if (found) {
			buffer_append_char(normal, '\n');
			size += size + 1 < length && found[1] == '\n' ? 2 : 1;
		}
		text += size;
		length -= size;
	}
}

/* The first byte that text cannot hold, or END. */
static const char *find_foreign_byte(const char *text, const char *end)
{
	while (text < end && *text != '\0') {
		uint32_t code_point;
		size_t size = (unsigned char)*text < 0x80
				  ? 1
				  : text_utf8_decode(text, (size_t)(end - text), &code_point);
		if (size == 0)
			break;
		text += size;
	}
	return text;
}

static int check_text(struct dotenv_reader reader, const char *label, struct error *err)
{
	reader.position = find_foreign_byte(reader.position, reader.end);
	if (reader.position == reader.end)
		return 0;
	return error_set(err, ERROR_USAGE,
			 *reader.position ? "%s:%zu: this is not UTF-8 text"
					  : "%s:%zu: there is a NUL byte in the text",
			 label, dotenv_reader_line(&reader));
}

int dotenv_parse(const char *text, size_t length, const char *label,
		 struct environment *environment, struct environment *added,
		 struct message_list *messages, struct error *err)
{
	struct environment own __attribute__((cleanup(environment_release))) = ENVIRONMENT_INIT;
	struct buffer normal CLEANUP_BUFFER = BUFFER_INIT;
	struct target target = { label, environment ? environment : added, added, messages };
	if (!target.known)
		target.known = &own;
	size_t mark = sizeof(byte_order_mark) - 1;
	if (length >= mark && memcmp(text, byte_order_mark, mark) == 0) {
		text += mark;
		length -= mark;
	}
	normalise_newlines(text, length, &normal);
	const char *start = buffer_string(&normal);
	struct dotenv_reader reader = DOTENV_READER_INIT(start, normal.length);
	if (check_text(reader, label, err) < 0)
		return -1;
	return take_statements(&target, &reader, err);
}

int dotenv_load(const char *path, const char *label, struct environment *environment,
		struct environment *added, struct message_list *messages, struct error *err)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	int result = file_read(AT_FDCWD, path, FILE_LIMIT, &text);
	if (result == -EISDIR)
		return error_set(err, ERROR_USAGE, "cannot read '%s': it is a directory", label);
	if (result == -EINVAL)
		return error_set(err, ERROR_USAGE, "cannot read '%s': it is no regular file",
				 label);
	if (result == -EFBIG)
		return error_set(err, ERROR_USAGE, "cannot read '%s': it is larger than 4 MiB",
				 label);
	if (result < 0)
		return error_set_errno(err, ERROR_USAGE, -result, "cannot read '%s'", label);
	return dotenv_parse(buffer_string(&text), text.length, label, environment, added, messages,
			    err);
}
