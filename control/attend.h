/* `sockwake attend`. */
#pragma once

#include "common/error.h"
#include "instance/scope.h"

/* Starts the services of instances whose containers run although they sleep, and says so. */
int attend(enum scope scope, struct error *err);
