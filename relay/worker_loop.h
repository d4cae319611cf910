/* The loop of a worker: its connections take turns until the loop is stopped. */
#pragma once

#include "relay/worker.h"

/* Prepares a worker that does not accept yet. The memory lives as long as the process. */
int worker_init(struct worker *w, struct service *service, unsigned index, struct error *err);

/* loop.after of every worker. */
bool worker_after(struct loop *loop);

/* Runs until the loop is stopped; then closes all connections. */
int worker_run(struct worker *w, struct error *err);

/* Closes all connections, after passing on the data that their targets have sent. */
void worker_finish(struct worker *w);
