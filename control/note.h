/* Messages to the user during a command. The program decides where they appear: control/ never writes to a
 * terminal. */
#pragma once

#include "common/error.h"

enum note_kind {
	NOTE_DONE,    /* a requested change is made, or would be */
	NOTE_REMARK,  /* additional information, not an error */
	NOTE_FAILURE, /* one of several actions failed; the others go on */
};

/* Gets one printable sentence, without a newline. Notes are dropped until a sink is set. */
typedef void (*note_sink)(enum note_kind kind, const char *text);
void note_set_sink(note_sink sink);

void note_done(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same remark is shown once. */
void note_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note_failure(const struct error *why);
