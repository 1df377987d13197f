/*
 * GPU memory of processes, asked of nvidia-smi(1), which is run and never linked.
 *
 * Two queries run side by side in a process group of their own, are polled beside other work and
 * killed after GPU_TIMEOUT_NS. A machine without nvidia-smi costs a look through PATH.
 */
#ifndef PMO_OS_GPU_H
#define PMO_OS_GPU_H

#include "base/error.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

static const int64_t GPU_TIMEOUT_NS = INT64_C(3000000000);

/* One process on one device. */
struct gpu_use {
	pid_t pid;
	int index;            /* -1 where unknown, as for a part (MIG) of one of several devices */
	const char *uuid;     /* "GPU-..." or "MIG-...", "" where unknown */
	int64_t memory_bytes; /* -1 where the driver says [N/A] */
};

struct gpu_report {
	bool known; /* false: nvidia-smi is there but gave no answer: figures are '?' */
	struct gpu_use
	    *uses; /* sorted by pid, then index; several contexts on one device are summed */
	size_t count;
	char *problem; /* why not known, for a warning; NULL otherwise */
	struct arena arena;
};

struct gpu_query;

/* Start the queries. NULL when nvidia-smi is not in PATH. */
struct gpu_query *gpu_query_start(void);

/* The same with another time limit, counted from this call. */
struct gpu_query *gpu_query_start_limited(int64_t timeout_ns);

/* Wait for the answers until the time is up, end what still runs, and free the query. A NULL query
 * gives an empty, known report, and so does a machine where nvidia-smi finds no device. */
void gpu_query_finish(struct gpu_query *query, struct gpu_report *report);

void gpu_report_release(struct gpu_report *report);

/* The parser behind it: outputs of
 *   nvidia-smi --query-gpu=index,uuid --format=csv,noheader
 *   nvidia-smi --query-compute-apps=pid,gpu_uuid,used_memory --format=csv,noheader,nounits
 * False when APPS is no such output: REPORT is empty then. Rows that name no process (`[N/A]` for a
 * pid) and warnings among the rows are passed over. */
bool gpu_report_parse(struct gpu_report *report, const char *devices, const char *apps);

#endif
