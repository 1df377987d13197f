/*
 * Errors as values.
 *
 * A function that can fail takes a `struct error *` as its last argument, fills it and returns -1
 * (or NULL). Nobody below cli/ prints: the command that asked decides where the message goes.
 * Messages are lower case, name their subject in 'quotes' and carry no full stop or newline.
 */
#ifndef PMO_BASE_ERROR_H
#define PMO_BASE_ERROR_H

/* The kinds are the exit statuses of the program, pmo(1) EXIT STATUS. */
enum error_kind {
	ERROR_NONE = 0,
	ERROR_FAILED = 1,     /* some service failed, or the system refused */
	ERROR_USAGE = 2,      /* command line or configuration */
	ERROR_TIMEOUT = 3,    /* time ran out */
	ERROR_NO_SERVICE = 4, /* no such service */
};

struct error {
	enum error_kind kind;
	char *message; /* owned; NULL while there is no error */
};

#define ERROR_INIT                                                                                 \
	{                                                                                          \
		ERROR_NONE, 0                                                                      \
	}

/* Fill *err (which may be NULL, or hold an older error that is dropped). Always returns -1, so that
 * `return error_set(...)` both reports and fails. */
int error_set(struct error *err, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with ": " and the text of errno value ERRNUM appended. */
int error_set_errno(struct error *err, enum error_kind kind, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Put "PREFIX: " before the message of an error that is set. Returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Release the message and return to ERROR_INIT. */
void error_clear(struct error *err);

#endif
