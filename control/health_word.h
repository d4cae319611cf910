/* Health checks as a person writes them. */
#pragma once

#include "control/create_request.h"

/* Refuses a single word as a health check that is neither one of ours nor a program. For a valid instance. */
int health_word_check(const struct instance *i, struct error *err);
