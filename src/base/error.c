#include "base/error.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
	if (!err)
		return -1;
	va_list arguments;
	va_start(arguments, format);
	char *message = memory_vprintf(format, arguments);
	va_end(arguments);
	free(err->message);
	err->message = message;
	err->kind = kind;
	return -1;
}

int error_set_errno(struct error *err, enum error_kind kind, int errnum, const char *format, ...)
{
	if (!err)
		return -1;
	va_list arguments;
	va_start(arguments, format);
	char *text CLEANUP_FREE = memory_vprintf(format, arguments);
	va_end(arguments);
	return error_set(err, kind, "%s: %s", text, strerror(errnum));
}

int error_prefix(struct error *err, const char *format, ...)
{
	if (!err || !err->message)
		return -1;
	va_list arguments;
	va_start(arguments, format);
	char *prefix CLEANUP_FREE = memory_vprintf(format, arguments);
	va_end(arguments);
	char *message = memory_printf("%s: %s", prefix, err->message);
	free(err->message);
	err->message = message;
	return -1;
}

void error_clear(struct error *err)
{
	free(err->message);
	*err = (struct error)ERROR_INIT;
}
