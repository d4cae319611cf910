/* The requests of Docker's API, which Podman answers, too: one table of method and path, with the action that the rules name.
 * What is not in the table is refused, whatever the rules say: swarm, plugins, web sockets, and Podman's own API. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "rules/uri.h"

enum endpoint_object { OBJECT_NONE, OBJECT_CONTAINER, OBJECT_NETWORK, OBJECT_VOLUME, OBJECT_IMAGE, OBJECT_EXEC };

enum endpoint_body {
	BODY_NONE,
	BODY_JSON,     /* parsed by the schema; the parsed form is what is sent */
	BODY_OPTIONAL, /* the same, or none */
	BODY_STREAM,   /* as it is: archives and build contexts */
	BODY_ATTACH,   /* none, and the connection becomes a stream */
	BODY_EXEC,     /* JSON, and the connection may become a stream */
	BODY_UPGRADE,  /* none, and the client must ask for another protocol */
};

/* What the JSON of a body may contain (schemas.h). */
enum endpoint_schema {
	SCHEMA_NONE,
	SCHEMA_AUTH,
	SCHEMA_CREATE,
	SCHEMA_CONFIG,
	SCHEMA_UPDATE,
	SCHEMA_EXEC,
	SCHEMA_EXEC_START,
	SCHEMA_NETWORK,
	SCHEMA_CONNECT,
	SCHEMA_DISCONNECT,
	SCHEMA_VOLUME,
	SCHEMA_COUNT
};

enum endpoint_flags {
	ENDPOINT_ALWAYS = 1 << 0,	/* allowed without a rule: tells nothing */
	ENDPOINT_FILTERED = 1 << 1,	/* a list: the label is added to its filters */
	ENDPOINT_UNLABELLED = 1 << 2,	/* shows or touches what does not carry the label: refused if there is one */
	ENDPOINT_MAKES_EXEC = 1 << 3,	/* the answer has the ID of an exec instance, which belongs to the caller */
	ENDPOINT_USES_NETWORK = 1 << 4, /* a container joins or leaves it: it must be one that a container may use */
	ENDPOINT_STARTS = 1 << 5,	/* a container starts, and joins its networks */
	ENDPOINT_WRITES_FILES = 1 << 6, /* the engine writes into the files of a container */
	ENDPOINT_PRUNES = 1 << 7,	/* removes all containers with the label */
	ENDPOINT_REMOVES_VOLUME = 1 << 8,
};

struct endpoint {
	const char *methods; /* "GET" or "HEAD GET" */
	const char *path;    /* '*': the name of the object; that of an image may have several segments */
	const char *action;
	enum endpoint_object object;
	enum endpoint_body body;
	enum endpoint_schema schema;
	unsigned flags;
	const char *query; /* the keys that are allowed: "KEY:GRAMMAR" (query.h); a final '+': several times */
};

/* A key of the query. */
struct endpoint_key {
	char name[32], grammar[16];
	bool repeats;
};

/* The endpoint of a request; NULL: there is none. The name of the object, which is a part of the path, goes to ret_object. */
const struct endpoint *endpoint_find(const char *method, const struct uri *uri, char ret_object[static URI_PATH_MAX]);

/* Refuses keys of the query that the endpoint does not have, or has only once (EINVAL). */
int endpoint_check_query(const struct endpoint *e, const struct uri *uri, struct error *err);

/* Has the endpoint this key? */
bool endpoint_find_key(const struct endpoint *e, const char *name, struct endpoint_key *ret);

/* The path with another name of the object. */
int endpoint_set_object(const struct endpoint *e, struct uri *uri, const char *object, struct error *err);

/* All of them, one after the other; NULL behind the last. */
const struct endpoint *endpoint_at(size_t k);

/* The names of all actions, each once. Returns how many. */
#define ENDPOINT_ACTIONS_MAX 128
size_t endpoint_actions(const char *ret[static ENDPOINT_ACTIONS_MAX]);
