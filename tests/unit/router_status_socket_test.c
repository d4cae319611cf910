/* The status socket in a loop, with readers on the other end. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "router/status_socket.h"

static struct loop loop;
static struct records records;
static struct team team;
static struct status_socket status;
static struct timer end;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static uint64_t longest; /* between two turns of the loop */
static struct timer beat;

static void beaten(struct loop *l, struct timer *timer)
{
	static uint64_t last;
	uint64_t now = now_usec();

	if (last && now - last > longest)
		longest = now - last;
	last = now;
	timer_set(l, timer, now + USEC_PER_MSEC);
}

static void ended(struct loop *l, struct timer *timer)
{
	(void)timer;
	l->stop = true;
}

static bool no_more(struct loop *l)
{
	(void)l;
	return false;
}

static void begin(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(address);
	struct error err;

	loop = (struct loop){};
	team = (struct team){};
	longest = 0;
	status = (struct status_socket){};
	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(loop_open(&loop, &err), 0);
	loop.after = no_more;
	assert_int_equal(records_open(&records, 4096, &err), 0);
	status.report = (struct status_report){
		.records = &records, .team = &team, .managers = managers_new(&loop, 0, &(struct managers_events){})};
	assert_int_equal(status_socket_open(&status, &loop, &team, fd, &err), 0);
	timer_add(&loop, &end, ended);
	timer_add(&loop, &beat, beaten);
}

static void finish(void)
{
	for (size_t k = 0; k < STATUS_READERS_MAX; k++) {
		if (status.readers[k].child.fd >= 0)
			kill(status.readers[k].pid, SIGKILL);
	}
	close(status.listener.fd);
	free((void *)(uintptr_t)status.report.managers);
	for (uint32_t k = 0; k < records.used; k++) {
		if (records.all[k].member)
			records_remove(&records, &records.all[k]);
	}
	records_close(&records);
	loop_close(&loop);
}

/* The address has no NUL at its end: autobind gives it five digits. */
static int reader(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(sa_family_t) + 6), 0);
	return fd;
}

static void run(uint64_t usec)
{
	struct error err;

	loop.stop = false;
	timer_set(&loop, &end, now_usec() + usec);
	assert_int_equal(loop_run(&loop, &err), 0);
}

static void each_reader_gets_a_report(void **state)
{
	char text[4096];
	int fds[3];

	(void)state;
	begin();
	for (size_t k = 0; k < 3; k++)
		fds[k] = reader();
	for (int k = 0; k < 100 && (k == 0 || status_socket_is_busy(&status)); k++)
		run(100 * USEC_PER_MSEC);
	assert_false(status_socket_is_busy(&status));
	for (size_t k = 0; k < 3; k++) {
		ssize_t n = recv(fds[k], text, sizeof(text) - 1, MSG_WAITALL);

		assert_true(n > 2);
		text[n] = '\0';
		assert_string_equal(text + n - 2, "}\n");
		assert_non_null(strstr(text, "\"connections\": []"));
		close(fds[k]);
	}
	finish();
}

static void a_reader_that_reads_nothing_delays_nobody(void **state)
{
	static struct member m = {};
	struct peer p = {.place.command = "many"};
	char text[8];
	int slow, quick;

	(void)state;
	begin();
	for (unsigned k = 0; k < 4096; k++) /* more than a socket takes */
		assert_non_null(records_add(&records, &p, &m));
	slow = reader();
	timer_set(&loop, &beat, now_usec());
	run(300 * USEC_PER_MSEC);
	assert_true(status_socket_is_busy(&status));
	quick = reader();
	run(300 * USEC_PER_MSEC);
	assert_int_equal(recv(quick, text, 2, MSG_DONTWAIT), 2);
	assert_memory_equal(text, "{\n", 2);
	assert_true(longest < 250 * USEC_PER_MSEC);
	close(slow);
	close(quick);
	finish();
}

static void a_reader_too_many_is_turned_away(void **state)
{
	static struct member m = {};
	struct peer p = {.place.command = "many"};
	int fds[STATUS_READERS_MAX + 1];
	unsigned turned_away = 0;
	char byte;

	(void)state;
	begin();
	for (unsigned k = 0; k < 4096; k++)
		assert_non_null(records_add(&records, &p, &m));
	for (size_t k = 0; k <= STATUS_READERS_MAX; k++)
		fds[k] = reader();
	run(500 * USEC_PER_MSEC);
	for (size_t k = 0; k <= STATUS_READERS_MAX; k++) {
		turned_away += recv(fds[k], &byte, 1, MSG_DONTWAIT) == 0;
		close(fds[k]);
	}
	assert_int_equal(turned_away, 1);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reader_gets_a_report),
		cmocka_unit_test(a_reader_that_reads_nothing_delays_nobody),
		cmocka_unit_test(a_reader_too_many_is_turned_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
