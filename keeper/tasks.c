#include "keeper/tasks.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "keeper/say.h"

/* "activator --wake …", "activator --sleep --because idle …": the words of `mode`, then those up to `end`, which may be
 * NULL. */
static char **activator_command(const struct keeper *k, const char *const *mode, char **end)
{
	char **words = k->options.activator, **argv;
	size_t n = 0, n_mode = 0;

	while (words[n] && words + n != end)
		n++;
	while (mode[n_mode])
		n_mode++;
	argv = calloc(n + n_mode + 1, sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = words[0];
	memcpy(argv + 1, mode, n_mode * sizeof(*argv));
	memcpy(argv + 1 + n_mode, words + 1, (n - 1) * sizeof(*argv));
	return argv;
}

static int start(struct keeper *k, struct child *c, const char *const *mode, char **end, struct inheritance *i,
		 struct error *err)
{
	_cleanup_free_ char **argv = activator_command(k, mode, end);

	if (!argv)
		return error_set(err, ENOMEM, "out of memory");
	inherit_fd(i, VARIABLE_STATS, k->record.memory);
	k->failed[0] = '\0';
	if (child_start(c, &k->activator, argv, i, err) < 0)
		return -1;
	log_debug("has started 'activator %s' as process %d", mode[0], c->pid);
	return 0;
}

int task_wake(struct keeper *k, struct inheritance *i, struct error *err)
{
	static const char *const first[] = {"--wake", NULL}, *const again[] = {"--wake", "--recent", "5s", NULL};

	return start(k, &k->waker, k->followed ? again : first, NULL, i, err);
}

int task_sleep(struct keeper *k, struct error *err)
{
	const char *const why = k->told_to_stop ? "stop" : k->wake_failed ? "failed" : "idle";
	const char *const mode[] = {"--sleep", "--because", why, NULL};
	struct inheritance i = {};

	return start(k, &k->sleeper, mode, k->options.nshelper - 1, &i, err);
}

int task_follow(struct keeper *k, struct error *err)
{
	static const char *const served[] = {"--follow", "--recent", "5s", NULL}, *const waking[] = {"--follow", NULL};
	struct inheritance i = {};

	return start(k, &k->sleeper, k->ready ? served : waking, k->options.nshelper - 1, &i, err);
}

void task_notify(struct keeper *k, const char *what)
{
	char *argv[] = {k->options.activator[0],
			(char[]){"--notify"},
			(char *)(uintptr_t)what,
			(char[]){"--name"},
			(char *)(uintptr_t)k->options.name,
			(char[]){"--user"},
			(char *)(uintptr_t)k->options.notify,
			NULL};
	struct inheritance none = {};
	struct error err;

	if (k->options.notify && k->notifier.pid == 0 &&
	    child_start(&k->notifier, &k->activator, argv, &none, &err) < 0)
		keeper_say(k, LOG_WARNING, err.text);
}

void task_end_notify(struct keeper *k, uint64_t until)
{
	while (k->notifier.pid && !time_is_over(until) && !queue_waits(&k->queue))
		keeper_wait(k, until, true);
	child_signal(&k->notifier, SIGKILL);
}
