// Fuzz target of the request parser: any bytes, whole and in pieces, end in the same requests or the same error.
#include <algorithm>
#include <memory>
#include <string>

#include "common/base/assert.h"
#include "common/resp/request_parser.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace vedette;

RequestLimits small_limits(bool authenticated) {
  RequestLimits limits;
  limits.bulk_bytes_max = 1000;
  limits.arguments_max = 50;
  limits.inline_bytes_max = 100;
  limits.authenticated = authenticated;
  return limits;
}

// What a session would see whose bytes come in pieces: one of `piece_bytes_max`, then of 1, 2 ... and so on round.
std::string outcome_of(std::string_view bytes, size_t piece_bytes_max, bool authenticated) {
  RequestParser parser;
  const RequestLimits limits = small_limits(authenticated);
  std::string seen, held;
  size_t piece_bytes = piece_bytes_max;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    piece_bytes = piece_bytes % piece_bytes_max + 1;
    held += piece;
    while (!held.empty()) {
      const std::unique_ptr<char[]> copy(new char[held.size()]);
      std::copy(held.begin(), held.end(), copy.get());
      std::vector<std::string_view> args;
      size_t consumed = 0;
      const auto outcome = parser.parse(copy.get(), held.size(), limits, args, consumed);
      if (outcome == RequestParser::Outcome::kIncomplete) break;
      if (outcome == RequestParser::Outcome::kError) return seen + "!" + parser.error();
      VED_ASSERT(consumed > 0 && consumed <= held.size());
      seen += ';';
      for (const std::string_view arg : args) seen += std::to_string(arg.size()) + ':' + std::string(arg);
      parser.forget_inline();
      held.erase(0, consumed);
    }
  }
  return seen;
}

// Lines longer than the limit are refused when they are seen whole or torn, which depends on how they are cut: the rule
// under test holds for inputs without such lines.
bool has_long_line(std::string_view bytes) {
  size_t line = 0;
  for (const char c : bytes) {
    line = c == '\n' ? 0 : line + 1;  // a lone '\r' does not end an inline line
    if (line >= 98) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool authenticated : {true, false}) {
    const std::string whole = outcome_of(bytes, 1 << 20, authenticated);
    const std::string bytewise = outcome_of(bytes, 1, authenticated), pieces = outcome_of(bytes, 7, authenticated);
    if (has_long_line(bytes)) continue;
    VED_ASSERT(whole == bytewise);
    VED_ASSERT(whole == pieces);
  }
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  static constexpr std::string_view kCorpus[] = {"*1\r\n$4\r\nPING\r\n",
                                                 "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n",
                                                 "*2\r\n$0\r\n\r\n$12\r\nabcdefghijkl\r\n",
                                                 "*0\r\n*-1\r\n\r\nPING\r\n",
                                                 "SET key \"quoted \\x41\\n\" 'single \\' one'\r\n",
                                                 "*12\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n$1\r\n6\r\n",
                                                 "get  k\n\n  \r\nset k v\n"};
  return kCorpus;
}
