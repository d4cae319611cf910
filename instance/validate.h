/* The rules for every member of an instance. */
#pragma once

#include "instance/instance.h"

/* Checks every member: afterwards they can be rendered into unit files, and the programs named there understand them.
 * The error names the value and the rule. */
int instance_validate(const struct instance *i, struct error *err);
