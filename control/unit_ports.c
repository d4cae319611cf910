#include "control/unit_ports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/network_check.h"
#include "units/run_command.h"

/* The port of the instance that this value takes. */
static const struct publish *find_taken(const struct instance *i, const char *value)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (run_publish_takes(value, &i->ports[k]))
			return &i->ports[k];
	}
	return NULL;
}

const char *unit_ports_taken(const struct instance *i, char *const *publish)
{
	for (; publish && *publish; publish++) {
		if (find_taken(i, *publish))
			return *publish;
	}
	return NULL;
}

/* The pod belongs to its other containers, too: only its owner changes it. */
static int refuse_pod(const struct instance *i, const struct pod_unit *pod, const char *value, struct error *err)
{
	const char *user = i->scope == SCOPE_USER ? "--user " : "";
	const struct publish *ours = find_taken(i, value);

	return error_set(
		err, EADDRINUSE,
		"%s makes a pod that publishes '%s' itself and could not start while sockwake listens there%s: "
		"take '%s%s' out of '%s' and run 'systemctl %sdaemon-reload' and 'systemctl %sstop %s', or listen "
		"on another port (-p OTHER:%u%s)",
		pod->unit, value, i->drop_publish ? ", and --drop-publish changes no pod" : "",
		pod->is_quadlet ? "PublishPort=" : "-p ", value, pod->file ? pod->file : pod->unit, user, user,
		pod->unit, ours->container_port, ours->type == SOCK_DGRAM ? "/udp" : "");
}

/* So does that container: it may serve others. */
static int refuse_owner(const struct instance *i, const struct container_unit *run_by, const char *value,
			struct error *err)
{
	const struct publish *ours = find_taken(i, value);

	return error_set(
		err, EADDRINUSE,
		"%s gives its container the network of '%s', for which %s publishes '%s' itself and could not start while "
		"sockwake listens there: take that out of %s and run 'systemctl %sdaemon-reload', or listen on another "
		"port (-p OTHER:%u%s)",
		run_by->unit, run_by->network_owner, run_by->owner_unit, value, run_by->owner_unit,
		i->scope == SCOPE_USER ? "--user " : "", ours->container_port, ours->type == SOCK_DGRAM ? "/udp" : "");
}

int unit_ports_check(const struct instance *i, const struct container_unit *run_by, const char *drop_in,
		     struct error *err)
{
	const char *of_pod = unit_ports_taken(i, run_by->pod.publish);
	const char *of_kube = unit_ports_taken(i, run_by->kube_publish);
	const char *of_owner = run_by->owner_unit ? unit_ports_taken(i, run_by->owner_publish) : NULL;
	const char *own = i->drop_publish && run_by->quadlet ? NULL : unit_ports_taken(i, run_by->publish);

	if (of_pod)
		return refuse_pod(i, &run_by->pod, of_pod, err);
	if (of_owner)
		return refuse_owner(i, run_by, of_owner, err);
	if (of_kube)
		return error_set(
			err, EADDRINUSE,
			"%s runs '%s', which publishes port %u itself and could not start while sockwake listens "
			"there: take 'hostPort: %u' out of that file, or listen on another port (-p OTHER:%u%s)",
			run_by->unit, run_by->kube, find_taken(i, of_kube)->port, find_taken(i, of_kube)->port,
			find_taken(i, of_kube)->container_port,
			find_taken(i, of_kube)->type == SOCK_DGRAM ? "/udp" : "");
	if (own && run_by->quadlet)
		return error_set(err, EADDRINUSE,
				 "%s publishes '%s' itself and could not start while sockwake listens there: "
				 "--drop-publish writes '[%s]' and 'PublishPort=' into the drop-in %s",
				 run_by->unit, own, run_by->kube ? "Kube" : "Container", drop_in);
	if (own)
		return error_set(
			err, EADDRINUSE,
			"%s publishes '%s' itself and could not start while sockwake listens there: take that out "
			"of its ExecStart=, or listen on another port",
			run_by->unit, own);
	return 0;
}

/* Without a port of the host's the engine chooses one, or the word is one of the image's own ("httpd -p 8080"). */
static bool names_host_port(const char *value)
{
	return strchr(value, ':') != NULL;
}

static void list_others(const struct instance *i, char *const *publish, char *ret, size_t size)
{
	size_t len = 0;

	for (; publish && *publish; publish++) {
		if (names_host_port(*publish) && !find_taken(i, *publish) && len + strlen(*publish) + 3 < size)
			len += (size_t)sprintf(ret + len, "%s%s", len ? ", " : "", *publish);
	}
}

void unit_ports_note(const struct instance *i, const struct container_unit *run_by)
{
	char ports[512] = "", of_pod[512] = "", of_kube[512] = "";

	list_others(i, run_by->publish, ports, sizeof(ports));
	list_others(i, run_by->pod.publish, of_pod, sizeof(of_pod));
	list_others(i, run_by->kube_publish, of_kube, sizeof(of_kube));
	network_note_bypass(run_by->unit, ports);
	network_note_bypass(run_by->kube, of_kube);
	network_note_bypass(run_by->pod.unit, of_pod);
}
