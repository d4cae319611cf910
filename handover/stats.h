/* The statistics file of an instance: NAME.stats in the runtime directory (/run/sockwake,
 * $XDG_RUNTIME_DIR/sockwake).
 *
 * The keeper writes it. Activator and proxy count in memory of the same layout, which they share only with the keeper:
 * a proxy that was taken over cannot reach the file. `sockwake status` and `activator --sleep` read the file, and
 * `sockwake wake --for` writes one field. Readers may see a value that is a moment old. The layout is fixed: a change
 * of meaning changes STATS_VERSION.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

#define STATS_MAGIC	0x656b61776b636f73ULL /* "sockwake" in little-endian memory */
#define STATS_VERSION	5U
#define STATS_LISTENING 3 /* enough for a hint */
#define STATS_WINDOWS	8 /* a client may stay connected for several nights */

enum {
	STATS_FOUND_RUNNING = 1 << 0, /* the container already ran when this wake began: somebody else had started it */
	STATS_FULL = 1 << 1,	      /* the descriptor limit is reached: new connections wait in the backlog */
	STATS_NOBODY = 1 << 2,	      /* no client that may wake the container was waiting: it was left as it is */
	STATS_AWAKE = 1 << 4,	      /* a keeper has begun to wake the container, and has not put it to sleep yet */
	STATS_LATE = 1 << 3,	      /* the timer of the schedule fired too late: nothing was woken */
	STATS_LOOPBACK =
		1 << 5, /* the server went on listening on loopback only: later wakes need not wait for a change */
};

/* Who has begun a wake. */
enum {
	STATS_BY_UNKNOWN,
	STATS_BY_CLIENT,       /* its address is `client`, unless it had left */
	STATS_BY_LOCAL_CLIENT, /* of a Unix socket */
	STATS_BY_SCHEDULE,
	STATS_BY_START,	    /* of the service: `sockwake wake`, systemctl, a container that was found running */
	STATS_BY_CONTAINER, /* it ended, and runs again */
};
#define STATS_ADDRESS 16

struct stats {
	uint64_t magic;
	uint32_t version;
	uint32_t size; /* sizeof(struct stats) of the writer */

	/* Written by the keeper and the activator. Times of one wake are CLOCK_MONOTONIC microseconds; 0 means not (yet) reached. */
	uint64_t wakes;	      /* since the file was created, that is since boot */
	uint64_t wake_wall;   /* CLOCK_REALTIME microseconds at which the current or last wake began */
	uint64_t t_spawned;   /* the kernel started the keeper */
	uint64_t t_main;      /* its main() runs: libraries are loaded */
	uint64_t t_started;   /* the engine has answered the start (or unpause) */
	uint64_t t_inspected; /* the second inspection is done */
	uint64_t container_pid;
	uint64_t flags;

	/* While the instance is held, or within one of these windows, the proxy does not end when there are no
	 * clients: CLOCK_REALTIME microseconds, 0 for none. */
	uint64_t held_until; /* `sockwake wake --for`; cleared when the instance falls asleep */
	struct {
		uint64_t from, until;
	} warm[STATS_WINDOWS]; /* of the schedule: the window that was open when this wake began, and the next ones */

	/* Written by the proxy. */
	uint64_t t_proxy;	     /* its main() runs, inside the namespace */
	uint64_t t_ready;	     /* readiness reached */
	uint64_t t_accepting;	     /* confined, READY=1 sent, accepts; the keeper sets it when the proxy says so */
	uint64_t t_last_activity;    /* the idle clock counts from here */
	uint64_t connections;	     /* open now */
	uint64_t connections_total;  /* this wake */
	uint64_t connections_failed; /* the target did not accept them */
	uint64_t bytes_to_container;
	uint64_t bytes_from_container;
	uint64_t flows; /* UDP flows now */
	uint64_t flows_total;
	uint64_t datagrams_dropped;

	/* Written by the activator, between t_main and t_started: the containers of --with are ready; 0 without
	 * dependencies. */
	uint64_t t_dependencies;

	/* Written by the keeper: since when clients have waited that it left to the next keeper; 0: there are none. */
	uint64_t t_waiting;

	/* Written by the keeper: what began this wake, and the options that it was begun with. */
	uint64_t woken_by;
	uint64_t t_client;		     /* when the client arrived that has waited the longest; 0: not known */
	unsigned char client[STATS_ADDRESS]; /* IPv4 as ::ffff:A.B.C.D; zeros: not known */
	uint64_t idle_timeout, warm_for;     /* microseconds; 0: no such option */
	uint64_t startup_timeout;

	/* Ports of the container, in host byte order; 0: none. */
	uint16_t refused; /* written by the keeper: nothing listened there for a client */
	uint16_t listening
		[STATS_LISTENING]; /* written by the proxy, if there are several: had a listener at the start */
};

/* Does it have this layout? */
bool stats_is_ours(const struct stats *s);

/* Maps an open statistics file for reading and writing. A file of another size or version is an error; with `init` it
 * is replaced by a new one. The mapping lasts until the process ends, or munmap(2). */
struct stats *stats_map(int fd, int init, struct error *err);

/* Until when the instance is held awake; 0: it is not. A time further away than HOLD_MAX (instance/schedule.h) was
 * written while the clock was wrong, and is ignored. */
uint64_t stats_held_until(const struct stats *s, uint64_t wall_now);

/* Holds the instance of this file awake until this time; 0: no longer. Errors as below. */
int stats_hold(const char *path, uint64_t until, struct error *err);

/* Could a run have reached these figures? A damaged file may have others, and so may a proxy that was taken over. */
bool stats_are_plausible(const struct stats *s);

/* Reads a copy. A missing, short or foreign file is an error with code ENOENT or EPROTO. */
int stats_read(const char *path, struct stats *ret, struct error *err);
