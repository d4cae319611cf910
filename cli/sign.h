/* One sign for each state, so that it is seen without being read. */
#pragma once

#include "cli/terminal.h"
#include "control/observe.h"

const char *sign_text(enum state state, const struct terminal *t);

/* The escape sequence of its colour; "" for none, and where none is wanted. */
const char *sign_colour(enum state state, const struct terminal *t);
