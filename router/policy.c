#include "router/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "router/admission.h"
#include "router/answer.h"
#include "router/config.h"
#include "router/exec_owners.h"
#include "router/message.h"
#include "router/settings.h"
#include "router/system_engine.h"
#include "rules/serve.h"

/* How long a refused client may take for its request and its answer: then SIGALRM ends the process. */
#define REFUSAL_SEC 10

/* A process that serves a connection. */
struct child {
	struct child *next;
	pid_t pid;
	uint32_t number;
};

struct policy {
	int channel; /* -1: the dispatcher has gone */
	int signals;
	const struct router_options *options;
	struct rules *rules;
	struct config config;
	struct exec_owners owners;
	struct child *children;
	uint64_t idle_since;
	bool drains; /* has to go as soon as no child is left */
};

static int open_engine(void *data, struct error *err)
{
	const struct policy *p = data;

	return system_engine_connect(p->options->engine_socket, 0, err);
}

/* As one process each, the clients' answers do not mix in the journal. */
static void print_needs(const struct rules_report *report)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	rules_learned_print(report, f);
	if (fclose(f) != 0)
		return;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		if (*line)
			log_line(LOG_NOTICE, "learned: %s", line);
	}
}

/* Answers once the head of the request has come; the client has a moment to read. */
static void refuse(int client, const struct error *why)
{
	struct request_head head = {};
	char data[4096], text[ANSWER_MAX];
	size_t n;

	(void)alarm(REFUSAL_SEC);
	do {
		ssize_t r = read(client, data, sizeof(data));

		if (r <= 0)
			return;
		n = (size_t)r;
	} while (!request_head_feed(&head, data, n) && head.length < REQUEST_HEAD_MAX);
	n = answer_format(why->code == EPERM ? 403 : 503, why->text, &head, text);
	if (send(client, text, n, MSG_NOSIGNAL) != (ssize_t)n || shutdown(client, SHUT_WR) < 0)
		return;
	while (read(client, data, sizeof(data)) > 0)
		;
}

/* In the child: the whole life of a connection. `owner`: in m->text. */
static void serve(struct policy *p, const struct message *m, int client)
{
	struct rules_caller caller = {.owner = m->text, .exec_owners = p->owners.path, .learn = p->config.learn};
	struct message ended = {.kind = MESSAGE_ENDED, .number = m->number, .engine = "system"};
	struct rules_report report = {};
	struct error err = {};

	if (admission_check(&p->config, p->options->engine_socket, caller.owner, &err) < 0)
		refuse(client, &err);
	else if (rules_serve(p->rules, &caller, client, open_engine, p, &report, &err) == 0)
		(void)snprintf(err.text, sizeof(err.text), "%s", report.refusal);
	(void)snprintf(ended.text, sizeof(ended.text), "%.*s", MESSAGE_TEXT_MAX - 1, err.text);
	(void)snprintf(ended.request, sizeof(ended.request), "%s", report.first);
	ended.bytes[0] = report.to_engine;
	ended.bytes[1] = report.to_client;
	if (p->config.learn)
		print_needs(&report);
	(void)message_tell(p->channel, &ended);
	rules_report_clear(&report);
}

static void failed(const struct policy *p, uint32_t number, const char *why)
{
	struct message m = {.kind = MESSAGE_ENDED, .number = number};

	(void)snprintf(m.text, sizeof(m.text), "%s", why);
	if (p->channel >= 0)
		(void)message_tell(p->channel, &m);
}

static void begin(struct policy *p, const struct message *m, int client)
{
	struct child *c = calloc(1, sizeof(*c));

	if (c)
		c->pid = fork();
	if (!c || c->pid < 0) {
		failed(p, m->number, "there is no room for another process");
		free(c);
		return;
	}
	if (c->pid == 0) {
		sigset_t none;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		(void)fcntl(client, F_SETFL, 0);
		serve(p, m, client);
		_exit(EXIT_SUCCESS);
	}
	c->number = m->number;
	c->next = p->children;
	p->children = c;
}

/* Children that have ended; one that failed has not told how. */
static void reap(struct policy *p)
{
	struct child **link = &p->children;

	while (*link) {
		struct child *c = *link;
		int status;

		if (waitpid(c->pid, &status, WNOHANG) == 0) {
			link = &c->next;
			continue;
		}
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			failed(p, c->number, "the process that served it has failed");
		*link = c->next;
		free(c);
		p->idle_since = now_usec();
	}
}

static void take_message(struct policy *p)
{
	struct message m;
	int fd, r = message_receive(p->channel, &m, &fd);

	if (r < 0)
		return;
	if (r == 0) {
		close(p->channel);
		p->channel = -1;
		return;
	}
	if (m.kind == MESSAGE_SERVE && fd >= 0)
		begin(p, &m, fd);
	if (m.kind == MESSAGE_DRAIN)
		p->drains = true;
	if (fd >= 0)
		close(fd);
}

/* Waits for messages and children; offers to go after a while without a child. */
static void turn(struct policy *p)
{
	struct pollfd fds[] = {{.fd = p->channel, .events = POLLIN}, {.fd = p->signals, .events = POLLIN}};
	uint64_t idle_timeout = p->drains ? 0 : p->options->idle_timeout;
	uint64_t until = p->children ? USEC_INFINITY : time_after(p->idle_since, idle_timeout);
	struct message idle = {.kind = MESSAGE_IDLE};
	struct signalfd_siginfo info;

	if (poll(fds, 2, timeout_msec(until)) == 0) {
		(void)message_tell(p->channel, &idle);
		p->idle_since = now_usec();
		p->drains = false; /* said once */
	}
	if (fds[1].revents && read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		reap(p);
	if (fds[0].revents)
		take_message(p);
}

static int open_signals(struct error *err)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_errno(err, errno, "cannot wait for processes") : fd;
}

static int prepare(struct policy *p, struct error *err)
{
	if (settings_receive(p->options, &p->config, &p->rules, err) < 0)
		return -1;
	if (!p->rules)
		return error_set(err, 0, "%s has no section [rules]", p->options->config);
	if (exec_owners_open("/dev/shm", &p->owners, err) < 0)
		return -1;
	p->signals = open_signals(err);
	p->idle_since = now_usec();
	return p->signals < 0 ? -1 : 0;
}

int policy_run(int channel, const struct router_options *options, struct error *err)
{
	struct policy p = {.channel = channel, .options = options};

	if (prepare(&p, err) < 0)
		return -1;
	(void)fcntl(channel, F_SETFD, FD_CLOEXEC);
	while (p.channel >= 0 || p.children)
		turn(&p);
	exec_owners_close(&p.owners);
	rules_free(&p.rules);
	return 0;
}
