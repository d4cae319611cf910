/* What a worker does: its connections take turns until its loop is stopped. */
#pragma once

#include "relay/worker.h"

/* Ready to run, not accepting yet. The memory lives as long as the process. */
int worker_init(struct worker *w, struct service *service, unsigned index, struct error *err);

/* loop.after of every worker. */
bool worker_after(struct loop *loop);

/* Runs until the loop is stopped; then all connections are closed. */
int worker_run(struct worker *w, struct error *err);

/* Closes all connections, after what has come from their targets was passed on. */
void worker_finish(struct worker *w);
