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
  rows.push_back(
      string_option({.name = "bind-source-addr",
                     .doc = "Local address of outgoing connections, such as a replica's to its primary. The kernel chooses by default."},
                    o.bind_source_addr));
  rows.push_back(integer_option(
      {.name = "maxclients",
       .unit = "clients",
       .doc =
           "Clients served at once; further ones are told so and closed. Lowered at the start if the process may not open as many files."},
      o.maxclients, 1, std::numeric_limits<uint32_t>::max()));
  rows.push_back(integer_option(
      {.name = "max-new-connections-per-cycle",
       .unit = "connections",
       .doc = "Connections accepted in one turn of the event loop, so that a storm of them does not starve those that are open."},
      o.max_new_connections_per_cycle, 1, 1000));
  rows.push_back(integer_option({.name = "max-new-tls-connections-per-cycle",
                                 .unit = "connections",
                                 .doc = "The same of those on tls-port alone: a handshake takes as long as hundreds of commands."},
                                o.max_new_tls_connections_per_cycle, 1, 1000));
  rows.push_back(output_buffer_limit_option(
      {.name = "client-output-buffer-limit",
       .doc = "Unsent replies that close a client: at once beyond the hard limit, after some seconds in a row beyond the soft one; 0 is no "
              "limit. A normal client waits for its reply and is not limited; subscribers and replicas are sent data that they did not ask "
              "for, so a slow one could fill the memory."},
      o.output_buffer_limits));
  rows.push_back(bytes_option(
      {.name = "client-reply-backlog-limit",
       .doc = "Unsent replies from which on a normal client's further requests are not read until it has taken them; 0 is no limit. It "
              "bounds the memory of a client that sends without reading, and closes nobody."},
      o.client_reply_backlog_limit, 0, 0));
  rows.push_back(bytes_option(
      {.name = "client-query-buffer-limit", .doc = "Unparsed input that closes a client. Large, for it must hold the largest request."},
      o.client_query_buffer_limit, 1 << 20, kWordMax));
  rows.push_back(bytes_option({.name = "proto-max-bulk-len", .doc = "Longest string in a request and in the keyspace."},
                              o.proto_max_bulk_len, 1 << 20, kWordMax));
  rows.push_back(bytes_or_percent_option(
      {.name = "maxmemory-clients",
       .doc = "Memory of all clients together, or its share of maxmemory, beyond which those with the largest buffers are closed; 0 is no "
              "limit."},
      o.maxmemory_clients));
  return group;
}

OptionGroup tls_options(TlsOptions& o, NetworkOptions& network) {
  OptionGroup group{"TLS", {}};
  push_tls_options(
      group.options, o, network,
      {.replication = "Speak TLS to the primary, when this server is a replica, and tell it tls-port as this server's. Off, as the "
                      "primary's port is a plain one by default.",
       .cluster = "Speak TLS to the targets of MIGRATE. There is no cluster whose bus it could be for."});
  return group;
}

}  // namespace vedette
