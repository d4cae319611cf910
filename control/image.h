/* The container that `sockwake create --image` makes before the instance, and `remove --with-container` takes away. */
#pragma once

#include <stdio.h>

#include "backends/make.h"
#include "control/create_request.h"
#include "control/signals.h"

/* What was made, to be undone unless it is kept. Signals that would end the program are held back until then. */
struct made {
	struct manager *manager; /* not owned */
	struct engine *engine;
	char *name;    /* the instance's, and the container's */
	char *quadlet; /* the path of the one that was written; NULL: none was */
	char *before;  /* its text before; NULL: there was no such file */
	bool created;  /* by the engine, or it may have been */
	char *old;     /* how the container that made place for that is called meanwhile */
	char old_id[CONTAINER_ID_SIZE];

	bool begun;
	sigset_t signals; /* those that were held back before that began */
};

/* Makes the container (r->to_make) of an instance, by a Quadlet where there are such, else through the engine's API, and
 * says so in the instance. With r->force it takes the place of one that was made so before; without, only a Quadlet
 * that is the same is not refused. */
int made_make(struct create_request *r, struct manager *m, struct made *ret, struct error *err);

/* The instance is there: what made place for the container goes. Notes what is lost with that, or will be. */
void made_keep(const struct create_request *r, struct made *made);

/* Was its container made so, for this instance or one of its name before? */
bool made_is(const struct instance *i, const struct subject *s);

/* Undoes what was not kept. */
void made_clear(struct made *made);
#define _cleanup_made_ _cleanup_(made_clear)

/* Writes down what would be made. */
int made_put(FILE *f, struct create_request *r, struct error *err);

/* May what was made for this instance be removed with it? The error says what else to do. */
int made_check(const struct instance *i, struct error *err);

/* Brings back what a replacement that was broken off, by SIGKILL for example, has left under another name. */
int made_heal(const struct instance *i, struct error *err);

/* Removes it, after the instance. Volumes stay. m is NULL when no manager runs. */
int made_remove(const struct instance *i, struct manager *m, struct error *err);
