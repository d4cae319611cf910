/* The ports that a Kubernetes file publishes on the host, and whether it uses the host's network. A pure function of its text,
 * YAML or JSON, which anybody may have written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KUBE_PORTS_MAX	 64
#define KUBE_PUBLISH_MAX 80

/* Finds "hostPort: N" of the items of `ports:`, with containerPort:, hostIP: and protocol:, and writes each as `podman run -p`
 * would take it: "[ADDR:]N:CPORT[/udp]". Returns how many. */
size_t kube_file_ports(const char *text, char ret[static KUBE_PORTS_MAX][KUBE_PUBLISH_MAX]);

/* "hostNetwork: true" of a `spec:`: its containers have the host's network. */
bool kube_file_has_hosts_network(const char *text);
