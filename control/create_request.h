/* The request of `sockwake create`, and its subject. */
#pragma once

#include "backends/backend.h"
#include "instance/made_container.h"
#include "units/container_unit.h"
#include "units/manager.h"
#include "units/store.h"

struct create_request {
	struct instance instance;
	struct made_container to_make; /* the container to make first, if to_make.image is set */
	bool as_quadlet;	       /* … by a Quadlet, not by the engine's API */
	char **dependencies;	       /* --with, as given */
	bool with_project;
	bool dry_run;
	const struct stored_list *freed; /* of a dry run: instances that would be gone by then; NULL: none */
	bool force;
	bool drop_volumes; /* those of the container that is replaced, if the new one does not name them */
	bool changes;	   /* sockwake set: a copy of the existing instance with some changes */
	bool json;
	bool original_ports;	/* --container-port: for the original tool, a published host port */
	bool backend_assumed;	/* no --backend */
	bool check_assumed;	/* the health check is the default for the port */
	bool name_assumed;	/* the instance is named after its container or unit */
	bool container_assumed; /* no --container-name with --unit: Quadlet's default until the unit is read */
};
void create_request_clear(struct create_request *r);
#define _cleanup_create_request_ _cleanup_(create_request_clear)

/* The container that the instance wakes. */
struct subject {
	bool exists; /* the container exists; a container unit may keep it only while running */
	struct container container;
	struct container_unit run_by; /* run_by.unit is NULL if no unit runs it */
};
void subject_clear(struct subject *s);
#define _cleanup_subject_ _cleanup_(subject_clear)
