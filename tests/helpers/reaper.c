/*
 * reaper COMMAND [ARGUMENT...]: run COMMAND, and reap whatever is orphaned below it at once.
 *
 * Services outlive the pmo that started them, and whoever is process 1 of a test machine may take
 * seconds to reap them: thousands of zombies then make every look at /proc slow. The exit status is
 * COMMAND's, 128 + N when signal N ended it. SIGTERM, SIGINT and SIGHUP are passed on to COMMAND.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t command;

static void pass_on(int signal_number)
{
	int error = errno;
	if (command > 0)
		kill(command, signal_number);
	errno = error;
}

static int reap_until_done(void)
{
	int status;
	for (;;) {
		pid_t pid = wait(&status);
		if (pid < 0 && errno != EINTR)
			err(125, "cannot wait");
		if (pid == command)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

int main(int argc, char **argv)
{
	static const int passed_on[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction action = { .sa_handler = pass_on };
	if (argc < 2)
		errx(125, "usage: reaper COMMAND [ARGUMENT...]");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		err(125, "cannot become a subreaper");
	command = fork();
	if (command < 0)
		err(125, "cannot fork");
	if (command == 0) {
		execvp(argv[1], argv + 1);
		err(127, "cannot execute '%s'", argv[1]);
	}
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++)
		sigaction(passed_on[i], &action, NULL);
	return reap_until_done();
}
