/* The instructions that a commit and an import apply to an image: one a value of "changes". */
#pragma once

#include <stdbool.h>

/* Is it one instruction to every engine, whatever comes before and after it? Docker makes one Dockerfile of all. */
bool instruction_is_plain(const char *s);
