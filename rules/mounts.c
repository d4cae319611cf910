#include "rules/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "rules/checks.h"
#include "rules/resolve.h"
#include "rules/strict.h"

/* Is it the path of a directory on the host, written the one way in which rules are compared with it? One that ends in a star
 * would be named by the rule for all beside it, link or not. */
static bool is_canonical(const char *path)
{
	size_t len = strlen(path);

	if (len >= 2 && strcmp(path + len - 2, "/*") == 0)
		return false;
	return path[0] == '/' && (len == 1 || path[len - 1] != '/') && !strstr(path, "//") && !strstr(path, "/./") &&
	       (len < 2 || strcmp(path + len - 2, "/.") != 0) && path_is_valid(path) && checks_is_plain(path);
}

/* Whoever may write below an allowed directory can put a link there, which the engine follows. The directory that a rule names
 * itself is the administrator's affair. (What is a directory now may be a link when the engine looks: docs say so.) */
static bool has_no_link(const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd >= 0;
}

static int check_bind(const struct verdict *v, const char *path, bool read_only, struct error *err)
{
	enum rules_key key = RULES_BIND;

	if (!is_canonical(path))
		return verdict_refuse(
			v, err,
			"the path '%.128s' of the host is not written without '//', '.', '..', a final '/' and "
			"characters such as ',' and ':'",
			path);
	if (read_only && !verdict_has(v, RULES_BIND, path))
		key = RULES_BIND_READ_ONLY;
	if (verdict_need(v, key, path, read_only ? "a read-only bind" : "a bind", err) < 0)
		return -1;
	if (verdict_has(v, key, path) && !rules_names(v->rules, key, path) && !has_no_link(path))
		return verdict_refuse(
			v, err,
			"'%.128s' does not exist, or has a symbolic link on its way; to allow it, write '%s = %.128s'",
			path, rules_key_name(key), path);
	return 0;
}

static int check_propagation(const struct verdict *v, const char *mode, struct error *err)
{
	if (schema_is_listed("private rprivate", mode) || !mode[0])
		return 0;
	return verdict_need(v, RULES_PROPAGATION, mode, "this propagation of a mount", err);
}

/* One word of the third part of "SOURCE:TARGET:OPTIONS". Podman has more options than Docker: "U" changes the owner on the host,
 * "O" takes other directories. */
static int check_option(const struct verdict *v, const char *word, struct error *err)
{
	if (schema_is_listed("shared rshared slave rslave private rprivate", word))
		return check_propagation(v, word, err);
	if (!schema_is_listed("ro rw z Z nocopy rbind bind consistent cached delegated default", word))
		return verdict_refuse(v, err, "no rule can allow the option '%.32s' of a bind", word);
	return 0;
}

/* It is read-only if nothing says otherwise: "rw" beside "ro", or "z" and "Z", which write labels to the files of the host. */
static int check_options(const struct verdict *v, const char *options, bool *ret_read_only, struct error *err)
{
	bool read_only = false, writes = false;
	char copy[128], *state, *word;

	if (strlen(options) >= sizeof(copy))
		return verdict_refuse(v, err, "the options of a bind are too long");
	strcpy(copy, options);
	for (word = strtok_r(copy, ",", &state); word; word = strtok_r(NULL, ",", &state)) {
		if (check_option(v, word, err) < 0)
			return -1;
		read_only |= strcmp(word, "ro") == 0;
		writes |= schema_is_listed("rw z Z", word);
	}
	*ret_read_only = read_only && !writes;
	return 0;
}

/* "TARGET", "SOURCE:TARGET" or "SOURCE:TARGET:OPTIONS". */
static int check_spec(const struct verdict *v, const char *spec, struct error *err)
{
	char source[PATH_MAX], *target, *options;
	bool read_only;

	if (strlen(spec) >= sizeof(source))
		return verdict_refuse(v, err, "a bind is too long");
	strcpy(source, spec);
	target = strchr(source, ':');
	if (target)
		*target++ = '\0';
	options = target ? strchr(target, ':') : NULL;
	if (options)
		*options++ = '\0';
	if ((target ? target[0] : source[0]) != '/' || (target && !checks_is_plain(target)) ||
	    (options && strchr(options, ':')))
		return verdict_refuse(v, err, "'%.128s' is not SOURCE:TARGET[:OPTIONS]", spec);
	if (check_options(v, options ? options : "", &read_only, err) < 0)
		return -1;
	if (!target) /* a new volume without a name */
		return checks_is_plain(source) ? 0 : verdict_refuse(v, err, "'%.128s' is not a plain path", source);
	return source[0] == '/' ? check_bind(v, source, read_only, err) : resolve_volume_use(v, source, err);
}

int mounts_check_binds(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	(void)row;
	for (const cJSON *child = item->child; child; child = child->next) {
		if (check_spec(v, child->valuestring, err) < 0)
			return -1;
	}
	return 0;
}

static const char *text_of(const cJSON *object, const char *key)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return value ? value : "";
}

/* "type=none,o=bind,device=/srv" binds. Other file systems may do so, too: an overlay names directories in its options. */
static int check_driver_options(const struct verdict *v, const cJSON *options, struct error *err)
{
	const char *type = text_of(options, "type"), *o = text_of(options, "o"), *device = text_of(options, "device");
	bool tmpfs = strcmp(type, "tmpfs") == 0 && schema_is_listed("tmpfs", device) && checks_are_tmpfs_options(o);
	bool bind = schema_is_listed("none bind", type) && schema_is_listed("bind rbind bind,rw bind,ro", o);

	for (const cJSON *option = options ? options->child : NULL; option; option = option->next) {
		if (!schema_is_listed("type o device", option->string))
			return verdict_need(v, RULES_VOLUME_OPTIONS, "yes", "an option of a volume driver", err);
	}
	if (tmpfs || !options || !options->child || verdict_has(v, RULES_VOLUME_OPTIONS, "yes"))
		return 0;
	if (bind)
		return check_bind(v, device, strcmp(o, "bind,ro") == 0, err);
	return verdict_need(v, RULES_VOLUME_OPTIONS, "yes", "options of a volume driver", err);
}

int mounts_check_new_volume(const struct verdict *v, const cJSON *name, const cJSON *driver, const cJSON *options,
			    struct error *err)
{
	const char *driver_name = cJSON_GetStringValue(driver);

	if (driver_name && driver_name[0] && strcmp(driver_name, "local") != 0 &&
	    verdict_need(v, RULES_VOLUME_DRIVER, driver_name, "a volume driver", err) < 0)
		return -1;
	if (check_driver_options(v, cJSON_IsObject(options) ? options : NULL, err) < 0)
		return -1;
	return resolve_new_volume(v, cJSON_GetStringValue(name), err);
}

static int check_volume_mount(const struct verdict *v, const cJSON *mount, struct error *err)
{
	const cJSON *options = cJSON_GetObjectItemCaseSensitive(mount, "VolumeOptions");
	const cJSON *driver = cJSON_GetObjectItemCaseSensitive(options, "DriverConfig");
	const char *source = text_of(mount, "Source");

	if (mounts_check_new_volume(v, NULL, cJSON_GetObjectItemCaseSensitive(driver, "Name"),
				    cJSON_GetObjectItemCaseSensitive(driver, "Options"), err) < 0)
		return -1;
	/* resolve_volume_use() creates what is missing, without options. */
	if (source[0] && driver && rules_label(v->rules))
		return verdict_refuse(v, err, "create the volume '%.64s' with its driver's options first", source);
	return source[0] ? resolve_volume_use(v, source, err) : 0;
}

static int check_bind_mount(const struct verdict *v, const cJSON *mount, struct error *err)
{
	const cJSON *options = cJSON_GetObjectItemCaseSensitive(mount, "BindOptions");
	/* What is mounted below stays writable then. */
	bool partly = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(options, "ReadOnlyNonRecursive"));
	bool read_only = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(mount, "ReadOnly")) && !partly;

	if (check_propagation(v, text_of(options, "Propagation"), err) < 0)
		return -1;
	return check_bind(v, text_of(mount, "Source"), read_only, err);
}

static int check_mount(const struct verdict *v, const cJSON *mount, struct error *err)
{
	const char *type = text_of(mount, "Type");

	if (strcmp(type, "bind") == 0)
		return check_bind_mount(v, mount, err);
	if (strcmp(type, "volume") == 0)
		return check_volume_mount(v, mount, err);
	if (strcmp(type, "tmpfs") == 0 && !text_of(mount, "Source")[0])
		return 0;
	return verdict_refuse(v, err, "no rule can allow a mount of the type '%.32s'", type);
}

int mounts_check_mounts(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	(void)row;
	for (const cJSON *child = item->child; child; child = child->next) {
		if (check_mount(v, child, err) < 0)
			return -1;
	}
	return 0;
}

/* "CONTAINER" or "CONTAINER:ro". "CONTAINER:rw" is sent as "CONTAINER": with "rw" Podman makes writable what that container has
 * read-only; Docker does not, and means the same by both. */
int mounts_check_volumes_from(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	for (cJSON *child = item->child; child; child = child->next) {
		char name[RESOLVE_ID_MAX], id[RESOLVE_ID_MAX], spec[RESOLVE_ID_MAX + 4];
		const char *mode = child->valuestring + strcspn(child->valuestring, ":");

		if (verdict_need(v, row->key, "yes", row->name, err) < 0)
			return -1;
		if (!schema_is_listed(":ro :rw", mode) && *mode)
			return verdict_refuse(v, err, "no rule can allow '%.64s' in %s", mode, row->name);
		snprintf(name, sizeof(name), "%.*s", (int)(mode - child->valuestring), child->valuestring);
		if (resolve_reference(v, name, id, err) < 0)
			return -1;
		snprintf(spec, sizeof(spec), "%s%s", id, strcmp(mode, ":rw") == 0 ? "" : mode);
		if (checks_set_string(child, spec, err) < 0)
			return -1;
	}
	return 0;
}

/* A device is what a rule names. A directory stands for all below it, and Podman takes other names for devices of CDI. */
int mounts_check_device(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	if (!is_canonical(item->valuestring))
		return verdict_refuse(v, err, "'%.64s' in %s is not the path of a device", item->valuestring,
				      row->name);
	return verdict_need(v, row->key, item->valuestring, row->name, err);
}

/* The path that is copied to says little: links within the container lead anywhere. */
int mounts_check_copy(const struct verdict *v, const char *id, struct error *err)
{
	_cleanup_cjson_ cJSON *root = NULL;
	const cJSON *host, *from, *mounts;
	bool is_podman;

	if (resolve_inspect(v, RESOLVE_CONTAINER, id, &root, &is_podman, err) < 0)
		return -1;
	if (!root || !is_podman)
		return 0;
	host = cJSON_GetObjectItemCaseSensitive(root, "HostConfig");
	from = cJSON_GetObjectItemCaseSensitive(host, "VolumesFrom");
	mounts = cJSON_GetObjectItemCaseSensitive(root, "Mounts");
	if (from && from->child) /* Podman does not tell of the binds that come from there. */
		return verdict_refuse(
			v, err,
			"Podman might write into directories of the host that the container has read-only "
			"from another; copy into that one");
	if (!cJSON_IsArray(mounts))
		return error_set(err, EPROTO, "the engine does not tell what is mounted in a container");
	for (const cJSON *mount = mounts->child; mount; mount = mount->next) {
		const char *source = text_of(mount, "Source");

		if (strcmp(text_of(mount, "Type"), "bind") == 0 &&
		    !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(mount, "RW")) && !verdict_has(v, RULES_BIND, source))
			return verdict_refuse(v, err,
					      "Podman would write into '%.128s' of the host, which the container has "
					      "read-only; copy without that bind, or write '%s = %.128s'",
					      source, rules_key_name(RULES_BIND), source);
	}
	return 0;
}
