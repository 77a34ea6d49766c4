// One request of libuv's for each name asked for.
#include "common/net/resolver.h"

#include <netdb.h>

namespace vedette {
namespace {

std::string text_of(const addrinfo* found) {
  char text[64];
  for (const int family : {AF_INET, AF_INET6})
    for (const addrinfo* one = found; one; one = one->ai_next)
      if (one->ai_family == family && uv_ip_name(one->ai_addr, text, sizeof text) == 0) return text;
  return {};
}

}  // namespace

struct Resolver::Query {
  uv_getaddrinfo_t request{};
  Resolver* resolver;  // null: nobody waits any more
  std::function<void(const std::string&)> done;
};

void Resolver::resolve(const std::string& host, std::function<void(const std::string& ip)> done) {
  auto* query = new Query{.resolver = this, .done = std::move(done)};
  query->request.data = query;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  const auto ended = [](uv_getaddrinfo_t* request, int, addrinfo* found) {
    const std::unique_ptr<Query> own(static_cast<Query*>(request->data));
    const std::string ip = text_of(found);
    if (found) uv_freeaddrinfo(found);
    if (!own->resolver) return;
    own->resolver->queries_.erase(own.get());
    own->done(ip);
  };
  // What cannot even be asked takes the same way as a name that does not exist.
  const bool is_name = host.find('\0') == std::string::npos && !host.empty();
  int code = uv_getaddrinfo(loop_.raw(), &query->request, ended, is_name ? host.c_str() : "invalid.", nullptr, &hints);
  if (code != 0) code = uv_getaddrinfo(loop_.raw(), &query->request, ended, "invalid.", nullptr, &hints);
  VED_ASSERT(code == 0);
  queries_.insert(query);
}

Resolver::~Resolver() {
  for (Query* query : queries_) {
    query->resolver = nullptr;
    uv_cancel(reinterpret_cast<uv_req_t*>(&query->request));
  }
}

}  // namespace vedette
