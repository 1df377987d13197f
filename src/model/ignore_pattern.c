#include "model/ignore_pattern.h"

#include "base/memory.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* Components, each with its NUL, one after another: a pattern's or a path's. */
struct components {
	const char *begin;
	const char *end;
};

struct pattern {
	struct components components; /* "**" stands for any number; never the last one */
	bool negated;
	bool directories_only;
};

struct ignore_list {
	struct arena arena; /* the texts */
	size_t count;
	struct pattern patterns[];
};

static const char any_depth[] = "**";

static const char *const built_in_patterns[] = {
	".git",  ".hg", ".svn", "node_modules", "__pycache__", ".pmo",
	"*.swp", "*~",  ".#*",  "4913",         "#*#",         ".DS_Store", /* 4913: vim's probe */
};

static const char *next_component(const char *component)
{
	return component + strlen(component) + 1;
}

/* Put the components of TEXT (LENGTH bytes) at PLACE; returns where they end. */
static char *put_components(char *place, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		place[i] = text[i] == '/' ? '\0' : text[i];
	place[length] = '\0';
	return place + length + 1;
}

static bool is_last_any_depth(const char *text, size_t length)
{
	return length >= 2 && memcmp(text + length - 2, "**", 2) == 0 &&
	       (length == 2 || text[length - 3] == '/');
}

/* TEXT without its '!' and its '/' at the end. What may be at any depth begins with "**", and a
 * "**" at the end, everything inside, becomes "**" and "*": so one rule is left for matching. */
static struct components compile_components(struct arena *arena, const char *text, size_t length)
{
	char *place = arena_alloc(arena, length + sizeof(any_depth) + sizeof("/*"));
	struct components components = { place, place };
	if (length == 0)
		return components;
	if (!memchr(text, '/', length))
		place = put_components(place, any_depth, strlen(any_depth));
	bool anchored = text[0] == '/' || (length > 1 && text[0] == '.' && text[1] == '/');
	size_t skipped = anchored ? 1 + (text[0] == '.') : 0;
	place = put_components(place, text + skipped, length - skipped);
	if (is_last_any_depth(text, length))
		place = put_components(place, "*", 1);
	components.end = place;
	return components;
}

static struct pattern compile(struct arena *arena, const char *text)
{
	struct pattern pattern = { .negated = *text == '!' };
	text += pattern.negated;
	size_t length = strlen(text);
	pattern.directories_only = length > 0 && text[length - 1] == '/';
	length -= pattern.directories_only;
	pattern.components = compile_components(arena, text, length);
	return pattern;
}

struct ignore_list *ignore_list_create(const char *const *patterns, size_t count)
{
	size_t built_in = ARRAY_LENGTH(built_in_patterns);
	struct ignore_list *list =
	    memory_zalloc(1, sizeof(*list) + (built_in + count) * sizeof(list->patterns[0]));
	for (size_t i = 0; i < built_in; i++)
		list->patterns[list->count++] = compile(&list->arena, built_in_patterns[i]);
	for (size_t i = 0; i < count; i++)
		list->patterns[list->count++] = compile(&list->arena, patterns[i]);
	return list;
}

void ignore_list_destroy(struct ignore_list *list)
{
	if (!list)
		return;
	arena_release(&list->arena);
	free(list);
}

/* Each "**" first stands for nothing; where the rest does not fit, the last one takes a name more.
 * Earlier ones need not: what they could take, the last one can. */
static bool components_match(const struct components *pattern, const struct components *path)
{
	const char *part = pattern->begin;
	const char *name = path->begin;
	const char *retry_part = NULL;
	const char *retry_name = NULL;
	while (name < path->end) {
		if (part < pattern->end && strcmp(part, any_depth) == 0) {
			part = retry_part = next_component(part);
			retry_name = name;
		} else if (part < pattern->end && fnmatch(part, name, 0) == 0) {
			part = next_component(part);
			name = next_component(name);
		} else if (retry_part) {
			part = retry_part;
			name = retry_name = next_component(retry_name);
		} else {
			return false;
		}
	}
	return part == pattern->end && part > pattern->begin;
}

static bool is_ignored(const struct ignore_list *list, const struct components *path,
		       enum ignore_kind kind)
{
	for (size_t i = list->count; i-- > 0;) {
		const struct pattern *pattern = &list->patterns[i];
		if (pattern->directories_only && kind != IGNORE_DIRECTORY)
			continue;
		if (components_match(&pattern->components, path))
			return !pattern->negated;
	}
	return false;
}

bool ignore_list_matches(const struct ignore_list *list, const char *path, enum ignore_kind kind)
{
	size_t length = strlen(path);
	char *names CLEANUP_FREE = memory_alloc(length + 1);
	const char *end = put_components(names, path, length);
	struct components prefix = { names, names };
	while (prefix.end < end) {
		prefix.end = next_component(prefix.end);
		if (is_ignored(list, &prefix, prefix.end < end ? IGNORE_DIRECTORY : kind))
			return true;
	}
	return false;
}
