#include "cli/text.h"

#include <string.h>

#include "common/clock.h"
#include "common/parse.h"

static const struct {
	uint64_t usec;
	const char *name;
} spans[] = {{86400 * USEC_PER_SEC, "d"}, {3600 * USEC_PER_SEC, "h"}, {60 * USEC_PER_SEC, "min"}, {USEC_PER_SEC, "s"}};
#define N_SPANS (sizeof(spans) / sizeof(*spans))

static size_t largest_unit(uint64_t usec)
{
	size_t k = 0;

	while (k + 1 < N_SPANS && usec < spans[k].usec)
		k++;
	return k;
}

const char *text_span_briefly(uint64_t usec, char ret[static TEXT_MAX])
{
	size_t k = largest_unit(usec);

	snprintf(ret, TEXT_MAX, "%llu%s", (unsigned long long)(usec / spans[k].usec), spans[k].name);
	return ret;
}

const char *text_span(uint64_t usec, char ret[static TEXT_MAX])
{
	size_t k = largest_unit(usec);

	if (usec < USEC_PER_SEC)
		snprintf(ret, TEXT_MAX, "%.1f ms", (double)usec / (double)USEC_PER_MSEC);
	else if (k + 1 < N_SPANS && usec % spans[k].usec / spans[k + 1].usec)
		snprintf(ret, TEXT_MAX, "%llu%s %llu%s", (unsigned long long)(usec / spans[k].usec), spans[k].name,
			 (unsigned long long)(usec % spans[k].usec / spans[k + 1].usec), spans[k + 1].name);
	else
		text_span_briefly(usec, ret);
	return ret;
}

const char *text_took(uint64_t usec, char ret[static TEXT_MAX])
{
	if (usec < USEC_PER_SEC || usec >= 60 * USEC_PER_SEC)
		return text_span(usec, ret);
	snprintf(ret, TEXT_MAX, "%.2f s", (double)usec / (double)USEC_PER_SEC);
	return ret;
}

const char *text_since(uint64_t wall_usec_then, char ret[static TEXT_MAX])
{
	uint64_t now = wall_usec();

	if (wall_usec_then == 0)
		snprintf(ret, TEXT_MAX, "-");
	else if (wall_usec_then >= now || now - wall_usec_then < USEC_PER_SEC) /* now, or the clock was set back */
		snprintf(ret, TEXT_MAX, "0s");
	else
		text_span(now - wall_usec_then, ret);
	return ret;
}

const char *text_until(uint64_t wall_usec_then, char ret[static TEXT_MAX])
{
	uint64_t now = wall_usec(), left = wall_usec_then > now ? wall_usec_then - now : 0;
	time_t then = (time_t)(wall_usec_then / USEC_PER_SEC), today = (time_t)(now / USEC_PER_SEC);
	struct tm a, b;
	char clock[32], span[TEXT_MAX];

	localtime_r(&then, &a);
	localtime_r(&today, &b);
	strftime(clock, sizeof(clock), a.tm_year == b.tm_year && a.tm_yday == b.tm_yday ? "%T" : "%F %T", &a);
	snprintf(ret, TEXT_MAX, "%s (%.20s left)", clock, text_span(left, span));
	return ret;
}

const char *text_clock(uint64_t wall_usec_then, uint64_t wall_now, char ret[static TEXT_MAX])
{
	time_t then = (time_t)(wall_usec_then / USEC_PER_SEC), today = (time_t)(wall_now / USEC_PER_SEC);
	struct tm a, b;

	localtime_r(&then, &a);
	localtime_r(&today, &b);
	if (a.tm_year == b.tm_year && a.tm_yday == b.tm_yday)
		strftime(ret, TEXT_MAX, "%H:%M", &a);
	else if (then > today && then - today < 6 * 86400)
		strftime(ret, TEXT_MAX, "%a %H:%M", &a);
	else
		strftime(ret, TEXT_MAX, "%F", &a);
	return ret;
}

const char *text_time(uint64_t wall_usec_then, uint64_t wall_now, char ret[static TEXT_MAX])
{
	time_t then = (time_t)(wall_usec_then / USEC_PER_SEC), today = (time_t)(wall_now / USEC_PER_SEC);
	struct tm a, b;

	localtime_r(&then, &a);
	localtime_r(&today, &b);
	if (a.tm_year == b.tm_year && a.tm_yday == b.tm_yday)
		strftime(ret, TEXT_MAX, "%T", &a);
	else
		strftime(ret, TEXT_MAX, then < today && today - then < 6 * 86400 ? "%a %T" : "%F %T", &a);
	return ret;
}

const char *text_bytes(uint64_t bytes, char ret[static TEXT_MAX])
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes / 1000;
	size_t k = 0;

	if (bytes < 1000) {
		snprintf(ret, TEXT_MAX, "%u B", (unsigned)bytes);
		return ret;
	}
	for (; value >= 999.95; k++)
		value /= 1000;
	snprintf(ret, TEXT_MAX, "%.1f %s", value, units[k]);
	return ret;
}

static size_t sequence_length(char first)
{
	unsigned char c = (unsigned char)first;

	return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 1;
}

/* Writes the pending character, complete or not. */
static bool put_pending(struct text_filter *f, FILE *to)
{
	f->pending[f->n] = '\0';
	if (strcmp(f->pending, "\n") != 0 && strcmp(f->pending, "\t") != 0)
		text_make_printable(f->pending);
	f->n = strlen(f->pending); /* a zero byte ends it */
	if (f->n == 0)
		strcpy(f->pending, "?");
	f->n = 0;
	return fputs(f->pending, to) >= 0;
}

static bool is_continued_by(const struct text_filter *f, char c)
{
	if (f->pending[0] == '\r')
		return false;
	return ((unsigned char)c & 0xc0) == 0x80 && f->n < sequence_length(f->pending[0]);
}

bool text_filter(struct text_filter *f, FILE *to, const char *text, size_t len)
{
	bool ok = true;

	for (size_t k = 0; k < len && ok; k++) {
		if (f->n > 0 && f->pending[0] == '\r' && text[k] == '\n')
			f->n = 0;
		else if (f->n > 0 && !is_continued_by(f, text[k]))
			ok = put_pending(f, to);
		f->pending[f->n++] = text[k];
		if (ok && f->pending[0] != '\r' && f->n == sequence_length(f->pending[0]))
			ok = put_pending(f, to);
	}
	return ok;
}

bool text_filter_end(struct text_filter *f, FILE *to)
{
	return f->n == 0 || put_pending(f, to);
}
