/* Health checks as a person writes them. */
#pragma once

#include "control/create_request.h"

/* Refuses a health check that is a single word, but neither one of ours nor a program. The instance must be valid. */
int health_word_check(const struct instance *i, struct error *err);

/* Notes what looks like {container_port} in a command, and is not. */
void health_word_note(const struct instance *i);
