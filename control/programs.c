#include "control/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/path.h"
#include "units/command_line.h"
#include "units/paths.h"
#include "units/render.h"

#define SERVICE_FILE_MAX (1U << 20)

void programs_clear(struct programs *p)
{
	for (size_t k = 0; k < p->n; k++)
		free(p->items[k].path);
	free(p->items);
	*p = (struct programs){};
}

/* A user manager has the user's rights. The system's manager has more than an ordinary user: a program that the user
 * cannot see may still exist. */
static const char *examine(enum scope scope, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return "is missing";
		return scope == SCOPE_SYSTEM && geteuid() != 0 ? NULL : "cannot be reached";
	}
	if (!S_ISREG(st.st_mode))
		return "is no program";
	if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return "is not executable";
	if (scope == SCOPE_SYSTEM && geteuid() != 0)
		return NULL;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? "is not executable" : NULL;
}

/* Out of memory only means that the result is not cached. */
static const char *look(struct programs *p, enum scope scope, const char *path)
{
	const char *trouble;
	struct program *more;

	for (size_t k = 0; k < p->n; k++) {
		if (strcmp(p->items[k].path, path) == 0)
			return p->items[k].trouble;
	}
	trouble = examine(scope, path);
	more = reallocarray(p->items, p->n + 1, sizeof(*more));
	if (!more)
		return trouble;
	p->items = more;
	more[p->n].path = strdup(path);
	more[p->n].trouble = trouble;
	p->n += more[p->n].path != NULL;
	return trouble;
}

static bool find_in_command(struct programs *p, enum scope scope, const char *text, char ret_path[static PATH_MAX],
			    const char **ret_trouble)
{
	_cleanup_command_line_ struct command_line c = {};
	struct error ignored;

	if (command_line_parse(text, &c, &ignored) < 0)
		return false; /* changed by hand: systemd reports its errors */
	for (size_t k = 0; k < c.n; k++) {
		if (c.words[k][0] != '/' || (k > 0 && strcmp(c.words[k - 1], "--") != 0))
			continue;
		*ret_trouble = look(p, scope, c.words[k]);
		if (*ret_trouble) {
			snprintf(ret_path, PATH_MAX, "%s", c.words[k]);
			return true;
		}
	}
	return false;
}

bool programs_find_missing(struct programs *p, enum scope scope, const char *service, char ret_path[static PATH_MAX],
			   const char **ret_trouble)
{
	while (service && *service) {
		size_t len = strcspn(service, "\n");

		if (strncmp(service, "Exec", 4) == 0) {
			_cleanup_free_ char *line = strndup(service, len);
			const char *equals = line ? strchr(line, '=') : NULL;

			if (equals && find_in_command(p, scope, equals + 1, ret_path, ret_trouble))
				return true;
		}
		service += len + (service[len] == '\n');
	}
	return false;
}

/* Checks the programs of this version's units. Any instance names them, so no second list is needed. */
static int find_own_missing(struct programs *p, char ret_path[static PATH_MAX], const char **ret_trouble,
			    struct error *err)
{
	_cleanup_rendered_ struct rendered units = {};
	struct instance any = {
		.name = (char *)"any",
		.scope = SCOPE_SYSTEM,
		.container_name = (char *)"any",
		.startup_timeout = (char *)"30",
		.idle_timeout = (char *)"15min",
		.health_check = (char *)"listen",
		.n_ports = 1,
	};

	if (publish_parse("1:1", &any.ports[0], err) < 0 || units_render(&any, &units, err) < 0)
		return -1;
	return programs_find_missing(p, scope_default(), units.service, ret_path, ret_trouble);
}

int programs_check(struct error *err)
{
	_cleanup_programs_ struct programs p = {};
	char path[PATH_MAX];
	const char *trouble;
	int r = find_own_missing(&p, path, &trouble, err);

	if (r <= 0)
		return r;
	return error_set(err, EINVAL, "'%s' %s: install sockwake again (make install), then 'sockwake refresh --all'",
			 path, trouble);
}

static const char *sudo(const struct instance *i)
{
	return i->scope == SCOPE_SYSTEM && geteuid() != 0 ? "sudo " : "";
}

static void describe_missing(const struct instance *i, const char *path, const char *trouble, char *ret, size_t size)
{
	_cleanup_programs_ struct programs own = {};
	char own_path[PATH_MAX];
	const char *own_trouble;
	struct error ignored;

	if (find_own_missing(&own, own_path, &own_trouble, &ignored) == 0)
		snprintf(ret, size, "'%s' %s: '%ssockwake refresh %s' has the units run what is installed now", path,
			 trouble, sudo(i), i->name);
	else
		snprintf(ret, size, "'%s' %s: install sockwake again (make install), then '%ssockwake refresh --all'",
			 path, trouble, sudo(i));
}

void programs_describe_units(struct programs *p, const char *directory, const struct instance *i, char *ret,
			     size_t size)
{
	_cleanup_free_ char *service = NULL;
	char file[UNIT_NAME_MAX], path[PATH_MAX];
	const char *trouble;
	struct error err;

	ret[0] = '\0';
	if (i->legacy || path_join(directory, unit_name(i->name, SERVICE_SUFFIX, file), path, &err) < 0)
		return;
	if (file_read(AT_FDCWD, path, SERVICE_FILE_MAX, &service, NULL, &err) < 0) {
		if (err.code == ENOENT)
			snprintf(ret, size, "'%s' is missing: '%ssockwake refresh %s' writes it again", path, sudo(i),
				 i->name);
		return;
	}
	if (programs_find_missing(p, i->scope, service, path, &trouble))
		describe_missing(i, path, trouble, ret, size);
}
