/* Bringing the units of an instance into a running system, and out of it. */
#pragma once

#include "control/settle.h"
#include "units/manager.h"
#include "units/store.h"

/* Refuses a name whose units the manager knows from elsewhere. */
int install_check_name(struct manager *m, const char *directory, const char *name, struct error *err);

/* Writes the units and starts the socket. What was there (with `legacy` the original tool's) under that name is stopped
 * first, and is back and running when that fails. Signals that would end the program are held back meanwhile. */
int install_write(struct manager *m, const char *directory, const struct instance *i, bool legacy, struct error *err);

/* Has instances stop before their engines at a shutdown (packaging/sockwake-engines.target). Not by a dependency of
 * theirs: at a boot they would wait for the engines, as that target does. Failure does not matter before the shutdown. */
void install_order_engines(struct manager *m);

/* Puts why the instance's socket cannot be opened where only that its job failed is known. */
void install_explain_socket(struct manager *m, const struct instance *i, struct error *err);

/* Waits until systemd no longer counts the triggers for which it closed a socket at `closed_usec` (CLOCK_REALTIME): from
 * version 255 on they outlive a reload, and the first client would have the socket closed again. */
void install_outwait_trigger_limit(uint64_t closed_usec);

/* Stops and removes everything of an instance, one of `all`, and puts its container to sleep (settle.h): what cannot be
 * done about that is noted. m is NULL when no manager runs: then only files are there. */
int install_remove(struct manager *m, const char *directory, enum scope scope, const struct stored *s,
		   const struct stored_list *all, enum settle what, struct error *err);

/* Has the manager forget the units of instances that were removed, and what they changed in those of others. It forgets
 * units by itself where nothing else refers to them; where sockets.target does, since the boot or another reload, it has
 * to reload. What somebody has woken just then is stopped once more. */
int install_forget(struct manager *m, enum scope scope, const struct stored *const *removed, size_t n,
		   struct error *err);
