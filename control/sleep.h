/* `sockwake sleep`. */
#pragma once

#include "units/store.h"

/* Puts one instance to sleep, and waits until it sleeps. */
int sleep_instance(enum scope scope, const struct stored *s, struct error *err);
