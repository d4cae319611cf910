/* The test program itself in place of activator, nshelper and proxy: each of them plays what the test has written for it,
 * "ready serve idle exit:0", and says which step it has come to. */
#pragma once

#include "tests/unit/keeper_fixture.h"

#include <limits.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "handover/channel.h"
#include "handover/exit.h"
#include "handover/listen.h"
#include "handover/stats.h"
#include "tests/unit/fault_fixture.h"
#include "tests/unit/notify_fixture.h"

#define LOG_FD	   61 /* the players say there what they do */
#define PLAY_FD	   62 /* struct play; FAULT_FD comes next */
#define LISTEN_MAX 4
#define WORDS_MAX  48

enum part { WAKE, RELAY, SLEEP, NOTIFY, FOLLOW, PARTS };

struct play {
	char scripts[PARTS][512]; /* "first time|second time and later" */
	_Atomic unsigned times[PARTS];
	char lock[128]; /* held by WOKEN=1 */
	pid_t container;
	atomic_bool go; /* the test lets go who awaits it */
};

static const char *const part_names[PARTS] = {"wake", "relay", "sleep", "notify", "follow"};

static inline void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void say(const char *format, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text) - 1, format, ap);
	va_end(ap);
	if (n > (int)sizeof(text) - 2)
		n = (int)sizeof(text) - 2;
	text[n++] = '\n';
	if (write(LOG_FD, text, (size_t)n) != n)
		_exit(96);
}

static inline int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static inline void say_environment(char **argv)
{
	static const char *const names[] = {"LISTEN_FDS", "NOTIFY_SOCKET", "SOCKWAKE_ACCEPTED"};
	const char *pid = getenv("LISTEN_PID"), *pidfd = getenv("SOCKWAKE_PIDFD"), *hold = getenv("SOCKWAKE_HOLD_FD"),
		   *stats = getenv("SOCKWAKE_STATS_FD"), *exec = getenv("SOCKWAKE_EXEC_FD"),
		   *deadline = getenv("SOCKWAKE_DEADLINE");
	struct rlimit limit;
	sigset_t blocked;

	for (; *argv; argv++)
		say("word=%s", *argv);
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
		say("%s=%s", names[k], getenv(names[k]) ? getenv(names[k]) : "unset");
	say("own-pid=%d", pid && atoi(pid) == getpid());
	say("deadline=%s", deadline ? deadline : "unset");
	(void)getrlimit(RLIMIT_FSIZE, &limit);
	say("no-files=%d", limit.rlim_cur == 0);
	(void)sigprocmask(SIG_BLOCK, NULL, &blocked);
	say("blocked=%d", sigismember(&blocked, SIGTERM) || sigismember(&blocked, SIGCHLD));
	if (pidfd) {
		char path[64], text[512] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", pidfd);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (read(fd, text, sizeof(text) - 1) > 0 && strstr(text, "Pid:"))
			say("container=%d", atoi(strstr(text, "Pid:") + 4));
	}
	if (hold)
		say("hold=%d", fcntl(atoi(hold), F_GETFL) & O_ACCMODE);
	if (stats)
		say("seals=%d", fcntl(atoi(stats), F_GET_SEALS));
	if (exec)
		say("exec=%d", fcntl(atoi(exec), F_GETFL) & O_PATH ? 1 : 0);
	say("open=%d", open_descriptors());
	say("SOCKWAKE_LOG=%s", getenv("SOCKWAKE_LOG") ? getenv("SOCKWAKE_LOG") : "unset");
}

/* Two locks for each container, of which the first is one. */
static inline void play_woken(int channel, const struct play *p, size_t n_containers)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fds[5] = {pidfd_open(p->container, 0), open(p->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600), null, null, null};
	struct error err;

	if (fds[0] < 0 || fds[1] < 0 || flock(fds[1], LOCK_SH) < 0 ||
	    channel_send_fds(channel, "WOKEN=1", fds, 1 + CHANNEL_LOCKS * n_containers, &err) < 0)
		_exit(95);
}

/* Somebody who puts it to sleep is kept out by nobody. */
static inline void play_lock(const struct play *p)
{
	int fd = open(p->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	say(flock(fd, LOCK_EX | LOCK_NB) == 0 ? "lock is free" : "lock is held");
	close(fd);
}

static inline void play_serve(void)
{
	const char *accepted = getenv("SOCKWAKE_ACCEPTED");
	struct pollfd p = {.fd = LISTEN_FDS_START, .events = POLLIN};
	int fd;

	if (accepted) {
		fd = atoi(accepted);
		(void)unsetenv("SOCKWAKE_ACCEPTED");
	} else {
		(void)poll(&p, 1, -1);
		fd = accept4(LISTEN_FDS_START, NULL, NULL, SOCK_CLOEXEC);
	}
	if (fd < 0 || send(fd, "ok", 2, MSG_NOSIGNAL) != 2)
		_exit(94);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){}, sizeof(struct linger));
	close(fd);
}

static inline void on_term(int sig)
{
	(void)sig;
}

static inline void play_await_term(void)
{
	struct sigaction sa = {.sa_handler = on_term};
	sigset_t term, before;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, &before);
	(void)sigaction(SIGTERM, &sa, NULL);
	say("awaits SIGTERM");
	(void)sigsuspend(&before);
}

/* Everything that a proxy which was taken over could say. */
static inline void play_lies(int channel, const struct play *p)
{
	int fds[CHANNEL_FDS_MAX];
	struct error err;

	for (int k = 0; k < CHANNEL_FDS_MAX; k++)
		fds[k] = STDERR_FILENO;
	for (int k = 0; k < 50; k++) {
		if (channel_send_fds(channel, "WOKEN=1", fds, CHANNEL_FDS_MAX, &err) < 0)
			_exit(93);
	}
	(void)p;
	notify_send(channel, "FAILED=a lie");
	notify_send(channel, "STARTING=1\nAWAITED=a lie");
	notify_send(channel, "READY=1\nREADY=1\nSTATUS=a lie\nX=\x1b[31m");
	if (send(channel, "", 0, MSG_NOSIGNAL) < 0) /* looks like the end */
		_exit(92);
}

static inline struct stats *play_stats(void)
{
	const char *text = getenv("SOCKWAKE_STATS_FD");
	struct error err;
	struct stats *s = text ? stats_map(atoi(text), 0, &err) : NULL;

	if (!s)
		_exit(91);
	return s;
}

/* What an activator writes down. */
static inline void play_start(void)
{
	struct stats *s = play_stats();

	s->t_started = s->t_inspected = now_usec();
}

static inline void play_count(void)
{
	struct stats *s = play_stats();

	s->connections_total = 7;
	s->wakes = 77;
	s->held_until = UINT64_MAX;
	s->flags = UINT64_MAX;
	s->container_pid = 1;
	s->t_accepting = 1;
}

/* For so long, a hundred times a second. */
static inline void play_counted(int channel, unsigned msec)
{
	for (unsigned n = 0; n < 1 + msec / 10; n++) {
		notify_send(channel, "COUNTED=1");
		usleep(10000);
	}
}

/* What happened to clients, again and again, and more words than are of use. */
static inline void play_notes(int channel)
{
	for (int k = 0; k < 20; k++)
		notify_send(channel, "NOTE=the note %d.", k);
	for (int k = 0; k < 2; k++) {
		notify_send(channel, "ANONYMOUS=1");
		notify_send(channel, "UNREACHABLE=%d\nPORT=80", ECONNREFUSED);
		notify_send(channel, "UNREACHABLE=0\nPORT=81");
	}
}

static inline void play_step(const char *step, int channel, struct play *p, char **argv)
{
	const char *value = strchr(step, ':') ? strchr(step, ':') + 1 : "";

	if (strcmp(step, "env") == 0)
		say_environment(argv);
	else if (strcmp(step, "late") == 0)
		notify_send(channel, "STARTING=1\nAWAITED=it takes too long\nHINT=try something else");
	else if (strcmp(step, "awaited") == 0)
		notify_send(channel, "AWAITED=nothing listens on port 80");
	else if (strcmp(step, "awaited-elsewhere") == 0)
		notify_send(channel, "AWAITED=nothing listens on port 80\nHINT=it does listen on port 81");
	else if (strcmp(step, "futile") == 0)
		notify_send(channel, "AWAITED=there is no such check\nHINT=correct it\nFUTILE=1");
	else if (strcmp(step, "vain") == 0)
		notify_send(channel, "VAIN=1");
	else if (strcmp(step, "woken") == 0)
		play_woken(channel, p, 1);
	else if (strcmp(step, "woken-both") == 0)
		play_woken(channel, p, 2);
	else if (strcmp(step, "woken-alone") == 0)
		notify_send(channel, "WOKEN=1");
	else if (strcmp(step, "ready") == 0)
		notify_send(channel, "READY=1\nSTATUS=x");
	else if (strcmp(step, "failed") == 0)
		notify_send(channel, "FAILED=no such luck");
	else if (strcmp(step, "may-end") == 0)
		notify_send(channel, "ENDED=it ended");
	else if (strcmp(step, "ended") == 0)
		notify_send(channel, "ENDED=it ended with status 3");
	else if (strcmp(step, "idle") == 0)
		notify_send(channel, "STOPPING=1\nSTATUS=idle");
	else if (strcmp(step, "serve") == 0)
		play_serve();
	else if (strcmp(step, "lock") == 0)
		play_lock(p);
	else if (strcmp(step, "lies") == 0)
		play_lies(channel, p);
	else if (strcmp(step, "notes") == 0)
		play_notes(channel);
	else if (strcmp(step, "start") == 0)
		play_start();
	else if (strcmp(step, "count") == 0)
		play_count();
	else if (strncmp(step, "counted:", 8) == 0)
		play_counted(channel, (unsigned)atoi(value));
	else if (strcmp(step, "stop") == 0)
		notify_send(channel, "STOP=1");
	else if (strcmp(step, "flood") == 0)
		while (send(channel, "STATUS=x", 8, MSG_NOSIGNAL) == 8)
			;
	else if (strcmp(step, "term") == 0)
		play_await_term();
	else if (strcmp(step, "await") == 0)
		while (!atomic_load(&p->go))
			usleep(1000);
	else if (strcmp(step, "ignore") == 0)
		(void)signal(SIGTERM, SIG_IGN);
	else if (strcmp(step, "mute") == 0)
		close(channel);
	else if (strcmp(step, "hang") == 0)
		for (;;)
			pause();
	else if (strncmp(step, "msec:", 5) == 0)
		usleep((useconds_t)atoi(value) * 1000);
	else if (strncmp(step, "exit:", 5) == 0)
		_exit(atoi(value));
	else if (strncmp(step, "kill:", 5) == 0)
		(void)raise(atoi(value));
	else
		_exit(97);
}

static inline int play(enum part part, char **argv)
{
	struct play *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED, PLAY_FD, 0);
	unsigned time;
	int channel = channel_inherited();
	char script[512], *rest = script, *variant, *step;

	if (p == MAP_FAILED)
		_exit(98);
	time = atomic_fetch_add(&p->times[part], 1);
	say("%s %u begins as %d", part_names[part], time + 1, getpid());
	strcpy(script, p->scripts[part]);
	variant = strsep(&rest, "|");
	while (time-- > 0 && rest)
		variant = strsep(&rest, "|");
	while ((step = strsep(&variant, " "))) {
		play_step(step, channel, p, argv);
		say("%s: %s", part_names[part], step);
	}
	return 0;
}

/* For main(): does not return in a process that is to play. */
static inline void play_if_asked(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	for (enum part k = 0; k < PARTS; k++) {
		if (strncmp(mode, "--", 2) == 0 && strcmp(mode + 2, part_names[k]) == 0)
			exit(play(k, argv));
	}
}
