/* What a container may have of the host's files: binds, mounts and volumes, and the options of a volume's driver, which can
 * bind, too. */
#pragma once

#include "rules/schema.h"

#define CHECK(name) int name(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)

CHECK(mounts_check_binds);	  /* HostConfig.Binds */
CHECK(mounts_check_mounts);	  /* HostConfig.Mounts */
CHECK(mounts_check_volumes_from); /* HostConfig.VolumesFrom */
CHECK(mounts_check_device);	  /* PathOnHost of HostConfig.Devices */

#undef CHECK

/* The name, driver and options of a new volume; each may be NULL. */
int mounts_check_new_volume(const struct verdict *v, const cJSON *name, const cJSON *driver, const cJSON *options,
			    struct error *err);

/* May files be copied into this container? Before it starts, Podman writes through its read-only binds into the host's files. */
int mounts_check_copy(const struct verdict *v, const char *id, struct error *err);
