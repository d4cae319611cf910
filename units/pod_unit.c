/* A container's unit is bound to the unit of its pod (BindsTo=), which makes the pod in ExecStartPre=. */
#include "units/pod_unit.h"

#include <errno.h>
#include <string.h>

#include "common/parse.h"
#include "units/ask.h"
#include "units/exec_command.h"
#include "units/run_command.h"

void pod_unit_clear(struct pod_unit *p)
{
	free(p->unit);
	free(p->file);
	strv_free(&p->publish);
	free(p->wanted_by);
	*p = (struct pod_unit){};
}

static int no_memory(struct error *err)
{
	return error_errno(err, ENOMEM, "cannot look at the units");
}

static int take_command(void *data, const char *const *argv, struct error *err)
{
	struct pod_unit *ret = data;
	struct run_command command;

	if (!run_command_parse_pod(argv, &command))
		return 0;
	ret->has_hosts_network = command.network && strcmp(command.network, "host") == 0;
	ret->publish = strv_copy(command.publish, command.n_publish);
	return ret->publish ? 1 : no_memory(err);
}

/* Where a person changes it. */
static int find_file(struct manager *m, const char *path, struct pod_unit *ret, struct error *err)
{
	static const char *const properties[] = {"SourcePath", "FragmentPath"};

	for (size_t k = 0; k < 2 && !ret->file; k++) {
		_cleanup_message_ sd_bus_message *reply = NULL;
		const char *text;

		if (ask_property(m, path, SYSTEMD_UNIT, properties[k], "s",
				 "cannot ask the service manager about the unit of a pod", &reply, err) < 0)
			return -1;
		if (bus.sd_bus_message_read(reply, "s", &text) < 0)
			return error_set(err, EREMOTEIO, "the service manager's %s of a pod's unit makes no sense",
					 properties[k]);
		if (*text && !(ret->file = strdup(text)))
			return no_memory(err);
		ret->is_quadlet = k == 0 && ret->file;
	}
	return 0;
}

/* 1: this unit makes a pod. */
static int read_unit(struct manager *m, const char *unit, struct pod_unit *ret, struct error *err)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (bus.sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path) < 0)
		return no_memory(err);
	r = exec_command_each(m, path, "ExecStartPre", take_command, ret, err);
	if (r <= 0)
		return r;
	ret->unit = strdup(unit);
	if (!ret->unit)
		return no_memory(err);
	return find_file(m, path, ret, err) < 0 || unit_target_find(m, path, &ret->wanted_by, err) < 0 ? -1 : 1;
}

int pod_unit_find(struct manager *m, const char *path, struct pod_unit *ret, struct error *err)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_strv_ char **units = NULL;
	int r = 0;

	*ret = (struct pod_unit){};
	if (ask_property(m, path, SYSTEMD_UNIT, "BindsTo", "as", "cannot ask the service manager about a unit", &reply,
			 err) < 0)
		return -1;
	if (bus.sd_bus_message_read_strv(reply, &units) < 0)
		return error_set(err, EREMOTEIO, "the service manager's BindsTo of a unit makes no sense");
	for (char **p = units; r == 0 && p && *p; p++) {
		if (service_name_is_valid(*p))
			r = read_unit(m, *p, ret, err);
	}
	return r < 0 ? -1 : 0;
}
