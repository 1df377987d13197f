#include "model/expand.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { DEPTH_LIMIT = 32, SIZE_LIMIT = 4 << 20 };

struct expansion {
	struct buffer *buffer;
	const struct environment *environment;
	const char *subject;
	struct message_list *messages;
	struct error *err;
	int depth;
};

/* What stands between "${" and its "}". */
enum form { FORM_UNKNOWN, FORM_PLAIN, FORM_DEFAULT, FORM_DEFAULT_IF_UNSET, FORM_REQUIRED };

struct reference {
	enum form form;
	const char *name;
	size_t name_length;
	const char *word; /* the default, or the message */
	const char *end;  /* of the word: the closing brace */
};

static int expand_range(struct expansion *expansion, const char *text, const char *end);

static size_t name_length(const char *text, const char *end)
{
	const char *position = text;
	while (position < end && (isalpha((unsigned char)*position) || *position == '_' ||
				  (position > text && isdigit((unsigned char)*position))))
		position++;
	return (size_t)(position - text);
}

/* The brace that closes the one before TEXT, or NULL. */
static const char *closing_brace(const char *text, const char *end)
{
	size_t open = 1;
	for (; text < end; text++) {
		if (*text == '{')
			open++;
		else if (*text == '}' && --open == 0)
			return text;
	}
	return NULL;
}

static struct reference parse_reference(const char *inside, const char *brace)
{
	struct reference reference = { .name = inside, .word = brace, .end = brace };
	reference.name_length = name_length(inside, brace);
	const char *rest = inside + reference.name_length;
	if (reference.name_length == 0)
		return reference;
	if (rest == brace)
		reference.form = FORM_PLAIN;
	else if (*rest == '-')
		reference.form = FORM_DEFAULT_IF_UNSET;
	else if (rest[0] == ':' && rest[1] == '-')
		reference.form = FORM_DEFAULT;
	else if (rest[0] == ':' && rest[1] == '?')
		reference.form = FORM_REQUIRED;
	if (reference.form > FORM_PLAIN)
		reference.word = rest + (*rest == ':' ? 2 : 1);
	return reference;
}

static int fail_required(struct expansion *expansion, const struct reference *reference)
{
	struct buffer message CLEANUP_BUFFER = BUFFER_INIT;
	struct expansion inner = *expansion;
	inner.buffer = &message;
	if (expand_range(&inner, reference->word, reference->end) < 0)
		return -1;
	return error_set(expansion->err, ERROR_USAGE, "%s: '%.*s' is not set or empty%s%s",
			 expansion->subject, (int)reference->name_length, reference->name,
			 message.length ? ": " : "", buffer_string(&message));
}

static int append_reference(struct expansion *expansion, const struct reference *reference)
{
	const char *value = environment_get_bounded(expansion->environment, reference->name,
						    reference->name_length);
	bool empty = !value || !*value;
	if (reference->form == FORM_REQUIRED && empty)
		return fail_required(expansion, reference);
	if ((reference->form == FORM_DEFAULT && empty) ||
	    (reference->form == FORM_DEFAULT_IF_UNSET && !value))
		return expand_range(expansion, reference->word, reference->end);
	if (value)
		buffer_append_string(expansion->buffer, value);
	else
		message_add(expansion->messages, MESSAGE_WARNING, "%s: '%.*s' is not set",
			    expansion->subject, (int)reference->name_length, reference->name);
	/* or thirty variables that each double the one before fill the memory */
	if (expansion->buffer->length > SIZE_LIMIT)
		return error_set(expansion->err, ERROR_USAGE, "%s: the text grows beyond 4 MiB",
				 expansion->subject);
	return 0;
}

/* TEXT stands after "${"; it is left after the closing brace. */
static int expand_braced(struct expansion *expansion, const char **text, const char *end)
{
	const char *inside = *text;
	const char *brace = closing_brace(inside, end);
	if (!brace)
		return error_set(expansion->err, ERROR_USAGE,
				 "%s: '${' is never closed: add '}', or write '$${'",
				 expansion->subject);
	*text = brace + 1;
	struct reference reference = parse_reference(inside, brace);
	if (reference.form != FORM_UNKNOWN)
		return append_reference(expansion, &reference);
	buffer_append(expansion->buffer, inside - 2, (size_t)(*text - inside) + 2);
	return 0;
}

/* TEXT stands after '$'; it is left after the reference. */
static int expand_dollar(struct expansion *expansion, const char **text, const char *end)
{
	if (*text < end && **text == '{') {
		(*text)++;
		return expand_braced(expansion, text, end);
	}
	size_t length = name_length(*text, end);
	struct reference reference = { .form = FORM_PLAIN, .name = *text, .name_length = length };
	if (length > 0) {
		*text += length;
		return append_reference(expansion, &reference);
	}
	if (*text < end && **text == '$')
		(*text)++;
	buffer_append_char(expansion->buffer, '$');
	return 0;
}

static int expand_range(struct expansion *expansion, const char *text, const char *end)
{
	if (expansion->depth >= DEPTH_LIMIT)
		return error_set(expansion->err, ERROR_USAGE,
				 "%s: '${' is nested more than %d deep", expansion->subject,
				 DEPTH_LIMIT);
	expansion->depth++;
	int result = 0;
	while (text < end && result == 0) {
		const char *dollar = memchr(text, '$', (size_t)(end - text));
		const char *stop = dollar ? dollar : end;
		buffer_append(expansion->buffer, text, (size_t)(stop - text));
		text = stop;
		if (dollar) {
			text++;
			result = expand_dollar(expansion, &text, end);
		}
	}
	expansion->depth--;
	return result;
}

int expand_append(struct buffer *buffer, const char *text, const struct environment *environment,
		  const char *subject, struct message_list *messages, struct error *err)
{
	struct expansion expansion = { buffer, environment, subject, messages, err, 0 };
	return expand_range(&expansion, text, text + strlen(text));
}
