#include "rules/refusal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "common/parse.h"
#include "rules/strict.h"

#define LIMIT (30 * USEC_PER_SEC)

static const struct status {
	int code, number;
	const char *reason;
} statuses[] = {
	{EINVAL, 400, "Bad Request"},
	{EPERM, 403, "Forbidden"},
	{ENOENT, 404, "Not Found"},
	{0, 503, "Service Unavailable"},
};

static const struct status *status_of(int code)
{
	const struct status *s = statuses;

	while (s->code && s->code != code)
		s++;
	return s;
}

/* Text for one JSON string; "" without memory. */
static char *json_of(const char *why, int status)
{
	char text[1024];
	_cleanup_cjson_ cJSON *object = cJSON_CreateObject();

	snprintf(text, sizeof(text), "%s", why);
	text_make_printable(text);
	(void)cJSON_AddStringToObject(object, "message", text);
	(void)cJSON_AddStringToObject(object, "cause", "sockwake");
	(void)cJSON_AddNumberToObject(object, "response", status);
	return cJSON_PrintUnformatted(object);
}

static bool say(struct wire *client, const char *text, size_t len)
{
	uint64_t deadline = time_from_now(LIMIT);

	while (len > 0) {
		size_t n = (size_t)least_of(len, wire_room(client));

		wire_put(client, text, n);
		text += n;
		len -= n;
		if (!wire_flush(client, deadline))
			return false;
	}
	return true;
}

static void say_head(struct wire *client, int status, const char *reason, size_t len, bool close)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n", status,
			 reason, len, close ? "Connection: close\r\n" : "");

	(void)say(client, head, (size_t)n);
}

void refusal_answer(struct wire *client, bool head_only, bool close, const struct error *why)
{
	const struct status *s = status_of(why->code);
	_cleanup_free_ char *json = json_of(why->text, s->number);
	size_t len = json ? strlen(json) : 0;

	say_head(client, s->number, s->reason, len, close);
	if (!head_only && json)
		(void)say(client, json, len);
}

int refusal_relay(struct wire *client, int status, const char *json, size_t len, struct error *err)
{
	say_head(client, status, "", len, false);
	return say(client, json, len) || client->gone ? 0 : error_set(err, EIO, "the client does not read the answer");
}
