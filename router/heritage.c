#include "router/heritage.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "router/config.h"

/* In the list, beside the names of engines. */
#define MANAGER "manager"

void heritage_keep_manager(struct heritage *h, uid_t uid, bool ours)
{
	if (ours)
		started_add(&h->started, uid, MANAGER);
	else
		started_remove(&h->started, uid, MANAGER);
}

/* Its user controls the worker: only names of engines are remembered. */
void heritage_keep_engine(struct heritage *h, struct member *m, const char *engine)
{
	if (*m->started)
		started_remove(&h->started, m->uid, m->started);
	*m->started = '\0';
	for (enum engine_kind kind = 0; kind < ENGINES; kind++) {
		if (strcmp(engine, engine_kind_name(kind)) != 0)
			continue;
		(void)snprintf(m->started, sizeof(m->started), "%s", engine);
		m->started_at = now_usec();
		started_add(&h->started, m->uid, engine);
	}
}

static void take_engine(struct heritage *h, const struct started_entry *e)
{
	static struct peer peer; /* a large one */
	struct message message = {.kind = MESSAGE_STARTED};
	struct member *m = NULL;
	struct error err;

	peer = (struct peer){};
	if (peer_become(&peer, e->uid, &err) < 0)
		started_remove(&h->started, e->uid, e->what); /* there is no such user any more */
	else
		m = team_member(h->team, MEMBER_IDENTITY, &peer, &err);
	(void)snprintf(message.engine, sizeof(message.engine), "%s", e->what);
	if (m && message_send(m->channel.fd, &message, -1) == 0)
		heritage_keep_engine(h, m, e->what);
}

/* From the end: the last one takes the place of one that is removed. Adding one of them again changes nothing. */
void heritage_take(struct heritage *h, struct team *team, struct managers *managers)
{
	static char path[PATH_MAX];
	const char *directory = getenv("RUNTIME_DIRECTORY");

	*h = (struct heritage){.team = team, .managers = managers};
	if (directory)
		(void)snprintf(path, sizeof(path), "%s/started", directory);
	started_open(&h->started, directory ? path : NULL);
	for (size_t k = h->started.n; k > 0; k--) {
		const struct started_entry e = h->started.all[k - 1];

		if (strcmp(e.what, MANAGER) == 0)
			managers_adopt(managers, e.uid);
		else
			take_engine(h, &e);
	}
}
