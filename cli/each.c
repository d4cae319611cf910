#include "cli/each.h"

#include <stdio.h>

#include "control/find.h"
#include "control/instance_engine.h"
#include "control/tally.h"
#include "units/paths.h"

static int find_all(enum scope scope, char ret_directory[static PATH_MAX], struct stored_list *ret, struct error *err)
{
	if (unit_directory(scope, ret_directory, err) < 0 || store_scan(ret_directory, ret, err) < 0)
		return -1;
	if (ret->n == 0)
		puts("No managed instances found.");
	return 0;
}

int each_instance(const struct arguments *a, void (*begin)(enum scope scope, const struct stored_list *list),
		  instance_action act, struct error *err)
{
	_cleanup_stored_list_ struct stored_list list = {};
	char directory[PATH_MAX];
	struct tally tally;
	struct error why;

	if ((a->all ? find_all(a->scope, directory, &list, err)
		    : find_instances(a->scope, a->names, directory, &list, err)) < 0)
		return -1;
	instance_engine_ask_once(list.n);
	if (begin)
		begin(a->scope, &list);
	tally = (struct tally){.of = list.n};
	for (size_t k = 0; k < list.n; k++) {
		if (act(a, directory, &list.items[k], &why) < 0)
			tally_failure(&tally, &why);
	}
	return tally_result(&tally, err);
}
