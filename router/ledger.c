#include "router/ledger.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define PRICE_USEC     (USEC_PER_SEC / LEDGER_RATE)

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

void ledger_write(struct ledger *l, const struct ledger_entry *e)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	_cleanup_close_ int fd = -1;
	char text[4096], left_out[64] = "";
	int n;

	if (!ledger_allows(l, now_usec()))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l->left_out > 0)
		(void)snprintf(left_out, sizeof(left_out), " (%llu connections before are not logged)",
			       (unsigned long long)l->left_out);
	n = snprintf(
		text, sizeof(text),
		"MESSAGE=uid %u, %s[%d]: %s%s%s, %llu bytes from it, %llu to it%s%s%s\nMESSAGE_ID=" LEDGER_MESSAGE_ID
		"\nPRIORITY=6\nSYSLOG_IDENTIFIER=sockwake-router\nSOCKWAKE_UID=%u\nSOCKWAKE_PID=%d\nSOCKWAKE_COMMAND=%s\n"
		"SOCKWAKE_ENGINE=%s\nSOCKWAKE_REQUEST=%s\nSOCKWAKE_BYTES_IN=%llu\nSOCKWAKE_BYTES_OUT=%llu\n"
		"SOCKWAKE_DURATION_USEC=%llu\nSOCKWAKE_OUTCOME=%s\n",
		(unsigned)e->uid, e->command, (int)e->pid, *e->engine ? e->engine : "refused", *e->request ? ": " : "",
		e->request, (unsigned long long)e->bytes[0], (unsigned long long)e->bytes[1], *e->outcome ? "; " : "",
		e->outcome, left_out, (unsigned)e->uid, (int)e->pid, e->command, e->engine, e->request,
		(unsigned long long)e->bytes[0], (unsigned long long)e->bytes[1], (unsigned long long)e->usec,
		e->outcome);
	if (fd >= 0 && n < (int)sizeof(text) &&
	    sendto(fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) > 0)
		l->left_out = 0;
}
