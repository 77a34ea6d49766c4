// Settings to OpenSSL's context, each failure in words that lead to the line that must change.
#include "common/net/tls_context.h"

#include <fmt/format.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "common/base/text.h"
#include "common/net/tls_reasons.h"

namespace vedette {
namespace {

constexpr int64_t kSoonSeconds = 14 * 86400;
constexpr long kClientChainBytesMax = 32 * 1024;  // OpenSSL makes room for what is announced, up to this
constexpr std::string_view kSessionContext = "vedette";

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// OpenSSL's own words for a file that is not there are of little use.
Status check_readable(std::string_view option, const std::string& file) {
  const std::unique_ptr<std::FILE, FileCloser> opened(std::fopen(file.c_str(), "r"));
  if (opened && std::fgetc(opened.get()) != EOF) return Status::ok();
  const char* reason = opened ? (std::ferror(opened.get()) ? std::strerror(errno) : "the file is empty") : std::strerror(errno);
  return Error(fmt::format("{} '{}': {}. Name a file that the process may read; a relative path begins in 'dir'", option, file, reason));
}

Error unusable(std::string_view option, const std::string& file, std::string_view advice) {
  return Error(fmt::format("{} '{}': {}. {}", option, file, last_tls_error(), advice));
}

struct Passphrase {
  const std::string& text;
  bool was_asked_for = false;
};

// Whom OpenSSL asks for the passphrase; it would ask the terminal otherwise.
int give_passphrase(char* to, int size, int, void* from) {
  auto* passphrase = static_cast<Passphrase*>(from);
  if (!passphrase) return -1;
  passphrase->was_asked_for = true;
  const std::string& text = passphrase->text;
  if (text.empty() || text.size() > size_t(size)) return -1;
  std::memcpy(to, text.data(), text.size());
  return int(text.size());
}

struct OwnFiles {
  std::string_view cert_option, key_option, pass_option;
  const std::string &cert, &key, &pass;
};

OwnFiles own_files(TlsContext::Side side, const TlsSettings& s) {
  if (side == TlsContext::Side::kClient && !s.client_cert_file.empty() && !s.client_key_file.empty())
    return {"tls-client-cert-file", "tls-client-key-file", "tls-client-key-file-pass",
            s.client_cert_file,     s.client_key_file,     s.client_key_file_pass};
  return {"tls-cert-file", "tls-key-file", "tls-key-file-pass", s.cert_file, s.key_file, s.key_file_pass};
}

}  // namespace

Result<uint64_t> tls_versions_off(const std::string& protocols) {
  struct Version {
    std::string_view name;
    uint64_t off;
  };
  constexpr Version kVersions[] = {
      {"TLSv1", SSL_OP_NO_TLSv1}, {"TLSv1.1", SSL_OP_NO_TLSv1_1}, {"TLSv1.2", SSL_OP_NO_TLSv1_2}, {"TLSv1.3", SSL_OP_NO_TLSv1_3}};
  const std::string_view wanted = trim(protocols);
  if (wanted.empty()) return uint64_t(SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
  uint64_t off = 0;
  for (const Version& version : kVersions) off |= version.off;
  const auto words = split_words(wanted);
  if (!words) return Error("unbalanced quotes");
  for (const std::string& word : *words) {
    const Version* named = nullptr;
    for (const Version& version : kVersions)
      if (equals_ignoring_case(version.name, word)) named = &version;
    if (!named)
      return Error(fmt::format("'{}' is no version: name one or more of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3, separated by blanks", word));
    off &= ~named->off;
  }
  return off;
}

TlsContext::TlsContext(Side side, const TlsSettings& settings, ssl_ctx_st* context)
    : side_(side),
      context_(context),
      verifies_names_(settings.verify_names),
      handshake_timeout_seconds_(settings.handshake_timeout_seconds) {}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::make(Side side, const TlsSettings& settings) {
  ERR_clear_error();
  SSL_CTX* raw = SSL_CTX_new(side == Side::kServer ? TLS_server_method() : TLS_client_method());
  if (!raw) return Error("OpenSSL cannot begin: " + last_tls_error());
  const std::shared_ptr<TlsContext> context(new TlsContext(side, settings, raw));
  if (Status status = context->configure(settings); !status) return status.error();
  ERR_clear_error();
  return std::shared_ptr<const TlsContext>(context);
}

Status TlsContext::configure(const TlsSettings& settings) {
  // Ten thousand idle connections must not hold buffers of 16 KiB each.
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context_, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_SINGLE_DH_USE);
  if (side_ == Side::kServer) SSL_CTX_set_max_cert_list(context_, kClientChainBytesMax);
  if (Status status = choose_versions(settings); !status) return status;
  if (Status status = use_own_certificate(settings); !status) return status;
  if (Status status = trust_authorities(settings); !status) return status;
  if (Status status = choose_ciphers(settings); !status) return status;
  remember_sessions(settings);
  return settings.dh_params_file.empty() || side_ == Side::kClient ? Status::ok() : use_dh_params(settings.dh_params_file);
}

Status TlsContext::choose_versions(const TlsSettings& settings) {
  const auto off = tls_versions_off(settings.protocols);
  if (!off) return Error("tls-protocols: " + off.error().text());
  SSL_CTX_set_options(context_, *off);
  // The system's configuration may have set a minimum; what the operator names counts.
  if (!trim(settings.protocols).empty()) SSL_CTX_set_min_proto_version(context_, 0);
  return Status::ok();
}

Status TlsContext::use_own_certificate(const TlsSettings& settings) {
  const OwnFiles own = own_files(side_, settings);
  if (own.cert.empty() && own.key.empty() && side_ == Side::kClient) return Status::ok();  // who asks us for one will refuse us
  if (own.cert.empty()) return Error("tls-cert-file: no certificate is named. TLS needs one: set tls-cert-file and tls-key-file");
  if (own.key.empty()) return Error("tls-key-file: no key is named. The certificate needs its private key: set tls-key-file");
  if (Status status = check_readable(own.cert_option, own.cert); !status) return status;
  if (Status status = check_readable(own.key_option, own.key); !status) return status;
  if (SSL_CTX_use_certificate_chain_file(context_, own.cert.c_str()) != 1)
    return unusable(own.cert_option, own.cert, "It must be a certificate in PEM, followed by those of its intermediate authorities");
  SSL_CTX_set_default_passwd_cb(context_, give_passphrase);
  Passphrase passphrase{own.pass};
  SSL_CTX_set_default_passwd_cb_userdata(context_, &passphrase);
  const bool read = SSL_CTX_use_PrivateKey_file(context_, own.key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context_, nullptr);
  if (!read && last_tls_error_is_key_mismatch())
    return Error(fmt::format("{} '{}' does not belong to {} '{}': name the key that the certificate was made for", own.key_option, own.key,
                             own.cert_option, own.cert));
  if (!read && passphrase.was_asked_for && own.pass.empty())
    return Error(fmt::format("{} '{}' has a passphrase, and {} is empty: set it", own.key_option, own.key, own.pass_option));
  if (!read)
    return unusable(own.key_option, own.key,
                    fmt::format("It must be a private key in PEM, and {} its passphrase, if it has one", own.pass_option));
  note_end_of_certificate(std::string(own.cert_option), own.cert);
  return Status::ok();
}

void TlsContext::note_end_of_certificate(const std::string& option, const std::string& file) {
  const X509* certificate = SSL_CTX_get0_certificate(context_);
  int days = 0, seconds = 0;
  if (!certificate || ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1) return;
  const int64_t left = int64_t(days) * 86400 + seconds;
  if (left <= 0)
    warnings_.push_back(fmt::format("{} '{}': the certificate's time is over since {} days: peers will refuse it", option, file, -days));
  else if (left < kSoonSeconds)
    warnings_.push_back(
        fmt::format("{} '{}': the certificate's time is over in {} days. When there is a new one, CONFIG SET {} reads it "
                    "without dropping a connection",
                    option, file, days, option));
}

Status TlsContext::trust_authorities(const TlsSettings& settings) {
  const std::string &file = settings.ca_cert_file, &dir = settings.ca_cert_dir;
  const bool server = side_ == Side::kServer;
  int mode = SSL_VERIFY_PEER;
  if (server && settings.auth_clients == TlsAuthClients::kNo) mode = SSL_VERIFY_NONE;
  if (server && settings.auth_clients == TlsAuthClients::kYes) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context_, mode, nullptr);
  if (file.empty() && dir.empty()) {
    if (mode == SSL_VERIFY_NONE) return Status::ok();
    return Error(server
                     ? "tls-ca-cert-file and tls-ca-cert-dir: neither is set, and tls-auth-clients asks clients for a certificate that an "
                       "authority has signed. Name the authorities, or set 'tls-auth-clients no'"
                     : "tls-ca-cert-file and tls-ca-cert-dir: neither is set, and tls-replication or tls-cluster connects to servers whose "
                       "certificate must be known. Name the authorities");
  }
  if (!file.empty()) {
    if (Status status = check_readable("tls-ca-cert-file", file); !status) return status;
    if (SSL_CTX_load_verify_file(context_, file.c_str()) != 1)
      return unusable("tls-ca-cert-file", file, "It must hold the certificates of authorities, in PEM");
  }
  if (!dir.empty() && SSL_CTX_load_verify_dir(context_, dir.c_str()) != 1)
    return unusable("tls-ca-cert-dir", dir, "It must be a folder of certificates under hashed names, as 'openssl rehash' makes it");
  return Status::ok();
}

Status TlsContext::choose_ciphers(const TlsSettings& settings) {
  if (!settings.ciphers.empty() && SSL_CTX_set_cipher_list(context_, settings.ciphers.c_str()) != 1)
    return Error(fmt::format("tls-ciphers '{}': {}. 'openssl ciphers -v' lists the names", settings.ciphers, last_tls_error()));
  if (!settings.ciphersuites.empty() && SSL_CTX_set_ciphersuites(context_, settings.ciphersuites.c_str()) != 1)
    return Error(
        fmt::format("tls-ciphersuites '{}': {}. 'openssl ciphers -v -s -tls1_3' lists the names", settings.ciphersuites, last_tls_error()));
  if (settings.prefer_server_ciphers) SSL_CTX_set_options(context_, SSL_OP_CIPHER_SERVER_PREFERENCE);
  return Status::ok();
}

void TlsContext::remember_sessions(const TlsSettings& settings) {
  if (side_ == Side::kClient || !settings.session_caching || settings.session_cache_timeout_seconds == 0) {
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
    if (side_ == Side::kServer) {
      SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);  // else the client would remember in the server's place
      SSL_CTX_set_num_tickets(context_, 0);
    }
    return;
  }
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(context_, settings.session_cache_size);
  SSL_CTX_set_timeout(context_, settings.session_cache_timeout_seconds);
  SSL_CTX_set_session_id_context(context_, reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 unsigned(kSessionContext.size()));
}

Status TlsContext::use_dh_params(const std::string& file) {
  if (Status status = check_readable("tls-dh-params-file", file); !status) return status;
  const std::unique_ptr<std::FILE, FileCloser> opened(std::fopen(file.c_str(), "r"));
  EVP_PKEY* params = nullptr;
  OSSL_DECODER_CTX* decoder = OSSL_DECODER_CTX_new_for_pkey(&params, "PEM", nullptr, nullptr, OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS,
                                                            nullptr, nullptr);
  const bool read = opened && decoder && OSSL_DECODER_from_fp(decoder, opened.get()) == 1 &&
                    (EVP_PKEY_is_a(params, "DH") || EVP_PKEY_is_a(params, "DHX"));
  OSSL_DECODER_CTX_free(decoder);
  if (read && SSL_CTX_set0_tmp_dh_pkey(context_, params) == 1) return Status::ok();  // it is the context's now
  EVP_PKEY_free(params);
  return unusable("tls-dh-params-file", file, "It must hold parameters as 'openssl dhparam 2048' makes them");
}

}  // namespace vedette
