/* The firewall mark (SO_MARK, socket(7)) of the proxy's sockets that carry a client's address (--transparent).
 * nshelper installs a rule that routes packets with this mark to the loopback device. */
#pragma once

#define TRANSPARENT_MARK 0x50c4e7U
