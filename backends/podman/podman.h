/* The parts of Podman's table. */
#pragma once

#include "backends/backend.h"

#define PODMAN_PREFIX "/v4.0.0/libpod"
