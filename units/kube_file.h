/* The ports that a Kubernetes file publishes on the host, and whether it uses the host's network. A pure function of its text, which anybody may have written: the
 * lines are read as people write them, not as YAML in all its forms. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KUBE_PORTS_MAX	 64
#define KUBE_PUBLISH_MAX 80

/* Finds "hostPort: N", with hostIP: and protocol: of the same item, and writes each as `podman run -p` would take it:
 * "[ADDR:]N:N[/udp]". Returns how many. */
size_t kube_file_ports(const char *text, char ret[static KUBE_PORTS_MAX][KUBE_PUBLISH_MAX]);

/* "hostNetwork: true": its containers have the host's network. */
bool kube_file_has_hosts_network(const char *text);
