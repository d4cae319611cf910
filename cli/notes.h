/* Messages on a terminal beside the output of a command. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "control/note.h"

/* Prints the notes of control/ from now on: completed changes to standard output, others to standard error. */
void notes_begin(void);

/* Prints one note in that way. */
void notes_show(enum note_kind kind, const char *text);

/* Prints a failure on standard error: one sentence, made printable, or an object for programs. */
void notes_print_failure(struct error *err, bool as_json);
