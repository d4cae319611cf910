/* Structured journal entries at wake and at sleep, with fields for `journalctl -o json` and other programs. */
#pragma once

#include "handover/stats.h"

/* MESSAGE_ID: see `journalctl MESSAGE_ID=…`. */
#define MESSAGE_WAKE  "8500f14f1ae745629162ae27994edddc"
#define MESSAGE_SLEEP "97a666e0af7644a892284cf85f5e8ae1"
/* Of dependencies (--with). */
#define MESSAGE_WITH_WAKE  "9d90ba45a55b480483d954c8897f3d5e"
#define MESSAGE_WITH_SLEEP "619adf2a26c84c1d88f70043b2d96170"

/* Sends MESSAGE=, MESSAGE_ID=, PRIORITY=6, SOCKWAKE_INSTANCE=, SOCKWAKE_CONTAINER= and the further fields, which are
 * lines "NAME=value\n" without control characters. A missing or full journal is not an error. */
void journal_send(const char *message_id, const char *instance, const char *container, const char *message,
		  const char *fields);
