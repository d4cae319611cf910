#include "activator/claims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "backends/engine.h"
#include "common/io.h"
#include "units/kube_file.h"
#include "units/run_command.h"
#include "units/yaml_library.h"

void claims_clear(struct claims *c)
{
	free(c->items);
	*c = (struct claims){};
}

/* What is too long is no name. */
static int add(struct claims *c, const char *unit, const char *name, bool is_pod, bool is_labelled, struct error *err)
{
	struct claim *one;

	for (size_t k = 0; k < c->n; k++) {
		one = &c->items[k];
		if (one->is_pod == is_pod && strcmp(one->unit, unit) == 0 && strcmp(one->name, name) == 0)
			return 0;
	}
	one = reallocarray(c->items, c->n + 1, sizeof(*one));
	if (!one)
		return error_errno(err, ENOMEM, "cannot look at the units");
	c->items = one;
	one = &c->items[c->n];
	if (strlen(unit) >= sizeof(one->unit) || strlen(name) >= sizeof(one->name))
		return 0;
	*one = (struct claim){.is_pod = is_pod, .is_labelled = is_labelled};
	strcpy(one->unit, unit);
	strcpy(one->name, name);
	c->n++;
	return 0;
}

struct search {
	struct claims *claims;
	struct unit *manager; /* any unit of it */
	const char *unit;
};

/* A file that cannot be read is the unit's own trouble: it replaces nothing. */
static int add_pods_of(struct search *s, const char *path, struct error *err)
{
	char pods[KUBE_PODS_MAX][KUBE_POD_MAX];
	_cleanup_free_ char *text = NULL;
	struct error ignored;
	size_t n;

	if (file_read(AT_FDCWD, path, KUBE_FILE_MAX, &text, NULL, &ignored) < 0)
		return 0;
	if (yaml_load(err) < 0)
		return -1;
	n = kube_file_pods(text, pods);
	for (size_t k = 0; k < n; k++) {
		if (add(s->claims, s->unit, pods[k], true, true, err) < 0)
			return -1;
	}
	return 0;
}

/* Most commands remove nothing: only then is asked for the labels. */
static int take(void *data, const char *const *argv, struct error *err)
{
	struct search *s = data;
	struct run_command command;
	bool makes_pod = run_command_parse_pod(argv, &command);

	if ((!makes_pod && !run_command_parse(argv, &command)) || !command.replaces)
		return 0;
	if (command.kube)
		return unit_labels_pods(s->manager, s->unit) ? add_pods_of(s, command.kube, err) : 0;
	if (!command.container || (makes_pod && !unit_labels_pods(s->manager, s->unit)))
		return 0;
	return add(s->claims, s->unit, command.container, makes_pod,
		   makes_pod || unit_labels_containers(s->manager, s->unit), err);
}

static int find(struct unit *u, const char *unit, struct claims *ret, struct error *err)
{
	struct search s = {ret, u, unit};

	return unit_each_command(u, unit, "ExecStartPre", take, &s, err) < 0 ||
			       unit_each_command(u, unit, "ExecStart", take, &s, err) < 0
		       ? -1
		       : 0;
}

static int find_own(struct unit *u, const struct options *o, struct claims *ret, struct error *err)
{
	if (unit_is_container_quadlet(u, o->unit))
		return add(ret, o->unit, o->container, false, true, err);
	if (unit_labels_containers(u, o->unit) && add(ret, o->unit, o->container, false, true, err) < 0)
		return -1;
	return find(u, o->unit, ret, err);
}

int claims_find(struct unit *u, const struct options *o, const struct needs *needs, struct claims *ret,
		struct error *err)
{
	*ret = (struct claims){};
	if (!engine_backend(o->backend)->has_quadlets)
		return 0;
	if (find_own(u, o, ret, err) < 0)
		return -1;
	for (size_t k = 0; k < needs->n; k++) {
		if (find(u, needs->items[k].name, ret, err) < 0)
			return -1;
	}
	return 0;
}
