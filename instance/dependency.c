/* The dependencies of an instance (--with). */
#include "instance/dependency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"
#include "instance/health_check.h"
#include "instance/instance.h"

void dependency_clear(struct dependency *d)
{
	free(d->container);
	free(d->unit);
	free(d->health_check);
	*d = (struct dependency){};
}

static bool is_check_alone(const char *s)
{
	enum readiness_kind kind = health_check_kind(s);

	return kind == READY_HEALTHY || kind == READY_COMPLETED || kind == READY_NONE;
}

int dependency_parse(const char *text, struct dependency *ret, struct error *err)
{
	size_t name = strcspn(text, ":");
	const char *port = text[name] ? text + name + 1 : "", *check = strchr(port, ':');
	char number[8];
	int len = check ? (int)(check - port) : (int)strlen(port);

	*ret = (struct dependency){.container = strndup(text, name), .stop_timeout = 10};
	ret->health_check = check ? strdup(check + 1) : NULL;
	if (!ret->container || (check && !ret->health_check))
		return error_errno(err, ENOMEM, "cannot remember '%.100s'", text);
	if (!check && is_check_alone(port))
		return error_set(err, 0,
				 "--with '%.300s': a check without a port comes after two colons: --with %s::%s", text,
				 ret->container, port);
	if (!container_name_is_valid(ret->container) ||
	    snprintf(number, sizeof(number), "%.*s", len, port) >= (int)sizeof(number))
		return error_set(err, 0, "--with '%.300s' is not of the form CONTAINER[:PORT[:HEALTH-CHECK]]", text);
	return len == 0 ? 0 : parse_port("the port of a container in --with", number, &ret->port, err);
}

const char *dependency_format(const struct dependency *d, char ret[static DEPENDENCY_TEXT_MAX])
{
	size_t len = (size_t)snprintf(ret, DEPENDENCY_TEXT_MAX, "%s", d->container);

	if (d->port)
		len += (size_t)snprintf(ret + len, DEPENDENCY_TEXT_MAX - len, ":%u", d->port);
	if (d->health_check)
		snprintf(ret + len, DEPENDENCY_TEXT_MAX - len, " (%s)", d->health_check);
	return ret;
}

const char *dependency_lead(const struct instance *i, size_t k)
{
	if (k)
		return "then";
	return health_check_is_completed(i->dependencies[k].health_check) ? "first runs" : "first wakes";
}

const char *dependency_line(const struct instance *i, size_t k, char ret[static DEPENDENCY_LINE_MAX])
{
	char text[DEPENDENCY_TEXT_MAX];

	snprintf(ret, DEPENDENCY_LINE_MAX, " %11s %s", dependency_lead(i, k),
		 dependency_format(&i->dependencies[k], text));
	return ret;
}

static int validate_one(const struct dependency *d, struct error *err)
{
	if (!d->container || !container_name_is_valid(d->container))
		return error_set(err, 0, "--with '%.255s' does not name a container", d->container ? d->container : "");
	if (d->unit && !service_name_is_valid(d->unit))
		return error_set(err, 0, "'%s', the unit of the container '%s', is not the name of a service", d->unit,
				 d->container);
	if (!d->health_check)
		return 0;
	if (health_check_validate(d->health_check, err) < 0)
		return error_context(err, "the container '%s' in --with", d->container);
	if (d->port && health_check_is_completed(d->health_check))
		return error_set(err, 0, "a job such as '%s' has no port: --with %s::" HEALTH_CHECK_COMPLETED,
				 d->container, d->container);
	if (d->port == 0 && health_check_needs_port(d->health_check))
		return error_set(err, 0, "the health check '%s' of the container '%s' needs a port: --with %s:PORT:%s",
				 d->health_check, d->container, d->container, d->health_check);
	return 0;
}

int dependencies_validate(const struct instance *i, struct error *err)
{
	if (i->n_dependencies > INSTANCE_DEPENDENCIES_MAX)
		return error_set(err, 0, "more than %d containers in --with", INSTANCE_DEPENDENCIES_MAX);
	for (size_t k = 0; k < i->n_dependencies; k++) {
		const struct dependency *d = &i->dependencies[k];

		if (validate_one(d, err) < 0)
			return -1;
		if (strcmp(d->container, i->container_name) == 0)
			return error_set(err, 0, "--with names '%s', which is the instance's own container",
					 d->container);
		for (size_t m = 0; m < k; m++) {
			if (strcmp(d->container, i->dependencies[m].container) == 0)
				return error_set(err, 0, "--with names the container '%s' twice", d->container);
		}
	}
	return 0;
}
