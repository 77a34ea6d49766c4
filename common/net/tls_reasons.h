// What OpenSSL says of a failure, in words for operators. Private to the TLS parts of common/net.
#pragma once

#include <string>

struct ssl_st;

namespace vedette {

/// What the last call of OpenSSL that failed stumbled on: "no start line".
std::string last_tls_error();
/// Of that call, which last_tls_error() has not been asked about.
bool last_tls_error_is_key_mismatch();

/// Why the handshake or a later record of `ssl` failed, and what may be the cause. `first_byte`: what the peer's bytes began
/// with, or -1. Empties the queue.
std::string tls_failure(const ssl_st* ssl, bool server, int first_byte);

}  // namespace vedette
