#include "view/json.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void append_line_start(struct json *json)
{
	buffer_append_char(json->buffer, '\n');
	for (int level = 0; level < json->depth; level++)
		buffer_append(json->buffer, "  ", 2);
}

/* What stands between the previous value and the next one. */
static void begin_value(struct json *json)
{
	if (json->after_key) {
		json->after_key = false;
		return;
	}
	if (json->after_value)
		buffer_append_char(json->buffer, ',');
	if (json->depth > 0)
		append_line_start(json);
}

static void begin_container(struct json *json, char bracket)
{
	begin_value(json);
	buffer_append_char(json->buffer, bracket);
	json->depth++;
	json->after_value = false;
}

static void end_container(struct json *json, char bracket)
{
	json->depth--;
	if (json->after_value)
		append_line_start(json);
	buffer_append_char(json->buffer, bracket);
	json->after_value = true;
}

void json_begin_object(struct json *json)
{
	begin_container(json, '{');
}

void json_end_object(struct json *json)
{
	end_container(json, '}');
}

void json_begin_array(struct json *json)
{
	begin_container(json, '[');
}

void json_end_array(struct json *json)
{
	end_container(json, ']');
}

static void append_literal(struct json *json, const char *text, size_t length)
{
	begin_value(json);
	buffer_append(json->buffer, text, length);
	json->after_value = true;
}

/* DEL and the C1 controls are legal in JSON, but a terminal that the text is shown on obeys them;
 * so are the marks that change the direction of writing. */
static void append_character(struct buffer *buffer, const char *bytes, size_t size,
			     uint32_t code_point)
{
	static const char letters[] = "btn\0fr"; /* \b is 8 */
	if (code_point == '"' || code_point == '\\') {
		buffer_append_char(buffer, '\\');
		buffer_append_char(buffer, (char)code_point);
	} else if (code_point >= 8 && code_point <= 13 && letters[code_point - 8]) {
		buffer_append_char(buffer, '\\');
		buffer_append_char(buffer, letters[code_point - 8]);
	} else if (text_is_control(code_point)) {
		buffer_printf(buffer, "\\u%04" PRIx32, code_point);
	} else {
		buffer_append(buffer, bytes, size);
	}
}

static bool is_verbatim(char character)
{
	return character >= 0x20 && character < 0x7f && character != '"' && character != '\\';
}

static void append_string(struct buffer *buffer, const char *bytes, size_t length)
{
	buffer_append_char(buffer, '"');
	while (length > 0) {
		size_t size = 0;
		while (size < length && is_verbatim(bytes[size]))
			size++;
		if (size > 0) {
			buffer_append(buffer, bytes, size);
		} else {
			uint32_t code_point;
			size = text_utf8_decode(bytes, length, &code_point);
			if (size > 0)
				append_character(buffer, bytes, size, code_point);
			else
				buffer_append_string(buffer, "\xef\xbf\xbd");
			size = size ? size : 1;
		}
		bytes += size;
		length -= size;
	}
	buffer_append_char(buffer, '"');
}

void json_key(struct json *json, const char *key)
{
	begin_value(json);
	append_string(json->buffer, key, strlen(key));
	buffer_append(json->buffer, ": ", 2);
	json->after_key = true;
}

void json_string_bounded(struct json *json, const char *bytes, size_t length)
{
	begin_value(json);
	append_string(json->buffer, bytes, length);
	json->after_value = true;
}

void json_string(struct json *json, const char *string)
{
	if (string)
		json_string_bounded(json, string, strlen(string));
	else
		json_null(json);
}

void json_integer(struct json *json, int64_t number)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%" PRId64, number);
	append_literal(json, text, (size_t)length);
}

void json_number(struct json *json, double number)
{
	enum { LONGEST_DOUBLE = 352 };
	char text[LONGEST_DOUBLE];
	if (!isfinite(number)) {
		json_null(json);
		return;
	}
	int length = snprintf(text, sizeof(text), "%.3f", number);
	while (text[length - 1] == '0')
		length--;
	if (text[length - 1] == '.')
		length--;
	if (length == 2 && memcmp(text, "-0", 2) == 0)
		append_literal(json, "0", 1);
	else
		append_literal(json, text, (size_t)length);
}

void json_boolean(struct json *json, bool value)
{
	if (value)
		append_literal(json, "true", 4);
	else
		append_literal(json, "false", 5);
}

void json_null(struct json *json)
{
	append_literal(json, "null", 4);
}

void json_finish(struct json *json)
{
	buffer_append_char(json->buffer, '\n');
}
