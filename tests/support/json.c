#include "support.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

/* Every reader returns what follows the value, or NULL when it is not one. */
static const char *read_value(const char *at, int depth);

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

static const char *read_escape(const char *at)
{
	int i;

	if (*at != 'u')
		return *at != '\0' && strchr("\"\\/bfnrt", *at) != NULL ? at + 1 : NULL;
	for (i = 1; i <= 4; i++) {
		if (!isxdigit((unsigned char)at[i]))
			return NULL;
	}
	return at + 5;
}

static const char *read_string(const char *at)
{
	if (*at++ != '"')
		return NULL;
	while (at != NULL && *at != '"') {
		if ((unsigned char)*at < 0x20)
			return NULL;
		at = *at == '\\' ? read_escape(at + 1) : at + 1;
	}
	return at != NULL ? at + 1 : NULL;
}

static const char *read_digits(const char *at)
{
	size_t length = strspn(at, "0123456789");

	return length > 0 ? at + length : NULL;
}

static const char *read_number(const char *at)
{
	if (*at == '-')
		at++;
	if (*at == '0' && isdigit((unsigned char)at[1]))
		return NULL;
	at = read_digits(at);
	if (at != NULL && *at == '.')
		at = read_digits(at + 1);
	if (at != NULL && (*at == 'e' || *at == 'E'))
		at = read_digits(at + 1 + (at[1] == '+' || at[1] == '-'));
	return at;
}

static const char *read_word(const char *at, const char *word)
{
	return strncmp(at, word, strlen(word)) == 0 ? at + strlen(word) : NULL;
}

static const char *read_array(const char *at, int depth)
{
	at = skip_blanks(at + 1);
	if (*at == ']')
		return at + 1;
	for (;;) {
		at = read_value(at, depth);
		if (at == NULL || (*at != ',' && *at != ']'))
			return NULL;
		if (*at++ == ']')
			return at;
	}
}

/* True if the key at KEY comes once more in the members before it. */
static bool repeats(const char *members, const char *key)
{
	size_t length = (size_t)(read_string(key) - key);

	while (members < key) {
		const char *end = read_string(members);

		if ((size_t)(end - members) == length && memcmp(members, key, length) == 0)
			return true;
		members = skip_blanks(read_value(skip_blanks(end) + 1, 1) + 1);
	}
	return false;
}

static const char *read_object(const char *at, int depth)
{
	const char *members;

	at = skip_blanks(at + 1);
	members = at;
	if (*at == '}')
		return at + 1;
	for (;;) {
		const char *key = at;

		at = read_string(at);
		if (at == NULL || repeats(members, key))
			return NULL;
		at = skip_blanks(at);
		if (*at != ':')
			return NULL;
		at = read_value(at + 1, depth);
		if (at == NULL || (*at != ',' && *at != '}'))
			return NULL;
		if (*at++ == '}')
			return at;
		at = skip_blanks(at);
	}
}

/* Also skips the blanks on both sides. */
static const char *read_value(const char *at, int depth)
{
	if (depth > DEPTH_MAX)
		return NULL;
	at = skip_blanks(at);
	switch (*at) {
	case '{':
		at = read_object(at, depth + 1);
		break;
	case '[':
		at = read_array(at, depth + 1);
		break;
	case '"':
		at = read_string(at);
		break;
	case 't':
		at = read_word(at, "true");
		break;
	case 'f':
		at = read_word(at, "false");
		break;
	case 'n':
		at = read_word(at, "null");
		break;
	default:
		at = read_number(at);
	}
	return at != NULL ? skip_blanks(at) : NULL;
}

bool json_valid(const char *text)
{
	const char *end = read_value(text, 0);

	return end != NULL && *end == '\0';
}

static void put_code_point(FILE *out, unsigned code)
{
	if (code < 0x80) {
		fputc((int)code, out);
	} else if (code < 0x800) {
		fprintf(out, "%c%c", (int)(0xc0 | code >> 6), (int)(0x80 | (code & 0x3f)));
	} else {
		fprintf(out, "%c%c%c", (int)(0xe0 | code >> 12), (int)(0x80 | (code >> 6 & 0x3f)),
			(int)(0x80 | (code & 0x3f)));
	}
}

/* The text of a string, decoded; surrogates are not joined. */
static char *decode_string(const char *at, const char *end)
{
	static const char names[] = "bfnrt";
	static const char values[] = "\b\f\n\r\t";
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	unsigned code;

	for (at++; at < end - 1; at++) {
		const char *name;

		if (*at != '\\') {
			fputc(*at, out);
			continue;
		}
		at++;
		name = strchr(names, *at);
		if (*at == 'u') {
			sscanf(at + 1, "%4x", &code);
			put_code_point(out, code);
			at += 4;
		} else {
			fputc(name != NULL ? values[name - names] : *at, out);
		}
	}
	fclose(out);
	return text;
}

/* The element of the container at AT whose key or position is STEP (LENGTH bytes); with STEP NULL
 * none, but *count gets the number of elements. */
static const char *find_element(const char *at, const char *step, size_t length, int *count)
{
	bool object = *at == '{';
	char position[16];

	*count = 0;
	at = skip_blanks(at + 1);
	while (*at != '}' && *at != ']') {
		const char *name = position;
		size_t name_length = (size_t)snprintf(position, sizeof(position), "%d", *count);

		if (object) {
			const char *end = read_string(at);

			name = at + 1;
			name_length = (size_t)(end - at) - 2;
			at = skip_blanks(end) + 1;
		}
		at = skip_blanks(at);
		if (step != NULL && name_length == length && memcmp(name, step, length) == 0)
			return at;
		(*count)++;
		at = skip_blanks(read_value(at, 0));
		if (*at == ',')
			at = skip_blanks(at + 1);
	}
	return NULL;
}

static const char *find_path(const char *text, const char *path)
{
	const char *at = skip_blanks(text);
	int count;

	while (at != NULL && *path != '\0') {
		size_t length = strcspn(path, "/");

		if (*at != '{' && *at != '[')
			return NULL;
		at = find_element(at, path, length, &count);
		path += length;
		path += *path == '/';
	}
	return at;
}

char *json_get(const char *text, const char *path)
{
	const char *at = json_valid(text) ? find_path(text, path) : NULL;
	const char *end;

	if (at == NULL)
		return NULL;
	if (*at == '"')
		return decode_string(at, read_string(at));
	end = read_value(at, 0);
	while (end > at && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	return strndup(at, (size_t)(end - at));
}

int json_count(const char *text, const char *path)
{
	const char *at = json_valid(text) ? find_path(text, path) : NULL;
	int count = -1;

	if (at != NULL && (*at == '{' || *at == '['))
		find_element(at, NULL, 0, &count);
	return count;
}

void check_json(const char *text, const char *path, const char *expected, const char *file,
		int line)
{
	char *value = json_get(text, path);

	if (value == NULL || !text_matches(value, expected, NULL)) {
		fprintf(stderr, "%s:%d: '%s' is '%s', expected '%s', in:\n%s\n", file, line, path,
			value != NULL ? value : "(not there)", expected, text);
		_fail(file, line);
	}
	free(value);
}
