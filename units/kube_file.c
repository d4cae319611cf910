/* libyaml reads each document into a table of nodes, with anchors resolved: whatever the style, the order of the keys and the
 * quotes. Every node is visited once, so that a text with a million aliases costs no more than its size. */
#include "units/kube_file.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/parse.h"
#include "units/yaml_library.h"

static const char *scalar(const yaml_node_t *node)
{
	return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* The value of a key; NULL: there is none, or the node is no mapping. */
static yaml_node_t *find(yaml_document_t *d, const yaml_node_t *mapping, const char *key)
{
	if (!mapping || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < mapping->data.mapping.pairs.top; p++) {
		const char *name = scalar(yaml.yaml_document_get_node(d, p->key));

		if (name && strcmp(name, key) == 0)
			return yaml.yaml_document_get_node(d, p->value);
	}
	return NULL;
}

struct found {
	char (*ports)[KUBE_PUBLISH_MAX]; /* KUBE_PORTS_MAX of them */
	size_t n;
	char (*pods)[KUBE_POD_MAX]; /* KUBE_PODS_MAX of them */
	size_t n_pods;
	bool hosts_network;
};

/* An item of `ports:`. */
static void take_port(yaml_document_t *d, const yaml_node_t *item, struct found *f)
{
	const char *number = scalar(find(d, item, "hostPort")), *address = scalar(find(d, item, "hostIP"));
	const char *inside = scalar(find(d, item, "containerPort"));
	const char *protocol = scalar(find(d, item, "protocol"));
	bool udp = protocol && strcmp(protocol, "UDP") == 0;
	unsigned char bytes[16];
	struct error ignored;
	uint16_t port, container_port;
	bool v4, v6;

	if (f->n == KUBE_PORTS_MAX || !number || parse_port("", number, &port, &ignored) < 0)
		return;
	if (!inside || parse_port("", inside, &container_port, &ignored) < 0)
		container_port = port; /* Podman refuses the file */
	v4 = address && inet_pton(AF_INET, address, bytes) == 1;
	v6 = address && inet_pton(AF_INET6, address, bytes) == 1;
	snprintf(f->ports[f->n++], KUBE_PUBLISH_MAX, "%s%s%s%s%u:%u%s", v6 ? "[" : "", v4 || v6 ? address : "",
		 v6 ? "]" : "", v4 || v6 ? ":" : "", port, container_port, udp ? "/udp" : "");
}

/* A resource. Podman calls the pod of a Deployment, or of whatever else makes one, "NAME-pod". */
static void take_pod(yaml_document_t *d, const yaml_node_t *node, struct found *f)
{
	const char *kind = scalar(find(d, node, "kind")), *name = scalar(find(d, find(d, node, "metadata"), "name"));

	if (!kind || !name || f->n_pods == KUBE_PODS_MAX || strlen(name) + sizeof("-pod") > KUBE_POD_MAX)
		return;
	snprintf(f->pods[f->n_pods++], KUBE_POD_MAX, "%s%s", name, strcmp(kind, "Pod") == 0 ? "" : "-pod");
}

static void look_at(yaml_document_t *d, const yaml_node_t *node, struct found *f)
{
	const yaml_node_t *ports = find(d, node, "ports");
	const char *hosts = scalar(find(d, find(d, node, "spec"), "hostNetwork"));

	if (f->pods)
		take_pod(d, node, f);
	f->hosts_network |= hosts && strcasecmp(hosts, "true") == 0;
	if (!f->ports || !ports || ports->type != YAML_SEQUENCE_NODE)
		return;
	for (yaml_node_item_t *p = ports->data.sequence.items.start; p < ports->data.sequence.items.top; p++)
		take_port(d, yaml.yaml_document_get_node(d, *p), f);
}

/* Of a text that is not YAML to its end, what comes before counts: Podman refuses it anyway. */
static void read_all(const char *text, struct found *f)
{
	yaml_parser_t parser;
	yaml_document_t d;
	struct error ignored;
	bool more = true;

	if (yaml_load(&ignored) < 0 || !yaml.yaml_parser_initialize(&parser))
		return;
	yaml.yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	while (more && yaml.yaml_parser_load(&parser, &d)) {
		more = yaml.yaml_document_get_root_node(&d) != NULL;
		for (const yaml_node_t *node = d.nodes.start; node < d.nodes.top; node++)
			look_at(&d, node, f);
		yaml.yaml_document_delete(&d);
	}
	yaml.yaml_parser_delete(&parser);
}

size_t kube_file_ports(const char *text, char ret[static KUBE_PORTS_MAX][KUBE_PUBLISH_MAX])
{
	struct found f = {.ports = ret};

	read_all(text, &f);
	return f.n;
}

bool kube_file_has_hosts_network(const char *text)
{
	struct found f = {};

	read_all(text, &f);
	return f.hosts_network;
}

size_t kube_file_pods(const char *text, char ret[static KUBE_PODS_MAX][KUBE_POD_MAX])
{
	struct found f = {.pods = ret};

	read_all(text, &f);
	return f.n_pods;
}
