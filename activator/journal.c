#include "activator/journal.h"

#include <stdio.h>

#include "common/journal.h"

void journal_send(const char *message_id, const char *instance, const char *container, const char *message,
		  const char *fields)
{
	char text[4096];
	int n = snprintf(text, sizeof(text),
			 "MESSAGE=%s\nMESSAGE_ID=%s\nPRIORITY=6\nSYSLOG_IDENTIFIER=sockwake\nSOCKWAKE_INSTANCE=%s\n"
			 "SOCKWAKE_CONTAINER=%s\n%s",
			 message, message_id, instance, container, fields);

	if (n < (int)sizeof(text))
		(void)journal_write(text, (size_t)n);
}
