#include "control/observation_json.h"

#include "common/clock.h"
#include "instance/json.h"

static bool add_seconds(cJSON *object, const char *key, uint64_t usec)
{
	if (usec == 0)
		return cJSON_AddNullToObject(object, key);
	return cJSON_AddNumberToObject(object, key, (double)usec / (double)USEC_PER_SEC);
}

static bool add_dependency_states(cJSON *object, const struct observation *o)
{
	size_t k = 0;
	cJSON *entry;

	cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(object, "with"))
	{
		if (!cJSON_AddStringToObject(entry, "container_state", o->dependency_states[k++]))
			return false;
	}
	return true;
}

static bool add_appearance(cJSON *object, const struct instance *i)
{
	static const char *const words[] = {
		[APPEAR_NOWHERE] = "nowhere",
		[APPEAR_OUTSIDE] = "outside",
		[APPEAR_LOCAL] = "local",
		[APPEAR_LOCAL_BEFORE] = "local",
	};

	return cJSON_AddStringToObject(object, "clients_appear", words[instance_appearance(i)]);
}

cJSON *observation_to_json(const struct observation *o)
{
	const struct instance *i = &o->stored->instance;
	_cleanup_free_ char *config = o->stored->problem ? NULL : instance_to_json(i);
	cJSON *object = config ? cJSON_Parse(config) : cJSON_CreateObject();

	if (object && (config || cJSON_AddStringToObject(object, "name", i->name)) &&
	    cJSON_AddStringToObject(object, "status", o->socket_state) &&
	    cJSON_AddStringToObject(object, "state", observe_state_name(o->state)) &&
	    (o->reason[0] ? cJSON_AddStringToObject(object, "reason", o->reason)
			  : cJSON_AddNullToObject(object, "reason")) &&
	    add_seconds(object, "since", o->since_usec) && add_seconds(object, "held_until", o->held_until) &&
	    add_seconds(object, "sleeps_at", o->sleeps_at) &&
	    (o->phase[0] ? cJSON_AddStringToObject(object, "phase", o->phase)
			 : cJSON_AddNullToObject(object, "phase")) &&
	    cJSON_AddNumberToObject(object, "waiting", (double)o->waiting) &&
	    cJSON_AddStringToObject(object, "container_state", o->container_state) &&
	    cJSON_AddBoolToObject(object, "changed_since_wake", o->changed) &&
	    (o->hides[0] ? cJSON_AddStringToObject(object, "hides", o->hides)
			 : cJSON_AddNullToObject(object, "hides")) &&
	    cJSON_AddNumberToObject(object, "connections", (double)observation_connections(o)) &&
	    add_dependency_states(object, o) && add_appearance(object, i) &&
	    cJSON_AddBoolToObject(object, "legacy", i->legacy))
		return object;
	cJSON_Delete(object);
	return NULL;
}
