/* Rights to change instances. */
#pragma once

#include "common/error.h"
#include "instance/scope.h"

/* Refuses to change the system's units as an ordinary user. */
int rights_require(enum scope scope, struct error *err);
