/*
 * What belongs to a service: on trees of processes that the test writes, and on real ones.
 */
#include "support/support.h"

#include "base/clock.h"
#include "base/memory.h"
#include "model/membership.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define MARK_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define MARK_C "cccccccccccccccccccccccccccccccc"
#define MARK_S "dddddddddddddddddddddddddddddddd"

#define CLAIM(pid, start, word)                                                                    \
	{                                                                                          \
		.leader = (pid), .ticks = (start), .mark = (word)                                  \
	}

enum { KERNEL = 0x00200000, PROCESSES_MAXIMUM = 12, CLAIMS_MAXIMUM = 4 };

/* One process of a tree, and whose it must be. */
struct member {
	pid_t pid;
	pid_t parent;
	pid_t session;
	unsigned long long ticks;
	const char *mark; /* NULL: none */
	int owner;
	char state;  /* 0 is S */
	int threads; /* 0 is 1 */
	unsigned int flags;
};

struct tree_case {
	const char *name;
	struct claim claims[CLAIMS_MAXIMUM];      /* ends with neither leader nor supervisor */
	struct member members[PROCESSES_MAXIMUM]; /* ends with pid 0 */
};

static const struct tree_case tree_cases[] = {
	{ "leader, session and descendants",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 1, .ticks = 1, .owner = NOBODY },
	    { .pid = 10, .parent = 1, .session = 10, .ticks = 100, .owner = 0 },
	    { .pid = 11, .parent = 10, .session = 10, .ticks = 101, .owner = 0 },
	    { .pid = 12, .parent = 11, .session = 12, .ticks = 102, .owner = 0 },
	    { .pid = 13, .parent = 12, .session = 13, .ticks = 103, .owner = 0 },
	    { .pid = 14, .parent = 1, .session = 10, .ticks = 104, .owner = 0 },
	    { .pid = 15, .parent = 14, .session = 15, .ticks = 105, .owner = 0 },
	    { .pid = 16, .parent = 1, .session = 16, .ticks = 106, .owner = NOBODY } } },
	{ "children that are listed before their parents",
	  { CLAIM(900, 100, MARK_A) },
	  { { .pid = 1, .ticks = 1, .owner = NOBODY },
	    { .pid = 5, .parent = 6, .session = 5, .ticks = 103, .owner = 0 },
	    { .pid = 6, .parent = 7, .session = 6, .ticks = 102, .owner = 0 },
	    { .pid = 7, .parent = 900, .session = 7, .ticks = 101, .owner = 0 },
	    { .pid = 900, .parent = 1, .session = 900, .ticks = 100, .owner = 0 } } },
	{ "the leader of one claim under another",
	  { CLAIM(10, 100, MARK_A), CLAIM(20, 110, MARK_B) },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 100, .mark = MARK_A, .owner = 0 },
	    { .pid = 11, .parent = 10, .session = 10, .ticks = 101, .owner = 0 },
	    { .pid = 20, .parent = 11, .session = 20, .ticks = 110, .mark = MARK_B, .owner = 1 },
	    { .pid = 21, .parent = 20, .session = 20, .ticks = 111, .owner = 1 },
	    { .pid = 22,
	      .parent = 21,
	      .session = 22,
	      .ticks = 112,
	      .mark = MARK_A,
	      .owner = 1 } } },
	{ "another service that was started from inside this one, and is no claim",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 100, .mark = MARK_A, .owner = 0 },
	    { .pid = 11, .parent = 10, .session = 11, .ticks = 101, .mark = MARK_A, .owner = 0 },
	    { .pid = 20,
	      .parent = 11,
	      .session = 20,
	      .ticks = 110,
	      .mark = MARK_C,
	      .owner = NOBODY },
	    { .pid = 21,
	      .parent = 20,
	      .session = 21,
	      .ticks = 111,
	      .mark = MARK_C,
	      .owner = NOBODY },
	    { .pid = 22, .parent = 21, .session = 20, .ticks = 112, .owner = NOBODY } } },
	{ "the pid is another process's by now",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 150, .owner = NOBODY },
	    { .pid = 11, .parent = 10, .session = 10, .ticks = 151, .owner = NOBODY },
	    { .pid = 12, .parent = 1, .session = 12, .ticks = 120, .mark = MARK_A, .owner = 0 } } },
	{ "leader gone, session proven by one member",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 11, .parent = 1, .session = 10, .ticks = 101, .owner = 0 },
	    { .pid = 12, .parent = 1, .session = 10, .ticks = 102, .mark = MARK_A, .owner = 0 },
	    { .pid = 13, .parent = 11, .session = 13, .ticks = 103, .owner = 0 } } },
	{ "leader gone, nothing proves the session",
	  { CLAIM(10, 100, MARK_A), CLAIM(90, 100, MARK_B) },
	  { { .pid = 11, .parent = 1, .session = 10, .ticks = 101, .owner = NOBODY },
	    { .pid = 12, .parent = 1, .session = 10, .ticks = 102, .mark = MARK_B, .owner = 1 },
	    { .pid = 13, .parent = 11, .session = 13, .ticks = 103, .owner = NOBODY } } },
	{ "leader gone, only a dead member carries the mark",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 11, .parent = 1, .session = 10, .ticks = 101, .owner = NOBODY },
	    { .pid = 12,
	      .parent = 1,
	      .session = 10,
	      .ticks = 102,
	      .mark = MARK_A,
	      .owner = NOBODY,
	      .state = 'Z' } } },
	{ "leader gone, the member with the mark is older than the service",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 11,
	      .parent = 1,
	      .session = 10,
	      .ticks = 99,
	      .mark = MARK_A,
	      .owner = NOBODY } } },
	{ "a leader that is a zombie keeps its session",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 100, .owner = NOBODY, .state = 'Z' },
	    { .pid = 11, .parent = 1, .session = 10, .ticks = 101, .owner = 0 } } },
	{ "a zombie that is not the leader any more does not",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 99, .owner = NOBODY, .state = 'Z' },
	    { .pid = 11, .parent = 1, .session = 10, .ticks = 101, .owner = NOBODY } } },
	{ "a leader whose main thread has ended",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 10,
	      .parent = 1,
	      .session = 10,
	      .ticks = 100,
	      .owner = 0,
	      .state = 'Z',
	      .threads = 2 },
	    { .pid = 11, .parent = 10, .session = 11, .ticks = 101, .owner = 0 } } },
	{ "marks and what descends from the marked",
	  { CLAIM(10, 100, MARK_A), CLAIM(20, 200, MARK_B) },
	  { { .pid = 1, .ticks = 1, .owner = NOBODY },
	    { .pid = 30, .parent = 1, .session = 30, .ticks = 150, .mark = MARK_A, .owner = 0 },
	    { .pid = 31, .parent = 30, .session = 31, .ticks = 151, .owner = 0 },
	    { .pid = 32, .parent = 31, .session = 32, .ticks = 250, .mark = MARK_B, .owner = 1 },
	    { .pid = 33, .parent = 32, .session = 33, .ticks = 251, .owner = 1 },
	    { .pid = 34,
	      .parent = 1,
	      .session = 34,
	      .ticks = 199,
	      .mark = MARK_B,
	      .owner = NOBODY },
	    { .pid = 35, .parent = 34, .session = 35, .ticks = 200, .mark = MARK_B, .owner = 1 },
	    { .pid = 36,
	      .parent = 1,
	      .session = 36,
	      .ticks = 300,
	      .mark = "cccc",
	      .owner = NOBODY } } },
	{ "kernel threads and the dead are nobody's",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 2,
	      .parent = 0,
	      .session = 0,
	      .ticks = 100,
	      .mark = MARK_A,
	      .owner = NOBODY,
	      .flags = KERNEL },
	    { .pid = 10, .parent = 1, .session = 10, .ticks = 100, .owner = 0 },
	    { .pid = 11, .parent = 10, .session = 10, .ticks = 101, .owner = NOBODY, .state = 'Z' },
	    { .pid = 12, .parent = 10, .session = 10, .ticks = 101, .owner = NOBODY, .state = 'X' },
	    { .pid = 13,
	      .parent = 1,
	      .session = 13,
	      .ticks = 101,
	      .mark = MARK_A,
	      .owner = NOBODY,
	      .state = 'Z' } } },
	{ "parents that run in a circle, or are younger than their child",
	  { CLAIM(10, 100, MARK_A) },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 100, .owner = 0 },
	    { .pid = 11, .parent = 12, .session = 11, .ticks = 100, .owner = NOBODY },
	    { .pid = 12, .parent = 11, .session = 12, .ticks = 100, .owner = NOBODY },
	    { .pid = 13, .parent = 13, .session = 13, .ticks = 100, .owner = NOBODY },
	    { .pid = 14, .parent = 10, .session = 14, .ticks = 99, .owner = NOBODY },
	    { .pid = 15, .parent = 77, .session = 15, .ticks = 99, .owner = NOBODY } } },
	{ "an old record and the new one of the same pid",
	  { CLAIM(10, 50, MARK_A), CLAIM(10, 100, MARK_B) },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 100, .mark = MARK_B, .owner = 1 },
	    { .pid = 11, .parent = 1, .session = 10, .ticks = 101, .owner = 1 },
	    { .pid = 12, .parent = 1, .session = 12, .ticks = 60, .mark = MARK_A, .owner = 0 } } },
	{ "two records of the same pid, leader gone",
	  { CLAIM(10, 50, MARK_A), CLAIM(10, 100, MARK_B) },
	  { { .pid = 11, .parent = 1, .session = 10, .ticks = 101, .owner = 1 },
	    { .pid = 12, .parent = 1, .session = 10, .ticks = 102, .mark = MARK_B, .owner = 1 } } },
	{ "claims that can be nobody's",
	  { CLAIM(1, 1, MARK_A), CLAIM(-1, 0, MARK_A), CLAIM(10, 100, "") },
	  { { .pid = 1, .parent = 0, .session = 1, .ticks = 1, .owner = NOBODY },
	    { .pid = 2, .parent = 0, .session = 0, .ticks = 1, .owner = NOBODY },
	    { .pid = 9, .parent = 1, .session = 1, .ticks = 1, .mark = "", .owner = NOBODY },
	    { .pid = 11,
	      .parent = 1,
	      .session = 10,
	      .ticks = 100,
	      .mark = "",
	      .owner = NOBODY } } },
	{ "a supervisor and its helpers are nobody's, what else descends from them is the claim's",
	  { { 20, 100, MARK_A, 10, 90, MARK_S } },
	  { { .pid = 1, .ticks = 1, .owner = NOBODY },
	    { .pid = 10, .parent = 1, .session = 10, .ticks = 90, .mark = MARK_S, .owner = NOBODY },
	    { .pid = 11, .parent = 10, .session = 10, .ticks = 95, .owner = NOBODY },
	    { .pid = 12, .parent = 11, .session = 10, .ticks = 96, .owner = NOBODY },
	    { .pid = 13, .parent = 12, .session = 13, .ticks = 97, .owner = 0 },
	    { .pid = 20, .parent = 10, .session = 20, .ticks = 100, .mark = MARK_A, .owner = 0 },
	    { .pid = 21, .parent = 20, .session = 20, .ticks = 101, .owner = 0 },
	    { .pid = 30, .parent = 10, .session = 30, .ticks = 95, .mark = MARK_S, .owner = 0 },
	    { .pid = 31, .parent = 10, .session = 29, .ticks = 96, .owner = 0 },
	    { .pid = 32, .parent = 31, .session = 32, .ticks = 97, .owner = 0 },
	    { .pid = 40, .parent = 1, .session = 40, .ticks = 95, .owner = NOBODY } } },
	{ "a supervisor without a leader",
	  { { .supervisor = 10, .supervisor_ticks = 90 } },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 90, .owner = NOBODY },
	    { .pid = 11, .parent = 10, .session = 11, .ticks = 95, .owner = 0 },
	    { .pid = 12, .parent = 11, .session = 12, .ticks = 96, .owner = 0 },
	    { .pid = 13, .parent = 1, .session = 13, .ticks = 96, .owner = NOBODY } } },
	{ "a supervisor that has not left the session of who made it",
	  { { .supervisor = 10, .supervisor_ticks = 90 } },
	  { { .pid = 5, .parent = 1, .session = 5, .ticks = 50, .owner = NOBODY },
	    { .pid = 10, .parent = 5, .session = 5, .ticks = 90, .owner = NOBODY },
	    { .pid = 11, .parent = 10, .session = 11, .ticks = 95, .owner = 0 } } },
	{ "the pid of the supervisor is another process's by now, or it is dead",
	  { { 20, 100, MARK_A, 10, 90, MARK_S }, { 21, 100, MARK_B, 15, 90, NULL } },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 150, .owner = NOBODY },
	    { .pid = 11, .parent = 10, .session = 11, .ticks = 151, .owner = NOBODY },
	    { .pid = 12, .parent = 10, .session = 10, .ticks = 152, .mark = MARK_S, .owner = 0 },
	    { .pid = 13, .parent = 1, .session = 13, .ticks = 89, .mark = MARK_S, .owner = NOBODY },
	    { .pid = 15, .parent = 1, .session = 15, .ticks = 90, .state = 'Z', .owner = NOBODY },
	    { .pid = 16, .parent = 15, .session = 16, .ticks = 91, .owner = NOBODY },
	    { .pid = 20, .parent = 1, .session = 20, .ticks = 100, .mark = MARK_A, .owner = 0 },
	    { .pid = 21, .parent = 15, .session = 21, .ticks = 100, .owner = 1 } } },
	{ "a supervisor under another service, both claims",
	  { { 20, 100, MARK_A, 10, 90, NULL }, { 40, 210, MARK_B, 30, 200, MARK_S } },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 90, .owner = NOBODY },
	    { .pid = 20, .parent = 10, .session = 20, .ticks = 100, .mark = MARK_A, .owner = 0 },
	    { .pid = 30, .parent = 20, .session = 30, .ticks = 200, .owner = NOBODY },
	    { .pid = 31, .parent = 30, .session = 30, .ticks = 201, .owner = NOBODY },
	    { .pid = 40, .parent = 30, .session = 40, .ticks = 210, .mark = MARK_B, .owner = 1 },
	    { .pid = 41, .parent = 30, .session = 39, .ticks = 211, .owner = 1 },
	    { .pid = 42,
	      .parent = 41,
	      .session = 42,
	      .ticks = 212,
	      .mark = MARK_A,
	      .owner = 1 } } },
	{ "a supervisor under another service, and no claim",
	  { { 20, 100, MARK_A, 10, 90, NULL } },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 90, .owner = NOBODY },
	    { .pid = 20, .parent = 10, .session = 20, .ticks = 100, .mark = MARK_A, .owner = 0 },
	    { .pid = 30,
	      .parent = 20,
	      .session = 30,
	      .ticks = 200,
	      .mark = MARK_S,
	      .owner = NOBODY },
	    { .pid = 31, .parent = 30, .session = 30, .ticks = 201, .owner = NOBODY },
	    { .pid = 40,
	      .parent = 30,
	      .session = 40,
	      .ticks = 210,
	      .mark = MARK_B,
	      .owner = NOBODY },
	    { .pid = 41, .parent = 30, .session = 39, .ticks = 211, .owner = NOBODY } } },
	{ "what a supervisor has adopted from services that run inside its own",
	  { { 20, 100, MARK_A, 10, 90, NULL }, CLAIM(40, 210, MARK_B) },
	  { { .pid = 10, .parent = 1, .session = 10, .ticks = 90, .owner = NOBODY },
	    { .pid = 20, .parent = 10, .session = 20, .ticks = 100, .mark = MARK_A, .owner = 0 },
	    { .pid = 40, .parent = 10, .session = 40, .ticks = 210, .mark = MARK_B, .owner = 1 },
	    { .pid = 41, .parent = 10, .session = 39, .ticks = 211, .mark = MARK_B, .owner = 1 },
	    { .pid = 42,
	      .parent = 10,
	      .session = 38,
	      .ticks = 212,
	      .mark = MARK_C,
	      .owner = NOBODY },
	    { .pid = 43, .parent = 42, .session = 43, .ticks = 213, .owner = NOBODY },
	    { .pid = 44,
	      .parent = 10,
	      .session = 37,
	      .ticks = 214,
	      .mark = MARK_A,
	      .owner = 0 } } },
};

static void write_member(struct test_project *project, const char *tree,
			 const struct member *member)
{
	char *name = text_format("%s/%d/stat", tree, member->pid);
	project_write(project, name,
		      "%d (p) %c %d %d %d 0 -1 %u 0 0 0 0 0 0 0 0 20 0 %d 0 %llu 0 0 0\n",
		      member->pid, member->state ? member->state : 'S', member->parent, member->pid,
		      member->session, member->flags, member->threads ? member->threads : 1,
		      member->ticks);
	free(name);
	name = text_format("%s/%d/environ", tree, member->pid);
	if (member->mark) {
		char *environment = text_format("A=1%cPMO_RUN=%s%cB=2%c", 0, member->mark, 0, 0);
		project_write_bytes(project, name, environment,
				    strlen("A=1.PMO_RUN=.B=2.") + strlen(member->mark));
		free(environment);
	}
	free(name);
}

static void table_open(struct process_table *table, const char *path)
{
	struct error err = ERROR_INIT;
	*table = (struct process_table)PROCESS_TABLE_INIT;
	table->proc_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(table->proc_fd >= 0);
	assert_int_equal(process_table_read(table, &err), 0);
}

static void check_tree(struct test_project *project, const struct tree_case *this, size_t number)
{
	struct process_table table;
	size_t claims = 0;
	char *tree = text_format("tree-%zu", number);
	while (claims < CLAIMS_MAXIMUM &&
	       (this->claims[claims].leader || this->claims[claims].supervisor))
		claims++;
	for (const struct member *member = this->members; member->pid; member++)
		write_member(project, tree, member);
	table_open(&table, project_path(project, "%s", tree));
	int *owners = membership_assign(&table, this->claims, claims);
	for (const struct member *member = this->members; member->pid; member++) {
		const struct process *process = process_table_find(&table, member->pid);
		assert_non_null(process);
		int owner = owners[process - table.items];
		if (owner != member->owner)
			fail_msg("%s: %d belongs to %d, not to %d", this->name, member->pid, owner,
				 member->owner);
	}
	free(owners);
	free(tree);
	process_table_release(&table);
}

static void test_trees(void **state)
{
	for (size_t i = 0; i < ARRAY_LENGTH(tree_cases); i++)
		check_tree(*state, &tree_cases[i], i);
}

static void test_nothing(void **state)
{
	struct process_table empty = PROCESS_TABLE_INIT;
	struct process_table table = PROCESS_TABLE_INIT;
	struct claim claim = CLAIM(10, 100, MARK_A);
	struct error err = ERROR_INIT;
	(void)state;
	free(membership_assign(&empty, &claim, 1));
	free(membership_assign(&empty, NULL, 0));
	assert_int_equal(process_table_read(&table, &err), 0);
	int *owners = membership_assign(&table, NULL, 0);
	for (size_t i = 0; i < table.count; i++)
		assert_int_equal(owners[i], NOBODY);
	free(owners);
	process_table_release(&table);
}

/* Environments are read only where nothing else decides: here none of them can be. */
static void test_reads_no_more_than_it_must(void **state)
{
	struct test_project *project = *state;
	struct process_table table;
	struct claim claim = CLAIM(10, 100, MARK_A);
	static const struct member members[] = {
		{ .pid = 9, .parent = 1, .session = 9, .ticks = 99 },
		{ .pid = 10, .parent = 1, .session = 10, .ticks = 100 },
		{ .pid = 11, .parent = 10, .session = 9, .ticks = 101 },
		{ .pid = 12, .parent = 1, .session = 12, .ticks = 102, .flags = KERNEL },
		{ .pid = 13, .parent = 1, .session = 13, .ticks = 103, .state = 'Z' },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
		write_member(project, "tree", &members[i]);
		/* who opens one for reading waits until somebody writes, which nobody does */
		const char *path = project_path(project, "tree/%d/environ", members[i].pid);
		assert_int_equal(mkfifo(path, 0600), 0);
	}
	table_open(&table, project_path(project, "tree"));
	alarm(20);
	int *owners = membership_assign(&table, &claim, 1);
	alarm(0);
	assert_int_equal(owners[0], NOBODY);
	assert_int_equal(owners[1], 0);
	assert_int_equal(owners[2], 0);
	assert_int_equal(owners[3], NOBODY);
	assert_int_equal(owners[4], NOBODY);
	free(owners);
	process_table_release(&table);
}

/* 10,000 services of two processes each; and the worst of all trees, a single chain. */
static void test_large(void **state)
{
	enum { CLAIMS = 10000, PROCESSES = 2 * CLAIMS };
	struct process *items = calloc(PROCESSES, sizeof(*items));
	struct claim *claims = calloc(CLAIMS, sizeof(*claims));
	struct process_table table = { .proc_fd = -1, .items = items, .count = PROCESSES };
	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		bool leader = i < CLAIMS;
		items[i] = (struct process){
			.pid = i + 2,
			.parent = leader ? 1 : i + 2 - CLAIMS,
			.session = i + 2,
			.state = 'S',
			.threads = 1,
			.ticks = leader ? 100 : 200,
		};
		if (leader)
			claims[CLAIMS - 1 - i] = (struct claim)CLAIM(i + 2, 100, MARK_A);
	}
	int64_t start = clock_monotonic_ns();
	int *owners = membership_assign(&table, claims, CLAIMS);
	for (int i = 0; i < CLAIMS; i++) {
		assert_int_equal(owners[i], CLAIMS - 1 - i);
		assert_int_equal(owners[i + CLAIMS], CLAIMS - 1 - i);
	}
	free(owners);
	for (int i = 0; i < PROCESSES; i++) {
		items[i].parent = i + 3;
		items[i].ticks = 100;
	}
	claims[0] = (struct claim)CLAIM(PROCESSES + 1, 100, MARK_A);
	owners = membership_assign(&table, claims, 1);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(owners[i], 0);
	free(owners);
	/* quadratic work on these would take minutes */
	assert_true(clock_monotonic_ns() - start < 5 * NSEC_PER_SEC);
	free(items);
	free(claims);
}

/*
 * Real processes. A service is this program again, in a role; it reports the pids of those that it
 * makes through descriptor 3, and the last of them waits to be killed.
 */
enum { REPORT = 3 };

static void report_and_wait(void)
{
	pid_t pid = getpid();
	prctl(PR_SET_PDEATHSIG, 0);
	alarm(120);
	if (write(REPORT, &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
		_exit(1);
	while (pause() < 0)
		continue;
}

/* Leave the service: a child of process 1 (or of a reaper above the test), that is. */
static void fork_twice(void)
{
	if (fork() != 0) {
		wait(NULL);
		report_and_wait();
	}
	if (fork() != 0)
		_exit(0);
}

static void reexecute(const char *role, bool keep_environment)
{
	char *nothing[] = { NULL };
	char *arguments[] = { (char *)"test_membership", (char *)role, NULL };
	execve("/proc/self/exe", arguments, keep_environment ? environ : nothing);
	_exit(127);
}

/* As a supervisor does: its orphans come back to it. One helper, and a service that hides in every
 * way there is. */
static void supervise(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	unsetenv("PMO_RUN");
	if (fork() == 0)
		report_and_wait();
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		reexecute("wiped-escape", false);
	}
}

static int run_role(const char *role)
{
	if (strcmp(role, "child") == 0) {
		if (fork() == 0)
			setsid();
	} else if (strcmp(role, "double-fork") == 0) {
		fork_twice();
	} else if (strcmp(role, "escape") == 0) {
		fork_twice();
		setsid();
	} else if (strcmp(role, "wiped") == 0) {
		fork_twice();
		reexecute("wait", false);
	} else if (strcmp(role, "wiped-escape") == 0) {
		fork_twice();
		setsid();
		reexecute("wait", false);
	} else if (strcmp(role, "supervisor") == 0) {
		supervise();
	} else if (strcmp(role, "orphan") == 0) {
		/* the leader ends; what stays in its session carries the mark */
		if (fork() != 0)
			_exit(0);
	}
	report_and_wait();
	return 0;
}

struct service {
	pid_t leader;
	uint64_t ticks;
	pid_t pids[4]; /* as they reported */
};

static void service_start(struct service *service, const char *role, int reports)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	service->leader = fork();
	if (service->leader == 0) {
		setsid();
		dup2(ends[1], REPORT);
		setenv("PMO_RUN", MARK_A, 1);
		reexecute(role, true);
	}
	service->ticks = process_start_ticks(service->leader);
	close(ends[1]);
	for (int i = 0; i < reports; i++)
		assert_int_equal(read(ends[0], &service->pids[i], sizeof(pid_t)), sizeof(pid_t));
	close(ends[0]);
}

static void service_stop(struct service *service, int reports)
{
	for (int i = 0; i < reports; i++)
		kill(service->pids[i], SIGKILL);
	kill(service->leader, SIGKILL);
	waitpid(service->leader, NULL, 0);
	for (int i = 0; i < reports; i++)
		WAIT_FOR(!process_alive(service->pids[i]));
}

struct real_case {
	const char *role;
	int reports;
	const char *mark; /* of the claim */
	int64_t ticks_added;
	bool owned; /* what is not the leader */
	bool leader_owned;
};

static const struct real_case real_cases[] = {
	{ "child", 2, MARK_A, 0, true, true },
	{ "double-fork", 2, MARK_A, 0, true, true },
	{ "double-fork", 2, MARK_B, 0, true, true }, /* the session is enough */
	{ "escape", 2, MARK_A, 0, true, true },
	{ "escape", 2, MARK_B, 0, false, true },
	{ "wiped", 2, MARK_A, 0, true, true },
	{ "wiped-escape", 2, MARK_A, 0, false, true }, /* all three: the known gap */
	{ "orphan", 1, MARK_A, 0, true, false },
	{ "orphan", 1, MARK_B, 0, false, false },
	{ "child", 2, MARK_B, 1, false, false }, /* another process's start time */
	{ "child", 2, MARK_A, -1, true, true },  /* no leader, but all carry the mark */
};

static void check_real(const struct real_case *this)
{
	struct process_table table = PROCESS_TABLE_INIT;
	struct error err = ERROR_INIT;
	struct service service;
	service_start(&service, this->role, this->reports);
	if (!this->leader_owned && strcmp(this->role, "orphan") == 0)
		waitpid(service.leader, NULL, 0);
	struct claim claim =
	    CLAIM(service.leader, service.ticks + (uint64_t)this->ticks_added, this->mark);
	assert_int_equal(process_table_read(&table, &err), 0);
	int *owners = membership_assign(&table, &claim, 1);
	size_t owned = 0;
	size_t expected = this->leader_owned;
	for (int i = 0; i < this->reports; i++)
		expected += this->owned && service.pids[i] != service.leader;
	for (size_t i = 0; i < table.count; i++) {
		pid_t pid = table.items[i].pid;
		bool known = pid == service.leader || pid == service.pids[0] ||
			     (this->reports > 1 && pid == service.pids[1]);
		owned += owners[i] == 0;
		if (owners[i] == 0 && !known)
			fail_msg("%s: stranger %d belongs to it", this->role, pid);
	}
	if (owned != expected)
		fail_msg("%s, mark %c: %zu belong to it instead of %zu", this->role, *this->mark,
			 owned, expected);
	free(owners);
	process_table_release(&table);
	service_stop(&service, this->reports);
}

static void test_real(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(real_cases); i++)
		check_real(&real_cases[i]);
}

/* Double-forked, in a session of its own, without an environment: from its supervisor it cannot
 * hide. */
static void test_real_supervisor(void **state)
{
	enum { HELPERS_AND_SERVICE = 3 };
	struct process_table table = PROCESS_TABLE_INIT;
	struct error err = ERROR_INIT;
	struct service service;
	size_t owned = 0;
	size_t orphans = 0;
	(void)state;
	service_start(&service, "supervisor", HELPERS_AND_SERVICE + 1);
	struct claim claim = { .supervisor = service.leader, .supervisor_ticks = service.ticks };
	assert_int_equal(process_table_read(&table, &err), 0);
	int *owners = membership_assign(&table, &claim, 1);
	for (size_t i = 0; i < table.count; i++) {
		const struct process *process = &table.items[i];
		owned += owners[i] == 0;
		if (process->session == service.leader)
			assert_int_equal(owners[i], NOBODY);
		else if (process->parent == service.leader)
			orphans++;
	}
	/* the service's leader and what has left it */
	assert_int_equal(owned, 2);
	assert_int_equal(orphans, 2);
	free(owners);
	process_table_release(&table);
	service_stop(&service, HELPERS_AND_SERVICE + 1);
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return run_role(argv[1]);
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_trees),
		cmocka_unit_test(test_nothing),
		PROJECT_TEST(test_reads_no_more_than_it_must),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_real_supervisor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
