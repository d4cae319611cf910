#include "control/adopt_containers.h"

#include <stdlib.h>
#include <string.h>

#include "backends/engine.h"
#include "common/clock.h"
#include "common/parse.h"
#include "units/container_unit.h"

#define ENGINE_TIMEOUT (60 * USEC_PER_SEC)

struct container *adopt_find_container(const struct container_list *list, const char *name)
{
	for (size_t k = 0; k < list->n; k++) {
		if (strcmp(list->items[k].name, name) == 0)
			return &list->items[k];
	}
	return NULL;
}

/* "KEY=VALUE". A key that is not printable gets one that nobody knows, and is refused like that. */
static void add_label(struct container *c, const char *text)
{
	struct label *l = &c->labels[c->n_labels];
	const char *equals = strchrnul(text, '=');
	const char *value = *equals ? equals + 1 : "";

	l->key = strndup(text, (size_t)(equals - text));
	if (!l->key)
		return;
	text_make_printable(l->key);
	c->n_labels++;
	l->value = text_is_printable(value) ? strdup(value) : NULL;
}

/* Takes the current labels from the Quadlet of a running container. Other labels may be the image's. */
static bool renew_labels(struct container *c, char *const *labels)
{
	struct label *more;
	size_t n = 0;

	while (labels[n])
		n++;
	more = reallocarray(c->labels, c->n_labels + n + 1, sizeof(*more));
	if (!more)
		return false;
	c->labels = more;
	for (size_t k = 0; k < n; k++) {
		size_t len = strcspn(labels[k], "=");

		for (size_t old = 0; old < c->n_labels; old++) {
			if (strncmp(c->labels[old].key, labels[k], len) == 0 && !c->labels[old].key[len]) {
				free(c->labels[old].key);
				free(c->labels[old].value);
				c->labels[old--] = c->labels[--c->n_labels];
			}
		}
		add_label(c, labels[k]);
	}
	return true;
}

static bool is_of_unit(const struct container *c, const char *unit)
{
	const char *label = container_label(c, UNIT_LABEL);

	return label && unit && strcmp(label, unit) == 0;
}

static bool add_quadlet(void *data, struct container_unit *r)
{
	struct container_list *list = data;
	struct container *more, *c;
	size_t n = 0;

	if (!r->container || !container_name_is_valid(r->container))
		return true;
	c = adopt_find_container(list, r->container);
	if (c)
		return !is_of_unit(c, r->unit) || renew_labels(c, r->labels);
	more = reallocarray(list->items, list->n + 1, sizeof(*more));
	if (!more)
		return false;
	list->items = more;
	c = &more[list->n++];
	*c = (struct container){};
	strcpy(c->name, r->container);
	while (r->labels[n])
		n++;
	c->labels = calloc(n + 1, sizeof(*c->labels));
	for (size_t k = 0; c->labels && k < n; k++)
		add_label(c, r->labels[k]);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct container *)a)->name, ((const struct container *)b)->name);
}

int adopt_list_containers(const struct instance *base, struct manager *m, struct container_list *ret, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;

	container_list_clear(ret);
	if (engine_open(base->backend, base->scope, base->engine_socket, &engine, err) < 0)
		return -1;
	engine->deadline = now_usec() + ENGINE_TIMEOUT;
	if (engine->backend->list(engine, ret, err) < 0)
		return -1;
	if (engine->backend->has_quadlets && container_unit_each(m, add_quadlet, ret, err) < 0)
		return -1;
	if (ret->n > 1)
		qsort(ret->items, ret->n, sizeof(*ret->items), by_name);
	return 0;
}
