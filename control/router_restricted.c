#include "control/router_restricted.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/router_report.h"
#include "units/query.h"

/* Where their names are found: before and after it. */
static const struct {
	const char *before, *after;
} places[] = {
	{"/etc/sockwake/router-", ".conf"},
	{"/etc/systemd/system/sockets.target.wants/sockwake-router@", ".socket"},
};

static bool is_known(const struct router_restricted *all, size_t n, const char *name)
{
	for (size_t k = 0; k < n; k++) {
		if (strcmp(all[k].name, name) == 0)
			return true;
	}
	return false;
}

static void fill(struct router_restricted *r, const char *name)
{
	*r = (struct router_restricted){};
	(void)snprintf(r->name, sizeof(r->name), "%s", name);
	(void)snprintf(r->unit, sizeof(r->unit), "sockwake-router@%s.socket", name);
	(void)snprintf(r->socket, sizeof(r->socket), "/run/sockwake-router-%s.sock", name);
	(void)snprintf(r->config, sizeof(r->config), "/etc/sockwake/router-%s.conf", name);
}

static int add_found(const glob_t *found, size_t place, struct router_restricted **all, size_t *n, struct error *err)
{
	struct router_restricted *more = realloc(*all, (*n + found->gl_pathc + 1) * sizeof(*more));

	if (!more)
		return error_set(err, ENOMEM, "out of memory");
	*all = more;
	for (size_t k = 0; k < found->gl_pathc; k++) {
		const char *begin = found->gl_pathv[k] + strlen(places[place].before);
		char name[sizeof(more->name)];
		size_t len = strlen(begin) - strlen(places[place].after);

		if (len == 0 || len >= sizeof(name))
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)len, begin);
		if (!is_known(*all, *n, name))
			fill(&(*all)[(*n)++], name);
	}
	return 0;
}

static int find_names(struct router_restricted **all, size_t *n, struct error *err)
{
	int r = 0;

	for (size_t place = 0; place < sizeof(places) / sizeof(*places) && r == 0; place++) {
		char pattern[128];
		glob_t found = {};

		(void)snprintf(pattern, sizeof(pattern), "%s*%s", places[place].before, places[place].after);
		if (glob(pattern, 0, NULL, &found) == 0)
			r = add_found(&found, place, all, n, err);
		globfree(&found);
	}
	return r;
}

static int look(struct manager *m, struct router_restricted *r, struct error *err)
{
	const char *name = r->unit;
	struct unit_state state = {};
	_cleanup_free_ char *allowed = NULL;
	struct error trouble;
	int done = manager_query(m, &name, 1, &state, err);

	if (done == 0) {
		r->listens = strcmp(state.active_state, "active") == 0;
		r->has_failed = strcmp(state.active_state, "failed") == 0;
	}
	unit_states_clear(&state, 1);
	if ((access(r->config, R_OK) == 0 || errno == ENOENT) &&
	    router_report_check(LIBEXECDIR "/router", r->config, &allowed, &trouble) < 0)
		(void)snprintf(r->trouble, sizeof(r->trouble), "%s", trouble.text);
	return done;
}

int router_restricted_find(struct manager *m, struct router_restricted **ret, size_t *ret_n, struct error *err)
{
	_cleanup_free_ struct router_restricted *all = NULL;
	size_t n = 0;

	if (find_names(&all, &n, err) < 0)
		return -1;
	for (size_t k = 0; k < n; k++) {
		if (look(m, &all[k], err) < 0)
			return -1;
	}
	*ret = steal_ptr(&all);
	*ret_n = n;
	return 0;
}
