#include "rules/head.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/extremes.h"

/* RFC 9110, 5.6.2. */
static bool is_token(unsigned char c)
{
	return isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

ssize_t head_length(const char *in, size_t len, struct error *err)
{
	size_t n = (size_t)least_of(len, HEAD_MAX);

	for (size_t k = 0; k < n; k++) {
		unsigned char c = (unsigned char)in[k];

		if ((c < ' ' && !strchr("\r\n\t", c)) || c == '\0' || c >= 0x7f)
			return error_set(err, EINVAL, "the head has a byte that is no printable ASCII");
		if (c == '\n' && (k == 0 || in[k - 1] != '\r'))
			return error_set(err, EINVAL, "a line of the head ends with LF alone");
		if (c == '\r' && k + 1 < n && in[k + 1] != '\n')
			return error_set(err, EINVAL, "a line of the head contains CR");
		if (c == '\n' && k >= 3 && memcmp(in + k - 3, "\r\n\r\n", 4) == 0)
			return (ssize_t)(k + 1);
	}
	if (len >= HEAD_MAX)
		return error_set(err, EINVAL, "the head is longer than %u bytes", HEAD_MAX);
	return 0;
}

const char *head_field(const struct head *h, const char *name)
{
	for (size_t k = 0; k < h->n; k++) {
		if (strcmp(h->fields[k].name, name) == 0)
			return h->fields[k].value;
	}
	return NULL;
}

bool head_field_has(const struct head *h, const char *name, const char *word)
{
	const char *value = head_field(h, name);

	while (value && *value) {
		size_t len = strcspn(value, ","), blanks = strspn(value, " \t"), trimmed = len;

		while (trimmed > blanks && (value[trimmed - 1] == ' ' || value[trimmed - 1] == '\t'))
			trimmed--;
		if (trimmed - blanks == strlen(word) && strncasecmp(value + blanks, word, strlen(word)) == 0)
			return true;
		value += len + (value[len] == ',');
	}
	return false;
}

/* Fields that engines and clients send several times. */
static bool may_repeat(const char *name)
{
	return strcmp(name, "x-docker-expose-session-grpc-method") == 0 || strcmp(name, "accept") == 0 ||
	       strcmp(name, "warning") == 0;
}

/* Cuts "NAME: VALUE" into both. */
static int parse_field(struct head *h, char *line, struct error *err)
{
	char *p = line, *value, *end;

	for (; is_token((unsigned char)*p); p++)
		*p = (char)tolower((unsigned char)*p);
	if (p == line || *p != ':')
		return error_set(err, EINVAL, "a line of the head is not NAME: VALUE");
	*p = '\0';
	value = p + 1 + strspn(p + 1, " \t");
	for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t');)
		*--end = '\0';
	if (head_field(h, line) && !may_repeat(line))
		return error_set(err, EINVAL, "the head has two fields '%s'", line);
	if (h->n == HEAD_FIELDS_MAX)
		return error_set(err, EINVAL, "the head has more than %d fields", HEAD_FIELDS_MAX);
	h->fields[h->n++] = (struct head_field){line, value};
	return 0;
}

/* Copies the head and cuts it into lines; *ret is the first, and the fields are parsed. */
static int parse_lines(const char *in, size_t len, struct head *h, char **ret, struct error *err)
{
	char *line, *next;

	h->n = 0;
	memcpy(h->text, in, len);
	h->text[len - 2] = '\0'; /* without the empty line */
	*ret = h->text;
	next = strstr(h->text, "\r\n");
	if (!next)
		return error_set(err, EINVAL, "the head has no line");
	*next = '\0';
	for (line = next + 2; *line; line = next + 2) {
		next = strstr(line, "\r\n");
		*next = '\0';
		if (parse_field(h, line, err) < 0)
			return -1;
	}
	return 0;
}

int head_parse_request(const char *in, size_t len, struct head *ret, struct error *err)
{
	char *line, *target, *version;

	if (parse_lines(in, len, ret, &line, err) < 0)
		return -1;
	target = strchr(line, ' ');
	version = target ? strchr(target + 1, ' ') : NULL;
	if (!version || target == line || version == target + 1)
		return error_set(err, EINVAL, "the first line is not METHOD PATH HTTP/1.1");
	if (strcmp(version + 1, "HTTP/1.1") != 0)
		return error_set(err, EINVAL, "only HTTP/1.1 is spoken here");
	*target = *version = '\0';
	for (const char *p = line; *p; p++) {
		if (!isupper((unsigned char)*p))
			return error_set(err, EINVAL, "the method is not written in capital letters");
	}
	ret->method = line;
	ret->target = target + 1;
	return 0;
}

int head_parse_answer(const char *in, size_t len, struct head *ret, struct error *err)
{
	char *line;

	if (parse_lines(in, len, ret, &line, err) < 0)
		return -1;
	if (strncmp(line, "HTTP/1.1 ", 9) != 0 || !isdigit((unsigned char)line[9]) ||
	    !isdigit((unsigned char)line[10]) || !isdigit((unsigned char)line[11]) || (line[12] && line[12] != ' '))
		return error_set(err, EPROTO, "the engine's answer is not HTTP/1.1");
	ret->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	ret->reason = line[12] ? line + 13 : "";
	return 0;
}
