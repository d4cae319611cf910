/* An empty root.
 *
 * A tmpfs with a single inode, read-only from the start, is attached over "/" and becomes the root by pivot_root(2).
 * The old root is then on top of it, and is detached with everything below. Open descriptors stay usable, and so does a
 * working directory in the container: from there a relative path leads into the container; an absolute path or symbolic
 * link leads nowhere.
 *
 * This needs no privilege: a new user namespace gives all capabilities over the mount namespace made with it. In that
 * mount namespace the host's mounts are slaves of their originals, so nothing propagates back: mount_namespaces(7).
 */
#include "confine/empty_root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

/* A detached mount of an empty tmpfs: fsopen(2), fsmount(2). */
static int empty_file_system(void)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int pivot_into(int root)
{
	if (move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(root) < 0)
		return -1;
	/* "pivot_root(".", ".")" in the notes of pivot_root(2). */
	return syscall(SYS_pivot_root, ".", ".") < 0 ? -1 : umount2(".", MNT_DETACH);
}

int empty_root(bool keep_directory, struct error *err)
{
	_cleanup_close_ int directory = -1, root = -1;

	/* Only with keep_directory: another directory, that of the user who started us, may be out of reach now. */
	if (keep_directory && (directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return error_errno(err, errno, "cannot hold the working directory");
	/* Fails if a sysctl, an LSM or the unit forbids it, or if our user has no id in the container's user
	 * namespace. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 1;
	/* An LSM may also allow the namespace, but no capability in it (AppArmor on Ubuntu). */
	root = empty_file_system();
	if (root < 0)
		return 1;
	if (pivot_into(root) < 0)
		return error_errno(err, errno, "cannot move to an empty root");
	if ((keep_directory ? fchdir(directory) : chdir("/")) < 0)
		return error_errno(err, errno, "cannot change the working directory");
	return 0;
}
