/*
 * The files that pmo itself lives on.
 */
#ifndef PMO_SERVICE_OWN_FILES_H
#define PMO_SERVICE_OWN_FILES_H

#include "base/error.h"
#include "model/definition.h"
#include "service/project.h"

/* An error if LOG, an absolute path, or a name it is rotated to is one of them, however written:
 * pmo.yml, .env, one of the COUNT ENV_FILES (absolute), anything in .pmo/pids. */
int own_files_refuse(const struct project *project, const char *const *env_files, size_t count,
		     const char *log, struct error *err);

#endif
