/* The ports that a Kubernetes file publishes on the host, whether it uses the host's network, and its pods. Pure functions of
 * its text, YAML or JSON, which anybody may have written. They find nothing if libyaml is missing (yaml_library.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KUBE_FILE_MAX	 (4U << 20) /* bytes of a file that is worth reading */
#define KUBE_PORTS_MAX	 64
#define KUBE_PODS_MAX	 32
#define KUBE_POD_MAX	 256
#define KUBE_PUBLISH_MAX 80

/* Finds "hostPort: N" of the items of `ports:`, with containerPort:, hostIP: and protocol:, and writes each as `podman run -p`
 * would take it: "[ADDR:]N:CPORT[/udp]". Returns how many. */
size_t kube_file_ports(const char *text, char ret[static KUBE_PORTS_MAX][KUBE_PUBLISH_MAX]);

/* Finds the names of the pods that Podman makes of its resources, or could make. Returns how many. */
size_t kube_file_pods(const char *text, char ret[static KUBE_PODS_MAX][KUBE_POD_MAX]);

/* "hostNetwork: true" of a `spec:`: its containers have the host's network. */
bool kube_file_has_hosts_network(const char *text);
