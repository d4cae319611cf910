/* `sockwake router enable` and `disable`: the router gets /run/docker.sock, or Docker gets it back, or nothing has changed. */
#pragma once

#include "common/error.h"

#define ROUTER_CONFIG "/etc/sockwake/router.conf"

int router_enable(struct error *err);
int router_disable(struct error *err);
