/*
 * How busy processes are: two looks at their CPU clocks, one window apart.
 */
#ifndef PMO_OS_SAMPLE_H
#define PMO_OS_SAMPLE_H

#include "model/process.h"

struct cpu_sample;

/* First look at every process of TABLE whose OWNERS element (model/membership.h) is not NOBODY.
 * Uses clock_getcpuclockid(3), nanosecond clocks that work for other processes too. The table stays
 * as it is until cpu_sample_finish. */
struct cpu_sample *cpu_sample_begin(const struct process_table *table, const int *owners);

/* Second look; frees SAMPLE. The result has one element per process of the same table and is freed
 * by the caller: the share of one CPU that each used since, 100.0 is one CPU. What its children
 * used is added once it has waited for them, so that a shell that runs short commands is seen to be
 * busy; that part is counted in clock ticks, and since the table was read. 0.0 for what ended in
 * between (its parent has it), and when no time has passed. The caller waits between the two looks;
 * 50 ms are enough. */
double *cpu_sample_finish(struct cpu_sample *sample);

#endif
