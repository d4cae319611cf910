/* The schedule of an instance, for people. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "instance/instance.h"

/* Is it now within its schedule? */
bool schedule_is_on(const struct instance *i);

/* Its whole schedule on one line, as in adopt's label: "Mon..Fri 08:00-18:00; Sat,Sun 10:00-12:00". */
void schedule_format(const struct instance *i, char *ret, size_t size);
