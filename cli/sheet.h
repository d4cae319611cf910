/* Titles and values below each other, on standard output. */
#pragma once

#include "cli/terminal.h"

/* A title of "" goes on with the one before. */
void sheet_line(const struct terminal *t, const char *title, const char *value);
