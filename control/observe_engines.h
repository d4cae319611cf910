/* What the engines say about the containers of instances: a part of observe(). */
#pragma once

#include "control/observe.h"

/* One request to each engine; patience: microseconds. The first failure goes to *trouble. */
void observe_engines(enum scope scope, uint64_t patience, struct observation *os, size_t n, struct error *trouble);
