/* Exit statuses. They are an interface: the manual documents them and the units depend on them. */
#pragma once

#include <stdbool.h>

enum {
	EXIT_REFUSED = 75,    /* EX_TEMPFAIL: failed before READY, the queue was refused and is empty; do not restart */
	EXIT_BROKEN_OFF = 76, /* told to stop before READY, the queue was refused; not a failure; do not restart */
	EXIT_UNAVAILABLE = 69,	/* EX_UNAVAILABLE: nothing listens on the engine's socket */
	EXIT_CANNOT_EXEC = 126, /* the program to run exists but cannot be executed (as sh(1), env(1)) */
	EXIT_NOT_FOUND = 127,	/* the program to run does not exist */
	/* sockwake(1) itself: 0 done, 1 refused or failed, 2 wrong usage */
	EXIT_USAGE = 2,
};

/* Did a service's main process end with this status before any program of ours ran? The manager has statuses of its own for that
 * (systemd.exec(5), "Process exit codes"), and so has the dynamic loader. */
bool exit_is_before_main(int status);
