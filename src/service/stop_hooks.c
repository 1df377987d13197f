#include "service/stop_hooks.h"

#include "base/memory.h"
#include "service/hook_source.h"

#include <stdlib.h>

void stop_hooks_prepare(const struct project *project, struct stop_job *job,
			const struct stop_options *options)
{
	struct hook_source source;
	const struct identity *leader = job->record.identity.pid > 0 ? &job->record.identity : NULL;
	if (hook_source_read(&source, project, job->result->entry, leader, options->file_limit,
			     NULL) < 0) {
		hook_source_release(&source);
		return;
	}
	if (source.umask < 0 && options->umask)
		source.umask = (int)*options->umask;
	job->hooks = memory_alloc(sizeof(*job->hooks));
	*job->hooks = source;
}

static void run(struct stop_job *jobs, size_t count, enum hook_kind kind)
{
	size_t wanted = 0;
	struct hook_request *requests CLEANUP_FREE = memory_zalloc(count, sizeof(*requests));
	struct error *errors CLEANUP_FREE = memory_zalloc(count, sizeof(*errors));
	for (size_t i = 0; i < count; i++) {
		struct stop_job *job = &jobs[i];
		if (!job->hooks || job->result->outcome == STOP_FAILED)
			continue;
		requests[wanted++] = (struct hook_request){
			.kind = kind,
			.source = job->hooks,
			.facts.pid = kind == HOOK_PRE_STOP ? job->record.identity.pid : 0,
		};
	}
	if (wanted == 0)
		return;
	hooks_run(requests, wanted, errors);
	for (size_t i = 0; i < wanted; i++)
		error_clear(&errors[i]);
}

void stop_hooks_run_before(struct stop_job *jobs, size_t count)
{
	run(jobs, count, HOOK_PRE_STOP);
}

void stop_hooks_run_after(struct stop_job *jobs, size_t count)
{
	run(jobs, count, HOOK_POST_STOP);
}

void stop_hooks_release(struct stop_job *job)
{
	if (job->hooks)
		hook_source_release(job->hooks);
	free(job->hooks);
	job->hooks = NULL;
}
