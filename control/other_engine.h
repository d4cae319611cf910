/* An engine that was not named, and is not the one that was meant. */
#pragma once

#include "common/error.h"
#include "instance/instance.h"

/* Adds to an error of the default engine, which is away or has no such container, how to use the other one. */
void other_engine_mention(enum backend_kind assumed, enum scope scope, struct error *err);
