#include "rules/schema.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

bool schema_is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list && *list) {
		size_t n = strcspn(list, " ");

		if (n == len && strncmp(list, word, n) == 0)
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

static bool all(const cJSON *item, bool (*is)(const cJSON *child))
{
	for (const cJSON *child = item->child; child; child = child->next) {
		if (!is(child))
			return false;
	}
	return true;
}

static bool is_string(const cJSON *item)
{
	return cJSON_IsString(item);
}

static bool is_number(const cJSON *item)
{
	return cJSON_IsRaw(item);
}

static bool is_strings(const cJSON *item)
{
	return cJSON_IsArray(item) && all(item, is_string);
}

static bool is_nothing(const cJSON *item)
{
	return cJSON_IsObject(item) && !item->child;
}

static bool is_object(const cJSON *item)
{
	return cJSON_IsObject(item);
}

static bool is_object_or_null(const cJSON *item)
{
	return cJSON_IsObject(item) || cJSON_IsNull(item);
}

static bool is_objects_or_null(const cJSON *item)
{
	return (cJSON_IsArray(item) && all(item, is_object)) || cJSON_IsNull(item);
}

static bool is_of_kind(const cJSON *item, enum schema_kind kind)
{
	switch (kind) {
	case KIND_STRING:
		return cJSON_IsString(item);
	case KIND_BOOL:
		return cJSON_IsBool(item);
	case KIND_NUMBER:
		return cJSON_IsRaw(item);
	case KIND_STRINGS:
		return is_strings(item);
	case KIND_WORDS:
		return cJSON_IsString(item) || is_strings(item);
	case KIND_NUMBERS:
		return cJSON_IsArray(item) && all(item, is_number);
	case KIND_LISTS:
		return cJSON_IsArray(item) && all(item, is_strings);
	case KIND_MAP:
		return cJSON_IsObject(item) && all(item, is_string);
	case KIND_SET:
		return cJSON_IsObject(item) && all(item, is_nothing);
	case KIND_OBJECT:
		return cJSON_IsObject(item);
	case KIND_OBJECTS:
		return cJSON_IsArray(item) && all(item, is_object);
	case KIND_MAP_OBJECT:
		return cJSON_IsObject(item) && all(item, is_object_or_null);
	case KIND_MAP_OBJECTS:
		return cJSON_IsObject(item) && all(item, is_objects_or_null);
	}
	return false;
}

static int check_inside(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	if (row->kind == KIND_OBJECT)
		return schema_check(v, row->inside, item, err);
	for (cJSON *child = item->child; child; child = child->next) {
		if (cJSON_IsObject(child) && schema_check(v, row->inside, child, err) < 0)
			return -1;
		for (cJSON *grandchild = cJSON_IsArray(child) ? child->child : NULL; grandchild;
		     grandchild = grandchild->next) {
			if (schema_check(v, row->inside, grandchild, err) < 0)
				return -1;
		}
	}
	return 0;
}

static int check_item(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	if (cJSON_IsNull(item))
		return 0;
	if (!is_of_kind(item, row->kind))
		return error_set(err, EINVAL, "the value of '%s' has another type than the API says", row->name);
	if (row->inside && check_inside(v, row, item, err) < 0)
		return -1;
	return row->check ? row->check(v, row, item, err) : 0;
}

static const struct schema_row *find(const struct schema_row *rows, const char *name, struct error *err)
{
	const struct schema_row *near = NULL;

	for (const struct schema_row *row = rows; row->name; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
		if (strcasecmp(row->name, name) == 0)
			near = row;
	}
	if (near)
		error_set_text(err, EINVAL, "write the key '%s' exactly like this, not '%.64s'", near->name, name);
	else
		error_set_text(err, EPERM, "the key '%.64s' is not known here", name);
	return NULL;
}

int schema_check(const struct verdict *v, const struct schema_row *rows, cJSON *object, struct error *err)
{
	if (!cJSON_IsObject(object))
		return error_set(err, EINVAL, "the JSON of the request is not an object");
	/* A check may replace the value, but not the next one. */
	for (cJSON *item = object->child, *next; item; item = next) {
		const struct schema_row *row = find(rows, item->string, err);

		next = item->next;
		if (!row || check_item(v, row, item, err) < 0)
			return -1;
	}
	return 0;
}
