/* Options that are valid, and change nothing beside the others. */
#pragma once

#include "instance/instance.h"

/* Does --warm-for lengthen the idle time-out? */
bool no_effect_warms(const struct instance *i);

/* Notes each such option. */
void no_effect_note(const struct instance *i);
