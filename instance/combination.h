/* Options that do not work together. */
#pragma once

#include "instance/instance.h"

/* Do the options of a new instance work together? Existing instances are not checked: one may be older than the rule,
 * and its working parts go on working. The error says what to change. */
int combination_check(const struct instance *i, struct error *err);
