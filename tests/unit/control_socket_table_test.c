/* control/socket_table.c, and what reads it: who waits (waiting.c), and who has a port (port_owner.c). */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/port_owner.h"
#include "control/socket_table.h"
#include "control/waiting.h"
#include "instance_fixture.h"

#define HEADINGS "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define REST	 " 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0\n"
#define V6	 "00000000000000000000000000000000"
#define LISTENS	 ":0000 0A 00000000:"

static void lines_of_the_kernel(void **state)
{
	static const char *const wrong[] = {"", HEADINGS, "   0: 0000:1F90 00000000" LISTENS "00000002" REST,
					    "   0: 00000000:1F90 00000000" LISTENS "00000002\n"};
	struct socket_row row;

	(void)state;
	assert_true(socket_table_read_line("  10: 0100007F:0BB8 00000000" LISTENS "00000010" REST, &row));
	assert_int_equal(row.bound.ss_family, AF_INET);
	assert_int_equal(((struct sockaddr_in *)&row.bound)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(((struct sockaddr_in *)&row.bound)->sin_port, htons(3000));
	assert_int_equal(row.port, 3000);
	assert_int_equal(row.state, SOCKET_TABLE_LISTEN);
	assert_int_equal(row.receive_queue, 16);
	assert_int_equal(row.inode, 4711);
	assert_true(socket_table_read_line(
		"   1: 00000000000000000000000001000000:0BB9 " V6 ":0000 07 00000000:00000003" REST, &row));
	assert_int_equal(row.bound.ss_family, AF_INET6);
	assert_true(IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&row.bound)->sin6_addr));
	assert_int_equal(row.state, SOCKET_TABLE_CLOSE);
	for (size_t k = 0; k < sizeof(wrong) / sizeof(*wrong); k++)
		assert_false(socket_table_read_line(wrong[k], &row));
}

/* What the line adds; -1: it ends the listeners. */
static int64_t waiting_at(const struct instance *i, const char *line)
{
	struct waiting w = {.instance = i};
	struct socket_row row;

	assert_true(socket_table_read_line(line, &row));
	return waiting_add(&row, &w) ? (int64_t)w.count : -1;
}

static void backlogs(void **state)
{
	struct instance i = small_instance("web");

	(void)state;
	i.n_ports = 0;
	add_port(&i, "8080:80");
	add_port(&i, "127.0.0.1:3000:80");
	add_port(&i, "[::1]:3001:80");
	add_port(&i, "4000:80/udp");
	assert_int_equal(waiting_at(&i, "   0: 00000000:1F90 00000000" LISTENS "00000002" REST), 2);
	assert_int_equal(waiting_at(&i, "   0: " V6 ":1F90 " V6 LISTENS "00000010" REST), 16);
	assert_int_equal(waiting_at(&i, "  10: 0100007F:0BB8 00000000" LISTENS "00000001" REST), 1);
	assert_int_equal(waiting_at(&i, "  10: 0200007F:0BB8 00000000" LISTENS "00000001" REST), 0);
	assert_int_equal(waiting_at(&i, "   1: 00000000000000000000000001000000:0BB9 " V6 LISTENS "00000003" REST), 3);
	assert_int_equal(waiting_at(&i, "   0: 00000000:0FA0 00000000" LISTENS "00000002" REST), 0);
	assert_int_equal(waiting_at(&i, "   0: 00000000:1F90 00000000:0000 01 00000000:00000002" REST), -1);
	instance_clear(&i);
}

/* Real sockets, found in the real tables. */
static void who_has_a_port(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t len = sizeof(a);
		int fd = socket(AF_INET, types[k] | SOCK_CLOEXEC, 0);
		char text[128], expected[32];

		assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
		if (types[k] == SOCK_STREAM)
			assert_int_equal(listen(fd, 1), 0);
		port_owner_describe(types[k], ntohs(a.sin_port), text, sizeof(text));
		snprintf(expected, sizeof(expected), "(PID %d)", getpid());
		assert_non_null(strstr(text, expected));
		close(fd);
		port_owner_describe(types[k], ntohs(a.sin_port), text, sizeof(text));
		assert_non_null(strstr(text, "another program"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_the_kernel),
		cmocka_unit_test(backlogs),
		cmocka_unit_test(who_has_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
