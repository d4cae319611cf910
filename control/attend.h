/* `sockwake attend`. */
#pragma once

#include "common/error.h"
#include "instance/scope.h"

/* Starts the services of sleeping instances whose containers run, and notes it, and the dependencies that stay up. */
int attend(enum scope scope, struct error *err);
