#include "rules/filters.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "rules/checks.h"
#include "rules/resolve.h"
#include "rules/strict.h"

static int add_true(cJSON *map, const char *key, struct error *err)
{
	if (cJSON_GetObjectItemCaseSensitive(map, key) || cJSON_AddTrueToObject(map, key))
		return 0;
	return error_errno(err, ENOMEM, "cannot compose the filters");
}

/* {"label":{"a=b":true}} and {"label":["a=b"]}: the first is what all engines take, and they take no mixture. */
static int copy_values(const cJSON *from, cJSON *to, struct error *err)
{
	for (const cJSON *child = from->child; child; child = child->next) {
		bool valid = cJSON_IsArray(from) ? cJSON_IsString(child) : cJSON_IsObject(from) && cJSON_IsTrue(child);

		if (!valid)
			return error_set(err, EINVAL, "the filter '%.32s' is invalid", from->string);
		if (add_true(to, cJSON_IsArray(from) ? child->valuestring : child->string, err) < 0)
			return -1;
	}
	return 0;
}

/* Podman composes "KEY=VALUE" of each, so that the key "label=a" would be one more value of the key "label". */
static bool is_key(const char *s)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && (!s[len] || strcmp(s + len, "!") == 0);
}

static int copy_filters(const char *text, cJSON *to, struct error *err)
{
	_cleanup_cjson_ cJSON *filters = NULL;

	if (!text || !text[0])
		return 0;
	if (strict_parse(text, strlen(text), &filters, err) < 0)
		return -1;
	if (cJSON_IsNull(filters))
		return 0;
	if (!cJSON_IsObject(filters))
		return error_set(err, EINVAL, "the filters are not an object");
	for (const cJSON *filter = filters->child; filter; filter = filter->next) {
		cJSON *map;

		if (!cJSON_IsArray(filter) && !cJSON_IsObject(filter))
			return error_set(err, EINVAL, "the filter '%.32s' is invalid", filter->string);
		if (!is_key(filter->string))
			return error_set(err, EINVAL, "'%.32s' is not the name of a filter", filter->string);
		map = cJSON_AddObjectToObject(to, filter->string);
		if (!map)
			return error_errno(err, ENOMEM, "cannot compose the filters");
		if (copy_values(filter, map, err) < 0)
			return -1;
	}
	return 0;
}

/* Podman's events are those with any of several labels; all other lists are of what has all of them. */
static int check_events(const struct verdict *v, const struct uri *uri, const cJSON *labels, struct error *err)
{
	bool is_podman;

	if (strcmp(uri->path, "/events") != 0 || !labels || !labels->child)
		return 0;
	if (resolve_is_podman(v, &is_podman, err) < 0)
		return -1;
	return is_podman ? verdict_refuse(v, err, "Podman cannot filter events by the label %s and by another",
					  rules_label(v->rules))
			 : 0;
}

static int read_filters(const struct uri *uri, cJSON **ret, struct error *err)
{
	*ret = cJSON_CreateObject();
	if (!*ret)
		return error_errno(err, ENOMEM, "cannot compose the filters");
	return copy_filters(uri_value(uri, "filters"), *ret, err);
}

int filters_check(const struct uri *uri, struct error *err)
{
	_cleanup_cjson_ cJSON *filters = NULL;

	return read_filters(uri, &filters, err);
}

/* An engine says whether there is such a container, whoever's it is: it is named by its ID. */
static int resolve_neighbours(const struct verdict *v, cJSON *filters, struct error *err)
{
	static const char *const keys[] = {"since", "before"};

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		cJSON *map = cJSON_GetObjectItemCaseSensitive(filters, keys[k]);
		char id[RESOLVE_ID_MAX];

		for (cJSON *child = map ? map->child : NULL; child; child = child->next) {
			if (resolve_object(v, RESOLVE_CONTAINER, child->string, id, err) < 0 ||
			    checks_set_key(child, id, err) < 0)
				return -1;
		}
	}
	return 0;
}

/* The same for the keys of the query. */
static int resolve_keys(const struct verdict *v, struct uri *uri, struct error *err)
{
	static const char *const keys[] = {"since", "before"};

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		const char *name = uri_value(uri, keys[k]);
		char id[RESOLVE_ID_MAX];

		if (name && name[0] &&
		    (resolve_object(v, RESOLVE_CONTAINER, name, id, err) < 0 || uri_set(uri, keys[k], id, err) < 0))
			return -1;
	}
	return 0;
}

int filters_add_label(const struct verdict *v, struct uri *uri, struct error *err)
{
	_cleanup_cjson_ cJSON *filters = NULL;
	_cleanup_free_ char *text = NULL;
	cJSON *labels;

	if (read_filters(uri, &filters, err) < 0)
		return -1;
	if (strcmp(uri->path, "/containers/json") == 0 &&
	    (resolve_keys(v, uri, err) < 0 || resolve_neighbours(v, filters, err) < 0))
		return -1;
	labels = cJSON_GetObjectItemCaseSensitive(filters, "label");
	if (check_events(v, uri, labels, err) < 0)
		return -1;
	if (!labels && !(labels = cJSON_AddObjectToObject(filters, "label")))
		return error_errno(err, ENOMEM, "cannot compose the filters");
	if (add_true(labels, rules_label(v->rules), err) < 0)
		return -1;
	text = cJSON_PrintUnformatted(filters);
	return text ? uri_set(uri, "filters", text, err) : error_errno(err, ENOMEM, "cannot compose the filters");
}

/* All containers with the label, as the engine's JSON. */
static int list_labelled(const struct verdict *v, cJSON **ret, struct error *err)
{
	_cleanup_uri_ struct uri uri = {.path = "/containers/json"};
	_cleanup_answer_ struct inquiry_answer a = {};
	_cleanup_free_ char *target = NULL;

	if (uri_set(&uri, "all", "true", err) < 0 || filters_add_label(v, &uri, err) < 0 ||
	    uri_write(&uri, &target, err) < 0 || inquiry_make(&v->engine, "GET", target, NULL, &a, err) < 0)
		return -1;
	*ret = a.status == 200 ? cJSON_ParseWithLength(a.body, a.len) : NULL;
	return cJSON_IsArray(*ret) ? 0 : error_set(err, EPROTO, "the engine does not list its containers");
}

static const char *image_of(const cJSON *container)
{
	const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(container, "ImageID"));

	return id ? id : "";
}

int filters_check_prune(const struct verdict *v, struct error *err)
{
	_cleanup_cjson_ cJSON *containers = NULL;
	const char *known = NULL;

	if (list_labelled(v, &containers, err) < 0)
		return -1;
	for (const cJSON *c = containers ? containers->child : NULL; c; c = c->next) {
		bool labelled;

		if (known && strcmp(known, image_of(c)) == 0)
			continue;
		known = image_of(c);
		if (resolve_image_gives_label(v, known, &labelled, err) < 0)
			return -1;
		if (labelled)
			return verdict_refuse(v, err,
					      "containers have the label %s from their images, and may be another's: "
					      "remove yours by their names",
					      rules_label(v->rules));
	}
	return 0;
}
