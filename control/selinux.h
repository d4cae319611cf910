/* SELinux labels of ports. */
#pragma once

#include "control/install.h"

/* Labels the container's TCP ports as the original tool did, or removes the labels, when semanage(8) is there. Ports in
 * use by other instances keep theirs. Failure does not matter: the policy may know the port already. */
void selinux_label_ports(const struct instance *i);
void selinux_unlabel_ports(const struct instance *i, const struct stored_list *others);
