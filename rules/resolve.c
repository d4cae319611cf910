#include "rules/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "rules/strict.h"

/* Where the engine tells of an object, and where in its answer the ID and the labels are. */
static const struct kind {
	const char *name, *before, *after, *id, *outer;
} kinds[] = {
	[RESOLVE_CONTAINER] = {"container", "/containers/", "/json", "Id", "Config"},
	[RESOLVE_NETWORK] = {"network", "/networks/", "", "Id", NULL},
	[RESOLVE_VOLUME] = {"volume", "/volumes/", "", "Name", NULL},
};

struct found {
	bool exists;
	bool labelled;
	char id[RESOLVE_ID_MAX];
};

/* The labels are those of the engine: clients cannot choose how they are written. */
static int read_answer(const struct verdict *v, enum resolve_kind kind, const struct inquiry_answer *a,
		       struct found *ret, struct error *err)
{
	_cleanup_cjson_ cJSON *root = cJSON_ParseWithLength(a->body, a->len);
	const cJSON *outer = kinds[kind].outer ? cJSON_GetObjectItemCaseSensitive(root, kinds[kind].outer) : root;
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(outer, "Labels");
	const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, kinds[kind].id)), *value;

	if (!id || strlen(id) >= sizeof(ret->id) || !container_name_is_valid(id))
		return error_set(err, EPROTO, "the engine's answer about a %s makes no sense", kinds[kind].name);
	ret->exists = true;
	strcpy(ret->id, id);
	value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(labels, rules_label_key(v->rules)));
	ret->labelled = value && strcmp(value, rules_label_value(v->rules)) == 0;
	return 0;
}

static int find(const struct verdict *v, enum resolve_kind kind, const char *name, struct found *ret, struct error *err)
{
	_cleanup_answer_ struct inquiry_answer a = {};
	char target[RESOLVE_ID_MAX + 32];

	*ret = (struct found){};
	if (!container_name_is_valid(name))
		return error_set(err, EINVAL, "'%.64s' is not the name of a %s", name, kinds[kind].name);
	snprintf(target, sizeof(target), "%s%s%s", kinds[kind].before, name, kinds[kind].after);
	if (inquiry_make(&v->engine, "GET", target, NULL, &a, err) < 0)
		return -1;
	if (a.status == 404)
		return 0;
	if (a.status != 200)
		return error_set(err, EPROTO, "the engine answers with status %d about the %s '%s'", a.status,
				 kinds[kind].name, name);
	return read_answer(v, kind, &a, ret, err);
}

int resolve_object(const struct verdict *v, enum resolve_kind kind, const char *name, char ret[static RESOLVE_ID_MAX],
		   struct error *err)
{
	struct found found;

	if (!container_name_is_valid(name))
		return error_set(err, EINVAL, "'%.64s' is not the name of a %s", name, kinds[kind].name);
	if (!rules_label(v->rules)) {
		snprintf(ret, RESOLVE_ID_MAX, "%s", name);
		return 0;
	}
	if (find(v, kind, name, &found, err) < 0)
		return -1;
	if (!found.labelled)
		return error_set(err, ENOENT, "No such %s: %s (only those with the label %s are seen here)",
				 kinds[kind].name, name, rules_label(v->rules));
	strcpy(ret, found.id);
	return 0;
}

int resolve_reference(const struct verdict *v, const char *name, char ret[static RESOLVE_ID_MAX], struct error *err)
{
	return resolve_object(v, RESOLVE_CONTAINER, name, ret, err);
}

int resolve_network_use(const struct verdict *v, const char *name, struct error *err)
{
	struct found found = {};

	if (!container_name_is_valid(name))
		return verdict_refuse(v, err, "'%.64s' is not the name of a network", name);
	if (verdict_has(v, RULES_NETWORK, name))
		return 0;
	if (rules_label(v->rules)) {
		if (find(v, RESOLVE_NETWORK, name, &found, err) < 0)
			return -1;
		if (found.labelled)
			return 0;
	}
	return verdict_need(v, RULES_NETWORK, name, "a network", err);
}

/* The engine answers with an existing volume if somebody else creates it at this moment: then it lacks the label. */
static int create_volume(const struct verdict *v, const char *name, struct found *ret, struct error *err)
{
	_cleanup_answer_ struct inquiry_answer a = {};
	_cleanup_cjson_ cJSON *body = cJSON_CreateObject();
	cJSON *labels = cJSON_AddObjectToObject(body, "Labels");
	_cleanup_free_ char *json = NULL;

	if (verdict_need(v, RULES_ALLOW, "volumes.create", "a new volume", err) < 0)
		return -1;
	if (!cJSON_AddStringToObject(body, "Name", name) ||
	    !cJSON_AddStringToObject(labels, rules_label_key(v->rules), rules_label_value(v->rules)) ||
	    !(json = cJSON_PrintUnformatted(body)))
		return error_errno(err, ENOMEM, "cannot create a volume");
	if (inquiry_make(&v->engine, "POST", "/volumes/create", json, &a, err) < 0)
		return -1;
	if (a.status != 200 && a.status != 201)
		return error_set(err, EPROTO, "the engine answers with status %d to the new volume '%s'", a.status,
				 name);
	return read_answer(v, RESOLVE_VOLUME, &a, ret, err);
}

int resolve_volume_use(const struct verdict *v, const char *name, struct error *err)
{
	struct found found = {};

	if (!container_name_is_valid(name))
		return verdict_refuse(v, err, "'%.64s' is not the name of a volume", name);
	if (verdict_has(v, RULES_VOLUME, name))
		return 0;
	if (rules_label(v->rules)) {
		if (find(v, RESOLVE_VOLUME, name, &found, err) < 0)
			return -1;
		if (!found.exists && create_volume(v, name, &found, err) < 0)
			return -1;
		if (found.labelled)
			return 0;
	}
	return verdict_need(v, RULES_VOLUME, name, "a volume", err);
}

int resolve_new_volume(const struct verdict *v, const char *name, struct error *err)
{
	struct found found;

	if (!name || !name[0])
		return 0;
	if (!container_name_is_valid(name))
		return verdict_refuse(v, err, "'%.64s' is not the name of a volume", name);
	if (!rules_label(v->rules))
		return 0;
	if (find(v, RESOLVE_VOLUME, name, &found, err) < 0)
		return -1;
	if (found.exists && !found.labelled)
		return verdict_refuse(v, err, "the volume '%s' exists, without the label %s", name,
				      rules_label(v->rules));
	return 0;
}

int resolve_is_podman(const struct verdict *v, bool *ret, struct error *err)
{
	_cleanup_answer_ struct inquiry_answer a = {};

	if (inquiry_make(&v->engine, "GET", "/_ping", NULL, &a, err) < 0)
		return -1;
	*ret = a.of_podman;
	return 0;
}
