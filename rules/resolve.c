#include "rules/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "rules/checks.h"
#include "rules/strict.h"

/* Where the engine tells of an object, and where in its answer the ID and the labels are. */
static const struct kind {
	const char *name, *before, *after, *id, *outer;
} kinds[] = {
	[RESOLVE_CONTAINER] = {"container", "/containers/", "/json", "Id", "Config"},
	[RESOLVE_NETWORK] = {"network", "/networks/", "", "Id", NULL},
	[RESOLVE_VOLUME] = {"volume", "/volumes/", "", "Name", NULL},
	[RESOLVE_IMAGE] = {"image", "/images/", "/json", "Id", "Config"},
};

struct found {
	bool exists;
	bool labelled;
	char id[RESOLVE_ID_MAX], name[RESOLVE_ID_MAX];
};

static const char *text_of(const cJSON *object, const char *key)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return value ? value : "";
}

/* The labels are those of the engine: clients cannot choose how they are written. */
static bool is_labelled(const struct verdict *v, enum resolve_kind kind, const cJSON *root)
{
	const cJSON *outer = kinds[kind].outer ? cJSON_GetObjectItemCaseSensitive(root, kinds[kind].outer) : root;
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(outer, "Labels");

	return strcmp(text_of(labels, rules_label_key(v->rules)), rules_label_value(v->rules)) == 0;
}

int resolve_inspect(const struct verdict *v, enum resolve_kind kind, const char *name, cJSON **ret, bool *ret_podman,
		    struct error *err)
{
	_cleanup_answer_ struct inquiry_answer a = {};
	char target[RESOLVE_ID_MAX + 32];

	*ret = NULL;
	*ret_podman = false;
	if (kind == RESOLVE_IMAGE ? !checks_is_image(name) : !container_name_is_valid(name))
		return error_set(err, EINVAL, "'%.64s' is not the name of a %s", name, kinds[kind].name);
	if (snprintf(target, sizeof(target), "%s%s%s", kinds[kind].before, name, kinds[kind].after) >=
	    (int)sizeof(target))
		return error_set(err, EINVAL, "the name '%.64s…' of a %s is too long", name, kinds[kind].name);
	if (inquiry_make(&v->engine, "GET", target, NULL, &a, err) < 0)
		return -1;
	*ret_podman = a.of_podman;
	if (a.status == 404)
		return 0;
	if (a.status != 200)
		return error_set(err, EPROTO, "the engine answers with status %d about the %s '%s'", a.status,
				 kinds[kind].name, name);
	*ret = cJSON_ParseWithLength(a.body, a.len);
	return *ret ? 0 : error_set(err, EPROTO, "the engine's answer about a %s makes no sense", kinds[kind].name);
}

/* Does the image have the label? Then a container has it from there, whoever has created it: a commit takes the labels of a
 * container along, and a build sets any. What has no image that can be looked at might have one with the label. */
int resolve_image_gives_label(const struct verdict *v, const char *image, bool *ret, struct error *err)
{
	_cleanup_cjson_ cJSON *root = NULL;
	bool ignored;

	*ret = true;
	if (!image[0])
		return 0;
	if (resolve_inspect(v, RESOLVE_IMAGE, image, &root, &ignored, err) < 0)
		return -1;
	*ret = !root || is_labelled(v, RESOLVE_IMAGE, root);
	return 0;
}

static int read_found(const struct verdict *v, enum resolve_kind kind, const cJSON *root, struct found *ret,
		      struct error *err)
{
	const char *id = text_of(root, kinds[kind].id);
	bool by_image = false;

	if (strlen(id) >= sizeof(ret->id) || !container_name_is_valid(id))
		return error_set(err, EPROTO, "the engine's answer about a %s makes no sense", kinds[kind].name);
	ret->exists = true;
	strcpy(ret->id, id);
	snprintf(ret->name, sizeof(ret->name), "%s", text_of(root, "Name"));
	ret->labelled = is_labelled(v, kind, root);
	if (kind == RESOLVE_CONTAINER && ret->labelled &&
	    resolve_image_gives_label(v, text_of(root, "Image"), &by_image, err) < 0)
		return -1;
	ret->labelled &= !by_image;
	return 0;
}

static int find(const struct verdict *v, enum resolve_kind kind, const char *name, struct found *ret, struct error *err)
{
	_cleanup_cjson_ cJSON *root = NULL;
	bool ignored;

	*ret = (struct found){};
	if (resolve_inspect(v, kind, name, &root, &ignored, err) < 0)
		return -1;
	return root ? read_found(v, kind, root, ret, err) : 0;
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

static int refuse_like_id(const struct verdict *v, enum resolve_kind kind, const char *name, struct error *err)
{
	return verdict_refuse(v, err,
			      "the name '%.64s' of a %s could be the beginning of an ID: give it one with another "
			      "character than 0 to 9 and a to f",
			      name, kinds[kind].name);
}

/* An engine looks a container's networks up again by their names when it starts: the caller's own might be gone then, and the ID of
 * another begin like this. */
static int check_own_network(const struct verdict *v, const char *name, struct error *err)
{
	return rules_label(v->rules) && checks_is_like_id(name) ? refuse_like_id(v, RESOLVE_NETWORK, name, err) : 0;
}

/* What the rules name is the network, not what a client writes for it: that may be the beginning of another's ID. */
static int need_network(const struct verdict *v, const char *name, const struct found *found, struct error *err)
{
	if (verdict_has(v, RULES_NETWORK, found->name) || verdict_has(v, RULES_NETWORK, found->id))
		return 0;
	if (verdict_has(v, RULES_NETWORK, name))
		return verdict_refuse(v, err, "'%s' is not the whole name of a network", name);
	return verdict_need(v, RULES_NETWORK, name, "a network", err);
}

int resolve_network_use(const struct verdict *v, const char *name, char ret[static RESOLVE_ID_MAX], struct error *err)
{
	struct found found;

	if (!container_name_is_valid(name) || strlen(name) >= RESOLVE_ID_MAX)
		return verdict_refuse(v, err, "'%.64s' is not the name of a network", name);
	strcpy(ret, name);
	if (!rules_label(v->rules))
		return verdict_need(v, RULES_NETWORK, name, "a network", err);
	if (find(v, RESOLVE_NETWORK, name, &found, err) < 0)
		return -1;
	if (!found.exists) {
		if (verdict_need(v, RULES_NETWORK, name, "a network", err) < 0)
			return -1;
		return error_set(err, ENOENT, "No such network: %s", name);
	}
	strcpy(ret, found.id);
	return found.labelled ? check_own_network(v, found.name, err) : need_network(v, name, &found, err);
}

int resolve_new_name(const struct verdict *v, enum resolve_kind kind, const char *name, struct error *err)
{
	_cleanup_cjson_ cJSON *root = NULL;
	bool ignored;

	if (!checks_is_like_id(name))
		return 0;
	if (strlen(name) >= CHECKS_ID_LEAST)
		return refuse_like_id(v, kind, name, err);
	if (kind == RESOLVE_VOLUME) /* has no ID */
		return 0;
	if (resolve_inspect(v, kind, name, &root, &ignored, err) < 0)
		/* Several begin like this. */
		return err->code == EPROTO ? refuse_like_id(v, kind, name, err) : -1;
	return strncmp(text_of(root, kinds[kind].id), name, strlen(name)) == 0 ? refuse_like_id(v, kind, name, err) : 0;
}

int resolve_new_network(const struct verdict *v, const char *name, struct error *err)
{
	if (!container_name_is_valid(name))
		return verdict_refuse(v, err, "'%.64s' is not the name of a network", name);
	return check_own_network(v, name, err) < 0 ? -1 : resolve_new_name(v, RESOLVE_NETWORK, name, err);
}

/* A container takes the labels of its image, and builds and commits give an image any. */
static int check_image_labels(const struct verdict *v, const char *name, const cJSON *root, struct error *err)
{
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(root, "Config");
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(config, "Labels");

	for (const cJSON *label = labels ? labels->child : NULL; label; label = label->next) {
		if (label->string && checks_is_acted_on(label->string))
			return verdict_refuse(v, err,
					      "no rule can allow the label '%.64s', which the image '%.128s' has",
					      label->string, name);
	}
	return 0;
}

int resolve_image_use(const struct verdict *v, const char *name, struct error *err)
{
	_cleanup_cjson_ cJSON *root = NULL;
	bool ignored;

	if (!name || !name[0])
		return 0;
	if (resolve_inspect(v, RESOLVE_IMAGE, name, &root, &ignored, err) < 0 ||
	    check_image_labels(v, name, root, err) < 0)
		return -1;
	if (root && rules_label(v->rules) && is_labelled(v, RESOLVE_IMAGE, root))
		return verdict_refuse(
			v, err,
			"the image '%.128s' has the label %s itself, which would make everybody's containers "
			"of it yours; build or commit it with 'LABEL %s='",
			name, rules_label(v->rules), rules_label_key(v->rules));
	return 0;
}

/* The engine answers with an existing volume if somebody else creates it at this moment: then it lacks the label. */
static int create_volume(const struct verdict *v, const char *name, struct found *ret, struct error *err)
{
	_cleanup_answer_ struct inquiry_answer a = {};
	_cleanup_cjson_ cJSON *body = cJSON_CreateObject(), *root = NULL;
	cJSON *labels = cJSON_AddObjectToObject(body, "Labels");
	_cleanup_free_ char *json = NULL;

	if (verdict_need(v, RULES_ALLOW, "volumes.create", "a new volume", err) < 0 ||
	    resolve_new_name(v, RESOLVE_VOLUME, name, err) < 0)
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
	root = cJSON_ParseWithLength(a.body, a.len);
	return read_found(v, RESOLVE_VOLUME, root, ret, err);
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
	if (resolve_new_name(v, RESOLVE_VOLUME, name, err) < 0)
		return -1;
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

/* Podman asks a database for what is LIKE the name and more: there "_" stands for any character, and
 * the case does not matter. */
static bool is_like(const char *name, const char *longer)
{
	while (*name && *longer && (*name == '_' || strncasecmp(name, longer, 1) == 0)) {
		name++;
		longer++;
	}
	return !*name;
}

int resolve_check_remove(const struct verdict *v, const char *name, struct error *err)
{
	_cleanup_answer_ struct inquiry_answer a = {};
	_cleanup_cjson_ cJSON *root = NULL;
	const cJSON *volumes;

	if (!rules_label(v->rules))
		return 0;
	if (inquiry_make(&v->engine, "GET", "/volumes", NULL, &a, err) < 0)
		return -1;
	if (!a.of_podman)
		return 0;
	root = a.status == 200 ? cJSON_ParseWithLength(a.body, a.len) : NULL;
	volumes = cJSON_GetObjectItemCaseSensitive(root, "Volumes");
	if (!root)
		return error_set(err, EPROTO, "the engine does not list its volumes");
	for (const cJSON *volume = volumes ? volumes->child : NULL; volume; volume = volume->next) {
		const char *other = text_of(volume, "Name");

		if (strcmp(name, other) != 0 && is_like(name, other))
			return verdict_refuse(v, err,
					      "Podman takes '%.64s' for the beginning of the name of another volume, "
					      "too, and might remove that",
					      name);
	}
	return 0;
}
