/* The arguments that a client has for ps(1). */
#pragma once

#include <stdbool.h>

/* Docker runs ps as root, for all processes of the host. It looks in the column of the PID for what is a container's, and names
 * what it finds there instead of a number. So no column before that one may have blanks. */
bool ps_args_are_plain(const char *s);
