/* `sockwake sleep`. */
#pragma once

#include "units/store.h"

/* Puts one instance to sleep, and waits until it is. */
int sleep_instance(enum scope scope, const struct stored *s, struct error *err);
