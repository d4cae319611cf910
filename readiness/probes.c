#include "readiness/probes.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/extremes.h"
#include "readiness/tls.h"

static enum verdict not_yet(char seen[static SEEN_MAX], const char *text)
{
	snprintf(seen, SEEN_MAX, "%s", text);
	return VERDICT_NOT_YET;
}

/* StartupMessage (PostgreSQL documentation, "Message Formats"): length, protocol 3.0, parameters, each a string. Every
 * cluster has this user and database, so PostgreSQL logs no failed login. The last zero byte is C's. */
static const char postgres_parameters[] = "user\0postgres\0database\0postgres\0application_name\0sockwake\0";

static size_t postgres_request(char *buffer)
{
	const uint32_t protocol = htonl(3U << 16);
	const size_t len = sizeof(uint32_t) + sizeof(protocol) + sizeof(postgres_parameters);
	const uint32_t wire_len = htonl((uint32_t)len);

	memcpy(buffer, &wire_len, sizeof(wire_len));
	memcpy(buffer + sizeof(wire_len), &protocol, sizeof(protocol));
	memcpy(buffer + sizeof(wire_len) + sizeof(protocol), postgres_parameters, sizeof(postgres_parameters));
	return len;
}

/* The field of an ErrorResponse with this code ("Error and Notice Message Fields"), NULL if there is none. Each field
 * is a byte and a string; the last is a zero byte. */
static const uint8_t *postgres_field(const uint8_t *p, const uint8_t *end, char code)
{
	while (p < end && *p) {
		const uint8_t *zero = memchr(p, '\0', (size_t)(end - p));

		if (!zero)
			return NULL;
		if (*p == (uint8_t)code)
			return p + 1;
		p = zero + 1;
	}
	return NULL;
}

/* 57P03 is cannot_connect_now: starting up, shutting down, in recovery. Other errors come from a server that serves;
 * they are for the client. */
static enum verdict judge_postgres(const uint8_t *reply, size_t len, bool complete, char seen[static SEEN_MAX])
{
	const uint8_t *code;
	uint32_t size;

	if (len > 0 && reply[0] != 'E')
		return VERDICT_READY;
	if (len < 5)
		return complete ? not_yet(seen, "PostgreSQL closed the connection without an answer") : VERDICT_MORE;
	size = (uint32_t)reply[1] << 24 | (uint32_t)reply[2] << 16 | (uint32_t)reply[3] << 8 | reply[4];
	/* Not a message, but the plain text of a server that could not start a process for us, or hostile. */
	if (size < 4 || size > REPLY_MAX - 1)
		return not_yet(seen, "PostgreSQL answers with an error that has no code");
	if (len < size + 1 && !complete)
		return VERDICT_MORE;
	code = postgres_field(reply + 5, reply + least_of(len, size + 1), 'C');
	if (!code)
		return not_yet(seen, "PostgreSQL answers with an error that has no code");
	if (strcmp((const char *)code, "57P03") == 0)
		return not_yet(seen, "PostgreSQL still answers 57P03, that it is not accepting connections now");
	return VERDICT_READY;
}

/* How the reply begins: with the word, with a part of it so far, or with something else. */
enum beginning { BEGINS_NOT, BEGINS_SO_FAR, BEGINS };

static enum beginning begins_with(const uint8_t *reply, size_t len, const char *word)
{
	size_t whole = strlen(word), n = least_of(len, whole);

	if (memcmp(reply, word, n) != 0)
		return BEGINS_NOT;
	return n == whole ? BEGINS : BEGINS_SO_FAR;
}

/* Any answer but -LOADING comes from a server in its final state: -NOAUTH asks for a password, -DENIED is protected
 * mode, -MASTERDOWN is a replica without its master, -BUSY runs a script. Waiting would not help the client. */
static enum verdict judge_redis(const uint8_t *reply, size_t len, bool complete, char seen[static SEEN_MAX])
{
	enum beginning loading = begins_with(reply, len, "-LOADING"), denied = begins_with(reply, len, "-DENIED");

	if (loading == BEGINS)
		return not_yet(seen, "Redis still answers -LOADING, that it is loading its data");
	if (denied == BEGINS)
		return VERDICT_DENIED;
	if (loading == BEGINS_NOT && denied == BEGINS_NOT)
		return VERDICT_READY;
	if (!complete)
		return VERDICT_MORE;
	return not_yet(seen, "Redis closed the connection without an answer");
}

/* Any greeting means ready, except MySQL's error packet (MySQL internals manual, "ERR_Packet": 3 bytes of length,
 * sequence number 0, 0xff, error number) with error 1053 (shutdown in progress) or 3168 (server is not available). */
static enum verdict judge_greeting(const uint8_t *reply, size_t len, bool complete, char seen[static SEEN_MAX])
{
	unsigned number;

	if (len == 0)
		return complete ? not_yet(seen, "the server closed the connection without a greeting") : VERDICT_MORE;
	/* An error packet is shorter than 1024 bytes, so the second byte usually tells other greetings apart. */
	if ((len > 1 && reply[1] > 3) || (len > 2 && reply[2] != 0) || (len > 3 && reply[3] != 0) ||
	    (len > 4 && reply[4] != 0xff))
		return VERDICT_READY;
	if (len < 7)
		return complete ? VERDICT_READY : VERDICT_MORE;
	number = (unsigned)reply[6] << 8 | reply[5];
	if (number == 1053 || number == 3168)
		return not_yet(seen, "MySQL answers that it is not available");
	return VERDICT_READY;
}

/* The status line of RFC 9112, section 4. */
static enum verdict judge_http(const uint8_t *reply, size_t len, bool complete, char seen[static SEEN_MAX])
{
	static const char pattern[] = "HTTP/#.# ###";
	size_t n = sizeof(pattern) - 1;

	for (size_t i = 0; i < n && i < len; i++) {
		if (pattern[i] == '#' ? reply[i] < '0' || reply[i] > '9' : reply[i] != (uint8_t)pattern[i])
			return not_yet(seen, "the server answers with something that is not HTTP");
	}
	if (len < n)
		return complete ? not_yet(seen, "the HTTP server closed the connection without an answer")
				: VERDICT_MORE;
	if (reply[n - 3] < '5')
		return VERDICT_READY;
	snprintf(seen, SEEN_MAX, "the HTTP server still answers with status %.3s", (const char *)reply + n - 3);
	return VERDICT_NOT_YET;
}

static enum verdict judge_tls(const uint8_t *reply, size_t len, bool complete, char seen[static SEEN_MAX])
{
	if (tls_is_alert(reply, len) || tls_is_handshake(reply, len))
		return VERDICT_TLS;
	return len < 2 && !complete ? VERDICT_MORE : not_yet(seen, "the server does not speak TLS");
}

/* Writes the request to a server of this kind. */
static size_t ask(const struct readiness *r, char *buffer, size_t size)
{
	switch (r->kind) {
	case READY_POSTGRES:
		return postgres_request(buffer);
	case READY_REDIS:
		return (size_t)snprintf(buffer, size, "*1\r\n$4\r\nPING\r\n");
	case READY_HTTP: /* readiness_parse() has limited the path */
		return (size_t)snprintf(buffer, size,
					"GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: sockwake\r\n"
					"Accept: */*\r\nConnection: close\r\n\r\n",
					r->argument);
	case READY_TLS:
		return tls_hello(buffer);
	case READY_LISTEN:
	case READY_GREETING:
	case READY_HEALTHY:
	case READY_NONE:
	case READY_COMMAND:
	case READY_COMPLETED:
		break;
	}
	return 0;
}

size_t probe_request(const struct readiness *r, char buffer[static REQUEST_MAX])
{
	static const struct sockaddr nobody = {.sa_family = AF_UNSPEC}; /* for a connection of the proxy's own */
	size_t len = 0;

	if (r->proxy_protocol != PROXY_PROTOCOL_NONE)
		len = proxy_protocol_format(r->proxy_protocol, &nobody, &nobody, buffer);
	return len + ask(r, buffer + len, REQUEST_MAX - len);
}

/* A TLS server says in plain bytes that it did not understand. No server of these kinds begins a reply like that. */
static bool is_asked(enum readiness_kind kind)
{
	return kind == READY_POSTGRES || kind == READY_REDIS || kind == READY_HTTP;
}

enum verdict probe_judge(enum readiness_kind kind, const uint8_t *reply, size_t len, bool complete,
			 char seen[static SEEN_MAX])
{
	if (is_asked(kind) && tls_is_alert(reply, len))
		return VERDICT_TLS;
	if (is_asked(kind) && !complete && tls_may_be_alert(reply, len))
		return VERDICT_MORE;
	switch (kind) {
	case READY_POSTGRES:
		return judge_postgres(reply, len, complete, seen);
	case READY_REDIS:
		return judge_redis(reply, len, complete, seen);
	case READY_GREETING:
		return judge_greeting(reply, len, complete, seen);
	case READY_HTTP:
		return judge_http(reply, len, complete, seen);
	case READY_TLS:
		return judge_tls(reply, len, complete, seen);
	case READY_LISTEN:
	case READY_HEALTHY:
	case READY_NONE:
	case READY_COMMAND:
	case READY_COMPLETED:
		break;
	}
	return VERDICT_READY;
}
