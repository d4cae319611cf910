/* The rules of a socket: what its callers may ask the engine for. Everything else is refused.
 *
 * The section [rules] of a configuration file. Lines are `key = value…`, words are separated by blanks, and a repeated key
 * adds to the earlier ones; '#' begins a comment line. Other sections belong to others. rules.c has the table of keys. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

struct rules;

enum rules_key {
	RULES_ALLOW, /* names of actions (endpoint.h) */
	RULES_LABEL, /* one KEY=VALUE: only what carries it is seen or touched */

	/* what a container may be created with */
	RULES_BIND, /* directories of the host: exactly this one, or with "/" and "*" at the end, all below it */
	RULES_BIND_READ_ONLY, /* the same, read-only */
	RULES_VOLUME,	      /* volumes that do not carry the label */
	RULES_VOLUME_DRIVER,
	RULES_VOLUME_OPTIONS, /* yes: any option of a volume's driver */
	RULES_VOLUMES_FROM,   /* yes */
	RULES_PROPAGATION,    /* shared, rshared, slave, rslave */
	RULES_PRIVILEGED,     /* yes */
	RULES_EXEC_PRIVILEGED,
	RULES_CAPABILITY, /* NET_ADMIN, … or ALL */
	RULES_DEVICE,	  /* the paths of devices */
	RULES_DEVICE_RULES,
	RULES_GPUS,
	RULES_NETWORK, /* host, container, and networks that do not carry the label */
	RULES_NETWORK_DRIVER,
	RULES_NETWORK_OPTIONS,
	RULES_PUBLISH, /* yes: ports of the host */
	RULES_PID,     /* host, container */
	RULES_IPC,     /* host, container */
	RULES_UTS,     /* host */
	RULES_CGROUP_NAMESPACE,
	RULES_USER_NAMESPACE,
	RULES_CGROUP_PARENT,
	RULES_ANNOTATION,      /* their names */
	RULES_SECURITY_OPTION, /* "seccomp=unconfined", or "seccomp" for each of its values */
	RULES_UNMASK,	       /* yes: other masked and read-only paths than the engine's own */
	RULES_RESTART,	       /* always, unless-stopped, on-failure */
	RULES_SYSCTL,	       /* their names */
	RULES_RUNTIME,	       /* names of OCI runtimes */
	RULES_LOG_DRIVER,      /* beside json-file, local, journald, k8s-file and none */
	RULES_LOG_OPTION,      /* their names, beside those of size, rotation and labels */
	RULES_STORAGE_OPTIONS, /* yes */
	RULES_ULIMITS,	       /* yes */
	RULES_OOM,	       /* yes: a negative oom_score_adj, and no OOM killer */
	RULES_REALTIME,	       /* yes: processor time of realtime scheduling */
	RULES_KEYS
};

/* Reads the section [rules] of the file. *ret belongs to the caller; it is NULL if the file has no such section. Errors name
 * file and line. */
int rules_read(const char *path, struct rules **ret, struct error *err);

/* The same for the text of that file, which it changes. */
int rules_parse(const char *path, char *text, struct rules **ret, struct error *err);

void rules_free(struct rules **r);

/* Do the rules name this value for this key? For keys that are yes or no, value is "yes". */
bool rules_grant(const struct rules *r, enum rules_key key, const char *value);

/* Do they name exactly this value? A path that a rule for all below a directory covers is granted, but not named. */
bool rules_names(const struct rules *r, enum rules_key key, const char *value);

/* The label, or NULL. The strings belong to the rules. */
const char *rules_label(const struct rules *r);	      /* KEY=VALUE */
const char *rules_label_key(const struct rules *r);   /* KEY */
const char *rules_label_value(const struct rules *r); /* VALUE */

const char *rules_key_name(enum rules_key key);

/* The file that they were read from. */
const char *rules_file(const struct rules *r);

#define _cleanup_rules_ _cleanup_(rules_free)
