#include "router/status_report.h"

#include <pwd.h>

#include "common/clock.h"

/* The text is printable UTF-8. */
static void write_string(FILE *to, const char *text)
{
	(void)putc('"', to);
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			(void)putc('\\', to);
		(void)putc(*c, to);
	}
	(void)putc('"', to);
}

static void write_known(FILE *to, const char *key, const char *text)
{
	(void)fprintf(to, ", \"%s\": ", key);
	if (*text)
		write_string(to, text);
	else
		(void)fputs("null", to);
}

static void write_user(FILE *to, uid_t uid)
{
	const struct passwd *user = getpwuid(uid);

	(void)fprintf(to, "\"uid\": %u", (unsigned)uid);
	write_known(to, "user", user ? user->pw_name : "");
}

/* The reader knows no CLOCK_MONOTONIC of another boot, or of another machine. */
static void write_since(FILE *to, uint64_t then)
{
	(void)fprintf(to, ", \"since_usec\": %llu", (unsigned long long)(wall_usec() - (now_usec() - then)));
}

static void write_connection(FILE *to, const struct record *r)
{
	(void)putc('{', to);
	write_user(to, r->uid);
	(void)fprintf(to, ", \"pid\": %d", (int)r->pid);
	write_known(to, "command", r->command);
	write_known(to, "engine", r->engine);
	write_known(to, "request", r->request);
	(void)fprintf(to, ", \"bytes_in\": %llu, \"bytes_out\": %llu", (unsigned long long)r->bytes[0],
		      (unsigned long long)r->bytes[1]);
	write_since(to, r->began);
	(void)putc('}', to);
}

static void write_connections(FILE *to, const struct records *records)
{
	const char *separator = "\n\t\t";

	for (uint32_t n = 0; n < records->used; n++) {
		if (!records->all[n].member)
			continue;
		(void)fputs(separator, to);
		write_connection(to, &records->all[n]);
		separator = ",\n\t\t";
	}
}

static void write_workers(FILE *to, const struct team *team)
{
	const char *separator = "\n\t\t";

	for (const struct member *m = team->first; m; m = m->next) {
		(void)fprintf(to, "%s{\"kind\": \"%s\", \"uid\": %u, \"pid\": %d, \"connections\": %u}", separator,
			      member_kind_name(m->kind), (unsigned)m->uid, (int)m->pid, m->connections);
		separator = ",\n\t\t";
	}
}

struct managers_writer {
	FILE *to;
	const char *separator;
};

static void write_manager(void *data, uid_t uid)
{
	struct managers_writer *w = data;

	(void)fprintf(w->to, "%s{", w->separator);
	write_user(w->to, uid);
	(void)putc('}', w->to);
	w->separator = ",\n\t\t";
}

static void write_engines(FILE *to, const struct team *team)
{
	const char *separator = "\n\t\t{";

	for (const struct member *m = team->first; m; m = m->next) {
		if (!*m->started)
			continue;
		(void)fputs(separator, to);
		write_user(to, m->uid);
		write_known(to, "engine", m->started);
		write_since(to, m->started_at);
		(void)putc('}', to);
		separator = ",\n\t\t{";
	}
}

bool status_report_write(const struct status_report *s, FILE *to)
{
	struct managers_writer writer = {.to = to, .separator = "\n\t\t"};

	(void)fputs("{\n\t\"connections\": [", to);
	write_connections(to, s->records);
	(void)fputs("],\n\t\"workers\": [", to);
	write_workers(to, s->team);
	(void)fputs("],\n\t\"managers\": [", to);
	managers_each(s->managers, write_manager, &writer);
	(void)fputs("],\n\t\"engines\": [", to);
	write_engines(to, s->team);
	(void)fputs("]\n}\n", to);
	return fflush(to) == 0 && !ferror(to);
}
