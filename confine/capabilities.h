/* A step of confine(): capabilities. */
#pragma once

#include "confine/confine.h"

/* Gives up every capability but CAP_NET_RAW (and that too, unless keep_net_raw) in all sets, and no_new_privs. */
int capabilities_drop(bool keep_net_raw, struct error *err);
