/* What an instance was told, as `status` shows it to a person. */
#pragma once

#include "cli/terminal.h"
#include "instance/instance.h"

/* Where it listens, and what is behind that. */
void told_print_ports(const struct terminal *t, const struct instance *i);

/* What is not so by default: about its clients, and all other options as `create` takes them. */
void told_print(const struct terminal *t, const struct instance *i);
