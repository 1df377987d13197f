#include "os/log_chain.h"

#include "base/clock.h"
#include "base/memory.h"
#include "os/log_numbers.h"
#include "os/log_rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* PATH.0 is seldom there, and a rotation under way leaves one more number free at a time; this many
 * in a row are the end. */
enum { LONGEST_GAP = 5 };

enum { MARK_TRIES = 100 };

bool log_identity_equal(const struct log_identity *left, const struct log_identity *right)
{
	return left->inode == right->inode && left->device == right->device &&
	       left->birth_ns == right->birth_ns;
}

/* The regular file that NAME (or FD, with an empty NAME) is. */
static bool identify(int fd, const char *name, struct log_identity *identity, off_t *size)
{
	struct statx status;
	const unsigned wanted = STATX_TYPE | STATX_INO | STATX_SIZE | STATX_BTIME;
	if (statx(fd, name, AT_EMPTY_PATH, wanted, &status) < 0 || !S_ISREG(status.stx_mode))
		return false;
	*identity = (struct log_identity){
		.device = makedev(status.stx_dev_major, status.stx_dev_minor),
		.inode = status.stx_ino,
	};
	if (status.stx_mask & STATX_BTIME)
		identity->birth_ns =
		    status.stx_btime.tv_sec * NSEC_PER_SEC + status.stx_btime.tv_nsec;
	*size = (off_t)status.stx_size;
	return true;
}

static char *name_of(const char *path, int number)
{
	return number == LOG_ITSELF ? memory_strdup(path) : log_numbered_path(path, number);
}

/* The newest rotated file, but for UNCUT. Files only move up while they are counted upwards, so a
 * newer one is never missed. Returns its number, or LOG_ITSELF when there is none. */
static int find_newest(const char *path, const struct log_identity *uncut,
		       struct log_identity *newest)
{
	off_t size;
	for (int number = 0; number < LONGEST_GAP; number++) {
		char *name CLEANUP_FREE = name_of(path, number);
		if (identify(AT_FDCWD, name, newest, &size) &&
		    (number > 0 || !log_identity_equal(newest, uncut)))
			return number;
	}
	*newest = (struct log_identity){ 0 };
	return LOG_ITSELF;
}

bool log_mark_unchanged(const struct log_mark *mark, const char *path)
{
	struct log_identity newest;
	find_newest(path, &mark->uncut, &newest);
	return log_identity_equal(&newest, &mark->newest);
}

/* Open NAME for reading. The type is looked at before the file is opened: a FIFO must not be. */
static int open_named(struct log_chain *chain, const char *path, int number, struct log_file *found)
{
	char *name CLEANUP_FREE = name_of(path, number);
	*found = (struct log_file){ .number = number, .fd = -1 };
	if (!identify(AT_FDCWD, name, &found->identity, &found->size))
		return -1;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		chain->failure = errno;
	if (fd >= 0 && !identify(fd, "", &found->identity, &found->size)) {
		close(fd);
		return -1;
	}
	return found->fd = fd;
}

static void cut(struct log_chain *chain, size_t count)
{
	while (chain->count > count)
		memory_cleanup_close(&chain->items[--chain->count].fd);
}

void log_chain_release(struct log_chain *chain)
{
	cut(chain, 0);
	free(chain->items);
	chain->items = NULL;
	chain->capacity = 0;
}

/* One file may be met twice while the files move up, and then those met in between are newer than
 * it: they are left for the next look. */
static void add(struct log_chain *chain, const struct log_file *found)
{
	for (size_t i = 0; i < chain->count; i++)
		if (log_identity_equal(&chain->items[i].identity, &found->identity)) {
			cut(chain, i + 1);
			close(found->fd);
			return;
		}
	MEMORY_GROW(chain->items, chain->count, chain->capacity);
	chain->items[chain->count++] = *found;
}

enum zeroth { ZEROTH_COUNTS, ZEROTH_IGNORED, ZEROTH_MOVED };

/* PATH.0 was opened as FOUND. A rotation that was killed lets go of it where it is; one that ended
 * well has moved it by then. */
static enum zeroth judge_zeroth(struct log_chain *chain, const char *path,
				const struct log_file *found, const struct log_identity *uncut)
{
	struct log_identity now;
	off_t size;
	char *name CLEANUP_FREE = name_of(path, 0);
	bool known = log_identity_equal(&found->identity, uncut);
	int log_fd = chain->count > 0 ? chain->items[0].fd : -1;
	enum log_copy copy = known ? LOG_COPY_UNCUT : log_copy_inspect(found->fd, log_fd);
	if (copy == LOG_COPY_BUSY) {
		chain->busy = true;
		return ZEROTH_IGNORED;
	}
	if (!identify(AT_FDCWD, name, &now, &size) || !log_identity_equal(&now, &found->identity))
		return ZEROTH_MOVED;
	if (copy == LOG_COPY_CUT)
		return ZEROTH_COUNTS;
	chain->mark.uncut = found->identity;
	return ZEROTH_IGNORED;
}

/* Collect files until the one that was the newest. Returns false when everything moved meanwhile.
 */
static bool collect_files(struct log_chain *chain, const char *path, const struct log_mark *known,
			  bool *complete)
{
	*complete = false;
	for (int number = LOG_ITSELF, missing = 0; missing < LONGEST_GAP; number++) {
		struct log_file found;
		if (open_named(chain, path, number, &found) < 0) {
			missing += number != LOG_ITSELF;
			continue;
		}
		if (number == 0) {
			enum zeroth zeroth = judge_zeroth(chain, path, &found, &known->uncut);
			if (zeroth != ZEROTH_COUNTS)
				close(found.fd);
			if (zeroth == ZEROTH_MOVED || chain->busy)
				return zeroth != ZEROTH_MOVED;
			if (zeroth == ZEROTH_IGNORED)
				continue;
		}
		missing = 0;
		if (number != LOG_ITSELF && chain->mark.newest.inode == 0)
			chain->mark.newest = found.identity;
		*complete = log_identity_equal(&found.identity, &known->newest);
		if (*complete && number != LOG_ITSELF) {
			close(found.fd);
			return true;
		}
		add(chain, &found);
	}
	*complete = known->newest.inode == 0;
	return true;
}

size_t log_chain_find(const struct log_chain *chain, const struct log_reader *reader)
{
	size_t i = 0;
	while (i < chain->count && (chain->items[i].identity.inode != reader->inode ||
				    chain->items[i].identity.device != reader->device))
		i++;
	return i;
}

/* What was the newest is gone: beyond the log that was read only what was made later is new. */
static void drop_older(struct log_chain *chain, const struct log_reader *reader)
{
	size_t count = log_chain_find(chain, reader);
	count = count < chain->count ? count + 1 : 0;
	if (count == 0 && chain->count > 0 && chain->items[0].number == LOG_ITSELF)
		count = 1;
	while (count < chain->count &&
	       chain->items[count].identity.birth_ns > reader->mark.newest.birth_ns)
		count++;
	cut(chain, count);
}

/* A copy is younger than the log it was made of, and that is newer in the chain; runs only follow
 * each other. */
static void find_copies(struct log_chain *chain, size_t readers)
{
	int64_t oldest = INT64_MAX;
	for (size_t i = 0; i < chain->count; i++) {
		struct log_file *item = &chain->items[i];
		int64_t birth = item->identity.birth_ns;
		item->copy = item->number != LOG_ITSELF && (birth > oldest || (i > readers));
		if (birth != 0 && birth < oldest)
			oldest = birth;
	}
}

void log_chain_collect(struct log_chain *chain, const char *path, const struct log_reader *reader)
{
	bool complete;
	*chain = (struct log_chain){ 0 };
	while (!collect_files(chain, path, &reader->mark, &complete)) {
		log_chain_release(chain);
		*chain = (struct log_chain){ 0 };
	}
	if (!complete)
		drop_older(chain, reader);
	find_copies(chain, log_chain_find(chain, reader));
}

void log_mark_take(struct log_mark *mark, const char *path)
{
	const struct timespec pause = { .tv_nsec = NSEC_PER_MSEC };
	struct log_identity newest;
	*mark = (struct log_mark){ 0 };
	for (int i = 0; i < MARK_TRIES; i++) {
		struct log_chain chain;
		const struct log_reader nobody = { 0 };
		if (find_newest(path, &mark->uncut, &newest) != 0)
			break;
		log_chain_collect(&chain, path, &nobody);
		*mark = chain.mark;
		bool busy = chain.busy;
		log_chain_release(&chain);
		if (!busy)
			return;
		nanosleep(&pause, NULL);
	}
	mark->newest = newest;
}
