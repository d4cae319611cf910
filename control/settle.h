/* Whether an instance that was told to sleep does: looked at, and seen to. */
#pragma once

#include "backends/backend.h"
#include "lifecycle/lock.h"
#include "units/command_line.h"
#include "units/manager.h"

/* Once the service has ended: runs the very action that puts the container to sleep at the end of a use, for whoever
 * started the container, and a keeper that was killed may have left it running; then looks whether it runs. One that
 * stays up because another instance uses it, because it runs since somebody else started it (--keep-running), or
 * because a client has woken it again, is noted. SETTLE_OWN: only what the instance itself has woken is put to sleep,
 * and what else runs is not noted. m may be NULL where no manager runs. An error says what happened, not what to do. */
enum settle { SETTLE_ALL, SETTLE_OWN };
int settle(struct manager *m, const struct instance *instance, enum settle what, struct error *err);

/* What a person would type to stop the container: "podman stop pg", "systemctl --user stop pg.service". */
#define STOP_COMMAND_MAX 640
const char *settle_stop_command(const struct instance *i, char ret[static STOP_COMMAND_MAX]);

/* Takes the locks of the instance's container, which has this identifier, exclusively, as whoever stops or removes it
 * must, and waits for others who do. Error EWOULDBLOCK: an instance uses it. */
int settle_lock_container(const struct instance *i, const struct engine *e, const char *id, struct container_lock *ret,
			  struct error *err);

/* The parts of settle(), for tests. Runs a command in the environment that units of the scope have, and waits for it;
 * ret_words is the last line that it wrote to its standard error, without the program's name. */
int settle_run_action(enum scope scope, const struct command_line *c, char *ret_words, size_t size, struct error *err);

/* What comes after the action; `failure` is NULL where that has done what it could, and `words` its last ones. */
int settle_look(struct manager *m, const struct instance *i, const struct error *failure, const char *words,
		struct error *err);
