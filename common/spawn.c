#include "common/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <unistd.h>

#include "common/signals.h"

extern char **environ;

static int redirect(posix_spawn_file_actions_t *files, int from, int to)
{
	return posix_spawn_file_actions_adddup2(files, from == SPAWN_NOWHERE ? STDIN_FILENO : from, to);
}

/* `output` may be our standard error, so it is redirected before that is replaced. */
static int set_files(const struct spawn *s, posix_spawn_file_actions_t *files)
{
	int r = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDWR, 0);

	if (r == 0)
		r = redirect(files, s->output, STDOUT_FILENO);
	if (r == 0)
		r = redirect(files, s->errors, STDERR_FILENO);
	return r == 0 ? posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1) : r;
}

/* Cannot fail with these arguments. */
static void set_signals(const struct spawn *s, posix_spawnattr_t *attributes)
{
	const sigset_t none = signals_none();
	sigset_t all;

	sigfillset(&all);
	(void)posix_spawnattr_setsigmask(attributes, &none);
	(void)posix_spawnattr_setsigdefault(attributes, &all);
	(void)posix_spawnattr_setflags(attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							   (s->group ? POSIX_SPAWN_SETPGROUP : 0)));
}

int spawn(const struct spawn *s, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int r;

	/* Cannot fail: glibc's only clear these. */
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attributes);
	set_signals(s, &attributes);
	r = set_files(s, &files);
	if (r == 0)
		r = posix_spawnp(ret, s->argv[0], &files, &attributes, (char *const *)s->argv,
				 s->env ? s->env : environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return r;
}
