/*
 * beacon SOCKET: a service that says when it runs: it sends its process number to a datagram
 * socket, and then sleeps.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	pid_t self = getpid();
	int channel = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
		errx(2, "usage: beacon SOCKET");
	strcpy(address.sun_path, argv[1]);
	/* nobody may listen any more */
	(void)!sendto(channel, &self, sizeof(self), 0, (struct sockaddr *)&address,
		      sizeof(address));
	close(channel);
	for (;;)
		pause();
}
