/* How several workers share what comes: evenly. proxy_fault_test.c sees that nobody is lost between them. */
#include "tests/unit/proxy_fixture.h"

#include <dirent.h>

#include "relay/hand.h"
#include "relay/threads.h"
#include "relay/worker_loop.h"

#define CLIENTS 30

static int server;
static uint16_t port;

static void connect_many(int clients[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		clients[i] = connect_to(SOCK_STREAM, port);
		send_text(clients[i], "me");
	}
}

static void close_all(const int fds[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* How many descriptors this epoll instance watches; 0: it is none (proc(5), /proc/PID/fdinfo). */
static size_t watched(pid_t pid, const char *fd)
{
	char path[300], line[256];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		n += strncmp(line, "tfd:", 4) == 0;
	fclose(f);
	return n;
}

static void clients_are_shared_evenly(void **state)
{
	int clients[CLIENTS], targets[CLIENTS];
	struct proxy_run p;
	size_t workers = 0;
	struct dirent *fd;
	char path[64];
	DIR *dir;

	(void)state;
	server = proxy_before_server(&p, "3", "infinity", &port);
	proxy_start(&p);
	connect_many(clients, CLIENTS);
	for (int i = 0; i < CLIENTS; i++) {
		targets[i] = accept_from(server);
		expect_text(targets[i], "me");
	}
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", p.pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((fd = readdir(dir))) {
		size_t n = watched(p.pid, fd->d_name);

		if (n == 0)
			continue;
		/* Both ends of each connection; the listener, the worker's pipe, the first worker's signals. One that is
		 * being handed over while others come may be counted twice for a moment, and once too often in the end. */
		assert_in_range(n, 2 * (CLIENTS / 3 - 1), 2 * (CLIENTS / 3 + 1) + 3);
		workers++;
	}
	assert_int_equal(workers, 3);
	closedir(dir);
	close_all(clients, CLIENTS);
	close_all(targets, CLIENTS);
	close(server);
	assert_int_equal(proxy_stop(&p), 0);
}

/* A connection in a worker's pipe is not lost from sight, and a pipe that is full takes none. */
static void handed_over_until_the_pipe_is_full(void **state)
{
	struct worker workers[2];
	struct service s = {.workers = workers, .n_workers = 2};
	struct forward forward = {0};
	struct error err;
	unsigned n = 0;

	(void)state;
	assert_int_equal(worker_init(&workers[0], &s, 0, &err), 0);
	assert_int_equal(threads_open(&s, &err), 0);
	assert_false(threads_are_accepting(&s));
	assert_ptr_equal(hand_least(&workers[0]), &workers[0]);
	count_set(&workers[0].counters.connections, 1);
	assert_ptr_equal(hand_least(&workers[0]), &workers[1]);
	assert_true(hand_over(&workers[1], &forward, -1));
	assert_true(threads_are_accepting(&s));
	assert_ptr_equal(hand_least(&workers[0]), &workers[0]);
	while (hand_over(&workers[1], &forward, -1))
		n++;
	assert_true(n > 64);
	assert_int_equal(atomic_load(&workers[1].handed), n + 1);
	for (int i = 0; i < 2; i++) {
		loop_close(&workers[i].loop);
		close(workers[i].told.fd);
		close(workers[i].told_in);
		free(workers[i].buffer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_are_shared_evenly),
		cmocka_unit_test(handed_over_until_the_pipe_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
