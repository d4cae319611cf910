/* Are the programs there that the units run? They may have been uninstalled or moved, or a unit may be of a sockwake that
 * was installed elsewhere: its clients would be reset, until systemd closes the socket. */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "common/error.h"
#include "instance/instance.h"

/* What was looked at, so that many instances cost a few stat(2) calls. {} to begin with. */
struct programs {
	struct program {
		char *path;
		const char *trouble; /* "is missing", …; NULL: none */
	} * items;
	size_t n;
};
void programs_clear(struct programs *p);
#define _cleanup_programs_ _cleanup_(programs_clear)

/* The first program of a service's text that cannot be run: true, with its path and the end of a sentence about it. The
 * programs are the first words of its Exec…= lines, and what follows "--" there. */
bool programs_find_missing(struct programs *p, enum scope scope, const char *service, char ret_path[static PATH_MAX],
			   const char **ret_trouble);

/* Refuses when this sockwake's own programs are not there: what it would install could not wake anything. The text has
 * the file and the commands that heal. */
int programs_check(struct error *err);

/* A sentence about what keeps the units of an instance from waking it, with the command that heals; "" for nothing. */
void programs_describe_units(struct programs *p, const char *directory, const struct instance *i, char *ret,
			     size_t size);
