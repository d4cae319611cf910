#include "common/parse.h"

#include <ctype.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "common/clock.h"

int parse_u64(const char *what, const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct error *err)
{
	uint64_t n = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			break;
	}
	if (p == s || *p || n < min || n > max)
		return error_set(err, 0, "%s '%s' is not a whole number from %llu to %llu", what, s,
				 (unsigned long long)min, (unsigned long long)max);
	*ret = n;
	return 0;
}

int parse_port(const char *what, const char *s, uint16_t *ret, struct error *err)
{
	uint64_t n;

	if (parse_u64(what, s, 1, UINT16_MAX, &n, err) < 0)
		return -1;
	*ret = (uint16_t)n;
	return 0;
}

int parse_group_number(const char *s, gid_t *ret, struct error *err)
{
	uint64_t n;

	if (parse_u64("the group", s, 1, UINT32_MAX - 1, &n, err) < 0)
		return -1;
	if (s[0] == '0' || n == UINT16_MAX)
		return error_set(err, 0, "'%s' is not the number of a group", s);
	*ret = (gid_t)n;
	return 0;
}

/* systemd.time(7), "Parsing Time Spans". A month is 30.44 days and a year 365.25 days there. */
static const struct unit {
	const char *name;
	uint64_t usec;
} units[] = {
	{"usec", 1},
	{"us", 1},
	{"µs", 1},
	{"msec", USEC_PER_MSEC},
	{"ms", USEC_PER_MSEC},
	{"seconds", USEC_PER_SEC},
	{"second", USEC_PER_SEC},
	{"sec", USEC_PER_SEC},
	{"s", USEC_PER_SEC},
	{"minutes", 60 * USEC_PER_SEC},
	{"minute", 60 * USEC_PER_SEC},
	{"min", 60 * USEC_PER_SEC},
	{"m", 60 * USEC_PER_SEC},
	{"hours", 3600 * USEC_PER_SEC},
	{"hour", 3600 * USEC_PER_SEC},
	{"hr", 3600 * USEC_PER_SEC},
	{"h", 3600 * USEC_PER_SEC},
	{"days", 86400 * USEC_PER_SEC},
	{"day", 86400 * USEC_PER_SEC},
	{"d", 86400 * USEC_PER_SEC},
	{"weeks", 7 * 86400 * USEC_PER_SEC},
	{"week", 7 * 86400 * USEC_PER_SEC},
	{"w", 7 * 86400 * USEC_PER_SEC},
	{"months", 2629800 * USEC_PER_SEC},
	{"month", 2629800 * USEC_PER_SEC},
	{"M", 2629800 * USEC_PER_SEC},
	{"years", 31557600 * USEC_PER_SEC},
	{"year", 31557600 * USEC_PER_SEC},
	{"y", 31557600 * USEC_PER_SEC},
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The unit at the start of s, up to the first non-letter; without one, seconds. */
static const struct unit *find_unit(const char *s, size_t *ret_len)
{
	static const struct unit seconds = {"", USEC_PER_SEC};
	size_t len = 0;

	while (s[len] && !is_space(s[len]) && !isdigit((unsigned char)s[len]) && s[len] != '.')
		len++;
	*ret_len = len;
	if (len == 0)
		return &seconds;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strlen(units[i].name) == len && memcmp(units[i].name, s, len) == 0)
			return &units[i];
	}
	return NULL;
}

/* One number with an optional fraction and unit, for example "2.5s". Returns what follows it, NULL if malformed. */
static const char *parse_term(const char *s, uint64_t *total)
{
	uint64_t whole = 0, fraction = 0, scale = 1, usec;
	const char *digits = s;
	const struct unit *unit;
	size_t len;

	for (; isdigit((unsigned char)*s); s++) {
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*s - '0'), &whole))
			return NULL;
	}
	if (s == digits)
		return NULL;
	if (*s == '.') {
		digits = ++s;
		for (; isdigit((unsigned char)*s); s++) {
			if (scale < 1000000) { /* drops digits beyond microseconds */
				fraction = fraction * 10 + (uint64_t)(*s - '0');
				scale *= 10;
			}
		}
		if (s == digits)
			return NULL;
	}
	while (is_space(*s))
		s++;
	unit = find_unit(s, &len);
	if (!unit || __builtin_mul_overflow(whole, unit->usec, &usec))
		return NULL;
	/* fraction < 10^6 and unit->usec < 2^45: the product fits in 65 bits only for years, which is cut below. */
	if (__builtin_mul_overflow(fraction, unit->usec, &fraction) ||
	    __builtin_add_overflow(usec, fraction / scale, &usec) || __builtin_add_overflow(*total, usec, total))
		return NULL;
	return s + len;
}

int parse_duration(const char *what, const char *s, uint64_t *ret_usec, struct error *err)
{
	uint64_t total = 0;
	const char *p = s;

	while (is_space(*p))
		p++;
	if (strcmp(p, "infinity") == 0) {
		*ret_usec = USEC_INFINITY;
		return 0;
	}
	do {
		p = parse_term(p, &total);
		while (p && is_space(*p))
			p++;
	} while (p && *p);
	if (!p)
		return error_set(err, 0,
				 "%s '%s' is not a time span: write seconds or units as in '90', '15min', '1h 30min'",
				 what, s);
	if (total > SPAN_MAX)
		return error_set(err, 0, "%s '%s' is longer than 36000 years: write 'infinity'", what, s);
	*ret_usec = total;
	return 0;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool made_of(const char *s, const char *more, size_t max)
{
	size_t n = 0;

	for (; s[n]; n++) {
		if (n >= max || (!is_alnum(s[n]) && !strchr(more, s[n])))
			return false;
	}
	return n > 0;
}

bool instance_name_is_valid(const char *s)
{
	return made_of(s, "_-", 240);
}

bool container_name_is_valid(const char *s)
{
	return is_alnum(s[0]) && made_of(s, "_.-", 255);
}

bool service_name_is_valid(const char *s)
{
	size_t len = strlen(s);

	return len > 8 && len <= 255 && strcmp(s + len - 8, ".service") == 0 && s[0] != '.' && s[0] != '@' &&
	       s[len - 9] != '@' &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@") == len;
}

/* Line and paragraph separators, and characters that make a terminal show text in another order than it is read in
 * (Unicode Standard Annex 9: embeddings, overrides, isolates). */
static bool rearranges(uint32_t c)
{
	return (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* The length of the UTF-8 sequence at s (RFC 3629), 0 if it is not well-formed. */
static size_t utf8_sequence(const unsigned char *s)
{
	size_t len;
	uint32_t c;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		len = 2;
		c = s[0] & 0x1fU;
	} else if ((s[0] & 0xf0) == 0xe0) {
		len = 3;
		c = s[0] & 0x0fU;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		len = 4;
		c = s[0] & 0x07U;
	} else {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fU);
	}
	/* overlong forms, surrogates, beyond Unicode, C1 controls */
	if ((len == 3 && c < 0x800) || (len == 4 && c < 0x10000) || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff ||
	    (c >= 0x80 && c < 0xa0) || rearranges(c))
		return 0;
	return len;
}

/* The number of bytes of the character at the start of s, which is not empty; 0 for a control character, a character
 * that reorders its surroundings, or malformed UTF-8 (RFC 3629). */
static size_t printable_length(const char *s)
{
	return (unsigned char)s[0] < ' ' || s[0] == 0x7f ? 0 : utf8_sequence((const unsigned char *)s);
}

bool text_is_printable(const char *s)
{
	while (*s) {
		size_t n = printable_length(s);

		if (n == 0)
			return false;
		s += n;
	}
	return true;
}

void text_make_printable(char *s)
{
	while (*s) {
		size_t len = printable_length(s);

		if (len == 0)
			*s = '?';
		s += len ? len : 1;
	}
}

bool path_is_valid(const char *s)
{
	if (s[0] != '/' || strlen(s) >= PATH_MAX || !text_is_printable(s))
		return false;
	for (const char *p = s; (p = strstr(p, "/..")); p += 3) {
		if (p[3] == '/' || p[3] == '\0')
			return false;
	}
	return true;
}
