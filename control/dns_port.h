/* Port 53 of all addresses, which the networks of root's Podman need. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "instance/instance.h"

/* Where root's Podman describes its networks (podman-network-create(1)). */
#define DNS_NETWORKS "/etc/containers/networks"

/* Describes why a port of the instance would keep Podman from starting containers in one of its networks, described in
 * `directory`. False: none would. */
bool dns_port_describe(const struct instance *i, const char *directory, char *ret, size_t size);

/* The same as an error. */
int dns_port_check(const struct instance *i, const char *directory, struct error *err);

/* Notes what would happen to networks that are yet to come. */
void dns_port_note(const struct instance *i, const char *directory);
