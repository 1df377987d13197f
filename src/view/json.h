/*
 * JSON (RFC 8259), written as it goes: pretty-printed with two spaces, one value after the other.
 *
 *	struct json json = JSON_INIT(&buffer);
 *
 *	json_begin_object(&json);
 *	json_key(&json, "name");
 *	json_string(&json, "web");
 *	json_end_object(&json);
 *	json_finish(&json);
 *
 * The caller keeps the order: in an object every value follows its key. Commas, newlines and
 * indentation are set here. What is written is valid UTF-8 whatever the strings hold.
 */
#ifndef PMO_VIEW_JSON_H
#define PMO_VIEW_JSON_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	struct buffer *buffer; /* borrowed; the text is appended to it */
	int depth;
	bool after_value; /* the next value in this object or array needs a comma */
	bool after_key;   /* the next value belongs to a key */
};

#define JSON_INIT(target)                                                                          \
	{                                                                                          \
		(target), 0, false, false                                                          \
	}

void json_begin_object(struct json *json);
void json_end_object(struct json *json);
void json_begin_array(struct json *json);
void json_end_array(struct json *json);

/* The key of the next value. */
void json_key(struct json *json, const char *key);

/* A string; NULL writes null. Every byte that is no part of well-formed UTF-8 becomes U+FFFD. */
void json_string(struct json *json, const char *string);
void json_string_bounded(struct json *json, const char *bytes, size_t length);

void json_integer(struct json *json, int64_t number);

/* Up to three decimals, without trailing zeros; null where it is not finite. */
void json_number(struct json *json, double number);

void json_boolean(struct json *json, bool value);
void json_null(struct json *json);

/* End the text with a newline. */
void json_finish(struct json *json);

#endif
