#include "model/yaml.h"

#include "base/text.h"
#include "model/lookup.h"
#include "model/yaml_mapping.h"

#include <stdint.h>
#include <string.h>
#include <yaml.h>

enum { DEEPEST = 100 }; /* levels of nesting */

static const size_t MOST_EXPANDED = 4000000; /* nodes that aliases may stand for, all together */

/* A collection whose end was not read yet. */
struct open_node {
	struct node *node;
	size_t first; /* of its children among the pending ones */
};

struct reader {
	yaml_parser_t parser;
	const char *text;
	size_t length;
	struct node_arenas arenas;
	struct problem_list *problems;
	struct lookup anchors;
	struct open_node open[DEEPEST];
	size_t depth;
	const struct node **pending; /* children of the open collections, innermost last */
	size_t pending_count;
	size_t pending_capacity;
	size_t expanded;
};

enum step { STEP_FAILED = -1, STEP_MORE, STEP_END };

static struct place mark_place(yaml_mark_t mark)
{
	return (struct place){ (unsigned int)mark.line + 1, (unsigned int)mark.column + 1 };
}

static struct place offset_place(const char *text, size_t length, size_t offset)
{
	struct place place = { 1, 1 };
	for (size_t i = 0; i < offset && i < length; i++) {
		if (text[i] == '\n')
			place = (struct place){ place.line + 1, 1 };
		else if (((unsigned char)text[i] & 0xc0) != 0x80)
			place.column++;
	}
	return place;
}

/* The byte at a place, 0 where there is none. */
static char byte_at(const struct reader *reader, struct place place)
{
	const char *end = reader->text + reader->length;
	const char *position = reader->text;
	for (unsigned int line = 1; line < place.line && position < end; line++) {
		const char *newline = memchr(position, '\n', (size_t)(end - position));
		position = newline ? newline + 1 : end;
	}
	for (unsigned int column = 1; column < place.column && position < end; column++) {
		uint32_t code_point;
		size_t size = text_utf8_decode(position, (size_t)(end - position), &code_point);
		position += size ? size : 1;
	}
	return position < end ? *position : '\0';
}

/* libyaml names some byte of what is not UTF-8, not always its first one. */
static void report_unreadable(struct reader *reader)
{
	size_t offset = 0;
	size_t size = 1;
	uint32_t code_point = 0;
	while (offset < reader->length) {
		size =
		    text_utf8_decode(reader->text + offset, reader->length - offset, &code_point);
		if (size == 0 || offset >= reader->parser.problem_offset)
			break;
		offset += size;
	}
	struct place place = offset_place(reader->text, reader->length, offset);
	if (size == 0)
		problem_add(reader->problems, place, "the file is not UTF-8");
	else
		problem_add(reader->problems, place, "control character U+%04X is not allowed",
			    (unsigned int)code_point);
}

static void report_syntax(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	struct place place = mark_place(parser->problem_mark);
	char found = byte_at(reader, place);
	if (strstr(parser->problem, "cannot start any token") && found == '\t')
		problem_add(reader->problems, place, "a tab cannot indent, use spaces");
	else if (strstr(parser->problem, "cannot start any token") && found)
		problem_add(reader->problems, place,
			    "text that starts with '%c' must be put in quotes", found);
	else if (parser->context)
		problem_add(reader->problems, place, "%s %s that starts in line %zu",
			    parser->problem, parser->context, parser->context_mark.line + 1);
	else
		problem_add(reader->problems, place, "%s", parser->problem);
}

static enum step report_parser(struct reader *reader)
{
	if (reader->parser.error == YAML_READER_ERROR)
		report_unreadable(reader);
	else
		report_syntax(reader);
	return STEP_FAILED;
}

static void check_tag(struct reader *reader, const yaml_char_t *tag, bool scalar,
		      struct place place)
{
	static const char core[] = "tag:yaml.org,2002:";
	const char *name = (const char *)tag;
	if (!name || (scalar && strcmp(name, YAML_STR_TAG) == 0))
		return;
	bool is_core = strncmp(name, core, sizeof(core) - 1) == 0;
	if (is_core)
		name += sizeof(core) - 1;
	problem_add(reader->problems, place, "tag '%s%s' is not supported", is_core ? "!!" : "",
		    problem_show(reader->problems, name, strlen(name)));
}

static void add_child(struct reader *reader, const struct node *node)
{
	MEMORY_GROW(reader->pending, reader->pending_count, reader->pending_capacity);
	reader->pending[reader->pending_count++] = node;
}

static struct node *make_node(struct reader *reader, enum node_kind kind, const yaml_char_t *anchor,
			      struct place place)
{
	struct node *node = arena_alloc(reader->arenas.nodes, sizeof(*node));
	node->kind = kind;
	node->place = place;
	node->weight = 1;
	if (anchor) {
		const char *name = arena_strdup(reader->arenas.nodes, (const char *)anchor);
		*lookup_slot(&reader->anchors, name, strlen(name)) = node;
	}
	return node;
}

static enum step read_scalar(struct reader *reader, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct place place = mark_place(event->start_mark);
	struct node *node = make_node(reader, NODE_SCALAR, event->data.scalar.anchor, place);
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->complete = true;
	node->count = length;
	node->text = arena_strndup(reader->arenas.texts, value, length);
	check_tag(reader, event->data.scalar.tag, true, place);
	if (memchr(value, '\0', length)) {
		problem_add(reader->problems, place, "a NUL character cannot be part of a text");
		node->kind = NODE_INVALID;
	}
	add_child(reader, node);
	return STEP_MORE;
}

static enum step read_alias(struct reader *reader, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct place place = mark_place(event->start_mark);
	const struct node *node = lookup_find(&reader->anchors, name, strlen(name));
	if (!node || !node->complete) {
		problem_add(reader->problems, place,
			    node ? "'%s' refers to itself" : "there is no anchor '&%s' before it",
			    problem_show(reader->problems, name, strlen(name)));
		node = make_node(reader, NODE_INVALID, NULL, place);
	}
	if (node->weight > MOST_EXPANDED - reader->expanded) {
		problem_add(reader->problems, place, "aliases stand for more than %zu values",
			    MOST_EXPANDED);
		return STEP_FAILED;
	}
	reader->expanded += node->weight;
	add_child(reader, node);
	return STEP_MORE;
}

static enum step begin_collection(struct reader *reader, const yaml_event_t *event)
{
	struct place place = mark_place(event->start_mark);
	bool mapping = event->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *anchor =
	    mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	check_tag(reader, mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag,
		  false, place);
	if (reader->depth == DEEPEST) {
		problem_add(reader->problems, place, "nested more than %d levels deep", DEEPEST);
		return STEP_FAILED;
	}
	struct node *node =
	    make_node(reader, mapping ? NODE_MAPPING : NODE_SEQUENCE, anchor, place);
	reader->open[reader->depth++] = (struct open_node){ node, reader->pending_count };
	return STEP_MORE;
}

static enum step end_collection(struct reader *reader)
{
	const struct open_node *open = &reader->open[--reader->depth];
	struct node *node = open->node;
	const struct node **children = reader->pending + open->first;
	size_t count = reader->pending_count - open->first;
	for (size_t i = 0; i < count; i++)
		node->weight += children[i]->weight;
	if (node->kind == NODE_MAPPING) {
		yaml_fill_mapping(node, children, count, reader->arenas.nodes, reader->problems);
	} else {
		node->count = count;
		node->items = arena_alloc(reader->arenas.nodes, count * sizeof(struct node *));
		if (count)
			memcpy(node->items, children, count * sizeof(struct node *));
	}
	node->complete = true;
	reader->pending_count = open->first;
	add_child(reader, node);
	return STEP_MORE;
}

static enum step begin_document(struct reader *reader, const yaml_event_t *event)
{
	if (reader->pending_count == 0)
		return STEP_MORE;
	problem_add(reader->problems, mark_place(event->start_mark),
		    "a second document starts here, but the file can only hold one");
	return STEP_FAILED;
}

static enum step read_event(struct reader *reader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(reader, event);
	case YAML_ALIAS_EVENT:
		return read_alias(reader, event);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return begin_collection(reader, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return end_collection(reader);
	case YAML_DOCUMENT_START_EVENT:
		return begin_document(reader, event);
	case YAML_STREAM_END_EVENT:
		return STEP_END;
	default:
		return STEP_MORE;
	}
}

static enum step read_step(struct reader *reader)
{
	yaml_event_t event;
	if (!yaml_parser_parse(&reader->parser, &event))
		return report_parser(reader);
	enum step step = read_event(reader, &event);
	yaml_event_delete(&event);
	return step;
}

static const struct node *read_document(struct reader *reader)
{
	enum step step = STEP_MORE;
	while (step == STEP_MORE)
		step = read_step(reader);
	if (step == STEP_FAILED)
		return NULL;
	if (reader->pending_count > 0)
		return reader->pending[0];
	struct node *nothing = make_node(reader, NODE_SCALAR, NULL, (struct place){ 1, 1 });
	nothing->plain = true;
	nothing->text = "";
	return nothing;
}

const struct node *yaml_read(const char *text, size_t length, struct node_arenas arenas,
			     struct problem_list *problems)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	size_t mark = sizeof(byte_order_mark) - 1;
	struct arena scratch = ARENA_INIT;
	if (length >= mark && memcmp(text, byte_order_mark, mark) == 0) {
		text += mark;
		length -= mark;
	}
	struct reader reader = {
		.text = text, .length = length, .arenas = arenas, .problems = problems
	};
	if (!yaml_parser_initialize(&reader.parser)) {
		problem_add(problems, (struct place){ 1, 1 }, "out of memory");
		return NULL;
	}
	lookup_init(&reader.anchors, &scratch, 0);
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
	const struct node *root = read_document(&reader);
	yaml_parser_delete(&reader.parser);
	memory_cleanup_free(&reader.pending);
	arena_release(&scratch);
	return root;
}

bool node_is_nothing(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->plain && node->count == 0;
}

const char *node_describe(const struct node *node, struct problem_list *problems)
{
	if (node->kind == NODE_SEQUENCE)
		return "a list";
	if (node->kind == NODE_MAPPING)
		return "a mapping";
	const char *shown = problem_show(problems, node->text, node->count);
	return arena_printf(&problems->shown, "'%s'", shown);
}
