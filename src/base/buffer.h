/*
 * A growing run of bytes, always followed by a NUL that is not counted.
 */
#ifndef PMO_BASE_BUFFER_H
#define PMO_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

struct buffer {
	char *data; /* NULL until the first byte is added */
	size_t length;
	size_t capacity;
};

#define BUFFER_INIT                                                                                \
	{                                                                                          \
		0, 0, 0                                                                            \
	}
#define CLEANUP_BUFFER __attribute__((cleanup(buffer_release)))

void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_string(struct buffer *buffer, const char *string);
void buffer_append_char(struct buffer *buffer, char character);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Make room for LENGTH more bytes and return where they go; the caller then adds to ->length and
 * writes the closing NUL itself. */
char *buffer_reserve(struct buffer *buffer, size_t length);

/* The bytes as a string, "" when nothing was ever added. Owned by the buffer. */
const char *buffer_string(const struct buffer *buffer);

/* Forget the content, keep the memory. */
void buffer_clear(struct buffer *buffer);

/* Hand the string over to the caller, who frees it; the buffer is empty afterwards. */
char *buffer_detach(struct buffer *buffer);

void buffer_release(struct buffer *buffer);

#endif
