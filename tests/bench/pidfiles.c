#include "pidfiles.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int pidfiles_open(const char *path)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		err(1, "cannot open '%s'", path);
	return directory;
}

void pidfiles_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

ssize_t pidfiles_read_small(int directory, const char *path, char *text, size_t size)
{
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -1;
	length = read(fd, text, size - 1);
	close(fd);
	if (length >= 0)
		text[length] = '\0';
	return length;
}

static void append(struct pidfiles *list, size_t *room, const char *name, int directory)
{
	struct pidfile *item;
	char text[32];

	if (list->count == *room) {
		*room = *room ? 2 * *room : 128;
		list->items = realloc(list->items, *room * sizeof(*list->items));
		if (list->items == NULL)
			err(1, "no memory");
	}
	item = &list->items[list->count];
	if (strlen(name) >= sizeof(item->name))
		errx(1, "name too long: '%s'", name);
	if (pidfiles_read_small(directory, name, text, sizeof(text)) <= 0)
		err(1, "cannot read '%s'", name);
	stpcpy(item->name, name);
	item->pid = (pid_t)strtol(text, NULL, 10);
	if (item->pid <= 1)
		errx(1, "no process number in '%s'", name);
	list->count++;
}

struct pidfiles pidfiles_read(int directory)
{
	struct pidfiles list = { NULL, 0 };
	struct dirent *entry;
	size_t room = 0;
	DIR *stream = fdopendir(dup(directory));

	if (stream == NULL)
		err(1, "cannot list the directory");
	while ((entry = readdir(stream)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (length > 4 && strcmp(entry->d_name + length - 4, ".pid") == 0)
			append(&list, &room, entry->d_name, directory);
	}
	closedir(stream);
	return list;
}
