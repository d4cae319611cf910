/* What a person is told while something is done. Who shows it is the program's to say: nothing of control/ writes to a
 * terminal. */
#pragma once

#include "common/error.h"

enum note_kind {
	NOTE_DONE,    /* what was asked for is done, or would be */
	NOTE_REMARK,  /* beside what was asked for, and no error */
	NOTE_FAILURE, /* one of several things could not be done: the others go on */
};

/* Gets one printable sentence, without a newline. Before one is set, nothing is shown. */
typedef void (*note_sink)(enum note_kind kind, const char *text);
void note_set_sink(note_sink sink);

void note_done(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note_failure(const struct error *why);
