#include "router/pace.h"

/* Accounts beyond those that can be counted share the last count. */
static unsigned *count_of(struct pace *p, const struct ucred *peer)
{
	uint64_t key = peer->uid != 0 ? peer->uid : 1ULL << 32 | (uint32_t)peer->pid;
	unsigned k = 0;

	while (k < p->n_accounts && p->accounts[k].key != key && k < PACE_ACCOUNTS - 1)
		k++;
	if (k == p->n_accounts) {
		p->accounts[k].key = key;
		p->accounts[k].n = 0;
		p->n_accounts++;
	}
	return &p->accounts[k].n;
}

bool pace_allows(struct pace *p, const struct ucred *peer, uint64_t now)
{
	if (now - p->since >= PACE_PERIOD_USEC) {
		p->since = now;
		p->n_accounts = 0;
	}
	return (*count_of(p, peer))++ < PACE_LIMIT;
}

void pace_refused(struct pace *p, const struct ucred *peer)
{
	*count_of(p, peer) += PACE_REFUSED - 1;
}
