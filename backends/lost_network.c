#include "backends/lost_network.h"

#include <string.h>

#define ID_LENGTH 64

static bool is_id(const char *text)
{
	return strspn(text, "0123456789abcdef") == ID_LENGTH;
}

static bool names_network_by_id(const char *text)
{
	static const char word[] = "network ";

	for (const char *p = text; (p = strstr(p, word)); p++) {
		if (is_id(p + strlen(word)) && strncmp(p + strlen(word) + ID_LENGTH, " not found", 10) == 0)
			return true;
	}
	return false;
}

void lost_network_explain(struct engine *e, const char *container, struct error *err)
{
	_cleanup_container_ struct container c = {};
	const char *name = e->backend->name, *network = c.network_mode;
	struct error why = *err, ignored;

	if (!names_network_by_id(why.text) || e->backend->inspect(e, container, &c, &ignored) < 0)
		return;
	if (!network[0] || is_id(network)) /* it was given by its identifier, or is the engine's own */
		error_set(
			err, why.code,
			"%.600s; '%s network disconnect -f NETWORK %s' and '%s network connect NETWORK %s' connect it "
			"to another one",
			why.text, name, container, name, container);
	else
		error_set(
			err, why.code,
			"%s cannot start the container '%s': its network '%s' is gone: '%s network create %s' makes it "
			"again, then '%s network disconnect -f %s %s' and '%s network connect %s %s' connect it",
			e->backend->title, container, network, name, network, name, network, container, name, network,
			container);
}
