#include "readiness/tls.h"

#include <string.h>

#define ALERT	  0x15
#define HANDSHAKE 0x16

/* RFC 8446, section 4.1.2, for servers from TLS 1.0 to 1.3; a server that accepts nothing of this answers with an
 * alert. It names no server and offers no key: the server then asks for one, which is an answer. */
static const uint8_t hello[] = {
	HANDSHAKE, 0x03, 0x01, 0x00, 0x72, /* a record of this length */
	0x01, 0x00, 0x00, 0x6e,		   /* a ClientHello of this length */
	0x03, 0x03,			   /* TLS 1.2, or what supported_versions says */
	/* where a real client has random bytes */
	's', 'o', 'c', 'k', 'w', 'a', 'k', 'e', ' ', 'l', 'o', 'o', 'k', 's', ' ', 'w', 'h', 'e', 't', 'h', 'e', 'r',
	' ', 'i', 't', ' ', 'i', 's', ' ', 'T', 'L', 'S',	    /* */
	0x00,							    /* no session */
	0x00, 0x14,						    /* cipher suites */
	0x13, 0x01, 0x13, 0x02, 0x13, 0x03,			    /* those of TLS 1.3 */
	0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x30, 0xcc, 0xa8,		    /* ECDHE */
	0xc0, 0x14, 0x00, 0x9c, 0x00, 0x2f,			    /* for old servers */
	0x01, 0x00,						    /* no compression */
	0x00, 0x31,						    /* extensions: */
	0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x1d, 0x00, 0x17, /* supported_groups: x25519, secp256r1 */
	0x00, 0x0b, 0x00, 0x02, 0x01, 0x00,			    /* ec_point_formats */
	0x00, 0x0d, 0x00, 0x0e, 0x00, 0x0c,			    /* signature_algorithms: */
	0x04, 0x03, 0x08, 0x04, 0x08, 0x07, 0x04, 0x01, 0x05, 0x01, 0x02, 0x01, 0x00, 0x2b, 0x00, 0x05, 0x04, 0x03,
	0x04, 0x03, 0x03,		    /* supported_versions: 1.3, 1.2 */
	0x00, 0x33, 0x00, 0x02, 0x00, 0x00, /* key_share: none yet */
};

_Static_assert(sizeof(hello) == 5 + 0x72 && sizeof(hello) <= TLS_HELLO_MAX, "the lengths in the ClientHello are right");

size_t tls_hello(char buffer[static TLS_HELLO_MAX])
{
	memcpy(buffer, hello, sizeof(hello));
	return sizeof(hello);
}

static bool is_record(const uint8_t *reply, size_t len, uint8_t type)
{
	return len >= 2 && reply[0] == type && reply[1] == 3;
}

bool tls_is_alert(const uint8_t *reply, size_t len)
{
	return is_record(reply, len, ALERT);
}

bool tls_may_be_alert(const uint8_t *reply, size_t len)
{
	return len == 1 && reply[0] == ALERT;
}

bool tls_is_handshake(const uint8_t *reply, size_t len)
{
	return is_record(reply, len, HANDSHAKE);
}
