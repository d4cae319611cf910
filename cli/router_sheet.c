#include "cli/router_sheet.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/json.h"
#include "cli/sheet.h"
#include "cli/sign.h"
#include "cli/table.h"
#include "cli/text.h"
#include "common/clock.h"
#include "common/wrap.h"
#include "control/note.h"
#include "control/router.h"

#define COLUMNS	  8
#define VALUE_MAX 2048

static bool is_a_restricted_wrong(const struct router_view *v)
{
	for (size_t k = 0; k < v->n_restricted; k++) {
		if (v->restricted[k].has_failed || (v->restricted[k].listens && *v->restricted[k].trouble))
			return true;
	}
	return false;
}

static bool is_wrong(const struct router_view *v)
{
	return is_a_restricted_wrong(v) || v->progress == ROUTER_ENABLING || v->progress == ROUTER_DISABLING ||
	       *v->config_trouble || *v->report_trouble || (v->progress == ROUTER_ON && !router_view_listens(v)) ||
	       (v->listens && v->docker_listens && !v->is_moved) ||
	       (v->progress == ROUTER_ON && v->has_docker && !v->docker_listens && v->docker_is_missed);
}

#define OPENS_AGAIN "'sudo sockwake router enable' opens it again"

/* Of a router that is enabled. */
static const char *describe_place(const struct router_view *v)
{
	if (!v->listens)
		return "enabled, but does not listen: 'sudo sockwake router enable' opens its socket";
	switch (v->place) {
	case ROUTER_PLACE_FOREIGN:
		return "enabled, but another program has opened " ROUTER_SOCKET
		       " itself, and clients come to that one ('sudo ss -xlp' shows which): " OPENS_AGAIN;
	case ROUTER_PLACE_EMPTY:
		return "enabled, but somebody has removed its socket " ROUTER_SOCKET ": " OPENS_AGAIN;
	case ROUTER_PLACE_HELD:
		break;
	}
	return "enabled, listens on " ROUTER_SOCKET;
}

static const char *headline(const struct router_view *v)
{
	switch (v->progress) {
	case ROUTER_ENABLING:
		return "is being enabled, or that was broken off: 'sudo sockwake router enable' finishes it, 'sudo "
		       "sockwake router disable' undoes it";
	case ROUTER_DISABLING:
		return "is being disabled, or that was broken off: 'sudo sockwake router disable' finishes it";
	case ROUTER_ON:
		return describe_place(v);
	case ROUTER_OFF:
		break;
	}
	return v->listens ? "not enabled, but listens: 'sudo sockwake router enable' makes that last"
			  : "off: 'sudo sockwake router enable' puts it in the place of " ROUTER_SOCKET;
}

static void print_headline(const struct router_view *v, const struct terminal *t)
{
	enum state state = is_wrong(v) ? STATE_FAILED : v->listens ? STATE_AWAKE : STATE_ASLEEP;
	const char *colour = sign_colour(state, t);

	printf("%s%s%s router %s ", colour, sign_text(state, t), *colour ? TERMINAL_PLAIN : "", t->utf8 ? "–" : "-");
	wrap_text(stdout, headline(v), 11, t->width);
}

static const char *describe_docker(const struct router_view *v)
{
	if (!v->has_docker)
		return v->is_link && !v->listens ? "is not installed; podman-docker leads " ROUTER_SOCKET " to Podman"
						 : "is not installed";
	if (v->docker_has_failed)
		return "its socket has failed ('sudo journalctl -u docker.socket' shows why): 'sudo systemctl reset-failed "
		       "docker.socket docker.service', then 'sudo systemctl start docker'";
	if (!v->docker_listens)
		return "its socket is off: 'sudo systemctl start docker' opens it, and starts Docker";
	if (v->is_moved)
		return v->docker_runs ? "behind it, at " ROUTER_ENGINE_SOCKET
				      : "behind it, at " ROUTER_ENGINE_SOCKET "; starts with the first request";
	if (v->listens)
		return "has lost its socket to the router: 'sudo sockwake router enable' moves it";
	return "listens on " ROUTER_SOCKET;
}

static uint64_t number(const cJSON *object, const char *key)
{
	const cJSON *value = json_member(object, key);

	return cJSON_IsNumber(value) && value->valuedouble > 0 ? (uint64_t)value->valuedouble : 0;
}

static void user_text(const cJSON *object, char *ret, size_t size)
{
	const char *name = json_string(object, "user");

	if (name)
		(void)snprintf(ret, size, "%s", name);
	else
		(void)snprintf(ret, size, "uid %llu", (unsigned long long)number(object, "uid"));
}

struct row {
	char user[64], pid[24], in[TEXT_MAX], out[TEXT_MAX], since[TEXT_MAX];
};

static void fill_row(const cJSON *connection, struct row *row, struct table_cell *cells)
{
	const char *command = json_string(connection, "command"), *engine = json_string(connection, "engine"),
		   *request = json_string(connection, "request");
	uint64_t since = number(connection, "since_usec"), now = wall_usec();

	user_text(connection, row->user, sizeof(row->user));
	(void)snprintf(row->pid, sizeof(row->pid), "%llu", (unsigned long long)number(connection, "pid"));
	(void)text_bytes(number(connection, "bytes_in"), row->in);
	(void)text_bytes(number(connection, "bytes_out"), row->out);
	(void)text_span_briefly(now > since ? now - since : 0, row->since);
	cells[0].text = row->user;
	cells[1].text = row->pid;
	cells[2].text = command ? command : "-";
	cells[3].text = engine ? engine : request ? "refused" : "-";
	cells[4].text = row->since;
	cells[5].text = row->in;
	cells[6].text = row->out;
	cells[7].text = request ? request : "-";
}

static int print_connections(const cJSON *list, const struct terminal *t, struct error *err)
{
	static const struct table_column columns[COLUMNS] = {
		{.title = "USER"},
		{.title = "PID", .right = true, .leaves = 3},
		{.title = "COMMAND"},
		{.title = "ENGINE"},
		{.title = "SINCE", .right = true},
		{.title = "SENT", .right = true, .leaves = 1},
		{.title = "RECEIVED", .right = true, .leaves = 2},
		{.title = "REQUEST", .shrinks = true},
	};
	size_t n = (size_t)cJSON_GetArraySize(list), k = 0;
	_cleanup_free_ struct row *rows = calloc(n + 1, sizeof(*rows));
	_cleanup_free_ struct table_cell *cells = calloc((n + 1) * COLUMNS, sizeof(*cells));
	_cleanup_free_ char *text = NULL;
	const cJSON *item;

	if (!rows || !cells)
		return error_set(err, ENOMEM, "out of memory");
	cJSON_ArrayForEach(item, list)
	{
		fill_row(item, &rows[k], &cells[k * COLUMNS]);
		k++;
	}
	text = table_format(columns, COLUMNS, cells, n, t, err);
	if (!text)
		return -1;
	puts("");
	fputs(text, stdout);
	return 0;
}

/* One line for each thing of the list; the first has the title. */
static void print_list(const struct terminal *t, const char *title, const cJSON *list,
		       void (*describe)(const cJSON *item, char *ret, size_t size))
{
	const cJSON *item, *first = list ? list->child : NULL;

	cJSON_ArrayForEach(item, list)
	{
		char text[VALUE_MAX];

		describe(item, text, sizeof(text));
		sheet_line(t, item == first ? title : "", text);
	}
}

static void describe_engine(const cJSON *item, char *ret, size_t size)
{
	const char *engine = json_string(item, "engine");
	char user[64], time[TEXT_MAX];

	user_text(item, user, sizeof(user));
	(void)snprintf(ret, size, "%s of %s, at %s", engine ? engine : "an engine", user,
		       text_time(number(item, "since_usec"), wall_usec(), time));
}

static void describe_manager(const cJSON *item, char *ret, size_t size)
{
	char user[64];

	user_text(item, user, sizeof(user));
	(void)snprintf(ret, size, "the service manager of %s, until nothing of theirs runs", user);
}

static void describe_container(const struct router_view *v, const struct router_container *c, char *ret, size_t size)
{
	const char *allowed = v->allowed ? v->allowed : "";
	const char *rest = c->runs ? "" : " (does not run)";

	if (router_view_allows(allowed, c))
		(void)snprintf(ret, size, "%s%s: %s", c->name, rest,
			       v->progress == ROUTER_OFF ? "would be allowed" : "allowed");
	else if (!v->allowed)
		(void)snprintf(ret, size, "%s%s: allowed or not as before " ROUTER_CONFIG " was wrong", c->name, rest);
	else
		(void)snprintf(ret, size, "%s%s: %s; 'containers = %s%s%s' in " ROUTER_CONFIG " allows it", c->name,
			       rest, v->progress == ROUTER_OFF ? "would not be allowed" : "not allowed", allowed,
			       *allowed ? ", " : "", c->name);
}

static void print_containers(const struct router_view *v, const struct terminal *t)
{
	const char *title = "Mounted in";

	for (size_t k = 0; k < v->docker.n; k++) {
		char text[VALUE_MAX];

		if (!v->docker.containers[k].has_socket)
			continue;
		describe_container(v, &v->docker.containers[k], text, sizeof(text));
		sheet_line(t, title, text);
		title = "";
	}
}

static void describe_restricted(const struct router_view *v, const struct router_restricted *r, char *ret, size_t size)
{
	if (*r->trouble)
		(void)snprintf(ret, size, "%s: %s", r->name, r->trouble);
	else if (r->has_failed)
		(void)snprintf(ret, size,
			       "%s: has failed ('systemctl status %s' shows why): 'sudo systemctl restart %s'", r->name,
			       r->unit, r->unit);
	else if (!r->listens)
		(void)snprintf(ret, size, "%s: is off: 'sudo systemctl enable --now %s' opens it", r->name, r->unit);
	else if (!v->is_moved)
		(void)snprintf(ret, size, "%s: comes to no engine while the router is off", r->name);
	else
		(void)snprintf(ret, size, "%s: %s, under the rules of %s", r->name, r->socket, r->config);
}

static void print_restricted(const struct router_view *v, const struct terminal *t)
{
	for (size_t k = 0; k < v->n_restricted; k++) {
		char text[VALUE_MAX];

		describe_restricted(v, &v->restricted[k], text, sizeof(text));
		sheet_line(t, k == 0 ? "Restricted" : "", text);
	}
}

static void describe_connected(const struct router_view *v, const cJSON *list, char *ret, size_t size)
{
	int n = cJSON_GetArraySize(list);

	if (geteuid() != 0)
		(void)snprintf(ret, size, "only root sees who is: 'sudo sockwake router status'");
	else if (*v->report_trouble)
		(void)snprintf(ret, size, "%s", v->report_trouble);
	else if (n == 0)
		(void)snprintf(ret, size, "nobody");
	else
		(void)snprintf(ret, size, "%d now", n);
}

int router_sheet_print(const struct router_view *v, const struct terminal *t, struct error *err)
{
	const cJSON *connections = json_member(v->report, "connections");
	char text[VALUE_MAX];

	print_headline(v, t);
	sheet_line(t, "Docker", describe_docker(v));
	if (*v->config_trouble)
		sheet_line(t, "Trouble", v->config_trouble);
	if (*v->docker_trouble)
		sheet_line(t, "Trouble", v->docker_trouble);
	if (v->listens) {
		describe_connected(v, connections, text, sizeof(text));
		sheet_line(t, "Connected", text);
	}
	print_list(t, "Started", json_member(v->report, "engines"), describe_engine);
	print_list(t, "Started", json_member(v->report, "managers"), describe_manager);
	print_containers(v, t);
	print_restricted(v, t);
	return cJSON_GetArraySize(connections) > 0 ? print_connections(connections, t, err) : 0;
}
