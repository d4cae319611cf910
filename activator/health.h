/* Runs a container's own health check before the engine would do so by itself.
 *
 * Podman treats such a check like one of its own. It then knows that the container is healthy, which a unit with
 * Notify=healthy waits for. But it also counts a failure. After as many failures in a row as the check has retries,
 * --health-on-failure kills, stops or restarts a container that is only slow; a startup check restarts it. Within the
 * start period nothing is counted. So if a failure would count, the same command first runs as an ordinary process of
 * the container, and the engine runs the check once that has succeeded. Docker never counts a check made here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "activator/options.h"
#include "backends/backend.h"

/* Would a failure now (CLOCK_REALTIME microseconds) count towards --health-on-failure or its like? */
bool health_failure_counts(const struct container *c, uint64_t wall_now);

/* Checks once, until engine->deadline. HEALTH_HEALTHY: the engine knows it, too. */
int health_ask(struct engine *e, const struct container *c, enum health *ret, struct error *err);

/* How long to wait before the next check, in microseconds: the longer it has taken already, the longer. */
uint64_t health_pause(uint64_t waited, bool costly);

/* Repeats the check until the container is healthy. Fails when it ends (pidfd), or at engine->deadline. */
int health_await(struct engine *e, const struct options *o, const struct container *c, int pidfd, struct error *err);
