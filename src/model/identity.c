#include "model/identity.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const boot_id_path = "/proc/sys/kernel/random/boot_id";
static const char *const pid_namespace_path = "/proc/self/ns/pid";
static const char hexadecimal[] = "0123456789abcdef";

/* A name that is one word, one path component and no escape sequence. */
static bool host_name_fits(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '/';
}

static void read_host_name(char name[HOST_NAME_MAX + 1])
{
	if (gethostname(name, HOST_NAME_MAX + 1) < 0 || name[0] == '\0')
		memcpy(name, "localhost", sizeof("localhost"));
	name[HOST_NAME_MAX] = '\0';
	for (char *c = name; *c; c++) {
		if (!host_name_fits((unsigned char)*c))
			*c = '_';
	}
	if (name[0] == '.')
		name[0] = '_';
}

static bool is_boot_id(const char *text, size_t length)
{
	return length == BOOT_ID_LENGTH && strspn(text, "0123456789abcdef-") >= length;
}

static int read_boot_id(char boot_id[BOOT_ID_LENGTH + 1], struct error *err)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	int result = file_read(AT_FDCWD, boot_id_path, 256, &text);
	if (result < 0)
		return error_set_errno(err, ERROR_FAILED, -result, "cannot read '%s'",
				       boot_id_path);
	const char *line = buffer_string(&text);
	size_t length = strcspn(line, "\n");
	if (!is_boot_id(line, length))
		return error_set(err, ERROR_FAILED, "'%s' does not hold a boot id", boot_id_path);
	memcpy(boot_id, line, length);
	boot_id[length] = '\0';
	return 0;
}

int host_read(struct host *host, struct error *err)
{
	struct stat status;
	if (read_boot_id(host->boot_id, err) < 0)
		return -1;
	if (stat(pid_namespace_path, &status) < 0)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot read '%s'",
				       pid_namespace_path);
	host->pid_namespace = status.st_ino;
	read_host_name(host->name);
	return 0;
}

int identity_make_mark(char mark[MARK_LENGTH + 1], struct error *err)
{
	unsigned char bytes[MARK_LENGTH / 2];
	ssize_t got;
	do {
		got = getrandom(bytes, sizeof(bytes), 0);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(bytes))
		return error_set_errno(err, ERROR_FAILED, got < 0 ? errno : EIO,
				       "cannot get random bytes from the kernel");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		mark[2 * i] = hexadecimal[bytes[i] >> 4];
		mark[2 * i + 1] = hexadecimal[bytes[i] & 15];
	}
	mark[MARK_LENGTH] = '\0';
	return 0;
}

void identity_append(struct buffer *buffer, const struct identity *identity)
{
	buffer_printf(buffer, "%ld %llu %s %llu %s %s", (long)identity->pid,
		      (unsigned long long)identity->ticks, identity->host.boot_id,
		      (unsigned long long)identity->host.pid_namespace, identity->host.name,
		      identity->mark);
}

/* The next word of *CURSOR, which ends at a single space or at the end of the line. */
static bool take_word(const char **cursor, const char **word, size_t *length)
{
	*word = *cursor;
	*length = strcspn(*cursor, " ");
	if (*length == 0)
		return false;
	*cursor += *length;
	if (**cursor == ' ')
		(*cursor)++;
	return true;
}

/* Only what identity_append writes: no sign, no leading zero. */
static bool take_number(const char **cursor, uint64_t maximum, uint64_t *value)
{
	const char *word;
	size_t length;
	if (!take_word(cursor, &word, &length) || (word[0] == '0' && length > 1))
		return false;
	*value = 0;
	for (size_t i = 0; i < length; i++) {
		if (word[i] < '0' || word[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(word[i] - '0');
		if (*value > (maximum - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return true;
}

static bool take_text(const char **cursor, size_t maximum, char *text)
{
	const char *word;
	size_t length;
	if (!take_word(cursor, &word, &length) || length > maximum)
		return false;
	memcpy(text, word, length);
	text[length] = '\0';
	return true;
}

static bool is_host_name(const char *name)
{
	if (name[0] == '.')
		return false;
	while (*name && host_name_fits((unsigned char)*name))
		name++;
	return *name == '\0';
}

static bool is_mark(const char *mark)
{
	return strlen(mark) == MARK_LENGTH && strspn(mark, hexadecimal) == MARK_LENGTH;
}

bool identity_parse(const char *line, struct identity *identity)
{
	const char *cursor = line;
	uint64_t pid;
	struct identity parsed;
	memset(&parsed, 0, sizeof(parsed));
	if (!take_number(&cursor, INT_MAX, &pid) ||
	    !take_number(&cursor, UINT64_MAX, &parsed.ticks) ||
	    !take_text(&cursor, BOOT_ID_LENGTH, parsed.host.boot_id) ||
	    !take_number(&cursor, UINT64_MAX, &parsed.host.pid_namespace) ||
	    !take_text(&cursor, HOST_NAME_MAX, parsed.host.name) ||
	    !take_text(&cursor, MARK_LENGTH, parsed.mark))
		return false;
	/* process 1 is nobody's service, and 0 would be our own group */
	if (*cursor != '\0' || cursor[-1] == ' ' || pid < 2)
		return false;
	if (!is_boot_id(parsed.host.boot_id, strlen(parsed.host.boot_id)) ||
	    !is_host_name(parsed.host.name) || !is_mark(parsed.mark))
		return false;
	parsed.pid = (pid_t)pid;
	*identity = parsed;
	return true;
}

enum identity_place identity_place(const struct identity *identity, const struct host *host)
{
	/* the boot id names the running kernel; a host may be renamed under it */
	if (strcmp(identity->host.boot_id, host->boot_id) == 0)
		return identity->host.pid_namespace == host->pid_namespace ? IDENTITY_HERE
									   : IDENTITY_ELSEWHERE;
	return strcmp(identity->host.name, host->name) == 0 ? IDENTITY_LOST : IDENTITY_ELSEWHERE;
}
