#include "relay/flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

/* #syscalls: close getrandom socket */

#define BUCKETS	  4096U	     /* a power of two */
#define FIRST_MAX (4U << 20) /* total bytes of first datagrams that are kept */

/* Clients choose their addresses and ports: without the seed they could put all flows into one bucket. */
static struct flow **bucket(const struct flow_table *t, const struct flow_key *key)
{
	uint64_t words[(sizeof(*key) + 7) / 8] = {0}, h = t->seed;

	_Static_assert(sizeof(*key) == sizeof(void *) + 2 * sizeof(struct in6_addr) + 8, "flow_key has no padding");
	memcpy(words, key, sizeof(*key));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return &t->buckets[h & (BUCKETS - 1)];
}

static void unlink_age(struct flow_table *t, struct flow *f)
{
	*(f->older ? &f->older->newer : &t->oldest) = f->newer;
	*(f->newer ? &f->newer->older : &t->newest) = f->older;
}

static void link_newest(struct flow_table *t, struct flow *f)
{
	f->newer = NULL;
	f->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = f;
	t->newest = f;
	f->last_active = t->worker->loop.now;
}

static void plan_expiry(struct flow_table *t)
{
	if (t->oldest && t->timer.when == USEC_INFINITY && t->expiry != USEC_INFINITY)
		timer_set(&t->worker->loop, &t->timer, t->oldest->last_active + t->expiry);
}

static void expire(struct loop *loop, struct timer *timer)
{
	struct flow_table *t = container_of(timer, struct flow_table, timer);

	while (t->oldest && t->oldest->last_active + t->expiry <= loop->now)
		flow_close(t, t->oldest);
	plan_expiry(t);
}

int flow_table_init(struct flow_table *t, struct worker *w, size_t max, uint64_t expiry, struct error *err)
{
	*t = (struct flow_table){.worker = w, .max = max, .expiry = expiry};
	timer_add(&w->loop, &t->timer, expire);
	t->buckets = calloc(BUCKETS, sizeof(struct flow *));
	if (!t->buckets)
		return error_set(err, ENOMEM, "out of memory");
	if (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed))
		return error_errno(err, errno, "cannot get random bytes");
	return 0;
}

struct flow *flow_find(struct flow_table *t, const struct flow_key *key)
{
	for (struct flow *f = *bucket(t, key); f; f = f->hash_next) {
		if (memcmp(&f->key, key, sizeof(*key)) == 0)
			return f;
	}
	return NULL;
}

int flow_connect(struct flow_table *t, struct flow *f, size_t target)
{
	const struct target *to = &f->key.forward->targets[target];
	struct watch old = f->watch;
	int e;

	f->target = (uint16_t)target;
	f->watch.fd = socket(to->addr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (f->watch.fd >= 0 && target_connect(f->watch.fd, to) == 0 &&
	    loop_watch(&t->worker->loop, &f->watch, EPOLLIN) == 0) {
		close_fd(&old.fd);
		return 0;
	}
	e = errno;
	close_fd(&f->watch.fd);
	f->watch = old;
	return e;
}

static struct flow *allocate(struct flow_table *t)
{
	struct flow *f = t->free;

	if (!f)
		return calloc(1, sizeof(*f));
	t->free = f->hash_next;
	memset(f, 0, sizeof(*f));
	return f;
}

static void release(struct flow_table *t, struct flow *f)
{
	f->hash_next = t->free;
	t->free = f;
}

static bool make_room(struct flow_table *t)
{
	if (t->count >= t->max)
		flow_close(t, t->oldest);
	if (descriptors_take(&t->worker->service->descriptors, 1))
		return true;
	if (!t->oldest)
		return false;
	flow_close(t, t->oldest);
	return descriptors_take(&t->worker->service->descriptors, 1);
}

struct flow *flow_new(struct flow_table *t, const struct flow_key *key,
		      void (*ready)(struct loop *loop, struct watch *watch, uint32_t events))
{
	struct counters *counters = &t->worker->counters;
	struct flow *f;

	if (!make_room(t))
		return NULL;
	f = allocate(t);
	if (!f) {
		descriptors_give(&t->worker->service->descriptors, 1);
		return NULL;
	}
	f->key = *key;
	f->watch.ready = ready;
	f->watch.fd = -1;
	f->hash_next = *bucket(t, key);
	*bucket(t, key) = f;
	link_newest(t, f);
	t->count++;
	count_add(&counters->flows, 1);
	count_add(&counters->flows_total, 1);
	plan_expiry(t);
	return f;
}

void flow_touch(struct flow_table *t, struct flow *f)
{
	f->last_active = t->worker->loop.now;
	if (t->newest == f)
		return;
	unlink_age(t, f);
	link_newest(t, f);
}

void flow_keep_first(struct flow_table *t, struct flow *f, const void *data, size_t len)
{
	if (len == 0 || t->first_bytes + len > FIRST_MAX)
		return;
	f->first = malloc(len);
	if (!f->first)
		return;
	memcpy(f->first, data, len);
	f->first_len = (uint32_t)len;
	t->first_bytes += len;
}

void flow_drop_first(struct flow_table *t, struct flow *f)
{
	free(f->first);
	f->first = NULL;
	t->first_bytes -= f->first_len;
	f->first_len = 0;
}

void flow_close(struct flow_table *t, struct flow *f)
{
	struct flow **p = bucket(t, &f->key);

	while (*p != f)
		p = &(*p)->hash_next;
	*p = f->hash_next;
	unlink_age(t, f);
	flow_drop_first(t, f);
	close_fd(&f->watch.fd);
	f->watch.ready = loop_ignore;
	descriptors_give(&t->worker->service->descriptors, 1);
	count_add(&t->worker->counters.flows, (uint64_t)-1);
	t->count--;
	release(t, f);
}
