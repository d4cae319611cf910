#include "router/ledger.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "common/journal.h"

#define PRICE_USEC (USEC_PER_SEC / LEDGER_RATE)

bool ledger_allows(struct ledger *l, uint64_t now)
{
	if (l->last == 0)
		l->tokens = LEDGER_BURST * PRICE_USEC;
	else
		l->tokens = least_of(l->tokens + (now - l->last), LEDGER_BURST * PRICE_USEC);
	l->last = now;
	if (l->tokens < PRICE_USEC) {
		l->left_out++;
		return false;
	}
	l->tokens -= PRICE_USEC;
	return true;
}

/* uid 1000, docker[123]: podman: GET /v1.41/containers/json, 211 bytes from it, 531 to it */
static void describe(const struct ledger *l, const struct ledger_entry *e, char *ret, size_t size)
{
	size_t n = (size_t)snprintf(ret, size, "uid %u, %s[%d]: %s%s%s", (unsigned)e->uid, e->command, (int)e->pid,
				    *e->engine ? e->engine : "refused", *e->request ? ": " : "", e->request);

	if (*e->engine && n < size)
		n += (size_t)snprintf(ret + n, size - n, ", %llu bytes from it, %llu to it",
				      (unsigned long long)e->bytes[0], (unsigned long long)e->bytes[1]);
	if (*e->outcome && n < size)
		n += (size_t)snprintf(ret + n, size - n, "; %s", e->outcome);
	if (l->left_out > 0 && n < size)
		(void)snprintf(ret + n, size - n, " (%llu connections before are not logged)",
			       (unsigned long long)l->left_out);
}

void ledger_write(struct ledger *l, const struct ledger_entry *e)
{
	char text[4096], message[1280];
	int n;

	if (!ledger_allows(l, now_usec()))
		return;
	describe(l, e, message, sizeof(message));
	n = snprintf(text, sizeof(text),
		     "MESSAGE=%s\nMESSAGE_ID=" LEDGER_MESSAGE_ID
		     "\nPRIORITY=6\nSYSLOG_IDENTIFIER=sockwake-router\nSOCKWAKE_UID=%u\nSOCKWAKE_PID=%d\n"
		     "SOCKWAKE_COMMAND=%s\nSOCKWAKE_ENGINE=%s\nSOCKWAKE_REQUEST=%s\nSOCKWAKE_BYTES_IN=%llu\n"
		     "SOCKWAKE_BYTES_OUT=%llu\nSOCKWAKE_DURATION_USEC=%llu\nSOCKWAKE_OUTCOME=%s\n",
		     message, (unsigned)e->uid, (int)e->pid, e->command, e->engine, e->request,
		     (unsigned long long)e->bytes[0], (unsigned long long)e->bytes[1], (unsigned long long)e->usec,
		     e->outcome);
	if (n < (int)sizeof(text) && journal_write(text, (size_t)n) == 0)
		l->left_out = 0;
}
