#include "rules/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

#define BUILD_QUERY                                                                                                    \
	"t:new-image+ dockerfile:file remote:address q:flag nocache:flag rm:flag forcerm:flag "                        \
	"pull:flag memory:number memswap:number cpushares:number cpusetcpus:processors "                               \
	"cpusetmems:processors cpuquota:number cpuperiod:number buildargs:map shmsize:number "                         \
	"squash:flag labels:map networkmode:text platform:platform target:word extrahosts:text+ "                      \
	"cachefrom:list ulimits:objects session:word buildid:word version:word isolation:word "                        \
	"cgroupparent:text securityopt:text+ outputs:no-output"

static const struct endpoint endpoints[] = {
	{"HEAD GET", "/_ping", "system.ping", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_ALWAYS, ""},
	{"GET", "/version", "system.version", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"GET", "/info", "system.info", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"GET", "/events", "system.events", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED,
	 "since:time until:time filters:filters"},
	{"GET", "/system/df", "system.df", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_UNLABELLED,
	 "type:word+ verbose:flag"},
	{"POST", "/auth", "system.auth", OBJECT_NONE, BODY_JSON, SCHEMA_AUTH, 0, ""},

	{"GET", "/containers/json", "containers.list", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED,
	 "all:flag limit:number size:flag trunc_cmd:flag since:name before:name filters:filters"},
	{"POST", "/containers/create", "containers.create", OBJECT_NONE, BODY_JSON, SCHEMA_CREATE, 0,
	 "name:name platform:platform"},
	{"POST", "/containers/prune", "containers.prune", OBJECT_NONE, BODY_NONE, SCHEMA_NONE,
	 ENDPOINT_FILTERED | ENDPOINT_PRUNES, "filters:filters"},
	{"GET", "/containers/*/json", "containers.inspect", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "size:flag"},
	{"GET", "/containers/*/top", "containers.top", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "ps_args:ps-args"},
	{"GET", "/containers/*/logs", "containers.logs", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0,
	 "follow:flag stdout:flag stderr:flag since:time until:time timestamps:flag tail:count "
	 "details:flag"},
	{"GET", "/containers/*/changes", "containers.changes", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"GET", "/containers/*/export", "containers.export", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"GET", "/containers/*/stats", "containers.stats", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0,
	 "stream:flag one-shot:flag"},
	{"HEAD GET", "/containers/*/archive", "containers.copy-from", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0,
	 "path:path"},
	{"PUT", "/containers/*/archive", "containers.copy-to", OBJECT_CONTAINER, BODY_STREAM, SCHEMA_NONE,
	 ENDPOINT_WRITES_FILES, "path:path noOverwriteDirNonDir:flag copyUIDGID:flag"},
	{"POST", "/containers/*/resize", "containers.resize", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0,
	 "h:number w:number"},
	{"POST", "/containers/*/start", "containers.start", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, ENDPOINT_STARTS,
	 "detachKeys:keys"},
	{"POST", "/containers/*/stop", "containers.stop", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0,
	 "signal:word t:number"},
	{"POST", "/containers/*/restart", "containers.restart", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE,
	 ENDPOINT_STARTS, "signal:word t:number"},
	{"POST", "/containers/*/kill", "containers.kill", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "signal:word"},
	{"POST", "/containers/*/update", "containers.update", OBJECT_CONTAINER, BODY_JSON, SCHEMA_UPDATE, 0, ""},
	{"POST", "/containers/*/rename", "containers.rename", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "name:name"},
	{"POST", "/containers/*/pause", "containers.pause", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"POST", "/containers/*/unpause", "containers.unpause", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"POST", "/containers/*/attach", "containers.attach", OBJECT_CONTAINER, BODY_ATTACH, SCHEMA_NONE, 0,
	 "detachKeys:keys logs:flag stream:flag stdin:flag stdout:flag stderr:flag"},
	{"POST", "/containers/*/wait", "containers.wait", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0,
	 "condition:word"},
	{"DELETE", "/containers/*", "containers.remove", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0,
	 "v:flag force:flag link:flag"},
	{"POST", "/containers/*/exec", "containers.exec", OBJECT_CONTAINER, BODY_JSON, SCHEMA_EXEC, ENDPOINT_MAKES_EXEC,
	 ""},
	{"POST", "/exec/*/start", "containers.exec", OBJECT_EXEC, BODY_EXEC, SCHEMA_EXEC_START, 0, ""},
	{"POST", "/exec/*/resize", "containers.exec", OBJECT_EXEC, BODY_NONE, SCHEMA_NONE, 0, "h:number w:number"},
	{"GET", "/exec/*/json", "containers.exec", OBJECT_EXEC, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"POST", "/commit", "images.commit", OBJECT_CONTAINER, BODY_OPTIONAL, SCHEMA_CONFIG, 0,
	 "container:name repo:new-image tag:tag comment:text author:text pause:flag "
	 "changes:instruction+"},

	{"GET", "/images/json", "images.list", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0,
	 "all:flag filters:filters filter:text digests:flag shared-size:flag manifests:flag "
	 "only_ids:flag"},
	{"POST", "/images/create?fromSrc", "images.import", OBJECT_NONE, BODY_STREAM, SCHEMA_NONE, 0,
	 "fromSrc:stdin repo:new-image tag:tag message:text changes:instruction+ platform:platform"},
	{"POST", "/images/create", "images.pull", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0,
	 "fromImage:image repo:image tag:tag platform:platform"},
	{"GET", "/images/search", "images.search", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0,
	 "term:text limit:number filters:filters"},
	{"POST", "/images/load", "images.load", OBJECT_NONE, BODY_STREAM, SCHEMA_NONE, 0,
	 "quiet:flag platform:platform+"},
	{"POST", "/images/prune", "images.prune", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0, "filters:filters"},
	{"GET", "/images/get", "images.save", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0,
	 "names:image+ platform:platform+"},
	{"GET", "/images/*/get", "images.save", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, "platform:platform+"},
	{"GET", "/images/*/json", "images.inspect", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0,
	 "manifests:flag platform:platform"},
	{"GET", "/images/*/history", "images.history", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, "platform:platform"},
	{"POST", "/images/*/push", "images.push", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, "tag:tag platform:platform"},
	{"POST", "/images/*/tag", "images.tag", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0,
	 "repo:new-image tag:tag force:flag"},
	{"DELETE", "/images/*", "images.remove", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0,
	 "force:flag noprune:flag platforms:platform+"},
	{"GET", "/distribution/*/json", "images.distribution", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"POST", "/build", "images.build", OBJECT_NONE, BODY_STREAM, SCHEMA_NONE, 0, BUILD_QUERY},
	{"POST", "/build/cancel", "images.build", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0, "id:word"},
	{"POST", "/session", "images.build", OBJECT_NONE, BODY_UPGRADE, SCHEMA_NONE, 0, ""},
	{"POST", "/grpc", "images.build", OBJECT_NONE, BODY_UPGRADE, SCHEMA_NONE, 0, ""},
	{"POST", "/build/prune", "images.build-prune", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0,
	 "all:flag filters:filters keep-storage:number reserved-space:number max-used-space:number "
	 "min-free-space:number"},

	{"GET", "/networks", "networks.list", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED,
	 "filters:filters"},
	{"POST", "/networks/create", "networks.create", OBJECT_NONE, BODY_JSON, SCHEMA_NETWORK, 0, ""},
	{"POST", "/networks/prune", "networks.prune", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED,
	 "filters:filters"},
	{"GET", "/networks/*", "networks.inspect", OBJECT_NETWORK, BODY_NONE, SCHEMA_NONE, 0,
	 "verbose:flag scope:word"},
	{"DELETE", "/networks/*", "networks.remove", OBJECT_NETWORK, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"POST", "/networks/*/connect", "networks.connect", OBJECT_NETWORK, BODY_JSON, SCHEMA_CONNECT,
	 ENDPOINT_USES_NETWORK, ""},
	{"POST", "/networks/*/disconnect", "networks.disconnect", OBJECT_NETWORK, BODY_JSON, SCHEMA_DISCONNECT,
	 ENDPOINT_USES_NETWORK, ""},

	{"GET", "/volumes", "volumes.list", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED, "filters:filters"},
	{"POST", "/volumes/create", "volumes.create", OBJECT_NONE, BODY_JSON, SCHEMA_VOLUME, 0, ""},
	{"POST", "/volumes/prune", "volumes.prune", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED,
	 "filters:filters"},
	{"GET", "/volumes/*", "volumes.inspect", OBJECT_VOLUME, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"DELETE", "/volumes/*", "volumes.remove", OBJECT_VOLUME, BODY_NONE, SCHEMA_NONE, ENDPOINT_REMOVES_VOLUME,
	 "force:flag"},
};

#define ENDPOINTS (sizeof(endpoints) / sizeof(endpoints[0]))

/* Is the method one of those, which are separated by blanks? */
static bool has_method(const char *methods, const char *method)
{
	size_t len = strlen(method);

	while (*methods) {
		size_t n = strcspn(methods, " ");

		if (n == len && strncmp(methods, method, len) == 0)
			return true;
		methods += n + (methods[n] == ' ');
	}
	return false;
}

/* Reads a row "KEY:GRAMMAR" or "KEY:GRAMMAR+" of the query's keys. Returns the next one; NULL behind the last. */
static const char *next_key(const char *list, struct endpoint_key *ret)
{
	size_t len = strcspn(list, " "), key = strcspn(list, ": "), end = len;

	if (len == 0)
		return NULL;
	ret->repeats = list[len - 1] == '+';
	end -= ret->repeats;
	snprintf(ret->name, sizeof(ret->name), "%.*s", (int)key, list);
	snprintf(ret->grammar, sizeof(ret->grammar), "%.*s", (int)(end > key ? end - key - 1 : 0), list + key + 1);
	return list + len + (list[len] == ' ');
}

bool endpoint_find_key(const struct endpoint *e, const char *name, struct endpoint_key *ret)
{
	for (const char *list = e->query; (list = next_key(list, ret));) {
		if (strcmp(ret->name, name) == 0)
			return true;
	}
	return false;
}

static bool is_object(const struct endpoint *e, const char *name)
{
	/* An image's name has a registry, a path, a tag and a digest; decide.c checks it. */
	return e->object == OBJECT_IMAGE || container_name_is_valid(name);
}

/* Does the path fit the pattern? The object's name goes to ret_object. */
static bool fits(const struct endpoint *e, const struct uri *uri, char ret_object[static URI_PATH_MAX])
{
	const char *path = uri->path;
	size_t before = strcspn(e->path, "*?"), after, len = strlen(path);

	if (e->path[before] == '?' && !uri_value(uri, e->path + before + 1))
		return false;
	ret_object[0] = '\0';
	if (e->path[before] != '*')
		return len == before && strncmp(path, e->path, len) == 0;
	after = strlen(e->path) - before - 1;
	if (len <= before + after || strncmp(path, e->path, before) != 0 ||
	    strcmp(path + len - after, e->path + before + 1) != 0)
		return false;
	snprintf(ret_object, URI_PATH_MAX, "%.*s", (int)(len - before - after), path + before);
	return is_object(e, ret_object);
}

const struct endpoint *endpoint_find(const char *method, const struct uri *uri, char ret_object[static URI_PATH_MAX])
{
	for (const struct endpoint *e = endpoints; e < endpoints + ENDPOINTS; e++) {
		if (has_method(e->methods, method) && fits(e, uri, ret_object))
			return e;
	}
	return NULL;
}

int endpoint_check_query(const struct endpoint *e, const struct uri *uri, struct error *err)
{
	struct endpoint_key known;

	for (size_t k = 0; k < uri->n; k++) {
		const char *key = uri->pairs[k].key;

		if (!endpoint_find_key(e, key, &known))
			return error_set(err, EINVAL, "%s has no key '%.64s' in its query here", e->action, key);
		for (size_t n = 0; n < k && !known.repeats; n++) {
			if (strcmp(uri->pairs[n].key, key) == 0)
				return error_set(err, EINVAL, "the query has the key '%.64s' twice", key);
		}
	}
	return 0;
}

int endpoint_set_object(const struct endpoint *e, struct uri *uri, const char *object, struct error *err)
{
	const char *star = strchr(e->path, '*');

	if (!star)
		return 0;
	if (snprintf(uri->path, sizeof(uri->path), "%.*s%s%s", (int)(star - e->path), e->path, object, star + 1) >=
	    (int)sizeof(uri->path))
		return error_set(err, EINVAL, "the path of the request is too long");
	return 0;
}

const struct endpoint *endpoint_at(size_t k)
{
	return k < ENDPOINTS ? &endpoints[k] : NULL;
}

size_t endpoint_actions(const char *ret[static ENDPOINT_ACTIONS_MAX])
{
	size_t n = 0;

	for (size_t k = 0; k < ENDPOINTS; k++) {
		size_t same = 0;

		while (same < n && strcmp(ret[same], endpoints[k].action) != 0)
			same++;
		if (same == n && n < ENDPOINT_ACTIONS_MAX)
			ret[n++] = endpoints[k].action;
	}
	return n;
}
