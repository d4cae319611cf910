#include "router/admission.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "router/ask.h"
#include "router/system_engine.h"

#define CONTAINER   "container-"
#define ID_LEAST    12 /* digits of an identifier that stand for it */
#define INSPECT_MAX (256UL * 1024)

void owner_of_user(uid_t uid, char ret[static OWNER_MAX])
{
	(void)snprintf(ret, OWNER_MAX, "uid-%u", (unsigned)uid);
}

void owner_of_container(const char *id, uid_t uid, char ret[static OWNER_MAX])
{
	(void)snprintf(ret, OWNER_MAX, CONTAINER "%s-%u", id, (unsigned)uid);
}

/* The container that was asked about last, and its name. */
static struct {
	char id[OWNER_MAX], name[CONFIG_NAME_MAX];
} known;

static int name_of(const char *engine_socket, const char *id, char ret[static CONFIG_NAME_MAX], struct error *err)
{
	_cleanup_close_ int fd = system_engine_connect(engine_socket, 0, err);
	_cleanup_free_ char *answer = malloc(INSPECT_MAX);
	char path[OWNER_MAX + 32];
	cJSON *root;
	const char *name;

	if (fd < 0)
		return -1;
	if (!answer)
		return error_set(err, ENOMEM, "out of memory");
	(void)snprintf(path, sizeof(path), "/containers/%s/json", id);
	if (ask_engine(fd, path, answer, INSPECT_MAX, err) < 0)
		return -1;
	root = cJSON_Parse(answer);
	name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "Name"));
	(void)snprintf(ret, CONFIG_NAME_MAX, "%s", !name ? "" : name + (*name == '/'));
	cJSON_Delete(root);
	return 0;
}

/* A name may pass to another container; the identifier does not. */
static int look_up(const char *engine_socket, const char *id, struct error *err)
{
	if (strcmp(known.id, id) == 0)
		return 0;
	if (name_of(engine_socket, id, known.name, err) < 0) {
		*known.id = '\0';
		return -1;
	}
	(void)snprintf(known.id, sizeof(known.id), "%s", id);
	return 0;
}

static bool is_named(const struct config *c, const char *id, const char *name)
{
	for (size_t i = 0; i < c->containers.n; i++) {
		const char *listed = c->containers.names[i];

		if (strcmp(listed, name) == 0 ||
		    (strlen(listed) >= ID_LEAST && strncmp(listed, id, strlen(listed)) == 0))
			return true;
	}
	return false;
}

int admission_check(const struct config *c, const char *engine_socket, const char *owner, struct error *err)
{
	char id[OWNER_MAX];

	if (strncmp(owner, CONTAINER, strlen(CONTAINER)) != 0 || c->all_containers)
		return 0;
	(void)snprintf(id, sizeof(id), "%s", owner + strlen(CONTAINER));
	id[strcspn(id, "-")] = '\0';
	if (look_up(engine_socket, id, err) < 0) {
		if (err->code != ENOENT)
			return -1;
		return error_set(err, EPERM, "a container that is not the system engine's may not use this socket");
	}
	if (is_named(c, id, known.name))
		return 0;
	return error_set(
		err, EPERM,
		"the container '%s' may not use this socket; the administrator can allow it: containers = %s in %s",
		known.name, known.name, c->path);
}
