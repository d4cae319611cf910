/* Installs the units of an instance in a running system, and removes them. */
#pragma once

#include "control/settle.h"
#include "units/manager.h"
#include "units/store.h"

/* Refuses a name whose units the manager loads from another place. */
int install_check_name(struct manager *m, const char *directory, const char *name, struct error *err);

/* Writes the units and starts the socket. Stops existing units of that name first (with `legacy` also the original
 * tool's); after a failure they are back and running. Meanwhile, signals that would end the program are blocked. */
int install_write(struct manager *m, const char *directory, const struct instance *i, bool legacy, struct error *err);

/* Makes instances stop before their engines at a shutdown (packaging/sockwake-engines.target). They have no dependency
 * themselves: at boot they would wait for the engines, as that target does. A failure matters only at the shutdown. */
void install_order_engines(struct manager *m);

/* Replaces the mere failure of the job in *err by the reason why the instance's socket cannot be opened. */
void install_explain_socket(struct manager *m, const struct instance *i, struct error *err);

/* Waits until systemd no longer counts the triggers for which it closed a socket at `closed_usec` (CLOCK_REALTIME).
 * Since version 255 the count survives a reload, and the first client would make systemd close the socket again. */
void install_outwait_trigger_limit(uint64_t closed_usec);

/* Stops and removes an instance of `all`, and puts its container to sleep (settle.h); notes a failure of that. m is
 * NULL if no manager runs: then there are only files. Before it removes them it blocks signals (signals.h): a unit that a
 * client has woken meanwhile would have no file, and no command could find it. The caller releases them after
 * install_forget(). */
int install_remove(struct manager *m, const char *directory, enum scope scope, const struct stored *s,
		   const struct stored_list *all, enum settle what, struct error *err);

/* Makes the manager forget the units of removed instances, and their changes to other units. It unloads units by
 * itself if nothing refers to them; if sockets.target does, since the boot or another reload, it must reload. A unit
 * that was woken in the meantime is stopped again. */
int install_forget(struct manager *m, enum scope scope, const struct stored *const *removed, size_t n,
		   struct error *err);
