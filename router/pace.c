#include "router/pace.h"

/* Accounts beyond those that can be counted share the last count. */
static unsigned *find(struct pace_accounts *a, uint32_t key)
{
	unsigned k = 0;

	while (k < a->n && a->all[k].key != key && k < PACE_ACCOUNTS - 1)
		k++;
	if (k == a->n) {
		a->all[k].key = key;
		a->all[k].n = 0;
		a->n++;
	}
	return &a->all[k].n;
}

/* A user has 65536 subordinate user IDs: one account each, and the others would share the last count. */
static unsigned *count_of(struct pace *p, const struct ucred *peer)
{
	if (peer->uid == 0)
		return find(&p->processes, (uint32_t)peer->pid);
	return find(&p->users, subordinates_first(&p->subordinates, peer->uid));
}

bool pace_allows(struct pace *p, const struct ucred *peer, uint64_t now)
{
	if (now - p->since >= PACE_PERIOD_USEC) {
		p->since = now;
		p->users.n = p->processes.n = 0;
	}
	return (*count_of(p, peer))++ < PACE_LIMIT;
}

void pace_refused(struct pace *p, const struct ucred *peer)
{
	*count_of(p, peer) += PACE_REFUSED - 1;
}
