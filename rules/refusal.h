/* Answers of our own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "rules/wire.h"

/* Answers with this error, as JSON that docker, compose, the SDK and Podman's clients show as one line. verdict.h says what the
 * codes mean; what is none of them is 503, never 500, whose message buildx loses. */
void refusal_answer(struct wire *client, bool head_only, bool close, const struct error *why);

/* Answers with the JSON of the engine's answer. */
int refusal_relay(struct wire *client, int status, const char *json, size_t len, struct error *err);
