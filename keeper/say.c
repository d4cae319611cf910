#include "keeper/say.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "handover/listen.h"

#define REPEAT_USEC (60 * USEC_PER_SEC)
#define EXTEND_BY   (30 * USEC_PER_SEC)

void keeper_say(struct keeper *k, int level, const char *sentence)
{
	uint64_t now = now_usec();

	if (strcmp(k->said, sentence) == 0 && now - k->said_at < REPEAT_USEC)
		return;
	snprintf(k->said, sizeof(k->said), "%s", sentence);
	k->said_at = now;
	log_line(level, "%s", sentence);
}

void keeper_extend(struct keeper *k)
{
	uint64_t now = now_usec();

	if (now - k->extended < KEEPER_PERIOD || (k->told_at && now - k->told_at > KEEPER_PATIENCE))
		return;
	k->extended = now;
	notify_send(k->notify_fd, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)EXTEND_BY);
}
