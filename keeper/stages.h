/* The stages of a keeper's life (keeper.c), in their order. */
#pragma once

#include "keeper/state.h"

/* Does anybody wait who may wake the container? Whoever waits and may not is reset. */
bool keeper_is_wanted(struct keeper *k);

/* Is there anybody who may wake the container? The answer is yes as soon as there is, no after KEEPER_SHORTEST_LIFE. */
bool stage_admit(struct keeper *k);

/* Until the container runs, and k has its pidfd and its locks. */
int stage_wake(struct keeper *k, struct error *err);

/* Until nobody uses it, it has ended, or the keeper was told to stop. */
int stage_serve(struct keeper *k, struct error *err);

/* The container may have ended. True when it is to be woken, or served, once more: it was restarted, or somebody waits
 * again. */
bool stage_follow(struct keeper *k);

/* Until it sleeps, or goes on with good reason. Gives up only when told to stop long ago. */
int stage_sleep(struct keeper *k);
