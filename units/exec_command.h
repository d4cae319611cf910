/* The command lines of a unit, and which target starts it, as the service manager has loaded it. */
#pragma once

#include <stddef.h>

#include "common/cleanup.h"
#include "units/manager.h"

/* NULL-terminated lists of strings. strv_copy() returns NULL if there is no memory. */
void strv_free(char ***list);
char **strv_copy(const char *const *words, size_t n);
#define _cleanup_strv_ _cleanup_(strv_free)

/* Calls `take` for each command of ExecStart=, ExecStartPre=, …, until it does not return 0. Returns what it returned
 * last; -1: error. path: the unit's object. */
typedef int (*exec_command_taker)(void *data, const char *const *argv, struct error *err);
int exec_command_each(struct manager *m, const char *path, const char *property, exec_command_taker take, void *data,
		      struct error *err);

/* A target that pulls the unit in, at boot or at login; *ret is NULL if there is none. Other units may pull it in: they
 * need it while they run. */
int unit_target_find(struct manager *m, const char *path, char **ret, struct error *err);
