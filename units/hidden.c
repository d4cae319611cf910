#include "units/hidden.h"

#include <string.h>
#include <unistd.h>

#include "common/path.h"
#include "units/paths.h"

struct search {
	const char *directory; /* ours */
	bool behind;	       /* the visited directory comes after ours */
	const struct instance *const *list;
	size_t n;
	struct hidden *ret;
};

static bool is_file(const char *directory, const char *unit, char ret[static PATH_MAX])
{
	char target[sizeof("/dev/null")];
	struct error ignored;
	ssize_t len;

	if (path_join(directory, unit, ret, &ignored) < 0 || access(ret, F_OK) != 0)
		return false;
	len = readlink(ret, target, sizeof(target)); /* a masked unit is nobody's */
	return len != (ssize_t)strlen("/dev/null") || strncmp(target, "/dev/null", (size_t)len) != 0;
}

static void look_for(const char *directory, const struct instance *i, struct hidden *ret)
{
	const char *const suffixes[] = {SERVICE_SUFFIX, SOCKET_SUFFIX, i->schedule ? TIMER_SUFFIX : NULL};
	char unit[UNIT_NAME_MAX];

	for (size_t k = 0; k < sizeof(suffixes) / sizeof(*suffixes) && suffixes[k] && !ret->path[0]; k++) {
		if (!is_file(directory, unit_name(i->name, suffixes[k], unit), ret->path))
			ret->path[0] = '\0';
	}
}

static void look_in(void *data, const char *directory)
{
	struct search *s = data;

	for (size_t k = 0; s->behind && k < s->n; k++) {
		if (!s->ret[k].path[0])
			look_for(directory, s->list[k], &s->ret[k]);
	}
	s->behind |= strcmp(directory, s->directory) == 0;
}

int hidden_find(struct manager *m, const char *directory, const struct instance *const *list, size_t n,
		struct hidden *ret, struct error *err)
{
	struct search s = {.directory = directory, .list = list, .n = n, .ret = ret};

	for (size_t k = 0; k < n; k++)
		ret[k].path[0] = '\0';
	return manager_each_directory(m, look_in, &s, err);
}
