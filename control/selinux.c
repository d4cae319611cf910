/* Port labels of SELinux, by semanage(8), as the original tool set them. */
#include "control/selinux.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/spawn.h"
#include "control/install.h"

#define PORT_TYPE "systemd_socket_proxyd_port_t"

/* Discards its output: it is harmless if the policy has the port already, or if SELinux is off. */
static void semanage(const char *action, uint16_t port)
{
	char number[8];
	const char *argv[] = {"semanage", "port", action, "-t", PORT_TYPE, "-p", "tcp", number, NULL};
	pid_t pid;

	snprintf(number, sizeof(number), "%u", port);
	if (spawn(&(struct spawn){.argv = argv, .output = SPAWN_NOWHERE, .errors = SPAWN_NOWHERE}, &pid) == 0)
		(void)waitpid(pid, NULL, 0);
}

static bool is_labelled(const struct instance *i, size_t k)
{
	return i->scope == SCOPE_SYSTEM && !i->no_selinux && i->ports[k].type == SOCK_STREAM &&
	       i->ports[k].container_port != 0;
}

void selinux_label_ports(const struct instance *i)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (is_labelled(i, k))
			semanage("-a", i->ports[k].container_port);
	}
}

static bool is_used(const struct stored_list *others, const char *name, uint16_t port)
{
	for (size_t k = 0; k < others->n; k++) {
		const struct instance *o = &others->items[k].instance;

		for (size_t m = 0; m < o->n_ports && strcmp(o->name, name) != 0; m++) {
			if (is_labelled(o, m) && o->ports[m].container_port == port)
				return true;
		}
	}
	return false;
}

void selinux_unlabel_ports(const struct instance *i, const struct stored_list *others)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (is_labelled(i, k) && !is_used(others, i->name, i->ports[k].container_port))
			semanage("-d", i->ports[k].container_port);
	}
}
