// Fuzz target of RESTORE's payloads: any bytes are refused, or are a value that makes the same value again.
#include <memory>
#include <string>

#include "common/base/assert.h"
#include "server/snapshot/dump_payload.h"
#include "server/store/digest.h"
#include "server/store/value_kind.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace vedette;
using namespace std::string_view_literals;

// Null: refused.
Entry* restored(std::string_view payload, bool verify) {
  if (!is_dump_payload(payload, {verify})) return nullptr;
  const auto made = parse_dump_payload(payload, "key", kNoExpiry);
  return made ? *made : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::unique_ptr<char[]> copy(new char[size]);
  std::copy(data, data + size, copy.get());
  Entry* entry = restored({copy.get(), size}, false);
  if (!entry) return 0;
  Entry* again = restored(make_dump_payload(*entry), true);
  VED_ASSERT(again);
  VED_ASSERT(value_digest(*entry) == value_digest(*again));
  destroy_entry(entry);
  destroy_entry(again);
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  static constexpr std::string_view kCorpus[] = {
      "\x00\xc0\n\n\x00n\x9fWE\x0e\xae"
      "c\xbb"sv,
      "\x00\x05hello\x0b\x00xxxxxxxx"sv,
      "\x00\x13"
      "9223372036854775807\x0a\x00xxxxxxxx"sv,
      "\x00\xc3\x09\x40\x64\x01"
      "aa\xe0\x57\x00\x01"
      "aa\x0a\x00xxxxxxxx"sv,
      "\x00\xc2\xff\xff\xff\xff\x01\x00xxxxxxxx"sv,
      "\x00\x80\x00\x00\x00\x03key\x01\x00xxxxxxxx"sv,
      "\x01\x02\x01"
      "a\xc0\x05\x0a\x00xxxxxxxx"sv,
      "\x12\x02\x01\x05plain\x02\x0c\x0c\x00\x00\x00\x02\x00\x81"
      "a\x02\x05\x01\xff\x0a\x00xxxxxxxx"sv,
      "\x0e\x01\x10\x10\x00\x00\x00\x0d\x00\x00\x00\x02\x00\x00\x01"
      "a\x03\xf6\xff\x0a\x00xxxxxxxx"sv};
  return kCorpus;
}
