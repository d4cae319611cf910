#include "control/lost.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "control/note.h"
#include "units/quadlet.h"

void lost_note_writes(const struct create_request *r)
{
	if (r->as_quadlet && !(r->to_make.volumes && r->to_make.volumes[0]))
		note_print("the container is removed whenever it sleeps, and what it wrote goes with it: to keep a "
			   "directory, give the same command with --force -v NAME:/PATH");
}

/* "SOURCE:DESTINATION", without options. */
static size_t place_length(const char *volume)
{
	size_t len = strcspn(volume, ":");

	return volume[len] ? len + 1 + strcspn(volume + len + 1, ":") : len;
}

static bool is_mounted(const struct made_container *o, const char *volume)
{
	size_t len = place_length(volume);

	for (char **v = o->volumes; v && *v; v++) {
		if (place_length(*v) == len && strncmp(*v, volume, len) == 0)
			return true;
	}
	return false;
}

/* A person may have written more than -v accepts: specifiers, or a Quadlet file. */
static bool is_option(char *volume, const struct made_container *o)
{
	struct made_container one = {.image = o->image, .volumes = (char *[]){volume, NULL}};
	struct error ignored;

	return quadlet_undouble(volume) && made_container_validate(&one, &ignored) == 0;
}

static void note_lost_line(const struct create_request *r, const char *key, const char *value, const char *path)
{
	note_print("the new Quadlet lacks the line '%s=%s' of the one that was replaced: write it into '%s', then run "
		   "'systemctl %sdaemon-reload'",
		   key, value, path, r->instance.scope == SCOPE_USER ? "--user " : "");
}

static void note_lost(const char *what, const char *volume)
{
	note_print("the new %s lacks the volume '%s' of the one that was replaced: to keep it, give the same command "
		   "with --force -v '%s'",
		   what, volume, volume);
}

static void note_lost_volume(const struct create_request *r, const char *value, const char *path)
{
	_cleanup_free_ char *volume = strdup(value);

	if (!volume)
		return;
	if (!is_option(volume, &r->to_make))
		note_lost_line(r, "Volume", value, path);
	else if (!is_mounted(&r->to_make, volume))
		note_lost("Quadlet", volume);
}

void lost_note_volumes(const struct create_request *r, const char *before, const char *path)
{
	_cleanup_free_ char *volumes = strdup(before), *mounts = strdup(before);
	struct quadlet_reader reader = {.rest = volumes};

	for (const char *value; (value = quadlet_next(&reader, "Volume"));) {
		if (*value)
			note_lost_volume(r, value, path);
	}
	reader = (struct quadlet_reader){.rest = mounts};
	for (const char *value; (value = quadlet_next(&reader, "Mount"));)
		note_lost_line(r, "Mount", value, path);
}

void lost_note_mounts(const struct create_request *r, const struct container *before)
{
	for (size_t k = 0; k < before->n_mounts; k++) {
		const struct container_mount *m = &before->mounts[k];
		_cleanup_free_ char *volume = NULL;

		if (!m->destination[0] || asprintf(&volume, "%s:%s", m->name ? m->name : m->source, m->destination) < 0)
			continue;
		if (!is_mounted(&r->to_make, volume))
			note_lost("container", volume);
	}
}
