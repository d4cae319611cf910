#include "rules/checks.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rules/strict.h"

bool checks_is_plain(const char *s)
{
	for (const char *p = s; *p; p++) {
		if ((unsigned char)*p < ' ' || strchr(":,\"\\\x7f", *p))
			return false;
	}
	return true;
}

/* Not "bind", nor the propagation of mounts. */
#define TMPFS_OPTIONS                                                                                                  \
	"size mode uid gid nr_inodes nr_blocks exec noexec suid nosuid dev nodev ro rw atime noatime diratime "        \
	"nodiratime relatime norelatime strictatime nostrictatime sync async tmpcopyup notmpcopyup rprivate private"

static int replace(char **string, const char *s, struct error *err)
{
	char *copy = cJSON_malloc(strlen(s) + 1);

	if (!copy)
		return error_errno(err, ENOMEM, "cannot change the request");
	strcpy(copy, s);
	cJSON_free(*string);
	*string = copy;
	return 0;
}

int checks_set_string(cJSON *item, const char *s, struct error *err)
{
	return replace(&item->valuestring, s, err);
}

int checks_set_key(cJSON *item, const char *s, struct error *err)
{
	return replace(&item->string, s, err);
}

static bool is_given(const cJSON *item)
{
	if (cJSON_IsString(item))
		return item->valuestring[0] != '\0';
	if (cJSON_IsRaw(item))
		return strict_number(item) != 0;
	if (cJSON_IsBool(item))
		return cJSON_IsTrue(item);
	return item->child != NULL;
}

int check_yes(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	return is_given(item) ? verdict_need(v, row->key, "yes", row->name, err) : 0;
}

int check_given(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	(void)item;
	return verdict_need(v, row->key, "yes", row->name, err);
}

static int need_word(const struct verdict *v, const struct schema_row *row, const char *word, struct error *err)
{
	if (word[0] == '\0' || schema_is_listed(row->free, word))
		return 0;
	return verdict_need(v, row->key, word, row->name, err);
}

int check_word(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	return need_word(v, row, item->valuestring, err);
}

int check_kind(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	static const char *const names[] = {"Name", "Type"};

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		const char *word = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, names[k]));

		if (word && need_word(v, row, word, err) < 0)
			return -1;
	}
	return 0;
}

int check_keys(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	for (const cJSON *child = item->child; child; child = child->next) {
		/* Podman composes "KEY=VALUE". */
		if (!checks_is_plain(child->string) || strchr(child->string, '='))
			return verdict_refuse(v, err, "the name '%.64s' in %s is not plain", child->string, row->name);
		if (need_word(v, row, child->string, err) < 0)
			return -1;
	}
	return 0;
}

int check_empty(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	if (!is_given(item) || (cJSON_IsString(item) && schema_is_listed(row->free, item->valuestring)))
		return 0;
	return verdict_refuse(v, err, "no rule can allow %s", row->name);
}

int check_drop(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	(void)v;
	(void)row;
	return checks_set_string(item, "", err);
}

int check_negative(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	return strict_number(item) < 0 ? verdict_need(v, row->key, "yes", row->name, err) : 0;
}

static int check_plain_path(const struct verdict *v, const struct schema_row *row, const char *path, struct error *err)
{
	if (path[0] && (path[0] != '/' || !checks_is_plain(path)))
		return verdict_refuse(v, err,
				      "the path '%.128s' in %s is not an absolute one without ':', ',', '\"' and '\\'",
				      path, row->name);
	return 0;
}

int check_path(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	return check_plain_path(v, row, item->valuestring, err);
}

bool checks_are_tmpfs_options(const char *o)
{
	char copy[256], *state, *word;

	if (strlen(o) >= sizeof(copy))
		return false;
	strcpy(copy, o);
	/* Podman appends them to the path. */
	if (strspn(o, "abcdefghijklmnopqrstuvwxyz0123456789_=,%-") != strlen(o))
		return false;
	for (word = strtok_r(copy, ",", &state); word; word = strtok_r(NULL, ",", &state)) {
		word[strcspn(word, "=")] = '\0';
		if (!schema_is_listed(TMPFS_OPTIONS, word))
			return false;
	}
	return true;
}

int check_path_keys(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	for (const cJSON *child = item->child; child; child = child->next) {
		if (!child->string[0])
			return verdict_refuse(v, err, "a path in %s is empty", row->name);
		if (check_plain_path(v, row, child->string, err) < 0)
			return -1;
		if (cJSON_IsString(child) && !checks_are_tmpfs_options(child->valuestring))
			return verdict_refuse(v, err, "'%.64s' in %s are not options of a tmpfs, such as size=1m",
					      child->valuestring, row->name);
	}
	return 0;
}

bool checks_is_image(const char *s)
{
	static const char transports[] =
		"containers-storage dir docker docker-archive docker-daemon oci oci-archive ostree sif "
		"tarball";
	char first[32];

	for (const char *p = s; *p; p++) {
		if (!isalnum((unsigned char)*p) && (p == s || !strchr("._-/:@+", *p)))
			return false;
	}
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(s, ":"), s);
	return !strstr(s, ":/") && !schema_is_listed(transports, first);
}

bool checks_is_like_id(const char *name)
{
	return name[0] && name[strspn(name, "0123456789abcdef")] == '\0';
}

/* Docker knows "docker.io/library/x" as "x". */
bool checks_is_new_image(const char *s)
{
	static const char *const prefixes[] = {"docker.io/", "index.docker.io/", "library/"};
	size_t len;

	if (!checks_is_image(s))
		return false;
	for (size_t k = 0; k < sizeof(prefixes) / sizeof(prefixes[0]); k++) {
		if (strncmp(s, prefixes[k], strlen(prefixes[k])) == 0)
			s += strlen(prefixes[k]);
	}
	len = strcspn(s, ":@");
	return len < CHECKS_ID_LEAST || len != strspn(s, "0123456789abcdef");
}

int check_image(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	(void)row;
	if (checks_is_image(item->valuestring))
		return 0;
	return verdict_refuse(v, err, "'%.128s' is not the name of an image", item->valuestring);
}

int checks_add_label(const struct verdict *v, cJSON *object, struct error *err)
{
	cJSON *labels = cJSON_GetObjectItemCaseSensitive(object, "Labels");

	if (!rules_label(v->rules))
		return 0;
	if (!cJSON_IsObject(labels)) {
		cJSON_DeleteItemFromObjectCaseSensitive(object, "Labels");
		labels = cJSON_AddObjectToObject(object, "Labels");
	}
	cJSON_DeleteItemFromObjectCaseSensitive(labels, rules_label_key(v->rules));
	if (!cJSON_AddStringToObject(labels, rules_label_key(v->rules), rules_label_value(v->rules)))
		return error_errno(err, ENOMEM, "cannot add the label");
	return 0;
}

/* `podman auto-update` restarts the unit that a label names. sockwake, as root, takes a container whose labels say so for its own,
 * and `sockwake adopt` publishes ports of the host for others. */
bool checks_is_acted_on(const char *label)
{
	static const char *const prefixes[] = {"sockwake.", "io.containers.", "io.podman."};

	for (size_t k = 0; k < sizeof(prefixes) / sizeof(prefixes[0]); k++) {
		if (strncmp(label, prefixes[k], strlen(prefixes[k])) == 0)
			return true;
	}
	return strcmp(label, "PODMAN_SYSTEMD_UNIT") == 0;
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len > n && strcmp(s + len - n, end) == 0;
}

/* "NAME.replaced", "sockwake-NAME-keep": with one that is taken, root can no longer replace or keep the container NAME. */
bool checks_is_sockwakes_name(const char *name)
{
	return ends_with(name, ".replaced") || ends_with(name, ".discarded") ||
	       (strncmp(name, "sockwake-", 9) == 0 && ends_with(name, "-keep"));
}

/* Each list of containers has them. */
#define LABELS_MAX (16UL * 1024)

/* Podman composes "KEY=VALUE" and cuts it at the first '=': such a key would be the label of somebody else. */
int check_labels(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	size_t len = 0;

	(void)row;
	for (const cJSON *child = item->child; child; child = child->next) {
		if (!child->string[0] || strchr(child->string, '='))
			return verdict_refuse(v, err, "'%.64s' is not the name of a label", child->string);
		len += strlen(child->string) + strlen(child->valuestring);
		if (len > LABELS_MAX)
			return verdict_refuse(v, err, "there are more than %lu bytes of labels", LABELS_MAX);
		if (checks_is_acted_on(child->string))
			return verdict_refuse(v, err, "no rule can allow the label '%.64s'", child->string);
	}
	return 0;
}

int check_environment(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	(void)row;
	for (const cJSON *child = item->child; child; child = child->next) {
		if (!strchr(child->valuestring, '=') || child->valuestring[0] == '=')
			return verdict_refuse(v, err, "the variable '%.64s' has no value", child->valuestring);
	}
	return 0;
}
