#include "os/sample.h"

#include "base/clock.h"
#include "base/memory.h"
#include "model/membership.h"

#include <stdlib.h>
#include <time.h>

/* One process. Each has its own times: a look at thousands takes a while. */
struct subject {
	const struct process *process; /* what its children used, until the table was read */
	clockid_t clock;
	int64_t first_at_ns;
	int64_t first_used_ns; /* all its life, until the first look */
	bool running;          /* the second look saw it too */
	int64_t own_ns;        /* used between the looks */
	int64_t own_window_ns;
	int64_t child_ns; /* its waited-for children, since the table was read */
	int64_t child_window_ns;
};

struct cpu_sample {
	const struct process_table *table;
	struct subject *subjects; /* ascending by pid, as the table */
	size_t count;
	int64_t tick_ns;
};

static bool read_clock(clockid_t clock, int64_t *used_ns)
{
	struct timespec used;
	if (clock_gettime(clock, &used) != 0)
		return false;
	*used_ns = used.tv_sec * NSEC_PER_SEC + used.tv_nsec;
	return true;
}

static size_t count_owned(const struct process_table *table, const int *owners)
{
	size_t count = 0;
	for (size_t i = 0; i < table->count; i++)
		count += owners[i] != NOBODY;
	return count;
}

struct cpu_sample *cpu_sample_begin(const struct process_table *table, const int *owners)
{
	struct cpu_sample *sample = memory_zalloc(1, sizeof(*sample));
	sample->table = table;
	sample->tick_ns = NSEC_PER_SEC / process_ticks_per_second();
	sample->subjects = memory_zalloc(count_owned(table, owners) + 1, sizeof(*sample->subjects));
	for (size_t i = 0; i < table->count; i++) {
		struct subject *subject = &sample->subjects[sample->count];
		subject->process = &table->items[i];
		if (owners[i] != NOBODY &&
		    clock_getcpuclockid(table->items[i].pid, &subject->clock) == 0 &&
		    read_clock(subject->clock, &subject->first_used_ns)) {
			subject->first_at_ns = clock_monotonic_ns();
			sample->count++;
		}
	}
	return sample;
}

static struct subject *find_subject(const struct cpu_sample *sample, pid_t pid)
{
	size_t low = 0;
	size_t high = sample->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (sample->subjects[middle].process->pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sample->count && sample->subjects[low].process->pid == pid
		   ? &sample->subjects[low]
		   : NULL;
}

/* Not running: gone, or its pid is another's by now. */
static void look_again(const struct cpu_sample *sample, struct subject *subject)
{
	const struct process *before = subject->process;
	struct process now;
	int64_t used_ns;
	if (!read_clock(subject->clock, &used_ns))
		return;
	subject->own_ns = used_ns - subject->first_used_ns;
	subject->own_window_ns = clock_monotonic_ns() - subject->first_at_ns;
	if (process_read(sample->table->proc_fd, before->pid, &now) != 0 ||
	    now.ticks != before->ticks)
		return;
	subject->child_ns =
	    (int64_t)(now.child_cpu_ticks - before->child_cpu_ticks) * sample->tick_ns;
	subject->child_window_ns = now.read_at_ns - before->read_at_ns;
	subject->running = true;
}

/* Whoever waited for a process that ended has been charged with all of its life: take off what was
 * before the first look. Only from that part: a parent that ignores SIGCHLD is charged nothing. */
static void discount_ended(const struct cpu_sample *sample, const struct subject *ended)
{
	struct subject *heir = find_subject(sample, ended->process->parent);
	/* parents are older, so this climbs; the bound is for a table with a circle in it */
	for (int steps = 0; heir && !heir->running && steps < 1000; steps++)
		heir = find_subject(sample, heir->process->parent);
	if (heir && heir->running)
		heir->child_ns -= ended->first_used_ns +
				  (int64_t)ended->process->child_cpu_ticks * sample->tick_ns;
}

static double share(int64_t used_ns, int64_t window_ns)
{
	return used_ns > 0 && window_ns > 0 ? 100.0 * (double)used_ns / (double)window_ns : 0.0;
}

double *cpu_sample_finish(struct cpu_sample *sample)
{
	double *percent = memory_zalloc(sample->table->count + 1, sizeof(*percent));
	for (size_t i = 0; i < sample->count; i++)
		look_again(sample, &sample->subjects[i]);
	for (size_t i = 0; i < sample->count; i++) {
		if (!sample->subjects[i].running)
			discount_ended(sample, &sample->subjects[i]);
	}
	for (size_t i = 0; i < sample->count; i++) {
		const struct subject *subject = &sample->subjects[i];
		if (subject->running)
			percent[subject->process - sample->table->items] =
			    share(subject->own_ns, subject->own_window_ns) +
			    share(subject->child_ns, subject->child_window_ns);
	}
	free(sample->subjects);
	free(sample);
	return percent;
}
