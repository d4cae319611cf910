/* Where the system's Docker listens by its configuration: `-H` of docker.service, and `hosts` of daemon.json. Only what systemd
 * passes to it (fd://) can be moved. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "units/manager.h"

struct router_hosts {
	bool known;	 /* docker.service runs dockerd */
	bool any, by_fd; /* it names some; one of them is fd:// */
	char own[256];	 /* the one at the router's place; "": none */
	const char *where;
	char file[256];	   /* daemon.json */
	char program[256]; /* dockerd */
};

/* Fails if Docker could not start with its daemon.json, with code EINVAL. */
int router_hosts_read(struct manager *m, struct router_hosts *ret, struct error *err);

/* Fails if Docker opens the router's socket itself, or does not serve the one that systemd passes to it. */
int router_hosts_check(const struct router_hosts *h, struct error *err);

/* Would this dockerd start with this file? One before Docker 23 does not tell: then yes. */
int router_hosts_validate(const char *program, const char *file, struct error *err);

/* Pure functions: the words of a command line, and the text of daemon.json (false: it is no JSON object). */
void router_hosts_take_command(struct router_hosts *h, const char *const *argv);
bool router_hosts_take_file(struct router_hosts *h, const char *text, size_t len);
