// The frame of an RDB: head, databases, what comes before each value, end.
#include "server/snapshot/rdb_writer.h"

#include <fmt/format.h>

#include <cstring>

#include "common/base/numbers.h"
#include "server/snapshot/crc64.h"

namespace vedette {
namespace {

constexpr size_t kKeyPackedMin = 256;  // keys rarely repeat themselves, and there are many

}  // namespace

RdbWriter::RdbWriter(BlockLog& out, const RdbWriteOptions& options) : out_(out), options_(options), settled_(out.end()) {
  VED_ASSERT(options.use == RdbUse::kNone || options.clock);
}

void RdbWriter::header(const SnapshotFacts& facts) {
  out_.append(fmt::format("REDIS{:04}", kRdbVersionWritten));
  aux("redis-ver", facts.redis_version);
  aux("redis-bits", to_text(int64_t(sizeof(void*) * 8)));
  aux("ctime", to_text(facts.created_seconds));
  aux("used-mem", to_text(int64_t(facts.used_memory)));
  if (facts.replication) {
    aux("repl-stream-db", to_text(int64_t(facts.replication->stream_db)));
    aux("repl-id", facts.replication->id);
    aux("repl-offset", to_text(facts.replication->offset));
  }
  aux("aof-base", facts.aof_base ? "1" : "0");
  for (const std::string_view code : facts.functions) function(code);
}

void RdbWriter::aux(std::string_view name, std::string_view value) {
  opcode(RdbOpcode::kAux);
  string(name);
  string(value);
}

void RdbWriter::function(std::string_view code) {
  opcode(RdbOpcode::kFunction2);
  string(code);
}

void RdbWriter::select(int db, uint64_t keys, uint64_t expires) {
  VED_ASSERT(db >= 0 && !under_way_);
  opcode(RdbOpcode::kSelectDb);
  length(uint64_t(db));
  opcode(RdbOpcode::kResizeDb);
  length(keys);
  length(expires);
}

bool RdbWriter::entry(const Entry& entry, size_t budget_bytes) {
  VED_ASSERT(!under_way_);
  if (entry.has_expiry()) {
    char* to = out_.reserve(9);
    const int64_t expiry = entry.expiry_ms();
    to[0] = char(RdbOpcode::kExpireTimeMs);
    std::memcpy(to + 1, &expiry, sizeof expiry);
    out_.commit(9);
  }
  if (options_.use != RdbUse::kNone) write_use(entry);
  char* to = out_.reserve(1);
  to[0] = char(rdb_type_of(entry, {options_.compress, options_.field_expiries}));
  out_.commit(1);
  const std::string_view key = entry.key();
  write_rdb_string(out_, key, options_.compress && key.size() >= kKeyPackedMin);
  under_way_ = &entry;
  return go_on(budget_bytes);
}

bool RdbWriter::go_on(size_t budget_bytes) {
  VED_ASSERT(under_way_);
  const bool whole = write_value_slice(*under_way_, out_, {options_.compress, options_.field_expiries}, progress_, budget_bytes);
  if (out_.end() - settled_ >= kSettleBytes) settle();
  if (!whole) return false;
  under_way_ = nullptr;
  entries_++;
  return true;
}

void RdbWriter::end() {
  VED_ASSERT(!under_way_);
  opcode(RdbOpcode::kEndOfFile);
  settle();
  char* to = out_.reserve(sizeof crc_);
  std::memcpy(to, &crc_, sizeof crc_);
  out_.commit(sizeof crc_);
  settled_ = out_.end();
}

void RdbWriter::settle() {
  if (options_.checksum && settled_ < out_.end())
    out_.for_each_piece(settled_, [this](const char* bytes, size_t size) {
      crc_ = crc64(crc_, {bytes, size});
      return true;
    });
  settled_ = out_.end();
}

void RdbWriter::opcode(RdbOpcode code) {
  *out_.reserve(1) = char(code);
  out_.commit(1);
}

void RdbWriter::length(uint64_t value) { out_.commit(rdb::put_length(out_.reserve(rdb::kLengthBytesMax), value)); }

void RdbWriter::string(std::string_view bytes) { write_rdb_string(out_, bytes, options_.compress); }

void RdbWriter::write_use(const Entry& entry) {
  if (options_.use == RdbUse::kIdle) {
    opcode(RdbOpcode::kIdle);
    length(options_.clock->idle_seconds(entry));
  } else {
    char* to = out_.reserve(2);
    to[0] = char(RdbOpcode::kFrequency);
    to[1] = char(options_.clock->counter(entry));
    out_.commit(2);
  }
}

}  // namespace vedette
