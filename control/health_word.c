/* A health check that is not one of our words is a shell command. So is a misspelt word, which would fail at every
 * wake. */
#include "control/health_word.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/create_request.h"
#include "control/note.h"
#include "instance/health_check.h"

/* The $PATH that systemd gives to services (systemd.exec(5)), which may differ from the caller's. */
#define SERVICES_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Other characters may be special to sh. */
#define WORD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-"

static bool is_in(const char *path, const char *word)
{
	char file[PATH_MAX];
	struct stat st;
	size_t len;

	for (; path && *path; path += len + (path[len] == ':')) {
		len = strcspn(path, ":");
		if (snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, word) < (int)sizeof(file) &&
		    stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

/* `words`: those that may stand there. */
static int check_word(const char *s, const char *words, struct error *err)
{
	if (!health_check_is_command(s))
		return 0;
	if (s[strspn(s, WORD)] || is_in(getenv("PATH"), s) || is_in(SERVICES_PATH, s))
		return 0;
	return error_set(
		err, EINVAL,
		"the health check '%s' is no program in PATH, and none of %s and none: use one of these, or a shell "
		"command",
		s, words);
}

int health_word_check(const struct instance *i, struct error *err)
{
	if (check_word(i->health_check, HEALTH_CHECK_WORDS, err) < 0)
		return -1;
	for (size_t k = 0; k < i->n_dependencies; k++) {
		if (check_word(i->dependencies[k].health_check, HEALTH_CHECK_WORDS ", " HEALTH_CHECK_COMPLETED, err) <
		    0)
			return error_context(err, "--with %s", i->dependencies[k].container);
	}
	return 0;
}

/* The length of a placeholder at the beginning of the text, "{word}"; 0: there is none. */
static size_t placeholder_length(const char *text)
{
	size_t len = *text == '{' ? strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;

	return len > 0 && text[len + 1] == '}' ? len + 2 : 0;
}

/* sh leaves "{word}" as it is, and expands "${word}". */
static void note_placeholders(const char *s)
{
	static const char known[] = "{container_port}";
	size_t len;

	if (!health_check_is_command(s))
		return;
	for (const char *p = s; *p; p += len ? len : 1) {
		len = placeholder_length(p);
		if (len > 0 && strncmp(p, known, sizeof(known) - 1) != 0 && (p == s || p[-1] != '$'))
			note_print("the health check has '%.*s', which stays as it is: only %s becomes a number",
				   (int)len, p, known);
	}
}

void health_word_note(const struct instance *i)
{
	note_placeholders(i->health_check);
	for (size_t k = 0; k < i->n_dependencies; k++)
		note_placeholders(i->dependencies[k].health_check);
}
