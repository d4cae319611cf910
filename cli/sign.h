/* One sign for each state, to show it at a glance. */
#pragma once

#include "cli/terminal.h"
#include "control/observe.h"

const char *sign_text(enum state state, const struct terminal *t);

/* The escape sequence of its colour; "": none, or colours are off. */
const char *sign_colour(enum state state, const struct terminal *t);
