/* What an object of JSON may contain: a table of its keys, each with the type of its value and the check that it must pass.
 * Unknown keys are refused, and so are keys in another case: both engines would take "privileged" for "Privileged". null is
 * allowed for each key, and means that it is not there. */
#pragma once

#include <cjson/cJSON.h>

#include "common/error.h"
#include "rules/verdict.h"

enum schema_kind {
	KIND_STRING,
	KIND_BOOL,
	KIND_NUMBER,
	KIND_STRINGS,	  /* an array of strings */
	KIND_WORDS,	  /* a string or an array of strings: a command */
	KIND_NUMBERS,	  /* an array of numbers */
	KIND_LISTS,	  /* an array of arrays of strings */
	KIND_MAP,	  /* from any string to a string */
	KIND_SET,	  /* from any string to an empty object */
	KIND_OBJECT,	  /* of the rows inside */
	KIND_OBJECTS,	  /* an array of such objects */
	KIND_MAP_OBJECT,  /* from any string to such an object, or null */
	KIND_MAP_OBJECTS, /* from any string to an array of such objects, or null */
};

struct schema_row {
	const char *name; /* NULL: the end of the table */
	enum schema_kind kind;
	/* What the value must be besides; NULL: anything. It may change the value. It is not called for null. */
	int (*check)(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err);
	enum rules_key key; /* for the check: the rule that the value needs */
	const char *free;   /* for the check: values that need no rule, separated by blanks */
	const struct schema_row *inside;
};

int schema_check(const struct verdict *v, const struct schema_row *rows, cJSON *object, struct error *err);

/* Is the word in a list that is separated by blanks? The list may be NULL. */
bool schema_is_listed(const char *list, const char *word);
