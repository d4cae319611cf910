#include "keeper/say.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "handover/listen.h"

#define REPEAT_USEC (60 * USEC_PER_SEC)
#define EXTEND_BY   (30 * USEC_PER_SEC)

void keeper_say(struct keeper *k, int level, const char *sentence)
{
	if (strcmp(k->said, sentence) == 0 && !time_is_over(time_after(k->said_at, REPEAT_USEC)))
		return;
	snprintf(k->said, sizeof(k->said), "%s", sentence);
	k->said_at = now_usec();
	log_line(level, "%s", sentence);
}

void keeper_extend(struct keeper *k)
{
	if (!time_is_over(time_after(k->extended, KEEPER_PERIOD)) ||
	    (k->told_to_stop && time_is_over(time_after(k->told_to_stop, KEEPER_PATIENCE))))
		return;
	k->extended = now_usec();
	notify_send(k->notify_fd, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)EXTEND_BY);
}
