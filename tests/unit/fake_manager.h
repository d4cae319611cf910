/* A service manager that says what the test wants: a child process on the manager's own socket, which answers by a table
 * of the units' properties, and notes what it was asked to do.
 *
 * A job ends as the unit's "start" or "stop" in that table says ("done" where it says nothing; "pending": by END alone),
 * and a unit that it has started is active in a new invocation. What is to happen at a certain call, such as an error, a
 * change or the end of the connection, is an event.
 */
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/unit/fake_manager_server.h"

static inline void fake_set(struct fake_manager *m, const char *unit, const char *name, const char *value)
{
	fake_table_set(m->table, unit, name, value);
}

static inline void fake_on(struct fake_manager *m, struct fake_event e)
{
	if (m->table->n_events == sizeof(m->table->events) / sizeof(*m->table->events))
		abort();
	e.times = e.times ? e.times : 1;
	m->table->events[m->table->n_events++] = e;
}

/* A unit that runs. */
static inline void fake_active(struct fake_manager *m, const char *unit, const char *invocation)
{
	fake_set(m, unit, "ActiveState", "active");
	fake_set(m, unit, "SubState", "running");
	fake_set(m, unit, "InvocationID", invocation);
}

/* Forgets units and events. */
static inline void fake_clear(struct fake_manager *m)
{
	m->table->n_properties = m->table->n_events = 0;
}

/* What it was asked to do since this was asked last: lines. */
static inline const char *fake_calls(struct fake_manager *m)
{
	const char *text = m->table->calls + m->told;

	m->told += strlen(text);
	return text;
}

/* It is the user's, whose XDG_RUNTIME_DIR it brings. */
static inline void fake_manager_start(struct fake_manager *m)
{
	char folder[128];

	*m = (struct fake_manager){.directory = "/tmp/sockwake-test-XXXXXX"};
	m->table = mmap(NULL, sizeof(*m->table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!mkdtemp(m->directory) || m->table == MAP_FAILED)
		abort();
	snprintf(folder, sizeof(folder), "%s/systemd", m->directory);
	snprintf(m->socket, sizeof(m->socket), "%s/systemd/private", m->directory);
	if (mkdir(folder, 0755) < 0 || setenv("XDG_RUNTIME_DIR", m->directory, 1) < 0)
		abort();
	fake_load();
	fake_server = (struct fake_server){.manager = m, .table = m->table, .listener = fake_listen(m->socket)};
	m->pid = fork();
	if (m->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		fake_manager_serve();
		_exit(0);
	}
	close(fake_server.listener);
}

static inline void fake_manager_stop(struct fake_manager *m)
{
	char command[160];

	kill(m->pid, SIGKILL);
	waitpid(m->pid, NULL, 0);
	munmap(m->table, sizeof(*m->table));
	unsetenv("XDG_RUNTIME_DIR");
	snprintf(command, sizeof(command), "rm -rf '%s'", m->directory);
	if (system(command) != 0)
		abort();
}
