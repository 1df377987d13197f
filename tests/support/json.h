/*
 * A strict reader of JSON (RFC 8259), for checking what pmo prints.
 */
#ifndef PMO_TESTS_JSON_H
#define PMO_TESTS_JSON_H

#include <stdbool.h>

/* True if TEXT is exactly one JSON value; keys of an object may not repeat. */
bool json_valid(const char *text);

/* The value at PATH: keys and array positions separated by '/', "0/name". Strings come decoded and
 * without quotes, anything else as written. To be freed; NULL if it is not there. */
char *json_get(const char *text, const char *path);

/* Number of elements of the array (or members of the object) at PATH ("" is the whole); -1 if it is
 * neither. */
int json_count(const char *text, const char *path);

#define assert_json(text, path, expected) check_json(text, path, expected, __FILE__, __LINE__)
void check_json(const char *text, const char *path, const char *expected, const char *file,
		int line);

#endif
