/* The options of an instance, as `status` shows them to people. */
#pragma once

#include "cli/terminal.h"
#include "instance/instance.h"

/* Prints its addresses and their targets. */
void told_print_ports(const struct terminal *t, const struct instance *i);

/* Prints options that differ from the default: those on clients, then all others in the syntax of `create`. */
void told_print(const struct terminal *t, const struct instance *i);
