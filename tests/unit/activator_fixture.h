/* The activator against a fake engine: the engine's answers, the requests to it, and a listening socket with a waiting
 * client. */
#pragma once

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "handover/exit.h"
#include "tests/unit/activator_program.h"
#include "tests/unit/fake_engine.h"
#include "tests/unit/lock_fixture.h"

#define ID	"031ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"
#define STARTED "2026-11-22T03:10:35.269129923Z"

static char directory[64];

static inline int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	return setenv("RUNTIME_DIRECTORY", directory, 1) | setenv("STATE_DIRECTORY", directory, 1);
}

static inline int teardown(void **state)
{
	char command[128];

	(void)state;
	unsetenv("RUNTIME_DIRECTORY");
	unsetenv("STATE_DIRECTORY");
	unsetenv("SERVICE_RESULT");
	unsetenv("EXIT_CODE");
	unsetenv("EXIT_STATUS");
	unsetenv("SOCKWAKE_LOG");
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

/* A reply with a body; the text lives as long as the test. */
static inline const char *reply(const char *status, const char *body)
{
	static char texts[16][2048];
	static unsigned next;
	char *text = texts[next++ % 16];

	snprintf(text, sizeof(texts[0]), "HTTP/1.1 %s X\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
	return text;
}

static inline const char *inspection(const char *status, pid_t pid, const char *started_at, const char *config)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"Id\":\"" ID
		 "\",\"Name\":\"/x\",\"State\":{\"Status\":\"%s\",\"Pid\":%d,\"ExitCode\":7,\"StartedAt\":"
		 "\"%s\"},\"HostConfig\":{\"NetworkMode\":\"none\"},\"Config\":{%s}}",
		 status, pid, started_at, config);
	return reply("200", body);
}

/* A stand-in for a container's process: its parent is a program "conmon" that was started for ID. It lives as long as
 * the test program. */
static inline pid_t container_process(void)
{
	static const char script[] = "sh -c 'echo $$; read x' <&9 & exec >&-; wait";
	static pid_t pid;
	char link[96], number[16] = "";
	int fds[2], life[2];

	if (pid)
		return pid;
	snprintf(link, sizeof(link), "%s/conmon", directory);
	assert_int_equal(symlink("/bin/sh", link), 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(pipe2(life, O_CLOEXEC), 0); /* closed when the test program ends */
	if (fork() == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(life[0], 9);
		execl(link, link, "-c", script, ID, NULL);
		_exit(99);
	}
	close(fds[1]);
	close(life[0]);
	assert_true(fcntl(life[1], F_DUPFD_CLOEXEC, 500) >= 0); /* out of the way of tests that count descriptors */
	close(life[1]);
	assert_true(read(fds[0], number, sizeof(number) - 1) > 0);
	close(fds[0]);
	pid = atoi(number);
	return pid;
}

static inline const char *running(void)
{
	return inspection("running", container_process(), STARTED, "");
}

#define NO_SUCH		reply("404", "{\"message\":\"No such container: x\"}")
#define CONFLICT	reply("409", "{\"message\":\"unpause it instead\"}")
#define NOT_PAUSED	reply("500", "{\"message\":\"Container is not paused\"}")
#define PODMAN_IMPROPER reply("500", "{\"cause\":\"container state improper\"}")

#define START(f, ...)                                                                                                  \
	const struct exchange f##_script[] = {__VA_ARGS__};                                                            \
	struct fake_engine f;                                                                                          \
	fake_start(&f, f##_script, sizeof(f##_script) / sizeof(*f##_script))

/* The requests since the last call, as "POST start GET json …". */
static inline const char *requests(struct fake_engine *f)
{
	static char text[1024];
	size_t len = 0;

	text[0] = '\0';
	for (const char *p = f->seen->text + f->told; (p = strstr(p, " HTTP/1.1\r\n")); p++) {
		const char *line = p, *action = p, *cut;

		while (line > f->seen->text && line[-1] != '\n' && line[-1] != '}')
			line--;
		while (action[-1] != '/')
			action--;
		cut = strstr(action, "?t="); /* a stop states its time */
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s %.*s", len ? " " : "",
					(int)strcspn(line, " "), line,
					(int)(cut && cut < p ? cut - action : p - action), action);
	}
	f->told = strlen(f->seen->text);
	return text;
}

/* A listening socket with one waiting client. */
struct queue {
	int sockets[2];
	int client;
};

static inline struct queue queue_open(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(to);
	struct queue q = {{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), -1},
			  socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	assert_int_equal(bind(q.sockets[0], (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(q.sockets[0], 16), 0);
	assert_int_equal(getsockname(q.sockets[0], (struct sockaddr *)&to, &len), 0);
	assert_int_equal(connect(q.client, (struct sockaddr *)&to, sizeof(to)), 0);
	return q;
}

static inline void queue_close(struct queue *q)
{
	close(q->sockets[0]);
	close(q->client);
}

#define OPTIONS(f, backend) "--name", "t", "--backend", backend, "--container", "x", "--engine-socket", (f).socket

#define EXITED inspection("exited", 0, STARTED, "")
static inline uint64_t msec_since(uint64_t begin)
{
	return (now_usec() - begin) / USEC_PER_MSEC;
}

/* Runs a wake that must fail: only the keeper is told why, in these words; no lock stays held. */
static inline void assert_refused_for(const char *const *arguments, const char *const *words)
{
	struct program p;

	assert_int_equal(program_run_kept(&p, arguments), EXIT_REFUSED);
	for (; *words; words++) {
		if (!strstr(p.failed, *words))
			fail_msg("'%s' does not say '%s'", p.failed, *words);
	}
	assert_string_equal(p.text, "");
	assert_int_equal(p.woken.n_fds, 0);
	program_release(&p);
}

/* The activator tells its steps from now on, until the test is over. */
static inline void tell_steps(void)
{
	assert_int_equal(setenv("SOCKWAKE_LOG", "debug", 1), 0);
}

static inline void assert_step(const struct program *p, const char *step)
{
	if (!strstr(p->text, step))
		fail_msg("no '%s' in\n%s", step, p->text);
}

static inline void assert_refused(const char *const *arguments, const char *why)
{
	assert_refused_for(arguments, (const char *const[]){why, NULL});
}

/* Each of the first answers in turn is a failure of the engine, without which the run would succeed. */
static inline void assert_each_failure_is_told(const struct exchange *script, size_t n, size_t vital,
					       int (*run)(struct fake_engine *f, struct program *p))
{
	const char *failure = reply("500", "{\"message\":\"hm\"}");
	struct exchange failing[16];

	assert_true(n <= sizeof(failing) / sizeof(*failing));
	for (size_t k = 0; k <= vital; k++) {
		struct fake_engine f;
		struct program p;
		int status;

		memcpy(failing, script, n * sizeof(*script));
		if (k < vital)
			failing[k] = (struct exchange)SAY(failure);
		fake_start(&f, failing, n);
		status = run(&f, &p);
		if (status != (k < vital ? EXIT_REFUSED : 0) || !p.failed[0] != (k == vital))
			fail_msg("answer %zu: status %d, %s", k, status, p.failed);
		program_release(&p);
		fake_stop(&f);
	}
}
#define EACH_FAILURE_IS_TOLD(script, vital, run)                                                                       \
	assert_each_failure_is_told(script, sizeof(script) / sizeof(*(script)), vital, run)
