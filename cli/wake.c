#include <stdio.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/each.h"
#include "cli/text.h"
#include "control/wake.h"

/* It has woken, or was awake. */
static void say_it_is_awake(const struct arguments *a, const char *name, const struct woken *w)
{
	char span[TEXT_MAX], held[TEXT_MAX + 32] = "";

	if (a->hold)
		snprintf(held, sizeof(held), ", and stays so for %s", text_span(a->hold, span));
	if (w->was_awake)
		printf("'%s' is awake, as it was before%s.\n", name, held);
	else
		printf("'%s' is awake after %s%s.\n", name, text_took(w->took, span), held);
}

static int wake_one(const struct arguments *a, const char *directory, const struct stored *s, struct error *err)
{
	struct woken woken;

	(void)directory;
	if (wake_instance(a->scope, s, a->hold, &woken, err) < 0)
		return -1;
	if (!s->instance.legacy)
		say_it_is_awake(a, s->instance.name, &woken);
	return 0;
}

static const struct option_table table = {
	.usage = "sockwake wake [--for SPAN] [--scope system|user] NAME... | --all",
	.about = "Wakes instances, as a connection would, and waits until they are awake",
	ARGUMENTS(TAKES_NAMES | TAKES_ALL | TAKES_FOR),
};

static int wake_instances(int argc, char *argv[], struct error *err)
{
	struct arguments a;

	if (arguments_parse(argc, argv, &table, &a, err) < 0)
		return -1;
	return each_instance(&a, NULL, wake_one, err);
}

const struct command wake_command = {"wake", &table, wake_instances};
