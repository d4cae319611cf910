/* The process of the fake service manager: takes connections, answers calls by the table, and ends jobs. */
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/fake_manager_bus.h"
#include "tests/unit/fake_manager_table.h"

#define FAKE_CONNECTIONS 16

static struct fake_server {
	struct fake_manager *manager;
	struct fake_table *table;
	int listener;
	sd_bus *connections[FAKE_CONNECTIONS];
	struct fake_job {
		uint32_t id; /* 0: this place is free */
		char unit[80];
		bool is_start;
	} jobs[8];
	uint32_t last_job;
} fake_server;

static const struct fake_type {
	const char *name, *type, *otherwise;
} fake_types[] = {
	/* of units */
	{"ActiveState", "s", "inactive"},
	{"SubState", "s", "dead"},
	{"LoadState", "s", NULL},
	{"Result", "s", "success"},
	{"StatusText", "s", ""},
	{"SourcePath", "s", ""},
	{"FragmentPath", "s", ""},
	{"InvocationID", "ay", ""},
	{"Job", "(uo)", "0"},
	{"MainPID", "u", "0"},
	{"NRestarts", "u", "0"},
	{"ExecMainCode", "i", "0"},
	{"ExecMainStatus", "i", "0"},
	{"ExecMainStartTimestampMonotonic", "t", "0"},
	{"StateChangeTimestamp", "t", "0"},
	{"NeedDaemonReload", "b", "0"},
	{"Names", "as", ""},
	{"Environment", "as", ""},
	{"Requires", "as", ""},
	{"BindsTo", "as", ""},
	{"Wants", "as", ""},
	{"RequiredBy", "as", ""},
	{"RequisiteOf", "as", ""},
	{"BoundBy", "as", ""},
	{"WantedBy", "as", ""},
	{"UpheldBy", "as", ""},
	{"After", "as", ""},
	{"ExecStart", "a(sasbttttuii)", ""}, /* "WORD WORD ; WORD" */
	{"ExecStartPre", "a(sasbttttuii)", ""},
	{"Listen", "a(ss)", ""}, /* "Stream ADDRESS Datagram ADDRESS" */
	/* of others */
	{"SystemState", "s", "running"},
	{"UnitPath", "as", ""},
	{"JobType", "s", "start"},
	{"State", "s", "running"},
};
#define FAKE_UNIT_TYPES 30

static inline const char *fake_value(const char *unit, const struct fake_type *t)
{
	const char *value = fake_find(fake_server.table, unit, t->name);

	if (value)
		return value;
	if (t->otherwise)
		return t->otherwise;
	return fake_find(fake_server.table, unit, NULL) ? "loaded" : "not-found";
}

/* "unit/x_2eservice" → "x.service", "job/7", FAKE_MANAGER. */
static inline void fake_object(const char *path, char ret[static 80])
{
	char *name = NULL;

	if (fake_bus.sd_bus_path_decode(path, FAKE_ROOT "/unit", &name) > 0)
		snprintf(ret, 80, "%s", name);
	else if (strncmp(path, FAKE_ROOT "/job/", strlen(FAKE_ROOT "/job/")) == 0)
		snprintf(ret, 80, "%s", path + strlen(FAKE_ROOT "/"));
	else
		snprintf(ret, 80, "%s", FAKE_MANAGER);
	free(name);
}

/* How the call reads in events: the method, and the first argument, or the object and the property. */
static inline void fake_describe(sd_bus_message *m, char ret[static 256])
{
	const char *member = fake_bus.sd_bus_message_get_member(m), *interface = "", *property = "", *contents, *word;
	char object[80], type;

	fake_object(fake_bus.sd_bus_message_get_path(m), object);
	if (strcmp(member, "Get") == 0) {
		fake_bus.sd_bus_message_read(m, "ss", &interface, &property);
		snprintf(ret, 256, "Get %s %s", object, property);
	} else if (strcmp(object, FAKE_MANAGER) != 0) {
		snprintf(ret, 256, "%s %s", member, object);
	} else if (fake_bus.sd_bus_message_peek_type(m, &type, &contents) > 0 && type == 's' &&
		   fake_bus.sd_bus_message_read_basic(m, 's', &word) > 0) {
		snprintf(ret, 256, "%s %s", member, word);
	} else {
		snprintf(ret, 256, "%s", member);
	}
	fake_bus.sd_bus_message_rewind(m, true);
}

static inline void fake_note(sd_bus_message *m)
{
	struct fake_table *t = fake_server.table;
	char object[80], *text = NULL;
	size_t len = 0, end = strlen(t->calls);
	FILE *f = open_memstream(&text, &len);

	fake_object(fake_bus.sd_bus_message_get_path(m), object);
	fputs(fake_bus.sd_bus_message_get_member(m), f);
	if (strcmp(object, FAKE_MANAGER) != 0)
		fprintf(f, " %s", object);
	fputc(' ', f);
	fake_dump(m, f);
	fclose(f);
	while (len > 0 && text[len - 1] == ' ')
		text[--len] = '\0';
	snprintf(t->calls + end, sizeof(t->calls) - end, "%s\n", text);
	free(text);
	fake_bus.sd_bus_message_rewind(m, true);
}

static inline void fake_send(sd_bus *connection, sd_bus_message *m)
{
	fake_bus.sd_bus_send(connection, m, NULL);
	fake_bus.sd_bus_flush(connection);
	fake_bus.sd_bus_message_unref(m);
}

static inline void fake_end_job(struct fake_job *job, const char *result)
{
	struct fake_table *t = fake_server.table;
	char path[64], invocation[40];
	sd_bus_message *m;

	if (strcmp(result, "done") == 0) {
		if (job->is_start) {
			snprintf(invocation, sizeof(invocation), "%032x", ++t->invocations);
			fake_table_set(t, job->unit, "InvocationID", invocation);
		}
		fake_table_set(t, job->unit, "ActiveState", job->is_start ? "active" : "inactive");
		fake_table_set(t, job->unit, "SubState", job->is_start ? "running" : "dead");
	}
	snprintf(path, sizeof(path), FAKE_ROOT "/job/%u", job->id);
	for (size_t k = 0; k < FAKE_CONNECTIONS; k++) {
		sd_bus *connection = fake_server.connections[k];

		if (!connection || fake_bus.sd_bus_message_new_signal(fake_server.connections[k], &m, FAKE_ROOT,
								      FAKE_INTERFACE, "JobRemoved") < 0)
			continue;
		fake_bus.sd_bus_message_append(m, "uoss", job->id, path, job->unit, result);
		fake_send(connection, m);
	}
	job->id = 0;
}

static inline void fake_end_jobs(const char *result)
{
	for (size_t k = 0; k < sizeof(fake_server.jobs) / sizeof(*fake_server.jobs); k++) {
		if (fake_server.jobs[k].id)
			fake_end_job(&fake_server.jobs[k], result);
	}
}

static inline struct fake_job *fake_new_job(const char *unit, bool is_start)
{
	struct fake_job *job = fake_server.jobs;

	while (job->id)
		job++;
	job->id = ++fake_server.last_job;
	job->is_start = is_start;
	snprintf(job->unit, sizeof(job->unit), "%s", unit);
	return job;
}

static inline void fake_reply(sd_bus *connection, sd_bus_message *call, const char *type, const char *value)
{
	sd_bus_message *m;

	if (fake_bus.sd_bus_message_new_method_return(call, &m) < 0)
		abort();
	if (type)
		fake_bus.sd_bus_message_append(m, type, value);
	fake_send(connection, m);
}

static inline void fake_answer_job(sd_bus *connection, sd_bus_message *call, const char *unit, bool is_start)
{
	struct fake_job *job = fake_new_job(unit, is_start);
	const char *result = fake_find(fake_server.table, unit, is_start ? "start" : "stop");
	char path[64];

	snprintf(path, sizeof(path), FAKE_ROOT "/job/%u", job->id);
	fake_reply(connection, call, "o", path);
	if (!result || strcmp(result, "pending") != 0)
		fake_end_job(job, result ? result : "done");
}

static inline void fake_answer_get(sd_bus *connection, sd_bus_message *call, const char *object)
{
	const char *interface, *property;
	sd_bus_message *m;

	fake_bus.sd_bus_message_read(call, "ss", &interface, &property);
	for (size_t k = 0; k < sizeof(fake_types) / sizeof(*fake_types); k++) {
		if (strcmp(fake_types[k].name, property) != 0)
			continue;
		if (fake_bus.sd_bus_message_new_method_return(call, &m) < 0)
			abort();
		fake_append_variant(m, fake_types[k].type, fake_value(object, &fake_types[k]));
		fake_send(connection, m);
		return;
	}
	abort();
}

static inline void fake_answer_get_all(sd_bus *connection, sd_bus_message *call, const char *object)
{
	sd_bus_message *m;

	if (fake_bus.sd_bus_message_new_method_return(call, &m) < 0)
		abort();
	fake_bus.sd_bus_message_open_container(m, 'a', "{sv}");
	for (size_t k = 0; k < FAKE_UNIT_TYPES; k++) {
		fake_bus.sd_bus_message_open_container(m, 'e', "sv");
		fake_bus.sd_bus_message_append(m, "s", fake_types[k].name);
		fake_append_variant(m, fake_types[k].type, fake_value(object, &fake_types[k]));
		fake_bus.sd_bus_message_close_container(m);
	}
	fake_bus.sd_bus_message_close_container(m);
	fake_send(connection, m);
}

static inline void fake_answer_before(sd_bus *connection, sd_bus_message *call, const char *object)
{
	const char *before = fake_find(fake_server.table, object, "Before");
	char copy[160], *rest = copy, *word;
	sd_bus_message *m;

	if (fake_bus.sd_bus_message_new_method_return(call, &m) < 0)
		abort();
	snprintf(copy, sizeof(copy), "%s", before ? before : "");
	fake_bus.sd_bus_message_open_container(m, 'a', "(usssoo)");
	while ((word = strsep(&rest, " "))) {
		const char *unit = strsep(&word, ":");

		if (word)
			fake_bus.sd_bus_message_append(m, "(usssoo)", 1, unit, "start", word, "/", "/");
	}
	fake_bus.sd_bus_message_close_container(m);
	fake_send(connection, m);
}

static inline void fake_answer_list(sd_bus *connection, sd_bus_message *call)
{
	const struct fake_type *active = &fake_types[0], *sub = &fake_types[1], *load = &fake_types[2];
	const char *unit;
	sd_bus_message *m;

	if (fake_bus.sd_bus_message_new_method_return(call, &m) < 0)
		abort();
	fake_bus.sd_bus_message_open_container(m, 'a', "(ssssssouso)");
	fake_bus.sd_bus_message_enter_container(call, 'a', "s");
	while (fake_bus.sd_bus_message_read(call, "s", &unit) > 0) {
		char path[256] = FAKE_ROOT "/unit/", *to = path + strlen(path);

		for (const char *p = unit; *p; p++)
			to += sprintf(to, strchr("abcdefghijklmnopqrstuvwxyz", *p) ? "%c" : "_%02x", *p);
		if (strcmp(unit, "missing.service") != 0)
			fake_bus.sd_bus_message_append(m, "(ssssssouso)", unit, "", fake_value(unit, load),
						       fake_value(unit, active), fake_value(unit, sub), "", path, 0, "",
						       "/");
	}
	fake_bus.sd_bus_message_close_container(m);
	fake_send(connection, m);
}

/* ListUnitsByPatterns: FAKE_MANAGER's "Units", all active. */
static inline void fake_answer_patterns(sd_bus *connection, sd_bus_message *call)
{
	const char *units = fake_find(fake_server.table, FAKE_MANAGER, "Units");
	char copy[160], *rest = copy, *unit;
	sd_bus_message *m;

	if (fake_bus.sd_bus_message_new_method_return(call, &m) < 0)
		abort();
	snprintf(copy, sizeof(copy), "%s", units ? units : "");
	fake_bus.sd_bus_message_open_container(m, 'a', "(ssssssouso)");
	while ((unit = strsep(&rest, " "))) {
		char path[256] = FAKE_ROOT "/unit/", *to = path + strlen(path);

		for (const char *p = unit; *p; p++)
			to += sprintf(to, strchr("abcdefghijklmnopqrstuvwxyz", *p) ? "%c" : "_%02x", *p);
		if (*unit)
			fake_bus.sd_bus_message_append(m, "(ssssssouso)", unit, "", "loaded", "active", "listening", "",
						       path, 0, "", "/");
	}
	fake_bus.sd_bus_message_close_container(m);
	fake_send(connection, m);
}

/* ListUnitFilesByPatterns: FAKE_MANAGER's "UnitFiles". */
static inline void fake_answer_files(sd_bus *connection, sd_bus_message *call)
{
	const char *files = fake_find(fake_server.table, FAKE_MANAGER, "UnitFiles");
	char copy[160], *rest = copy, *file;
	sd_bus_message *m;

	if (fake_bus.sd_bus_message_new_method_return(call, &m) < 0)
		abort();
	snprintf(copy, sizeof(copy), "%s", files ? files : "");
	fake_bus.sd_bus_message_open_container(m, 'a', "(ss)");
	while ((file = strsep(&rest, " "))) {
		if (*file)
			fake_bus.sd_bus_message_append(m, "(ss)", file, "generated");
	}
	fake_bus.sd_bus_message_close_container(m);
	fake_send(connection, m);
}

static inline void fake_answer(sd_bus *connection, sd_bus_message *call)
{
	const char *member = fake_bus.sd_bus_message_get_member(call), *unit;
	char object[80];

	fake_object(fake_bus.sd_bus_message_get_path(call), object);
	if (strcmp(member, "Get") == 0)
		return fake_answer_get(connection, call, object);
	if (strcmp(member, "GetAll") == 0)
		return fake_answer_get_all(connection, call, object);
	fake_note(call);
	if (strcmp(member, "GetBefore") == 0)
		return fake_answer_before(connection, call, object);
	if (strcmp(member, "ListUnitsByNames") == 0)
		return fake_answer_list(connection, call);
	if (strcmp(member, "ListUnitsByPatterns") == 0)
		return fake_answer_patterns(connection, call);
	if (strcmp(member, "ListUnitFilesByPatterns") == 0)
		return fake_answer_files(connection, call);
	if (strcmp(member, "Hello") == 0) /* where it is reached over a bus daemon */
		return fake_reply(connection, call, "s", ":1.7");
	if (strcmp(member, "StartUnit") != 0 && strcmp(member, "StopUnit") != 0 &&
	    strcmp(member, "StartTransientUnit") != 0)
		return fake_reply(connection, call, NULL, NULL);
	fake_bus.sd_bus_message_read(call, "s", &unit);
	fake_answer_job(connection, call, unit, member[2] == 'a');
}

static inline void fake_close(size_t k)
{
	fake_server.table->open--;
	fake_bus.sd_bus_close(fake_server.connections[k]);
	fake_server.connections[k] = fake_bus.sd_bus_unref(fake_server.connections[k]);
}

static inline int fake_listen(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(to.sun_path, path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 16) < 0)
		abort();
	return fd;
}

static inline void fake_close_all(bool for_good)
{
	close(fake_server.listener);
	for (size_t k = 0; k < FAKE_CONNECTIONS; k++) {
		if (fake_server.connections[k])
			fake_close(k);
	}
	memset(fake_server.jobs, 0, sizeof(fake_server.jobs));
	while (for_good)
		pause();
	usleep(30000);
	fake_server.listener = fake_listen(fake_server.manager->socket);
}

static inline void fake_serve_call(size_t k, sd_bus_message *call)
{
	sd_bus *connection = fake_server.connections[k];
	struct fake_table *t = fake_server.table;
	size_t n_events = t->n_events; /* an answer lets the test go on, and add some */
	const char *end_jobs = NULL;
	char description[256];
	sd_bus_message *m;
	bool answered = false;

	fake_describe(call, description);
	t->n_calls++;
	for (size_t i = 0; i < n_events; i++) {
		struct fake_event *e = &t->events[i];

		if (strncmp(description, e->on, strlen(e->on)) != 0 || e->times == 0)
			continue;
		if (e->after > 0) {
			e->after--;
			continue;
		}
		if (e->times != UINT32_MAX)
			e->times--;
		if (e->what == SET)
			fake_table_set(t, e->unit, e->name, e->value);
		else if (e->what == END)
			end_jobs = e->value;
		else if (!answered)
			fake_note(call);
		if (e->what == REEXEC || e->what == GO)
			return fake_close_all(e->what == GO);
		if (e->what == DROP)
			return fake_close(k);
		answered |= e->what == SILENT || e->what == FAIL || e->what == GARBLE;
		if (e->what == GARBLE && strncmp(description, "Get", 3) == 0) {
			if (fake_bus.sd_bus_message_new_method_return(call, &m) < 0)
				abort();
			fake_bus.sd_bus_message_append(m, "v", "d", 1.0);
			fake_send(connection, m);
		} else if (e->what == GARBLE) {
			fake_reply(connection, call, "s", "nonsense");
		} else if (e->what == FAIL &&
			   fake_bus.sd_bus_message_new_method_errorf(call, &m, e->value, "%s", "says the test") >= 0) {
			fake_send(connection, m);
		}
	}
	if (!answered)
		fake_answer(connection, call);
	if (end_jobs)
		fake_end_jobs(end_jobs);
}

static inline void fake_accept(void)
{
	static const sd_id128_t id = {.bytes = {1}};
	int fd = accept4(fake_server.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	size_t k = 0;
	sd_bus *b;

	while (k < FAKE_CONNECTIONS && fake_server.connections[k])
		k++;
	if (fd < 0 || k == FAKE_CONNECTIONS || fake_bus.sd_bus_new(&b) < 0 || fake_bus.sd_bus_set_fd(b, fd, fd) < 0 ||
	    fake_bus.sd_bus_set_server(b, true, id) < 0 || fake_bus.sd_bus_set_trusted(b, true) < 0 ||
	    fake_bus.sd_bus_set_sender(b, "org.freedesktop.systemd1") < 0 || fake_bus.sd_bus_start(b) < 0)
		abort();
	fake_server.table->connections++;
	fake_server.table->open++;
	fake_server.connections[k] = b;
}

static inline void fake_serve_connection(size_t k)
{
	sd_bus_message *m;
	int r;

	while (fake_server.connections[k]) {
		m = NULL;
		r = fake_bus.sd_bus_process(fake_server.connections[k], &m);
		if (r < 0)
			fake_close(k);
		if (r <= 0)
			return;
		if (m && fake_bus.sd_bus_message_is_method_call(m, NULL, NULL))
			fake_serve_call(k, m);
		if (m)
			fake_bus.sd_bus_message_unref(m);
	}
}

static inline void fake_manager_serve(void)
{
	for (;;) {
		struct pollfd p[FAKE_CONNECTIONS + 1] = {{.fd = fake_server.listener, .events = POLLIN}};

		for (size_t k = 0; k < FAKE_CONNECTIONS; k++) {
			sd_bus *b = fake_server.connections[k];

			p[k + 1] = (struct pollfd){.fd = b ? fake_bus.sd_bus_get_fd(b) : -1,
						   .events = b ? (short)fake_bus.sd_bus_get_events(b) : 0};
		}
		if (poll(p, FAKE_CONNECTIONS + 1, -1) < 0)
			continue;
		if (p[0].revents)
			fake_accept();
		for (size_t k = 0; k < FAKE_CONNECTIONS; k++)
			fake_serve_connection(k);
	}
}
