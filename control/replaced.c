#include "control/replaced.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/make.h"
#include "instance/made_container.h"

int replaced_name(const char *name, enum replaced_stage s, char ret[static REPLACED_NAME_MAX], struct error *err)
{
	static const char *const suffixes[] = {[REPLACED_SET_ASIDE] = ".replaced", [REPLACED_DISCARDED] = ".discarded"};

	if (snprintf(ret, REPLACED_NAME_MAX, "%s%s", name, suffixes[s]) < REPLACED_NAME_MAX)
		return 0;
	return error_set(err, ENAMETOOLONG, "the name '%s' is too long for its container to be replaced", name);
}

bool replaced_is_made_for(const struct container *c, const char *name)
{
	const char *label = container_label(c, MADE_LABEL), *image = container_label(c, MADE_OF_LABEL);

	return label && strcmp(label, name) == 0 && image && strcmp(image, c->image) == 0;
}

/* The replacement was interrupted before it removed the old container. The new one may have served clients since. */
static int settle_two(struct engine *e, const char *name, const struct container *now, const struct container *old,
		      struct error *err)
{
	const char *engine = e->backend->name;

	if (now->started)
		return error_set(
			err, EEXIST,
			"a replacement was broken off, and there are two containers now: '%s' is the newer one, "
			"which has run, and '%s' the older one; '%s rm %s', or '%s rm --force %s' and then "
			"'sockwake refresh %s', leaves one of them",
			name, old->name, engine, old->name, engine, name, name);
	return engine_remove_container(e, now->id, err) < 0 ? -1 : engine_rename_container(e, old->id, name, err);
}

/* If a foreign container has the name, the old one keeps its temporary name. */
static int settle_old(struct engine *e, const char *name, enum replaced_stage stage, const struct container *old,
		      struct error *err)
{
	_cleanup_container_ struct container now = {};

	if (e->backend->inspect(e, name, &now, err) < 0)
		return error_forgive(err, ENOENT) ? engine_rename_container(e, old->id, name, err) : -1;
	if (!replaced_is_made_for(&now, name))
		return 0;
	return stage == REPLACED_DISCARDED ? engine_remove_container(e, old->id, err)
					   : settle_two(e, name, &now, old, err);
}

static int settle_stage(struct engine *e, const char *name, enum replaced_stage stage, struct error *err)
{
	_cleanup_container_ struct container old = {};
	char old_name[REPLACED_NAME_MAX];
	struct error ignored;
	int r;

	if (replaced_name(name, stage, old_name, &ignored) < 0)
		return 0; /* no such container can exist */
	if (e->backend->inspect(e, old_name, &old, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	if (!replaced_is_made_for(&old, name))
		return 0;
	/* The engine may have carried out the last request only now. */
	r = settle_old(e, name, stage, &old, err);
	return r < 0 && error_forgive(err, EEXIST) ? settle_old(e, name, stage, &old, err) : r;
}

int replaced_settle(struct engine *e, const char *name, struct error *err)
{
	return settle_stage(e, name, REPLACED_SET_ASIDE, err) < 0 ? -1 : settle_stage(e, name, REPLACED_DISCARDED, err);
}
