#include "control/router_notes.h"

#include <string.h>

#include "common/cleanup.h"
#include "control/note.h"
#include "control/router.h"
#include "control/router_left.h"
#include "control/router_restricted.h"
#include "control/router_view.h"

void router_note_containers(const struct router_docker *d, const char *allowed)
{
	for (size_t k = 0; k < d->n; k++) {
		const struct router_container *guest = &d->containers[k];

		if (guest->has_socket && !router_view_allows(allowed, guest))
			note_print(
				"the container '%s' has the socket mounted, and the router refuses it: to allow it, write "
				"'containers = %s%s%s' into " ROUTER_CONFIG,
				guest->name, allowed, *allowed ? ", " : "", guest->name);
	}
}

/* A mounted socket stays the file that it was. Those of Docker without live-restore are not running any more. */
void router_note_stale(const struct router_docker *d)
{
	for (size_t k = 0; k < d->n; k++) {
		const struct router_container *guest = &d->containers[k];

		if (guest->has_socket && guest->runs)
			note_print("the container '%s' still has the old socket: 'docker restart %s'", guest->name,
				   guest->name);
	}
}

/* Their engine is the one that the router had moved. */
void router_note_restricted(struct manager *m)
{
	_cleanup_free_ struct router_restricted *all = NULL;
	struct error ignored;
	size_t n = 0;

	(void)router_restricted_find(m, &all, &n, &ignored);
	for (size_t k = 0; k < n; k++) {
		if (all[k].listens)
			note_print(
				"the restricted socket '%s' comes to no engine now: 'sudo systemctl disable --now %s' "
				"closes it",
				all[k].name, all[k].unit);
	}
}

static void note_left(void *data, const char *what, uid_t uid, const char *user)
{
	(void)data;
	if (strcmp(what, "manager") == 0)
		note_print(
			"the service manager of %s, which the router had started, still runs something: 'sudo systemctl "
			"stop user@%u.service' stops it",
			user, (unsigned)uid);
	else
		note_print(
			"%s of %s, which the router had started, still has something to do: 'sudo systemctl --user -M %s@ stop "
			"%s' stops it",
			what, user, user, strcmp(what, "docker") == 0 ? "docker.service" : "podman.socket");
}

void router_note_left(void)
{
	router_left_each(note_left, NULL);
}
