#include "control/tally.h"

#include "control/note.h"

void tally_failure(struct tally *t, const struct error *why)
{
	t->failed++;
	t->last = *why;
	if (t->of > 1)
		note_failure(why);
}

int tally_result(const struct tally *t, struct error *err)
{
	if (!t->failed)
		return 0;
	if (t->of > 1)
		return error_set(err, t->last.code, "%zu of %zu failed: the reasons are above", t->failed, t->of);
	*err = t->last;
	return -1;
}
