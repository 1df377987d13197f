#include "model/membership.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* What became of the process that a claim calls its leader. */
enum leader_state {
	LEADER_GONE,     /* no process has its pid */
	LEADER_HERE,     /* alive, or a zombie that keeps its numbers from being used again */
	LEADER_REPLACED, /* its pid is another process's by now, and so is a session of that number
			  */
};

/* One claim, found by its leader. */
struct leader_key {
	pid_t leader;
	int claim;
	enum leader_state state;
	bool proven; /* gone, but a member of its session carries the mark */
};

/* One claim, found by one of its marks. */
struct mark_key {
	const char *mark;
	int claim;
	uint64_t ticks; /* who carries it is not older than this */
};

/* One claim, found by its supervisor, which lives. */
struct supervisor_key {
	pid_t supervisor;
	int claim;
};

/* Of assignment.carried, beside a claim and NOBODY: that environment was not read yet; it carries
 * the mark of a service that is none of the claims. */
enum { UNREAD = -2, FOREIGN = -3 };

/* Of assignment.owners: PASSING - CLAIM is a supervisor or a helper of it, nobody's itself. */
enum { PASSING = -4 };

struct assignment {
	const struct process_table *table;
	const struct claim *claims;
	struct leader_key *leaders; /* ascending by leader, then claim */
	size_t leader_count;
	struct mark_key *marks; /* ascending by mark, then claim */
	size_t mark_count;
	struct supervisor_key *supervisors; /* ascending by supervisor, then claim */
	size_t supervisor_count;
	uint64_t oldest; /* start time of the oldest claim */
	int *owners;
	int *parents;  /* per process: position of its parent in the table, or NOBODY */
	int *carried;  /* per process: the claim whose mark it carries, NOBODY or UNREAD */
	int *path;     /* scratch of spread_to_descendants */
	bool *visited; /* the same */
};

static int compare_leaders(const void *left, const void *right)
{
	const struct leader_key *a = left;
	const struct leader_key *b = right;
	if (a->leader != b->leader)
		return a->leader < b->leader ? -1 : 1;
	return (a->claim > b->claim) - (a->claim < b->claim);
}

static int compare_marks(const void *left, const void *right)
{
	const struct mark_key *a = left;
	const struct mark_key *b = right;
	int order = strcmp(a->mark, b->mark);
	return order ? order : (a->claim > b->claim) - (a->claim < b->claim);
}

static int compare_supervisors(const void *left, const void *right)
{
	const struct supervisor_key *a = left;
	const struct supervisor_key *b = right;
	if (a->supervisor != b->supervisor)
		return a->supervisor < b->supervisor ? -1 : 1;
	return (a->claim > b->claim) - (a->claim < b->claim);
}

static void index_mark(struct assignment *work, const char *mark, uint64_t ticks, int claim)
{
	if (mark && *mark)
		work->marks[work->mark_count++] = (struct mark_key){ mark, claim, ticks };
}

static void index_leader(struct assignment *work, const struct claim *claim, int number)
{
	index_mark(work, claim->mark, claim->ticks, number);
	if (claim->leader > 1)
		work->leaders[work->leader_count++] =
		    (struct leader_key){ .leader = claim->leader, .claim = number };
	if (claim->leader != 0 && claim->ticks < work->oldest)
		work->oldest = claim->ticks;
}

static void index_supervisor(struct assignment *work, const struct claim *claim, int number)
{
	if (claim->supervisor <= 1)
		return;
	index_mark(work, claim->supervisor_mark, claim->supervisor_ticks, number);
	if (claim->supervisor_ticks < work->oldest)
		work->oldest = claim->supervisor_ticks;
	if (process_table_is_alive(work->table, claim->supervisor, claim->supervisor_ticks))
		work->supervisors[work->supervisor_count++] =
		    (struct supervisor_key){ claim->supervisor, number };
}

static void index_claims(struct assignment *work, size_t count)
{
	work->leaders = memory_zalloc(count, sizeof(*work->leaders));
	work->marks = memory_zalloc(2 * count, sizeof(*work->marks));
	work->supervisors = memory_zalloc(count, sizeof(*work->supervisors));
	work->oldest = UINT64_MAX;
	for (size_t i = 0; i < count; i++) {
		index_leader(work, &work->claims[i], (int)i);
		index_supervisor(work, &work->claims[i], (int)i);
	}
	qsort(work->leaders, work->leader_count, sizeof(*work->leaders), compare_leaders);
	qsort(work->marks, work->mark_count, sizeof(*work->marks), compare_marks);
	qsort(work->supervisors, work->supervisor_count, sizeof(*work->supervisors),
	      compare_supervisors);
}

/* The first key with this leader; those of the same leader follow it. Position leader_count if
 * there is none. */
static size_t find_leader(const struct assignment *work, pid_t leader)
{
	size_t low = 0;
	size_t high = work->leader_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (work->leaders[middle].leader < leader)
			low = middle + 1;
		else
			high = middle;
	}
	return low < work->leader_count && work->leaders[low].leader == leader ? low
									       : work->leader_count;
}

/* The claim with this mark that is not younger than a process with these TICKS. */
static int find_mark(const struct assignment *work, const char *mark, uint64_t ticks)
{
	size_t low = 0;
	size_t high = work->mark_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(work->marks[middle].mark, mark) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < work->mark_count && strcmp(work->marks[low].mark, mark) == 0; low++) {
		if (work->marks[low].ticks <= ticks)
			return work->marks[low].claim;
	}
	return NOBODY;
}

/* The claim whose mark a process carries, NOBODY or FOREIGN. Reads its environment at most once. */
static int read_carried(struct assignment *work, size_t position)
{
	const struct process *process = &work->table->items[position];
	char mark[MARK_LENGTH + 1];
	if (work->carried[position] != UNREAD)
		return work->carried[position];
	int claim = NOBODY;
	if (!process->kernel && process->ticks >= work->oldest && process_is_alive(process) &&
	    process_read_mark(work->table->proc_fd, process->pid, mark)) {
		claim = find_mark(work, mark, process->ticks);
		if (claim == NOBODY)
			claim = FOREIGN;
	}
	return work->carried[position] = claim;
}

static void find_parents(struct assignment *work)
{
	const struct process_table *table = work->table;
	for (size_t i = 0; i < table->count; i++) {
		const struct process *process = &table->items[i];
		const struct process *parent = process_table_find(table, process->parent);
		/* younger than its child: its pid was used again while /proc was being read */
		if (parent && parent != process && parent->ticks <= process->ticks)
			work->parents[i] = (int)(parent - table->items);
		else
			work->parents[i] = NOBODY;
	}
}

static void assign_leaders(struct assignment *work)
{
	for (size_t i = 0; i < work->leader_count; i++) {
		struct leader_key *key = &work->leaders[i];
		const struct process *process = process_table_find(work->table, key->leader);
		if (!process) {
			key->state = LEADER_GONE;
			continue;
		}
		key->state = !process->kernel && process->ticks == work->claims[key->claim].ticks
				 ? LEADER_HERE
				 : LEADER_REPLACED;
		int *owner = &work->owners[process - work->table->items];
		if (key->state == LEADER_HERE && *owner == NOBODY)
			*owner = key->claim;
	}
}

/* The claim of the living supervisor that leads this session, or NOBODY. */
static int find_supervisor(const struct assignment *work, pid_t session)
{
	size_t low = 0;
	size_t high = work->supervisor_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (work->supervisors[middle].supervisor < session)
			low = middle + 1;
		else
			high = middle;
	}
	return low < work->supervisor_count && work->supervisors[low].supervisor == session
		   ? work->supervisors[low].claim
		   : NOBODY;
}

static void assign_supervisors(struct assignment *work)
{
	for (size_t i = 0; work->supervisor_count && i < work->table->count; i++) {
		const struct process *process = &work->table->items[i];
		int claim = find_supervisor(work, process->session);
		/* one that has not left its parent's session yet is a supervisor all the same */
		if (claim == NOBODY)
			claim = find_supervisor(work, process->pid);
		if (claim != NOBODY && work->owners[i] == NOBODY)
			work->owners[i] = PASSING - claim;
	}
}

static bool is_open(const struct assignment *work, size_t position)
{
	return work->owners[position] == NOBODY && process_is_alive(&work->table->items[position]);
}

/* The claim that owns the session of this number, or NOBODY. */
static int find_session_owner(const struct assignment *work, pid_t session)
{
	for (size_t i = find_leader(work, session);
	     i < work->leader_count && work->leaders[i].leader == session; i++) {
		if (work->leaders[i].state == LEADER_HERE || work->leaders[i].proven)
			return work->leaders[i].claim;
	}
	return NOBODY;
}

/* A session that outlives its leader is the claim's only if the mark says so: its number may have
 * been used again, by a leader that is gone as well. */
static void prove_session(struct assignment *work, size_t position)
{
	pid_t session = work->table->items[position].session;
	size_t first = find_leader(work, session);
	if (first == work->leader_count || work->leaders[first].state != LEADER_GONE ||
	    find_session_owner(work, session) != NOBODY)
		return;
	int claim = read_carried(work, position);
	for (size_t i = first; i < work->leader_count && work->leaders[i].leader == session; i++) {
		if (work->leaders[i].claim == claim)
			work->leaders[i].proven = true;
	}
}

static void assign_sessions(struct assignment *work)
{
	for (size_t i = 0; i < work->table->count; i++) {
		if (is_open(work, i))
			prove_session(work, i);
	}
	for (size_t i = 0; i < work->table->count; i++) {
		if (is_open(work, i))
			work->owners[i] = find_session_owner(work, work->table->items[i].session);
	}
}

static void assign_marked(struct assignment *work)
{
	for (size_t i = 0; i < work->table->count; i++) {
		if (is_open(work, i))
			work->owners[i] = read_carried(work, i);
	}
}

/* Whom a descendant of OWNER belongs to. The leader of another service, started by a pmo that runs
 * inside this one, is its descendant too: as long as that pmo lives, or for good under a subreaper,
 * which a supervisor is.
 */
static int inherit_owner(struct assignment *work, int position, int owner)
{
	const struct process *process = &work->table->items[position];
	bool adopted = owner <= PASSING;
	int claim = adopted ? PASSING - owner : owner;
	if (claim < 0 || (!adopted && process->pid != process->session))
		return claim;
	int carried = read_carried(work, (size_t)position);
	return carried == FOREIGN || (adopted && carried != NOBODY) ? carried : claim;
}

/* Whoever has no owner gets that of its nearest ancestor with one. Each process is walked over
 * once; the table is a snapshot taken over time, so its parents may even run in a circle. */
static void spread_to_descendants(struct assignment *work)
{
	memset(work->visited, 0, work->table->count * sizeof(*work->visited));
	for (size_t i = 0; i < work->table->count; i++) {
		size_t depth = 0;
		int at = (int)i;
		while (at != NOBODY && work->owners[at] == NOBODY && !work->visited[at]) {
			work->visited[at] = true;
			work->path[depth++] = at;
			at = work->parents[at];
		}
		int owner = at == NOBODY ? NOBODY : work->owners[at];
		while (depth > 0) {
			at = work->path[--depth];
			owner = inherit_owner(work, at, owner);
			work->owners[at] = owner;
		}
	}
}

static void disown(struct assignment *work)
{
	for (size_t i = 0; i < work->table->count; i++) {
		if (work->owners[i] < 0 || !process_is_alive(&work->table->items[i]))
			work->owners[i] = NOBODY;
	}
}

static void assign_known(struct assignment *work, const struct known_member *known, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct process *process = process_table_find(work->table, known[i].pid);
		if (process && process->ticks == known[i].ticks &&
		    is_open(work, (size_t)(process - work->table->items)))
			work->owners[process - work->table->items] = known[i].claim;
	}
}

static void assign_all(struct assignment *work, const struct known_member *known,
		       size_t known_count)
{
	find_parents(work);
	assign_leaders(work);
	assign_supervisors(work);
	assign_known(work, known, known_count);
	assign_sessions(work);
	spread_to_descendants(work);
	assign_marked(work);
	spread_to_descendants(work);
	disown(work);
}

int *membership_assign(const struct process_table *table, const struct claim *claims, size_t count)
{
	return membership_assign_known(table, claims, count, NULL, 0);
}

int *membership_assign_known(const struct process_table *table, const struct claim *claims,
			     size_t count, const struct known_member *known, size_t known_count)
{
	struct assignment work = { .table = table, .claims = claims };
	int *numbers CLEANUP_FREE = memory_alloc((3 * table->count + 1) * sizeof(int));
	bool *visited CLEANUP_FREE = memory_alloc(table->count + 1);
	work.owners = memory_alloc((table->count + 1) * sizeof(int));
	work.parents = numbers;
	work.carried = numbers + table->count;
	work.path = numbers + 2 * table->count;
	work.visited = visited;
	for (size_t i = 0; i < table->count; i++) {
		work.owners[i] = NOBODY;
		work.carried[i] = UNREAD;
	}
	if (count > 0) {
		index_claims(&work, count);
		assign_all(&work, known, known_count);
		free(work.leaders);
		free(work.marks);
		free(work.supervisors);
	}
	return work.owners;
}
