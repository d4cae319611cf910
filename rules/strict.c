#include "rules/strict.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* Of one object: each is compared with all others. */
#define KEYS_MAX 1024

struct parser {
	const char *p, *end;
	unsigned depth, values;
	struct error *err;
};

static cJSON *refuse(struct parser *s, const char *why)
{
	error_set_text(s->err, EINVAL, "the JSON of the request is invalid: %s", why);
	return NULL;
}

static cJSON *no_memory(struct parser *s)
{
	error_set_errno(s->err, ENOMEM, "cannot read the JSON of the request");
	return NULL;
}

static void skip_blanks(struct parser *s)
{
	while (s->p < s->end && *s->p && strchr(" \t\r\n", *s->p))
		s->p++;
}

static bool take(struct parser *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool take_word(struct parser *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return false;
	s->p += len;
	return true;
}

/* Four hexadecimal digits; -1 if they are not there. */
static int32_t take_hex(struct parser *s)
{
	int32_t n = 0;

	if (s->end - s->p < 4)
		return -1;
	for (unsigned k = 0; k < 4; k++, s->p++) {
		if (!isxdigit((unsigned char)*s->p))
			return -1;
		n = n * 16 + (isdigit((unsigned char)*s->p) ? *s->p - '0' : (*s->p | 0x20) - 'a' + 10);
	}
	return n;
}

static size_t put_utf8(char *to, int32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | (c >> 6));
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | (c >> 12));
		to[1] = (char)(0x80 | ((c >> 6) & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | (c >> 18));
	to[1] = (char)(0x80 | ((c >> 12) & 0x3f));
	to[2] = (char)(0x80 | ((c >> 6) & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The character behind "\u", in one or two parts; -1: it is invalid. */
static int32_t take_unicode(struct parser *s)
{
	int32_t c = take_hex(s), low;

	if (c <= 0 || (c >= 0xdc00 && c <= 0xdfff))
		return -1;
	if (c < 0xd800 || c > 0xdbff)
		return c;
	if (!take_word(s, "\\u") || (low = take_hex(s)) < 0xdc00 || low > 0xdfff)
		return -1;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* The character behind a backslash; -1: it is invalid. */
static int32_t take_escape(struct parser *s)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (take(s, 'u'))
		return take_unicode(s);
	name = s->p < s->end ? memchr(names, *s->p++, sizeof(names) - 1) : NULL;
	return name ? values[name - names] : -1;
}

/* How many bytes the UTF-8 sequence at p has (RFC 3629, 4); 0: it is none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	unsigned char least = 0x80, most = 0xbf;
	size_t len;

	if (*p < 0x80)
		return 1;
	if (*p < 0xc2 || *p > 0xf4)
		return 0;
	len = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	if (left < len)
		return 0;
	if (*p == 0xe0)
		least = 0xa0;
	if (*p == 0xed)
		most = 0x9f;
	if (*p == 0xf0)
		least = 0x90;
	if (*p == 0xf4)
		most = 0x8f;
	for (size_t k = 1; k < len; k++, least = 0x80, most = 0xbf) {
		if (p[k] < least || p[k] > most)
			return 0;
	}
	return len;
}

/* The string at p, behind its quotation mark, decoded into `to`, which has room for it. False: it is invalid. */
static bool take_string(struct parser *s, char *to)
{
	while (s->p < s->end && *s->p != '"') {
		int32_t c;
		size_t len;

		if (take(s, '\\')) {
			if ((c = take_escape(s)) < 0)
				return false;
			to += put_utf8(to, c);
			continue;
		}
		len = utf8_length((const unsigned char *)s->p, (size_t)(s->end - s->p));
		if (len == 0 || (unsigned char)*s->p < ' ')
			return false;
		memcpy(to, s->p, len);
		to += len;
		s->p += len;
	}
	*to = '\0';
	return take(s, '"');
}

/* The string, malloc()ed. */
static char *parse_text(struct parser *s)
{
	size_t len = 0, left = (size_t)(s->end - s->p);
	char *text;

	while (len < left && s->p[len] != '"')
		len += s->p[len] == '\\' ? 2 : 1;
	text = malloc(len + 1); /* decoded it is not longer */
	if (!text) {
		(void)no_memory(s);
	} else if (!take_string(s, text)) {
		(void)refuse(s, "a string");
		free_ptr(&text);
	}
	return text;
}

static cJSON *parse_string(struct parser *s)
{
	_cleanup_free_ char *text = parse_text(s);
	cJSON *item = text ? cJSON_CreateString(text) : NULL;

	return item || !text ? item : no_memory(s);
}

static cJSON *parse_number(struct parser *s)
{
	char digits[24], *end;
	size_t n = 0;
	cJSON *item;

	while (s->p < s->end && n < sizeof(digits) - 1 && (isdigit((unsigned char)*s->p) || (n == 0 && *s->p == '-')))
		digits[n++] = *s->p++;
	digits[n] = '\0';
	if (s->p < s->end && *s->p && strchr(".eE+-0123456789", *s->p))
		return refuse(s, "a number that is no whole number of 64 bits");
	errno = 0;
	(void)strtoll(digits, &end, 10);
	if (errno == ERANGE || end == digits || (digits[0] == '0' && n > 1) || (digits[0] == '-' && digits[1] == '0'))
		return refuse(s, "a number that is no whole number of 64 bits");
	item = cJSON_CreateRaw(digits);
	return item ? item : no_memory(s);
}

static cJSON *parse_value(struct parser *s);

static cJSON *parse_array(struct parser *s)
{
	_cleanup_cjson_ cJSON *array = cJSON_CreateArray();

	if (!array)
		return no_memory(s);
	skip_blanks(s);
	if (take(s, ']'))
		return steal_ptr(&array);
	for (;;) {
		cJSON *item = parse_value(s);

		if (!item)
			return NULL;
		cJSON_AddItemToArray(array, item);
		if (take(s, ']'))
			return steal_ptr(&array);
		if (!take(s, ','))
			return refuse(s, "an array");
	}
}

static bool parse_member(struct parser *s, cJSON *object)
{
	_cleanup_cjson_ cJSON *item = NULL;
	_cleanup_free_ char *key = NULL;

	skip_blanks(s);
	if (!take(s, '"'))
		return refuse(s, "an object");
	if (!(key = parse_text(s)))
		return false;
	skip_blanks(s);
	if (!take(s, ':'))
		return refuse(s, "an object");
	if (cJSON_GetObjectItemCaseSensitive(object, key))
		return refuse(s, "an object has a key twice");
	if (!(item = parse_value(s)))
		return false;
	if (!cJSON_AddItemToObject(object, key, item))
		return no_memory(s);
	item = NULL; /* it belongs to the object */
	return true;
}

static cJSON *parse_object(struct parser *s)
{
	_cleanup_cjson_ cJSON *object = cJSON_CreateObject();

	if (!object)
		return no_memory(s);
	skip_blanks(s);
	if (take(s, '}'))
		return steal_ptr(&object);
	for (unsigned n = 0;; n++) {
		if (n == KEYS_MAX)
			return refuse(s, "an object has too many keys");
		if (!parse_member(s, object))
			return NULL;
		if (take(s, '}'))
			return steal_ptr(&object);
		if (!take(s, ','))
			return refuse(s, "an object");
	}
}

static cJSON *parse_container(struct parser *s, cJSON *(*parse)(struct parser *))
{
	cJSON *item;

	if (s->depth == STRICT_DEPTH_MAX)
		return refuse(s, "it is nested too deeply");
	s->depth++;
	item = parse(s);
	s->depth--;
	return item;
}

static cJSON *parse_word(struct parser *s)
{
	cJSON *item;

	if (take_word(s, "true"))
		item = cJSON_CreateTrue();
	else if (take_word(s, "false"))
		item = cJSON_CreateFalse();
	else if (take_word(s, "null"))
		item = cJSON_CreateNull();
	else
		return parse_number(s);
	return item ? item : no_memory(s);
}

/* A value, with the blanks around it. */
static cJSON *parse_value(struct parser *s)
{
	cJSON *item;

	if (++s->values > STRICT_VALUES_MAX)
		return refuse(s, "it has too many values");
	skip_blanks(s);
	if (take(s, '"'))
		item = parse_string(s);
	else if (take(s, '['))
		item = parse_container(s, parse_array);
	else if (take(s, '{'))
		item = parse_container(s, parse_object);
	else
		item = parse_word(s);
	skip_blanks(s);
	return item;
}

int strict_parse(const char *text, size_t len, cJSON **ret, struct error *err)
{
	struct parser s = {.p = text, .end = text + len, .err = err};
	_cleanup_cjson_ cJSON *item = parse_value(&s);

	if (!item)
		return -1;
	if (s.p != s.end)
		return error_set(err, EINVAL, "the JSON of the request is invalid: something follows it");
	*ret = steal_ptr(&item);
	return 0;
}

int64_t strict_number(const cJSON *item)
{
	return cJSON_IsRaw(item) && item->valuestring ? strtoll(item->valuestring, NULL, 10) : 0;
}
