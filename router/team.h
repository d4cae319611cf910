/* The workers of the dispatcher: processes that have irrevocably become somebody before they execute this program again. */
#pragma once

#include <stdbool.h>

#include "relay/loop.h"
#include "router/message.h"
#include "router/peer.h"

enum member_kind { MEMBER_IDENTITY, MEMBER_SYSTEM, MEMBER_POLICY, MEMBER_REFUSING };

/* "identity", "system", "refusing" */
const char *member_kind_name(enum member_kind kind);

struct member {
	struct watch channel; /* -1: the dispatcher has ended it */
	struct watch process; /* its pidfd */
	struct team *team;
	struct member *next;
	enum member_kind kind;
	pid_t pid;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t n_groups;
	bool retired;	      /* others serve who comes now: the configuration has changed */
	bool needs_manager;   /* its user's, which is being started */
	char started[16];     /* the engine of its user that it has started, and stops again; "": none */
	uint64_t started_at;  /* CLOCK_MONOTONIC microseconds */
	unsigned connections; /* that were handed to it and have not ended */
};

struct team {
	struct loop *loop;
	struct member *first, *gone;
	uid_t system_uid, refusing_uid;
	gid_t system_gid, refusing_gid;
	const char *system_socket;	      /* of the engine */
	const char *config;		      /* the file */
	bool restricted;		      /* router_options */
	int settings;			      /* the copy of the configuration, for workers of the system's engine */
	char engines[32];		      /* their order, for the workers */
	uint64_t idle_timeout, release_after; /* microseconds, for the workers */

	void (*told)(struct team *t, struct member *m, const struct message *message);
	void (*left)(struct team *t, struct member *m); /* it has ended; its connections have ended with it */
};

/* The worker of this kind for this caller, all of whose groups it has; starts it. It lives at least until the next event. Code
 * EUSERS: the user has too many: for other groups, and of those that do not end. */
struct member *team_member(struct team *t, enum member_kind kind, const struct peer *p, struct error *err);

/* The configuration has changed: each worker of the system's engine serves whom it has, and users' workers hear of the order of
 * the engines. */
void team_renew(struct team *t);

/* Closes the channel: the worker ends once its connections have. */
void team_dismiss(struct team *t, struct member *m);

/* Frees members that have left; to be called after each batch of events. */
void team_reap(struct team *t);
