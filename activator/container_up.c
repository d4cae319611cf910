#include "activator/container_up.h"

#include "activator/pin.h"
#include "activator/pin_unit.h"
#include "activator/runtime.h"
#include "activator/situation.h"
#include "common/fault.h"

int container_up_bring(struct engine *engine, const struct options *o, struct stats *stats, struct container_up *ret,
		       struct error *err)
{
	char directory[PATH_MAX], named[LOCK_NAME_MAX];

	lock_name(o->backend, engine->socket, o->container, named);
	if (runtime_directory(o->scope, directory, err) < 0 ||
	    container_lock_shared(&ret->lock, directory, named, o->unit, engine->deadline, err) < 0)
		return -1;
	FAULT("wake:locked");
	if (o->unit)
		return pin_unit(engine, o, stats, &ret->lock, &ret->container, &ret->pidfd, &ret->woken, &ret->own,
				err);
	if (pin_container(engine, o, stats, &ret->lock, directory, &ret->container, &ret->pidfd, &ret->woken, err) < 0)
		return -1;
	ret->own = ret->woken || container_is_own(&ret->container, ret->lock.named);
	lock_record_run(ret->lock.named, &ret->container, ret->own);
	return 0;
}

void container_up_release(struct container_up *h)
{
	container_lock_release(&h->lock);
	close_fd(&h->pidfd);
	container_clear(&h->container);
}
