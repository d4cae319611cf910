/* An engine that was not named, and is not the one that was meant. */
#pragma once

#include "common/error.h"
#include "instance/instance.h"

/* Adds to an error of the instance's engine, which is away or has no such container, how to use the one that may be
 * meant: the other one if this one is the default (`assumed`), else root's. */
void other_engine_mention(const struct instance *i, bool assumed, struct error *err);
