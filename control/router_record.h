/* What a move of docker.socket has to remember, in /var/lib/sockwake/router: how far it is, and what was there before. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "common/error.h"

#define ROUTER_STATE_DIRECTORY "/var/lib/sockwake"
#define ROUTER_DIRECTORIES_MAX 4

struct router_record {
	char progress[16]; /* "enabling", "enabled", "disabling"; "": there is no record */
	char restarting
		[16]; /* what of Docker ran when it was restarted, and may not have come back: "socket", "service", "" */
	char link[PATH_MAX]; /* where /run/docker.sock led; "": it was no link */
	bool masked;	     /* podman-docker.conf was masked by us */
	char made[ROUTER_DIRECTORIES_MAX]
		 [PATH_MAX / 16]; /* directories that did not exist, in the order of their making */
	unsigned n_made;
};

/* A missing file is an empty record. root: before each path. */
int router_record_read(const char *root, struct router_record *ret, struct error *err);

int router_record_write(const char *root, const struct router_record *r, struct error *err);

/* Removes it, and then the directories that were made. */
int router_record_remove(const char *root, const struct router_record *r, struct error *err);

/* Notes the directory, and those above it, if they do not exist. */
void router_record_note_directory(const char *root, const char *directory, struct router_record *r);
