#include "cli/note.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/error.h"
#include "common/parse.h"

void print_note(const char *format, ...)
{
	char text[sizeof(((struct error *)0)->text)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_make_printable(text);
	fprintf(stderr, "sockwake: note: %s\n", text);
}
