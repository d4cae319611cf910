#include "control/note.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"

static note_sink show;

/* The remarks so far: a command over several instances finds the same thing in each of them. */
static struct {
	char **texts;
	size_t n;
} said;

static bool is_news(const char *text)
{
	char **more;

	for (size_t k = 0; k < said.n; k++) {
		if (strcmp(said.texts[k], text) == 0)
			return false;
	}
	more = reallocarray(said.texts, said.n + 1, sizeof(*more));
	if (more) {
		said.texts = more;
		more[said.n] = strdup(text);
		said.n += more[said.n] != NULL;
	}
	return true;
}

void note_set_sink(note_sink sink)
{
	show = sink;
	while (said.n > 0)
		free(said.texts[--said.n]);
}

static void tell(enum note_kind kind, const char *format, va_list ap)
{
	char text[sizeof(((struct error *)0)->text)];

	vsnprintf(text, sizeof(text), format, ap);
	text_make_printable(text);
	if (show && (kind != NOTE_REMARK || is_news(text)))
		show(kind, text);
}

void note_done(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	tell(NOTE_DONE, format, ap);
	va_end(ap);
}

void note_print(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	tell(NOTE_REMARK, format, ap);
	va_end(ap);
}

void note_failure(const struct error *why)
{
	char text[sizeof(why->text)];

	snprintf(text, sizeof(text), "%s", why->text);
	text_make_printable(text);
	if (show)
		show(NOTE_FAILURE, text);
}
