/* The service manager's end of NOTIFY_SOCKET. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Binds a socket to an abstract name that the kernel chooses (unix(7), autobind): others may run the same test in
 * another PID namespace. It becomes NOTIFY_SOCKET of the programs started next. The caller closes it. */
#define NOTIFY_NAME_MAX 16
static inline int notify_bind(int flags, char ret_name[static NOTIFY_NAME_MAX])
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(a);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a.sun_family)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	len -= (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1;
	assert_in_range(len, 1, NOTIFY_NAME_MAX - 2);
	ret_name[0] = '@';
	memcpy(ret_name + 1, a.sun_path + 1, len);
	ret_name[1 + len] = '\0';
	return fd;
}
