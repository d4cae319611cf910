/* What people are told on a terminal beside what a command prints. */
#pragma once

#include <stdbool.h>

#include "common/error.h"

/* Has the notes of control/ printed: what was done on standard output, the others on standard error. */
void notes_begin(void);

/* One sentence on standard error, which is made printable; for programs an object. */
void notes_print_failure(struct error *err, bool as_json);
