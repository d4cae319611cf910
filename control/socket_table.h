/* The kernel's tables of sockets: /proc/net/tcp, tcp6, udp and udp6 (proc_pid_net(5)). They begin with the listeners. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* As the tables have them: TCP_LISTEN; an unconnected UDP socket is TCP_CLOSE. */
#define SOCKET_TABLE_LISTEN 0x0a
#define SOCKET_TABLE_CLOSE  0x07

struct socket_row {
	struct sockaddr_storage bound;
	socklen_t len;
	uint16_t port; /* of `bound`, host byte order */
	unsigned state;
	uint32_t receive_queue; /* of a listener: the clients in its backlog (net/ipv4/tcp_ipv4.c, get_tcp4_sock()) */
	unsigned long inode;
};

/* Pure: reads one line. False for the headings, and for what is not such a line. */
bool socket_table_read_line(const char *line, struct socket_row *ret);

/* Shows `visit` the rows of a table, until it returns false. A table that cannot be read has none. */
void socket_table_each(const char *path, bool (*visit)(const struct socket_row *row, void *data), void *data);
