#include "units/container_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "units/ask.h"
#include "units/exec_command.h"
#include "units/kube_file.h"
#include "units/quadlet.h"
#include "units/run_command.h"

#define QUADLET_SUFFIX ".container"
#define KUBE_SUFFIX    ".kube"
#define QUADLETS_MAX   4096

void container_unit_clear(struct container_unit *r)
{
	free(r->unit);
	free(r->quadlet);
	free(r->container);
	strv_free(&r->publish);
	strv_free(&r->labels);
	strv_free(&r->volumes);
	free(r->image);
	free(r->kube);
	strv_free(&r->kube_publish);
	free(r->wanted_by);
	free(r->network_owner);
	free(r->owner_unit);
	strv_free(&r->owner_publish);
	pod_unit_clear(&r->pod);
	*r = (struct container_unit){};
}

static bool ends_with(const char *s, const char *suffix)
{
	const char *dot = strrchr(s, '.');

	return dot && strcmp(dot, suffix) == 0;
}

static int no_memory(struct error *err)
{
	return error_errno(err, ENOMEM, "cannot look at the units");
}

static int get(struct manager *m, const char *path, const char *interface, const char *property, const char *type,
	       sd_bus_message **ret, struct error *err)
{
	return ask_property(m, path, interface, property, type, "cannot ask the service manager about a unit", ret,
			    err);
}

static int get_text(struct manager *m, const char *path, const char *property, char **ret, struct error *err)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *text;

	if (get(m, path, SYSTEMD_UNIT, property, "s", &reply, err) < 0)
		return -1;
	if (bus.sd_bus_message_read(reply, "s", &text) < 0)
		return error_set(err, EREMOTEIO, "the service manager's %s of a unit makes no sense", property);
	*ret = strdup(text);
	return *ret ? 0 : no_memory(err);
}

static char **volume_names(const struct run_command *command)
{
	char names[RUN_VOLUMES_MAX][RUN_VOLUME_NAME_MAX];
	const char *found[RUN_VOLUMES_MAX];
	size_t n = 0;

	for (size_t k = 0; k < command->n_volumes; k++) {
		if (run_volume_name(command->volumes[k], names[n])) {
			found[n] = names[n];
			n++;
		}
	}
	return strv_copy(found, n);
}

/* Only the engine knows which word of a command line is the image. The file says it, unless a drop-in overrides it:
 * then no word matches. */
static char *find_image(const char *quadlet, const char *const *argv)
{
	_cleanup_free_ char *image = NULL;
	struct error ignored;

	if (!quadlet || quadlet_image(quadlet, &image, &ignored) < 0)
		return NULL;
	for (; *argv; argv++) {
		if (image && strcmp(*argv, image) == 0)
			return steal_ptr(&image);
	}
	return NULL;
}

static bool keeps_writes(const struct run_command *command)
{
	for (size_t k = 0; k < command->n_volumes; k++) {
		if (run_volume_stays(command->volumes[k]))
			return true;
	}
	return false;
}

static int keep_command(const struct run_command *command, struct container_unit *ret, struct error *err)
{
	ret->volumes = volume_names(command);
	ret->keeps_writes = keeps_writes(command);
	ret->publish = strv_copy(command->publish, command->n_publish);
	ret->labels = strv_copy(command->labels, command->n_labels);
	if (command->container)
		ret->container = strdup(command->container);
	return ret->publish && ret->labels && ret->volumes && (ret->container || !command->container) ? 0
												      : no_memory(err);
}

/* A file that cannot be read is the unit's own trouble. */
static int read_kube(const char *path, struct container_unit *ret, struct error *err)
{
	char ports[KUBE_PORTS_MAX][KUBE_PUBLISH_MAX];
	const char *found[KUBE_PORTS_MAX];
	_cleanup_free_ char *text = NULL;
	struct error ignored;
	size_t n = 0;

	ret->kube = strdup(path);
	if (file_read(AT_FDCWD, path, KUBE_FILE_MAX, &text, NULL, &ignored) == 0) {
		n = kube_file_ports(text, ports);
		ret->has_hosts_network |= kube_file_has_hosts_network(text);
	}
	for (size_t k = 0; k < n; k++)
		found[k] = ports[k];
	ret->kube_publish = strv_copy(found, n);
	return ret->kube && ret->kube_publish ? 0 : no_memory(err);
}

#define SHARED "container:"

static int keep_network(const char *network, struct container_unit *ret, struct error *err)
{
	if (!network)
		return 0;
	ret->has_hosts_network = strcmp(network, "host") == 0;
	if (strncmp(network, SHARED, strlen(SHARED)) != 0)
		return 0;
	ret->network_owner = strdup(network + strlen(SHARED));
	return ret->network_owner ? 0 : no_memory(err);
}

static int take_command(void *data, const char *const *argv, struct error *err)
{
	struct container_unit *ret = data;
	struct run_command command;

	if (!run_command_parse(argv, &command))
		return 0;
	ret->replaces_any = command.replaces;
	ret->image = command.kube ? NULL : find_image(ret->quadlet, argv);
	if (keep_network(command.network, ret, err) < 0 || keep_command(&command, ret, err) < 0 ||
	    (command.kube && read_kube(command.kube, ret, err) < 0))
		return -1;
	return 1;
}

/* The first command of ExecStart= that runs a container. */
static int read_command(struct manager *m, const char *path, struct container_unit *ret, struct error *err)
{
	int r = exec_command_each(m, path, "ExecStart", take_command, ret, err);

	return r == 0 ? keep_command(&(struct run_command){}, ret, err) : r < 0 ? -1 : 0;
}

#define NETWORK_WAITER "podman-user-wait-network-online.service"

static int find_network_waiter(struct manager *m, const char *path, struct container_unit *ret, struct error *err)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_strv_ char **units = NULL;

	if (get(m, path, SYSTEMD_UNIT, "After", "as", &reply, err) < 0)
		return -1;
	if (bus.sd_bus_message_read_strv(reply, &units) < 0)
		return error_set(err, EREMOTEIO, "the service manager's After of a unit makes no sense");
	for (char **p = units; p && *p; p++)
		ret->waits_for_network |= strcmp(*p, NETWORK_WAITER) == 0;
	return 0;
}

/* Podman labels what it makes with this variable, which its generators set in each unit. */
static int find_label(struct manager *m, const char *path, struct container_unit *ret, struct error *err)
{
	static const char variable[] = "PODMAN_SYSTEMD_UNIT=";
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_strv_ char **all = NULL;

	if (ret->quadlet)
		ret->replaces_any = false;
	if (!ret->replaces_any)
		return 0;
	if (get(m, path, SYSTEMD_SERVICE, "Environment", "as", &reply, err) < 0)
		return -1;
	if (bus.sd_bus_message_read_strv(reply, &all) < 0)
		return error_set(err, EREMOTEIO, "the service manager's Environment of a unit makes no sense");
	for (char **p = all; p && *p; p++)
		ret->replaces_any &= strncmp(*p, variable, strlen(variable)) != 0;
	return 0;
}

/* The unit cannot run anything. The other states are failures to read an existing unit. */
static bool is_absent(const char *load_state)
{
	return strcmp(load_state, "not-found") == 0 || strcmp(load_state, "masked") == 0;
}

int container_unit_read(struct manager *m, const char *unit, struct container_unit *ret, struct error *err)
{
	_cleanup_free_ char *path = NULL, *state = NULL, *source = NULL;

	*ret = (struct container_unit){.unit = strdup(unit)};
	/* A request to this object path loads the unit. */
	if (!ret->unit || bus.sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path) < 0)
		return no_memory(err);
	if (get_text(m, path, "LoadState", &state, err) < 0)
		return -1;
	if (strcmp(state, "loaded") != 0)
		return error_set(
			err, is_absent(state) ? ENOENT : EINVAL,
			"the service manager cannot load the unit '%s' (%s): check its name, and run 'systemctl "
			"%sdaemon-reload' if the unit is new",
			unit, state, manager_option(m));
	if (get_text(m, path, "SourcePath", &source, err) < 0)
		return -1;
	if (ends_with(source, QUADLET_SUFFIX) || ends_with(source, KUBE_SUFFIX))
		ret->quadlet = steal_ptr(&source);
	if (read_command(m, path, ret, err) < 0 || find_label(m, path, ret, err) < 0 ||
	    unit_target_find(m, path, &ret->wanted_by, err) < 0 || find_network_waiter(m, path, ret, err) < 0 ||
	    pod_unit_find(m, path, &ret->pod, err) < 0)
		return -1;
	ret->has_hosts_network |= ret->pod.has_hosts_network;
	return 0;
}

bool container_unit_runs(const struct container_unit *r, const char *container)
{
	return r->container && strcmp(r->container, container) == 0;
}

static bool is_called(const struct container_unit *r, const char *name)
{
	const char *file = strrchr(r->quadlet, '/') + 1;
	size_t len = strlen(name);

	return container_unit_runs(r, name) ||
	       (strncmp(file, name, len) == 0 && strcmp(file + len, QUADLET_SUFFIX) == 0) ||
	       (strncmp(r->unit, name, len) == 0 && strcmp(r->unit + len, ".service") == 0);
}

/* The generated service units: a(ss), path and state. */
static int list_generated(struct manager *m, sd_bus_message **ret, struct error *err)
{
	return ask_manager(m, ret, 0, "cannot ask the service manager for units", err, "ListUnitFilesByPatterns",
			   "asas", 1, "generated", 1, "*.service");
}

int container_unit_each(struct manager *m, container_unit_visitor visit, void *data, struct error *err)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *file, *state;
	int r = list_generated(m, &reply, err);

	if (r < 0)
		return -1;
	r = bus.sd_bus_message_enter_container(reply, 'a', "(ss)");
	for (int n = 0; r >= 0 && n < QUADLETS_MAX && (r = bus.sd_bus_message_read(reply, "(ss)", &file, &state)) > 0;
	     n++) {
		_cleanup_container_unit_ struct container_unit run_by = {};
		const char *slash = strrchr(file, '/');
		struct error ignored;

		if (container_unit_read(m, slash ? slash + 1 : file, &run_by, &ignored) == 0 && run_by.quadlet &&
		    !run_by.kube && !visit(data, &run_by))
			return 0;
	}
	return r < 0 ? error_set(err, EREMOTEIO, "the service manager's list of units makes no sense") : 0;
}

struct search {
	bool (*matches)(const struct container_unit *r, const char *name);
	const char *name;
	struct container_unit *found;
};

static bool look_for(void *data, struct container_unit *r)
{
	struct search *s = data;

	if (!s->matches(r, s->name))
		return true;
	*s->found = *r;
	*r = (struct container_unit){};
	return false;
}

int container_unit_find_owner(struct manager *m, struct container_unit *r, struct error *err)
{
	_cleanup_container_unit_ struct container_unit owner = {};
	struct search search = {container_unit_runs, r->network_owner, &owner};

	if (!r->network_owner)
		return 0;
	if (container_unit_each(m, look_for, &search, err) < 0)
		return -1;
	free_ptr(&r->owner_unit);
	strv_free(&r->owner_publish);
	r->owner_unit = steal_ptr(&owner.unit);
	r->owner_publish = steal_ptr(&owner.publish);
	r->has_hosts_network |= owner.has_hosts_network;
	return 0;
}

int container_unit_find(struct manager *m, const char *name, struct container_unit *ret, struct error *err)
{
	struct search search = {is_called, name, ret};

	*ret = (struct container_unit){};
	if (container_unit_each(m, look_for, &search, err) < 0)
		return -1;
	return ret->unit ? 0 : error_set(err, ENOENT, "no Quadlet is called '%s'", name);
}
