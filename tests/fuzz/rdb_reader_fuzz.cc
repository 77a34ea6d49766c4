// Fuzz target of the RDB reader: any bytes, whole and in pieces, tell the same and end in the same error.
#include <algorithm>
#include <memory>
#include <string>

#include "common/base/assert.h"
#include "server/snapshot/rdb_reader.h"
#include "server/store/digest.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace vedette;
using namespace std::string_view_literals;

class Telling final : public RdbHandler {
 public:
  std::string text;
  Status on_version(const RdbVersion& version) override { return tell("version", std::to_string(version.number)); }
  Status on_aux(std::string_view name, std::string_view value) override { return tell(name, value); }
  Status on_module_aux(std::string_view name) override { return tell("module", name); }
  Status on_function(std::string_view code) override { return tell("function", code); }
  Status on_select(int db) override { return tell("select", std::to_string(db)); }
  Status on_resize(uint64_t keys, uint64_t expires) override { return tell(std::to_string(keys), std::to_string(expires)); }
  Status on_entry(int db, Entry* entry, const RdbEntryUse& use) override {
    (void)tell(std::to_string(db), entry->key());
    (void)tell(std::to_string(entry->expiry_ms()), to_hex(value_digest(*entry)));
    Status told = tell(std::to_string(use.idle_seconds), std::to_string(use.frequency));
    destroy_entry(entry);
    return told;
  }

 private:
  Status tell(std::string_view name, std::string_view value) {
    text.append(name).append("=").append(value).append(";");
    return Status::ok();
  }
};

std::string outcome_of(std::string_view bytes, size_t piece_bytes_max, bool verify_checksum) {
  Telling telling;
  RdbReader reader(telling, {verify_checksum});
  size_t piece_bytes = piece_bytes_max;
  Status status;
  uint64_t given = 0;
  while (status && !bytes.empty()) {
    const std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    piece_bytes = piece_bytes % piece_bytes_max + 1;
    const std::unique_ptr<char[]> copy(new char[piece.size()]);
    std::copy(piece.begin(), piece.end(), copy.get());
    status = reader.feed({copy.get(), piece.size()});
    given += piece.size();
    VED_ASSERT(!status || reader.finished() || reader.offset() <= given);
    VED_ASSERT(reader.memory_bytes() <= 2 * given + 64);
    if (reader.finished()) break;
  }
  if (status) status = reader.end_of_input();
  return telling.text + (status ? "end at " + std::to_string(reader.offset()) : status.error().text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool verify : {true, false}) {
    const std::string whole = outcome_of(bytes, 1 << 20, verify);
    VED_ASSERT(whole == outcome_of(bytes, 1, verify));
    VED_ASSERT(whole == outcome_of(bytes, 7, verify));
  }
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  static constexpr std::string_view kCorpus[] = {
      "REDIS0010\xfa\x09redis-ver\x05"
      "7.2.4\xfa\x05"
      "ctime\xc2\x30\xa3\x04k\xfe\x00\xfb\x03\x01\xfc\x78\xfc\x1e\x0a\xa2\x02\x00\x00"
      "\x00\x02"
      "bb\x05hello\x00\x01"
      "a\xc0\x01\xff\0\0\0\0\0\0\0\0"sv,
      "REDIS0003\xfe\x00\xfd\x00\x00\x00\x01\x00\x01k\xc1\x00\x01\xff"sv,
      "REDIS0009\xfe\x40\x03\xf8\x0a\xf9\x07\x00\x01k\xc3\x09\x40\x64\x01"
      "aa\xe0\x57\x00\x01"
      "aa\xff\0\0\0\0\0\0\0\0"sv,
      "REDIS0011\xf5\x04"
      "code\xf7\x81\x45\xe2\x52\x38\xdf\x91\x2c\x03\x02\x02\x01\x0a\x02\x40\xff\x03"
      "abcd\x04"
      "abcdefgh\x05\x06string\x00"
      "\xf4\x05\x0a\x00\xff\0\0\0\0\0\0\0\0"sv,
      "VALKEY080\xfe\x00\x00\x80\x00\x00\x00\x03key\x81\x00\x00\x00\x00\x00\x00\x00\x03val\xff\0\0\0\0\0\0\0\0"sv,
      "REDIS0010\xfe\x00\x12\x01l\x01\x02\x00\xff"sv,
      // Values as Redis 7.0.15 writes them.
      "REDIS0010\xfe\x00\x12\x01k\x01\x02\x10\x10\x00\x00\x00\x03\x00\x81"
      "a\x02\x82"
      "bb\x03\x0c\x01\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"sv,  // list of one node
      "REDIS0010\xfe\x00\x12\x01k\x03\x02\x0e\x0e\x00\x00\x00\x02\x00\x81"
      "a\x02\x82"
      "bb\x03\xff\x02\x0c\x0c\x00\x00\x00\x02\x00\x0c\x01\x81"
      "d\x02\xff\x02\x0a\x0a\x00\x00\x00\x01\x00\xde\xd4\x02\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"sv,  // list of nodes
      "REDIS0010\xfe\x00\x0b\x01k\x14\x04\x00\x00\x00\x03\x00\x00\x00\x90\xee\xfe\xff\x01\x00\x00\x00\x02\x00\x00\x00\xff\x00\x00\x00\x00\x00\x00\x00\x00"sv,  // intset
      "REDIS0010\xfe\x00\x02\x01k\x03\xc0\x0c\x02"
      "bb\x01"
      "a\xff\x00\x00\x00\x00\x00\x00\x00\x00"sv,  // set of strings
      "REDIS0010\xfe\x00\x10\x01k\x12\x12\x00\x00\x00\x04\x00\x81"
      "f\x02\x81v\x02\x81g\x02\x11\x01\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"sv,  // hash listpack
      "REDIS0010\xfe\x00\x04\x01k\x02\x01"
      "f\x01v\x01g\xc0\x11\xff\x00\x00\x00\x00\x00\x00\x00\x00"sv,  // hash table
      "REDIS0010\xfe\x00\x11\x01k\x1c\x1c\x00\x00\x00\x06\x00\x81"
      "b\x02\x84-inf\x05\x81"
      "a\x02\x01\x01\x0c\x01\x83"
      "2.5\x04\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"sv,  // sorted set listpack
      "REDIS0010\xfe\x00\x05\x01k\x03\xc0\x0c\x00\x00\x00\x00\x00\x00\x04@\x01"
      "a\x00\x00\x00\x00\x00\x00\xf0\x3f\x01"
      "b\x00\x00\x00\x00\x00\x00\xf0\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"sv,  // sorted set table
      "REDIS0010\xfe\x00\x13\x01k\x01\x10\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
      "99\x00\x00\x00\x16\x00\x02\x01\x01\x01\x01\x01\x81"
      "f\x02\x00\x01\x02\x01\x00\x01\x00\x01\x81v\x02\x04\x01\x03\x01\x00\x01\x01\x01\x81w\x02\x04\x01\x00\x01\x01\x01\xdf\xff\x02\x01\x01\x81g\x02\x81x\x02\x06\x01\xff\x02\x02\x00\x01\x01\x01\x02\x03\x01\x01g\x01\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x0a\x0b\xfe\x1c\xa2\x01\x00\x00\x01\x01\x01"
      "c\x0a\x0b\xfe\x1c\xa2\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\xff\x00\x00\x00\x00\x00\x00\x00\x00"sv,  // stream
      "REDIS0010\xfe\x00\x00\x01k\x18HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80q\xa6\x84K\xfb\x80"
      "BZ\xff\x00\x00\x00\x00\x00\x00\x00\x00"sv,  // HyperLogLog
  };
  return kCorpus;
}
