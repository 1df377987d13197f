#include "model/yaml_mapping.h"

#include "model/lookup.h"

#include <string.h>

/* Up to so many keys, comparing each with each is faster than a table. */
enum { FEW_KEYS = 8 };

/* A mapping while it is filled. */
struct filler {
	struct node *node;
	size_t room; /* pairs that node->pairs can hold */
	struct arena *arena;
	struct problem_list *problems;
	struct arena scratch;
	struct lookup seen; /* used beyond FEW_KEYS: key text to its node */
};

static bool is_merge_key(const struct node *key)
{
	return key->kind == NODE_SCALAR && key->plain && key->count == 2 &&
	       memcmp(key->text, "<<", 2) == 0;
}

/* The key of the mapping with the same text as KEY, NULL if there is none; KEY is noted. */
static const struct node *find_or_note(struct filler *filler, const struct node *key)
{
	if (filler->room > FEW_KEYS) {
		void **slot = lookup_slot(&filler->seen, key->text, key->count);
		const struct node *first = *slot;
		if (!first)
			memcpy(slot, &key, sizeof(key));
		return first;
	}
	for (size_t i = 0; i < filler->node->count; i++) {
		const struct node *other = filler->node->pairs[i].key;
		if (other->count == key->count && memcmp(other->text, key->text, key->count) == 0)
			return other;
	}
	return NULL;
}

static void add_pair(struct filler *filler, struct node_pair pair)
{
	filler->node->pairs[filler->node->count++] = pair;
}

static void add_explicit(struct filler *filler, const struct node *key, const struct node *value)
{
	if (key->kind != NODE_SCALAR) {
		filler->node->damaged = true;
		if (key->kind != NODE_INVALID)
			problem_add(filler->problems, key->place,
				    "a key must be a single value, not %s",
				    node_describe(key, filler->problems));
		return;
	}
	const struct node *first = find_or_note(filler, key);
	if (first)
		problem_add(filler->problems, key->place,
			    "duplicate key '%s', first given at %u:%u",
			    problem_show(filler->problems, key->text, key->count),
			    first->place.line, first->place.column);
	else
		add_pair(filler, (struct node_pair){ .key = key, .value = value });
}

static void merge_mapping(struct filler *filler, const struct node *source)
{
	filler->node->damaged |= source->damaged;
	for (size_t i = 0; i < source->count; i++) {
		struct node_pair pair = source->pairs[i];
		pair.merged = true;
		if (!find_or_note(filler, pair.key))
			add_pair(filler, pair);
	}
}

/* The mappings that the value of `<<` names, NULL after the last one. */
static const struct node *merge_source(const struct node *value, size_t number)
{
	if (value->kind == NODE_SEQUENCE)
		return number < value->count ? value->items[number] : NULL;
	return number == 0 ? value : NULL;
}

/* What an alias stands for is before it, and no place to look for the mistake. */
static struct place source_place(const struct node *key, const struct node *source)
{
	bool alias =
	    source->place.line < key->place.line ||
	    (source->place.line == key->place.line && source->place.column < key->place.column);
	return alias ? key->place : source->place;
}

static void add_merged(struct filler *filler, const struct node *key, const struct node *value)
{
	const struct node *source;
	for (size_t i = 0; (source = merge_source(value, i)); i++) {
		if (source->kind == NODE_MAPPING) {
			merge_mapping(filler, source);
			continue;
		}
		filler->node->damaged = true;
		if (source->kind != NODE_INVALID)
			problem_add(filler->problems, source_place(key, source),
				    "'<<' must name a mapping or a list of mappings, not %s",
				    node_describe(source, filler->problems));
	}
}

static size_t count_merged(const struct node *value)
{
	size_t count = 0;
	const struct node *source;
	for (size_t i = 0; (source = merge_source(value, i)); i++)
		if (source->kind == NODE_MAPPING)
			count += source->count;
	return count;
}

/* Put the pairs from EXPLICIT_COUNT on first: what is merged comes before what is written. */
static void rotate_pairs(struct filler *filler, size_t explicit_count)
{
	struct node *node = filler->node;
	size_t size = sizeof(*node->pairs);
	size_t merged = node->count - explicit_count;
	struct node_pair *copy = arena_alloc(&filler->scratch, explicit_count * size);
	memcpy(copy, node->pairs, explicit_count * size);
	memmove(node->pairs, node->pairs + explicit_count, merged * size);
	memcpy(node->pairs + merged, copy, explicit_count * size);
}

static void merge_all(struct filler *filler, const struct node **children, size_t count)
{
	size_t explicit_count = filler->node->count;
	const struct node *first = NULL;
	for (size_t i = 0; i + 1 < count; i += 2) {
		if (!is_merge_key(children[i]))
			continue;
		filler->node->damaged |= first != NULL;
		if (first)
			problem_add(filler->problems, children[i]->place,
				    "duplicate key '<<', first given at %u:%u (write "
				    "'<<: [*a, *b]')",
				    first->place.line, first->place.column);
		else
			add_merged(filler, children[i], children[i + 1]);
		first = first ? first : children[i];
	}
	if (explicit_count > 0 && filler->node->count > explicit_count)
		rotate_pairs(filler, explicit_count);
}

void yaml_fill_mapping(struct node *node, const struct node **children, size_t count,
		       struct arena *arena, struct problem_list *problems)
{
	struct filler filler = { .node = node, .arena = arena, .problems = problems };
	size_t merge_keys = 0;
	filler.room = count / 2;
	for (size_t i = 0; i + 1 < count; i += 2) {
		if (is_merge_key(children[i])) {
			merge_keys++;
			filler.room += count_merged(children[i + 1]);
		}
	}
	node->pairs = arena_alloc(arena, filler.room * sizeof(*node->pairs));
	lookup_init(&filler.seen, &filler.scratch, filler.room > FEW_KEYS ? filler.room : 0);
	for (size_t i = 0; i + 1 < count; i += 2)
		if (!is_merge_key(children[i]))
			add_explicit(&filler, children[i], children[i + 1]);
	if (merge_keys > 0)
		merge_all(&filler, children, count);
	arena_release(&filler.scratch);
}
