/* A command that was given the names of several instances, or --all. */
#pragma once

#include "cli/arguments.h"

/* What it does with one of them, whose name is a->name. Returns 0, or -1 with *err set. */
typedef int (*instance_action)(const struct arguments *a, const char *directory, const struct stored *s,
			       struct error *err);

/* How many of several have failed. Each failure is told at once, unless there is only one that could; what is left for the
 * end is how many there were. */
struct tally {
	size_t of, failed;
	struct error last;
};
void tally_failure(struct tally *t, struct error *why);
int tally_result(const struct tally *t, struct error *err);

/* Each of them in turn, whatever becomes of the others. Nothing is done where one does not exist. */
int each_instance(const struct arguments *a, instance_action act, struct error *err);

/* Reads those that are named; an error where there is one that does not exist. The caller clears *ret, also after an
 * error. */
int each_find_instances(const struct arguments *a, char ret_directory[static PATH_MAX], struct stored_list *ret,
			struct error *err);
