/* Where a container comes from, as in reply.h: its creation, its image and its pod. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backends/backend.h"
#include "backends/json.h"

/* "2026-11-22T03:10:35.269129923+01:00" (RFC 3339, as Go writes it) in microseconds since 1970. */
bool reply_time(const char *text, int64_t *ret);

/* Podman's Pod and IsInfra, in lists and inspections alike. */
bool reply_pod(const cJSON *object, struct container *ret);

/* 64 hexadecimal digits, with or without "sha256:"; "" if it is missing. */
bool reply_image_id(const cJSON *object, const char *key, char ret[static IMAGE_ID_MAX]);

/* All of these, from an inspection. */
bool reply_origin(const cJSON *root, struct container *ret);
