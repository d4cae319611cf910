/* What a person is told beside what was asked for. */
#pragma once

#include <stdbool.h>

#include "common/error.h"

/* One line on standard error that is no error. */
void note_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One sentence on standard error, which is made printable; for programs an object. */
void note_print_failure(struct error *err, bool as_json);
