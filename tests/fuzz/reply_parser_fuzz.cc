// Fuzz target of the reply parser: any bytes, whole and in pieces, end in the same replies or the same fault.
#include <string>

#include "common/base/assert.h"
#include "common/resp/reply_parser.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace vedette;

void describe(const Reply& reply, std::string& to) {
  to += char('a' + int(reply.type));
  to += std::to_string(reply.integer) + reply.format + reply.text;
  for (const Reply& part : reply.attributes) describe(part, to += '|');
  for (const Reply& part : reply.elements) describe(part, to += ',');
}

ReplyLimits small_limits() {
  ReplyLimits limits;
  limits.line_bytes_max = 200;
  limits.bulk_bytes_max = 1000;
  limits.total_bytes_max = 2000;
  limits.values_max = 300;
  limits.depth_max = 8;
  return limits;
}

std::string outcome_of(std::string_view bytes, size_t piece_bytes_max) {
  ReplyParser parser(small_limits());
  std::string seen;
  size_t piece_bytes = 1;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    piece_bytes = piece_bytes % piece_bytes_max + 1;
    while (!piece.empty()) {
      const ReplyParser::Outcome outcome = parser.parse(piece);
      if (outcome == ReplyParser::Outcome::kBroken) return seen + "!" + std::string(parser.fault());
      if (outcome == ReplyParser::Outcome::kReply) describe(parser.take(), seen += ';');
    }
  }
  return seen + (parser.is_idle() ? "." : "...");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  VED_ASSERT(outcome_of(bytes, 7) == outcome_of(bytes, 1));
  VED_ASSERT(outcome_of(bytes, 7) == outcome_of(bytes, 4096));
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  static constexpr std::string_view kCorpus[] = {"+OK\r\n",
                                                 "-ERR unknown command 'x'\r\n:42\r\n",
                                                 "$5\r\nhello\r\n$-1\r\n*-1\r\n_\r\n",
                                                 "*3\r\n$3\r\nfoo\r\n*2\r\n:1\r\n:-2\r\n~1\r\n#t\r\n",
                                                 "%2\r\n+a\r\n,1.5\r\n+b\r\n(123456789012345678901\r\n",
                                                 ">3\r\n+message\r\n$2\r\nch\r\n$2\r\nhi\r\n",
                                                 "|1\r\n+ttl\r\n:3\r\n*2\r\n|1\r\n+x\r\n_\r\n=8\r\ntxt:some\r\n!5\r\nERR a\r\n",
                                                 "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*0\r\n",
                                                 ",inf\r\n,-inf\r\n,nan\r\n#f\r\n"};
  return kCorpus;
}
