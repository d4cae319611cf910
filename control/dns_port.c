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

/* All addresses, or all IPv4 ones: one address alone does not overlap with two. */
static bool is_wide(const struct publish *p)
{
	struct publish one = {.type = p->type, .address = "127.0.0.1", .port = p->port};
	struct publish other = {.type = p->type, .address = "127.0.0.2", .port = p->port};

	return publish_overlap(p, &one) && publish_overlap(p, &other);
}

/* The port of the instance that takes port 53 of a gateway; NULL: there is none. Without a gateway: of all addresses. */
static const struct publish *find_port(const struct instance *i, const char *gateway)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		const struct publish *p = &i->ports[k];
		struct publish there = {.type = p->type, .port = DNS_PORT};

		if (p->path[0] || p->port != DNS_PORT)
			continue;
		if (gateway)
			snprintf(there.address, sizeof(there.address), "%s", gateway);
		if (gateway ? publish_overlap(p, &there) : is_wide(p))
			return p;
	}
	return NULL;
}

/* The port that the name server of this network needs. */
static const struct publish *find_taken(const struct instance *i, const cJSON *network)
{
	const struct publish *p = find_port(i, NULL);
	const cJSON *subnet;

	cJSON_ArrayForEach(subnet, json_member(network, "subnets"))
	{
		const char *gateway = json_string(subnet, "gateway");

		if (!p && gateway && *gateway)
			p = find_port(i, gateway);
	}
	return p;
}

/* NETWORK.json; NULL: it has no names. */
static cJSON *read_network(int directory, const char *file)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ cJSON *root = NULL;
	struct error ignored;
	bool enabled = false;
	size_t len;

	if (file_read(directory, file, NETWORK_MAX, &text, &len, &ignored) < 0)
		return NULL;
	root = json_parse(text, len, VALUES_MAX);
	return json_bool(root, "dns_enabled", &enabled) && enabled ? steal_ptr(&root) : NULL;
}

/* The name of a network whose name server needs a port of the instance's, *ret_port. */
static bool find_network(const struct instance *i, const char *path, const struct publish **ret_port, char *ret,
			 size_t size)
{
	_cleanup_dir_ DIR *directory = opendir(path);
	struct dirent *e;

	while (directory && (e = readdir(directory))) {
		_cleanup_json_ cJSON *network = NULL;
		size_t len = strlen(e->d_name);

		if (len <= 5 || strcmp(e->d_name + len - 5, ".json") != 0)
			continue;
		network = read_network(dirfd(directory), e->d_name);
		*ret_port = network ? find_taken(i, network) : NULL;
		if (*ret_port) {
			snprintf(ret, size, "%.*s", (int)(len - 5), e->d_name);
			return true;
		}
	}
	return false;
}

/* Most instances have no port 53: then no file is read. */
static bool has_port(const struct instance *i)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (!i->ports[k].path[0] && i->ports[k].port == DNS_PORT)
			return true;
	}
	return false;
}

bool dns_port_describe(const struct instance *i, const char *directory, char *ret, size_t size)
{
	const struct publish *p;
	char network[256];

	if (!has_port(i) || !find_network(i, directory, &p, network, sizeof(network)))
		return false;
	snprintf(ret, size,
		 "while sockwake listens on port 53 of %s, root's Podman can start no container in its network '%s', "
		 "whose name server needs that port of the network's gateway: name %s (-p ADDRESS:53:%u%s)",
		 is_wide(p) ? "all addresses" : p->address, network, is_wide(p) ? "the addresses" : "other addresses",
		 p->container_port, p->type == SOCK_DGRAM ? "/udp" : "");
	return true;
}

int dns_port_check(const struct instance *i, const char *directory, struct error *err)
{
	char text[512];

	return dns_port_describe(i, directory, text, sizeof(text)) ? error_set(err, EADDRINUSE, "%s", text) : 0;
}

void dns_port_note(const struct instance *i, const char *directory)
{
	const struct publish *p = find_port(i, NULL), *taken;
	char network[256];

	if (p && !find_network(i, directory, &taken, network, sizeof(network)) &&
	    access(engine_backend(BACKEND_PODMAN)->program, X_OK) == 0)
		note_print(
			"while sockwake listens on port 53 of all addresses, root's Podman can start no container in a "
			"network that 'podman network create' makes: naming the addresses (-p ADDRESS:53:%u%s) avoids "
			"that",
			p->container_port, p->type == SOCK_DGRAM ? "/udp" : "");
}
