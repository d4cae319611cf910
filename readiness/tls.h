/* Does a server speak TLS? Asked with a ClientHello, without ever going on with the handshake: whoever answers with a TLS
 * record, be it an alert, takes connections. That is all that can be told from outside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_HELLO_MAX 128

/* The ClientHello, into buffer; returns its length. */
size_t tls_hello(char buffer[static TLS_HELLO_MAX]);

/* Do these bytes begin a record of that kind (RFC 8446, section 5.1)? False also where that cannot be told yet; may_be: so
 * far they could. */
bool tls_is_alert(const uint8_t *reply, size_t len);
bool tls_may_be_alert(const uint8_t *reply, size_t len);
bool tls_is_handshake(const uint8_t *reply, size_t len);
