/* The activator's tasks for a keeper, each in a process of its own. */
#pragma once

#include "keeper/state.h"

/* "--wake" with the whole command line, or "--sleep" with the activator's own part of it and the reason. */
int task_wake(struct keeper *k, struct inheritance *i, struct error *err);
int task_sleep(struct keeper *k, struct error *err);

/* "--follow": finds the next run of a container that has ended. */
int task_follow(struct keeper *k, struct error *err);

/* Tells the user to notify, if there is one, that the container was "started" or "stopped". No client waits for the
 * user's processes: task_end_notify() gives them a limited time, and none if a client is waiting. */
void task_notify(struct keeper *k, const char *what);
void task_end_notify(struct keeper *k, uint64_t until);
