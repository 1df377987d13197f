/*
 * The inside of a snapshot: who belongs to which service, and what they use together.
 */
#ifndef PMO_SERVICE_SNAPSHOT_MEMBERS_H
#define PMO_SERVICE_SNAPSHOT_MEMBERS_H

#include "model/membership.h"
#include "service/snapshot.h"

struct snapshot_work {
	struct snapshot *snapshot;
	int attempt; /* from 1 */
	const struct project *project;
	struct claim *claims; /* of the services whose leader or supervisor is here */
	struct service_status **claim_services; /* whose claim it is */
	size_t claim_count;
	int *owners;       /* per process: index of its claim */
	double *percent;   /* per process; NULL when not measured */
	int *first_member; /* per claim: index into the table, or NOBODY */
	int *next_member;  /* per process */
	const char *user;  /* the last name looked up, and whose it is */
	uid_t user_id;
};

/* Chain the members of each claim. */
void snapshot_link_members(struct snapshot_work *work);

/* Sum up the members of CLAIM into SERVICE: cpu, memory, count, GPUs; with SNAPSHOT_STATUS also the
 * members themselves, in tree order; not with SNAPSHOT_LIST also what they have used since the
 * start. */
void snapshot_fill_members(struct snapshot_work *work, struct service_status *service, int claim,
			   enum snapshot_detail detail);

void snapshot_work_release(struct snapshot_work *work);

#endif
