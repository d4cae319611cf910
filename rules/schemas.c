#include "rules/schemas.h"

#include <errno.h>
#include <string.h>

#include "rules/checks.h"
#include "rules/isolation.h"
#include "rules/mounts.h"
#include "rules/resolve.h"
#include "rules/schema.h"

#define FREE(name, kind)                                                                                               \
	{                                                                                                              \
		name, kind, NULL, 0, NULL, NULL                                                                        \
	}
#define END                                                                                                            \
	{                                                                                                              \
		NULL, 0, NULL, 0, NULL, NULL                                                                           \
	}

/* Options of a log that stay within the engine. Podman's "path" names a file of the host. */
#define LOG_OPTIONS "max-size max-file max-buffer-size mode compress"
#define LOG_DRIVERS "json-file local journald k8s-file none"
/* With these an entry gets text of the container's maker: in the container's own file it harms nobody; in the journal of the host it
 * can pass for an entry of any unit, and in the log of another machine for one of any program. */
#define LOG_FIELDS   "labels labels-regex env env-regex tag"
#define FILE_DRIVERS "json-file local k8s-file none"

#define REFERENCES     "Binds Mounts VolumesFrom Links EndpointsConfig"
#define REFERENCES_MAX 200U

static int check_log(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)
{
	static const struct schema_row option = {.name = "Config", .key = RULES_LOG_OPTION, .free = LOG_OPTIONS};
	const char *driver = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "Type"));
	cJSON *config = cJSON_GetObjectItemCaseSensitive(item, "Config");

	if (check_kind(v, row, item, err) < 0)
		return -1;
	/* Without a driver it is the engine's own, which may be the journal. */
	if (!cJSON_IsObject(config) || (driver && schema_is_listed(FILE_DRIVERS, driver)))
		return 0;
	return check_keys(v, &option, config, err);
}

static const struct schema_row health_rows[] = {
	FREE("Test", KIND_STRINGS),
	FREE("Interval", KIND_NUMBER),
	FREE("Timeout", KIND_NUMBER),
	FREE("StartPeriod", KIND_NUMBER),
	FREE("Retries", KIND_NUMBER),
	FREE("StartInterval", KIND_NUMBER),
	END,
};

static const struct schema_row restart_rows[] = {
	FREE("Name", KIND_STRING),
	FREE("MaximumRetryCount", KIND_NUMBER),
	END,
};

static const struct schema_row log_rows[] = {
	FREE("Type", KIND_STRING),
	{"Config", KIND_MAP, check_keys, RULES_LOG_OPTION, LOG_OPTIONS " " LOG_FIELDS, NULL}, /* check_log() */
	END,
};

static const struct schema_row port_rows[] = {
	FREE("HostIp", KIND_STRING),
	FREE("HostPort", KIND_STRING),
	END,
};

static const struct schema_row rate_rows[] = {
	{"Path", KIND_STRING, check_path, 0, NULL, NULL},
	FREE("Rate", KIND_NUMBER),
	FREE("Weight", KIND_NUMBER),
	END,
};

static const struct schema_row ulimit_rows[] = {
	FREE("Name", KIND_STRING),
	FREE("Soft", KIND_NUMBER),
	FREE("Hard", KIND_NUMBER),
	END,
};

static const struct schema_row device_rows[] = {
	{"PathOnHost", KIND_STRING, mounts_check_device, RULES_DEVICE, NULL, NULL},
	{"PathInContainer", KIND_STRING, check_path, 0, NULL, NULL},
	{"CgroupPermissions", KIND_STRING, check_empty, 0, "r w m rw rm wm rwm", NULL},
	END,
};

static const struct schema_row device_request_rows[] = {
	FREE("Driver", KIND_STRING),	  FREE("Count", KIND_NUMBER), FREE("DeviceIDs", KIND_STRINGS),
	FREE("Capabilities", KIND_LISTS), FREE("Options", KIND_MAP),  END,
};

static const struct schema_row bind_rows[] = {
	FREE("Propagation", KIND_STRING), /* mounts_check_mounts() */
	FREE("NonRecursive", KIND_BOOL),
	FREE("CreateMountpoint", KIND_BOOL),
	FREE("ReadOnlyNonRecursive", KIND_BOOL),
	FREE("ReadOnlyForceRecursive", KIND_BOOL),
	END,
};

static const struct schema_row driver_rows[] = {
	FREE("Name", KIND_STRING), /* mounts_check_mounts() */
	FREE("Options", KIND_MAP),
	END,
};

static const struct schema_row volume_option_rows[] = {
	FREE("NoCopy", KIND_BOOL),
	{"Labels", KIND_MAP, check_labels, 0, NULL, NULL},
	{"Subpath", KIND_STRING, check_empty, 0, NULL, NULL},
	{"DriverConfig", KIND_OBJECT, NULL, 0, NULL, driver_rows},
	END,
};

static const struct schema_row tmpfs_rows[] = {
	FREE("SizeBytes", KIND_NUMBER),
	FREE("Mode", KIND_NUMBER),
	END,
};

static const struct schema_row mount_rows[] = {
	FREE("Type", KIND_STRING), /* mounts_check_mounts() */
	FREE("Source", KIND_STRING),
	{"Target", KIND_STRING, check_path, 0, NULL, NULL},
	FREE("ReadOnly", KIND_BOOL),
	{"Consistency", KIND_STRING, check_empty, 0, "consistent cached delegated default", NULL},
	{"BindOptions", KIND_OBJECT, NULL, 0, NULL, bind_rows},
	{"VolumeOptions", KIND_OBJECT, NULL, 0, NULL, volume_option_rows},
	{"TmpfsOptions", KIND_OBJECT, NULL, 0, NULL, tmpfs_rows},
	END,
};

/* Each key of HostConfig, and what it needs. */
static const struct schema_row host_rows[] = {
	/* the host's files */
	{"Binds", KIND_STRINGS, mounts_check_binds, RULES_BIND, NULL, NULL},
	{"Mounts", KIND_OBJECTS, mounts_check_mounts, RULES_BIND, NULL, mount_rows},
	{"VolumesFrom", KIND_STRINGS, mounts_check_volumes_from, RULES_VOLUMES_FROM, NULL, NULL},
	{"VolumeDriver", KIND_STRING, check_word, RULES_VOLUME_DRIVER, "local", NULL},
	{"Tmpfs", KIND_MAP, check_path_keys, 0, NULL, NULL},
	{"StorageOpt", KIND_MAP, check_yes, RULES_STORAGE_OPTIONS, NULL, NULL},
	{"ContainerIDFile", KIND_STRING, check_drop, 0, NULL, NULL},

	/* isolation */
	{"Privileged", KIND_BOOL, check_yes, RULES_PRIVILEGED, NULL, NULL},
	{"CapAdd", KIND_STRINGS, isolation_check_capabilities, RULES_CAPABILITY, NULL, NULL},
	FREE("CapDrop", KIND_STRINGS),
	{"Devices", KIND_OBJECTS, NULL, 0, NULL, device_rows},
	{"DeviceCgroupRules", KIND_STRINGS, check_yes, RULES_DEVICE_RULES, NULL, NULL},
	{"DeviceRequests", KIND_OBJECTS, check_yes, RULES_GPUS, NULL, device_request_rows},
	{"NetworkMode", KIND_STRING, isolation_check_network_mode, RULES_NETWORK, NULL, NULL},
	{"PidMode", KIND_STRING, isolation_check_mode, RULES_PID, "private", NULL},
	{"IpcMode", KIND_STRING, isolation_check_mode, RULES_IPC, "private shareable none", NULL},
	{"UTSMode", KIND_STRING, isolation_check_mode, RULES_UTS, "private", NULL},
	{"CgroupnsMode", KIND_STRING, isolation_check_mode, RULES_CGROUP_NAMESPACE, "private", NULL},
	{"UsernsMode", KIND_STRING, isolation_check_mode, RULES_USER_NAMESPACE, NULL, NULL},
	{"Cgroup", KIND_STRING, check_empty, 0, NULL, NULL},
	{"CgroupParent", KIND_STRING, check_word, RULES_CGROUP_PARENT, NULL, NULL},
	{"SecurityOpt", KIND_STRINGS, isolation_check_security, RULES_SECURITY_OPTION, NULL, NULL},
	{"MaskedPaths", KIND_STRINGS, check_given, RULES_UNMASK, NULL, NULL},
	{"ReadonlyPaths", KIND_STRINGS, check_given, RULES_UNMASK, NULL, NULL},
	{"Annotations", KIND_MAP, check_keys, RULES_ANNOTATION, NULL, NULL},
	{"Sysctls", KIND_MAP, check_keys, RULES_SYSCTL, NULL, NULL},
	{"Runtime", KIND_STRING, check_word, RULES_RUNTIME, NULL, NULL},
	{"Isolation", KIND_STRING, check_empty, 0, "default", NULL},
	{"GroupAdd", KIND_STRINGS, isolation_check_groups, 0, NULL, NULL},
	{"Links", KIND_STRINGS, isolation_check_old_links, 0, NULL, NULL},
	{"PortBindings", KIND_MAP_OBJECTS, check_yes, RULES_PUBLISH, NULL, port_rows},
	{"PublishAllPorts", KIND_BOOL, check_yes, RULES_PUBLISH, NULL, NULL},

	/* how it lives */
	{"RestartPolicy", KIND_OBJECT, check_kind, RULES_RESTART, "no", restart_rows},
	{"LogConfig", KIND_OBJECT, check_log, RULES_LOG_DRIVER, LOG_DRIVERS, log_rows},
	{"OomScoreAdj", KIND_NUMBER, check_negative, RULES_OOM, NULL, NULL},
	{"OomKillDisable", KIND_BOOL, check_yes, RULES_OOM, NULL, NULL},
	{"Ulimits", KIND_OBJECTS, check_yes, RULES_ULIMITS, NULL, ulimit_rows},
	{"CpuRealtimePeriod", KIND_NUMBER, check_yes, RULES_REALTIME, NULL, NULL},
	{"CpuRealtimeRuntime", KIND_NUMBER, check_yes, RULES_REALTIME, NULL, NULL},
	FREE("AutoRemove", KIND_BOOL),
	FREE("ConsoleSize", KIND_NUMBERS),
	FREE("Dns", KIND_STRINGS),
	FREE("DnsOptions", KIND_STRINGS),
	FREE("DnsSearch", KIND_STRINGS),
	FREE("ExtraHosts", KIND_STRINGS),
	FREE("Init", KIND_BOOL),
	FREE("ReadonlyRootfs", KIND_BOOL),
	FREE("ShmSize", KIND_NUMBER),

	/* shares and limits */
	{"BlkioDeviceReadBps", KIND_OBJECTS, NULL, 0, NULL, rate_rows},
	{"BlkioDeviceReadIOps", KIND_OBJECTS, NULL, 0, NULL, rate_rows},
	{"BlkioDeviceWriteBps", KIND_OBJECTS, NULL, 0, NULL, rate_rows},
	{"BlkioDeviceWriteIOps", KIND_OBJECTS, NULL, 0, NULL, rate_rows},
	FREE("BlkioWeight", KIND_NUMBER),
	{"BlkioWeightDevice", KIND_OBJECTS, NULL, 0, NULL, rate_rows},
	FREE("CpuCount", KIND_NUMBER),
	FREE("CpuPercent", KIND_NUMBER),
	FREE("CpuPeriod", KIND_NUMBER),
	FREE("CpuQuota", KIND_NUMBER),
	FREE("CpuShares", KIND_NUMBER),
	FREE("CpusetCpus", KIND_STRING),
	FREE("CpusetMems", KIND_STRING),
	FREE("IOMaximumBandwidth", KIND_NUMBER),
	FREE("IOMaximumIOps", KIND_NUMBER),
	FREE("KernelMemory", KIND_NUMBER),
	FREE("KernelMemoryTCP", KIND_NUMBER),
	FREE("Memory", KIND_NUMBER),
	FREE("MemoryReservation", KIND_NUMBER),
	FREE("MemorySwap", KIND_NUMBER),
	FREE("MemorySwappiness", KIND_NUMBER),
	FREE("NanoCpus", KIND_NUMBER),
	FREE("PidsLimit", KIND_NUMBER),
	END,
};

static const struct schema_row address_rows[] = {
	FREE("IPv4Address", KIND_STRING),
	FREE("IPv6Address", KIND_STRING),
	FREE("LinkLocalIPs", KIND_STRINGS),
	END,
};

static const struct schema_row endpoint_rows[] = {
	{"IPAMConfig", KIND_OBJECT, NULL, 0, NULL, address_rows},
	{"Links", KIND_STRINGS, isolation_check_links, 0, NULL, NULL},
	FREE("Aliases", KIND_STRINGS),
	FREE("MacAddress", KIND_STRING),
	{"DriverOpts", KIND_MAP, check_yes, RULES_NETWORK_OPTIONS, NULL, NULL},
	FREE("GwPriority", KIND_NUMBER),
	/* These tell of a network, and clients send them back. */
	{"NetworkID", KIND_STRING, check_drop, 0, NULL, NULL},
	{"EndpointID", KIND_STRING, check_drop, 0, NULL, NULL},
	FREE("Gateway", KIND_STRING),
	FREE("IPAddress", KIND_STRING),
	FREE("IPPrefixLen", KIND_NUMBER),
	FREE("IPv6Gateway", KIND_STRING),
	FREE("GlobalIPv6Address", KIND_STRING),
	FREE("GlobalIPv6PrefixLen", KIND_NUMBER),
	FREE("DNSNames", KIND_STRINGS),
	END,
};

static const struct schema_row networking_rows[] = {
	{"EndpointsConfig", KIND_MAP_OBJECT, isolation_check_networks, RULES_NETWORK, NULL, endpoint_rows},
	END,
};

/* The keys of a container that do not depend on the host. */
#define CONFIG_ROWS                                                                                                    \
	FREE("Hostname", KIND_STRING), FREE("Domainname", KIND_STRING), FREE("User", KIND_STRING),                     \
		FREE("AttachStdin", KIND_BOOL), FREE("AttachStdout", KIND_BOOL), FREE("AttachStderr", KIND_BOOL),      \
		FREE("ExposedPorts", KIND_SET), FREE("Tty", KIND_BOOL), FREE("OpenStdin", KIND_BOOL),                  \
		FREE("StdinOnce", KIND_BOOL), {"Env", KIND_STRINGS, check_environment, 0, NULL, NULL},                 \
		FREE("Cmd", KIND_WORDS), {"Healthcheck", KIND_OBJECT, NULL, 0, NULL, health_rows},                     \
		FREE("ArgsEscaped", KIND_BOOL), {"Image", KIND_STRING, check_image, 0,                                 \
						 NULL,	  NULL}, /* Podman takes such a path for "SOURCE:TARGET". */   \
		{"Volumes", KIND_SET, check_path_keys, 0, NULL, NULL}, FREE("WorkingDir", KIND_STRING),                \
		FREE("Entrypoint", KIND_WORDS), FREE("NetworkDisabled", KIND_BOOL), FREE("MacAddress", KIND_STRING),   \
		{"OnBuild", KIND_STRINGS, check_empty, 0, NULL, NULL},                                                 \
		{"Labels", KIND_MAP, check_labels, 0, NULL, NULL}, FREE("StopSignal", KIND_STRING),                    \
		FREE("StopTimeout", KIND_NUMBER), FREE("Shell", KIND_STRINGS),                                         \
	{                                                                                                              \
		"Runtime", KIND_STRING, check_word, RULES_RUNTIME, NULL, NULL                                          \
	}

static const struct schema_row config_rows[] = {CONFIG_ROWS, END};

static const struct schema_row create_rows[] = {
	CONFIG_ROWS,
	{"HostConfig", KIND_OBJECT, NULL, 0, NULL, host_rows},
	{"NetworkingConfig", KIND_OBJECT, NULL, 0, NULL, networking_rows},
	END,
};

static const struct schema_row exec_rows[] = {
	FREE("AttachStdin", KIND_BOOL),
	FREE("AttachStdout", KIND_BOOL),
	FREE("AttachStderr", KIND_BOOL),
	FREE("Detach", KIND_BOOL),
	FREE("DetachKeys", KIND_STRING),
	FREE("detachKeys", KIND_STRING), /* of the Python SDK; it is in a table of exact names, too */
	FREE("Tty", KIND_BOOL),
	FREE("ConsoleSize", KIND_NUMBERS),
	{"Env", KIND_STRINGS, check_environment, 0, NULL, NULL},
	FREE("Cmd", KIND_WORDS),
	{"Privileged", KIND_BOOL, check_yes, RULES_EXEC_PRIVILEGED, NULL, NULL},
	FREE("User", KIND_STRING),
	FREE("WorkingDir", KIND_STRING),
	{"Container", KIND_STRING, check_drop, 0, NULL, NULL}, /* the path says which */
	END,
};

static const struct schema_row exec_start_rows[] = {
	FREE("Detach", KIND_BOOL),
	FREE("Tty", KIND_BOOL),
	FREE("ConsoleSize", KIND_NUMBERS),
	END,
};

static const struct schema_row pool_rows[] = {
	FREE("Subnet", KIND_STRING),	      FREE("IPRange", KIND_STRING), FREE("Gateway", KIND_STRING),
	FREE("AuxiliaryAddresses", KIND_MAP), FREE("AuxAddress", KIND_MAP), END,
};

static const struct schema_row ipam_rows[] = {
	{"Driver", KIND_STRING, check_word, RULES_NETWORK_DRIVER, "default", NULL},
	{"Options", KIND_MAP, check_yes, RULES_NETWORK_OPTIONS, NULL, NULL},
	/* The host routes these addresses into the network, whosever they are. */
	{"Config", KIND_OBJECTS, check_yes, RULES_NETWORK_OPTIONS, NULL, pool_rows},
	END,
};

static const struct schema_row config_from_rows[] = {
	{"Network", KIND_STRING, check_empty, 0, NULL, NULL},
	END,
};

static const struct schema_row network_rows[] = {
	FREE("Name", KIND_STRING),
	FREE("CheckDuplicate", KIND_BOOL),
	{"Driver", KIND_STRING, check_word, RULES_NETWORK_DRIVER, "bridge", NULL},
	{"Options", KIND_MAP, check_yes, RULES_NETWORK_OPTIONS, NULL, NULL},
	{"IPAM", KIND_OBJECT, NULL, 0, NULL, ipam_rows},
	{"Labels", KIND_MAP, check_labels, 0, NULL, NULL},
	FREE("Internal", KIND_BOOL),
	FREE("Attachable", KIND_BOOL),
	FREE("EnableIPv4", KIND_BOOL),
	FREE("EnableIPv6", KIND_BOOL),
	{"Ingress", KIND_BOOL, check_empty, 0, NULL, NULL},
	{"Scope", KIND_STRING, check_empty, 0, "local", NULL},
	{"ConfigOnly", KIND_BOOL, check_empty, 0, NULL, NULL},
	{"ConfigFrom", KIND_OBJECT, NULL, 0, NULL, config_from_rows},
	END,
};

static const struct schema_row connect_rows[] = {
	{"Container", KIND_STRING, isolation_check_container, 0, NULL, NULL},
	{"EndpointConfig", KIND_OBJECT, NULL, 0, NULL, endpoint_rows},
	END,
};

static const struct schema_row disconnect_rows[] = {
	{"Container", KIND_STRING, isolation_check_container, 0, NULL, NULL},
	FREE("Force", KIND_BOOL),
	END,
};

static const struct schema_row volume_rows[] = {
	FREE("Name", KIND_STRING), /* schemas_check() */
	FREE("Driver", KIND_STRING),
	FREE("DriverOpts", KIND_MAP),
	{"Labels", KIND_MAP, check_labels, 0, NULL, NULL},
	{"ClusterVolumeSpec", KIND_OBJECT, check_empty, 0, NULL, NULL},
	END,
};

static const struct schema_row auth_rows[] = {
	FREE("username", KIND_STRING),	    FREE("password", KIND_STRING),
	FREE("auth", KIND_STRING),	    FREE("email", KIND_STRING),
	FREE("serveraddress", KIND_STRING), FREE("identitytoken", KIND_STRING),
	FREE("registrytoken", KIND_STRING), END,
};

static const struct schema {
	const struct schema_row *rows;
	bool labelled; /* it creates something that carries the label */
} schemas[SCHEMA_COUNT] = {
	[SCHEMA_AUTH] = {auth_rows, false},
	[SCHEMA_CREATE] = {create_rows, true},
	[SCHEMA_CONFIG] = {config_rows, false},
	[SCHEMA_UPDATE] = {host_rows, false},
	[SCHEMA_EXEC] = {exec_rows, false},
	[SCHEMA_EXEC_START] = {exec_start_rows, false},
	[SCHEMA_NETWORK] = {network_rows, true},
	[SCHEMA_CONNECT] = {connect_rows, false},
	[SCHEMA_DISCONNECT] = {disconnect_rows, false},
	[SCHEMA_VOLUME] = {volume_rows, true},
};

/* How many things of the host and of the engine the body names: the engine may be asked about each. */
static unsigned count_references(const cJSON *item)
{
	unsigned n = 0;

	for (const cJSON *child = item->child; child; child = child->next) {
		if (child->string && schema_is_listed(REFERENCES, child->string))
			n += (unsigned)cJSON_GetArraySize(child);
		n += count_references(child);
	}
	return n;
}

static const char *name_of(const cJSON *body, const char *key)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, key));

	return name ? name : "";
}

int schemas_check(const struct verdict *v, enum endpoint_schema schema, cJSON *body, struct error *err)
{
	const struct schema *s = &schemas[schema];

	if (count_references(body) > REFERENCES_MAX)
		return error_set(err, EINVAL, "the request names more than %u binds, mounts, links and networks",
				 REFERENCES_MAX);
	if (schema_check(v, s->rows, body, err) < 0)
		return -1;
	if (schema == SCHEMA_VOLUME &&
	    mounts_check_new_volume(v, cJSON_GetObjectItemCaseSensitive(body, "Name"),
				    cJSON_GetObjectItemCaseSensitive(body, "Driver"),
				    cJSON_GetObjectItemCaseSensitive(body, "DriverOpts"), err) < 0)
		return -1;
	if (schema == SCHEMA_NETWORK && resolve_new_network(v, name_of(body, "Name"), err) < 0)
		return -1;
	if (schema == SCHEMA_CREATE && resolve_image_use(v, name_of(body, "Image"), err) < 0)
		return -1;
	return s->labelled ? checks_add_label(v, body, err) : 0;
}
