#include "instance/health_check.h"

#include <stddef.h>
#include <string.h>

#include "common/parse.h"
#include "instance/instance.h"

enum need { NEEDS_NOTHING = 0, NEEDS_PORT = 1, NEEDS_STREAM = 2 };

static const struct word {
	const char *word;
	enum readiness_kind kind;
	int needs;
} words[] = {
	{"listen", READY_LISTEN, NEEDS_PORT},
	{"postgres", READY_POSTGRES, NEEDS_PORT | NEEDS_STREAM},
	{"redis", READY_REDIS, NEEDS_PORT | NEEDS_STREAM},
	{"greeting", READY_GREETING, NEEDS_PORT | NEEDS_STREAM},
	{"http", READY_HTTP, NEEDS_PORT | NEEDS_STREAM},
	{"healthy", READY_HEALTHY, NEEDS_NOTHING},
	{"none", READY_NONE, NEEDS_NOTHING},
	{HEALTH_CHECK_COMPLETED, READY_COMPLETED, NEEDS_NOTHING},
};
#define N_WORDS (sizeof(words) / sizeof(*words))

/* "http:/PATH" counts as "http". NULL: a command. */
static const struct word *find(const char *s)
{
	size_t len = strncmp(s, "http:", 5) == 0 ? 4 : strlen(s);

	for (size_t k = 0; k < N_WORDS; k++) {
		if (strncmp(s, words[k].word, len) == 0 && strlen(words[k].word) == len)
			return &words[k];
	}
	return NULL;
}

const char *health_check_word(size_t k)
{
	return k < N_WORDS && words[k].kind != READY_COMPLETED ? words[k].word : NULL;
}

enum readiness_kind health_check_kind(const char *s)
{
	const struct word *w = find(s);

	return w ? w->kind : READY_COMMAND;
}

bool health_check_is_completed(const char *s)
{
	return s && strcmp(s, HEALTH_CHECK_COMPLETED) == 0;
}

bool health_check_is_command(const char *s)
{
	return s && !find(s);
}

static int needs(const char *s)
{
	const struct word *w = find(s);

	return w ? w->needs : NEEDS_NOTHING;
}

bool health_check_needs_port(const char *s)
{
	return needs(s) & NEEDS_PORT;
}

bool health_check_needs_stream(const char *s)
{
	return needs(s) & NEEDS_STREAM;
}

/* Shell commands may contain tabs. */
static bool is_one_line(const char *s)
{
	char text[INSTANCE_TEXT_MAX + 1];
	size_t n = 0;

	for (; s[n]; n++) {
		if (n == INSTANCE_TEXT_MAX)
			return false;
		text[n] = s[n] == '\t' ? ' ' : s[n];
	}
	text[n] = '\0';
	return text_is_printable(text);
}

int health_check_validate(const char *s, struct error *err)
{
	if (!s || !*s || !is_one_line(s))
		return error_set(
			err, 0,
			"the health check must be one line of printable UTF-8 of 1 to %d bytes: " HEALTH_CHECK_WORDS
			", none or a shell command",
			INSTANCE_TEXT_MAX);
	if (!s[strspn(s, " \t")]) /* which succeeds whatever the server does */
		return error_set(err, 0,
				 "the health check '%s' is blank: use one of " HEALTH_CHECK_WORDS
				 " and none, or a shell command",
				 s);
	if (strncmp(s, "http:", 5) == 0 && (s[5] != '/' || strchr(s, ' ')))
		return error_set(err, 0, "the health check '%s' is not of the form http:/PATH", s);
	return 0;
}

static const struct {
	uint16_t port;
	const char *check;
} well_known[] = {
	{5432, "postgres"}, {6379, "redis"}, {3306, "greeting"}, /* MySQL, MariaDB */
	{21, "greeting"},					 /* FTP */
	{22, "greeting"},					 /* SSH */
	{25, "greeting"},					 /* SMTP */
	{587, "greeting"},					 /* submission */
	{110, "greeting"},					 /* POP3 */
	{143, "greeting"},					 /* IMAP */
};

/* PostgreSQL names its Unix sockets .s.PGSQL.PORT. */
static bool is_postgres_socket(const char *target)
{
	static const char prefix[] = ".s.PGSQL.";
	const char *name;

	if (!target || strncmp(target, "unix:", strlen("unix:")) != 0)
		return false;
	name = strrchr(target, '/');
	if (!name || strncmp(name + 1, prefix, strlen(prefix)) != 0)
		return false;
	name += 1 + strlen(prefix);
	return *name && !name[strspn(name, "0123456789")];
}

const char *health_check_default(const struct publish *p, char *const *targets)
{
	if (p->type == SOCK_STREAM && targets && is_postgres_socket(targets[0]))
		return "postgres";
	for (size_t k = 0; k < sizeof(well_known) / sizeof(*well_known); k++) {
		if (p->type == SOCK_STREAM && p->container_port == well_known[k].port)
			return well_known[k].check;
	}
	return "listen";
}
