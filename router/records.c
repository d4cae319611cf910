#include "router/records.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define NONE UINT32_MAX

int records_open(struct records *r, uint32_t size, struct error *err)
{
	*r = (struct records){.all = calloc(size, sizeof(*r->all)), .size = size, .free = NONE};
	return r->all ? 0 : error_set(err, ENOMEM, "out of memory");
}

void records_close(struct records *r)
{
	free(r->all);
	*r = (struct records){};
}

static struct tally *find_tally(const struct records *r, uint64_t account)
{
	struct tally *t = r->tallies;

	while (t && t->account != account)
		t = t->next;
	return t;
}

static bool count_in(struct records *r, uint64_t account)
{
	struct tally *t = find_tally(r, account);

	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			return false;
		*t = (struct tally){.next = r->tallies, .account = account};
		r->tallies = t;
	}
	t->n++;
	r->n++;
	return true;
}

static void count_out(struct records *r, uint64_t account)
{
	struct tally **link = &r->tallies, *t;

	while ((*link)->account != account)
		link = &(*link)->next;
	t = *link;
	r->n--;
	if (--t->n > 0)
		return;
	*link = t->next;
	free(t);
}

struct record *records_add(struct records *r, const struct peer *p, struct member *m)
{
	bool counted = m->kind != MEMBER_REFUSING;
	struct record *record;

	if ((r->free == NONE && r->used == r->size) || (counted && !count_in(r, peer_account(p))))
		return NULL;
	if (r->free != NONE) {
		record = &r->all[r->free];
		r->free = record->next_free;
	} else {
		record = &r->all[r->used++];
	}
	*record = (struct record){.member = m,
				  .account = peer_account(p),
				  .counted = counted,
				  .uid = p->uid,
				  .pid = p->pid,
				  .began = p->since};
	(void)snprintf(record->command, sizeof(record->command), "%s", p->place.command);
	m->connections++;
	return record;
}

void records_remove(struct records *r, struct record *record)
{
	if (record->counted)
		count_out(r, record->account);
	record->member->connections--;
	record->member = NULL;
	record->next_free = r->free;
	r->free = record_number(r, record);
}

uint32_t record_number(const struct records *r, const struct record *record)
{
	return (uint32_t)(record - r->all);
}

struct record *records_find(const struct records *r, uint32_t number, const struct member *m)
{
	return number < r->used && r->all[number].member == m ? &r->all[number] : NULL;
}

struct record *records_of(const struct records *r, const struct member *m)
{
	for (uint32_t i = 0; m->connections > 0 && i < r->used; i++) {
		if (r->all[i].member == m)
			return &r->all[i];
	}
	return NULL;
}

unsigned records_of_account(const struct records *r, uint64_t account)
{
	const struct tally *t = find_tally(r, account);

	return t ? t->n : 0;
}
