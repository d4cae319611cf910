#include "confine/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int capabilities_drop(bool keep_net_raw, struct error *err)
{
	const uint32_t kept = keep_net_raw ? CAP_TO_MASK(CAP_NET_RAW) : 0;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{.effective = kept, .permitted = kept}};

	/* Without CAP_SETPCAP the bounding set stays as nshelper left it. PR_CAPBSET_READ fails after the last
	 * capability. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (!(keep_net_raw && cap == CAP_NET_RAW))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
		return error_errno(err, errno, "cannot give up capabilities%s",
				   keep_net_raw ? "; --transparent needs nshelper --transparent" : "");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, errno, "cannot rule out new privileges");
	return 0;
}
