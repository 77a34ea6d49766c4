// Where clients come in, what one client may cost, and TLS.
#include <limits>

#include "server/app/option_grammars.h"

namespace vedette {

namespace {
constexpr int kIntMax = std::numeric_limits<int>::max();
constexpr uint64_t kWordMax = uint64_t(std::numeric_limits<int64_t>::max());
}  // namespace

OptionGroup network_options(NetworkOptions& o) {
  OptionGroup group{"Network and clients", {}};
  auto& rows = group.options;
  push_listen_options(rows, o);
  rows.push_back(string_option({.name = "bind-source-addr",
                                .flags = kOptionPending,
                                .doc = "Local address of outgoing connections, such as a replica's to its "
                                       "primary. The kernel chooses by default.",
                                .note = "it waits for replication"},
                               o.bind_source_addr));
  rows.push_back(integer_option({.name = "maxclients",
                                 .unit = "clients",
                                 .doc = "Clients served at once; further ones are told so and closed. "
                                        "Lowered at the start if the process may not open "
                                        "as many files."},
                                o.maxclients, 1, std::numeric_limits<uint32_t>::max()));
  rows.push_back(integer_option({.name = "max-new-connections-per-cycle",
                                 .unit = "connections",
                                 .doc = "Connections accepted in one turn of the event loop, so that a storm "
                                        "of them does not starve those that are "
                                        "open."},
                                o.max_new_connections_per_cycle, 1, 1000));
  rows.push_back(output_buffer_limit_option(
      {.name = "client-output-buffer-limit",
       .doc = "Unsent replies that close a client: at once beyond the hard limit, after some seconds in a "
              "row beyond the soft "
              "one; 0 is no limit. A normal client waits for its reply and is not limited; subscribers and "
              "replicas are sent "
              "data that they did not ask for, so a slow one could fill the memory."},
      o.output_buffer_limits));
  rows.push_back(bytes_option(
      {.name = "client-reply-backlog-limit",
       .doc = "Unsent replies from which on a normal client's further requests are not read until it has "
              "taken them; 0 is no "
              "limit. It bounds the memory of a client that sends without reading, and closes nobody."},
      o.client_reply_backlog_limit, 0, 0));
  rows.push_back(bytes_option(
      {.name = "client-query-buffer-limit",
       .doc = "Unparsed input that closes a client. Large, for it must hold the largest request."},
      o.client_query_buffer_limit, 1 << 20, kWordMax));
  rows.push_back(
      bytes_option({.name = "proto-max-bulk-len", .doc = "Longest string in a request and in the keyspace."},
                   o.proto_max_bulk_len, 1 << 20, kWordMax));
  rows.push_back(bytes_or_percent_option({.name = "maxmemory-clients",
                                          .doc = "Memory of all clients together, or its share of maxmemory, "
                                                 "beyond which those with the largest buffers are "
                                                 "closed; 0 is no limit."},
                                         o.maxmemory_clients));
  return group;
}

OptionGroup tls_options(TlsOptions& o, bool is_built) {
  OptionGroup group{"TLS (refused by a build without it, as this file is made for)", {}};
  auto& rows = group.options;
  const uint32_t flags = is_built ? kOptionPending : kOptionNotBuilt;
  const std::string_view note = is_built ? "no listener speaks TLS yet" : "this build has no TLS";
  const auto text = [&](std::string_view name, std::string& value, std::string_view doc, uint32_t more = 0) {
    rows.push_back(string_option({.name = name, .flags = flags | more, .doc = doc, .note = note}, value));
  };
  const auto toggle = [&](std::string_view name, bool& value, std::string_view doc) {
    rows.push_back(bool_option({.name = name, .flags = flags, .doc = doc, .note = note}, value));
  };
  rows.push_back(integer_option(
      {.name = "tls-port", .flags = flags, .doc = "TCP port that speaks TLS; 0 none.", .note = note}, o.port,
      0, 65535));
  text("tls-cert-file", o.cert_file, "The server's certificate, PEM.");
  text("tls-key-file", o.key_file, "The certificate's private key, PEM.");
  text("tls-key-file-pass", o.key_file_pass, "The passphrase of the private key.", kOptionSensitive);
  text("tls-client-cert-file", o.client_cert_file,
       "The certificate of outgoing connections; the server's by default.");
  text("tls-client-key-file", o.client_key_file, "The private key of outgoing connections.");
  text("tls-client-key-file-pass", o.client_key_file_pass, "The passphrase of that key.", kOptionSensitive);
  text("tls-dh-params-file", o.dh_params_file, "Diffie-Hellman parameters, for old peers.");
  text("tls-ca-cert-file", o.ca_cert_file, "Certificates of the authorities that are trusted, in one file.");
  text("tls-ca-cert-dir", o.ca_cert_dir, "The same as a folder of hashed names.");
  rows.push_back(enum_option(
      {.name = "tls-auth-clients",
       .flags = flags,
       .doc = "Whether clients must show a certificate. They must by default.",
       .note = note},
      o.auth_clients,
      {{"no", TlsAuthClients::kNo}, {"yes", TlsAuthClients::kYes}, {"optional", TlsAuthClients::kOptional}}));
  toggle("tls-replication", o.replication, "Speak TLS to the primary.");
  toggle("tls-cluster", o.cluster, "Speak TLS on the cluster bus.");
  text("tls-protocols", o.protocols,
       "Versions that are spoken, as \"TLSv1.2 TLSv1.3\", which is the default.");
  text("tls-ciphers", o.ciphers, "Ciphers up to TLS 1.2, in OpenSSL's notation.");
  text("tls-ciphersuites", o.ciphersuites, "Cipher suites of TLS 1.3, in OpenSSL's notation.");
  toggle("tls-prefer-server-ciphers", o.prefer_server_ciphers, "Let the server's order of ciphers decide.");
  toggle("tls-session-caching", o.session_caching, "Remember sessions, so that clients return faster.");
  rows.push_back(integer_option({.name = "tls-session-cache-size",
                                 .flags = flags,
                                 .unit = "sessions",
                                 .doc = "Sessions remembered; 0 is no limit.",
                                 .note = note},
                                o.session_cache_size, 0, kIntMax));
  rows.push_back(integer_option({.name = "tls-session-cache-timeout",
                                 .flags = flags,
                                 .unit = "seconds",
                                 .doc = "How long a session is remembered.",
                                 .note = note},
                                o.session_cache_timeout_seconds, 0, kIntMax));
  return group;
}

}  // namespace vedette
