#include "activator/journal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"

void journal_send(const char *message_id, const char *instance, const char *container, const char *message,
		  const char *fields)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[4096];
	int n = snprintf(text, sizeof(text),
			 "MESSAGE=%s\nMESSAGE_ID=%s\nPRIORITY=6\nSYSLOG_IDENTIFIER=sockwake\nSOCKWAKE_INSTANCE=%s\n"
			 "SOCKWAKE_CONTAINER=%s\n%s",
			 message, message_id, instance, container, fields);

	if (fd < 0 || n >= (int)sizeof(text))
		return;
	if (sendto(fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
		return;
}
