#include "model/name.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

enum { LONGEST_NAME = 200 }; /* bytes: NAME-error.log.1000 and temporary files still fit NAME_MAX */

static const char *character_problem(const char *name, size_t length)
{
	uint32_t code_point;
	for (size_t i = 0, size; i < length; i += size) {
		size = text_utf8_decode(name + i, length - i, &code_point);
		if (size == 0)
			return "is not UTF-8";
		if (text_is_control(code_point))
			return "contains a control character";
		if (code_point >= 0x80 && text_is_invisible(code_point))
			return "contains an invisible character";
		if (code_point == '/')
			return "contains '/'";
		if (code_point == ':')
			return "contains ':'";
	}
	return NULL;
}

static const char *edge_problem(char first, char last)
{
	switch (first) {
	case '.':
		return "starts with '.'";
	case '-':
		return "starts with '-'";
	case '@':
		return "starts with '@'";
	case ' ':
		return "starts with a space";
	default:
		break;
	}
	if (last == ' ')
		return "ends with a space";
	return last == '~' ? "ends with '~'" : NULL;
}

static bool is_word(const char *name, size_t length, const char *word)
{
	return length == strlen(word) && strncasecmp(name, word, length) == 0;
}

static const char *meaning_problem(const char *name, size_t length)
{
	if (is_word(name, length, "all") || is_word(name, length, "pmo"))
		return "is a reserved word";
	if (length == 5 && memcmp(name, "ports", length) == 0)
		return "is reserved, because pmo has a file of that name";
	if (length >= 2 && memcmp(name, "x-", 2) == 0)
		return "starts with 'x-'";
	for (size_t i = 0; i < length; i++)
		if (name[i] < '0' || name[i] > '9')
			return NULL;
	return "is a number, which would be taken for an id";
}

const char *name_problem(const char *name, size_t length)
{
	if (length == 0)
		return "is empty";
	if (length > LONGEST_NAME)
		return "is longer than 200 bytes";
	const char *problem = character_problem(name, length);
	if (!problem)
		problem = edge_problem(name[0], name[length - 1]);
	return problem ? problem : meaning_problem(name, length);
}
