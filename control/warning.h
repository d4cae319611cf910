/* Warnings about an observed instance. */
#pragma once

#include "control/observe.h"

/* Describes the unit file of others that the instance's hides, and how to bring that back. */
#define HIDDEN_MAX 1024
void warning_describe_hidden(const struct instance *i, const char *path, char ret[static HIDDEN_MAX]);

/* Finds who starts, or has started, the container behind the instance's back, and changes since its creation that
 * prevent it from waking. One sentence; "": none. */
#define WARNING_MAX 1024
void warning_find(const struct observation *o, char ret[static WARNING_MAX]);

/* Sets `conflict` of sleeping instances that could not wake: the ports they need are taken by their own containers, say. Stops
 * after limit microseconds: who looks at a long list does not wait for it. */
void warning_find_conflicts(struct observation *os, size_t n, uint64_t limit);

/* The part of it that needs no observation: what in the container, its unit and the machine is in the way of this
 * instance, which may not exist yet. answered: also asks the engine. */
bool warning_find_obstacle(const struct instance *i, bool answered, char *ret, size_t size);
