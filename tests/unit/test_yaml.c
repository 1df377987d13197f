#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A document and what was found in it. */
struct reading {
	struct arena arena;
	struct message_list messages;
	const struct node *root;
};

static void read_bytes(struct reading *reading, const char *text, size_t length)
{
	struct problem_list problems = PROBLEM_LIST_INIT;
	*reading = (struct reading){ 0 };
	struct node_arenas arenas = { .nodes = &reading->arena, .texts = &reading->arena };
	reading->root = yaml_read(text, length, arenas, &problems);
	problem_report(&problems, "f", &reading->messages);
}

static void release(struct reading *reading)
{
	arena_release(&reading->arena);
	message_list_release(&reading->messages);
}

/* The tree in one line: "text", [items], {key:value}; '!' is an invalid node. */
static void append_tree(struct buffer *buffer, const struct node *node)
{
	switch (node->kind) {
	case NODE_SCALAR:
		buffer_printf(buffer, node->plain ? "%s" : "\"%s\"", node->text);
		assert_int_equal(strlen(node->text), node->count);
		return;
	case NODE_SEQUENCE:
		buffer_append_char(buffer, '[');
		for (size_t i = 0; i < node->count; i++) {
			buffer_append_string(buffer, i ? "," : "");
			append_tree(buffer, node->items[i]);
		}
		buffer_append_char(buffer, ']');
		return;
	case NODE_MAPPING:
		buffer_append_char(buffer, '{');
		for (size_t i = 0; i < node->count; i++) {
			buffer_append_string(buffer, i ? "," : "");
			append_tree(buffer, node->pairs[i].key);
			buffer_append_string(buffer, node->pairs[i].merged ? "<" : ":");
			append_tree(buffer, node->pairs[i].value);
		}
		buffer_append_char(buffer, '}');
		return;
	case NODE_INVALID:
		buffer_append_char(buffer, '!');
		return;
	}
}

static void join_messages(const struct message_list *messages, struct buffer *buffer)
{
	for (size_t i = 0; i < messages->count; i++) {
		assert_int_equal(messages->items[i].level, MESSAGE_ERROR);
		buffer_printf(buffer, "%s%s", i ? "\n" : "", messages->items[i].text);
	}
}

static void check_bytes(const char *text, size_t length, const char *tree, const char *messages)
{
	struct reading reading;
	struct buffer found CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer told CLEANUP_BUFFER = BUFFER_INIT;
	read_bytes(&reading, text, length);
	join_messages(&reading.messages, &told);
	assert_string_equal(buffer_string(&told), messages);
	if (reading.root)
		append_tree(&found, reading.root);
	if (tree) {
		assert_non_null(reading.root);
		assert_string_equal(buffer_string(&found), tree);
	} else {
		assert_null(reading.root);
	}
	release(&reading);
}

static void check_tree(const char *text, const char *tree)
{
	check_bytes(text, strlen(text), tree, "");
}

static void check_problem(const char *text, const char *messages)
{
	struct reading reading;
	struct buffer told CLEANUP_BUFFER = BUFFER_INIT;
	read_bytes(&reading, text, strlen(text));
	join_messages(&reading.messages, &told);
	assert_string_equal(buffer_string(&told), messages);
	release(&reading);
}

static void test_trees(void **state)
{
	(void)state;
	check_tree("", "");
	check_tree("# nothing\n", "");
	check_tree("---\n", "");
	check_tree("a: b\n", "{a:b}");
	check_tree("\xef\xbb\xbf"
		   "a: b\n",
		   "{a:b}");
	check_tree("a: b\r\nc: d\r\n", "{a:b,c:d}");
	check_tree("a:\n  - 1\n  - {b: c}\n  - []\n", "{a:[1,{b:c},[]]}");
	check_tree("{\"a\": [1, true, null, \"x\\ny\"], \"b\": {}}",
		   "{\"a\":[1,true,null,\"x\ny\"],\"b\":{}}");
	check_tree("a: |\n  one\n  two\nb: >\n  x\n  y\n", "{a:\"one\ntwo\n\",b:\"x y\n\"}");
	check_tree("a: &x {b: c}\nd: *x\n", "{a:{b:c},d:{b:c}}");
	check_tree("a: &x 1\nb: &x 2\nc: *x\n", "{a:1,b:2,c:2}");
	check_tree("a: !!str 12\n", "{a:12}");
	check_tree("? a\n: b\n", "{a:b}");
	check_tree("%YAML 1.1\n---\na: b\n...\n", "{a:b}");
	check_tree("a: yes\nb: 010\nc: 22:22\nd: ~\ne: null\nf: 1_000\ng: 2001-01-01\nh: .5\n",
		   "{a:yes,b:010,c:22:22,d:~,e:null,f:1_000,g:2001-01-01,h:.5}");
}

static void test_merge_keys(void **state)
{
	(void)state;
	check_tree("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3, r: 4}\n",
		   "{a:{p:1,q:2},b:{p<1,q:3,r:4}}");
	check_tree("a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {z: 0, <<: [*x, *y]}\n",
		   "{a:{p:1},b:{p:2,q:2},c:{p<1,q<2,z:0}}");
	check_tree("a: &x {p: 1}\nb: &y {<<: *x, q: 2}\nc: {<<: *y}\n",
		   "{a:{p:1},b:{p<1,q:2},c:{p<1,q<2}}");
	check_tree("a: {<<: {p: 1}}\n", "{a:{p<1}}");
	check_tree("a: {\"<<\": x}\n", "{a:{\"<<\":x}}");
	check_tree(
	    "a: &x {a1: 1, a2: 2, a3: 3, a4: 4, a5: 5}\n"
	    "b: {<<: *x, a5: 0, b1: 1, b2: 2, b3: 3, b4: 4}\n",
	    "{a:{a1:1,a2:2,a3:3,a4:4,a5:5},b:{a1<1,a2<2,a3<3,a4<4,a5:0,b1:1,b2:2,b3:3,b4:4}}");
	check_problem("a: {<<: b}\n",
		      "f:1:9: '<<' must name a mapping or a list of mappings, not 'b'");
	check_problem("a: {<<: [{p: 1}, [x]]}\n",
		      "f:1:18: '<<' must name a mapping or a list of mappings, not a list");
	check_problem("a: &a x\nb: {<<: *a}\n",
		      "f:2:5: '<<' must name a mapping or a list of mappings, not 'x'");
	check_problem("a: {<<: {p: 1}, <<: {q: 1}}\n",
		      "f:1:17: duplicate key '<<', first given at 1:5 (write '<<: [*a, *b]')");
}

static void test_duplicates(void **state)
{
	(void)state;
	check_problem("a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key 'a', first given at 1:1");
	check_problem("a:\n  x: {k: 1, \"k\": 2}\n  x: 2\n",
		      "f:2:13: duplicate key 'k', first given at 2:7\n"
		      "f:3:3: duplicate key 'x', first given at 2:3");
	check_problem("{1: a, 2: a, 3: a, 4: a, 5: a, 6: a, 7: a, 8: a, 9: a, 3: b}",
		      "f:1:56: duplicate key '3', first given at 1:14");
}

static void test_problems(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *messages;
	} table[] = {
		{ "[a]: b\n", "f:1:1: a key must be a single value, not a list" },
		{ "? {a: b}\n: c\n", "f:1:3: a key must be a single value, not a mapping" },
		{ "a: !!int 1\nb: !x 2\nc: !!str {}\n",
		  "f:1:4: tag '!!int' is not supported\nf:2:4: tag '!x' is not supported\n"
		  "f:3:4: tag '!!str' is not supported" },
		{ "a: *b\n", "f:1:4: there is no anchor '&b' before it" },
		{ "a: &b [1, *b]\n", "f:1:11: 'b' refers to itself" },
		{ "a: &b {c: {d: *b}}\n", "f:1:15: 'b' refers to itself" },
		{ "a: \"x\\0y\"\n", "f:1:4: a NUL character cannot be part of a text" },
		{ "\"x\\0y\": a\n", "f:1:1: a NUL character cannot be part of a text" },
		{ "a: 1\n---\nb: 2\n",
		  "f:2:1: a second document starts here, but the file can only hold one" },
		{ "a: [1, 2\nb: 3\n", "f:2:2: did not find expected ',' or ']' while parsing a "
				      "flow sequence that starts "
				      "in line 1" },
		{ "a: b: c\n", "f:1:5: mapping values are not allowed in this context" },
		{ "a:\n\tb: c\n", "f:2:1: a tab cannot indent, use spaces" },
		{ "a: @b\n", "f:1:4: text that starts with '@' must be put in quotes" },
		{ "a: %b\n", "f:1:4: text that starts with '%' must be put in quotes" },
		{ "ü: `b`\n", "f:1:4: text that starts with '`' must be put in quotes" },
		{ "a: 'b\n", "f:2:1: found unexpected end of stream while scanning a quoted scalar "
			     "that starts in "
			     "line 1" },
		{ "a: b\n c\n  d: e\n", "f:3:4: mapping values are not allowed in this context" },
		{ "a: \"\\q\"\n", "f:1:5: found unknown escape character while parsing a quoted "
				  "scalar that starts in "
				  "line 1" },
		{ "a: b\x01"
		  "c\n",
		  "f:1:5: control character U+0001 is not allowed" },
		{ "a: 1\nä: \x1b[31m\n", "f:2:4: control character U+001B is not allowed" },
		{ "a: 1\nä: \xff\n", "f:2:4: the file is not UTF-8" },
		{ "a: \xe9t\xe9\n", "f:1:4: the file is not UTF-8" },
		{ "\xff\xfe"
		  "a",
		  "f:1:1: the file is not UTF-8" },
		{ "{\"\\e[31m\": 1, \"\\e[31m\": 2}",
		  "f:1:15: duplicate key '\\x1b[31m', first given at 1:2" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
		check_problem(table[i].text, table[i].messages);
	check_bytes("a: b\0c\n", 7, NULL, "f:1:5: control character U+0000 is not allowed");
}

static void test_places(void **state)
{
	(void)state;
	struct reading reading;
	const char *text = "größe: 1\nb:\n  - x\n  - ü: y\n";
	read_bytes(&reading, text, strlen(text));
	const struct node *root = reading.root;
	assert_int_equal(root->pairs[0].value->place.line, 1);
	assert_int_equal(root->pairs[0].value->place.column, 8);
	const struct node *inner = root->pairs[1].value->items[1]->pairs[0].value;
	assert_int_equal(inner->place.line, 4);
	assert_int_equal(inner->place.column, 8);
	release(&reading);
}

static void test_nothing(void **state)
{
	(void)state;
	struct reading reading;
	const char *text = "a:\nb: ''\nc: x\nd: []\n";
	read_bytes(&reading, text, strlen(text));
	assert_true(node_is_nothing(reading.root->pairs[0].value));
	assert_false(node_is_nothing(reading.root->pairs[1].value));
	assert_false(node_is_nothing(reading.root->pairs[2].value));
	assert_false(node_is_nothing(reading.root->pairs[3].value));
	release(&reading);
}

static void test_nesting(void **state)
{
	(void)state;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct reading reading;
	for (int i = 0; i < 100; i++)
		buffer_append_char(&text, '[');
	for (int i = 0; i < 100; i++)
		buffer_append_char(&text, ']');
	read_bytes(&reading, buffer_string(&text), text.length);
	assert_non_null(reading.root);
	assert_int_equal(reading.messages.count, 0);
	release(&reading);
	buffer_clear(&text);
	for (int i = 0; i < 1000000; i++)
		buffer_append_char(&text, '[');
	check_bytes(buffer_string(&text), text.length, NULL,
		    "f:1:101: nested more than 100 levels deep");
}

/* Nine aliases of nine aliases of ...: 9^30 values in a kilobyte. */
static void test_alias_bomb(void **state)
{
	(void)state;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	buffer_append_string(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 30; i++) {
		buffer_printf(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			buffer_printf(&text, "%s*a%d", j ? "," : "", i - 1);
		buffer_append_string(&text, "]\n");
	}
	int64_t start = clock_monotonic_ns();
	check_bytes(buffer_string(&text), text.length, NULL,
		    "f:7:30: aliases stand for more than 4000000 values");
	assert_true(clock_monotonic_ns() - start < 5 * NSEC_PER_SEC);
}

/* Anchors, aliases and keys by the hundred thousand: quadratic work would take minutes. */
static void test_many(void **state)
{
	(void)state;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct reading reading;
	for (int i = 0; i < 100000; i++)
		buffer_printf(&text, "k%d: &a%d v\n", i, i);
	for (int i = 0; i < 100000; i++)
		buffer_printf(&text, "j%d: *a%d\n", i, i);
	int64_t start = clock_monotonic_ns();
	read_bytes(&reading, buffer_string(&text), text.length);
	assert_true(clock_monotonic_ns() - start < 10 * NSEC_PER_SEC);
	assert_int_equal(reading.messages.count, 0);
	assert_int_equal(reading.root->count, 200000);
	assert_ptr_equal(reading.root->pairs[7].value, reading.root->pairs[100007].value);
	release(&reading);
}

static char *write_pair(const char *key, const char *value)
{
	struct buffer buffer = BUFFER_INIT;
	struct yaml_writer *writer = yaml_writer_open(&buffer);
	yaml_write_begin_mapping(writer, YAML_STYLE_BLOCK);
	yaml_write_text(writer, key);
	yaml_write_text(writer, value);
	yaml_write_end_mapping(writer);
	yaml_writer_close(writer);
	return buffer_detach(&buffer);
}

static void check_round_trip(const char *key, const char *value)
{
	struct reading reading;
	char *text CLEANUP_FREE = write_pair(key, value);
	read_bytes(&reading, text, strlen(text));
	if (!reading.root || reading.messages.count > 0 || reading.root->count != 1 ||
	    strcmp(reading.root->pairs[0].key->text, key) != 0 ||
	    strcmp(reading.root->pairs[0].value->text, value) != 0 || reading.root->pairs[0].merged)
		fail_msg("'%s': '%s' was written as: %s", key, value, text);
	assert_null(strstr(text, "\n..."));
	release(&reading);
}

static void test_written_forms(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		const char *written;
	} table[] = {
		{ "sleep 1", "k: sleep 1\n" },
		{ "yes", "k: yes\n" },
		{ "", "k: ''\n" },
		{ "a: b", "k: 'a: b'\n" },
		{ "one\ntwo\n", "k: |\n  one\n  two\n" },
		{ "one\ntwo", "k: |-\n  one\n  two\n" },
		{ "größe", "k: größe\n" },
		{ "\x1b[31m", "k: \"\\e[31m\"\n" },
		{ "a\tb", "k: \"a\\tb\"\n" },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		char *text CLEANUP_FREE = write_pair("k", table[i].value);
		assert_string_equal(text, table[i].written);
	}
	char *merge CLEANUP_FREE = write_pair("<<", "x");
	assert_string_equal(merge, "'<<': x\n");
	char *foreign CLEANUP_FREE = write_pair("k", "a\xff");
	assert_string_equal(foreign, "k: a\\xff\n");
}

static void test_round_trips(void **state)
{
	(void)state;
	static const char *const pieces[] = {
		"a",
		" ",
		"\n",
		"\t",
		":",
		"#",
		"'",
		"\"",
		"-",
		"?",
		"*",
		"&",
		"!",
		"|",
		">",
		"%",
		"@",
		"`",
		"{",
		"}",
		"[",
		"]",
		",",
		"\\",
		"~",
		"<<",
		"...",
		"---",
		"\r",
		"ü",
		"日",
		"\xc2\x85",
		"\xe2\x80\xa8",
		"\xef\xbb\xbf",
		"\x01",
		"\x7f",
		"\xf0\x9f\x98\x80",
		"$X",
		"=",
		"yes",
		"0",
	};
	unsigned int seed = 7;
	for (int round = 0; round < 20000; round++) {
		char key[64] = "k";
		char value[64] = "";
		size_t key_length = 1;
		size_t length = 0;
		for (int i = rand_r(&seed) % 6; i > 0; i--) {
			const char *piece = pieces[(size_t)rand_r(&seed) % ARRAY_LENGTH(pieces)];
			length +=
			    (size_t)snprintf(value + length, sizeof(value) - length, "%s", piece);
		}
		for (int i = rand_r(&seed) % 4; i > 0; i--) {
			const char *piece = pieces[(size_t)rand_r(&seed) % ARRAY_LENGTH(pieces)];
			key_length += (size_t)snprintf(key + key_length, sizeof(key) - key_length,
						       "%s", piece);
		}
		/* also keys that begin with a piece */
		check_round_trip(key_length > 1 && round % 2 ? key + 1 : key, value);
	}
	char longest[3001];
	memset(longest, 'k', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	check_round_trip(longest, longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),       cmocka_unit_test(test_merge_keys),
		cmocka_unit_test(test_duplicates),  cmocka_unit_test(test_problems),
		cmocka_unit_test(test_places),      cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_nesting),     cmocka_unit_test(test_alias_bomb),
		cmocka_unit_test(test_many),        cmocka_unit_test(test_written_forms),
		cmocka_unit_test(test_round_trips),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
