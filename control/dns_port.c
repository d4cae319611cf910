/* Podman's name server, aardvark-dns, listens on port 53 of the gateway of each network that has names, from the start of
 * the network's first container on. With somebody else on port 53 of all addresses it cannot, and the start fails. The
 * networks of rootless Podman are not the host's; the default network has no names. */
#include "control/dns_port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/engine.h"
#include "backends/json.h"
#include "common/io.h"
#include "control/note.h"

#define DNS_PORT    53
#define NETWORK_MAX (1U << 20)
#define VALUES_MAX  20000

/* The port of the instance that takes port 53 of all addresses, or of all IPv4 ones; NULL: there is none. */
static const struct publish *find_port(const struct instance *i)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		const struct publish *p = &i->ports[k];

		if (!p->path[0] && p->port == DNS_PORT &&
		    (!p->address[0] || strcmp(p->address, "0.0.0.0") == 0 || strcmp(p->address, "::") == 0))
			return p;
	}
	return NULL;
}

static bool has_names(int directory, const char *file)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ cJSON *root = NULL;
	struct error ignored;
	bool enabled = false;
	size_t len;

	if (file_read(directory, file, NETWORK_MAX, &text, &len, &ignored) < 0)
		return false;
	root = json_parse(text, len, VALUES_MAX);
	return json_bool(root, "dns_enabled", &enabled) && enabled;
}

/* The name of a network with names, NETWORK.json. */
static bool find_network(const char *path, char *ret, size_t size)
{
	_cleanup_dir_ DIR *directory = opendir(path);
	struct dirent *e;

	while (directory && (e = readdir(directory))) {
		size_t len = strlen(e->d_name);

		if (len > 5 && strcmp(e->d_name + len - 5, ".json") == 0 && has_names(dirfd(directory), e->d_name)) {
			snprintf(ret, size, "%.*s", (int)(len - 5), e->d_name);
			return true;
		}
	}
	return false;
}

bool dns_port_describe(const struct instance *i, const char *directory, char *ret, size_t size)
{
	const struct publish *p = find_port(i);
	char network[256];

	if (!p || !find_network(directory, network, sizeof(network)))
		return false;
	snprintf(
		ret, size,
		"while sockwake listens on port 53 of all addresses, root's Podman can start no container in its network "
		"'%s', whose name server needs that port of the network's gateway: name the addresses (-p ADDRESS:53:%u%s)",
		network, p->container_port, p->type == SOCK_DGRAM ? "/udp" : "");
	return true;
}

int dns_port_check(const struct instance *i, const char *directory, struct error *err)
{
	char text[512];

	return dns_port_describe(i, directory, text, sizeof(text)) ? error_set(err, EADDRINUSE, "%s", text) : 0;
}

void dns_port_note(const struct instance *i, const char *directory)
{
	const struct publish *p = find_port(i);
	char network[256];

	if (p && !find_network(directory, network, sizeof(network)) &&
	    access(engine_backend(BACKEND_PODMAN)->program, X_OK) == 0)
		note_print(
			"while sockwake listens on port 53 of all addresses, root's Podman can start no container in a "
			"network that 'podman network create' makes: naming the addresses (-p ADDRESS:53:%u%s) avoids "
			"that",
			p->container_port, p->type == SOCK_DGRAM ? "/udp" : "");
}
