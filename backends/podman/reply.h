/* Podman's replies (docs.podman.io/en/latest/_static/api.html, libpod). Pure functions of text; false if it is not
 * what the API promises. The caller clears *ret, also then. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "backends/backend.h"

/* ContainerInspectLibpod: GET /libpod/containers/N/json */
bool podman_parse_inspect(const char *text, size_t len, struct container *ret);

/* ContainerListLibpod: GET /libpod/containers/json. Leaves out containers without a valid name, and those that
 * podman_keep() has made. */
bool podman_parse_list(const char *text, size_t len, struct container_list *ret);

/* ContainerHealthcheckLibpod: GET /libpod/containers/N/healthcheck. The result of the run that was just made, the last
 * one in its log: while a container starts up, its status stays "starting" whatever the result. */
bool podman_parse_health(const char *text, size_t len, enum health *ret);

/* The body of an error: is the container's state its cause? */
bool podman_is_state_error(const char *text, size_t len);
