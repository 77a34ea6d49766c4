// A value between servers, out of its database.
#include "server/snapshot/dump_payload.h"

#include <fmt/format.h>

#include <cstring>

#include "server/snapshot/crc64.h"
#include "server/snapshot/value_forms.h"

namespace vedette {
namespace {

constexpr size_t kVersionBytes = 2, kChecksumBytes = 8, kFooterBytes = kVersionBytes + kChecksumBytes;

template <class T>
T load_little(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::string with_footer(const BlockLog& log) {
  std::string payload;
  payload.reserve(log.size() + kFooterBytes);
  log.for_each_piece(log.begin(), [&payload](const char* bytes, size_t size) {
    payload.append(bytes, size);
    return true;
  });
  constexpr auto kVersion = uint16_t(kRdbVersionWritten);
  payload.append(reinterpret_cast<const char*>(&kVersion), kVersionBytes);
  const uint64_t crc = crc64(0, payload);
  payload.append(reinterpret_cast<const char*>(&crc), kChecksumBytes);
  return payload;
}

}  // namespace

std::string make_dump_payload(const Entry& entry) {
  BlockLog log;
  ValueProgress progress;
  *log.reserve(1) = char(rdb_type_of(entry));
  log.commit(1);
  const bool whole = write_value_slice(entry, log, {}, progress, SIZE_MAX);
  VED_ASSERT(whole);
  return with_footer(log);
}

std::string make_function_payload(std::span<const std::string_view> codes, bool compress) {
  BlockLog log;
  for (const std::string_view code : codes) {
    *log.reserve(1) = char(RdbOpcode::kFunction2);
    log.commit(1);
    write_rdb_string(log, code, compress);
  }
  return with_footer(log);
}

Result<std::vector<std::string>> parse_function_payload(std::string_view payload) {
  VED_ASSERT(payload.size() >= kFooterBytes);
  payload.remove_suffix(kFooterBytes);
  RdbInput input{payload.data(), payload.data() + payload.size()};
  std::vector<std::string> codes;
  while (input.size()) {
    const auto code = RdbOpcode(uint8_t(*input.at++));
    if (code == RdbOpcode::kFunctionPreGa) return failure("Pre-GA function format not supported");
    if (code != RdbOpcode::kFunction2) return failure("given type is not a function");
    std::string scratch, error;
    std::string_view text;
    if (read_rdb_string(input, scratch, text, error) != ReadOutcome::kDone) return failure("Failed loading library data");
    codes.emplace_back(text);
  }
  return codes;
}

bool is_dump_payload(std::string_view payload, const DumpReadOptions& options) {
  if (payload.size() < kFooterBytes) return false;
  const char* footer = payload.data() + payload.size() - kFooterBytes;
  if (load_little<uint16_t>(footer) > kRdbVersionMax) return false;
  if (!options.verify_checksum) return true;
  return load_little<uint64_t>(footer + kVersionBytes) == crc64(0, payload.substr(0, payload.size() - kChecksumBytes));
}

Result<Entry*> parse_dump_payload(std::string_view payload, std::string_view key, int64_t expiry_ms, const PackingLimits& limits) {
  VED_ASSERT(payload.size() >= kFooterBytes);
  payload.remove_suffix(kFooterBytes);
  if (payload.empty()) return Error("it is empty");
  ValueReading reading;
  reading.version.number = kRdbVersionMax;
  reading.code = uint8_t(payload[0]);
  reading.expiry_ms = expiry_ms;
  reading.limits = &limits;
  if (!can_read_value(RdbFamily::kRedis, reading.code)) return Error(fmt::format("values of type {} cannot be loaded", reading.code));
  RdbInput input{payload.data() + 1, payload.data() + payload.size()};
  const ReadOutcome outcome = read_value(input, key, reading);
  if (outcome == ReadOutcome::kFailed) return Error(reading.error);
  if (outcome == ReadOutcome::kMore) return Error("it ends too early");
  if (input.size() != 0) return Error("bytes follow its value");
  if (!reading.entry) return Error("its value has no elements");
  Entry* entry = reading.entry;
  reading.entry = nullptr;
  return entry;
}

}  // namespace vedette
