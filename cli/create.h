/* The parts of `sockwake create`. */
#pragma once

#include "backends/backend.h"
#include "cli/cli.h"
#include "common/order.h"
#include "units/manager.h"
#include "units/runner.h"

struct create_request {
	struct instance instance;
	struct order order; /* the container to be made first, when order.image is set */
	bool as_quadlet;    /* … by a Quadlet, not by the engine's API */
	char **with;	    /* --with, as given */
	bool with_project;
	bool dry_run;
	bool force;
	bool json;
	bool original_ports;	/* --container-port: where the original tool meant a published port of the host */
	bool check_assumed;	/* the health check is what fits the port */
	bool name_assumed;	/* the instance is called after its container or unit */
	bool container_assumed; /* no --container-name with --unit: Quadlet's default until the unit tells */
};
void create_request_clear(struct create_request *r);
#define _cleanup_create_request_ _cleanup_(create_request_clear)

/* Reads the command line and fills in the defaults, without asking anybody. The caller clears *ret, also after an
 * error. */
int parse_create(int argc, char *argv[], struct create_request *ret, struct error *err);
extern const char create_options_help[];

/* Reads r->with into the instance; what is not given there, resolve_with() asks the engine for. */
int parse_with(struct create_request *r, struct error *err);

/* Notes what may surprise of what was chosen. */
void advise(const struct create_request *r);

/* Notes what of that a dry run does not know. */
void note_unresolved(const struct create_request *r);

/* Refuses a single word as a health check that is neither one of ours nor a program. For a valid instance. */
int check_health_words(const struct instance *i, struct error *err);

/* What the instance wakes. */
struct subject {
	bool exists; /* the container does: one that a unit runs may be there only while that runs */
	struct container container;
	struct runner runner; /* runner.unit is NULL where no unit runs it */
};
void subject_clear(struct subject *s);
#define _cleanup_subject_ _cleanup_(subject_clear)

/* Finds container and unit, one through the other, and so the names that were not given. The caller clears *s, also
 * after an error. */
int find_subject(struct create_request *r, struct manager *m, struct engine *engine, struct subject *s,
		 struct error *err);

/* Makes the instance fit its container, if that exists; notes what was changed or will surprise. */
int fit_container(struct create_request *r, const struct subject *s, struct error *err);

/* Finds the containers of --with and --with-project, and how they are ready. After fit_container(). */
int resolve_with(struct create_request *r, struct manager *m, struct engine *engine, const struct subject *s,
		 struct error *err);

/* Refuses a container that could not be put to sleep, or not be woken while the instance listens; `unit` runs it, or
 * NULL. */
int check_container(const struct instance *i, const char *unit, const struct container *c, struct error *err);

/* Refuses a container whose process is not on this machine, and one that sees so much of the host that the health check
 * (NULL: the default) or the programs would be within its reach. */
int check_view(struct engine *e, const struct container *c, const char *health_check, struct error *err);

/* The same as check_container() for the unit. *ret_drop_in is the text of the drop-in it needs, or NULL. `old` is the instance that makes
 * place, or NULL: what its drop-in did, the new one's does. */
int fit_unit(struct create_request *r, const struct instance *old, const struct runner *runner, char **ret_drop_in,
	     struct error *err);

/* Writes i->drop_in, has the manager read it and looks whether it works; what was there before is for revert_drop_in(),
 * or NULL. Nothing where text is NULL. */
int apply_drop_in(struct manager *m, const struct instance *i, const char *text, char **ret_before, struct error *err);
void revert_drop_in(struct manager *m, const struct instance *i, const char *before);

/* Puts a copy of value in the place of an allocated text of the instance. */
int replace_text(char **text, const char *value, struct error *err);

/* Refuses ports that another instance has, that are not free, or that this user may not use. `replaced` is the instance
 * that makes place, or NULL; one without ports has a configuration that cannot be read, and may listen anywhere: what
 * is in use then, the start of the socket tells. */
int check_ports(const struct instance *i, const struct stored_list *all, const struct instance *replaced,
		struct error *err);

/* Writes and starts the instance of a request, for an existing container (or after making one). `all` are the instances
 * that there are. An adopted one replaces what adoption made before, unless nothing has changed; with dry_run that is
 * only found out. */
enum outcome { OUTCOME_CREATED, OUTCOME_REPLACED, OUTCOME_UNCHANGED };
int create_instance(struct create_request *r, struct manager *m, const char *directory, const struct stored_list *all,
		    enum outcome *ret, struct error *err);

/* Refuses a directory in which the manager does not look for units. */
int check_directory(struct manager *m, enum scope scope, const char *directory, struct error *err);

/* Who listens there, as words for a sentence: "nginx (PID 4711)". */
void describe_holder(int type, uint16_t port, char *ret, size_t size);
