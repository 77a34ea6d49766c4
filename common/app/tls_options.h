// TLS as an operator configures it, the same in every program, and the contexts that follow from it.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "common/app/options.h"
#include "common/net/tls_context.h"

namespace vedette {

struct TlsOptions : TlsSettings {
  bool replication = false;
  bool cluster = false;
};

/// What a program does with its outgoing connections, for the documentation of its options.
struct TlsWords {
  std::string_view replication, cluster;
};
/// The rows tls-...; tls-port is one of the addresses that are listened on.
void push_tls_options(std::vector<Option>& rows, TlsOptions& o, ListenOptions& listen, const TlsWords& words);
/// Their names, for whoever acts on a change.
const std::vector<std::string_view>& tls_option_names();

/// The contexts that new connections begin with.
class TlsContexts {
 public:
  /// Makes them anew as the options say; none where nothing asks for them. Warnings go to the log. On failure nothing has changed.
  Status apply(const TlsOptions& options, const ListenOptions& listen);
  const std::shared_ptr<const TlsContext>& server() const { return server_; }
  const std::shared_ptr<const TlsContext>& client() const { return client_; }

 private:
  std::shared_ptr<const TlsContext> server_, client_;
};

}  // namespace vedette
