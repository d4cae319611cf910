/* Do the programs exist that the units run? They may have been uninstalled or moved, or a unit may belong to another
 * installation of sockwake. Clients would be reset, until systemd closes the socket. */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "common/error.h"
#include "instance/instance.h"

/* The programs checked so far, so that many instances cost few stat(2) calls. Begins as {}. */
struct programs {
	struct program {
		char *path;
		const char *trouble; /* "is missing", …; NULL: none */
	} * items;
	size_t n;
};
void programs_clear(struct programs *p);
#define _cleanup_programs_ _cleanup_(programs_clear)

/* Finds the first program in a service's text that cannot be run: true, with its path and the end of a sentence about
 * it. The programs are the first words of the Exec…= lines, and the words after "--" there. */
bool programs_find_missing(struct programs *p, enum scope scope, const char *service, char ret_path[static PATH_MAX],
			   const char **ret_trouble);

/* Fails if a program of this sockwake is missing: new instances could not wake. The text names the file and the
 * commands that repair it. */
int programs_check(struct error *err);

/* Describes in a sentence why the units of an instance cannot wake it, with the command that repairs it; "": they
 * can. */
void programs_describe_units(struct programs *p, const char *directory, const struct instance *i, char *ret,
			     size_t size);
