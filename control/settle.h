/* Makes sure that an instance that was told to sleep does sleep. */
#pragma once

#include "backends/backend.h"
#include "lifecycle/lock.h"
#include "units/command_line.h"
#include "units/manager.h"

/* Call it after the service has ended. Runs the action that puts the container to sleep after a run, since somebody
 * else may have started the container, and a killed keeper may have left it running. Then checks whether it runs.
 * Notes a container that stays up because another instance uses it, because somebody else started it (--keep-running),
 * or because a client has woken it again. SETTLE_OWN: only puts to sleep what the instance itself has woken, and notes
 * no others. m may be NULL if no manager runs. An error says what happened, not what to do. */
enum settle { SETTLE_ALL, SETTLE_OWN };
int settle(struct manager *m, const struct instance *instance, enum settle what, struct error *err);

/* The command with which a person stops the container: "podman stop pg", "systemctl --user stop pg.service". */
#define STOP_COMMAND_MAX 640
const char *settle_stop_command(const struct instance *i, char ret[static STOP_COMMAND_MAX]);

/* Locks the instance's container, which has this identifier, exclusively: required before stopping or removing it.
 * Waits for others that stop or remove it. Error EWOULDBLOCK: an instance uses it. */
int settle_lock_container(const struct instance *i, const struct engine *e, const char *id, struct container_lock *ret,
			  struct error *err);

/* A part of settle(), for tests. Runs a command in the environment of the scope's units, and waits for it; ret_words
 * is the last line of its standard error, without the program's name. */
int settle_run_action(enum scope scope, const struct command_line *c, char *ret_words, size_t size, struct error *err);

/* The part of settle() after the action. `failure` is NULL if the action succeeded; `words` is its last line. */
int settle_look(struct manager *m, const struct instance *i, const struct error *failure, const char *words,
		struct error *err);
