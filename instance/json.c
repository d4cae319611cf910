/* An instance as one line of JSON, both ways. One table says where each key belongs, so that writing and reading cannot
 * diverge. */
#include "instance/json.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <string.h>

#include "instance/defaults.h"
#include "instance/instance.h"
#include "instance/validate.h"

enum field_type { TEXT, LIST, FLAG, WORKERS, SECONDS, PORT };

#define AT(member) offsetof(struct instance, member)

static const struct field {
	const char *key;
	enum field_type type;
	size_t offset;
} fields[] = {
	{"name", TEXT, AT(name)},
	{"container_name", TEXT, AT(container_name)},
	{"engine_socket", TEXT, AT(engine_socket)},
	{"unit", TEXT, AT(unit)},
	{"no_boot", FLAG, AT(no_boot)},
	{"drop_publish", FLAG, AT(drop_publish)},
	{"drop_in", TEXT, AT(drop_in)},
	{"made_container", FLAG, AT(made_container)},
	{"adopted", FLAG, AT(adopted)},
	{"targets", LIST, AT(targets)},
	{"startup_timeout", TEXT, AT(startup_timeout)},
	{"idle_timeout", TEXT, AT(idle_timeout)},
	{"warm_for", TEXT, AT(warm_for)},
	{"schedule", LIST, AT(schedule)},
	{"health_check", TEXT, AT(health_check)},
	{"keep_running", FLAG, AT(keep_running)},
	{"stop_timeout", SECONDS, AT(stop_timeout)},
	{"notifications", FLAG, AT(notifications)},
	{"user", TEXT, AT(user)},
	{"no_selinux", FLAG, AT(no_selinux)},
	{"keepalive", TEXT, AT(keepalive)},
	{"connection_timeout", TEXT, AT(connection_timeout)},
	{"flow_timeout", TEXT, AT(flow_timeout)},
	{"drain_timeout", TEXT, AT(drain_timeout)},
	{"workers", WORKERS, AT(workers)},
	{"proxy_protocol", TEXT, AT(proxy_protocol)},
	{"transparent", FLAG, AT(transparent)},
	{"outside_source", FLAG, AT(outside_source)},
	{"no_wake_from", LIST, AT(no_wake_from)},
	{"no_hold_from", LIST, AT(no_hold_from)},
	{"ignore_from", LIST, AT(ignore_from)},
	{"hold", TEXT, AT(hold)},
	{"socket_mode", TEXT, AT(socket_mode)},
	{"socket_group", TEXT, AT(socket_group)},
};
#define N_FIELDS (sizeof(fields) / sizeof(*fields))

/* The keys of each entry of "with". */
static const struct field dependency_fields[] = {
	{"container", TEXT, offsetof(struct dependency, container)},
	{"unit", TEXT, offsetof(struct dependency, unit)},
	{"port", PORT, offsetof(struct dependency, port)},
	{"health_check", TEXT, offsetof(struct dependency, health_check)},
	{"stop_timeout", SECONDS, offsetof(struct dependency, stop_timeout)},
};
#define N_DEPENDENCY_FIELDS (sizeof(dependency_fields) / sizeof(*dependency_fields))

static void cleanup_json(cJSON **j)
{
	cJSON_Delete(*j);
}
#define _cleanup_json_ _cleanup_(cleanup_json)

/* cJSON writes numbers up to this without loss. More seconds than that mean for ever. */
#define SECONDS_MAX 1000000000000000ULL

static bool add_list(cJSON *object, const char *key, char **list)
{
	cJSON *array = cJSON_AddArrayToObject(object, key);

	for (char **p = list; array && *p; p++) {
		if (!cJSON_AddItemToArray(array, cJSON_CreateString(*p)))
			return false;
	}
	return array;
}

/* Leaves out a member that has its default. */
static bool add_field(cJSON *object, const struct field *f, const void *owner)
{
	const void *member = (const char *)owner + f->offset;
	uint64_t seconds;

	switch (f->type) {
	case TEXT:
		return !*(char *const *)member || cJSON_AddStringToObject(object, f->key, *(char *const *)member);
	case LIST:
		return !*(char **const *)member || add_list(object, f->key, *(char **const *)member);
	case FLAG:
		return cJSON_AddBoolToObject(object, f->key, *(const bool *)member);
	case WORKERS:
		return *(const unsigned *)member == 0 ||
		       cJSON_AddNumberToObject(object, f->key, *(const unsigned *)member);
	case PORT:
		return *(const uint16_t *)member == 0 ||
		       cJSON_AddNumberToObject(object, f->key, *(const uint16_t *)member);
	case SECONDS:
		break;
	}
	seconds = *(const uint64_t *)member;
	return cJSON_AddNumberToObject(object, f->key, (double)(seconds < SECONDS_MAX ? seconds : SECONDS_MAX));
}

static bool add_ports(cJSON *object, const struct instance *i)
{
	cJSON *array = cJSON_AddArrayToObject(object, "ports");
	char text[PUBLISH_TEXT_MAX];

	for (size_t k = 0; array && k < i->n_ports; k++) {
		publish_format(&i->ports[k], text);
		if (!cJSON_AddItemToArray(array, cJSON_CreateString(text)))
			return false;
	}
	return array && cJSON_AddNumberToObject(object, "listen_port", i->ports[0].port) &&
	       cJSON_AddNumberToObject(object, "container_port", i->ports[0].container_port);
}

static bool add_dependencies(cJSON *object, const struct instance *i)
{
	cJSON *array = i->n_dependencies ? cJSON_AddArrayToObject(object, "with") : NULL;

	for (size_t k = 0; array && k < i->n_dependencies; k++) {
		cJSON *entry = cJSON_CreateObject();

		if (!cJSON_AddItemToArray(array, entry))
			return false;
		for (size_t m = 0; m < N_DEPENDENCY_FIELDS; m++) {
			if (!add_field(entry, &dependency_fields[m], &i->dependencies[k]))
				return false;
		}
	}
	return array || i->n_dependencies == 0;
}

char *instance_to_json(const struct instance *i)
{
	_cleanup_json_ cJSON *object = cJSON_CreateObject();

	if (!object || !cJSON_AddStringToObject(object, "scope", scope_name(i->scope)) ||
	    !cJSON_AddStringToObject(object, "backend", backend_kind_name(i->backend)) ||
	    !cJSON_AddStringToObject(object, "idle_action", idle_action_name(i->idle_action)))
		return NULL;
	for (size_t k = 0; k < N_FIELDS; k++) {
		if (!add_field(object, &fields[k], i))
			return NULL;
	}
	return add_dependencies(object, i) && add_ports(object, i) ? cJSON_PrintUnformatted(object) : NULL;
}

static int wrong_type(const char *key, const char *expected, struct error *err)
{
	return error_set(err, EINVAL, "the value of '%s' is not %s", key, expected);
}

static int read_text(const cJSON *item, char **ret, struct error *err)
{
	if (!cJSON_IsString(item))
		return wrong_type(item->string, "a string", err);
	*ret = strdup(item->valuestring);
	return *ret ? 0 : error_errno(err, ENOMEM, "cannot read '%s'", item->string);
}

static int read_list(const cJSON *item, char ***ret, struct error *err)
{
	int n = cJSON_GetArraySize(item);
	const cJSON *e;
	char **list;
	size_t k = 0;

	if (!cJSON_IsArray(item) || n > INSTANCE_LIST_MAX)
		return wrong_type(item->string, "an array of at most 64 strings", err);
	if (n == 0) /* as if the key were missing */
		return 0;
	list = *ret = calloc((size_t)n + 1, sizeof(*list));
	if (!list)
		return error_errno(err, ENOMEM, "cannot read '%s'", item->string);
	cJSON_ArrayForEach(e, item)
	{
		if (!cJSON_IsString(e))
			return wrong_type(item->string, "an array of strings", err);
		list[k] = strdup(e->valuestring);
		if (!list[k++])
			return error_errno(err, ENOMEM, "cannot read '%s'", item->string);
	}
	return 0;
}

static int read_number(const cJSON *item, uint64_t max, uint64_t *ret, struct error *err)
{
	double d = item->valuedouble;

	if (!cJSON_IsNumber(item) || !(d >= 0) || d > (double)max || d >= 0x1p64 || d != (double)(uint64_t)d)
		return error_set(err, EINVAL, "the value of '%s' is not a whole number from 0 to %llu", item->string,
				 (unsigned long long)max);
	*ret = (uint64_t)d;
	return 0;
}

static int read_field(const struct field *f, const cJSON *item, void *owner, struct error *err)
{
	void *member = (char *)owner + f->offset;
	uint64_t n;

	switch (f->type) {
	case TEXT:
		return read_text(item, member, err);
	case LIST:
		return read_list(item, member, err);
	case FLAG:
		if (!cJSON_IsBool(item))
			return wrong_type(f->key, "true or false", err);
		*(bool *)member = cJSON_IsTrue(item);
		return 0;
	case WORKERS:
		if (read_number(item, 64, &n, err) < 0)
			return -1;
		*(unsigned *)member = (unsigned)n;
		return 0;
	case PORT:
		if (read_number(item, UINT16_MAX, &n, err) < 0)
			return -1;
		*(uint16_t *)member = (uint16_t)n;
		return 0;
	case SECONDS:
		break;
	}
	if (read_number(item, SECONDS_MAX, &n, err) < 0)
		return -1;
	*(uint64_t *)member = n < SECONDS_MAX ? n : UINT64_MAX;
	return 0;
}

/* The words of enumerations: their keys and permitted values. */
static int read_words(const cJSON *object, struct instance *i, struct error *err)
{
	const cJSON *scope = cJSON_GetObjectItemCaseSensitive(object, "scope");
	const cJSON *backend = cJSON_GetObjectItemCaseSensitive(object, "backend");
	const cJSON *action = cJSON_GetObjectItemCaseSensitive(object, "idle_action");

	if (!cJSON_IsString(scope) || scope_from_name(scope->valuestring, &i->scope) < 0)
		return wrong_type("scope", "\"system\" or \"user\"", err);
	if (!cJSON_IsString(backend) || backend_kind_from_name(backend->valuestring, &i->backend) < 0)
		return wrong_type("backend", "\"docker\" or \"podman\"", err);
	if (!cJSON_IsString(action) || idle_action_from_name(action->valuestring, &i->idle_action) < 0)
		return wrong_type("idle_action", "\"stop\" or \"pause\"", err);
	return 0;
}

static int read_ports(const cJSON *array, struct instance *i, struct error *err)
{
	const cJSON *e;

	if (!cJSON_IsArray(array))
		return wrong_type("ports", "an array", err);
	cJSON_ArrayForEach(e, array)
	{
		if (!cJSON_IsString(e) || i->n_ports == INSTANCE_PORTS_MAX)
			return wrong_type("ports", "an array of at most 64 strings", err);
		if (publish_parse(e->valuestring, &i->ports[i->n_ports++], err) < 0)
			return -1;
	}
	return 0;
}

static int read_dependencies(const cJSON *array, struct instance *i, struct error *err)
{
	const cJSON *e;

	if (!array)
		return 0;
	if (!cJSON_IsArray(array))
		return wrong_type("with", "an array", err);
	cJSON_ArrayForEach(e, array)
	{
		if (!cJSON_IsObject(e) || i->n_dependencies == INSTANCE_DEPENDENCIES_MAX)
			return wrong_type("with", "an array of at most 16 objects", err);
		i->n_dependencies++;
		for (size_t k = 0; k < N_DEPENDENCY_FIELDS; k++) {
			const cJSON *item = cJSON_GetObjectItemCaseSensitive(e, dependency_fields[k].key);

			if (item &&
			    read_field(&dependency_fields[k], item, &i->dependencies[i->n_dependencies - 1], err) < 0)
				return -1;
		}
	}
	return 0;
}

/* The original tool had four keys. The rest are its defaults, as far as they still apply. */
static int read_legacy(const cJSON *object, struct instance *i, struct error *err)
{
	const cJSON *listen = cJSON_GetObjectItemCaseSensitive(object, "listen_port");
	const cJSON *container = cJSON_GetObjectItemCaseSensitive(object, "container_port");
	uint64_t port = 0, container_port = 0;

	if (!listen || !container)
		return error_set(err, EINVAL, "'listen_port' or 'container_port' is missing");
	if (read_number(listen, UINT16_MAX, &port, err) < 0 ||
	    read_number(container, UINT16_MAX, &container_port, err) < 0)
		return -1;
	i->legacy = true;
	i->scope = SCOPE_SYSTEM;
	i->backend = BACKEND_DOCKER;
	i->ports[0] = (struct publish){
		.type = SOCK_STREAM, .port = (uint16_t)port, .container_port = (uint16_t)container_port};
	i->n_ports = port ? 1 : 0;
	i->startup_timeout = strdup(DEFAULT_STARTUP_TIMEOUT_TEXT);
	i->idle_timeout = strdup(DEFAULT_IDLE_TIMEOUT_TEXT);
	i->health_check = strdup("listen");
	i->stop_timeout = DEFAULT_STOP_TIMEOUT;
	return 0;
}

static int read_object(const cJSON *object, struct instance *i, struct error *err)
{
	const cJSON *ports = cJSON_GetObjectItemCaseSensitive(object, "ports");

	if (!cJSON_IsObject(object))
		return error_set(err, EINVAL, "it is not a JSON object");
	if (ports ? read_words(object, i, err) < 0 || read_ports(ports, i, err) < 0 : read_legacy(object, i, err) < 0)
		return -1;
	for (size_t k = 0; k < N_FIELDS; k++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, fields[k].key);

		if (!item || (i->legacy && fields[k].offset != AT(name) && fields[k].offset != AT(container_name)))
			continue;
		if (read_field(&fields[k], item, i, err) < 0)
			return -1;
	}
	if (!i->legacy && read_dependencies(cJSON_GetObjectItemCaseSensitive(object, "with"), i, err) < 0)
		return -1;
	return instance_validate(i, err);
}

int instance_from_json(const char *json, struct instance *ret, struct error *err)
{
	_cleanup_json_ cJSON *object = NULL;

	*ret = (struct instance){};
	if (strlen(json) > INSTANCE_JSON_MAX)
		return error_set(err, EFBIG, "it is longer than %u bytes", INSTANCE_JSON_MAX);
	object = cJSON_ParseWithOpts(json, NULL, true);
	if (!object)
		return error_set(err, EINVAL, "it is not JSON");
	return read_object(object, ret, err);
}
