/*
 * YAML as a tree of nodes, and text written as YAML. With config.h the only user of libyaml.
 *
 * The tree is a graph without cycles: an alias is the very node that its anchor names. Merge keys
 * (`<<`) are resolved. Scalars are texts as written, whatever their type would be in YAML. JSON is
 * read too, since it is YAML.
 */
#ifndef PMO_MODEL_YAML_H
#define PMO_MODEL_YAML_H

#include "base/buffer.h"
#include "base/memory.h"
#include "model/problem.h"

#include <stdbool.h>
#include <stddef.h>

enum node_kind {
	NODE_SCALAR,
	NODE_SEQUENCE,
	NODE_MAPPING,
	NODE_INVALID, /* a problem was reported for it: to be passed over in silence */
};

struct node_pair {
	const struct node *key; /* a scalar */
	const struct node *value;
	bool merged; /* came from a merge key */
};

struct node {
	enum node_kind kind;
	bool plain;    /* of a scalar: written without quotes */
	bool complete; /* its end was read */
	bool damaged;  /* of a mapping: a problem was reported that left out some of its keys */
	struct place place;
	size_t weight; /* nodes in it, aliases counted as what they stand for */
	size_t count;  /* bytes, items or pairs */
	union {
		const char *text; /* NUL-terminated; it holds no other NUL */
		const struct node **items;
		struct node_pair *pairs;
	};
};

/* Where a tree is kept. The texts are what may be needed for longer than the nodes; both may be in
 * one arena. */
struct node_arenas {
	struct arena *nodes;
	struct arena *texts; /* those of scalars: they point at nothing in `nodes` */
};

/* Read the one document of TEXT into ARENAS; an empty text is an empty plain scalar. What is wrong
 * with it is added to PROBLEMS. NULL when it cannot be read to its end: broken YAML, several
 * documents, nested too deep, or aliases that stand for too much. */
const struct node *yaml_read(const char *text, size_t length, struct node_arenas arenas,
			     struct problem_list *problems);

/* True for a plain scalar without text: what stands behind `key:` and nothing else. */
bool node_is_nothing(const struct node *node);

/* "a list", "a mapping", or the text in 'quotes': what a message says was found. */
const char *node_describe(const struct node *node, struct problem_list *problems);

/* A document that is written value by value in block style: a mapping takes its keys and values in
 * turn. The buffer holds all of it only after yaml_writer_close. */
struct yaml_writer;

enum yaml_style { YAML_STYLE_BLOCK, YAML_STYLE_FLOW };

struct yaml_writer *yaml_writer_open(struct buffer *buffer);
void yaml_write_begin_mapping(struct yaml_writer *writer, enum yaml_style style);
void yaml_write_end_mapping(struct yaml_writer *writer);
void yaml_write_begin_sequence(struct yaml_writer *writer, enum yaml_style style);
void yaml_write_end_sequence(struct yaml_writer *writer);

/* A scalar that yaml_read gives back byte for byte. Text that is not UTF-8 is written as
 * text_append_visible shows it. */
void yaml_write_text(struct yaml_writer *writer, const char *text);

/* End the document and release the writer. */
void yaml_writer_close(struct yaml_writer *writer);

#endif
