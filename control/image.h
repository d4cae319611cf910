/* The container that `sockwake create --image` makes before the instance, and `remove --with-container` removes. */
#pragma once

#include <stdio.h>

#include "backends/make.h"
#include "control/create_request.h"
#include "control/signals.h"

/* A container that was made, undone unless kept. Until then, signals that would end the program are blocked. */
struct made {
	struct manager *manager; /* not owned */
	struct engine *engine;
	char *name;    /* the instance's, and the container's */
	char *quadlet; /* the path of the Quadlet that was written; NULL: none */
	char *before;  /* its previous text; NULL: there was no such file */
	bool created;  /* the engine has created it, or may have */
	char *old;     /* the temporary name of the container that it replaces */
	char old_id[CONTAINER_ID_SIZE];
	bool begun;
	sigset_t signals; /* the mask before that */
};

/* Makes the container (r->to_make) of an instance, and records it there: by a Quadlet if the engine has them, else
 * through the engine's API. With r->force it replaces a container made this way before; otherwise it refuses to
 * replace one, except by an identical Quadlet. Nor does it leave out volumes of what it replaces, without r->drop_volumes. */
int made_make(struct create_request *r, struct manager *m, struct made *ret, struct error *err);

/* Once the instance exists: removes the replaced container. Notes data that will be lost with a Quadlet's container. */
void made_keep(const struct create_request *r, struct made *made);

/* Was its container made this way, for this instance or an earlier one of its name? */
bool made_is(const struct instance *i, const struct subject *s);

/* Undoes it, unless kept. */
void made_clear(struct made *made);
#define _cleanup_made_ _cleanup_(made_clear)

/* Writes a description of the container that would be made. */
int made_put(FILE *f, struct create_request *r, struct error *err);

/* May the container that was made for this instance be removed with it? The error says what to do instead. ret_id: the one
 * that it is; "": there is none, or a unit runs it. */
int made_check(const struct instance *i, char ret_id[static CONTAINER_ID_SIZE], struct error *err);

/* Restores a container that an interrupted replacement (SIGKILL, for example) has left under another name. */
int made_heal(const struct instance *i, struct error *err);

/* Removes the container that made_check() has found, after the instance. Volumes stay. m is NULL if no manager runs. */
int made_remove(const struct instance *i, struct manager *m, const char *id, struct error *err);

/* After `now` has replaced `before`: removes a Quadlet of ours that is of no use any more, and names a container that
 * stays. */
void made_leave(const struct instance *before, const struct instance *now, struct manager *m);
