#include "control/lost.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "control/note.h"
#include "units/quadlet.h"

void lost_note_writes(const struct create_request *r)
{
	if (r->to_make.volumes && r->to_make.volumes[0])
		return;
	note_print("%s, and what it wrote goes with it: to keep a directory, give the same command with --force -v "
		   "NAME:/PATH",
		   r->as_quadlet ? "the container is removed whenever it sleeps"
				 : "--force removes the container if its image or its own options change");
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

/* What the new one would lack. */
struct lost {
	FILE *options;	/* -v 'VOLUME' for each */
	char line[256]; /* of a Quadlet, which no option writes; "" for none */
	unsigned n;
};

static void find_lost(struct lost *l, const struct create_request *r, const char *volume)
{
	if (!is_mounted(&r->to_make, volume))
		fprintf(l->options, "%s-v '%s'", l->n++ ? " " : "", volume);
}

static void find_lost_line(struct lost *l, const char *key, const char *value)
{
	if (!l->line[0])
		snprintf(l->line, sizeof(l->line), "%s=%.200s", key, value);
}

static void find_in_quadlet(struct lost *l, const struct create_request *r, const char *before)
{
	_cleanup_free_ char *volumes = strdup(before), *mounts = strdup(before);
	struct quadlet_reader reader = {.rest = volumes};

	for (const char *value; volumes && (value = quadlet_next(&reader, "Volume"));) {
		_cleanup_free_ char *volume = strdup(value);

		if (!volume || !*volume)
			continue;
		if (is_option(volume, &r->to_make))
			find_lost(l, r, volume);
		else
			find_lost_line(l, "Volume", value);
	}
	reader = (struct quadlet_reader){.rest = mounts};
	for (const char *value; mounts && (value = quadlet_next(&reader, "Mount"));)
		find_lost_line(l, "Mount", value);
}

static void find_in_container(struct lost *l, const struct create_request *r, const struct container *before)
{
	for (size_t k = 0; k < before->n_mounts; k++) {
		const struct container_mount *m = &before->mounts[k];
		_cleanup_free_ char *volume = NULL;

		if (m->destination[0] && asprintf(&volume, "%s:%s", m->name ? m->name : m->source, m->destination) >= 0)
			find_lost(l, r, volume);
	}
}

/* what: the words for what is replaced, with its name. */
static int refuse(const struct lost *l, const char *options, const char *what, struct error *err)
{
	if (l->n)
		return error_set(err, EEXIST,
				 "the new container would lack %s of the %s: %s %s, or give %s up with --drop-volumes "
				 "(the data stays where it is)",
				 l->n == 1 ? "a volume" : "volumes", what,
				 l->n == 1 ? "keep it with" : "keep them with", options, l->n == 1 ? "it" : "them");
	if (l->line[0])
		return error_set(err, EEXIST,
				 "'create --image' cannot write the line '%s' of the %s: change that file instead of "
				 "replacing it, or give the line up with --drop-volumes (the data stays where it is)",
				 l->line, what);
	return 0;
}

static int check(const struct create_request *r, const char *quadlet, const struct container *container,
		 const char *what, struct error *err)
{
	_cleanup_free_ char *options = NULL;
	struct lost l = {};
	size_t size;

	if (r->drop_volumes)
		return 0;
	l.options = open_memstream(&options, &size);
	if (!l.options)
		return error_errno(err, ENOMEM, "cannot compare volumes");
	if (quadlet)
		find_in_quadlet(&l, r, quadlet);
	if (container)
		find_in_container(&l, r, container);
	if (fclose(l.options) != 0)
		return error_errno(err, ENOMEM, "cannot compare volumes");
	return refuse(&l, options, what, err);
}

int lost_check_quadlet(const struct create_request *r, const char *before, const char *path, struct error *err)
{
	char what[PATH_MAX + 32];

	snprintf(what, sizeof(what), "Quadlet '%s' that it replaces", path);
	return check(r, before, NULL, what, err);
}

int lost_check_container(const struct create_request *r, const struct container *before, struct error *err)
{
	char what[CONTAINER_NAME_SIZE + 48];

	snprintf(what, sizeof(what), "container '%s' that it replaces", before->name);
	return check(r, NULL, before, what, err);
}
