/* Does a server speak TLS? We send a ClientHello, and never continue the handshake: a server that answers with a TLS
 * record, even an alert, accepts connections. That is all that can be found out from outside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_HELLO_MAX 128

/* Writes the ClientHello into buffer; returns its length. */
size_t tls_hello(char buffer[static TLS_HELLO_MAX]);

/* Do these bytes begin a record of that kind (RFC 8446, section 5.1)? Also false if they are too few to tell;
 * tls_may_be_…(): they may yet. */
bool tls_is_alert(const uint8_t *reply, size_t len);
bool tls_may_be_alert(const uint8_t *reply, size_t len);
bool tls_is_handshake(const uint8_t *reply, size_t len);
