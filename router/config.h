/* The administrator's configuration, /etc/sockwake/router.conf, and the user's own, ~/.config/sockwake/router.conf.
 *
 *	[router]
 *	engines = docker, podman		the order in which a user's engines are tried
 *	system = root, group docker, user ci	who uses the system's engine
 *	start = linger				whose manager may be started: running, linger, group NAME
 *	containers = portainer			containers of the system's engine that may use it
 *	learn = yes				note in the journal which rules clients need, and refuse nothing
 *	subordinate = yes			other users than root in a user's own containers are that user
 *	connections = 4096
 *	connections-per-user = 512
 *
 * A section [rules] belongs to rules/rules.h. With it, `system` may be `everybody` and `containers` `all`: for a socket that is
 * handed to those who may use it.
 *
 * The user's own may contain `engines` alone. An unknown key, or a value that is none, is an error that names file and
 * line. A missing file is an empty one.
 *
 * That of a restricted socket, /etc/sockwake/router-NAME.conf, must exist and have rules. `system` is `everybody` there,
 * unless it says something else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

#define CONFIG_PATH	 "/etc/sockwake/router.conf"
#define CONFIG_MAX	 (64UL * 1024) /* bytes */
#define CONFIG_NAMES_MAX 64
#define CONFIG_NAME_MAX	 256
#define CONFIG_LIMIT_MAX 16384 /* of connections */

enum engine_kind { ENGINE_DOCKER, ENGINE_PODMAN, ENGINES };

enum start_policy {
	START_RUNNING, /* none: only the managers that run are used */
	START_LINGER,
	START_GROUP,
};

struct name_list {
	char names[CONFIG_NAMES_MAX][CONFIG_NAME_MAX];
	size_t n;
};

struct id_list {
	unsigned ids[CONFIG_NAMES_MAX];
	size_t n;
};

struct config {
	const char *path;    /* the administrator's file, for messages */
	bool restricted;     /* by the caller: a socket with rules for all */
	bool orders_engines; /* `engines` is there */
	enum engine_kind engines[ENGINES];
	size_t n_engines;
	struct id_list system_users, system_groups; /* root is one of the users unless `system` leaves it out */
	enum start_policy start;
	gid_t start_group;
	struct name_list containers;
	bool all_containers, everybody; /* under rules alone: whoever may connect */
	bool has_rules;			/* there is a section [rules] (rules/rules.h) */
	bool subordinate;		/* a user's containers may use the user's engine under any uid of theirs */
	bool learn;			/* rules are noted in the journal, not enforced */
	unsigned connections, connections_per_user;
};

void config_defaults(struct config *ret);

/* Reads the file over what is in *c. `own`: the user's. */
int config_read(const char *path, bool own, struct config *c, struct error *err);

/* The same for the text of that file, which it changes; NULL: it does not exist. */
int config_parse(const char *path, char *text, bool own, struct config *c, struct error *err);

/* "docker, podman", as in the file, or "" if it says nothing; and back. */
int config_set_engines(struct config *c, const char *words, struct error *err);
void config_print_engines(const struct config *c, char ret[static 32]);

bool id_list_has(const struct id_list *list, unsigned id);

/* "docker", "podman". */
const char *engine_kind_name(enum engine_kind kind);
