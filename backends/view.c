#include "backends/view.h"

#include <string.h>
#include <strings.h>

#include "common/parse.h"

#define MOUNTS_MAX 64

/* Accepts "SYS_PTRACE", "CAP_SYS_PTRACE" and "ALL", in any case. */
static bool allows_tracing(const cJSON *capabilities)
{
	const cJSON *j;

	cJSON_ArrayForEach(j, capabilities)
	{
		const char *s = cJSON_IsString(j) ? j->valuestring : "";

		if (strncasecmp(s, "CAP_", 4) == 0)
			s += 4;
		if (strcasecmp(s, "SYS_PTRACE") == 0 || strcasecmp(s, "ALL") == 0)
			return true;
	}
	return false;
}

/* Both engines name an unnamed volume by 64 hexadecimal digits. */
static bool has_no_name(const char *volume)
{
	return strspn(volume, "0123456789abcdef") == 64 && !volume[64];
}

/* {"Type": "volume", "Name": "data", "Source": "/var/lib/docker/volumes/data/_data", "Driver": "local", …} or {"Type":
 * "bind", "Source": "/srv", …}. Leaves out mounts with odd names or paths. */
static bool take_mount(const cJSON *j, struct container *ret)
{
	const char *type = json_string(j, "Type"), *source = json_string(j, "Source");
	const char *name = json_string(j, "Name"), *driver = json_string(j, "Driver");
	const char *destination = json_string(j, "Destination");
	bool is_volume = type && strcmp(type, "volume") == 0;
	struct container_mount *m = &ret->mounts[ret->n_mounts];

	if (!type || !source || source[0] != '/' || ret->n_mounts == MOUNTS_MAX ||
	    (is_volume ? !name || !container_name_is_valid(name) || has_no_name(name) : strcmp(type, "bind") != 0))
		return true;
	*m = (struct container_mount){
		.name = is_volume ? strdup(name) : NULL,
		.source = strdup(source),
		.destination = strdup(destination && destination[0] == '/' ? destination : ""),
		.is_local = is_volume && driver && strcmp(driver, "local") == 0,
	};
	ret->n_mounts++;
	return m->source && m->destination && (m->name || !is_volume);
}

/* [{"Type": "bind", "Source": "/proc", …}, …]; volumes also have a path of the host. */
static bool take_mounts(const cJSON *mounts, struct container *ret)
{
	size_t n = 0;
	const cJSON *j;

	if (!mounts)
		return true;
	if (!cJSON_IsArray(mounts))
		return false;
	ret->mounted = calloc((size_t)cJSON_GetArraySize(mounts) + 1, sizeof(*ret->mounted));
	ret->mounts = calloc(MOUNTS_MAX, sizeof(*ret->mounts));
	if (!ret->mounted || !ret->mounts)
		return false;
	cJSON_ArrayForEach(j, mounts)
	{
		const cJSON *source = json_member(j, "Source");

		if (!take_mount(j, ret))
			return false;
		if (!cJSON_IsString(source) || source->valuestring[0] != '/') /* a tmpfs has none */
			continue;
		ret->mounted[n] = strdup(source->valuestring);
		if (!ret->mounted[n++])
			return false;
	}
	return true;
}

bool reply_view(const cJSON *root, struct container *ret)
{
	const cJSON *host = json_member(root, "HostConfig");
	const char *pid_mode = json_string(host, "PidMode");
	bool privileged = false;

	if (!json_bool(host, "Privileged", &privileged) ||
	    !json_copy_string(json_member(root, "NetworkSettings"), "SandboxKey", ret->sandbox, sizeof(ret->sandbox)))
		return false;
	ret->host_pid = pid_mode && strcmp(pid_mode, "host") == 0;
	/* Only Podman tells the whole set. */
	ret->may_trace = privileged || allows_tracing(json_member(host, "CapAdd")) ||
			 allows_tracing(json_member(root, "EffectiveCaps")) ||
			 allows_tracing(json_member(root, "BoundingCaps"));
	return take_mounts(json_member(root, "Mounts"), ret);
}
