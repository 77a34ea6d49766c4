// The rows, and when a context is wanted.
#include "common/app/tls_options.h"

#include <limits>

namespace vedette {
namespace {

constexpr int kIntMax = std::numeric_limits<int>::max();

Status check_protocols(std::string_view text) {
  const auto versions = tls_versions_off(std::string(text));
  return versions ? Status::ok() : Status(Error(versions.error()));
}

}  // namespace

void push_tls_options(std::vector<Option>& rows, TlsOptions& o, ListenOptions& listen, const TlsWords& words) {
  const auto file = [&](std::string_view name, std::string& value, std::string_view doc, uint32_t flags = 0) {
    rows.push_back(string_option({.name = name, .flags = kOptionRereads | flags, .doc = doc}, value));
  };
  const auto toggle = [&](std::string_view name, bool& value, std::string_view doc) {
    rows.push_back(bool_option({.name = name, .doc = doc}, value));
  };
  rows.push_back(integer_option({.name = "tls-port",
                                 .doc = "TCP port that speaks TLS, on the addresses of 'bind', beside 'port' or (with 'port 0') in its "
                                        "place; 0 none. It needs tls-cert-file and tls-key-file."},
                                listen.tls_port, 0, 65535));
  file("tls-cert-file", o.cert_file,
       "The program's certificate, in PEM, followed by those of its intermediate authorities. To name it again (CONFIG SET, of a sentinel "
       "SENTINEL "
       "CONFIG SET) reads the files anew: connections go on with what they began with. A set of files that does not hold together is "
       "refused, and everything "
       "stays as it was.");
  file("tls-key-file", o.key_file, "The private key of the certificate, in PEM.");
  file("tls-key-file-pass", o.key_file_pass, "The passphrase of the private key, if it has one.", kOptionSensitive);
  file("tls-client-cert-file", o.client_cert_file,
       "The certificate that outgoing connections show. Without it and tls-client-key-file they show the one above, which then "
       "must be good for clients too.");
  file("tls-client-key-file", o.client_key_file, "The private key of that certificate.");
  file("tls-client-key-file-pass", o.client_key_file_pass, "The passphrase of that key, if it has one.", kOptionSensitive);
  file("tls-dh-params-file", o.dh_params_file,
       "Diffie-Hellman parameters, for peers that know neither TLS 1.3 nor elliptic curves. None by default, and hardly ever needed.");
  file("tls-ca-cert-file", o.ca_cert_file,
       "The certificates of the authorities that are trusted, in one file: whose peers may connect (tls-auth-clients), and to whom this "
       "program connects.");
  file("tls-ca-cert-dir", o.ca_cert_dir, "The same as a folder of files under hashed names, as 'openssl rehash' makes it.");
  rows.push_back(enum_option({.name = "tls-auth-clients",
                              .doc = "Whether clients must show a certificate of a trusted authority, may, or are not asked. They must by "
                                     "default: a certificate is stronger than any password."},
                             o.auth_clients,
                             {{"no", TlsAuthClients::kNo}, {"yes", TlsAuthClients::kYes}, {"optional", TlsAuthClients::kOptional}}));
  toggle("tls-replication", o.replication, words.replication);
  toggle("tls-cluster", o.cluster, words.cluster);
  toggle("tls-verify-names", o.verify_names,
         "Demand of whom we connect to that the certificate names the host or address that was asked for (as an alternative name). "
         "Off, since servers of the protocol do not, and since the addresses that a sentinel tells are rarely in certificates; then any "
         "certificate of a trusted authority is good for any host. Turn it on where the authorities serve more than these servers.");
  rows.push_back(
      string_option({.name = "tls-protocols",
                     .doc = "Versions that are spoken, as \"TLSv1.2 TLSv1.3\". Empty is those two, and what may come after them."},
                    o.protocols, check_protocols));
  rows.push_back(string_option(
      {.name = "tls-ciphers",
       .doc = "Ciphers up to TLS 1.2, in OpenSSL's notation. Empty leaves the choice to OpenSSL, whose updates keep it sound."},
      o.ciphers));
  rows.push_back(string_option({.name = "tls-ciphersuites", .doc = "The same for TLS 1.3."}, o.ciphersuites));
  toggle("tls-prefer-server-ciphers", o.prefer_server_ciphers,
         "Let the server's order of ciphers decide. Off, so that a client without fast AES gets what is fast for it.");
  toggle("tls-session-caching", o.session_caching,
         "Remember sessions, so that clients that come back are spared the costly part of the handshake.");
  rows.push_back(integer_option({.name = "tls-session-cache-size",
                                 .unit = "sessions",
                                 .doc = "Sessions remembered; 0 is no limit. Clients of TLS 1.3 keep their own."},
                                o.session_cache_size, 0, kIntMax));
  rows.push_back(integer_option({.name = "tls-session-cache-timeout",
                                 .unit = "seconds",
                                 .doc = "How long a session can be taken up again; 0 not at all, as without tls-session-caching."},
                                o.session_cache_timeout_seconds, 0, kIntMax));
  rows.push_back(integer_option({.name = "tls-handshake-timeout",
                                 .unit = "seconds",
                                 .doc = "Patience with a handshake, on connections of either direction. Whoever has not proved who he is "
                                        "keeps a client's place no longer than this."},
                                o.handshake_timeout_seconds, 1, 3600));
}

const std::vector<std::string_view>& tls_option_names() {
  static const std::vector<std::string_view> kNames = [] {
    static std::vector<Option> rows;  // the names are theirs
    TlsOptions options;
    ListenOptions listen;
    push_tls_options(rows, options, listen, {});
    std::vector<std::string_view> names;
    for (const Option& row : rows) names.push_back(row.name);
    return names;
  }();
  return kNames;
}

Status TlsContexts::apply(const TlsOptions& options, const ListenOptions& listen) {
  std::shared_ptr<const TlsContext> server, client;
  if (listen.tls_port) {
    auto made = TlsContext::make(TlsContext::Side::kServer, options);
    if (!made) return made.error();
    server = std::move(*made);
  }
  if (options.replication || options.cluster) {
    auto made = TlsContext::make(TlsContext::Side::kClient, options);
    if (!made) return made.error();
    client = std::move(*made);
  }
  for (const auto& context : {server, client})
    if (context)
      for (const std::string& warning : context->warnings()) log_warning("{}", warning);
  server_ = std::move(server);
  client_ = std::move(client);
  return Status::ok();
}

}  // namespace vedette
