#include "backends/reply.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "backends/origin.h"
#include "backends/ports.h"
#include "backends/view.h"
#include "common/clock.h"
#include "common/parse.h"
#include "instance/made_container.h"

#define CONTAINERS_MAX	 20000
#define LABELS_MAX	 64U
#define HEALTH_WORDS_MAX 64U
#define PID_MAX		 4194304 /* PID_MAX_LIMIT of 64-bit kernels, proc_sys_kernel(5) */

enum container_state reply_state(const char *word)
{
	static const struct {
		const char *word;
		enum container_state state;
	} states[] = {
		{"configured", CONTAINER_CREATED}, {"created", CONTAINER_CREATED},	 {"dead", CONTAINER_DEAD},
		{"exited", CONTAINER_EXITED},	   {"initialized", CONTAINER_CREATED},	 {"paused", CONTAINER_PAUSED},
		{"removing", CONTAINER_REMOVING},  {"restarting", CONTAINER_RESTARTING}, {"running", CONTAINER_RUNNING},
		{"stopped", CONTAINER_EXITED},	   {"stopping", CONTAINER_STOPPING},
	};

	for (size_t i = 0; word && i < sizeof(states) / sizeof(*states); i++) {
		if (strcmp(word, states[i].word) == 0)
			return states[i].state;
	}
	return CONTAINER_UNKNOWN;
}

enum health reply_health(const char *word)
{
	if (!word)
		return HEALTH_NONE;
	if (strcmp(word, "healthy") == 0)
		return HEALTH_HEALTHY;
	if (strcmp(word, "unhealthy") == 0)
		return HEALTH_UNHEALTHY;
	return strcmp(word, "starting") == 0 ? HEALTH_STARTING : HEALTH_NONE;
}

bool reply_id(const cJSON *object, const char *key, struct container *ret)
{
	return json_copy_string(object, key, ret->id, sizeof(ret->id)) && strspn(ret->id, "0123456789abcdef") == 64;
}

static bool take_name(const char *s, struct container *ret)
{
	if (s && s[0] == '/')
		s++;
	if (!s || !container_name_is_valid(s))
		return false;
	strcpy(ret->name, s);
	return true;
}

static bool read_name(const cJSON *object, const char *key, struct container *ret)
{
	return take_name(json_string(object, key), ret);
}

/* The first valid name of ["pg", …], without Docker's leading slash. False if there is none. */
static bool read_name_list(const cJSON *object, const char *key, struct container *ret)
{
	const cJSON *j;

	cJSON_ArrayForEach(j, json_member(object, key))
	{
		/* Docker also lists links: "/other/alias". */
		if (cJSON_IsString(j) && take_name(j->valuestring, ret))
			return true;
	}
	return false;
}

static bool is_wanted_label(const char *key)
{
	static const char *const prefixes[] = {"sockwake.", "com.docker.compose.", "io.podman.compose."};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return strcmp(key, UNIT_LABEL) == 0 || strcmp(key, "io.containers.autoupdate") == 0;
}

static bool add_label(struct container *ret, const char *key, const char *value)
{
	struct label *more = reallocarray(ret->labels, ret->n_labels + 1, sizeof(*more));
	struct label *l;

	if (!more)
		return false;
	ret->labels = more;
	l = &more[ret->n_labels++];
	l->key = strdup(key);
	l->value = value ? strdup(value) : NULL;
	if (l->key)
		text_make_printable(l->key);
	return l->key && (l->value || !value);
}

bool reply_labels(const cJSON *object, const char *key, struct container *ret)
{
	const cJSON *labels = json_member(object, key);
	const cJSON *j;

	if (!labels)
		return true;
	if (!cJSON_IsObject(labels))
		return false;
	cJSON_ArrayForEach(j, labels)
	{
		bool printable = cJSON_IsString(j) && text_is_printable(j->valuestring) && text_is_printable(j->string);

		/* A label is free text. An unprintable label of ours must not look like a missing one: it is kept
		 * without its value, under a name that nobody knows. */
		if (!is_wanted_label(j->string) || (!printable && strncmp(j->string, "sockwake.", 9) != 0) ||
		    ret->n_labels >= LABELS_MAX)
			continue;
		if (!add_label(ret, j->string, printable ? j->valuestring : NULL))
			return false;
	}
	return true;
}

/* Config.Healthcheck of an inspection: {"Test": ["CMD", …]}. {"NONE"} and an empty list mean no health check. The
 * first word, its kind, is printable; the words of the command may be any text. */
static bool read_health_test(const cJSON *object, const char *key, struct container *ret)
{
	const cJSON *test = json_member(json_member(object, key), "Test");
	const cJSON *j;
	size_t n, i = 0;

	if (!test)
		return true;
	if (!cJSON_IsArray(test))
		return false;
	n = (size_t)cJSON_GetArraySize(test);
	if (n == 0 || (n == 1 && cJSON_IsString(test->child) && strcmp(test->child->valuestring, "NONE") == 0))
		return true;
	if (n > HEALTH_WORDS_MAX || !cJSON_IsString(test->child) || !text_is_printable(test->child->valuestring))
		return false;
	ret->health_test = calloc(n + 1, sizeof(*ret->health_test));
	if (!ret->health_test)
		return false;
	cJSON_ArrayForEach(j, test)
	{
		if (!cJSON_IsString(j) || !(ret->health_test[i++] = strdup(j->valuestring)))
			return false;
	}
	return true;
}

/* Go's durations are nanoseconds. A startup check (Podman) has no start period: each failure counts. */
static bool health_rules(const cJSON *config, struct container *ret)
{
	const char *action = json_string(config, "HealthcheckOnFailureAction");
	int64_t period = 0, retries = 0;

	if (!json_integer(json_member(config, "Healthcheck"), "StartPeriod", 0, INT64_MAX / 2, &period) ||
	    !json_integer(json_member(config, "StartupHealthCheck"), "Retries", 0, INT32_MAX, &retries))
		return false;
	ret->health_acts = retries > 0 || (action && *action && strcmp(action, "none") != 0);
	ret->health_start_period = retries > 0 ? 0 : (uint64_t)period / NSEC_PER_USEC;
	return true;
}

static bool inspect_state(const cJSON *state, struct container *ret)
{
	const cJSON *health = json_member(state, "Health");
	int64_t pid = 0, exit_code = 0;

	/* Podman before 4.5: Healthcheck. */
	if (!health)
		health = json_member(state, "Healthcheck");
	ret->state = reply_state(json_string(state, "Status"));
	ret->health = reply_health(json_string(health, "Status"));
	if (!json_string(state, "Status") || !json_integer(state, "Pid", 0, PID_MAX, &pid) ||
	    !json_integer(state, "ExitCode", INT32_MIN, INT32_MAX, &exit_code) ||
	    !json_copy_string(state, "StartedAt", ret->started_at, sizeof(ret->started_at)))
		return false;
	if (strncmp(ret->started_at, "0001-", 5) == 0) /* Go's zero time: never */
		ret->started_at[0] = '\0';
	if (!reply_time(ret->started_at, &ret->started))
		ret->started = 0;
	ret->pid = (pid_t)pid;
	ret->exit_code = (int)exit_code;
	return true;
}

bool reply_inspect(const cJSON *root, struct container *ret)
{
	const cJSON *host = json_member(root, "HostConfig");
	const cJSON *config = json_member(root, "Config");
	int64_t stop_timeout = DEFAULT_STOP_TIMEOUT;

	if (!cJSON_IsObject(host) || !cJSON_IsObject(config) || !reply_id(root, "Id", ret) ||
	    !read_name(root, "Name", ret) || !inspect_state(json_member(root, "State"), ret) ||
	    !json_copy_string(host, "NetworkMode", ret->network_mode, sizeof(ret->network_mode)) ||
	    !json_copy_string(json_member(host, "RestartPolicy"), "Name", ret->restart_policy,
			      sizeof(ret->restart_policy)) ||
	    !json_integer(root, "RestartCount", 0, INT32_MAX, &ret->restarts) || !reply_origin(root, ret) ||
	    !reply_view(root, ret) || !json_bool(host, "AutoRemove", &ret->auto_remove) ||
	    !reply_port_bindings(host, "PortBindings", ret) || !json_bool(config, "Tty", &ret->tty) ||
	    !json_integer(config, "StopTimeout", -1, UINT32_MAX, &stop_timeout) ||
	    !reply_labels(config, "Labels", ret) || !read_health_test(config, "Healthcheck", ret) ||
	    !health_rules(config, ret))
		return false;
	/* An earlier version created containers through Podman 4 with 0, which nobody had asked for (make.c). */
	if (stop_timeout == 0 && container_label(ret, MADE_LABEL))
		stop_timeout = DEFAULT_STOP_TIMEOUT;
	ret->stop_timeout = stop_timeout < 0 ? UINT64_MAX : (uint64_t)stop_timeout;
	return true;
}

/* An invalid description concerns only this container: the others stay in the list. */
static void keep_name_alone(struct container *c)
{
	struct container named = {.unreadable = true};

	strcpy(named.name, c->name);
	container_clear(c);
	*c = named;
}

bool reply_list(const cJSON *root, bool (*parse_item)(const cJSON *item, struct container *c),
		struct container_list *ret)
{
	const cJSON *item;

	if (!cJSON_IsArray(root) || cJSON_GetArraySize(root) > CONTAINERS_MAX)
		return false;
	ret->items = calloc((size_t)cJSON_GetArraySize(root) + 1, sizeof(*ret->items));
	if (!ret->items)
		return false;
	cJSON_ArrayForEach(item, root)
	{
		struct container *c = &ret->items[ret->n];

		if (!read_name_list(item, "Names", c))
			continue;
		ret->n++;
		if (!parse_item(item, c))
			keep_name_alone(c);
	}
	return true;
}

void reply_message(const char *body, size_t len, char *ret, size_t size)
{
	_cleanup_json_ cJSON *root = json_parse(body, len, INSPECT_VALUES_MAX);
	const cJSON *message = json_member(root, "message");
	const char *s = cJSON_IsString(message) ? message->valuestring : body;
	size_t n = 0;

	for (; *s && n < size - 1; s++)
		ret[n++] = iscntrl((unsigned char)*s) ? ' ' : *s;
	while (n > 0 && ret[n - 1] == ' ')
		n--;
	ret[n] = '\0';
	/* Cutting may have split a character; other bytes may never have been UTF-8. */
	if (text_is_printable(ret))
		return;
	for (char *p = ret; *p; p++) {
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	}
}
