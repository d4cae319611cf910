#include "handover/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/parse.h"
#include "handover/mark.h"

#define FDNAMES "LISTEN_FDNAMES="

static const struct {
	char name[19];
	uint8_t readers;
} variables[VARIABLES] = {
	[VARIABLE_KEEPER] = {"SOCKWAKE_KEEPER_FD", READ_BY_ALL},
	[VARIABLE_DEADLINE] = {"SOCKWAKE_DEADLINE", READ_BY_ACTIVATOR | READ_BY_PROXY},
	[VARIABLE_STATS] = {"SOCKWAKE_STATS_FD", READ_BY_ACTIVATOR | READ_BY_PROXY},
	[VARIABLE_HOLD] = {"SOCKWAKE_HOLD_FD", READ_BY_PROXY},
	[VARIABLE_PIDFD] = {"SOCKWAKE_PIDFD", READ_BY_NSHELPER | READ_BY_PROXY},
	[VARIABLE_ACCEPTED] = {ENVIRONMENT_ACCEPTED, READ_BY_PROXY},
	[VARIABLE_EXEC] = {"SOCKWAKE_EXEC_FD", READ_BY_NSHELPER},
	[VARIABLE_ROOT] = {"SOCKWAKE_ROOT_FD", READ_BY_PROXY},
	[VARIABLE_SOURCES] = {"SOCKWAKE_SOURCES", READ_BY_PROXY},
	[VARIABLE_MARK] = {"SOCKWAKE_MARK", READ_BY_PROXY},
};

/* Other commands must not inherit these: they would take sockets that are not theirs, or report to the manager. */
static const char *const private[] = {"LISTEN_", "NOTIFY_SOCKET=", "SOCKWAKE_", "WATCHDOG_"};

const char *environment_name(enum variable v)
{
	return variables[v].name;
}

unsigned environment_readers(enum variable v)
{
	return variables[v].readers;
}

int environment_set_text(enum variable v, const char *text, struct error *err)
{
	if (setenv(variables[v].name, text, 1) < 0)
		return error_errno(err, errno, "cannot set $%s", variables[v].name);
	return 0;
}

int environment_set_number(enum variable v, uint64_t value, struct error *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return environment_set_text(v, text, err);
}

void environment_unset(enum variable v)
{
	(void)unsetenv(variables[v].name);
}

const char *environment_text(enum variable v)
{
	return getenv(variables[v].name);
}

/* Leaves *ret alone if the variable is not set. */
static int read_number(enum variable v, uint64_t least, uint64_t most, uint64_t *ret, struct error *err)
{
	const char *text = environment_text(v);

	return text ? parse_u64(variables[v].name, text, least, most, ret, err) : 0;
}

int environment_fd(enum variable v, int *ret, struct error *err)
{
	uint64_t fd = UINT64_MAX;

	*ret = -1;
	if (read_number(v, 0, INT32_MAX, &fd, err) < 0)
		return -1;
	*ret = fd == UINT64_MAX ? -1 : (int)fd;
	return 0;
}

int environment_take_fd(enum variable v, int *ret, struct error *err)
{
	int fd;

	*ret = -1;
	if (environment_fd(v, &fd, err) < 0)
		return -1;
	if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return error_errno(err, errno, "%s names descriptor %d", variables[v].name, fd);
	*ret = fd;
	return 0;
}

int environment_deadline(uint64_t startup_timeout, uint64_t *ret, struct error *err)
{
	*ret = time_from_now(startup_timeout);
	return read_number(VARIABLE_DEADLINE, 0, UINT64_MAX, ret, err);
}

int environment_mark(unsigned *ret, struct error *err)
{
	uint64_t mark = TRANSPARENT_MARK;

	if (read_number(VARIABLE_MARK, 1, UINT32_MAX, &mark, err) < 0)
		return -1;
	*ret = (unsigned)mark;
	return 0;
}

static bool is_private(const char *assignment)
{
	for (size_t k = 0; k < sizeof(private) / sizeof(*private); k++) {
		if (strncmp(assignment, private[k], strlen(private[k])) == 0)
			return true;
	}
	return false;
}

/* `to` may be `from`. */
static void copy_public(char **to, char *const *from, bool keep_names)
{
	for (; *from; from++) {
		if (!is_private(*from) || (keep_names && strncmp(*from, FDNAMES, strlen(FDNAMES)) == 0))
			*to++ = *from;
	}
	*to = NULL;
}

void environment_forget(bool keep_names)
{
	if (environ)
		copy_public(environ, environ, keep_names);
}

char **environment_for_others(void)
{
	size_t n = 0;
	char **ret;

	while (environ && environ[n])
		n++;
	ret = calloc(n + 1, sizeof(*ret));
	if (ret && environ)
		copy_public(ret, environ, false);
	return ret;
}
