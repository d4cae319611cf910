/* Which way leads into a network namespace, and going it. */
#pragma once

#include "common/error.h"

struct entry {
	int netns;  /* -1: it is our own (host network), there is nothing to enter */
	int userns; /* the owner, entered first; -1: not needed */
};

/* Decides, from the capabilities we have and the user namespace that owns netns. Changes nothing. netns stays the
 * caller's; ret->netns is the same descriptor or -1, ret->userns belongs to the caller. */
int entry_plan(int netns, struct entry *ret, struct error *err);

/* Afterwards, when a user namespace was entered, the process has all capabilities in it and /proc/self is no longer its
 * own: open what is needed before. */
int entry_enter(const struct entry *e, struct error *err);
