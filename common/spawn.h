/* Starts programs that are not ours. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* The descriptors of the program, and what else differs. Its input is /dev/null; it has no other descriptors than these, all
 * signals as by default, and none of them blocked. */
struct spawn {
	const char *const *argv; /* argv[0] is looked for in PATH, unless it contains a slash */
	char *const *env;	 /* NULL: ours */
	int output;		 /* SPAWN_NOWHERE: /dev/null */
	int errors;		 /* the same; STDERR_FILENO: where ours go */
	bool group;		 /* it leads a process group of its own */
};
#define SPAWN_NOWHERE (-1)

/* Returns an errno value, or 0: the caller reaps *ret. */
int spawn(const struct spawn *s, pid_t *ret);
