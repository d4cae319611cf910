/* The names that the start of a unit claims: its commands remove whatever container or pod has them (`podman run --replace`,
 * `podman pod create --replace`, `podman kube play --replace`), and so do those of the services that it brings up. */
#pragma once

#include "activator/options.h"
#include "activator/unit.h"
#include "activator/unit_needs.h"
#include "backends/container.h"
#include "common/cleanup.h"

struct claims {
	struct claim {
		char unit[UNIT_NAME_MAX];
		char name[CONTAINER_NAME_SIZE];
		bool is_pod;
		bool is_labelled; /* what the unit makes has its label */
	} * items;
	size_t n;
};

/* Finds those whose owner can be told: Podman labels what it makes for most units; a container without a label that runs while
 * the unit is down is somebody else's. Other engines replace nothing. needs: the services that o->unit brings up. The caller
 * clears *ret, also after an error. */
int claims_find(struct unit *u, const struct options *o, const struct needs *needs, struct claims *ret,
		struct error *err);
void claims_clear(struct claims *c);
#define _cleanup_claims_ _cleanup_(claims_clear)
