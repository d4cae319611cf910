#include "units/command_line.h"

#include <stdbool.h>
#include <string.h>

#define PREFIXES "@-:+!|" /* systemd.service(5), "Special executable prefixes" */

void command_line_clear(struct command_line *c)
{
	for (size_t k = 0; k < c->n; k++)
		free(c->words[k]);
	free(c->words);
	*c = (struct command_line){};
}

/* Takes ownership of the word, also on failure. */
static int add_owned(struct command_line *c, char *word, struct error *err)
{
	char **more = word ? reallocarray(c->words, c->n + 2, sizeof(*more)) : NULL;

	if (!more) {
		free(word);
		return error_errno(err, ENOMEM, "cannot put a command line together");
	}
	c->words = more;
	c->words[c->n++] = word;
	c->words[c->n] = NULL;
	return 0;
}

int command_line_add(struct command_line *c, const char *word, struct error *err)
{
	return add_owned(c, strdup(word), err);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Reads one character after a backslash: itself, or "xHH". NULL: the escape is incomplete. */
static const char *read_escape(const char *s, char *ret)
{
	int high, low;

	if (*s != 'x') {
		*ret = *s;
		return *s ? s + 1 : NULL;
	}
	high = hex_digit(s[1]);
	low = high < 0 ? -1 : hex_digit(s[2]);
	if (low < 0)
		return NULL;
	*ret = (char)(high << 4 | low);
	return s + 3;
}

/* Reads one word to `to`, which has room for all of s. Returns the end of the word; NULL: a quote or an escape has no
 * end. */
static const char *read_word(const char *s, char *to)
{
	bool quoted = false;

	while (*s && (quoted || *s != ' ')) {
		if (*s == '"') {
			quoted = !quoted;
			s++;
		} else if (*s == '\\') {
			s = read_escape(s + 1, to++);
			if (!s)
				return NULL;
		} else {
			s += s[0] == '%' && s[1] == '%';
			*to++ = *s++;
		}
	}
	*to = '\0';
	return quoted ? NULL : s;
}

int command_line_parse(const char *text, struct command_line *ret, struct error *err)
{
	*ret = (struct command_line){};
	text += strspn(text, PREFIXES);
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		char *word = strdup(text);

		if (!word)
			return error_errno(err, ENOMEM, "cannot read a command line");
		text = read_word(text, word);
		if (!text) {
			free(word);
			return error_set(err, EINVAL, "a quote or an escape of the command line has no end");
		}
		if (add_owned(ret, word, err) < 0)
			return -1;
	}
	return 0;
}
