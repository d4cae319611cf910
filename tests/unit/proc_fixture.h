/* A directory in place of /proc. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/io.h"

#define ID "031ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"

static char proc[64];

static inline int proc_setup(void **state)
{
	(void)state;
	strcpy(proc, "/tmp/sockwake-test-XXXXXX");
	return mkdtemp(proc) ? 0 : -1;
}

static inline int proc_teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", proc);
	return system(command);
}

/* Writes a file of a process, "self" or a number. */
static inline void proc_put(const char *process, const char *name, const char *data, size_t len)
{
	char path[256], *slash;
	struct error err;

	snprintf(path, sizeof(path), "%s/%s/%s", proc, process, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(directory_make(path, 0755, &err), 0);
	*slash = '/';
	assert_int_equal(file_write_atomic(path, data, len, 0644, &err), 0);
}

static inline void proc_say(const char *process, const char *name, const char *text)
{
	proc_put(process, name, text, strlen(text));
}

/* Gives a process a namespace of another one. */
static inline void proc_share(const char *process, const char *of, const char *name)
{
	char from[256], to[256];

	snprintf(from, sizeof(from), "%s/%s/%s", proc, of, name);
	snprintf(to, sizeof(to), "%s/%s/%s", proc, process, name);
	(void)unlink(to);
	assert_int_equal(link(from, to), 0);
}
