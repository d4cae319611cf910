/* The parts of a reply that Docker and Podman write alike. Pure functions of JSON. Each returns false if the part is
 * invalid, or memory is short; a missing or null value leaves the member empty and is not an error. */
#pragma once

#include <stdbool.h>

#include "backends/backend.h"
#include "backends/json.h"

/* Limits on JSON values in one reply: an inspection has a few hundred, a list about a hundred for each container. */
#define INSPECT_VALUES_MAX 100000U
#define LIST_VALUES_MAX	   2000000U

/* "running", "exited", … An unknown word is CONTAINER_UNKNOWN. Podman's "configured" and "initialized" are CREATED,
 * its "stopped" is EXITED. */
enum container_state reply_state(const char *word);

/* "starting", "healthy", "unhealthy"; anything else, including NULL, is HEALTH_NONE. */
enum health reply_health(const char *word);

/* 64 hexadecimal digits. */
bool reply_id(const cJSON *object, const char *key, struct container *ret);

/* {"key": "value", …}: keeps the labels that struct container lists. */
bool reply_labels(const cJSON *object, const char *key, struct container *ret);

/* The common part of both inspections: Id, Name, State, HostConfig and Config, and what reply_origin() and
 * reply_view() read. */
bool reply_inspect(const cJSON *root, struct container *ret);

/* An array of containers: parse_item reads each, except its Names; a container without a valid name is left out. */
bool reply_list(const cJSON *root, bool (*parse_item)(const cJSON *item, struct container *c),
		struct container_list *ret);

/* "message" of an error's body, or the body itself, in one printable line of at most size - 1 bytes; "" for none. */
void reply_message(const char *body, size_t len, char *ret, size_t size);
