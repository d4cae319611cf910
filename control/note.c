#include "control/note.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/parse.h"

static note_sink show;

void note_set_sink(note_sink sink)
{
	show = sink;
}

static void tell(enum note_kind kind, const char *format, va_list ap)
{
	char text[sizeof(((struct error *)0)->text)];

	vsnprintf(text, sizeof(text), format, ap);
	text_make_printable(text);
	if (show)
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
