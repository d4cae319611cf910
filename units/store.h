/* The instances of a unit directory. The unit files are the only registry: an instance is a NAME.socket there with our
 * markers in [Unit]. `directory` is an absolute path (paths.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "instance/instance.h"

/* An instance as read back. */
struct stored {
	struct instance instance; /* its name is always set */
	bool enabled;		  /* it starts at the next boot */
	char *problem;		  /* NULL; or why the configuration cannot be read: then the rest is unset */
};
void stored_clear(struct stored *s);
#define _cleanup_stored_ _cleanup_(stored_clear)

struct stored_list {
	struct stored *items; /* by name */
	size_t n;
};
void stored_list_clear(struct stored_list *l);
#define _cleanup_stored_list_ _cleanup_(stored_list_clear)

/* Reads all of them; none if the directory does not exist. The caller clears *ret, also after an error. */
int store_scan(const char *directory, struct stored_list *ret, struct error *err);

/* Reads one of them. Code ENOENT: there is none of that name. The caller clears *ret, also after an error. */
int store_read(const char *directory, const char *name, struct stored *ret, struct error *err);

/* Does this file belong to an instance of that name, and have its configuration? */
bool store_is_part(const char *path, const char *name);

/* Code EEXIST: a unit file of that name is not ours. */
int store_check_owner(const char *directory, const char *name, struct error *err);

/* The unit files before a change, for a roll-back. */
#define SNAPSHOT_FILES 4
struct snapshot {
	char *texts[SNAPSHOT_FILES]; /* NULL: no such file */
	bool enabled;
};
void snapshot_clear(struct snapshot *s);
#define _cleanup_snapshot_ _cleanup_(snapshot_clear)

/* Writes the units of an instance, enabled, in place of the previous ones (also those of the original tool): all or
 * nothing. *ret_before is for store_restore(); the caller clears it, also after an error. */
int store_write(const char *directory, const struct instance *i, struct snapshot *ret_before, struct error *err);
int store_restore(const char *directory, const char *name, const struct snapshot *before, struct error *err);

/* Rewrites the units of an instance that this version renders differently. A disabled instance stays disabled. The
 * caller clears *ret_before, also after an error. */
enum { REFRESHED_SOCKET = 1, REFRESHED_OTHERS = 2 };
int store_refresh(const char *directory, const struct instance *i, struct snapshot *ret_before, int *ret_changed,
		  struct error *err);

/* Does this version render all units of the instance as they are? */
int store_is_current(const char *directory, const struct instance *i, bool *ret, struct error *err);

/* Removes the files of an instance and the link that enables it; a missing one is not an error. */
int store_remove(const char *directory, const char *name, struct error *err);
