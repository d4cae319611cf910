/* A step of confine(): capabilities. */
#pragma once

#include "confine/confine.h"

/* Gives up every capability but CAP_NET_RAW in all sets (that one, too, unless keep_net_raw), and sets no_new_privs. */
int capabilities_drop(bool keep_net_raw, struct error *err);
