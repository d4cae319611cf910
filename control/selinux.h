/* SELinux labels of ports. */
#pragma once

#include "control/install.h"

/* Labels the container's TCP ports as the original tool did, or removes the labels, if semanage(8) exists. Ports of
 * other instances keep their labels. Failure does not matter: the policy may know the port already. */
void selinux_label_ports(const struct instance *i);
void selinux_unlabel_ports(const struct instance *i, const struct stored_list *others);
