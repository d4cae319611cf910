#include "router/answer.h"

#include <stdio.h>
#include <string.h>

#include "common/parse.h"

bool request_head_feed(struct request_head *h, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (h->length < sizeof(h->method) - 1)
			h->method[h->length] = data[i];
		h->length++;
		/* Also an engine takes a line without a carriage return for one. */
		if (data[i] == '\n')
			h->ending++;
		else if (data[i] != '\r')
			h->ending = 0;
		if (h->ending == 2)
			return true;
	}
	return false;
}

static const char *reason(unsigned status)
{
	switch (status) {
	case 403:
		return "Forbidden";
	case 429:
		return "Too Many Requests";
	default:
		return "Service Unavailable";
	}
}

/* As the inside of a string in JSON. The text has no control characters. */
static void escape(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (; *text && n + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			ret[n++] = '\\';
		ret[n++] = *text;
	}
	ret[n] = '\0';
}

size_t answer_format(unsigned status, const char *message, const struct request_head *h, char ret[static ANSWER_MAX])
{
	char text[1024], body[ANSWER_MAX / 2];
	int n;

	escape(message, text, sizeof(text));
	/* docker and the SDKs read `message`, Podman's clients the other two. */
	n = snprintf(body, sizeof(body), "{\"message\":\"%s\",\"cause\":\"sockwake-router\",\"response\":%u}\n", text,
		     status);
	n = snprintf(
		ret, ANSWER_MAX,
		"HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, reason(status), n, strcmp(h->method, "HEAD") == 0 ? "" : body);
	return (size_t)n;
}

bool request_is_ping(const char *line)
{
	const char *path = strchr(line, ' '), *name = path ? strrchr(path, '/') : NULL;

	return name && strcmp(name, "/_ping") == 0;
}

void request_line(const char *data, size_t len, char ret[static REQUEST_LINE_MAX])
{
	const char *space = memchr(data, ' ', len);
	size_t n = 0;

	while (n < len && n < REQUEST_LINE_MAX - 1 && data[n] != '\r' && data[n] != '\n' && data[n] != '?' &&
	       !(data[n] == ' ' && data + n != space))
		n++;
	(void)snprintf(ret, REQUEST_LINE_MAX, "%.*s", (int)n, data);
	text_make_printable(ret);
}
