#include "rules/isolation.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "rules/checks.h"
#include "rules/resolve.h"
#include "rules/strict.h"

#define CONTAINER "container:"

/* "container:NAME" becomes "container:ID". */
static int check_other_container(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	char id[RESOLVE_ID_MAX], mode[RESOLVE_ID_MAX + sizeof(CONTAINER)];

	if (verdict_need(v, row->key, "container", row->name, err) < 0 ||
	    resolve_reference(v, item->valuestring + strlen(CONTAINER), id, err) < 0)
		return -1;
	snprintf(mode, sizeof(mode), CONTAINER "%s", id);
	return checks_set_string(item, mode, err);
}

int isolation_check_mode(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	const char *mode = item->valuestring;

	if (!mode[0] || schema_is_listed(row->free, mode))
		return 0;
	if (strncmp(mode, CONTAINER, strlen(CONTAINER)) == 0)
		return check_other_container(v, row, item, err);
	/* Podman: "ns:/proc/1/ns/net", "slirp4netns:allow_host_loopback=true", … */
	if (strchr(mode, ':'))
		return verdict_refuse(v, err, "no rule can allow the mode '%.64s' in %s", mode, row->name);
	return verdict_need(v, row->key, mode, row->name, err);
}

/* Networks that every container may use. */
int isolation_check_network_name(const struct verdict *v, const char *name, char ret[static RESOLVE_ID_MAX],
				 struct error *err)
{
	snprintf(ret, RESOLVE_ID_MAX, "%s", name);
	if (!name[0] || schema_is_listed("default bridge none", name))
		return 0;
	if (strcmp(name, "host") == 0)
		return verdict_need(v, RULES_NETWORK, name, "the network of the host", err);
	/* Otherwise the rule for the namespaces of containers would cover a network of this name. */
	if (strcmp(name, "container") == 0)
		return verdict_refuse(v, err, "a network cannot be called 'container'");
	return resolve_network_use(v, name, ret, err);
}

int isolation_check_network_mode(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	char id[RESOLVE_ID_MAX];

	if (strchr(item->valuestring, ':'))
		return isolation_check_mode(v, row, item, err);
	if (isolation_check_network_name(v, item->valuestring, id, err) < 0)
		return -1;
	return checks_set_string(item, id, err);
}

int isolation_check_networks(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	for (cJSON *child = item->child; child; child = child->next) {
		char id[RESOLVE_ID_MAX];

		if (!child->string[0])
			return verdict_refuse(v, err, "the name of a network is empty");
		if (isolation_check_network_name(v, child->string, id, err) < 0)
			return -1;
		if (strcmp(id, child->string) == 0)
			continue;
		if (cJSON_GetObjectItemCaseSensitive(item, id))
			return error_set(err, EINVAL, "%s has the network '%.64s' twice", row->name, child->string);
		if (checks_set_key(child, id, err) < 0)
			return -1;
	}
	return 0;
}

int isolation_check_joined(const struct verdict *v, const char *id, struct error *err)
{
	_cleanup_cjson_ cJSON *root = NULL;
	const cJSON *settings, *networks;
	char ignored[RESOLVE_ID_MAX];
	bool is_podman;

	if (!rules_label(v->rules))
		return 0;
	if (resolve_inspect(v, RESOLVE_CONTAINER, id, &root, &is_podman, err) < 0)
		return -1;
	settings = cJSON_GetObjectItemCaseSensitive(root, "NetworkSettings");
	networks = cJSON_GetObjectItemCaseSensitive(settings, "Networks");
	for (const cJSON *network = networks ? networks->child : NULL; network; network = network->next) {
		const char *name = network->string ? network->string : "";

		/* Podman's name for what others call "bridge" */
		if (is_podman && strcmp(name, "podman") == 0)
			continue;
		if (isolation_check_network_name(v, name, ignored, err) < 0)
			return -1;
	}
	return 0;
}

int isolation_check_links(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	for (cJSON *child = item->child; child; child = child->next) {
		char name[RESOLVE_ID_MAX], id[RESOLVE_ID_MAX], link[2 * RESOLVE_ID_MAX];
		const char *alias = child->valuestring + strcspn(child->valuestring, ":");

		snprintf(name, sizeof(name), "%.*s", (int)(alias - child->valuestring), child->valuestring);
		alias += *alias == ':';
		if (!*alias)
			alias = name;
		if (strlen(alias) >= RESOLVE_ID_MAX || !checks_is_plain(alias))
			return verdict_refuse(v, err, "'%.64s' in %s is not CONTAINER:ALIAS", child->valuestring,
					      row->name);
		if (resolve_reference(v, name, id, err) < 0)
			return -1;
		snprintf(link, sizeof(link), "%s:%s", id, alias);
		if (checks_set_string(child, link, err) < 0)
			return -1;
	}
	return 0;
}

int isolation_check_old_links(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	if (item->child && !rules_label(v->rules))
		return verdict_refuse(v, err,
				      "links give a container the variables of another one, so they need rules with a "
				      "label: a network of both does without");
	return isolation_check_links(v, row, item, err);
}

int isolation_check_container(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	char id[RESOLVE_ID_MAX];

	(void)row;
	if (resolve_reference(v, item->valuestring, id, err) < 0)
		return -1;
	return checks_set_string(item, id, err);
}

/* Engines take "net_admin", "CAP_NET_ADMIN" and "NET_ADMIN"; rules have the last. */
int isolation_check_capabilities(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	for (const cJSON *child = item->child; child; child = child->next) {
		char name[64];
		size_t n = 0;

		for (const char *p = child->valuestring; *p && n < sizeof(name) - 1; p++)
			name[n++] = (char)toupper((unsigned char)*p);
		name[n] = '\0';
		if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(child->valuestring))
			return verdict_refuse(v, err, "'%.64s' in %s is not a capability", child->valuestring,
					      row->name);
		if (verdict_need(v, row->key, strncmp(name, "CAP_", 4) == 0 ? name + 4 : name, row->name, err) < 0)
			return -1;
	}
	return 0;
}

/* "KEY:VALUE" is the old way to write "KEY=VALUE". A profile of seccomp comes as JSON: no line of a file can have it, but
 * "seccomp" stands for all. */
int isolation_check_security(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	for (const cJSON *child = item->child; child; child = child->next) {
		char option[256], *separator;

		snprintf(option, sizeof(option), "%s", child->valuestring);
		separator = option + strcspn(option, "=:");
		if (*separator == ':')
			*separator = '=';
		if (schema_is_listed("no-new-privileges no-new-privileges=true", option))
			continue;
		if (strpbrk(option, " \t\n"))
			*separator = '\0';
		if (verdict_need(v, row->key, option, row->name, err) < 0)
			return -1;
	}
	return 0;
}

/* Podman: "keep-groups" are those of the engine. */
int isolation_check_groups(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	for (const cJSON *child = item->child; child; child = child->next) {
		if (strcmp(child->valuestring, "keep-groups") == 0)
			return verdict_refuse(v, err, "no rule can allow keep-groups in %s", row->name);
	}
	return 0;
}
