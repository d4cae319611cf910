#include "rules/uri.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* API versions before 1.24 take parts of the configuration of a container when they start it. */
#define VERSION_LEAST 24

static int hex(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* RFC 3986, 2.3. */
static bool is_unreserved(unsigned char c)
{
	return isalnum(c) || (c && strchr("-._~", c));
}

/* Decodes one character of the string; *p then points behind it. -1: it is invalid. */
static int decode(const char **p, const char *end)
{
	int high, low;

	if (**p != '%')
		return (unsigned char)*(*p)++;
	if (end - *p < 3 || (high = hex((*p)[1])) < 0 || (low = hex((*p)[2])) < 0)
		return -1;
	*p += 3;
	return high * 16 + low;
}

/* A character of a path that every engine reads alike, whether it was encoded or not. */
static bool is_path_character(int c)
{
	return c > 0 && (is_unreserved((unsigned char)c) || strchr("/:@+", c));
}

static int decode_path(const char *p, const char *end, char ret[static URI_PATH_MAX], struct error *err)
{
	size_t n = 0;

	while (p < end) {
		bool encoded = *p == '%';
		int c = decode(&p, end);

		if (!is_path_character(c) || (encoded && strchr("/.", c)))
			return error_set(err, EINVAL,
					 "the path of the request has a character that is not allowed there");
		if (n == URI_PATH_MAX - 1)
			return error_set(err, EINVAL, "the path of the request is too long");
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return 0;
}

/* Each segment of the path must be one: not empty, not "." or "..". */
static int check_segments(const char *path, struct error *err)
{
	for (const char *p = path; *p; p += strcspn(p + 1, "/") + 1) {
		size_t len = strcspn(p + 1, "/");

		if (len == 0 || (len <= 2 && strncmp(p + 1, "..", len) == 0))
			return error_set(err, EINVAL, "the path of the request has '//', '.', '..' or a final '/'");
	}
	return 0;
}

/* "/v1.41/…": takes the version off. */
static int take_version(struct uri *u, struct error *err)
{
	const char *minor = u->path + strlen("/v1.");
	size_t digits;

	if (u->path[1] != 'v' || !isdigit((unsigned char)u->path[2]))
		return 0;
	digits = strncmp(u->path, "/v1.", strlen("/v1.")) == 0 ? strspn(minor, "0123456789") : 0;
	if (digits < 2 || digits > 3 || minor[0] == '0' || minor[digits] != '/' || atoi(minor) < VERSION_LEAST)
		return error_set(
			err, EINVAL,
			"the version of the API in the path is not v1.%d or later; Podman's own API is not served here",
			VERSION_LEAST);
	snprintf(u->version, sizeof(u->version), "v1.%.*s", (int)digits, minor);
	memmove(u->path, minor + digits, strlen(minor + digits) + 1);
	return 0;
}

static char *decode_word(const char *p, const char *end, struct error *err)
{
	char *word = strndup(p, (size_t)(end - p)); /* decoded it is not longer */
	size_t n = 0;

	if (!word) {
		error_set_errno(err, ENOMEM, "cannot read the query");
		return NULL;
	}
	while (p < end) {
		bool plus = *p == '+';
		int c = decode(&p, end);

		if (c < ' ' || c == 0x7f) {
			error_set_text(err, EINVAL, "the query of the request has an invalid character");
			free(word);
			return NULL;
		}
		word[n++] = plus ? ' ' : (char)c;
	}
	word[n] = '\0';
	return word;
}

static int add_pair(struct uri *u, const char *p, const char *end, struct error *err)
{
	const char *equals = memchr(p, '=', (size_t)(end - p));
	const char *key_end = equals ? equals : end;
	struct uri_pair *pair = &u->pairs[u->n];

	if (u->n == URI_PAIRS_MAX)
		return error_set(err, EINVAL, "the query has more than %d keys", URI_PAIRS_MAX);
	for (const char *k = p; k < key_end; k++) {
		if (!is_unreserved((unsigned char)*k))
			return error_set(err, EINVAL, "a key of the query has a character that is not allowed there");
	}
	if (key_end == p)
		return error_set(err, EINVAL, "the query has an empty key");
	pair->key = decode_word(p, key_end, err);
	pair->value = pair->key ? decode_word(equals ? equals + 1 : end, end, err) : NULL;
	if (!pair->value) {
		free_ptr(&pair->key);
		return -1;
	}
	u->n++;
	return 0;
}

static int parse_query(struct uri *u, const char *query, struct error *err)
{
	/* Old versions of Go take ';' for a separator, too. */
	if (strchr(query, ';'))
		return error_set(err, EINVAL, "the query has a ';' that is not encoded");
	while (*query) {
		const char *end = query + strcspn(query, "&");

		if (add_pair(u, query, end, err) < 0)
			return -1;
		query = *end ? end + 1 : end;
	}
	return 0;
}

int uri_parse(const char *target, struct uri *ret, struct error *err)
{
	size_t len = strcspn(target, "?");

	*ret = (struct uri){};
	if (target[0] != '/')
		return error_set(err, EINVAL, "the target of the request is not a path");
	if (strchr(target, '#'))
		return error_set(err, EINVAL, "the target of the request has a '#'");
	if (decode_path(target, target + len, ret->path, err) < 0 || check_segments(ret->path, err) < 0 ||
	    take_version(ret, err) < 0)
		return -1;
	return target[len] ? parse_query(ret, target + len + 1, err) : 0;
}

void uri_clear(struct uri *u)
{
	for (size_t k = 0; k < u->n; k++) {
		free(u->pairs[k].key);
		free(u->pairs[k].value);
	}
	u->n = 0;
}

static struct uri_pair *find(struct uri *u, const char *key)
{
	for (size_t k = 0; k < u->n; k++) {
		if (strcmp(u->pairs[k].key, key) == 0)
			return &u->pairs[k];
	}
	return NULL;
}

const char *uri_value(const struct uri *u, const char *key)
{
	for (size_t k = 0; k < u->n; k++) {
		if (strcmp(u->pairs[k].key, key) == 0)
			return u->pairs[k].value;
	}
	return NULL;
}

int uri_add(struct uri *u, const char *key, const char *value, struct error *err)
{
	_cleanup_free_ char *name = strdup(key), *copy = strdup(value);

	if (!name || !copy || u->n == URI_PAIRS_MAX)
		return error_errno(err, ENOMEM, "cannot compose the query");
	u->pairs[u->n++] = (struct uri_pair){.key = steal_ptr(&name), .value = steal_ptr(&copy)};
	return 0;
}

int uri_set(struct uri *u, const char *key, const char *value, struct error *err)
{
	struct uri_pair *pair = find(u, key);
	char *copy;

	if (!pair)
		return uri_add(u, key, value, err);
	copy = strdup(value);
	if (!copy)
		return error_errno(err, ENOMEM, "cannot compose the query");
	free(pair->value);
	pair->value = copy;
	return 0;
}

static void write_word(FILE *f, const char *word, const char *also)
{
	for (const char *p = word; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (is_unreserved(c) || strchr(also, c))
			fputc(c, f);
		else
			fprintf(f, "%%%02X", c);
	}
}

int uri_write(const struct uri *u, char **ret, struct error *err)
{
	size_t len;
	FILE *f = open_memstream(ret, &len);

	if (!f)
		return error_errno(err, ENOMEM, "cannot compose the request");
	if (u->version[0])
		fprintf(f, "/%s", u->version);
	write_word(f, u->path, "/:@+");
	for (size_t k = 0; k < u->n; k++) {
		fputc(k ? '&' : '?', f);
		write_word(f, u->pairs[k].key, "");
		fputc('=', f);
		write_word(f, u->pairs[k].value, "/:@,");
	}
	if (fclose(f) != 0) {
		free_ptr(ret);
		return error_errno(err, ENOMEM, "cannot compose the request");
	}
	return 0;
}
