#include <string.h>

#include "backends/container.h"

void container_clear(struct container *c)
{
	for (size_t i = 0; i < c->n_labels; i++) {
		free(c->labels[i].key);
		free(c->labels[i].value);
	}
	free(c->labels);
	free(c->ports);
	for (char **s = c->health_test; s && *s; s++)
		free(*s);
	free(c->health_test);
	for (char **s = c->mounted; s && *s; s++)
		free(*s);
	free(c->mounted);
	for (size_t i = 0; i < c->n_mounts; i++) {
		free(c->mounts[i].name);
		free(c->mounts[i].source);
		free(c->mounts[i].destination);
	}
	free(c->mounts);
	*c = (struct container){};
}

void container_list_clear(struct container_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		container_clear(&l->items[i]);
	free(l->items);
	*l = (struct container_list){};
}

const char *container_label(const struct container *c, const char *key)
{
	for (size_t i = 0; i < c->n_labels; i++) {
		if (strcmp(c->labels[i].key, key) == 0)
			return c->labels[i].value;
	}
	return NULL;
}

bool container_name_is_service(const char *name)
{
	return strspn(name, "0123456789abcdef") == 12 && strcmp(name + 12, "-service") == 0;
}

const char *container_state_name(enum container_state state)
{
	static const char *const names[] = {
		[CONTAINER_UNKNOWN] = "unknown",
		[CONTAINER_CREATED] = "created",
		[CONTAINER_RUNNING] = "running",
		[CONTAINER_PAUSED] = "paused",
		[CONTAINER_RESTARTING] = "restarting",
		[CONTAINER_STOPPING] = "stopping",
		[CONTAINER_REMOVING] = "removing",
		[CONTAINER_EXITED] = "exited",
		[CONTAINER_DEAD] = "dead",
	};

	return names[state];
}
