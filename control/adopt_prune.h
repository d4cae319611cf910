/* `sockwake adopt --prune`: removes adopted instances whose containers, or whose labels, are gone. */
#pragma once

#include "control/adoption.h"

int adopt_prune(struct adoption *a, struct error *err);
