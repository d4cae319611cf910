#include "cli/each.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/note.h"
#include "units/paths.h"

int each_find_instances(const struct arguments *a, char ret_directory[static PATH_MAX], struct stored_list *ret,
			struct error *err)
{
	struct arguments one = *a;
	size_t n = 0;

	while (a->names && a->names[n])
		n++;
	*ret = (struct stored_list){.items = calloc(n + 1, sizeof(*ret->items))};
	if (!ret->items)
		return error_errno(err, ENOMEM, "cannot read the instances");
	for (size_t k = 0; k < n; k++) {
		one.name = a->names[k];
		if (arguments_find_instance(&one, ret_directory, &ret->items[ret->n++], err) < 0)
			return -1;
	}
	return 0;
}

static int find_all(const struct arguments *a, char ret_directory[static PATH_MAX], struct stored_list *ret,
		    struct error *err)
{
	if (unit_directory(a->scope, ret_directory, err) < 0 || store_scan(ret_directory, ret, err) < 0)
		return -1;
	if (ret->n == 0)
		puts("No managed instances found.");
	return 0;
}

void tally_failure(struct tally *t, struct error *why)
{
	t->failed++;
	t->last = *why;
	if (t->of > 1)
		note_print_failure(why, false);
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

int each_instance(const struct arguments *a, instance_action act, struct error *err)
{
	_cleanup_stored_list_ struct stored_list list = {};
	struct arguments one = *a;
	char directory[PATH_MAX];
	struct tally tally;
	struct error why;

	if ((a->all ? find_all : each_find_instances)(a, directory, &list, err) < 0)
		return -1;
	tally = (struct tally){.of = list.n};
	for (size_t k = 0; k < list.n; k++) {
		one.name = list.items[k].instance.name;
		if (act(&one, directory, &list.items[k], &why) < 0)
			tally_failure(&tally, &why);
	}
	return tally_result(&tally, err);
}
