#include "rules/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/parse.h"

/* A client that asks for more different things gets no more lines. */
#define NEEDS_MAX 512

void rules_report_clear(struct rules_report *r)
{
	for (size_t k = 0; k < r->n; k++)
		free(r->needs[k].value);
	free(r->needs);
	*r = (struct rules_report){};
}

static bool is_noted(const struct rules_report *r, enum rules_key key, const char *value)
{
	for (size_t k = 0; k < r->n; k++) {
		if (r->needs[k].key == key && strcmp(r->needs[k].value, value) == 0)
			return true;
	}
	return false;
}

int report_need(struct rules_report *r, enum rules_key key, const char *value, struct error *err)
{
	_cleanup_free_ char *copy = strdup(value);
	struct rules_need *needs;

	if (!copy)
		return error_errno(err, ENOMEM, "cannot remember what is needed");
	text_make_printable(copy);
	if (is_noted(r, key, copy) || r->n == NEEDS_MAX)
		return 0;
	needs = reallocarray(r->needs, r->n + 1, sizeof(*needs));
	if (!needs)
		return error_errno(err, ENOMEM, "cannot remember what is needed");
	needs[r->n++] = (struct rules_need){key, steal_ptr(&copy)};
	r->needs = needs;
	return 0;
}

/* A value with a blank cannot be written in the file: it would be two. */
static bool is_word(const char *value)
{
	return value[0] && !strpbrk(value, " \t");
}

void rules_learned_print(const struct rules_report *r, FILE *f)
{
	for (size_t k = 0; k < r->n; k++) {
		const struct rules_need *need = &r->needs[k];

		fprintf(f, "%s%s = %s\n",
			is_word(need->value) ? "" : "# no rule can allow: ", rules_key_name(need->key), need->value);
	}
}
