/* view/json: layout, numbers, and valid UTF-8 whatever comes in. */
#include "support/support.h"

#include "base/memory.h"
#include "base/text.h"
#include "view/json.h"

#include <math.h>
#include <string.h>

static void test_layout(void **state)
{
	(void)state;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct json json = JSON_INIT(&text);
	json_begin_object(&json);
	json_key(&json, "name");
	json_string(&json, "web");
	json_key(&json, "empty");
	json_begin_array(&json);
	json_end_array(&json);
	json_key(&json, "none");
	json_begin_object(&json);
	json_end_object(&json);
	json_key(&json, "list");
	json_begin_array(&json);
	json_integer(&json, 1);
	json_boolean(&json, true);
	json_boolean(&json, false);
	json_null(&json);
	json_begin_object(&json);
	json_key(&json, "a");
	json_number(&json, 0.5);
	json_end_object(&json);
	json_end_array(&json);
	json_key(&json, "last");
	json_string(&json, NULL);
	json_end_object(&json);
	json_finish(&json);
	assert_string_equal(buffer_string(&text), "{\n"
						  "  \"name\": \"web\",\n"
						  "  \"empty\": [],\n"
						  "  \"none\": {},\n"
						  "  \"list\": [\n"
						  "    1,\n"
						  "    true,\n"
						  "    false,\n"
						  "    null,\n"
						  "    {\n"
						  "      \"a\": 0.5\n"
						  "    }\n"
						  "  ],\n"
						  "  \"last\": null\n"
						  "}\n");
	assert_true(json_valid(buffer_string(&text)));
}

static void test_strings(void **state)
{
	static const struct {
		const char *bytes;
		const char *expected;
	} cases[] = {
		{ "", "\"\"" },
		{ "plain /text", "\"plain /text\"" },
		{ "say \"hi\" \\ there", "\"say \\\"hi\\\" \\\\ there\"" },
		{ "\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"" },
		{ "\v\x01\x1f", "\"\\u000b\\u0001\\u001f\"" },
		{ "\033[31m", "\"\\u001b[31m\"" },
		{ "\x7f", "\"\\u007f\"" },
		{ "\xc2\x9b", "\"\\u009b\"" },
		{ "\xe2\x80\xae", "\"\\u202e\"" },
		{ "na\xc3\xafve \xe4\xb8\xad \xf0\x9f\x98\x80",
		  "\"na\xc3\xafve \xe4\xb8\xad \xf0\x9f\x98\x80\"" },
		{ "a\xff"
		  "b",
		  "\"a\xef\xbf\xbd"
		  "b\"" },
		{ "\xc3", "\"\xef\xbf\xbd\"" },
		{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
		struct json json = JSON_INIT(&text);
		json_string(&json, cases[i].bytes);
		assert_string_equal(buffer_string(&text), cases[i].expected);
		assert_true(json_valid(buffer_string(&text)));
	}
}

static void test_every_byte_is_valid(void **state)
{
	(void)state;
	for (int first = 0; first < 256; first++) {
		for (int second = 0; second < 256; second++) {
			const char bytes[] = { (char)first, (char)second, 'x' };
			struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
			struct json json = JSON_INIT(&text);
			json_string_bounded(&json, bytes, sizeof(bytes));
			assert_true(text_is_utf8(text.data, text.length));
			assert_int_equal(strlen(text.data), text.length);
			assert_true(json_valid(text.data));
		}
	}
}

static void test_numbers(void **state)
{
	static const struct {
		double number;
		const char *expected;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "0" },
		{ -0.0001, "0" },
		{ 1, "1" },
		{ 10, "10" },
		{ 100, "100" },
		{ 12.3, "12.3" },
		{ 0.0625, "0.062" },
		{ -1.5, "-1.5" },
		{ 1e15, "1000000000000000" },
		{ NAN, "null" },
		{ INFINITY, "null" },
		{ -INFINITY, "null" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
		struct json json = JSON_INIT(&text);
		json_number(&json, cases[i].number);
		assert_string_equal(buffer_string(&text), cases[i].expected);
	}
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct json json = JSON_INIT(&text);
	json_begin_array(&json);
	json_integer(&json, INT64_MIN);
	json_integer(&json, INT64_MAX);
	json_number(&json, 1.7e308);
	json_end_array(&json);
	assert_non_null(strstr(buffer_string(&text), "[\n  -9223372036854775808,\n"
						     "  9223372036854775807,\n  1"));
	assert_true(json_valid(buffer_string(&text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_every_byte_is_valid),
		cmocka_unit_test(test_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
