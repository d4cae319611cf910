/* Prints titles and values, one pair a line, on standard output. */
#pragma once

#include "cli/terminal.h"

/* A title of "" continues the previous one. */
void sheet_line(const struct terminal *t, const char *title, const char *value);
