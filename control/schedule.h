/* The schedule of an instance, for a person. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "instance/instance.h"

/* Is it a time of its schedule now? */
bool schedule_is_on(const struct instance *i);

/* All of its schedule on one line, as adopt's label has it: "Mon..Fri 08:00-18:00; Sat,Sun 10:00-12:00". */
void schedule_format(const struct instance *i, char *ret, size_t size);
