#include "dial/patience.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "common/clock.h"
#include "common/extremes.h"

#define PAUSE_SHARE 32
#define PAUSE_MAX   (20 * USEC_PER_MSEC)

/* After this time a little more delay does not matter. */
#define LONG_TIME	(30 * USEC_PER_SEC)
#define LONG_TIME_PAUSE (250 * USEC_PER_MSEC)

int patience_poll(const struct patience *p, int fd, short events, uint64_t until, struct error *err)
{
	/* A pidfd polls readable when its process ends: pidfd_open(2). Negative descriptors are skipped: poll(2). */
	struct pollfd fds[] = {{.fd = p->pidfd, .events = POLLIN}, {.fd = fd, .events = events}};

	until = least_of(until, p->deadline);
	for (;;) {
		uint64_t now = now_usec(), left = beyond(until, now);
		struct timespec ts = {.tv_sec = (time_t)(left / USEC_PER_SEC),
				      .tv_nsec = (long)(left % USEC_PER_SEC * NSEC_PER_USEC)};
		int n = ppoll(fds, 2, until == USEC_INFINITY ? NULL : &ts, NULL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "cannot wait for the container");
		if (fds[0].revents)
			return error_set(err, ESRCH, "the container ended before it was ready; its log should say why");
		return n;
	}
}

int patience_pause(const struct patience *p, uint64_t min_usec, bool costly, struct error *err)
{
	uint64_t now = now_usec(), waited = now - p->started, usec = waited / PAUSE_SHARE;
	uint64_t most = waited < LONG_TIME && !costly ? PAUSE_MAX : LONG_TIME_PAUSE;

	usec = least_of(most_of(usec, min_usec), most);
	return patience_poll(p, -1, 0, now + usec, err) < 0 ? -1 : 0;
}
