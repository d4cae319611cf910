/* A container's own health check, asked for before the engine would look by itself.
 *
 * Podman takes a check that it is asked for as one of its own: it learns so that the container is healthy, which a unit
 * with Notify=healthy waits for. And it counts a failure: as many in a row as the check has retries, and
 * --health-on-failure kills, stops or restarts a container that is only slow; a startup check restarts it. Within the
 * start period nothing is counted. So where a failure would count, the same command is run as an ordinary process of the
 * container first, and the engine is asked once that has succeeded. Docker never counts it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "activator/options.h"
#include "backends/backend.h"

/* Would a check that fails now (CLOCK_REALTIME microseconds) bring the container nearer to what is done on failure? */
bool health_failure_counts(const struct container *c, uint64_t wall_now);

/* Asks once, until engine->deadline. HEALTH_HEALTHY: the engine knows it, too. */
int health_ask(struct engine *e, const struct container *c, enum health *ret, struct error *err);

/* How long to wait before asking again, in microseconds: longer, the longer it takes already. */
uint64_t health_pause(uint64_t waited, bool costly);

/* Asks again and again until the container of the options is healthy, ends (pidfd), or engine->deadline. */
int health_await(struct engine *e, const struct options *o, const struct container *c, int pidfd, struct error *err);
