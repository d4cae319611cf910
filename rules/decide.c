#include "rules/decide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "rules/checks.h"
#include "rules/filters.h"
#include "rules/isolation.h"
#include "rules/mounts.h"
#include "rules/owner.h"
#include "rules/query.h"
#include "rules/resolve.h"
#include "rules/schema.h"
#include "rules/schemas.h"
#include "rules/strict.h"

void decision_clear(struct decision *d)
{
	uri_clear(&d->uri);
	free_ptr(&d->json);
}

static int check_host(const struct head *h, struct error *err)
{
	const char *host = head_field(h, "host");

	if (!host)
		return error_set(err, EINVAL, "the head of the request has no Host");
	if (strpbrk(host, " \t,"))
		return error_set(err, EINVAL, "the Host of the request is not one");
	return 0;
}

/* An engine executes what follows an Upgrade that it does not grant: so only those may ask whose connection becomes a stream. */
static int check_upgrade(const struct head *h, struct decision *d, struct error *err)
{
	const char *protocol = head_field(h, "upgrade");
	enum endpoint_body body = d->endpoint->body;

	if (!protocol && !head_field_has(h, "connection", "upgrade")) {
		if (body == BODY_UPGRADE)
			return error_set(err, EINVAL, "the request must ask for an Upgrade to h2c");
		return 0;
	}
	if (!protocol || !head_field_has(h, "connection", "upgrade"))
		return error_set(err, EINVAL, "Upgrade comes without 'Connection: Upgrade', or the other way round");
	if (body != BODY_ATTACH && body != BODY_EXEC && body != BODY_UPGRADE)
		return error_set(err, EINVAL, "the request asks for another protocol, where there is none");
	if (strcasecmp(protocol, body == BODY_UPGRADE ? "h2c" : "tcp") != 0)
		return error_set(err, EINVAL, "'%.32s' is not the protocol that can be asked for here", protocol);
	d->upgrade = true;
	return 0;
}

static int check_expectation(const struct head *h, struct error *err)
{
	const char *expected = head_field(h, "expect");

	return expected && strcasecmp(expected, "100-continue") != 0
		       ? error_set(err, EINVAL, "the request expects '%.32s'", expected)
		       : 0;
}

static int check_body_kind(const struct endpoint *e, const struct frame *body, struct error *err)
{
	bool none = e->body == BODY_NONE || e->body == BODY_ATTACH || e->body == BODY_UPGRADE;

	/* Old versions of the API took the configuration of a container there. */
	if (none && !frame_has_ended(body))
		return error_set(err, EINVAL, "%s has no body", e->action);
	if (e->body == BODY_JSON && frame_has_ended(body))
		return error_set(err, EINVAL, "%s needs a body", e->action);
	return 0;
}

/* What a build takes from the host beside its context; BuildKit asks for the rest in its own protocol. */
static int check_build(const struct verdict *v, struct uri *uri, struct error *err)
{
	char id[RESOLVE_ID_MAX];
	bool is_podman;
	const char *network = uri_value(uri, "networkmode"), *parent = uri_value(uri, "cgroupparent");
	const char *ulimits = uri_value(uri, "ulimits");

	if (resolve_is_podman(v, &is_podman, err) < 0)
		return -1;
	/* "FROM dir:/root", a Dockerfile that is a link, … */
	if (is_podman)
		return verdict_refuse(v, err, "a build of Podman can read each file of the host");
	if (network && strchr(network, ':'))
		return verdict_refuse(v, err, "no rule can allow a build with the network '%.64s'", network);
	if (network &&
	    (isolation_check_network_name(v, network, id, err) < 0 || uri_set(uri, "networkmode", id, err) < 0))
		return -1;
	if (parent && parent[0] && verdict_need(v, RULES_CGROUP_PARENT, parent, "cgroupparent", err) < 0)
		return -1;
	for (size_t k = 0; k < uri->n; k++) {
		if (strcmp(uri->pairs[k].key, "securityopt") == 0 && uri->pairs[k].value[0] &&
		    verdict_need(v, RULES_SECURITY_OPTION, uri->pairs[k].value, "securityopt", err) < 0)
			return -1;
	}
	if (ulimits && !schema_is_listed("[] null", ulimits) && ulimits[0] &&
	    verdict_need(v, RULES_ULIMITS, "yes", "ulimits", err) < 0)
		return -1;
	return 0;
}

/* What the caller makes gets this name. */
static int check_new_name(const struct verdict *v, const struct decision *d, struct error *err)
{
	const char *name = uri_value(&d->uri, "name");

	if (!name)
		return 0;
	if (checks_is_sockwakes_name(name))
		return verdict_refuse(v, err, "sockwake itself calls containers such as '%.64s': take another name",
				      name);
	return resolve_new_name(v, RESOLVE_CONTAINER, name, err);
}

static int check_query_values(const struct verdict *v, struct decision *d, struct error *err)
{
	struct endpoint_key key;

	for (size_t k = 0; k < d->uri.n; k++) {
		const struct uri_pair *pair = &d->uri.pairs[k];

		if (endpoint_find_key(d->endpoint, pair->key, &key) &&
		    query_check(v, key.grammar, pair->key, pair->value, err) < 0)
			return -1;
	}
	if (filters_check(&d->uri, err) < 0)
		return -1;
	return strcmp(d->endpoint->path, "/build") == 0 ? check_build(v, &d->uri, err) : check_new_name(v, d, err);
}

/* What depends on the state of the object. */
static int check_flags(const struct verdict *v, const struct endpoint *e, const char *id, struct error *err)
{
	if (e->flags & ENDPOINT_STARTS && isolation_check_joined(v, id, err) < 0)
		return -1;
	if (e->flags & ENDPOINT_REMOVES_VOLUME && resolve_check_remove(v, id, err) < 0)
		return -1;
	return e->flags & ENDPOINT_WRITES_FILES ? mounts_check_copy(v, id, err) : 0;
}

/* The image would carry the label of the container, which is proof of who has created one (resolve.h): it gets an empty one. */
static int resolve_commit(const struct verdict *v, struct uri *uri, struct error *err)
{
	const char *name = uri_value(uri, "container"), *key = rules_label_key(v->rules);
	_cleanup_free_ char *change = NULL;
	char id[RESOLVE_ID_MAX];

	if (resolve_object(v, RESOLVE_CONTAINER, name ? name : "", id, err) < 0 ||
	    uri_set(uri, "container", id, err) < 0)
		return -1;
	if (!key)
		return 0;
	if (asprintf(&change, "LABEL %s=", key) < 0) {
		change = NULL;
		return error_errno(err, ENOMEM, "cannot compose the query");
	}
	return uri_add(uri, "changes", change, err);
}

/* From the name in the path to the ID, which is what is acted on. */
static int resolve_path(const struct verdict *v, struct decision *d, struct error *err)
{
	static const enum resolve_kind kinds[] = {
		[OBJECT_CONTAINER] = RESOLVE_CONTAINER,
		[OBJECT_NETWORK] = RESOLVE_NETWORK,
		[OBJECT_VOLUME] = RESOLVE_VOLUME,
	};
	enum endpoint_object kind = d->endpoint->object;
	char id[RESOLVE_ID_MAX];

	if (d->endpoint->flags & ENDPOINT_USES_NETWORK) {
		if (isolation_check_network_name(v, d->object, id, err) < 0)
			return -1;
		return endpoint_set_object(d->endpoint, &d->uri, id, err);
	}
	if (kind == OBJECT_EXEC)
		return owner_check(v->caller, d->object, err);
	if (kind == OBJECT_IMAGE && !checks_is_image(d->object))
		return verdict_refuse(v, err, "'%.128s' is not the name of an image", d->object);
	if (kind == OBJECT_NONE || kind == OBJECT_IMAGE)
		return 0;
	if (!d->object[0])
		return resolve_commit(v, &d->uri, err);
	if (resolve_object(v, kinds[kind], d->object, id, err) < 0 || check_flags(v, d->endpoint, id, err) < 0)
		return -1;
	return endpoint_set_object(d->endpoint, &d->uri, id, err);
}

static int limit_to_label(const struct verdict *v, struct decision *d, struct error *err)
{
	if (!rules_label(v->rules))
		return 0;
	if (d->endpoint->flags & ENDPOINT_UNLABELLED)
		return verdict_refuse(v, err, "it tells of what does not carry the label %s", rules_label(v->rules));
	if (d->endpoint->flags & ENDPOINT_PRUNES && filters_check_prune(v, err) < 0)
		return -1;
	return d->endpoint->flags & ENDPOINT_FILTERED ? filters_add_label(v, &d->uri, err) : 0;
}

static int find_endpoint(struct verdict *v, const struct head *h, struct decision *d, struct error *err)
{
	if (uri_parse(h->target, &d->uri, err) < 0)
		return -1;
	d->endpoint = endpoint_find(h->method, &d->uri, d->object);
	v->action = d->endpoint ? d->endpoint->action : "the request";
	/* `docker inspect NAME` asks for each kind of object, until the answer is not 404. */
	if (!d->endpoint && strcmp(h->method, "GET") == 0 && strncmp(d->uri.path, "/plugins/", 9) == 0)
		return error_set(err, ENOENT, "no plugins are seen here");
	if (!d->endpoint)
		return verdict_refuse(v, err, "no rule can allow %.16s %.128s", h->method, d->uri.path);
	return 0;
}

static int check_action(const struct verdict *v, const struct endpoint *e, struct error *err)
{
	return e->flags & ENDPOINT_ALWAYS ? 0 : verdict_need(v, RULES_ALLOW, e->action, NULL, err);
}

int decide_by_head(struct verdict *v, const struct head *h, const struct frame *body, struct decision *ret,
		   struct error *err)
{
	*ret = (struct decision){};
	if (check_host(h, err) < 0 || check_expectation(h, err) < 0 || find_endpoint(v, h, ret, err) < 0 ||
	    check_upgrade(h, ret, err) < 0 || check_action(v, ret->endpoint, err) < 0 ||
	    endpoint_check_query(ret->endpoint, &ret->uri, err) < 0 || check_body_kind(ret->endpoint, body, err) < 0 ||
	    check_query_values(v, ret, err) < 0 || limit_to_label(v, ret, err) < 0)
		return -1;
	return resolve_path(v, ret, err);
}

bool decide_needs_body(const struct decision *d, const struct frame *body)
{
	enum endpoint_body kind = d->endpoint->body;

	return (kind == BODY_JSON || kind == BODY_OPTIONAL || kind == BODY_EXEC) && !frame_has_ended(body);
}

int decide_by_body(const struct verdict *v, struct decision *d, const char *text, size_t len, struct error *err)
{
	_cleanup_cjson_ cJSON *body = NULL;

	if (strict_parse(text, len, &body, err) < 0)
		return -1;
	if ((!cJSON_IsNull(body) || d->endpoint->body == BODY_JSON) &&
	    schemas_check(v, d->endpoint->schema, body, err) < 0)
		return -1;
	d->json = cJSON_PrintUnformatted(body);
	return d->json ? 0 : error_errno(err, ENOMEM, "cannot compose the request");
}
