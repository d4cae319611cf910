/* A table begins with the listeners. So only that part is read, however many connections there are. */
#include "control/waiting.h"

#include "control/socket_table.h"
#include "instance/publish.h"

bool waiting_add(const struct socket_row *row, void *data)
{
	struct waiting *w = data;

	if (row->state != SOCKET_TABLE_LISTEN)
		return false;
	for (size_t k = 0; k < w->instance->n_ports; k++) {
		if (publish_matches(&w->instance->ports[k], SOCK_STREAM, (const struct sockaddr *)&row->bound,
				    row->len)) {
			w->count += row->receive_queue;
			break;
		}
	}
	return true;
}

uint64_t waiting_count(const struct instance *i)
{
	struct waiting w = {.instance = i};

	socket_table_each("/proc/net/tcp", waiting_add, &w);
	socket_table_each("/proc/net/tcp6", waiting_add, &w);
	return w.count;
}
