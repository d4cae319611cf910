#include "cli/sheet.h"

#include <stdio.h>

#include "cli/text.h"

#define TITLE_WIDTH 12

void sheet_line(const struct terminal *t, const char *title, const char *value)
{
	printf("%*s%c ", TITLE_WIDTH, title, *title ? ':' : ' ');
	text_wrap(stdout, value, TITLE_WIDTH + 2, t->width);
}
