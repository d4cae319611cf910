/* depends_on is a label of each container, com.docker.compose.depends_on: "SERVICE:CONDITION:RESTART,…", or
 * "SERVICE,…" from compose before 2.6, and empty if there is nothing (docker/compose, pkg/compose/create.go). The
 * label com.docker.compose.service names a container's service. podman-compose writes the same labels except
 * depends_on.
 *
 * The walk is depth first: it visits a container before it adds those that depend on it, each once, so it reads each
 * label once. Compose refuses cycles; labels from elsewhere may have them.
 */
#include "control/project.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE_LABEL	 "com.docker.compose.service"
#define DEPENDS_ON_LABEL "com.docker.compose.depends_on"
#define DEPENDS_ON_MAX	 8192 /* bytes */

struct walk {
	const struct container *others[PROJECT_MAX]; /* in order of creation */
	bool visited[PROJECT_MAX];
	size_t n;
	const char *way[PROJECT_MAX + 1]; /* the services from the first to the current one */
	size_t depth;
	struct project_dependency *needed;
	size_t n_needed;
};

static const char *project_of(const struct container *c)
{
	const char *project = container_label(c, "com.docker.compose.project");

	return project ? project : container_label(c, "io.podman.compose.project");
}

static const char *service_of(const struct container *c)
{
	const char *service = container_label(c, SERVICE_LABEL);

	return service ? service : "";
}

bool project_exists(const struct container *c)
{
	return project_of(c) || c->pod[0];
}

bool project_includes(const struct container *c, const struct container *other)
{
	const char *project = project_of(c), *of_other = project_of(other);
	const char *once = container_label(other, "com.docker.compose.oneoff");

	if (strcmp(c->id, other->id) == 0 || other->is_infra || (once && strcasecmp(once, "true") == 0))
		return false;
	return project ? of_other && strcmp(project, of_other) == 0 : c->pod[0] && strcmp(c->pod, other->pod) == 0;
}

static int by_creation(const void *a, const void *b)
{
	const struct container *x = *(const struct container *const *)a, *y = *(const struct container *const *)b;

	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Of several conditions for one container the strictest counts. */
static int add(struct walk *w, const struct project_dependency *d, struct error *err)
{
	for (size_t k = 0; k < w->n_needed; k++) {
		if (w->needed[k].container == d->container) {
			w->needed[k].healthy |= d->healthy;
			w->needed[k].completed |= d->completed;
			return 0;
		}
	}
	if (w->n_needed == INSTANCE_DEPENDENCIES_MAX)
		return error_set(err, E2BIG,
				 "its project has more than %d other containers: name those it needs with --with",
				 INSTANCE_DEPENDENCIES_MAX);
	w->needed[w->n_needed++] = *d;
	return 0;
}

static bool is_word(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && strncmp(s, word, len) == 0;
}

static bool is_on_the_way(const struct walk *w, const char *service, size_t len)
{
	for (size_t k = 0; k < w->depth; k++) {
		if (is_word(service, len, w->way[k]))
			return true;
	}
	return false;
}

static int visit(struct walk *w, const struct container *c, struct error *err);

/* One entry, up to a comma. */
static int follow(struct walk *w, const char *entry, size_t len, struct error *err)
{
	const char *end = entry + len, *colon = memchr(entry, ':', len);
	const char *condition = colon ? colon + 1 : end, *behind = memchr(condition, ':', (size_t)(end - condition));
	size_t name = colon ? (size_t)(colon - entry) : len, word = (size_t)((behind ? behind : end) - condition);
	bool found = false;

	if (is_on_the_way(w, entry, name))
		return error_set(err, ELOOP,
				 "the services of its project depend on each other in a circle, at '%.*s': name the "
				 "containers with --with",
				 name > 100 ? 100 : (int)name, entry);
	for (size_t k = 0; k < w->n; k++) {
		if (!is_word(entry, name, service_of(w->others[k])))
			continue;
		found = true;
		if (!w->visited[k]) {
			w->visited[k] = true;
			if (visit(w, w->others[k], err) < 0)
				return -1;
		}
		if (add(w,
			&(struct project_dependency){
				.container = w->others[k],
				.healthy = is_word(condition, word, "service_healthy"),
				.completed = is_word(condition, word, "service_completed_successfully"),
			},
			err) < 0)
			return -1;
	}
	return found ? 0
		     : error_set(err, ENOENT,
				 "its project needs the service '%.*s', which has no container: create that first, or "
				 "name the containers with --with",
				 name > 100 ? 100 : (int)name, entry);
}

/* Adds the dependencies of the container. */
static int visit(struct walk *w, const struct container *c, struct error *err)
{
	const char *text = container_label(c, DEPENDS_ON_LABEL);
	size_t len;

	if (!text || !*text)
		return 0;
	if (strlen(text) > DEPENDS_ON_MAX)
		return error_set(err, E2BIG, "the label " DEPENDS_ON_LABEL " of '%s' is longer than %d bytes", c->name,
				 DEPENDS_ON_MAX);
	w->way[w->depth++] = service_of(c);
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (follow(w, text, len, err) < 0)
			return -1;
		if (!text[len])
			break;
	}
	w->depth--;
	return 0;
}

int project_order(const struct container *own, const struct container *others, size_t n,
		  struct project_dependency ret[static INSTANCE_DEPENDENCIES_MAX], size_t *ret_n, struct error *err)
{
	struct walk w = {.n = n, .needed = ret};

	*ret_n = 0;
	if (n > PROJECT_MAX)
		return error_set(err, E2BIG, "its project has more than %d containers: name those it needs with --with",
				 PROJECT_MAX);
	for (size_t k = 0; k < n; k++)
		w.others[k] = &others[k];
	qsort(w.others, n, sizeof(*w.others), by_creation);
	if (project_of(own) && container_label(own, DEPENDS_ON_LABEL)) {
		if (visit(&w, own, err) < 0)
			return -1;
	} else {
		for (size_t k = 0; k < n; k++) {
			if (add(&w, &(struct project_dependency){.container = w.others[k]}, err) < 0)
				return -1;
		}
	}
	*ret_n = w.n_needed;
	return 0;
}
