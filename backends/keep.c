#include "backends/keep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/make.h"
#include "instance/made_container.h"

const char *anchor_name(const char *container, char ret[static ANCHOR_NAME_MAX])
{
	snprintf(ret, ANCHOR_NAME_MAX, "sockwake-%s-keep", container);
	return ret;
}

static int take(const struct container *c, bool by_unit, struct volumes *ret, struct error *err)
{
	for (size_t k = 0; k < c->n_mounts; k++) {
		const struct container_mount *m = &c->mounts[k];

		if ((m->name ? m->is_local : !by_unit) && volumes_add(ret, m->name, m->source, err) < 0)
			return -1;
	}
	return 0;
}

/* The names of the named volumes, NULL-terminated. */
static void names_of(const struct volumes *v, const char *ret[static VOLUMES_MAX + 1])
{
	size_t n = 0;

	for (size_t k = 0; k < v->n; k++) {
		if (v->items[k].name)
			ret[n++] = v->items[k].name;
	}
	ret[n] = NULL;
}

static bool are_same(const char *const *a, const char *const *b)
{
	for (; *a && *b && strcmp(*a, *b) == 0; a++, b++)
		;
	return !*a && !*b;
}

/* Does the anchor exist? People remove containers that they do not know. */
static bool is_there(struct engine *e, const char *container)
{
	_cleanup_container_ struct container anchor = {};
	char name[ANCHOR_NAME_MAX];
	struct error err;

	return e->backend->inspect(e, anchor_name(container, name), &anchor, &err) == 0 || err.code != ENOENT;
}

/* Sets now->image to the image that is kept afterwards. */
static int keep(struct engine *e, const struct container *c, const struct volumes *before, struct volumes *now,
		struct error *err)
{
	const char *names[VOLUMES_MAX + 1], *kept[VOLUMES_MAX + 1];
	int r = 0;

	names_of(now, names);
	names_of(before, kept);
	if (strcmp(before->image, c->image) != 0 || !are_same(names, kept) || !is_there(e, c->name))
		r = e->backend->keep(e, c->name, c->image, names, err);
	if (r == 0)
		snprintf(now->image, sizeof(now->image), "%s", c->image);
	return r;
}

int volumes_remember(struct engine *e, const char *path, const struct container *c, bool by_unit, struct error *err)
{
	_cleanup_volumes_ struct volumes before = {}, now = {};
	bool is_kept = e->backend->keep && c->image[0] && (by_unit || container_label(c, MADE_LABEL));
	struct error ignored;
	int r = 0;

	(void)volumes_read(path, &before, &ignored);
	if (take(c, by_unit, &now, err) < 0)
		return -1;
	if (is_kept)
		r = keep(e, c, &before, &now, err);
	if (volumes_are_equal(&before, &now))
		return r;
	return volumes_write(path, &now, r < 0 ? &ignored : err) < 0 ? -1 : r;
}

static const struct volume *find(const struct volumes *v, const char *name)
{
	for (size_t k = 0; k < v->n; k++) {
		if (v->items[k].name && strcmp(v->items[k].name, name) == 0)
			return &v->items[k];
	}
	return NULL;
}

/* Are the image and the volumes kept already, by a container that still exists? */
static bool is_kept(struct engine *e, const char *container, const struct volumes *before, const char *image,
		    const char *const *volumes)
{
	for (; *volumes; volumes++) {
		if (!find(before, *volumes))
			return false;
	}
	return strcmp(before->image, image) == 0 && is_there(e, container);
}

/* Adds to the record the volumes that only the anchor has. */
static int add_new(struct engine *e, const char *container, struct volumes *v, struct error *err)
{
	_cleanup_container_ struct container anchor = {};
	char name[ANCHOR_NAME_MAX];

	if (e->backend->inspect(e, anchor_name(container, name), &anchor, err) < 0)
		return -1;
	for (size_t k = 0; k < anchor.n_mounts; k++) {
		const struct container_mount *m = &anchor.mounts[k];

		if (m->name && m->is_local && !find(v, m->name) && volumes_add(v, m->name, m->source, err) < 0)
			return -1;
	}
	snprintf(v->image, sizeof(v->image), "%s", anchor.image);
	return 0;
}

int volumes_keep_new(struct engine *e, const char *path, const char *container, const char *reference,
		     const char *const *volumes, struct error *err)
{
	_cleanup_volumes_ struct volumes v = {};
	_cleanup_image_ struct image image = {};
	struct error ignored;

	if (!e->backend->keep)
		return 0;
	if (engine_find_image(e, reference, &image, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	(void)volumes_read(path, &v, &ignored);
	if (is_kept(e, container, &v, image.id, volumes))
		return 0;
	if (e->backend->keep(e, container, image.id, volumes, err) < 0 || add_new(e, container, &v, err) < 0)
		return -1;
	return volumes_write(path, &v, err);
}

int volumes_forget(struct engine *e, const char *path, const char *container, struct error *err)
{
	if (e->backend->let_go && e->backend->let_go(e, container, err) < 0)
		return -1;
	return volumes_write(path, &(struct volumes){}, err);
}
