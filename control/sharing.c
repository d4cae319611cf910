#include "control/sharing.h"

#include <string.h>

#include "backends/backend.h"
#include "backends/engine.h"
#include "common/io.h"

static const char *find_engine(const struct instance *i, char ret[static PATH_MAX])
{
	char socket[ENGINE_SOCKET_MAX];
	struct error ignored;

	if (engine_find_socket(i->backend, i->scope, i->engine_socket, socket, &ignored) < 0)
		return i->engine_socket ? i->engine_socket : "";
	return path_resolve(socket, ret);
}

bool instances_share_engine(const struct instance *a, const struct instance *b)
{
	char path[PATH_MAX], other[PATH_MAX];

	return a->backend == b->backend && strcmp(find_engine(a, path), find_engine(b, other)) == 0;
}

static bool has_container(const struct instance *i, const char *container)
{
	for (size_t k = 0; k < i->n_dependencies; k++) {
		if (strcmp(i->dependencies[k].container, container) == 0)
			return true;
	}
	return strcmp(i->container_name, container) == 0;
}

bool container_is_shared(const struct instance *i, const char *container, const struct stored_list *all)
{
	for (size_t k = 0; k < all->n; k++) {
		const struct instance *o = &all->items[k].instance;

		if (!all->items[k].problem && strcmp(o->name, i->name) != 0 && has_container(o, container) &&
		    instances_share_engine(o, i))
			return true;
	}
	return false;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool instances_listen_alike(const struct instance *a, const struct instance *b)
{
	for (size_t k = 0; k < a->n_ports && k < b->n_ports; k++) {
		const struct publish *p = &a->ports[k], *q = &b->ports[k];

		if (p->type != q->type || p->port != q->port || strcmp(p->address, q->address) != 0 ||
		    strcmp(p->path, q->path) != 0)
			return false;
	}
	return a->n_ports == b->n_ports && is_same(a->socket_mode, b->socket_mode) &&
	       is_same(a->socket_group, b->socket_group);
}
