#include "router/team.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "confine/capabilities.h"
#include "router/cell.h"
#include "router/settings.h"

#define CHANNEL_FD 3
/* Identity workers of one user at a time. */
#define MEMBERS_PER_USER 16

static bool is_same(const struct member *m, enum member_kind kind, const struct peer *p)
{
	if (m->channel.fd < 0 || m->retired || m->kind != kind)
		return false;
	if (kind != MEMBER_IDENTITY)
		return true;
	return m->uid == p->uid && m->gid == p->gid && m->n_groups == p->n_groups &&
	       memcmp(m->groups, p->groups, p->n_groups * sizeof(*p->groups)) == 0;
}

const char *member_kind_name(enum member_kind kind)
{
	static const char *const names[] = {[MEMBER_IDENTITY] = "identity",
					    [MEMBER_SYSTEM] = "system",
					    [MEMBER_POLICY] = "policy",
					    [MEMBER_REFUSING] = "refusing"};

	return names[kind];
}

/* In the child: becomes the member, for good. */
static int become(const struct member *m, struct error *err)
{
	if (setgroups(m->n_groups, m->groups) < 0 || setresgid(m->gid, m->gid, m->gid) < 0 ||
	    setresuid(m->uid, m->uid, m->uid) < 0)
		return error_errno(err, errno, "cannot become uid %u", (unsigned)m->uid);
	return capabilities_drop(false, err);
}

static void execute(const struct team *t, const struct member *m)
{
	char runtime[64], idle[32], release[32];
	const char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", runtime, NULL};
	const char *arguments[] = {"router",
				   "--worker",
				   member_kind_name(m->kind),
				   "--engine-socket",
				   t->system_socket,
				   "--idle-timeout",
				   idle,
				   "--release-after",
				   release,
				   "--engines",
				   t->engines,
				   "--config",
				   t->config,
				   t->restricted ? "--restricted" : NULL,
				   NULL};

	(void)snprintf(idle, sizeof(idle), "%lluus", (unsigned long long)t->idle_timeout);
	(void)snprintf(release, sizeof(release), "%lluus", (unsigned long long)t->release_after);
	(void)snprintf(runtime, sizeof(runtime), "XDG_RUNTIME_DIR=/run/user/%u", (unsigned)m->uid);
	(void)execve("/proc/self/exe", (char **)arguments, (char **)environment);
}

/* A user's worker does not write to the journal in the router's name. */
static void silence(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
}

/* Under this number, over the end of a process. */
static int keep_as(int fd, int number)
{
	return fd == number ? fcntl(fd, F_SETFD, 0) : dup2(fd, number);
}

/* The child of fork(). The signals that the dispatcher reads from a descriptor are blocked. */
static void run_member(const struct team *t, const struct member *m, int channel)
{
	bool has_settings = m->kind == MEMBER_SYSTEM || m->kind == MEMBER_POLICY;
	int settings = has_settings ? fcntl(t->settings, F_DUPFD_CLOEXEC, SETTINGS_FD + 1) : -1;
	struct error err;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	cell_enter(m->uid, m->kind == MEMBER_IDENTITY);
	if (m->kind == MEMBER_IDENTITY)
		silence();
	if (become(m, &err) == 0 && keep_as(channel, CHANNEL_FD) >= 0 &&
	    (!has_settings || keep_as(settings, SETTINGS_FD) >= 0) &&
	    close_range(CHANNEL_FD + 1 + has_settings, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		execute(t, m);
	_exit(EXIT_FAILURE);
}

static void free_member(struct member *m)
{
	if (m->channel.fd >= 0)
		close(m->channel.fd);
	if (m->process.fd >= 0)
		close(m->process.fd);
	free(m->groups);
	free(m);
}

static void channel_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct member *m = container_of(watch, struct member, channel);
	struct message message;
	int r;

	(void)loop;
	(void)events;
	/* Others have their turn after a batch of one worker's messages. */
	for (int i = 0; i < 64 && watch->fd >= 0; i++) {
		r = message_receive(watch->fd, &message, NULL);
		if (r < 0 && errno != EBADMSG)
			return;
		if (r == 0) {
			team_dismiss(m->team, m);
			return;
		}
		if (r > 0)
			m->team->told(m->team, m, &message);
	}
}

static void process_ended(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct member *m = container_of(watch, struct member, process);
	struct team *t = m->team;

	(void)events;
	channel_ready(loop, &m->channel, 0); /* its last words */
	loop_unwatch(loop, watch);
	team_dismiss(t, m);
	for (struct member **link = &t->first; *link; link = &(*link)->next) {
		if (*link != m)
			continue;
		*link = m->next;
		m->next = t->gone;
		t->gone = m;
		break;
	}
	m->process.ready = loop_ignore;
	cell_leave(m->uid);
	t->left(t, m);
}

static void set_identity(const struct team *t, struct member *m, const struct peer *p)
{
	switch (m->kind) {
	case MEMBER_IDENTITY:
		m->uid = p->uid;
		m->gid = p->gid;
		m->n_groups = p->n_groups;
		break;
	case MEMBER_SYSTEM:
	case MEMBER_POLICY:
		m->uid = t->system_uid;
		m->gid = t->system_gid;
		break;
	case MEMBER_REFUSING:
		m->uid = t->refusing_uid;
		m->gid = t->refusing_gid;
		break;
	}
}

static struct member *new_member(struct team *t, enum member_kind kind, const struct peer *p)
{
	struct member *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct member){
		.channel = {.ready = channel_ready, .fd = -1},
		.process = {.ready = process_ended, .fd = -1},
		.team = t,
		.kind = kind,
	};
	set_identity(t, m, p);
	m->groups = malloc((m->n_groups + 1) * sizeof(*m->groups));
	if (!m->groups) {
		free(m);
		return NULL;
	}
	memcpy(m->groups, p->groups, m->n_groups * sizeof(*m->groups));
	return m;
}

static int start(struct team *t, struct member *m, struct error *err)
{
	_cleanup_close_ int theirs = -1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(err, errno, "cannot open a channel to a worker");
	m->channel.fd = pair[0];
	message_refuse_descriptors(m->channel.fd);
	theirs = pair[1];
	m->pid = fork();
	if (m->pid < 0)
		return error_errno(err, errno, "cannot start a worker");
	if (m->pid == 0)
		run_member(t, m, theirs);
	m->process.fd = (int)syscall(SYS_pidfd_open, m->pid, 0);
	if (m->process.fd < 0 || loop_watch(t->loop, &m->channel, EPOLLIN) < 0 ||
	    loop_watch(t->loop, &m->process, EPOLLIN) < 0) {
		int error = errno;

		(void)kill(m->pid, SIGKILL);
		(void)waitpid(m->pid, NULL, 0);
		return error_errno(err, error, "cannot watch a worker");
	}
	return 0;
}

/* Those included that have not ended yet. */
static unsigned count_of(const struct team *t, uid_t uid)
{
	unsigned n = 0;

	for (const struct member *m = t->first; m; m = m->next)
		n += m->uid == uid;
	for (const struct member *m = t->gone; m; m = m->next)
		n += m->uid == uid;
	return n;
}

struct member *team_member(struct team *t, enum member_kind kind, const struct peer *p, struct error *err)
{
	struct member *m;

	for (m = t->first; m; m = m->next) {
		if (is_same(m, kind, p))
			return m;
	}
	if (kind == MEMBER_IDENTITY && count_of(t, p->uid) >= MEMBERS_PER_USER) {
		error_set(err, EUSERS,
			  "%d workers of yours run already, for other groups or without an end: end them (pkill -f "
			  "'router --worker identity')",
			  MEMBERS_PER_USER);
		return NULL;
	}
	m = new_member(t, kind, p);
	if (!m) {
		error_set(err, ENOMEM, "out of memory");
		return NULL;
	}
	if (start(t, m, err) < 0) {
		free_member(m);
		return NULL;
	}
	m->next = t->first;
	t->first = m;
	return m;
}

void team_renew(struct team *t)
{
	struct message message = {.kind = MESSAGE_ENGINES};

	(void)snprintf(message.text, sizeof(message.text), "%s", t->engines);
	for (struct member *m = t->first; m; m = m->next) {
		if (m->kind == MEMBER_IDENTITY && m->channel.fd >= 0)
			(void)message_send(m->channel.fd, &message, -1);
		m->retired = m->kind == MEMBER_SYSTEM || m->kind == MEMBER_POLICY;
		if (m->retired && m->connections == 0)
			team_dismiss(t, m);
	}
}

void team_dismiss(struct team *t, struct member *m)
{
	if (m->channel.fd < 0)
		return;
	loop_unwatch(t->loop, &m->channel);
	close(m->channel.fd);
	m->channel.fd = -1;
}

/* A tracer may keep a process from being reaped: its user's, who keeps only the member. */
void team_reap(struct team *t)
{
	struct member **link = &t->gone;

	while (*link) {
		struct member *m = *link;

		if (waitpid(m->pid, NULL, WNOHANG) == 0) {
			link = &m->next;
			continue;
		}
		*link = m->next;
		free_member(m);
	}
}
