#include "activator/hold.h"

#include "activator/pin.h"
#include "activator/pin_unit.h"
#include "activator/runtime.h"

int hold_container(struct engine *engine, const struct options *o, struct stats *stats, struct hold *ret,
		   struct error *err)
{
	char lock[PATH_MAX];

	if (lock_path(o, engine->socket, lock, err) < 0 || lock_shared(lock, engine->deadline, &ret->lock_fd, err) < 0)
		return -1;
	if (o->unit)
		return pin_unit(engine, o, stats, ret->lock_fd, &ret->container, &ret->pidfd, &ret->woken, &ret->own,
				err);
	if (pin_container(engine, o, stats, ret->lock_fd, &ret->container, &ret->pidfd, &ret->woken, err) < 0)
		return -1;
	if (ret->woken)
		lock_record_run(ret->lock_fd, &ret->container);
	ret->own = ret->woken || lock_is_own_run(ret->lock_fd, &ret->container);
	return 0;
}

void hold_release(struct hold *h)
{
	close_fd(&h->lock_fd);
	close_fd(&h->pidfd);
	container_clear(&h->container);
}
