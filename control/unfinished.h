/* Changes of an instance's units that were broken off in the middle, by SIGKILL or a crash.
 *
 * While its units are stopped for a change, a file NAME.unfinished is in the runtime directory: it contains what its
 * socket was before. The next command that changes units finds the file, under the same lock, and puts that right: it
 * opens the socket again, or stops the units of which it finds no file any more. */
#pragma once

#include <stdbool.h>

#include "instance/scope.h"

/* Before the units are stopped: is the socket to be open if this change does not get to its end? Without room for the
 * file, nothing is remembered. */
void unfinished_begin(enum scope scope, const char *name, bool open);
void unfinished_end(enum scope scope, const char *name);

/* Ends what was broken off, and notes it. The caller holds the lock of the units. */
void unfinished_settle(enum scope scope, const char *directory);

/* Was a change of this instance broken off, or is it going on? */
bool unfinished_is_there(enum scope scope, const char *name);

/* A half-removed instance is in no list: says so. */
#define UNFINISHED_REMOVAL                                                                                             \
	"'%s' is being removed, or a command that removed it was broken off: 'sockwake refresh --all' then finishes that"
void unfinished_note_removals(enum scope scope, const char *directory);
