/* An engine with scripted answers: a child process on a Unix socket that answers one request after the other with
 * ready-made bytes, and records the requests.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum after { KEEP, CLOSE, STALL };

struct exchange {
	const char *reply; /* raw bytes; NULL: none */
	enum after after;  /* what happens to the connection; STALL: nothing more is ever sent on it */
	size_t len;	   /* 0: strlen(reply) */
	unsigned repeat;   /* how many more times the reply is sent */
	unsigned pause;	   /* milliseconds before it */
};

struct fake_engine {
	char directory[64];
	char socket[96];
	pid_t pid;
	size_t told; /* how much of seen->text the test has read */
	struct seen {
		unsigned connections;
		unsigned requests;
		char text[65536]; /* all requests, one after the other */
	} * seen;
};

static inline size_t fake_body_length(const char *request)
{
	const char *field = strcasestr(request, "\r\nContent-Length:");

	return field ? (size_t)atol(field + 17) : 0;
}

/* Reads one request into seen->text; false at the end of the connection. */
static inline bool fake_read(int fd, struct seen *seen)
{
	size_t start = strlen(seen->text);

	for (;;) {
		size_t len = strlen(seen->text);
		const char *body = strstr(seen->text + start, "\r\n\r\n");
		ssize_t n;

		if (body && strlen(body + 4) >= fake_body_length(seen->text + start)) {
			seen->requests++;
			return true;
		}
		n = read(fd, seen->text + len, sizeof(seen->text) - len - 1);
		if (n <= 0)
			return false;
	}
}

static inline bool fake_write(int fd, const struct exchange *x)
{
	size_t len = x->len ? x->len : strlen(x->reply);

	for (unsigned i = 0; i <= x->repeat; i++) {
		for (size_t done = 0; done < len;) {
			ssize_t n = send(fd, x->reply + done, len - done, MSG_NOSIGNAL);

			if (n < 0)
				return false;
			done += (size_t)n;
		}
	}
	return true;
}

static inline void fake_serve(int listener, struct seen *seen, const struct exchange *x, size_t n)
{
	int fd = -1;

	for (size_t i = 0; i < n;) {
		if (fd < 0) {
			fd = accept(listener, NULL, NULL);
			if (fd < 0)
				_exit(1);
			seen->connections++;
		}
		if (!fake_read(fd, seen)) {
			close(fd);
			fd = -1;
			continue;
		}
		usleep(x[i].pause * 1000);
		if ((x[i].reply && !fake_write(fd, &x[i])) || x[i].after == CLOSE) {
			close(fd);
			fd = -1;
		} else if (x[i].after == STALL) {
			fd = -1; /* stays open until this process ends */
		}
		i++;
	}
	/* Whatever comes after the script is refused at once. */
	if (n > 0 && x[n - 1].after != STALL) {
		close(listener);
		close(fd);
	}
	for (;;)
		pause();
}

static inline void fake_start(struct fake_engine *f, const struct exchange *x, size_t n)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	f->told = 0;
	strcpy(f->directory, "/tmp/sockwake-test-XXXXXX");
	f->seen = mmap(NULL, sizeof(*f->seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!mkdtemp(f->directory) || listener < 0 || f->seen == MAP_FAILED)
		abort();
	snprintf(f->socket, sizeof(f->socket), "%s/engine.sock", f->directory);
	strcpy(to.sun_path, f->socket);
	if (bind(listener, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(listener, 16) < 0)
		abort();
	f->pid = fork();
	if (f->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		fake_serve(listener, f->seen, x, n);
		_exit(0);
	}
	close(listener);
}

static inline void fake_stop(struct fake_engine *f)
{
	char command[160];

	kill(f->pid, SIGKILL);
	waitpid(f->pid, NULL, 0);
	munmap(f->seen, sizeof(*f->seen));
	snprintf(command, sizeof(command), "rm -rf '%s'", f->directory);
	if (system(command) != 0)
		abort();
}

#define FAKE_ENGINE(f, ...)                                                                                            \
	static const struct exchange f##_script[] = {__VA_ARGS__};                                                     \
	struct fake_engine f;                                                                                          \
	fake_start(&f, f##_script, sizeof(f##_script) / sizeof(*f##_script))

#define SAY(text)                                                                                                      \
	{                                                                                                              \
		.reply = (text)                                                                                        \
	}
#define SAY_THEN(text, what)                                                                                           \
	{                                                                                                              \
		.reply = (text), .after = (what)                                                                       \
	}
#define SAY_LATE(text, msec)                                                                                           \
	{                                                                                                              \
		.reply = (text), .pause = (msec)                                                                       \
	}

#define NO_CONTENT   "HTTP/1.1 204 No Content\r\n\r\n"
#define NOT_MODIFIED "HTTP/1.1 304 Not Modified\r\n\r\n"
