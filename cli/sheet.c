#include "cli/sheet.h"

#include <stdio.h>

#include "common/wrap.h"

#define TITLE_WIDTH 12

void sheet_line(const struct terminal *t, const char *title, const char *value)
{
	printf("%*s%c ", TITLE_WIDTH, title, *title ? ':' : ' ');
	wrap_text(stdout, value, TITLE_WIDTH + 2, t->width);
}
