#include "readiness/readiness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "common/log.h"
#include "dial/outside.h"
#include "dial/patience.h"
#include "dial/sock_diag.h"
#include "handover/channel.h"
#include "handover/listen.h"
#include "readiness/probe.h"
#include "readiness/probe_command.h"
#include "readiness/probes.h"

/* The pause before the second look. A look at the kernel's table costs microseconds; an attempt costs the server a
 * process (PostgreSQL) or a line in its log; a command costs several processes. */
#define LOOK_PAUSE    (USEC_PER_MSEC / 2)
#define PROBE_PAUSE   (2 * USEC_PER_MSEC)
#define COMMAND_PAUSE (10 * USEC_PER_MSEC)

/* A server that accepts but does not answer is asked again after this time, then after twice as long, and so on: it may
 * have dropped the first question, or may just be slow. */
#define ATTEMPT_FIRST USEC_PER_SEC

/* sh(1): 127 if the command was not found, 126 if it could not be run. */
#define FUTILE_HINT "126 and 127 mean that sh cannot run it, which no time mends: correct --health-check"

#define TELL_PAUSE (250 * USEC_PER_MSEC)
#define OTHERS_MAX 4

/* A server on loopback alone, and since when we know it. */
struct alone {
	uint64_t cookie;
	uint64_t since;
};

struct check {
	const struct readiness *readiness;
	int type;
	uint16_t port;
	const struct target *targets;
	size_t n_targets;
	struct patience patience;
	uint64_t attempt; /* microseconds that one attempt may take */
	int diag;	  /* -1: the kernel cannot tell, only a connection can */
	int asked;	  /* a server was asked and was not ready */
	unsigned mute;	  /* how many times in a row it sent nothing */
	struct alone alone[TARGETS_MAX];
	char seen[SEEN_MAX];
	bool nothing;		 /* nothing listens on the port */
	int futile;		 /* waiting longer does not change that */
	char told[2 * SEEN_MAX]; /* the last report to the keeper */
	uint64_t told_at;
	char logged[SEEN_MAX]; /* the last outcome in the debug log */
};

static int parse_path(const char *path, struct error *err)
{
	if (path[0] != '/' || path[1] == '/' || strlen(path) > HTTP_PATH_MAX)
		return error_set(err, 0, "'http:%s' is not http:/PATH, with the path alone and at most %d bytes long",
				 path, HTTP_PATH_MAX);
	for (const char *p = path; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return error_set(err, 0, "the path of 'http:%s' has a character that must be written as %%XX",
					 path);
	}
	return 0;
}

int readiness_parse(const char *kind, struct readiness *ret, struct error *err)
{
	if (!*kind)
		return error_set(err, 0, "the health check is empty; 'none' is the word for not waiting");
	*ret = (struct readiness){.kind = health_check_kind(kind), .argument = "/"};
	if (ret->kind == READY_COMMAND || ret->kind == READY_HEALTHY || ret->kind == READY_COMPLETED)
		*ret = (struct readiness){.kind = READY_COMMAND, .argument = kind};
	if (ret->kind != READY_HTTP || kind[strlen("http")] != ':')
		return 0;
	ret->argument = kind + strlen("http:");
	return parse_path(ret->argument, err);
}

/* The caller closes it. */
static int open_diag(const struct check *c)
{
	struct error unsupported;

	return c->targets[0].addr.ss_family == AF_UNIX ? -1 : sock_diag_open(c->type, &unsupported);
}

/* Has it lasted? At most half of the remaining time is required: a late server is better than none. */
static bool has_stayed(const struct check *c, struct alone *a, uint64_t cookie)
{
	uint64_t now = now_usec(), span = c->readiness->loopback_usec, left;

	if (a->since == 0 || a->cookie != cookie)
		*a = (struct alone){.cookie = cookie, .since = now};
	left = beyond(c->patience.deadline, a->since);
	return now - a->since >= least_of(span, left / 2);
}

static bool is_temporary(struct check *c, size_t k, const struct listener *l)
{
	struct readiness_seen ignored = {}, *seen = c->readiness->seen ? c->readiness->seen : &ignored;
	bool watched = c->readiness->loopback_usec > 0 && c->type == SOCK_STREAM && k < TARGETS_MAX;

	if (l->loopback && watched && !has_stayed(c, &c->alone[k], l->cookie))
		return true;
	seen->loopback = l->loopback;
	seen->stayed = l->loopback && watched;
	return false;
}

/* Does the k-th target listen? If the kernel cannot tell, only an attempt to connect can: returns READY, and does not
 * write seen. */
static enum verdict look(struct check *c, size_t k, const struct target *t, char seen[static SEEN_MAX])
{
	struct listener listener;

	if (c->diag < 0)
		return VERDICT_READY;
	switch (sock_diag_find(c->diag, c->type, t, &listener)) {
	case SOCKET_LISTENS:
		if (!is_temporary(c, k, &listener))
			return VERDICT_READY;
		snprintf(seen, SEEN_MAX,
			 "the server on port %u listens on loopback alone, as temporary ones do that initialise data",
			 c->port);
		break;
	case SOCKET_OURS:
		snprintf(
			seen, SEEN_MAX,
			"port %u belongs to this service itself; the server in the container needs an address of its own",
			c->port);
		break;
	case SOCKET_NONE: /* with several targets, the others' state says more */
		c->nothing = c->nothing || !seen[0];
		if (!seen[0])
			snprintf(seen, SEEN_MAX, "nothing listens on port %u%s", c->port,
				 c->type == SOCK_DGRAM ? "/udp" : "");
		break;
	}
	return VERDICT_NOT_YET;
}

static int ask_for_tls(struct check *c, const struct target *t, struct error *err)
{
	struct readiness tls = {.kind = READY_TLS, .proxy_protocol = c->readiness->proxy_protocol};
	char ignored[SEEN_MAX];

	c->mute++;
	if (c->mute < 2 || (c->mute & (c->mute - 1)) != 0)
		return VERDICT_NOT_YET;
	return probe(&tls, c->type, t, time_from_now(c->attempt), &c->patience, ignored, err);
}

/* One attempt. Returns READY, NOT_YET, or -1. */
static int ask(struct check *c, const struct target *t, char seen[static SEEN_MAX], struct error *err)
{
	uint64_t began = now_usec();
	int verdict = probe(c->readiness, c->type, t, began + c->attempt, &c->patience, seen, err);

	if (time_is_over(time_after(began, c->attempt)))
		c->attempt *= 2;
	if (verdict != VERDICT_MUTE) {
		c->mute = 0;
	} else {
		size_t len = strlen(seen);

		verdict = ask_for_tls(c, t, err);
		snprintf(seen + len, SEEN_MAX - len, " (--health-check listen does without an answer)");
	}
	if (verdict != VERDICT_TLS && verdict != VERDICT_DENIED)
		return verdict == VERDICT_MUTE ? VERDICT_NOT_YET : verdict;
	if (c->readiness->seen) {
		c->readiness->seen->tls |= verdict == VERDICT_TLS;
		c->readiness->seen->denied |= verdict == VERDICT_DENIED;
	}
	return VERDICT_READY;
}

/* Is one of the targets ready? Returns a verdict, or -1. Sets *ret_asked if a server was asked, which costs it
 * something. */
static int try_targets(struct check *c, int *ret_asked, char seen[static SEEN_MAX], struct error *err)
{
	for (size_t i = 0; i < c->n_targets; i++) {
		struct target t = target_with_port(&c->targets[i], c->port);
		int verdict;

		if (look(c, i, &t, seen) != VERDICT_READY)
			continue;
		/* Asking over a datagram socket would mean sending the server something. */
		if (c->type == SOCK_DGRAM || (c->readiness->kind == READY_LISTEN && c->diag >= 0))
			return VERDICT_READY;
		*ret_asked = 1;
		verdict = ask(c, &t, seen, err);
		if (verdict != VERDICT_NOT_YET)
			return verdict;
	}
	if (!*ret_asked && c->readiness->outside && outside_misses(c->readiness->outside, c->diag, c->type, c->port))
		snprintf(seen, SEEN_MAX,
			 "the server on port %u is on the host's loopback alone, where it takes all for local clients; "
			 "'--target 127.0.0.1' accepts that",
			 c->port);
	return VERDICT_NOT_YET;
}

static int try(struct check *c, uint64_t *ret_pause, bool *ret_costly, struct error *err)
{
	char seen[SEEN_MAX] = "";
	int asked = 0, verdict;

	c->nothing = false;
	if (c->readiness->kind == READY_COMMAND) {
		verdict = probe_command(c->readiness->argument, c->port, &c->patience, seen, err);
		c->futile = verdict == VERDICT_FUTILE;
		verdict = c->futile ? VERDICT_NOT_YET : verdict;
		asked = 1;
		*ret_pause = COMMAND_PAUSE;
	} else {
		verdict = try_targets(c, &asked, seen, err);
		*ret_pause = asked ? PROBE_PAUSE : LOOK_PAUSE;
	}
	/* An attempt that the deadline cut off says less than an earlier one. */
	if (!c->asked || !time_is_over(c->patience.deadline))
		memcpy(c->seen, seen, sizeof(seen));
	c->asked |= asked;
	*ret_costly = asked;
	return verdict;
}

/* Names the TCP ports that something listens on: one of them may be the right one. */
static void describe_others(const struct check *c, char ret[static SEEN_MAX])
{
	size_t len;
	uint16_t ports[OTHERS_MAX];
	size_t n = c->nothing && c->type == SOCK_STREAM && c->diag >= 0 ? sock_diag_listening(ports, OTHERS_MAX) : 0;

	(void)channel_listening(ports, n, ret);
	len = strlen(ret);
	if (n > 0 && !c->readiness->tell)
		(void)snprintf(ret + len, SEEN_MAX - len, " ('-p PORT:%u' forwards there)", ports[0]);
}

/* Reports what a slow start waits for: the keeper says it when clients do not wait any longer. */
static void tell_seen(struct check *c)
{
	char others[SEEN_MAX], both[2 * SEEN_MAX];

	if (!time_is_over(time_after(c->told_at, TELL_PAUSE)))
		return;
	c->told_at = now_usec();
	describe_others(c, others);
	snprintf(both, sizeof(both), "%s\n%s", c->seen, others);
	if (strcmp(both, c->told) == 0)
		return;
	strcpy(c->told, both);
	if (c->readiness->tell)
		c->readiness->tell(c->seen, c->futile ? FUTILE_HINT : others);
	else if (c->futile)
		notify_send(channel_inherited(), "AWAITED=%s\nHINT=" FUTILE_HINT "\nFUTILE=1", c->seen);
	else if (others[0])
		notify_send(channel_inherited(), "AWAITED=%s\nHINT=%s", c->seen, others);
	else
		notify_send(channel_inherited(), "AWAITED=%s", c->seen);
}

/* Logs an outcome that differs from the one before. */
static void log_seen(struct check *c, int verdict)
{
	if (!log_is_debug || verdict != VERDICT_NOT_YET || strcmp(c->seen, c->logged) == 0)
		return;
	memcpy(c->logged, c->seen, sizeof(c->seen));
	log_step("not ready yet: %s", c->seen);
}

int readiness_wait(const struct readiness *r, int type, uint16_t port, const struct target *targets, size_t n_targets,
		   uint64_t deadline_usec, int pidfd, struct error *err)
{
	struct check c = {
		.readiness = r,
		.type = type,
		.port = port,
		.targets = targets,
		.n_targets = n_targets,
		.patience = {.started = now_usec(), .deadline = deadline_usec, .pidfd = pidfd},
		.attempt = ATTEMPT_FIRST,
		.told_at = now_usec(),
		.diag = -1,
	};
	_cleanup_close_ int diag = -1;

	if (n_targets == 0)
		return error_set(err, 0, "there is no target to connect to; name one with --target");
	if (type != SOCK_STREAM && r->kind != READY_LISTEN && r->kind != READY_COMMAND && r->kind != READY_NONE)
		return error_set(err, 0,
				 "only a TCP or Unix stream can be asked for readiness in this way; use "
				 "--health-check listen");
	if (r->kind == READY_COMMAND) { /* it may run for long, and reports nothing meanwhile */
		c.told_at = 0;
		snprintf(c.seen, sizeof(c.seen), "the health-check command has not ended");
		tell_seen(&c);
	}
	diag = open_diag(&c);
	c.diag = diag;
	for (;;) {
		uint64_t pause = 0;
		bool costly = false;
		int verdict = r->kind == READY_NONE ? VERDICT_READY : try(&c, &pause, &costly, err);

		log_seen(&c, verdict);
		if (verdict == VERDICT_READY) /* unless the container has ended meanwhile */
			return patience_poll(&c.patience, -1, 0, 0, err) < 0 ? -1 : 0;
		tell_seen(&c);
		if (verdict < 0 || patience_pause(&c.patience, pause, costly, err) < 0)
			return -1;
		if (time_is_over(deadline_usec))
			return error_set(err, ETIMEDOUT, "the container was not ready in time: %s", c.seen);
	}
}
