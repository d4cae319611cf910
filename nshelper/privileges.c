/* The order matters: each step needs a capability that a later one gives up.
 *
 *	ambient set	  cleared
 *	bounding set	  dropped one by one				(CAP_SETPCAP)
 *	NO_SETUID_FIXUP	  set, so that setresuid() keeps the capabilities for what follows (CAP_SETPCAP)
 *	the user	  groups, gid, uid				(CAP_SETGID, CAP_SETUID)
 *	ambient set	  CAP_NET_RAW raised, if it is kept
 *	securebits	  all set and locked				(CAP_SETPCAP)
 *	three sets	  permitted, effective, inheritable at once
 *	no-new-privileges
 */
#include "nshelper/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/parse.h"

/* KEEP_CAPS is locked in its off position. */
#define LOCKED_ON                                                                                                      \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |               \
	 SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static void free_caps(cap_t *c)
{
	if (*c)
		cap_free(*c);
	*c = NULL;
}
#define _cleanup_caps_ _cleanup_(free_caps)

/* "UID:GID" */
static bool parse_numbers(const char *user, struct identity *ret)
{
	const char *colon = strchr(user, ':');
	struct error ignored;
	uint64_t uid, gid;
	char text[16];

	if (!colon || (size_t)(colon - user) >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(colon - user), user);
	if (parse_u64("", text, 0, UINT32_MAX - 1, &uid, &ignored) < 0 ||
	    parse_u64("", colon + 1, 0, UINT32_MAX - 1, &gid, &ignored) < 0)
		return false;
	*ret = (struct identity){.uid = (uid_t)uid, .gid = (gid_t)gid};
	return true;
}

/* getpwnam(3) would load modules that nsswitch.conf(5) names, and run them as root. */
static int find_in_passwd(const char *path, const char *user, struct identity *ret, struct error *err)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	const struct passwd *p;

	if (!f)
		return error_errno(err, errno, "cannot look up the system user %s in '%s'", user, path);
	while ((p = fgetpwent(f))) {
		if (strcmp(p->pw_name, user) == 0) {
			*ret = (struct identity){.uid = p->pw_uid, .gid = p->pw_gid};
			return 0;
		}
	}
	return error_set(err, ENOENT,
			 "the system user %s does not exist in '%s': run systemd-sysusers, or give --user UID:GID",
			 user, path);
}

int identity_find(const char *user, struct identity *ret, struct error *err)
{
	if (!parse_numbers(user, ret) && find_in_passwd("/etc/passwd", user, ret, err) < 0)
		return -1;
	if (ret->uid == 0)
		return error_set(err, EINVAL, "--user %s would keep root's identity: name an unprivileged user", user);
	return 0;
}

int capability_is_effective(cap_value_t cap, bool *ret, struct error *err)
{
	_cleanup_caps_ cap_t caps = cap_get_proc();
	cap_flag_value_t value;

	if (!caps || cap_get_flag(caps, cap, CAP_EFFECTIVE, &value) < 0)
		return error_errno(err, errno, "cannot read the capabilities");
	*ret = value == CAP_SET;
	return 0;
}

static bool is_kept(const struct privileges *p, cap_value_t cap)
{
	return p->keep_net_raw && cap == CAP_NET_RAW;
}

static int drop_bounding_set(const struct privileges *p, struct error *err)
{
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
		if (is_kept(p, cap) || cap_get_bound(cap) <= 0)
			continue;
		if (cap_drop_bound(cap) < 0)
			return error_errno(err, errno,
					   "cannot drop capability %d from the bounding set (that takes CAP_SETPCAP)",
					   cap);
	}
	return 0;
}

static int add_securebits(unsigned bits, struct error *err)
{
	/* Leave unknown bits as they are: newer kernels have more, and they may be locked. */
	unsigned wanted = (cap_get_secbits() & ~(unsigned)SECBIT_KEEP_CAPS) | bits;

	if (cap_set_secbits(wanted) < 0)
		return error_errno(err, errno, "cannot set the securebits (that takes CAP_SETPCAP)");
	return 0;
}

static int become_user(const struct identity *i, struct error *err)
{
	if (setgroups(0, NULL) < 0)
		return error_errno(err, errno, "cannot give up the supplementary groups (that takes CAP_SETGID)");
	if (setresgid(i->gid, i->gid, i->gid) < 0)
		return error_errno(err, errno, "cannot become group %u (that takes CAP_SETGID)", i->gid);
	if (setresuid(i->uid, i->uid, i->uid) < 0)
		return error_errno(err, errno, "cannot become user %u (that takes CAP_SETUID)", i->uid);
	return 0;
}

static int raise_ambient_net_raw(struct error *err)
{
	static const cap_value_t net_raw = CAP_NET_RAW;
	_cleanup_caps_ cap_t caps = cap_get_proc();

	if (!caps || cap_set_flag(caps, CAP_INHERITABLE, 1, &net_raw, CAP_SET) < 0 || cap_set_proc(caps) < 0 ||
	    cap_set_ambient(net_raw, CAP_SET) < 0)
		return error_errno(err, errno, "cannot keep CAP_NET_RAW for --transparent");
	return 0;
}

/* The final content of the sets that capset(2) changes. NULL if memory is short. */
static cap_t final_caps(const struct privileges *p)
{
	static const cap_value_t net_raw = CAP_NET_RAW;
	_cleanup_caps_ cap_t caps = cap_init();

	if (caps && p->keep_net_raw &&
	    (cap_set_flag(caps, CAP_PERMITTED, 1, &net_raw, CAP_SET) < 0 ||
	     cap_set_flag(caps, CAP_EFFECTIVE, 1, &net_raw, CAP_SET) < 0 ||
	     cap_set_flag(caps, CAP_INHERITABLE, 1, &net_raw, CAP_SET) < 0))
		return NULL;
	return steal_ptr(&caps);
}

static int verify_capabilities(const struct privileges *p, bool bounding_stays, struct error *err)
{
	_cleanup_caps_ cap_t now = cap_get_proc(), wanted = final_caps(p);

	if (!now || !wanted)
		return error_errno(err, errno, "cannot read the capabilities back");
	if (cap_compare(now, wanted) != 0)
		return error_set(err, EPERM, "capabilities are left that were to be dropped");
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
		if (cap_get_ambient(cap) != is_kept(p, cap))
			return error_set(err, EPERM, "the ambient set is not as it was to be (capability %d)", cap);
		if (!bounding_stays && cap_get_bound(cap) != is_kept(p, cap))
			return error_set(err, EPERM, "the bounding set is not as it was to be (capability %d)", cap);
	}
	if (!bounding_stays && (cap_get_secbits() & (unsigned)(LOCKED_ON | SECBIT_KEEP_CAPS)) != LOCKED_ON)
		return error_set(err, EPERM, "the securebits are not locked");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return error_set(err, EPERM, "no-new-privileges is not set");
	return 0;
}

static int verify_identity(const struct identity *i, struct error *err)
{
	uid_t uid[3];
	gid_t gid[3];

	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return error_errno(err, errno, "cannot read the user back");
	for (int n = 0; n < 3; n++) {
		if (uid[n] != i->uid || gid[n] != i->gid)
			return error_set(err, EPERM, "this did not become user %u and group %u", i->uid, i->gid);
	}
	if (getgroups(0, NULL) != 0)
		return error_set(err, EPERM, "supplementary groups are left");
	return 0;
}

int privileges_drop(const struct privileges *p, struct error *err)
{
	_cleanup_caps_ cap_t none = NULL;
	bool can_set, bounding_stays;

	if (capability_is_effective(CAP_SETPCAP, &can_set, err) < 0)
		return -1;
	bounding_stays = p->bounding_may_stay && !can_set;
	if (cap_reset_ambient() < 0)
		return error_errno(err, errno, "cannot clear the ambient capabilities");
	if (!bounding_stays && (drop_bounding_set(p, err) < 0 || add_securebits(SECBIT_NO_SETUID_FIXUP, err) < 0))
		return -1;
	if (p->identity && become_user(p->identity, err) < 0)
		return -1;
	if (p->keep_net_raw && raise_ambient_net_raw(err) < 0)
		return -1;
	if (!bounding_stays && add_securebits(LOCKED_ON, err) < 0)
		return -1;
	none = final_caps(p);
	if (!none || cap_set_proc(none) < 0)
		return error_errno(err, errno, "cannot drop the capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, errno, "cannot set no-new-privileges");
	if (verify_capabilities(p, bounding_stays, err) < 0 || (p->identity && verify_identity(p->identity, err) < 0))
		return error_context(err, "refusing to go on");
	return 0;
}
