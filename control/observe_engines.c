#include "control/observe_engines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/backend.h"
#include "backends/engine.h"
#include "common/clock.h"
#include "control/router_move.h"
#include "control/sharing.h"

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* A container is named by its name, its identifier, or the beginning of that. */
static bool is_called(const struct container *c, const char *name)
{
	return is(c->name, name) || (strlen(name) >= 12 && strncmp(c->id, name, strlen(name)) == 0);
}

static void set_state(char ret[static 32], const char *state)
{
	snprintf(ret, 32, "%s", state);
}

/* c: NULL if there is none. */
static void take_container(const struct container *c, char ret_state[static 32], char ret_id[static 65])
{
	set_state(ret_state, c ? container_state_name(c->state) : "missing");
	snprintf(ret_id, 65, "%s", c ? c->id : "");
}

static const struct container *find_container(const struct container_list *containers, const char *name)
{
	for (size_t k = 0; k < containers->n; k++) {
		if (is_called(&containers->items[k], name))
			return &containers->items[k];
	}
	return NULL;
}

static void ask_container(struct engine *engine, const char *name, char ret_state[static 32], char ret_id[static 65])
{
	_cleanup_container_ struct container c = {};
	struct error err;

	if (engine->backend->inspect(engine, name, &c, &err) == 0)
		take_container(&c, ret_state, ret_id);
	else if (err.code == ENOENT)
		take_container(NULL, ret_state, ret_id);
}

/* One request for each container, so that a bad one fails alone. */
static void ask_each(struct engine *engine, const struct instance *first, struct observation *os, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		const struct instance *i = &os[k].stored->instance;

		if (os[k].stored->problem || !instances_share_engine(i, first))
			continue;
		ask_container(engine, i->container_name, os[k].container_state, os[k].container_id);
		for (size_t m = 0; m < i->n_dependencies; m++)
			ask_container(engine, i->dependencies[m].container, os[k].dependency_states[m],
				      os[k].dependency_ids[m]);
	}
}

/* The router brings a user to an engine of theirs, which knows nothing of root's containers. It tells nobody which engine answers. */
static int check_way(enum scope scope, const char *socket, struct error *err)
{
	struct stat st, routers, engines;

	if (scope != SCOPE_SYSTEM || geteuid() == 0 || stat(socket, &st) < 0 || stat(ROUTER_SOCKET, &routers) < 0 ||
	    st.st_dev != routers.st_dev || st.st_ino != routers.st_ino || !(st.st_mode & S_IWOTH) ||
	    stat(ROUTER_ENGINE_DIRECTORY, &engines) < 0)
		return 0;
	return error_set(
		err, EACCES,
		"the states of root's containers are unknown: the router may bring you from '%s' to an engine of "
		"your own; 'sudo sockwake list' shows them",
		socket);
}

/* One request to the engine of `first`, for all instances of that engine. */
static int ask_engine(enum scope scope, const struct instance *first, uint64_t patience, struct observation *os,
		      size_t n, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_container_list_ struct container_list containers = {};

	if (engine_open(first->backend, scope, first->engine_socket, &engine, err) < 0 ||
	    check_way(scope, engine->socket, err) < 0)
		return -1;
	engine->deadline = now_usec() + patience;
	if (engine->backend->list(engine, &containers, err) < 0) {
		if (!error_forgive(err, EPROTO) && !error_forgive(err, EFBIG))
			return -1;
		ask_each(engine, first, os, n);
		return 0;
	}
	for (size_t k = 0; k < n; k++) {
		const struct instance *i = &os[k].stored->instance;

		if (os[k].stored->problem || !instances_share_engine(i, first))
			continue;
		take_container(find_container(&containers, i->container_name), os[k].container_state,
			       os[k].container_id);
		for (size_t m = 0; m < i->n_dependencies; m++)
			take_container(find_container(&containers, i->dependencies[m].container),
				       os[k].dependency_states[m], os[k].dependency_ids[m]);
	}
	return 0;
}

static void note(struct error *trouble, const struct error *err)
{
	if (!trouble->text[0])
		*trouble = *err;
}

void observe_engines(enum scope scope, uint64_t patience, struct observation *os, size_t n, struct error *trouble)
{
	struct error err;

	for (size_t k = 0; k < n; k++) {
		const struct instance *i = &os[k].stored->instance;
		bool asked = os[k].stored->problem;

		for (size_t m = 0; m < k && !asked; m++)
			asked = !os[m].stored->problem && instances_share_engine(i, &os[m].stored->instance);
		if (!asked && ask_engine(scope, i, patience, &os[k], n - k, &err) < 0)
			note(trouble, &err);
	}
}
