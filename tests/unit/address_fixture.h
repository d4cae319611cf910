/* The address of a socket, from text. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	};
	socklen_t len;
};

/* "127.0.0.1", "::1", or the path of a Unix socket. */
static inline struct address address_of(const char *text, uint16_t port)
{
	struct address a = {};

	if (text[0] == '/') {
		a.un.sun_family = AF_UNIX;
		strcpy(a.un.sun_path, text);
		a.len = sizeof(a.un);
	} else if (strchr(text, ':')) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &a.in6.sin6_addr), 1);
		a.len = sizeof(a.in6);
	} else {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, text, &a.in.sin_addr), 1);
		a.len = sizeof(a.in);
	}
	return a;
}
