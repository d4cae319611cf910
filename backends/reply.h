/* The parts of a reply that Docker and Podman write alike. Pure functions of JSON. Each returns false when the part is
 * not what it should be, or memory is short; what is missing or null is no error and leaves the member empty. */
#pragma once

#include <stdbool.h>

#include "backends/backend.h"
#include "backends/json.h"

/* Limits on JSON values in one reply: an inspection has a few hundred, a list about a hundred a container. */
#define INSPECT_VALUES_MAX 100000U
#define LIST_VALUES_MAX	   2000000U

/* "running", "exited", … A word that is not known is CONTAINER_UNKNOWN. Podman's "configured" and "initialized" are
 * CREATED, its "stopped" is EXITED. */
enum container_state reply_state(const char *word);

/* "starting", "healthy", "unhealthy"; all else, NULL too, is HEALTH_NONE. */
enum health reply_health(const char *word);

/* 64 hexadecimal digits. */
bool reply_id(const cJSON *object, const char *key, struct container *ret);

/* The first valid name of ["pg", …], without Docker's leading slash. False when there is none. */
bool reply_name_list(const cJSON *object, const char *key, struct container *ret);
bool reply_name(const cJSON *object, const char *key, struct container *ret);

/* {"key": "value", …}: keeps what struct container says. */
bool reply_labels(const cJSON *object, const char *key, struct container *ret);

/* "80/tcp"; the protocol is "tcp" where it is missing. */
bool reply_port(const char *text, uint16_t *ret, const char **ret_protocol);

/* {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], …} */
bool reply_port_bindings(const cJSON *object, const char *key, struct container *ret);

/* Adds one port, unless the container publishes absurdly many. An address of 0.0.0.0 or :: is "" in the result. */
bool reply_add_port(struct container *ret, const char *address, int64_t host_port, int64_t container_port,
		    const char *protocol);

/* Config.Healthcheck of an inspection: {"Test": ["CMD", …]}. {"NONE"} and an empty list are no health check. Its
 * kind, the first word, is printable; the command's words are what somebody wrote. */
bool reply_health_test(const cJSON *object, const char *key, struct container *ret);

/* {"80/tcp": …, …}: the lowest TCP port, if *ret is 0 or higher. */
bool reply_exposed_ports(const cJSON *object, const char *key, uint16_t *ret);

/* "2026-11-22T03:10:35.269129923+01:00" (RFC 3339, as Go writes it) in microseconds since 1970. */
bool reply_time(const char *text, int64_t *ret);

/* Podman's Pod and IsInfra, in lists and inspections alike. */
bool reply_pod(const cJSON *object, struct container *ret);

/* 64 hexadecimal digits, with or without "sha256:"; "" when it is missing. */
bool reply_image_id(const cJSON *object, const char *key, char ret[static IMAGE_ID_MAX]);

/* All of these of an inspection. */
bool reply_origin(const cJSON *root, struct container *ret);

/* How much of the host the container sees: Mounts, NetworkSettings.SandboxKey, HostConfig's PidMode, CapAdd and
 * Privileged, Podman's EffectiveCaps and BoundingCaps. */
bool reply_view(const cJSON *root, struct container *ret);

/* What is the same in both inspections: what reply_origin() and reply_view() read, Id, Name, State, HostConfig and Config. */
bool reply_inspect(const cJSON *root, struct container *ret);

/* An array of containers, each read by parse_item but for its Names; one without a valid name is left out. */
bool reply_list(const cJSON *root, bool (*parse_item)(const cJSON *item, struct container *c),
		struct container_list *ret);

/* "message" of an error's body, or the body itself, in one printable line of at most size - 1 bytes; "" for none. */
void reply_message(const char *body, size_t len, char *ret, size_t size);
