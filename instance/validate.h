/* The rules for every member of an instance. */
#pragma once

#include "instance/instance.h"

/* Checks every member: what passes can be rendered into a unit file and is understood by the programs named there. The
 * error names the value and the rule. */
int instance_validate(const struct instance *i, struct error *err);
