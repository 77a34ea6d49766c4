// HyperLogLogs: strings that count different elements (server/structures/hyperloglog.h). Everything that can be done with a string
// can be done with one.
#include <array>

#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/execution/context.h"
#include "server/structures/hyperloglog.h"

namespace vedette {
namespace {

Error not_one() { return Error("WRONGTYPE Key is not a valid HyperLogLog string value."); }
Error corrupt() { return Error("INVALIDOBJ Corrupted HLL object detected"); }

// The bytes of a string in the dataset, open for editing. They count as changed in place from the first look on.
class StringBytes final : public ByteStore {
 public:
  explicit StringBytes(WriteEntry& entry) : entry_(entry), size_(entry ? string_size(*entry) : 0), data_(entry_.resize_string(size_)) {}
  std::string_view bytes() const override { return {data_, size_}; }
  char* data() override { return data_; }
  char* splice(size_t at, size_t removed, size_t inserted) override {
    const size_t behind = size_ - at - removed, size = size_ - removed + inserted;
    if (inserted > removed) data_ = entry_.resize_string(size);
    if (behind > 0) std::memmove(data_ + at + inserted, data_ + at + removed, behind);
    if (inserted < removed) data_ = entry_.resize_string(size);
    size_ = size;
    return data_ + at;
  }

 private:
  WriteEntry& entry_;
  size_t size_;
  char* data_;
};

// Its bytes; empty if there is no entry.
Result<std::string_view> bytes_of(const Entry* entry) {
  if (!entry) return std::string_view();
  if (entry->type() != ValueType::kString) return errors::wrong_type();
  if (entry->encoding() == Encoding::kInteger) return not_one();
  IntegerText text;  // not needed: it is no integer
  const std::string_view bytes = string_bytes(*entry, text);
  if (!hyperloglog::is_valid(bytes)) return not_one();
  return bytes;
}

// PFADD key [element ...]. Replies: 1 if a register changed or the key is new, else 0. Errors: WRONGTYPE; INVALIDOBJ.
Status pfadd(CommandContext& ctx) {
  WriteEntry entry = ctx.write(ctx.key(1));
  if (const auto held = bytes_of(entry ? &*entry : nullptr); !held) return held.error();
  uint64_t changes = entry ? 0 : 1;
  StringBytes store(entry);
  if (changes) hyperloglog::assign_empty(store);
  bool is_corrupt = false;
  for (size_t i = 2; i < ctx.argc() && !is_corrupt; i++) {
    const auto outcome = hyperloglog::add(store, ctx.arg(i), ctx.server.keyspace.packing.hyperloglog_sparse_bytes);
    changes += outcome == hyperloglog::Outcome::kChanged;
    is_corrupt = outcome == hyperloglog::Outcome::kCorrupt;
  }
  if (changes) {
    hyperloglog::invalidate_cache(store.data());
    ctx.changed(entry.key(), kNotifyString, "pfadd");
    if (changes > 1) ctx.dirty(changes - 1);
  }
  if (is_corrupt) return corrupt();
  ctx.reply().integer(changes > 0);
  return Status::ok();
}

// Raises `registers` to those of all keys from argument `first` on; whether one of them is dense.
Result<bool> merge_keys(CommandContext& ctx, size_t first, hyperloglog::Registers& registers) {
  bool any_dense = false;
  std::optional<Error> error;
  ctx.for_each_key(first, 1, [&](const Key& key) {
    if (error) return;
    const auto bytes = bytes_of(ctx.read(key));
    if (!bytes) {
      error = bytes.error();
    } else if (!bytes->empty()) {
      any_dense = any_dense || !hyperloglog::is_sparse(*bytes);
      if (!hyperloglog::merge_into(registers, *bytes)) error = corrupt();
    }
  });
  if (error) return *error;
  return any_dense;
}

// PFCOUNT key [key ...]. Replies: the estimate for all of them together. For one key it is kept in the value, which is a change that
// copies of the dataset see too. Errors: WRONGTYPE; INVALIDOBJ.
Status pfcount(CommandContext& ctx) {
  if (ctx.argc() > 2) {
    hyperloglog::Registers registers;
    if (const auto merged = merge_keys(ctx, 1, registers); !merged) return merged.error();
    ctx.reply().integer(int64_t(hyperloglog::cardinality(registers)));
    return Status::ok();
  }
  const Key key = ctx.key(1);
  const auto bytes = bytes_of(ctx.read(key));
  if (!bytes) return bytes.error();
  if (bytes->empty()) return ctx.reply().integer(0), Status::ok();
  auto cardinality = hyperloglog::cached_cardinality(*bytes);
  if (!cardinality) {
    cardinality = hyperloglog::cardinality(*bytes);
    if (!cardinality) return corrupt();
    WriteEntry entry = ctx.write(key);
    hyperloglog::cache_cardinality(StringBytes(entry).data(), *cardinality);
    ctx.changed(key, kNotifyString, {});
  }
  ctx.reply().integer(int64_t(*cardinality));
  return Status::ok();
}

// PFMERGE destkey [sourcekey ...]. Replies: OK; what is at the destination is merged too. Errors: WRONGTYPE; INVALIDOBJ.
Status pfmerge(CommandContext& ctx) {
  hyperloglog::Registers registers;
  const auto any_dense = merge_keys(ctx, 1, registers);
  if (!any_dense) return any_dense.error();
  WriteEntry entry = ctx.write(ctx.key(1));
  const bool is_new = !entry;
  StringBytes store(entry);
  if (is_new) hyperloglog::assign_empty(store);
  if (!hyperloglog::merge_from(store, registers, *any_dense, ctx.server.keyspace.packing.hyperloglog_sparse_bytes)) return corrupt();
  hyperloglog::invalidate_cache(store.data());
  ctx.changed(entry.key(), kNotifyString, "pfadd");
  ctx.reply().ok();
  return Status::ok();
}

Status debug_registers(CommandContext& ctx, std::string_view bytes) {
  hyperloglog::Registers registers;
  if (!hyperloglog::merge_into(registers, bytes)) return corrupt();
  if (hyperloglog::is_sparse(bytes)) {
    WriteEntry entry = ctx.write(ctx.key(2));
    StringBytes store(entry);
    VED_ASSERT(hyperloglog::make_dense(store));
    ctx.changed(entry.key(), kNotifyString, {});
  }
  ctx.reply().array(hyperloglog::kRegisters);
  for (const uint8_t value : registers.values) ctx.reply().integer(value);
  return Status::ok();
}

Status debug_decode(CommandContext& ctx, std::string_view bytes) {
  if (!hyperloglog::is_sparse(bytes)) return failure("HLL encoding is not sparse");
  ctx.reply().bulk(hyperloglog::describe_sparse(bytes));
  return Status::ok();
}

Status debug_encoding(CommandContext& ctx, std::string_view bytes) {
  ctx.reply().status(hyperloglog::is_sparse(bytes) ? "sparse" : "dense");
  return Status::ok();
}

Status debug_to_dense(CommandContext& ctx, std::string_view bytes) {
  if (!hyperloglog::is_sparse(bytes)) return ctx.reply().integer(0), Status::ok();
  WriteEntry entry = ctx.write(ctx.key(2));
  StringBytes store(entry);
  if (!hyperloglog::make_dense(store)) return corrupt();
  ctx.changed(entry.key(), kNotifyString, {});
  ctx.reply().integer(1);
  return Status::ok();
}

struct DebugRow {
  std::string_view name;
  Status (*run)(CommandContext& ctx, std::string_view bytes);
};
constexpr DebugRow kDebugRows[] = {
    {"getreg", debug_registers}, {"decode", debug_decode}, {"encoding", debug_encoding}, {"todense", debug_to_dense}};

// PFDEBUG subcommand key. Replies: GETREG the registers (the form becomes dense), DECODE the runs of a sparse form, ENCODING "sparse" or
// "dense", TODENSE whether the form was changed. Errors: no such key, no such subcommand; WRONGTYPE; INVALIDOBJ.
Status pfdebug(CommandContext& ctx) {
  const Entry* entry = ctx.peek(ctx.key(2));
  if (!entry) return failure("The specified key does not exist");
  const auto bytes = bytes_of(entry);
  if (!bytes) return bytes.error();
  for (const DebugRow& row : kDebugRows)
    if (equals_ignoring_case(ctx.arg(1), row.name)) return row.run(ctx, *bytes);
  return failure("Unknown PFDEBUG subcommand '" + std::string(ctx.arg(1)) + "'");
}

// PFSELFTEST. Replies: OK. Errors: TESTFAILED. The sparse form, the dense one and plain registers are shown the same elements and must
// agree at each step, and with the truth to within five standard errors.
Status pfselftest(CommandContext& ctx) {
  constexpr unsigned kElements = 100000;
  constexpr double kErrorMax = 5 * 0.0081;
  std::string sparse_bytes, dense_bytes;
  StringStore sparse(sparse_bytes), dense(dense_bytes);
  hyperloglog::assign_empty(sparse);
  hyperloglog::assign_empty(dense);
  VED_ASSERT(hyperloglog::make_dense(dense));
  hyperloglog::Registers registers;
  for (unsigned i = 1, checked_at = 1; i <= kElements; i++) {
    const std::string_view element(reinterpret_cast<const char*>(&i), sizeof i);
    const auto seen = hyperloglog::observe(element);
    registers.values[seen.index] = std::max(registers.values[seen.index], seen.rank);
    hyperloglog::add(sparse, element, ctx.server.keyspace.packing.hyperloglog_sparse_bytes);
    hyperloglog::add(dense, element, 0);
    if (i != checked_at) continue;
    checked_at *= 10;
    const uint64_t estimate = hyperloglog::cardinality(registers);
    if (hyperloglog::cardinality(sparse_bytes) != estimate) return Error("TESTFAILED sparse and plain registers disagree");
    if (hyperloglog::cardinality(dense_bytes) != estimate) return Error("TESTFAILED dense and plain registers disagree");
    if (std::abs(double(estimate) - i) > std::max(kErrorMax * i, 1.0)) return Error("TESTFAILED the estimate is too far off");
  }
  ctx.reply().ok();
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "PFADD", .usage = "key [element [element ...]]", .arity = -2, .flags = kWrite | kDenyOom | kFast,
      .keys = {key_at(1, kKeyRW | kKeyInsert)}, .category = "hyperloglog", .since = "2.8.9",
      .complexity = "O(1) for each element; while the form is sparse, O(N) where N is its length.",
      .summary = "Adds elements to a HyperLogLog. Creates the key if it doesn't exist.",
      .examples = "PFADD k a b c -> 1; PFADD k a b -> 0; PFCOUNT k -> 3; SET s x -> OK; PFADD s a -> (error) WRONGTYPE"}, pfadd},
    {{.name = "PFCOUNT", .usage = "key [key ...]", .arity = -2, .flags = kReadOnly | kMayReplicate,
      .keys = {{.begin = KeySpec::Begin::kIndex, .flags = kKeyRW | kKeyAccess, .index = 1, .last = -1,
                .notes = "RW because it may change the internal representation of the key, and propagate to replicas"}},
      .category = "hyperloglog", .since = "2.8.9",
      .complexity = "O(1) for one key that has not changed since, else O(N) where N is the number of keys, with a large constant.",
      .summary = "Returns about how many different elements one or more HyperLogLogs have seen together.",
      .examples = "PFADD a 1 2 3 -> 1; PFADD b 3 4 -> 1; PFCOUNT a -> 3; PFCOUNT a b none -> 4; PFCOUNT none -> 0"}, pfcount},
    {{.name = "PFMERGE", .usage = "destkey [sourcekey [sourcekey ...]]", .arity = -2, .flags = kWrite | kDenyOom,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyInsert), keys_at(2, -1, 1, kKeyRO | kKeyAccess)},
      .category = "hyperloglog", .since = "2.8.9", .complexity = "O(N) where N is the number of keys, with a large constant.",
      .summary = "Merges HyperLogLogs into one.",
      .examples = "PFADD a 1 2 3 -> 1; PFADD b 3 4 -> 1; PFMERGE d a b -> OK; PFCOUNT d -> 4"}, pfmerge},
    {{.name = "PFDEBUG", .usage = "subcommand key", .arity = 3, .flags = kWrite | kDenyOom | kAdmin,
      .keys = {key_at(2, kKeyRW | kKeyAccess)}, .category = "hyperloglog", .since = "2.8.9",
      .complexity = "O(1), with a large constant.",
      .summary = "Shows the inside of a HyperLogLog, for tests.",
      .examples = "PFADD k a -> 1; PFDEBUG ENCODING k -> sparse; PFDEBUG DECODE k -> \"Z:12711 v:2,1 Z:3672\"; PFDEBUG TODENSE k -> 1; "
                  "PFDEBUG ENCODING k -> dense; PFDEBUG GETREG k -> [0, 0, ...]"}, pfdebug},
    {{.name = "PFSELFTEST", .arity = 1, .flags = kAdmin, .category = "hyperloglog", .since = "2.8.9",
      .complexity = "O(1), with a very large constant.", .summary = "Tests the HyperLogLog implementation.",
      .examples = "PFSELFTEST -> OK"}, pfselftest},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> hyperloglog_commands() { return kCommands; }

}  // namespace vedette
