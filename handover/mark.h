/* The firewall mark (SO_MARK, socket(7)) of the proxy's sockets that carry a client's address (--transparent). nshelper
 * installs the rule that sends what bears it to the loopback device. */
#pragma once

#define TRANSPARENT_MARK 0x50c4e7U
