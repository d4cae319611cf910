/* Units as they are rendered, read back as systemd reads them. */
#pragma once

#include "tests/unit/instance_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/io.h"
#include "instance/json.h"
#include "units/render.h"

static inline struct rendered render(const struct instance *i)
{
	struct rendered r = {};
	struct error err;

	if (units_render(i, &r, &err) < 0)
		fail_msg("%s", err.text);
	return r;
}

/* The n-th value of a directive, NULL if there is none; systemd.syntax(7): no line may end with a backslash. */
static inline char *value_of(const char *unit, const char *directive, size_t n)
{
	size_t len = strlen(directive);

	for (const char *line = unit; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, directive, len) == 0 && line[len] == '=' && n-- == 0)
			return strndup(line + len + 1, strcspn(line + len + 1, "\n"));
	}
	return NULL;
}

static inline void assert_value(const char *unit, const char *directive, const char *expected)
{
	_cleanup_free_ char *value = value_of(unit, directive, 0);

	if (!value)
		fail_msg("there is no %s= in\n%s", directive, unit);
	assert_string_equal(value, expected);
}

static inline void assert_absent(const char *unit, const char *directive)
{
	_cleanup_free_ char *value = value_of(unit, directive, 0);

	assert_null(value);
}

#define WORDS_MAX 96

struct words {
	char *v[WORDS_MAX];
	size_t n;
};

static inline void words_clear(struct words *w)
{
	for (size_t k = 0; k < w->n; k++)
		free(w->v[k]);
}

static inline char unescape(const char **p)
{
	unsigned value;

	switch (*++*p) {
	case '"':
	case '\\':
		return **p;
	case 'x':
		assert_int_equal(sscanf(*p + 1, "%2x", &value), 1);
		*p += 2;
		return (char)value;
	default:
		fail_msg("the escape \\%c is not among those that we use", **p);
		return 0;
	}
}

/* Splits a command line as systemd.service(5) says. Fails on what would mean something there: a single "%", quotes
 * within a word, an unknown escape. */
static inline struct words split(const char *line)
{
	struct words w = {};

	for (const char *p = line; *p;) {
		char word[8192];
		size_t len = 0;
		bool quoted = *p == '"';

		for (p += quoted; *p && *p != (quoted ? '"' : ' '); p++) {
			char c = *p;

			if (c == '%') {
				assert_int_equal(p[1], '%');
				p++;
			}
			if (!quoted)
				assert_null(strchr("\"'\\;", c));
			word[len++] = c == '\\' ? unescape(&p) : c;
		}
		if (quoted)
			assert_int_equal(*p++, '"');
		assert_true(*p == ' ' || *p == '\0');
		p += *p == ' ';
		assert_true(w.n < WORDS_MAX);
		w.v[w.n++] = strndup(word, len);
	}
	return w;
}

static inline const char *option(const struct words *w, const char *name)
{
	for (size_t k = 0; k + 1 < w->n; k++) {
		if (strcmp(w->v[k], name) == 0)
			return w->v[k + 1];
	}
	return "";
}

static inline bool has_word(const struct words *w, const char *name)
{
	for (size_t k = 0; k < w->n; k++) {
		if (strcmp(w->v[k], name) == 0)
			return true;
	}
	return false;
}
