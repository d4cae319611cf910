/* lifecycle/decide.c: every situation has its row, every row its situation, and docs/lifecycle.md shows them all. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "lifecycle/decide.h"

#define PAGE	 "docs/lifecycle.md"
#define ROWS_MAX 64

/* Calls `visit` for every situation that there can be. */
static void each_situation(void (*visit)(const struct situation *s, void *data), void *data)
{
	for (unsigned e = 0; e < N_EVENTS; e++) {
		for (unsigned c = 0; c < N_CONDITIONS; c++) {
			for (unsigned r = 0; r < N_RUNS; r++) {
				for (unsigned k = 0; k < 1U << N_CIRCUMSTANCES; k++) {
					struct situation s = {(enum event)e, (enum condition)c, (enum run)r, k};

					visit(&s, data);
				}
			}
		}
	}
}

static void mark(const struct situation *s, void *data)
{
	const struct decision *first, *d = decide(s);
	bool *reached = data;
	size_t n;

	first = decisions(&n);
	assert_true(d >= first && d < first + n);
	reached[d - first] = true;
}

static void every_row_decides_something(void **state)
{
	bool reached[ROWS_MAX] = {};
	size_t n;

	(void)state;
	(void)decisions(&n);
	assert_true(n <= ROWS_MAX);
	each_situation(mark, reached);
	for (size_t k = 0; k < n; k++)
		assert_true(reached[k]);
}

/* What must hold for all, whatever the rows are. */
static void check_promises(const struct situation *s, void *data)
{
	enum action a = decide(s)->action;
	bool up = s->condition == CONDITION_RUNNING || s->condition == CONDITION_RESTARTING;
	bool to_sleep = s->event >= EVENT_IDLE;

	(void)data;
	/* Nobody's client is cut off by another instance. */
	if (to_sleep && (s->circumstances & (CIRCUMSTANCE_SHARED | CIRCUMSTANCE_REQUIRED)))
		assert_int_equal(a, ACTION_LEAVE);
	/* Nobody ends a job in the middle. */
	else if (to_sleep && (s->circumstances & CIRCUMSTANCE_JOB))
		assert_true(a == ACTION_LEAVE || a == ACTION_NOTHING);
	/* What a wake has begun does not stay up, whatever the options. */
	else if (to_sleep && up && s->run == RUN_OURS && !(s->circumstances & CIRCUMSTANCE_EPHEMERAL))
		assert_int_equal(a, ACTION_HALT);
	/* Only what goes to sleep is stopped, and what others began is not, if they said so. */
	if (a == ACTION_HALT) {
		assert_true(to_sleep);
		assert_true(s->run == RUN_OURS ||
			    !(s->circumstances & (CIRCUMSTANCE_KEEP_RUNNING | CIRCUMSTANCE_LABEL)));
	}
	/* Whoever connects is never left to a container that sleeps. */
	if (s->event == EVENT_CONNECT)
		assert_true(a == ACTION_START || a == ACTION_SERVE || a == ACTION_WAIT);
	/* What runs and is nobody's gets its idle clock. */
	if (s->event == EVENT_FOUND && s->condition == CONDITION_RUNNING && s->circumstances == 0)
		assert_int_equal(a, ACTION_SERVE);
}

static void promises_are_kept(void **state)
{
	(void)state;
	each_situation(check_promises, NULL);
}

/* The words of a set, "idle, failed"; "any" for all. */
static const char *words(unsigned set, unsigned n, const char *(*name)(unsigned), char *ret, size_t size)
{
	size_t len = 0;

	snprintf(ret, size, "any");
	for (unsigned k = 0; k < n; k++) {
		if (set & 1U << k)
			len += (size_t)snprintf(ret + len, size - len, "%s%s", len ? ", " : "", name(k));
	}
	return ret;
}

static const char *event_word(unsigned k)
{
	return event_name((enum event)k);
}

static const char *condition_word(unsigned k)
{
	return condition_name((enum condition)k);
}

static const char *run_word(unsigned k)
{
	return run_name((enum run)k);
}

static void format_row(const struct decision *d, char *ret, size_t size)
{
	char events[128], conditions[128], runs[64], circumstances[128];

	words(d->events, N_EVENTS, event_word, events, sizeof(events));
	words(d->conditions, N_CONDITIONS, condition_word, conditions, sizeof(conditions));
	words(d->runs, N_RUNS, run_word, runs, sizeof(runs));
	words(d->circumstances, N_CIRCUMSTANCES, circumstance_name, circumstances, sizeof(circumstances));
	snprintf(ret, size, "| %s | %s | %s | %s | **%s** | %s |\n", events, conditions, runs,
		 d->circumstances ? circumstances : "–", action_name(d->action), d->because);
}

/* All rows, one after the other. */
static void the_page_shows_the_table(void **state)
{
	_cleanup_free_ char *page = NULL;
	char table[ROWS_MAX * 512] = "";
	const struct decision *rows;
	struct error err;
	size_t n;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, PAGE, 1 << 20, &page, NULL, &err), 0);
	rows = decisions(&n);
	for (size_t k = 0; k < n; k++)
		format_row(&rows[k], table + strlen(table), 512);
	if (!strstr(page, table))
		fprintf(stderr, "%s should have:\n%s", PAGE, table);
	assert_non_null(strstr(page, table));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_decides_something),
		cmocka_unit_test(promises_are_kept),
		cmocka_unit_test(the_page_shows_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
