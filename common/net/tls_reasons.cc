// OpenSSL's codes, and advice for those that operators meet.
#include "common/net/tls_reasons.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <string_view>

namespace vedette {
namespace {

constexpr int kAlertRecord = 21, kHandshakeRecord = 22;

std::string text_of(unsigned long code) {
  if (code == 0) return "no reason was given";
  if (ERR_SYSTEM_ERROR(code)) {
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    return text;
  }
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : fmt::format("error {:x}", code);
}

bool is_reason(unsigned long code, int reason) { return ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == reason; }

// Empty: there is nothing to add.
std::string_view advice_for(int reason, bool server) {
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "the client shows no certificate, and tls-auth-clients asks for one";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "the peer does not trust our certificate: its authority is missing in the peer's tls-ca-cert-file";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return server ? ""
                    : "the peer may ask for a certificate: set tls-client-cert-file or tls-cert-file; or tls-ciphers have none in common";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED: return "the peer says so of our certificate: see tls-cert-file";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: return "the peer does not accept our certificate: see tls-cert-file";
    case SSL_R_NO_SHARED_CIPHER: return "see tls-ciphers and tls-ciphersuites";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return "no version in common: see tls-protocols";
    default: return "";
  }
}

}  // namespace

std::string last_tls_error() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  return text_of(code);
}

bool last_tls_error_is_key_mismatch() {
  const unsigned long code = ERR_peek_last_error();
  const int reason = ERR_GET_REASON(code);
  return ERR_GET_LIB(code) == ERR_LIB_X509 && (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH);
}

std::string tls_failure(const ssl_st* ssl, bool server, int first_byte) {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (first_byte >= 0 && first_byte != kHandshakeRecord && first_byte != kAlertRecord && !SSL_is_init_finished(ssl))
    return server
               ? "what comes is not TLS: the client must speak TLS on this port, or use another"
               : "the answer is not TLS: does the peer listen for TLS on this port (tls-port)? If it speaks no TLS at all, set tls-replication (or "
                 "tls-cluster) to no";
  if (is_reason(code, SSL_R_CERTIFICATE_VERIFY_FAILED)) {
    const long result = SSL_get_verify_result(ssl);
    const std::string_view advice = result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH
                                        ? "; it must name the host that we connect to, or tls-verify-names must be no"
                                    : result == X509_V_ERR_CERT_HAS_EXPIRED || result == X509_V_ERR_CERT_NOT_YET_VALID
                                        ? ""
                                        : "; is its authority in tls-ca-cert-file?";
    return fmt::format("the {}'s certificate does not hold: {}{}", server ? "client" : "server", X509_verify_cert_error_string(result),
                       advice);
  }
  const std::string_view advice = ERR_GET_LIB(code) == ERR_LIB_SSL ? advice_for(ERR_GET_REASON(code), server) : "";
  return advice.empty() ? text_of(code) : fmt::format("{} ({})", text_of(code), advice);
}

}  // namespace vedette
