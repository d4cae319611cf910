#include "control/note.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/parse.h"

void note_print(const char *format, ...)
{
	char text[sizeof(((struct error *)0)->text)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_make_printable(text);
	fprintf(stderr, "sockwake: note: %s\n", text);
}

void note_print_failure(struct error *err, bool as_json)
{
	_cleanup_free_ char *json = NULL;
	cJSON *object;

	text_make_printable(err->text);
	if (!as_json) {
		fprintf(stderr, "sockwake: %s\n", err->text);
		return;
	}
	object = cJSON_CreateObject();
	cJSON_AddStringToObject(object, "error", err->text);
	json = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	fprintf(stderr, "%s\n", json ? json : "{\"error\":\"out of memory\"}");
}
