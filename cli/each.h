/* A command that was given the names of several instances, or --all. */
#pragma once

#include "cli/arguments.h"
#include "units/store.h"

/* What it does with one of them, whose units are in the directory. Returns 0, or -1 with *err set. */
typedef int (*instance_action)(const struct arguments *a, const char *directory, const struct stored *s,
			       struct error *err);

/* Each of them in turn, whatever becomes of the others. Nothing is done where one does not exist. */
int each_instance(const struct arguments *a, instance_action act, struct error *err);
