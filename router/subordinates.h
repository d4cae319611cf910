/* The ranges of subordinate user IDs (subuid(5)): a user can become any of the own ones, in a user namespace. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct subordinates {
	struct {
		uid_t first, last;
	} * ranges;
	size_t n;
};

/* A file that cannot be read has none, and a line that makes no sense is left out. */
void subordinates_read(const char *path, struct subordinates *ret);
void subordinates_clear(struct subordinates *s);

/* The first of the range that this user ID is in; the ID itself, if it is in none. */
uid_t subordinates_first(const struct subordinates *s, uid_t uid);
