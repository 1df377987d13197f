#include "model/config_entry.h"

#include <string.h>
#include <strings.h>

enum {
	MOST_SUGGESTIONS = 1000
}; /* keys; a wrong one in each of a thousand places is told plainly */

static void report_unknown(struct entry_list *list, struct entry *entry, const struct node *name)
{
	const struct key *near = NULL;
	if (list->suggestions++ < MOST_SUGGESTIONS)
		near = key_suggest(name->text);
	if (near && near->kind == KEY_COMMAND)
		entry->command_misspelt = true;
	problem_add(list->problems, name->place, "unknown key '%s' in '%s'%s%s%s",
		    problem_show(list->problems, name->text, name->count), entry->shown,
		    near ? " (did you mean '" : "", near ? near->name : "", near ? "'?)" : "");
}

static void read_extends(struct entry_list *list, struct entry *entry, const struct key *key,
			 const struct node *value)
{
	if (value->kind == NODE_SCALAR && value->count > 0)
		entry->extends = value;
	else if (value->kind == NODE_SCALAR)
		problem_add(list->problems, value->place, "'%s' in '%s' is empty", key->name,
			    entry->shown);
	else if (value->kind != NODE_INVALID)
		problem_add(list->problems, value->place, "'%s' in '%s' must be %s, not %s",
			    key->name, entry->shown, key->expected,
			    node_describe(value, list->problems));
}

/* What keeps KEY from being read here, as a problem. */
static bool is_refused(struct entry_list *list, const struct entry *entry, const struct key *key,
		       struct place place, enum entry_role role)
{
	if (key->kind == KEY_UNSUPPORTED)
		problem_add(list->problems, place,
			    "'%s' in '%s' is not supported by this version of pmo yet", key->name,
			    entry->shown);
	else if (role == ENTRY_OF_DEFAULTS && key->never_default)
		problem_add(list->problems, place, "'%s' cannot have a default", key->name);
	else if (role == ENTRY_OF_SPEC && key->kind == KEY_EXTENDS)
		problem_add(list->problems, place, "'%s' cannot stand in a record", key->name);
	else
		return false;
	return true;
}

/* `cmd` and `script` are one key under two names: where both are given, one of them by a merge key,
 * the one that is written here counts. */
static bool is_hidden_command(const struct node *mapping, const struct node_pair *pair)
{
	const char *other = strcmp(pair->key->text, "cmd") == 0 ? "script" : "cmd";
	if (!pair->merged)
		return false;
	for (size_t i = 0; i < mapping->count; i++)
		if (!mapping->pairs[i].merged && strcmp(mapping->pairs[i].key->text, other) == 0)
			return true;
	return false;
}

static void read_key(struct entry_list *list, struct entry *entry, const struct node *mapping,
		     const struct node_pair *pair, enum entry_role role)
{
	const struct key *key = key_find(pair->key->text);
	if (!key) {
		report_unknown(list, entry, pair->key);
		return;
	}
	if (is_refused(list, entry, key, pair->key->place, role))
		return;
	if (key->kind == KEY_COMMAND && is_hidden_command(mapping, pair))
		return;
	if (entry->given & key_bit(key)) {
		problem_add(list->problems, pair->key->place,
			    "'%s' has both 'cmd' and 'script', which mean the same", entry->shown);
		return;
	}
	entry->given |= key_bit(key);
	struct value_target target = { &entry->definition, entry->shown, list->arena,
				       list->problems };
	if (key->kind == KEY_EXTENDS)
		read_extends(list, entry, key, pair->value);
	else
		value_read(&target, key, pair->value);
}

static void read_mapping(struct entry_list *list, struct entry *entry, const struct node *mapping,
			 enum entry_role role)
{
	const struct key *command = key_find("cmd");
	for (size_t i = 0; i < mapping->count; i++) {
		const struct node_pair *pair = &mapping->pairs[i];
		if (strncmp(pair->key->text, "x-", 2) != 0)
			read_key(list, entry, mapping, pair, role);
	}
	/* the command may be what was left out, or stand there under a wrong name: that it is
	 * missing is no second problem */
	if (mapping->damaged || entry->command_misspelt)
		entry->given |= key_bit(command);
}

void entry_read(struct entry_list *list, struct entry *entry, const struct node *value,
		enum entry_role role)
{
	const struct key *command = key_find("cmd");
	struct value_target target = { &entry->definition, entry->shown, list->arena,
				       list->problems };
	entry->definition.name = entry->name;
	if (value->kind == NODE_MAPPING) {
		read_mapping(list, entry, value, role);
	} else if (node_is_nothing(value)) {
		return;
	} else if (role == ENTRY_OF_DEFAULTS) {
		if (value->kind != NODE_INVALID)
			problem_add(list->problems, value->place,
				    "'defaults' must be a mapping of keys, not %s",
				    node_describe(value, list->problems));
	} else if (value->kind == NODE_SEQUENCE) {
		problem_add(list->problems, value->place,
			    "'%s' must be a command or a mapping, not a list: write 'cmd: [...]'",
			    entry->shown);
		entry->given |= key_bit(command);
	} else {
		entry->given |= key_bit(command);
		if (value->kind == NODE_SCALAR)
			value_read(&target, command, value);
	}
}
