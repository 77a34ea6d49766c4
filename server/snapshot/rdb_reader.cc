// Records out of a stream of pieces. A step takes one record from the input, or a part of one that may be
// taken apart; a step that lacks bytes takes nothing and says how many it wants. A torn record is begun again
// when as much as there is of it has come once more, or when the piece ends.
#include "server/snapshot/rdb_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "common/base/text.h"
#include "server/snapshot/crc64.h"

namespace vedette {
namespace {

constexpr size_t kChecksumBytes = 8;
constexpr size_t kHeldKeptMax = 1 << 20;  // more room than that is given back when a torn record has been read
constexpr size_t kShownKeyMax = 128;

// What the parts of a module's data begin with.
enum ModuleItem : uint64_t { kModuleEnd, kModuleSigned, kModuleUnsigned, kModuleFloat, kModuleDouble, kModuleString };

// A module's name is packed in its number: nine characters of six bits, then ten bits of version.
std::string module_name(uint64_t id) {
  constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string name;
  for (int shift = 58; shift >= 10; shift -= 6) name += kCharacters[id >> shift & 63];
  return name;
}

template <class T>
T load_little(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

RdbReader::RdbReader(RdbHandler& handler, const RdbReadOptions& options) : handler_(handler), options_(options) {
  reading_.limits = options.limits;
}

Status RdbReader::feed(std::string_view bytes) {
  unread_tail_ = 0;
  while (!bytes.empty() && stage_ < Stage::kFinished) {
    if (!held_.empty()) {
      const size_t before = held_.size();
      VED_ASSERT(wanted_ > before);
      // At least as much again, or a record of many fields would be begun again for each of them.
      const std::string_view part = bytes.substr(0, std::max(wanted_ - before, before));
      held_.append(part);
      if (held_.size() < wanted_) break;
      RdbInput input{held_.data(), held_.data() + held_.size()};
      understand(input);
      const size_t taken = held_.size() - input.size();
      if (taken >= before) {  // the torn record is behind us, and what follows it is in the piece
        bytes.remove_prefix(taken - before);
        held_.clear();
        if (held_.capacity() > kHeldKeptMax) held_ = std::string();
      } else {
        bytes.remove_prefix(part.size());
        held_.erase(0, taken);
        wanted_ = input.wanted;
      }
    } else {
      RdbInput input{bytes.data(), bytes.data() + bytes.size()};
      understand(input);
      bytes.remove_prefix(bytes.size() - input.size());
      if (input.wanted == 0 || bytes.empty()) continue;
      held_.assign(bytes);
      wanted_ = input.wanted;
      break;
    }
  }
  if (stage_ == Stage::kFailed) return Error(error_);
  if (stage_ == Stage::kFinished) unread_tail_ = bytes.size();
  return Status::ok();
}

Status RdbReader::end_of_input() {
  if (stage_ == Stage::kFinished) return Status::ok();
  if (stage_ != Stage::kFailed) {
    stage_ = Stage::kFailed;
    error_ = offset_ + held_.size() == 0 ? "RDB: the file is empty" : described("the file ends too early", offset_ + held_.size());
  }
  return Error(error_);
}

// Takes steps until the input is used up, lacks bytes (`input.wanted` says how many), or the stage changes to
// one that needs the checksum. What was taken is added to offset and checksum.
void RdbReader::understand(RdbInput& input) {
  const char* begin = input.at;
  const bool in_checksum = stage_ != Stage::kChecksum;
  input.wanted = 0;
  ReadOutcome outcome = ReadOutcome::kDone;
  while (outcome == ReadOutcome::kDone && input.at != input.end && stage_ < Stage::kFinished &&
         (stage_ != Stage::kChecksum || !in_checksum)) {
    if (stage_ != Stage::kValue) record_offset_ = offset_ + size_t(input.at - begin);
    outcome = step(input);
  }
  if (outcome == ReadOutcome::kFailed) {
    // A handler's refusal comes with its own words; what is wrong with the bytes is told with their place: where
    // their record begins, however much of it came at once.
    error_ = from_handler_ ? reason_ : described(reason_, record_offset_);
    stage_ = Stage::kFailed;
  }
  if (outcome != ReadOutcome::kMore || input.at == input.end) input.wanted = 0;
  const std::string_view taken(begin, size_t(input.at - begin));
  if (in_checksum && options_.verify_checksum) crc_ = crc64(crc_, taken);
  offset_ += taken.size();
}

ReadOutcome RdbReader::step(RdbInput& input) {
  switch (stage_) {
    case Stage::kRecords: return read_record(input);
    case Stage::kValue: return go_on_with_value(input);
    case Stage::kMagic: return read_magic(input);
    case Stage::kModuleAux: return read_module_item(input);
    default: return read_checksum(input);
  }
}

ReadOutcome RdbReader::read_magic(RdbInput& input) {
  const std::string_view magic(input.at, std::min(input.size(), kRdbMagicBytes));
  const bool redis = magic.starts_with(std::string_view("REDIS").substr(0, magic.size()));
  const bool valkey = magic.starts_with(std::string_view("VALKEY").substr(0, magic.size()));
  if (!redis && !valkey) return fail("this is no RDB: it does not begin with REDIS or VALKEY");
  if (magic.size() < kRdbMagicBytes) {
    input.wanted = magic.size() + 1;  // what is no RDB is known at the first wrong byte
    return ReadOutcome::kMore;
  }
  const std::string_view digits = magic.substr(redis ? 5 : 6);
  version_ = {redis ? RdbFamily::kRedis : RdbFamily::kValkey, 0};
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return fail(fmt::format("bad version {}", quoted(digits)));
    version_.number = version_.number * 10 + (digit - '0');
  }
  const int max = redis ? kRdbVersionMax : kValkeyRdbVersionMax, min = redis ? 1 : kValkeyRdbVersionMin;
  if (version_.number > max) return fail(fmt::format("version {} is too new; the newest that is understood is {}", quoted(magic), max));
  if (version_.number < min) return fail(fmt::format("bad version {}", quoted(digits)));
  input.at += kRdbMagicBytes;
  stage_ = Stage::kRecords;
  reading_.version = version_;
  return told(handler_.on_version(version_));
}

ReadOutcome RdbReader::read_record(RdbInput& input) {
  RdbInput record = input;
  const auto code = uint8_t(*record.at++);
  const ReadOutcome outcome = code < kRdbFirstOpcode ? read_entry(record, code) : read_opcode(record, RdbOpcode(code));
  if (outcome == ReadOutcome::kDone || (outcome == ReadOutcome::kMore && stage_ == Stage::kValue)) {
    input.at = record.at;
    input.wanted = record.wanted;
  } else if (outcome == ReadOutcome::kMore) {
    input.wanted = size_t(record.at - input.at) + record.wanted;
  }
  return outcome;
}

ReadOutcome RdbReader::read_entry(RdbInput& input, uint8_t code) {
  if (code != uint8_t(RdbType::kString) && rdb_type_name(version_.family, code).empty())
    return fail(fmt::format("unknown type or opcode {}", code));
  std::string_view key;
  if (const auto outcome = read_rdb_string(input, name_, key, reason_); outcome != ReadOutcome::kDone) return outcome;
  key_ = key;
  if (!can_read_value(version_.family, code)) {
    from_handler_ = true;
    reason_ = fmt::format("RDB: db {}, key {}: values of type {} ({}) cannot be loaded yet", db_, quoted(key.substr(0, kShownKeyMax)),
                          rdb_type_name(version_.family, code), code);
    return ReadOutcome::kFailed;
  }
  reading_.code = code;
  reading_.expiry_ms = expiry_ms_;
  const ReadOutcome outcome = read_value(input, key, reading_);
  if (outcome == ReadOutcome::kDone) return deliver();
  if (outcome == ReadOutcome::kFailed) return fail(reading_.error);
  key_ = {};
  if (reading_.entry) {
    stage_ = Stage::kValue;
    key_ = reading_.entry->key();
  } else {
    forget_progress();  // the whole record is read again when there is more of it
  }
  return ReadOutcome::kMore;
}

ReadOutcome RdbReader::go_on_with_value(RdbInput& input) {
  key_ = reading_.entry->key();
  const ReadOutcome outcome = read_value(input, key_, reading_);
  if (outcome == ReadOutcome::kFailed) return fail(reading_.error);
  if (outcome == ReadOutcome::kMore) return outcome;
  stage_ = Stage::kRecords;
  return deliver();
}

void RdbReader::forget_progress() {
  reading_.left = reading_.step = 0;
  reading_.scratch.clear();
}

ReadOutcome RdbReader::deliver() {
  Entry* entry = reading_.entry;
  reading_.entry = nullptr;
  forget_progress();
  const std::string_view key = key_;
  key_ = {};
  const RdbEntryUse use = use_;
  use_ = {};
  expiry_ms_ = kNoExpiry;
  if (!entry) return told(handler_.on_empty(db_, key));
  keys_++;
  return told(handler_.on_entry(db_, entry, use));
}

ReadOutcome RdbReader::read_opcode(RdbInput& input, RdbOpcode code) {
  std::string_view name, value;
  uint64_t first = 0, second = 0, third = 0;
  ReadOutcome outcome = ReadOutcome::kDone;
  const auto length = [&](uint64_t& to) {
    if (outcome == ReadOutcome::kDone) outcome = read_rdb_length(input, to, reason_);
  };
  const auto string = [&](std::string& scratch, std::string_view& to) {
    if (outcome == ReadOutcome::kDone) outcome = read_rdb_string(input, scratch, to, reason_);
  };
  switch (code) {
    case RdbOpcode::kExpireTimeMs:
    case RdbOpcode::kExpireTime:
    case RdbOpcode::kIdle:
    case RdbOpcode::kFrequency: return read_key_facts(input, code);
    case RdbOpcode::kEndOfFile: stage_ = version_.has_checksum() ? Stage::kChecksum : Stage::kFinished; return ReadOutcome::kDone;
    case RdbOpcode::kSelectDb:
      length(first);
      if (outcome != ReadOutcome::kDone) return outcome;
      if (first > INT_MAX) return fail(fmt::format("there can be no database {}", first));
      db_ = int(first);
      return told(handler_.on_select(db_));
    case RdbOpcode::kResizeDb:
      length(first);
      length(second);
      return outcome == ReadOutcome::kDone ? told(handler_.on_resize(first, second)) : outcome;
    case RdbOpcode::kAux:
      string(name_, name);
      string(text_, value);
      return outcome == ReadOutcome::kDone ? told(handler_.on_aux(name, value)) : outcome;
    case RdbOpcode::kFunction2: string(text_, value); return outcome == ReadOutcome::kDone ? told(handler_.on_function(value)) : outcome;
    case RdbOpcode::kSlotInfo:
      length(first);
      length(second);
      length(third);
      return outcome;
    case RdbOpcode::kModuleAux: return begin_module_aux(input);
    case RdbOpcode::kFunctionPreGa: return fail("functions in the form of a release candidate of 7.0 cannot be loaded");
    case RdbOpcode::kSlotImport: break;
  }
  return fail(version_.family == RdbFamily::kValkey ? "a slot's migration under way (opcode 243) cannot be loaded"
                                                    : "unknown type or opcode 243");
}

// Expiry and use, which belong to the key that comes next.
ReadOutcome RdbReader::read_key_facts(RdbInput& input, RdbOpcode code) {
  if (code == RdbOpcode::kIdle) {
    uint64_t seconds = 0;
    const ReadOutcome outcome = read_rdb_length(input, seconds, reason_);
    if (outcome == ReadOutcome::kDone) use_.idle_seconds = int64_t(std::min<uint64_t>(seconds, INT64_MAX));
    return outcome;
  }
  const size_t size = code == RdbOpcode::kExpireTimeMs ? 8 : code == RdbOpcode::kExpireTime ? 4 : 1;
  if (input.size() < size) {
    input.wanted = size;
    return ReadOutcome::kMore;
  }
  if (code == RdbOpcode::kExpireTimeMs) expiry_ms_ = load_little<int64_t>(input.at);
  else if (code == RdbOpcode::kExpireTime) expiry_ms_ = int64_t(load_little<int32_t>(input.at)) * 1000;
  else use_.frequency = uint8_t(*input.at);
  input.at += size;
  return ReadOutcome::kDone;
}

ReadOutcome RdbReader::begin_module_aux(RdbInput& input) {
  uint64_t id = 0, when_code = 0, when = 0;
  for (uint64_t* field : {&id, &when_code, &when})
    if (const auto outcome = read_rdb_length(input, *field, reason_); outcome != ReadOutcome::kDone) return outcome;
  module_ = module_name(id);
  if (when_code != kModuleUnsigned) return fail(fmt::format("bad data of module {}", quoted(module_)));
  stage_ = Stage::kModuleAux;
  return ReadOutcome::kDone;
}

// A module's data is a row of marked parts, so it can be passed over by who does not know the module.
ReadOutcome RdbReader::read_module_item(RdbInput& input) {
  if (skip_ > 0) {
    const size_t part = std::min<uint64_t>(skip_, input.size());
    skip_ -= part;
    input.at += part;
    return ReadOutcome::kDone;
  }
  RdbInput item = input;
  uint64_t mark = 0, ignored = 0;
  ReadOutcome outcome = read_rdb_length(item, mark, reason_);
  if (outcome == ReadOutcome::kDone) switch (mark) {
      case kModuleEnd:
        input.at = item.at;
        stage_ = Stage::kRecords;
        return told(handler_.on_module_aux(module_));
      case kModuleSigned:
      case kModuleUnsigned: outcome = read_rdb_length(item, ignored, reason_); break;
      case kModuleFloat: skip_ = sizeof(float); break;
      case kModuleDouble: skip_ = sizeof(double); break;
      case kModuleString: outcome = skip_rdb_string(item, skip_, reason_); break;
      default: return fail(fmt::format("bad data of module {}", quoted(module_)));
    }
  if (outcome == ReadOutcome::kDone) input.at = item.at;
  if (outcome == ReadOutcome::kMore) input.wanted = size_t(item.at - input.at) + item.wanted;
  return outcome;
}

ReadOutcome RdbReader::read_checksum(RdbInput& input) {
  if (input.size() < kChecksumBytes) {
    input.wanted = kChecksumBytes;
    return ReadOutcome::kMore;
  }
  const auto told_crc = load_little<uint64_t>(input.at);
  if (options_.verify_checksum && told_crc != 0 && told_crc != crc_)
    return fail(fmt::format("CRC error: the checksum says {:016x}, the bytes before it give {:016x}", told_crc, crc_));
  input.at += kChecksumBytes;
  stage_ = Stage::kFinished;
  return ReadOutcome::kDone;
}

ReadOutcome RdbReader::told(const Status& status) {
  if (status) [[likely]]
    return ReadOutcome::kDone;
  from_handler_ = true;
  reason_ = status.error().text();
  return ReadOutcome::kFailed;
}

ReadOutcome RdbReader::fail(std::string reason) {
  reason_ = std::move(reason);
  return ReadOutcome::kFailed;
}

std::string RdbReader::described(const std::string& reason, uint64_t offset) const {
  if (key_.empty()) return fmt::format("RDB: at byte {}: {}", offset, reason);
  return fmt::format("RDB: at byte {}, db {}, key {}: {}", offset, db_, quoted(key_.substr(0, kShownKeyMax)), reason);
}

}  // namespace vedette
