// Fuzz target of what arrives on a TLS port: any bytes, before a handshake, in the middle of one and behind it, whole and in
// pieces, end in the same state, give no plaintext that nobody sent, and leave nothing that a later byte could take up.
#include <cstdlib>
#include <string>

#include "common/base/assert.h"
#include "common/net/tls_channel.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace vedette;
using State = TlsChannel::State;

// A certificate of the moment, in a folder that is gone when it has been read.
struct Contexts {
  Contexts() {
    std::string folder = "/tmp/vedette-tls-fuzz-XXXXXX";
    VED_ASSERT(mkdtemp(folder.data()));
    const std::string script = std::string(VEDETTE_SOURCE_ROOT) + "/scripts/make_test_certificates.sh " + folder;
    VED_ASSERT(std::system(script.c_str()) == 0);
    TlsSettings settings;
    settings.cert_file = folder + "/server.crt";
    settings.key_file = folder + "/server.key";
    settings.ca_cert_file = folder + "/ca.crt";
    settings.auth_clients = TlsAuthClients::kOptional;
    server = *TlsContext::make(TlsContext::Side::kServer, settings);
    client = *TlsContext::make(TlsContext::Side::kClient, settings);
    VED_ASSERT(std::system(("rm -rf " + folder).c_str()) == 0);
  }
  std::shared_ptr<const TlsContext> server, client;
};
const Contexts& contexts() {
  static const Contexts kContexts;
  return kContexts;
}

struct Heard {
  std::string plain;
  State state;
};

Heard feed(TlsChannel& channel, std::string_view bytes, size_t piece_bytes_max) {
  std::string heard, kept;
  char room[64];
  for (size_t size = 1; !bytes.empty(); size = size % piece_bytes_max + 1) {
    kept += bytes.substr(0, size);
    bytes.remove_prefix(std::min(size, bytes.size()));
    for (;;) {
      std::string_view left = kept;
      const State before = channel.state();
      const size_t got = channel.receive(left, room);
      heard.append(room, got);
      const bool moved = got > 0 || left.size() < kept.size() || channel.state() != before;
      kept.erase(0, kept.size() - left.size());
      if (!moved) break;
    }
    VED_ASSERT(kept.empty());
    channel.outgoing().clear();
  }
  VED_ASSERT((channel.state() == State::kFailed) == !channel.failure().empty());
  return {heard, channel.state()};
}

Heard fresh(std::string_view bytes, bool server, size_t piece) {
  TlsChannel channel(server ? contexts().server : contexts().client, "localhost");
  if (!server) channel.begin();
  channel.outgoing().clear();
  return feed(channel, bytes, piece);
}

Heard behind_a_handshake(std::string_view bytes, size_t piece) {
  TlsChannel server(contexts().server), client(contexts().client, "localhost");
  client.begin();
  while (!client.outgoing().empty() || !server.outgoing().empty()) {
    std::string to_server, to_client;
    to_server.swap(client.outgoing());
    std::string_view left = to_server;
    server.receive(left, {});
    to_client.swap(server.outgoing());
    char room[64];
    left = to_client;
    client.receive(left, room);
  }
  VED_ASSERT(server.state() == State::kOpen);
  return feed(server, bytes, piece);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool server : {true, false}) {
    const Heard whole = fresh(bytes, server, 4096), pieces = fresh(bytes, server, 5);
    VED_ASSERT(whole.state == pieces.state);
    VED_ASSERT(whole.state != State::kOpen && whole.plain.empty() && pieces.plain.empty());
  }
  if (size % 8 == 0) {  // a handshake each is much work
    const Heard whole = behind_a_handshake(bytes, 4096);
    VED_ASSERT(whole.plain.empty());
    VED_ASSERT(behind_a_handshake(bytes, 5).state == whole.state);
  }
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  using namespace std::string_view_literals;
  // The beginnings of handshakes; a real one, of this moment, first.
  static const std::string kHello = [] {
    TlsChannel client(contexts().client, "localhost");
    client.begin();
    return client.outgoing();
  }();
  static const std::string kAnswer = [] {
    TlsChannel server(contexts().server);
    std::string_view hello = kHello;
    server.receive(hello, {});
    return server.outgoing();
  }();
  static const std::string_view kCorpus[] = {kHello,
                                             kAnswer,
                                             "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"sv,
                                             "\x17\x03\x03\x00\x10QRSTUVWXYZQRSTUV"sv,
                                             "\x15\x03\x03\x00\x02\x02\x28"sv,
                                             "\x15\x03\x03\x00\x02\x01\x00"sv,
                                             "\x14\x03\x03\x00\x01\x01"sv,
                                             "\x16\x03\x03\xff\xff"sv,
                                             "\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10"sv,
                                             "*1\r\n$4\r\nPING\r\n"sv,
                                             "GET / HTTP/1.1\r\n\r\n"sv};
  return kCorpus;
}
