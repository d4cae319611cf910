#include "units/exec_command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "units/ask.h"

void strv_free(char ***list)
{
	for (char **p = *list; p && *p; p++)
		free(*p);
	free(*list);
	*list = NULL;
}

char **strv_copy(const char *const *words, size_t n)
{
	_cleanup_strv_ char **copy = calloc(n + 1, sizeof(*copy));

	for (size_t k = 0; copy && k < n; k++) {
		copy[k] = strdup(words[k]);
		if (!copy[k])
			return NULL;
	}
	return steal_ptr(&copy);
}

static int get(struct manager *m, const char *path, const char *interface, const char *property, const char *type,
	       sd_bus_message **ret, struct error *err)
{
	return ask_property(m, path, interface, property, type, "cannot ask the service manager about a unit", ret,
			    err);
}

static int nonsense(const char *property, struct error *err)
{
	return error_set(err, EREMOTEIO, "the service manager's %s of a unit makes no sense", property);
}

/* One command is (sasbttttuii): path, words, and the result. */
int exec_command_each(struct manager *m, const char *path, const char *property, exec_command_taker take, void *data,
		      struct error *err)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r = get(m, path, SYSTEMD_SERVICE, property, "a(sasbttttuii)", &reply, err);

	if (r < 0)
		return -1;
	r = bus.sd_bus_message_enter_container(reply, 'a', "(sasbttttuii)");
	while (r >= 0 && (r = bus.sd_bus_message_enter_container(reply, 'r', "sasbttttuii")) > 0) {
		_cleanup_strv_ char **argv = NULL;
		int taken;

		r = bus.sd_bus_message_skip(reply, "s");
		if (r >= 0)
			r = bus.sd_bus_message_read_strv(reply, &argv);
		taken = r >= 0 && argv ? take(data, (const char *const *)argv, err) : 0;
		if (taken != 0)
			return taken;
		if (r >= 0)
			r = bus.sd_bus_message_skip(reply, "bttttuii");
		if (r >= 0)
			r = bus.sd_bus_message_exit_container(reply);
	}
	return r < 0 ? nonsense(property, err) : 0;
}

int unit_target_find(struct manager *m, const char *path, char **ret, struct error *err)
{
	static const char *const dependencies[] = {"WantedBy", "RequiredBy", "UpheldBy"};

	for (size_t k = 0; k < sizeof(dependencies) / sizeof(*dependencies) && !*ret; k++) {
		_cleanup_message_ sd_bus_message *reply = NULL;
		_cleanup_strv_ char **units = NULL;

		if (get(m, path, SYSTEMD_UNIT, dependencies[k], "as", &reply, err) < 0) {
			if (k == 2) /* UpheldBy= is new in systemd 249 */
				return error_clear(err);
			return -1;
		}
		if (bus.sd_bus_message_read_strv(reply, &units) < 0)
			return nonsense(dependencies[k], err);
		for (char **p = units; p && *p && !*ret; p++) {
			const char *suffix = strrchr(*p, '.');

			if (suffix && suffix != *p && strcmp(suffix, ".target") == 0 && !(*ret = strdup(*p)))
				return error_errno(err, ENOMEM, "cannot look at the units");
		}
	}
	return 0;
}
