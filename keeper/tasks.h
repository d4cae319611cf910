/* What the activator does for a keeper, each in a process of its own. */
#pragma once

#include "keeper/state.h"

/* "--wake", with all of the command line, or "--sleep", with the activator's own part of it: with the reason for it. */
int task_wake(struct keeper *k, struct inheritance *i, struct error *err);
int task_sleep(struct keeper *k, struct error *err);

/* "--follow": a container that has ended, to its next run. */
int task_follow(struct keeper *k, struct error *err);

/* Tells the person, if there is one to tell, that the container was "started" or "stopped". No client waits for that
 * person's processes: they are given so much time at most, and none when somebody has come. */
void task_notify(struct keeper *k, const char *what);
void task_end_notify(struct keeper *k, uint64_t until);
