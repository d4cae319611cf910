#include "cli/notes.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/parse.h"

void notes_show(enum note_kind kind, const char *text)
{
	switch (kind) {
	case NOTE_DONE:
		puts(text);
		return;
	case NOTE_REMARK:
		fprintf(stderr, "sockwake: note: %s\n", text);
		return;
	case NOTE_FAILURE:
		fprintf(stderr, "sockwake: %s\n", text);
		return;
	}
}

void notes_begin(void)
{
	note_set_sink(notes_show);
}

void notes_print_failure(struct error *err, bool as_json)
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
