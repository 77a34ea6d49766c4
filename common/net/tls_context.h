// What all connections of one kind (accepted, or made by us) have in common in TLS: certificate and key, the authorities that
// are trusted, versions, ciphers, the memory of sessions. Made from an operator's settings once and again at each change of
// them; a connection keeps the one that it began with, so that a change drops nobody.
//
// OpenSSL does the cryptography. Its headers are included in common/net alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"

struct ssl_ctx_st;

namespace vedette {

enum class TlsAuthClients { kNo, kYes, kOptional };

/// As the options tls-... say.
struct TlsSettings {
  std::string cert_file, key_file, key_file_pass;
  std::string client_cert_file, client_key_file, client_key_file_pass;  // of outgoing connections; none: the former
  std::string dh_params_file, ca_cert_file, ca_cert_dir;
  TlsAuthClients auth_clients = TlsAuthClients::kYes;
  std::string protocols, ciphers, ciphersuites;  // empty: OpenSSL's choice, from TLS 1.2 on
  bool prefer_server_ciphers = false;
  bool session_caching = true;
  int session_cache_size = 20480;
  int session_cache_timeout_seconds = 300;
  bool verify_names = false;
  int handshake_timeout_seconds = 10;
};

class TlsContext {
 public:
  enum class Side { kServer, kClient };
  /// Reads the files. The error names the option, the file, the reason, and what to do.
  static Result<std::shared_ptr<const TlsContext>> make(Side side, const TlsSettings& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  Side side() const { return side_; }
  /// Of a client: the peer's certificate must be for the host that was asked for.
  bool verifies_names() const { return verifies_names_; }
  int handshake_timeout_seconds() const { return handshake_timeout_seconds_; }
  ssl_ctx_st* raw() const { return context_; }
  /// For the log: a certificate whose time is over, or will soon be.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  TlsContext(Side side, const TlsSettings& settings, ssl_ctx_st* context);
  Status configure(const TlsSettings& settings);
  Status use_own_certificate(const TlsSettings& settings);
  Status trust_authorities(const TlsSettings& settings);
  Status choose_versions(const TlsSettings& settings);
  Status choose_ciphers(const TlsSettings& settings);
  void remember_sessions(const TlsSettings& settings);
  Status use_dh_params(const std::string& file);
  void note_end_of_certificate(const std::string& option, const std::string& file);

  Side side_;
  ssl_ctx_st* context_;
  bool verifies_names_;
  int handshake_timeout_seconds_;
  std::vector<std::string> warnings_;
};

/// The words of `protocols` as OpenSSL's bits of what is off. The error is the reason. For options' checks as well.
Result<uint64_t> tls_versions_off(const std::string& protocols);

}  // namespace vedette
