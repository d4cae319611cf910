/* Finds the way into a network namespace, and goes it. */
#pragma once

#include "common/error.h"

struct entry {
	int netns;  /* -1: it is our own (host network), nothing to enter */
	int userns; /* the owner, entered first; -1: not needed */
};

/* Plans the way, from our capabilities and the user namespace that owns netns. Changes nothing. The caller keeps netns;
 * ret->netns is the same descriptor or -1; the caller owns ret->userns. */
int entry_plan(int netns, struct entry *ret, struct error *err);

/* After entering a user namespace the process has all capabilities there, and /proc/self is no longer its own: open
 * what is needed before. */
int entry_enter(const struct entry *e, struct error *err);
