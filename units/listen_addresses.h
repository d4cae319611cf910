/* The addresses that a socket unit listens on. */
#pragma once

#include "units/manager.h"

/* Calls `visit` for each, with its kind ("Stream", "Datagram", …). object: the unit's path on the bus. */
typedef void (*listen_visitor)(void *data, const char *kind, const char *address);
int listen_addresses_each(struct manager *m, const char *object, listen_visitor visit, void *data, struct error *err);
