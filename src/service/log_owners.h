/*
 * Which service writes which log, over a whole project.
 *
 * Made at the first question, and only of what is not at its default place: that costs a look at
 * each definition, and more only for projects whose services name log files.
 */
#ifndef PMO_SERVICE_LOG_OWNERS_H
#define PMO_SERVICE_LOG_OWNERS_H

#include "base/error.h"
#include "service/project.h"

struct launch;
struct launcher;
struct log_owners;

enum log_owners_scope {
	LOG_OWNERS_CONFIGURED, /* as pmo.yml says */
	LOG_OWNERS_KNOWN,      /* besides, what is on record: reads every NAME.spec */
};

/* For the caller to free. */
struct log_owners *log_owners_create(enum log_owners_scope scope);
void log_owners_free(struct log_owners *owners);

/* An error if a log of LAUNCH would be written by another service of pmo.yml too, or if one of the
 * two would rotate the other's away. What is no regular file may be shared: it is never rotated. */
int log_owners_check(struct log_owners *owners, const struct launcher *launcher,
		     const struct launch *launch, struct error *err);

enum log_writer {
	LOG_WRITER_RUNNING,  /* something of the service may be alive */
	LOG_WRITER_POSSIBLE, /* it runs or not, with merged logs or without */
};

/* True if a service other than NAME, of that kind, writes PATH, or one of the two rotates to a log
 * of the other; POSSIBLE also where that cannot be found out. */
bool log_owners_has_other(struct log_owners *owners, const struct project *project,
			  const char *name, const char *path, enum log_writer kind);

#endif
