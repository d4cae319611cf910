/* Any labels, a line "KEY=VALUE" each (without "=": an unprintable value), never affect anything but their container:
 * cli/labels.h.
 *
 * floor: 410 */
#include "cli/labels.h"
#include "control/wish.h"
#include "instance/json.h"
#include "tests/fuzz/fuzz.h"

#define LABELS_MAX 64
#define SOCKET	   "/run/podman/podman.sock"

static size_t split(char *text, struct label ret[static LABELS_MAX])
{
	size_t n = 0;

	for (char *line; n < LABELS_MAX && (line = strsep(&text, "\n"));) {
		char *value = strchr(line, '=');

		if (value)
			*value++ = '\0';
		ret[n++] = (struct label){.key = line, .value = value};
	}
	return n;
}

static void check_health_check(const char *s)
{
	static const char *const words[] = {"listen", "postgres", "redis", "greeting", "http", "healthy", "none"};
	bool known = !s || strncmp(s, "http:", 5) == 0;

	for (size_t k = 0; !known && k < sizeof(words) / sizeof(*words); k++)
		known = strcmp(s, words[k]) == 0;
	CHECK(known);
}

static void check(const struct create_request *r)
{
	const struct instance *i = &r->instance;
	_cleanup_free_ char *json = instance_to_json(i);
	_cleanup_instance_ struct instance same = {};
	struct error err;

	CHECK(i->adopted && i->scope == SCOPE_SYSTEM && i->backend == BACKEND_PODMAN);
	CHECK(i->n_ports > 0 && !i->unit && !i->user && !i->drop_in && !i->socket_mode && !i->socket_group);
	CHECK(strcmp(i->container_name, "pg") == 0 && strcmp(i->engine_socket, SOCKET) == 0);
	CHECK(!r->to_make.image && !r->force && !r->dry_run && !r->as_quadlet);
	for (size_t k = 0; k < i->n_ports; k++)
		CHECK(!i->ports[k].path[0]);
	check_health_check(i->health_check);
	for (size_t k = 0; k < i->n_dependencies; k++)
		check_health_check(i->dependencies[k].health_check);
	CHECK(json && instance_from_json(json, &same, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct instance base = {
		.scope = SCOPE_SYSTEM, .backend = BACKEND_PODMAN, .engine_socket = (char *)SOCKET};
	_cleanup_create_request_ struct create_request r = {};
	_cleanup_free_ char *text = text_of(data, size);
	struct label labels[LABELS_MAX];
	struct container c = {.name = "pg", .labels = labels};
	struct error err = {};

	c.n_labels = split(text, labels);
	(void)wish_is_there(&c);
	if (labels_to_request(&c, &base, &r, &err) == 0)
		check(&r);
	else
		CHECK(err.text[0]);
	return 0;
}
