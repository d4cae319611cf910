#include "units/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/io.h"
#include "common/parse.h"
#include "common/path.h"
#include "instance/json.h"
#include "units/paths.h"
#include "units/render.h"

#define UNIT_FILE_MAX (1U << 20) /* systemd's own limit for one line */

static const char *const suffixes[SNAPSHOT_FILES] = {SOCKET_SUFFIX, SERVICE_SUFFIX, TIMER_SUFFIX, LEGACY_SUFFIX};

void stored_clear(struct stored *s)
{
	instance_clear(&s->instance);
	free(s->problem);
	s->problem = NULL;
}

void stored_list_clear(struct stored_list *l)
{
	for (size_t k = 0; k < l->n; k++)
		stored_clear(&l->items[k]);
	free(l->items);
	*l = (struct stored_list){};
}

void snapshot_clear(struct snapshot *s)
{
	for (size_t k = 0; k < SNAPSHOT_FILES; k++)
		free(s->texts[k]);
	*s = (struct snapshot){};
}

static int unit_path(const char *directory, const char *name, const char *suffix, char ret[static PATH_MAX],
		     struct error *err)
{
	char file[UNIT_NAME_MAX];

	return path_join(directory, unit_name(name, suffix, file), ret, err);
}

static int link_path(const char *directory, const char *name, char ret[static PATH_MAX], struct error *err)
{
	char file[sizeof(SOCKETS_WANTS) + UNIT_NAME_MAX];

	snprintf(file, sizeof(file), SOCKETS_WANTS "/%s" SOCKET_SUFFIX, name);
	return path_join(directory, file, ret, err);
}

/* Finds our two lines in the [Unit] section; *ret_config points into the text, which is cut into lines. */
static bool find_markers(char *text, const char **ret_config)
{
	bool in_unit = false, managed = false;
	char *save = NULL;

	*ret_config = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '[')
			in_unit = strcmp(line, "[Unit]") == 0;
		else if (in_unit && strcmp(line, MANAGED_BY_LINE) == 0)
			managed = true;
		else if (in_unit && strncmp(line, INSTANCE_CONFIG_PREFIX, strlen(INSTANCE_CONFIG_PREFIX)) == 0)
			*ret_config = line + strlen(INSTANCE_CONFIG_PREFIX);
	}
	return managed;
}

static int read_config(const char *config, const char *name, struct instance *ret, struct error *err)
{
	if (!config)
		return error_set(err, EINVAL, "the line " INSTANCE_CONFIG_PREFIX " is missing");
	if (instance_from_json(config, ret, err) < 0)
		return error_context(err, INSTANCE_CONFIG_PREFIX);
	if (strcmp(ret->name, name) != 0)
		return error_set(err, EINVAL, "its configuration is that of '%s'", ret->name);
	return 0;
}

static bool is_enabled(const char *directory, const char *name)
{
	char link[PATH_MAX];
	struct error ignored;
	struct stat st;

	return link_path(directory, name, link, &ignored) == 0 && lstat(link, &st) == 0;
}

int store_read(const char *directory, const char *name, struct stored *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	const char *config;
	char path[PATH_MAX];
	struct error why;

	*ret = (struct stored){};
	if (!instance_name_is_valid(name))
		return error_set(err, EINVAL, "the name '%s' is not 1 to 240 of the characters A-Z a-z 0-9 _ -", name);
	if (unit_path(directory, name, SOCKET_SUFFIX, path, err) < 0)
		return -1;
	if (file_read(AT_FDCWD, path, UNIT_FILE_MAX, &text, NULL, &why) < 0 || !find_markers(text, &config))
		return error_set(err, ENOENT, "there is no instance '%s': 'sockwake list' shows those there are", name);
	ret->enabled = is_enabled(directory, name);
	if (read_config(config, name, &ret->instance, &why) == 0)
		return 0;
	instance_clear(&ret->instance);
	ret->instance.name = strdup(name);
	ret->problem = strdup(why.text);
	return ret->instance.name && ret->problem ? 0 : error_errno(err, ENOMEM, "cannot read '%s'", path);
}

/* "NAME.socket" → NAME, cut off in place. */
static bool is_socket_of_instance(char *file)
{
	char *dot = strrchr(file, '.'); /* a name has none */

	if (!dot || strcmp(dot, SOCKET_SUFFIX) != 0)
		return false;
	*dot = '\0';
	return instance_name_is_valid(file);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct stored *)a)->instance.name, ((const struct stored *)b)->instance.name);
}

static int append(struct stored_list *l, struct stored *s, struct error *err)
{
	if ((l->n & (l->n - 1)) == 0) { /* full at every power of two */
		struct stored *more = reallocarray(l->items, l->n ? l->n * 2 : 1, sizeof(*more));

		if (!more)
			return error_errno(err, ENOMEM, "cannot list the instances");
		l->items = more;
	}
	l->items[l->n++] = *s;
	*s = (struct stored){};
	return 0;
}

int store_scan(const char *directory, struct stored_list *ret, struct error *err)
{
	_cleanup_dir_ DIR *dir = opendir(directory);
	struct dirent *e;

	*ret = (struct stored_list){};
	if (!dir)
		return errno == ENOENT ? 0 : error_errno(err, errno, "cannot read the directory '%s'", directory);
	while ((e = readdir(dir))) {
		_cleanup_stored_ struct stored s = {};

		if (!is_socket_of_instance(e->d_name))
			continue;
		if (store_read(directory, e->d_name, &s, err) < 0) {
			if (error_forgive(err, ENOENT))
				continue;
			return -1;
		}
		if (append(ret, &s, err) < 0)
			return -1;
	}
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), compare_names);
	return 0;
}

/* Other contents with which a file with our markers still belongs to the instance, beside a configuration of that
 * name. */
enum { NO_CONFIG = 1, BROKEN_CONFIG = 2, FOREIGN_CONFIG = 4 };

/* The original tool may have written the configuration into all three of its units, or into the first alone. The name
 * in it distinguishes its NAME-proxy.service from the NAME.service of an instance called NAME-proxy. */
static bool belongs_to(const char *config, const char *name, int accepted)
{
	_cleanup_instance_ struct instance i = {};
	struct error ignored;

	if (!config)
		return accepted & NO_CONFIG;
	if (instance_from_json(config, &i, &ignored) < 0)
		return accepted & BROKEN_CONFIG;
	return strcmp(i.name, name) == 0 || accepted & FOREIGN_CONFIG;
}

/* Reads one of the files of an instance. *ret is NULL if there is none; code EEXIST: the file is not ours. */
static int read_own(const char *path, const char *name, int accepted, char **ret, struct error *err)
{
	_cleanup_free_ char *text = NULL, *lines = NULL;
	const char *config;

	if (file_read(AT_FDCWD, path, UNIT_FILE_MAX, &text, NULL, err) < 0) {
		struct stat st;

		if (err->code == ENOENT && lstat(path, &st) < 0 && errno == ENOENT)
			return error_clear(err);
		err->code = EEXIST;
		return -1;
	}
	lines = strdup(text);
	if (!lines)
		return error_errno(err, ENOMEM, "cannot read '%s'", path);
	if (!find_markers(lines, &config) || !belongs_to(config, name, accepted))
		return error_set(err, EEXIST,
				 "'%s' does not belong to this instance: give it another name, or remove that file",
				 path);
	*ret = steal_ptr(&text);
	return 0;
}

bool store_is_part(const char *path, const char *name)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored;

	(void)read_own(path, name, 0, &text, &ignored);
	return text;
}

static int take_snapshot(const char *directory, const char *name, struct snapshot *ret, struct error *err)
{
	char paths[SNAPSHOT_FILES][PATH_MAX];
	struct error ignored;

	for (size_t k = 0; k < SNAPSHOT_FILES; k++) {
		if (unit_path(directory, name, suffixes[k], paths[k], err) < 0)
			return -1;
	}
	if (read_own(paths[0], name, NO_CONFIG | BROKEN_CONFIG | FOREIGN_CONFIG, &ret->texts[0], err) < 0 ||
	    read_own(paths[1], name, BROKEN_CONFIG | (ret->texts[0] ? NO_CONFIG : 0), &ret->texts[1], err) < 0)
		return -1;
	/* A foreign file is not in the way here. */
	(void)read_own(paths[2], name, BROKEN_CONFIG, &ret->texts[2], &ignored);
	(void)read_own(paths[3], name, NO_CONFIG, &ret->texts[3], &ignored);
	ret->enabled = is_enabled(directory, name);
	return 0;
}

/* A foreign NAME.timer would start our NAME.service. */
static int check_timer(const char *directory, const char *name, struct error *err)
{
	_cleanup_free_ char *ignored = NULL;
	char path[PATH_MAX];

	if (unit_path(directory, name, TIMER_SUFFIX, path, err) < 0)
		return -1;
	return read_own(path, name, BROKEN_CONFIG, &ignored, err);
}

int store_check_owner(const char *directory, const char *name, struct error *err)
{
	_cleanup_snapshot_ struct snapshot s = {};

	return take_snapshot(directory, name, &s, err) < 0 ? -1 : check_timer(directory, name, err);
}

static int remove_path(const char *path, struct error *err)
{
	if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return error_errno(err, errno, "cannot remove '%s'", path);
	return 0;
}

/* Enables or disables the socket, as systemctl(1) would: a link in sockets.target.wants. */
static int set_enabled(const char *directory, const char *name, bool enabled, struct error *err)
{
	char link[PATH_MAX], target[PATH_MAX], wants[PATH_MAX];

	if (link_path(directory, name, link, err) < 0 || unit_path(directory, name, SOCKET_SUFFIX, target, err) < 0 ||
	    path_join(directory, SOCKETS_WANTS, wants, err) < 0 || remove_path(link, err) < 0)
		return -1;
	if (!enabled) {
		(void)rmdir(wants); /* succeeds if it is empty */
		return 0;
	}
	if (directory_make(wants, 0755, err) < 0)
		return -1;
	if (symlink(target, link) < 0)
		return error_errno(err, errno, "cannot create the link '%s'", link);
	return 0;
}

/* Replaces the files by new ones: all are on disk before the first is renamed. */
static int put_files(const char *directory, const char *name, char *const texts[static SNAPSHOT_FILES],
		     struct error *err)
{
	char paths[SNAPSHOT_FILES][PATH_MAX], new[SNAPSHOT_FILES][PATH_MAX];
	size_t staged = 0, done = 0;

	for (; staged < SNAPSHOT_FILES; staged++) {
		new[staged][0] = '\0';
		if (unit_path(directory, name, suffixes[staged], paths[staged], err) < 0)
			break;
		if (texts[staged] &&
		    file_write_beside(paths[staged], texts[staged], strlen(texts[staged]), 0644, new[staged], err) < 0)
			break;
	}
	for (; staged == SNAPSHOT_FILES && done < SNAPSHOT_FILES; done++) {
		if (texts[done] && rename(new[done], paths[done]) < 0)
			break;
	}
	if (done == SNAPSHOT_FILES)
		return 0;
	if (staged == SNAPSHOT_FILES)
		error_errno(err, errno, "cannot write '%s'", paths[done]);
	for (size_t k = done; k < staged; k++) {
		if (new[k][0])
			(void)unlink(new[k]);
	}
	return -1;
}

/* Removes old files without a successor. */
static int remove_files(const char *directory, const char *name, char *const old[static SNAPSHOT_FILES],
			char *const texts[static SNAPSHOT_FILES], struct error *err)
{
	char path[PATH_MAX];

	for (size_t k = SNAPSHOT_FILES; k-- > 0;) {
		if (old[k] && !texts[k] &&
		    (unit_path(directory, name, suffixes[k], path, err) < 0 || remove_path(path, err) < 0))
			return -1;
	}
	return 0;
}

/* The socket file identifies an instance. It comes first and goes last, so that an interrupted change leaves an
 * instance that is listed and can be removed. The link that enables it comes last and goes first. */
static int go_over(const char *directory, const char *name, const struct snapshot *from, const struct snapshot *to,
		   struct error *err)
{
	if (!to->enabled && set_enabled(directory, name, false, err) < 0)
		return -1;
	if (put_files(directory, name, to->texts, err) < 0 ||
	    remove_files(directory, name, from->texts, to->texts, err) < 0)
		return -1;
	return to->enabled ? set_enabled(directory, name, true, err) : 0;
}

int store_restore(const char *directory, const char *name, const struct snapshot *before, struct error *err)
{
	_cleanup_snapshot_ struct snapshot now = {};

	if (take_snapshot(directory, name, &now, err) < 0)
		return -1;
	return go_over(directory, name, &now, before, err);
}

int store_write(const char *directory, const struct instance *i, struct snapshot *ret_before, struct error *err)
{
	_cleanup_rendered_ struct rendered units = {};
	struct error ignored;

	*ret_before = (struct snapshot){};
	if (units_render(i, &units, err) < 0 || take_snapshot(directory, i->name, ret_before, err) < 0 ||
	    check_timer(directory, i->name, err) < 0 || directory_make(directory, 0755, err) < 0)
		return -1;
	/* the texts stay those of `units` */
	const struct snapshot after = {.texts = {units.socket, units.service, units.timer}, .enabled = true};

	if (go_over(directory, i->name, ret_before, &after, err) == 0)
		return 0;
	(void)store_restore(directory, i->name, ret_before, &ignored);
	return -1;
}

int store_remove(const char *directory, const char *name, struct error *err)
{
	return store_restore(directory, name, &(struct snapshot){}, err);
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The settings of the socket, without the description and the configuration before them. */
static const char *socket_section(const char *text)
{
	const char *section = text ? strstr(text, "\n[Socket]\n") : NULL;

	return section ? section : text;
}

/* Compares the files with what this version renders. */
static int compare(const char *directory, const struct instance *i, struct rendered *units, struct snapshot *before,
		   int *ret_changed, struct error *err)
{
	*before = (struct snapshot){};
	*ret_changed = 0;
	if (units_render(i, units, err) < 0 || take_snapshot(directory, i->name, before, err) < 0 ||
	    check_timer(directory, i->name, err) < 0)
		return -1;
	const struct snapshot after = {.texts = {units->socket, units->service, units->timer}};

	for (size_t k = 0; k < SNAPSHOT_FILES; k++) {
		if (!is_same_text(before->texts[k], after.texts[k]))
			*ret_changed |= REFRESHED_OTHERS;
	}
	if (!is_same_text(socket_section(before->texts[0]), socket_section(after.texts[0])))
		*ret_changed |= REFRESHED_SOCKET;
	return 0;
}

int store_is_current(const char *directory, const struct instance *i, bool *ret, struct error *err)
{
	_cleanup_rendered_ struct rendered units = {};
	_cleanup_snapshot_ struct snapshot now = {};
	int changed;

	if (compare(directory, i, &units, &now, &changed, err) < 0)
		return -1;
	*ret = changed == 0;
	return 0;
}

int store_refresh(const char *directory, const struct instance *i, struct snapshot *ret_before, int *ret_changed,
		  struct error *err)
{
	_cleanup_rendered_ struct rendered units = {};
	struct error ignored;

	if (compare(directory, i, &units, ret_before, ret_changed, err) < 0)
		return -1;
	const struct snapshot after = {.texts = {units.socket, units.service, units.timer},
				       .enabled = ret_before->enabled};
	if (!*ret_changed || go_over(directory, i->name, ret_before, &after, err) == 0)
		return 0;
	(void)store_restore(directory, i->name, ret_before, &ignored);
	return -1;
}
