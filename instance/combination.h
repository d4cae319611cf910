/* Options that are of no use together. */
#pragma once

#include "instance/instance.h"

/* Do the options of one that is to be created go together? Those of one that exists are not asked: it may have been made
 * before there was the rule, and what is in it that works goes on working. The error says what to change. */
int combination_check(const struct instance *i, struct error *err);
