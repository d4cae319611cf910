/* Runs the built keeper as systemd would, with players (keeper_play.h) or real programs in place of its children. */
#pragma once

#include "tests/unit/keeper_play.h"

struct keeper_run {
	/* Set before keeper_start(): */
	int listeners[LISTEN_MAX];
	size_t n_listeners;
	const char *options[16];		  /* of the keeper, NULL-terminated */
	const char *activator, *nshelper, *proxy; /* NULL: the test program */
	const char *environment[4];		  /* "NAME=VALUE" */
	const char *scripts[PARTS];
	rlim_t descriptors; /* RLIMIT_NOFILE; 0: unchanged */
	/* Then: */
	pid_t pid;
	int notify, log, output;
	struct play *play;
	char directory[64];
	char events[16384];  /* everything that was played */
	char notices[16384]; /* everything that systemd was told, each with a newline */
	char text[16384];    /* what it has written on standard error; after its end */
	uint64_t began, ended;
};

static inline const char *own_path(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = '\0';
	return path;
}

/* BUILD/tests/x_test -> BUILD/keeper */
static inline const char *keeper_path(void)
{
	static char path[PATH_MAX];

	strcpy(path, own_path());
	*strrchr(path, '/') = '\0';
	strcpy(strrchr(path, '/'), "/keeper");
	return path;
}

/* With one listener on 127.0.0.1 and a container that runs. */
static inline void keeper_init(struct keeper_run *k)
{
	*k = (struct keeper_run){.scripts = {"woken", "ready serve idle exit:0", "exit:0", "exit:0", "exit:75"}};
	k->listeners[k->n_listeners++] = bound_to(SOCK_STREAM, "127.0.0.1", 0);
	strcpy(k->directory, "/tmp/sockwake-keeper-XXXXXX");
	assert_non_null(mkdtemp(k->directory));
}

static inline uint16_t keeper_port(const struct keeper_run *k)
{
	return port_of(k->listeners[0]);
}

static inline int keeper_client(const struct keeper_run *k)
{
	return client_of(SOCK_STREAM, NULL, "127.0.0.1", keeper_port(k));
}

static inline void keeper_words(const struct keeper_run *k, char **argv)
{
	const char *test = own_path();
	const char *const programs[] = {"--",
					k->activator ? k->activator : test,
					"--name",
					"t",
					"--container",
					"c",
					"--",
					k->nshelper ? k->nshelper : test,
					"--relay",
					"--user",
					"nobody",
					"--",
					k->proxy ? k->proxy : test,
					"--forward",
					"1:2",
					"--idle-timeout",
					"5min",
					"--warm-for",
					"1h"};
	size_t n = 0;

	argv[n++] = (char *)(uintptr_t)keeper_path();
	argv[n++] = (char *)(uintptr_t) "--name";
	argv[n++] = (char *)(uintptr_t) "t";
	for (const char *const *o = k->options; *o; o++)
		argv[n++] = (char *)(uintptr_t)*o;
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		argv[n++] = (char *)(uintptr_t)programs[i];
	argv[n] = NULL;
}

static inline void keeper_exec(const struct keeper_run *k, const char *notify, int play_fd, int log, int output)
{
	char *argv[WORDS_MAX], text[64];
	int high[LISTEN_MAX];

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that failed */
	for (size_t i = 0; i < k->n_listeners; i++)
		high[i] = fcntl(k->listeners[i], F_DUPFD, 100);
	log = fcntl(log, F_DUPFD, 100);
	play_fd = fcntl(play_fd, F_DUPFD, 100);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	for (size_t i = 0; i < k->n_listeners; i++)
		dup2(high[i], LISTEN_FDS_START + (int)i);
	dup2(log, LOG_FD);
	dup2(play_fd, PLAY_FD);
	close_range((unsigned)(LISTEN_FDS_START + k->n_listeners), LOG_FD - 1, 0);
	close_range(FAULT_FD + FAULTS_AT_ONCE, ~0U, 0);
	keeper_words(k, argv);
	if (k->descriptors)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){k->descriptors, k->descriptors});
	setenv("NOTIFY_SOCKET", notify, 1);
	setenv("RUNTIME_DIRECTORY", k->directory, 1);
	snprintf(text, sizeof(text), "%d", getpid());
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%zu", k->n_listeners);
	setenv("LISTEN_FDS", text, 1);
	for (size_t i = 0; i < 4 && k->environment[i]; i++)
		putenv(strdup(k->environment[i]));
	execv(argv[0], argv);
	_exit(127);
}

static inline pid_t container_start(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

/* May be called again, for the next keeper of the same instance. */
static inline void keeper_start(struct keeper_run *k)
{
	int play_fd = memfd_create("play", MFD_CLOEXEC), log[2], output[2];
	char notify[NOTIFY_NAME_MAX];

	assert_int_equal(ftruncate(play_fd, sizeof(*k->play)), 0);
	k->play = mmap(NULL, sizeof(*k->play), PROT_READ | PROT_WRITE, MAP_SHARED, play_fd, 0);
	assert_true(k->play != MAP_FAILED);
	for (enum part p = 0; p < PARTS; p++)
		snprintf(k->play->scripts[p], sizeof(k->play->scripts[p]), "%s", k->scripts[p]);
	snprintf(k->play->lock, sizeof(k->play->lock), "%s/c.lock", k->directory);
	k->play->container = container_start();
	assert_int_equal(pipe2(log, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	k->notify = notify_bind(SOCK_NONBLOCK, notify);
	k->events[0] = k->notices[0] = k->text[0] = '\0';
	k->began = now_usec();
	k->pid = fork();
	assert_true(k->pid >= 0);
	if (k->pid == 0)
		keeper_exec(k, notify, play_fd, log[1], output[1]);
	close(play_fd);
	close(log[1]);
	close(output[1]);
	k->log = log[0];
	k->output = output[0];
}

/* Takes in what was said meanwhile. */
static inline void keeper_look(struct keeper_run *k)
{
	size_t len = strlen(k->events);
	ssize_t n;

	while ((n = read(k->log, k->events + len, sizeof(k->events) - 1 - len)) > 0)
		k->events[len += (size_t)n] = '\0';
	len = strlen(k->notices);
	while ((n = recv(k->notify, k->notices + len, sizeof(k->notices) - 2 - len, 0)) > 0) {
		len += (size_t)n;
		strcpy(k->notices + len++, "\n");
	}
}

/* Waits until that was played, or told to systemd. */
static inline void keeper_expect(struct keeper_run *k, const char *text)
{
	uint64_t deadline = now_usec() + PATIENCE_MSEC * USEC_PER_MSEC;
	struct pollfd fds[] = {{.fd = k->log, .events = POLLIN}, {.fd = k->notify, .events = POLLIN}};

	for (;;) {
		keeper_look(k);
		if (strstr(k->events, text) || strstr(k->notices, text))
			return;
		if (now_usec() > deadline)
			fail_msg("no '%s' in\n%s\nor\n%s", text, k->events, k->notices);
		(void)poll(fds, 2, 5); /* a pipe whose writers have gone is always ready */
		if (fds[0].revents & POLLHUP)
			usleep(1000);
	}
}

/* On a busy machine the leak sanitizer at times says so of a process that ends, and finds no leak. */
static inline void drop_sanitizers_line(char *text)
{
	char *said = strstr(text, "Unable to get registers from thread"), *begin = said, *end;

	if (!said)
		return;
	while (begin > text && begin[-1] != '\n')
		begin--;
	end = strchr(said, '\n');
	memmove(begin, end ? end + 1 : said + strlen(said), strlen(end ? end + 1 : said + strlen(said)) + 1);
}

/* Waits for its end. Its exit status; 128 + the signal that ended it. */
static inline int keeper_finish(struct keeper_run *k)
{
	uint64_t deadline = now_usec() + PATIENCE_MSEC * USEC_PER_MSEC;
	size_t len = 0;
	ssize_t n;
	int status;

	while (waitpid(k->pid, &status, WNOHANG) == 0) {
		if (now_usec() > deadline) {
			keeper_look(k);
			kill(k->pid, SIGKILL);
			waitpid(k->pid, &status, 0);
			fail_msg("the keeper did not end:\n%s\n%s", k->events, k->notices);
		}
		usleep(1000);
	}
	k->ended = now_usec();
	keeper_look(k);
	assert_int_equal(fcntl(k->output, F_SETFL, O_NONBLOCK), 0);
	while (len < sizeof(k->text) - 1 && (n = read(k->output, k->text + len, sizeof(k->text) - 1 - len)) > 0)
		len += (size_t)n;
	k->text[len] = '\0';
	drop_sanitizers_line(k->text);
	kill(k->play->container, SIGKILL);
	waitpid(k->play->container, NULL, 0);
	close(k->output);
	close(k->log);
	close(k->notify);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline void keeper_clear(struct keeper_run *k)
{
	char command[96];

	for (size_t i = 0; i < k->n_listeners; i++)
		close(k->listeners[i]);
	if (k->play)
		munmap(k->play, sizeof(*k->play));
	snprintf(command, sizeof(command), "rm -rf '%s'", k->directory);
	assert_int_equal(system(command), 0);
}

static inline uint64_t keeper_msec(const struct keeper_run *k)
{
	return (k->ended - k->began) / USEC_PER_MSEC;
}

/* Ends the container; another run of it takes its place. */
static inline void keeper_restart_container(struct keeper_run *k)
{
	pid_t before = k->play->container;

	k->play->container = container_start();
	kill(before, SIGKILL);
	waitpid(before, NULL, 0);
}

/* What is in its statistics file. */
static inline struct stats keeper_stats(const struct keeper_run *k)
{
	struct error err;
	char path[96];
	struct stats s;

	snprintf(path, sizeof(path), "%s/t.stats", k->directory);
	if (stats_read(path, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

/* How many of a process's descriptors are links to this. */
static inline unsigned descriptors_of(pid_t pid, const char *text)
{
	char path[64], link[PATH_MAX];
	unsigned n = 0;

	for (int fd = 0; fd < 4096; fd++) {
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		length = readlink(path, link, sizeof(link));
		n += length == (ssize_t)strlen(text) && memcmp(link, text, (size_t)length) == 0;
	}
	return n;
}

/* Does the text have these one after the other? */
static inline void expect_in_order(const char *text, const char *const *parts)
{
	for (const char *rest = text; *parts; parts++) {
		rest = strstr(rest, *parts);
		if (!rest)
			fail_msg("no '%s', or not in this order, in\n%s", *parts, text);
	}
}

/* How often that is in a text. */
static inline unsigned occurrences(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

/* The client is reset, the status says why, and the next one is as well until a second is over. */
static inline void expect_refusal(struct keeper_run *k, const char *why)
{
	int first = keeper_client(k), second;

	keeper_start(k);
	assert_true(was_reset(first));
	assert_in_range(now_usec() - k->began, 0, 900 * USEC_PER_MSEC);
	second = keeper_client(k);
	assert_true(was_reset(second));
	assert_int_equal(keeper_finish(k), EXIT_REFUSED);
	assert_in_range(keeper_msec(k), 1000, 3000);
	if (!strstr(k->notices, why))
		fail_msg("no '%s' in\n%s", why, k->notices);
	assert_non_null(strstr(k->text, why));
	assert_int_equal(occurrences(k->text, "\n"), 1); /* one line, however many clients */
	assert_null(strstr(k->notices, "READY=1"));
	close(first);
	close(second);
}

static inline bool was_served(int fd)
{
	char text[4] = "";

	return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, PATIENCE_MSEC) == 1 &&
	       recv(fd, text, sizeof(text), 0) == 2 && strcmp(text, "ok") == 0;
}
