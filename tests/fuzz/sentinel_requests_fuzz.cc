// Fuzz target of what clients send to a sentinel: any bytes, in whatever pieces they come, are answered with whole replies or end the
// session; and whatever they made the sentinel keep, another one reads back from its lines as the same state.
#include <cstdio>
#include <string>

#include "common/base/assert.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/session/sentinel/test_sentinel.h"

namespace {

using namespace vedette;
using namespace vedette::sentinel;
using namespace vedette::sentinel::testing;
using namespace std::string_view_literals;

constexpr size_t kPieceMax = 7;

void take_whole_replies(std::string_view bytes) {
  while (!bytes.empty()) VED_ASSERT(vedette::testing::take_reply(bytes));
}

// No state that clients can bring about is one that a restart stumbles over.
void check_state(const std::vector<std::string>& lines) {
  TestSentinel again;
  for (const std::string& line : lines) {
    for (const unsigned char c : line) VED_ASSERT(c >= ' ' && c != 0x7f);
    const auto words = split_words(line);
    VED_ASSERT(words);
    const Status status = again.monitor.configure(*words, again.clock.now());
    if (!status) std::fprintf(stderr, "'%s': %s\n", line.c_str(), status.error().text().c_str());
    VED_ASSERT(status);
  }
  const std::vector<std::string> reread = again.monitor.state_lines();
  for (size_t i = 0; i < std::max(lines.size(), reread.size()); i++) {
    const std::string before = i < lines.size() ? lines[i] : "", after = i < reread.size() ? reread[i] : "";
    if (before != after) std::fprintf(stderr, "'%s' is read as '%s'\n", before.c_str(), after.c_str());
    VED_ASSERT(before == after);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  LogSettings quiet;
  quiet.level = LogLevel::kNothing;
  configure_log(quiet);
  TestSentinel sentinel;
  sentinel.monitor.options().deny_scripts_reconfig = false;
  VED_ASSERT(sentinel.monitor.monitor("m", {"127.0.0.1", 7000}, 1, sentinel.clock.now()));
  sentinel.node.settle(sentinel.clock.now());
  sentinel.write_state();
  SentinelClient client(sentinel), listener(sentinel);
  listener.send_bytes("PSUBSCRIBE *\r\n");
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const size_t piece = size % 2 ? kPieceMax : size;
  while (!rest.empty() && !client.session.closing()) {
    const size_t length = std::min(piece, rest.size());
    client.send_bytes(rest.substr(0, length));
    rest.remove_prefix(length);
    sentinel.write_state();
  }
  for (size_t turns = 0; sentinel.executor.has_backlog() && turns <= size; turns++) {
    sentinel.turn();
    sentinel.write_state();
  }
  VED_ASSERT(!sentinel.executor.has_backlog());
  sentinel.clock.advance_ms(50);
  sentinel.node.on_time(sentinel.clock.now());
  sentinel.write_state();
  take_whole_replies(client.take_bytes());
  take_whole_replies(listener.take_bytes());
  check_state(sentinel.monitor.state_lines());
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  static constexpr std::string_view kCorpus[] = {
      "SENTINEL SET m quorum 2 auth-pass \"a b\" rename-command CONFIG \"x\\\"y\"\r\nSENTINEL MASTER m\r\n"sv,
      "SENTINEL MONITOR other 127.0.0.1 7001 1\r\nSENTINEL SET other auth-user u fast-evidence yes lease-milliseconds 3000\r\n"sv,
      "SENTINEL REMOVE m\r\nSENTINEL MASTERS\r\nSENTINEL RESET *\r\n"sv,
      "PUBLISH __sentinel__:hello 127.0.0.1,26380,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,3,m,127.0.0.1,7005,2\r\nSENTINEL SENTINELS m\r\n"sv,
      "*6\r\n$8\r\nSENTINEL\r\n$22\r\nis-master-down-by-addr\r\n$9\r\n127.0.0.1\r\n$4\r\n7000\r\n$1\r\n5\r\n$40\r\n"
      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"sv,
      "SENTINEL CONFIG SET announce-ip 10.0.0.1\r\nSENTINEL CONFIG SET sentinel-pass \"p\\x20q\"\r\nSENTINEL CONFIG SET resolve-hostnames yes\r\n"
      "SENTINEL MONITOR n db.example 1 1\r\n"sv,
      "SENTINEL SET m notification-script /a client-reconfig-script \"/b c\" forget-after-seconds 9\r\nSENTINEL FAILOVER m\r\n"sv,
      "HELLO 3 SETNAME x\r\nSUBSCRIBE a\r\nPSUBSCRIBE +*\r\nUNSUBSCRIBE\r\nCLIENT LIST\r\nCLIENT REPLY SKIP\r\nPING\r\nINFO\r\n"sv,
      "SENTINEL DEBUG ping-period 5 info-period 7\r\nSENTINEL EXPLAIN m\r\nSENTINEL HISTORY m 3\r\nCOMMAND DOCS sentinel|set\r\nSENTINEL HELP\r\n"sv,
      "SENTINEL CONFIG SET resolve-hostnames yes\r\nSENTINEL MONITOR n db.example 1 1\r\nSENTINEL CONFIG SET resolve-hostnames no\r\n"sv,
      "CLIENT KILL SKIPME no\r\nPING\r\n"sv,
      "SENTINEL FLUSHCONFIG\r\nSENTINEL CKQUORUM m\r\nSENTINEL INFO-CACHE m\r\nROLE\r\nACL WHOAMI\r\nQUIT\r\n"sv};
  return kCorpus;
}
