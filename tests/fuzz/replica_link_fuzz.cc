// Fuzz target of a replica's link up to the stream: whatever a primary says, whole and in pieces, ends in the same outcome.
#include <string>

#include "common/base/assert.h"
#include "server/replication/handshake.h"
#include "server/replication/transfer.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace vedette;

// One connection as a replica lives it: what was sent, noted and taken, and how it ended.
class Link {
 public:
  void start() { note(handshake_.on_connected()); }

  // False: the connection is over, or the stream has begun.
  bool hear(std::string_view bytes) {
    while (!bytes.empty() && stage_ == Stage::kHandshake) note(handshake_.on_bytes(bytes));
    if (stage_ == Stage::kTransfer && !bytes.empty()) take(bytes);
    if (stage_ == Stage::kStream) stream_ += bytes;
    return stage_ != Stage::kOver;
  }
  std::string seen() const {
    // What is sent in the moment of a failure depends on what has been read by then.
    return (stage_ == Stage::kOver ? "" : sent_) + "|" + notes_ + "|" + end_ + "|" + payload_ + "|" + stream_;
  }

 private:
  enum class Stage { kHandshake, kTransfer, kStream, kOver };

  void note(const Handshake::Step& step) {
    using Outcome = Handshake::Outcome;
    sent_ += step.send;
    for (const std::string& text : step.notes) notes_ += text;
    if (step.outcome == Outcome::kMore) return;
    end_ = char('a' + int(step.outcome)) + step.point.id + std::to_string(step.point.offset) + step.text;
    const bool has_snapshot = step.outcome == Outcome::kFullSync || step.outcome == Outcome::kLegacySync;
    stage_ = has_snapshot ? Stage::kTransfer : step.outcome == Outcome::kContinue ? Stage::kStream : Stage::kOver;
    VED_ASSERT((stage_ == Stage::kOver) == !step.text.empty());
  }

  void take(std::string_view& bytes) {
    const auto outcome = transfer_.feed(bytes, [this](std::string_view piece) {
      VED_ASSERT(!piece.empty());
      payload_ += piece;
      return true;
    });
    VED_ASSERT(transfer_.received_bytes() == payload_.size());
    if (outcome == Transfer::Outcome::kDone) stage_ = Stage::kStream;
    if (outcome == Transfer::Outcome::kFailed) {
      stage_ = Stage::kOver;
      end_ += transfer_.fault();
    }
  }

  Handshake handshake_{HandshakeConfig{.password = "p", .listening_port = 1, .history_id = std::string(40, 'a')}};
  Transfer transfer_;
  Stage stage_ = Stage::kHandshake;
  std::string sent_, notes_, end_, payload_, stream_;
};

std::string outcome_of(std::string_view bytes, size_t piece_bytes_max) {
  Link link;
  link.start();
  size_t piece_bytes = 1;
  while (!bytes.empty()) {
    const std::string piece(bytes.substr(0, piece_bytes));  // of exact size: whoever reads beyond it is found out
    bytes.remove_prefix(piece.size());
    piece_bytes = piece_bytes % piece_bytes_max + 1;
    if (!link.hear(piece)) break;
  }
  return link.seen();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string expected = outcome_of(bytes, 4096);
  VED_ASSERT(outcome_of(bytes, 1) == expected);
  VED_ASSERT(outcome_of(bytes, 7) == expected);
  VED_ASSERT(outcome_of(bytes, 64) == expected);
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  static constexpr std::string_view kCorpus[] = {
      "+PONG\r\n+OK\r\n+OK\r\n-ERR Unrecognized\r\n+CONTINUE\r\n*1\r\n$4\r\nPING\r\n",
      "\n+PONG\r\n+OK\r\n+OK\r\n+OK\r\n\n\n+CONTINUE bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\nstream",
      "+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+FULLRESYNC bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 12\r\n\n$7\r\nREDIS00stream",
      "+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+FULLRESYNC bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 0\r\n"
      "$EOF:0123456789012345678901234567890123456789\r\nREDIS0010012340123456789012345678901234567890123456789*1\r\n",
      "-NOAUTH Authentication required.\r\n-WRONGPASS invalid\r\n",
      "+PONG\r\n+OK\r\n+OK\r\n+OK\r\n-ERR unknown command\r\n$3\r\nabc",
      "+PONG\r\n+OK\r\n+OK\r\n+OK\r\n-NOMASTERLINK x\r\n",
      "-LOADING\r\n",
      "$EOF:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\naaaaaaaaaaabaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+FULLRESYNC bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 0\r\n"
      "$EOF:abababababababababababababababababababab\r\nabababababababababababababababababababaabababababababababababababababababababababa"};
  return kCorpus;
}
