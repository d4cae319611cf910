#include "rules/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

#define BUILD_QUERY                                                                                                    \
	"t+ dockerfile remote q nocache rm forcerm pull memory memswap cpushares cpusetcpus cpusetmems cpuquota "      \
	"cpuperiod buildargs shmsize squash labels networkmode platform target extrahosts+ cachefrom ulimits session " \
	"buildid version isolation cgroupparent securityopt+ outputs"

static const struct endpoint endpoints[] = {
	{"HEAD GET", "/_ping", "system.ping", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_ALWAYS, ""},
	{"GET", "/version", "system.version", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"GET", "/info", "system.info", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"GET", "/events", "system.events", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED,
	 "since until filters"},
	{"GET", "/system/df", "system.df", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_UNLABELLED, "type+ verbose"},
	{"POST", "/auth", "system.auth", OBJECT_NONE, BODY_JSON, SCHEMA_AUTH, 0, ""},

	{"GET", "/containers/json", "containers.list", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED,
	 "all limit size trunc_cmd since before filters"},
	{"POST", "/containers/create", "containers.create", OBJECT_NONE, BODY_JSON, SCHEMA_CREATE, 0, "name platform"},
	{"POST", "/containers/prune", "containers.prune", OBJECT_NONE, BODY_NONE, SCHEMA_NONE,
	 ENDPOINT_FILTERED | ENDPOINT_PRUNES, "filters"},
	{"GET", "/containers/*/json", "containers.inspect", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "size"},
	{"GET", "/containers/*/top", "containers.top", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "ps_args"},
	{"GET", "/containers/*/logs", "containers.logs", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0,
	 "follow stdout stderr since until timestamps tail details"},
	{"GET", "/containers/*/changes", "containers.changes", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"GET", "/containers/*/export", "containers.export", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"GET", "/containers/*/stats", "containers.stats", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0,
	 "stream one-shot"},
	{"HEAD GET", "/containers/*/archive", "containers.copy-from", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0,
	 "path"},
	{"PUT", "/containers/*/archive", "containers.copy-to", OBJECT_CONTAINER, BODY_STREAM, SCHEMA_NONE,
	 ENDPOINT_WRITES_FILES, "path noOverwriteDirNonDir copyUIDGID"},
	{"POST", "/containers/*/resize", "containers.resize", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "h w"},
	{"POST", "/containers/*/start", "containers.start", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, ENDPOINT_STARTS,
	 "detachKeys"},
	{"POST", "/containers/*/stop", "containers.stop", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "signal t"},
	{"POST", "/containers/*/restart", "containers.restart", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE,
	 ENDPOINT_STARTS, "signal t"},
	{"POST", "/containers/*/kill", "containers.kill", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "signal"},
	{"POST", "/containers/*/update", "containers.update", OBJECT_CONTAINER, BODY_JSON, SCHEMA_UPDATE, 0, ""},
	{"POST", "/containers/*/rename", "containers.rename", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "name"},
	{"POST", "/containers/*/pause", "containers.pause", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"POST", "/containers/*/unpause", "containers.unpause", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"POST", "/containers/*/attach", "containers.attach", OBJECT_CONTAINER, BODY_ATTACH, SCHEMA_NONE, 0,
	 "detachKeys logs stream stdin stdout stderr"},
	{"POST", "/containers/*/wait", "containers.wait", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "condition"},
	{"DELETE", "/containers/*", "containers.remove", OBJECT_CONTAINER, BODY_NONE, SCHEMA_NONE, 0, "v force link"},
	{"POST", "/containers/*/exec", "containers.exec", OBJECT_CONTAINER, BODY_JSON, SCHEMA_EXEC, ENDPOINT_MAKES_EXEC,
	 ""},
	{"POST", "/exec/*/start", "containers.exec", OBJECT_EXEC, BODY_EXEC, SCHEMA_EXEC_START, 0, ""},
	{"POST", "/exec/*/resize", "containers.exec", OBJECT_EXEC, BODY_NONE, SCHEMA_NONE, 0, "h w"},
	{"GET", "/exec/*/json", "containers.exec", OBJECT_EXEC, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"POST", "/commit", "images.commit", OBJECT_CONTAINER, BODY_OPTIONAL, SCHEMA_CONFIG, 0,
	 "container repo tag comment author pause changes+"},

	{"GET", "/images/json", "images.list", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0,
	 "all filters filter digests shared-size manifests only_ids"},
	{"POST", "/images/create?fromSrc", "images.import", OBJECT_NONE, BODY_STREAM, SCHEMA_NONE, 0,
	 "fromSrc repo tag message changes+ platform"},
	{"POST", "/images/create", "images.pull", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0,
	 "fromImage repo tag platform"},
	{"GET", "/images/search", "images.search", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0, "term limit filters"},
	{"POST", "/images/load", "images.load", OBJECT_NONE, BODY_STREAM, SCHEMA_NONE, 0, "quiet platform+"},
	{"POST", "/images/prune", "images.prune", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0, "filters"},
	{"GET", "/images/get", "images.save", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0, "names+ platform+"},
	{"GET", "/images/*/get", "images.save", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, "platform+"},
	{"GET", "/images/*/json", "images.inspect", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, "manifests platform"},
	{"GET", "/images/*/history", "images.history", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, "platform"},
	{"POST", "/images/*/push", "images.push", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, "tag platform"},
	{"POST", "/images/*/tag", "images.tag", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, "repo tag force"},
	{"DELETE", "/images/*", "images.remove", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, "force noprune platforms+"},
	{"GET", "/distribution/*/json", "images.distribution", OBJECT_IMAGE, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"POST", "/build", "images.build", OBJECT_NONE, BODY_STREAM, SCHEMA_NONE, 0, BUILD_QUERY},
	{"POST", "/build/cancel", "images.build", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0, "id"},
	{"POST", "/session", "images.build", OBJECT_NONE, BODY_UPGRADE, SCHEMA_NONE, 0, ""},
	{"POST", "/grpc", "images.build", OBJECT_NONE, BODY_UPGRADE, SCHEMA_NONE, 0, ""},
	{"POST", "/build/prune", "images.build-prune", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, 0,
	 "all filters keep-storage reserved-space max-used-space min-free-space"},

	{"GET", "/networks", "networks.list", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED, "filters"},
	{"POST", "/networks/create", "networks.create", OBJECT_NONE, BODY_JSON, SCHEMA_NETWORK, 0, ""},
	{"POST", "/networks/prune", "networks.prune", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED,
	 "filters"},
	{"GET", "/networks/*", "networks.inspect", OBJECT_NETWORK, BODY_NONE, SCHEMA_NONE, 0, "verbose scope"},
	{"DELETE", "/networks/*", "networks.remove", OBJECT_NETWORK, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"POST", "/networks/*/connect", "networks.connect", OBJECT_NETWORK, BODY_JSON, SCHEMA_CONNECT,
	 ENDPOINT_USES_NETWORK, ""},
	{"POST", "/networks/*/disconnect", "networks.disconnect", OBJECT_NETWORK, BODY_JSON, SCHEMA_DISCONNECT,
	 ENDPOINT_USES_NETWORK, ""},

	{"GET", "/volumes", "volumes.list", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED, "filters"},
	{"POST", "/volumes/create", "volumes.create", OBJECT_NONE, BODY_JSON, SCHEMA_VOLUME, 0, ""},
	{"POST", "/volumes/prune", "volumes.prune", OBJECT_NONE, BODY_NONE, SCHEMA_NONE, ENDPOINT_FILTERED, "filters"},
	{"GET", "/volumes/*", "volumes.inspect", OBJECT_VOLUME, BODY_NONE, SCHEMA_NONE, 0, ""},
	{"DELETE", "/volumes/*", "volumes.remove", OBJECT_VOLUME, BODY_NONE, SCHEMA_NONE, 0, "force"},
};

#define ENDPOINTS (sizeof(endpoints) / sizeof(endpoints[0]))

/* Is the word in the list, which is separated by blanks? *ret_repeats: it has a '+'. */
static bool is_listed(const char *list, const char *word, bool *ret_repeats)
{
	size_t len = strlen(word);

	while (*list) {
		size_t n = strcspn(list, " ");

		*ret_repeats = list[n - 1] == '+';
		if (n - *ret_repeats == len && strncmp(list, word, len) == 0)
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

static bool is_object(const struct endpoint *e, const char *name)
{
	/* An image's name has a registry, a path, a tag and a digest; the characters of a path are checked (uri.h). */
	return e->object == OBJECT_IMAGE ? name[0] != '-' : container_name_is_valid(name);
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
	bool ignored;

	for (const struct endpoint *e = endpoints; e < endpoints + ENDPOINTS; e++) {
		if (is_listed(e->methods, method, &ignored) && fits(e, uri, ret_object))
			return e;
	}
	return NULL;
}

int endpoint_check_query(const struct endpoint *e, const struct uri *uri, struct error *err)
{
	bool repeats;

	for (size_t k = 0; k < uri->n; k++) {
		const char *key = uri->pairs[k].key;

		if (!is_listed(e->query, key, &repeats))
			return error_set(err, EINVAL, "%s has no key '%.64s' in its query here", e->action, key);
		for (size_t n = 0; n < k && !repeats; n++) {
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
