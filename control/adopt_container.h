/* `sockwake adopt` of one container: creates, replaces or renames the instance that its labels request. */
#pragma once

#include "control/adoption.h"

int adopt_container(struct adoption *a, const struct container *c, struct error *err);
