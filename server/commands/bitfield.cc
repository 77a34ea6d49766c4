// Strings as rows of integers of any width: BITFIELD and its read-only form. All operations of a call are read before the first is
// done, so that a mistake in the last changes nothing and the string grows once.
#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/bit_offset.h"
#include "server/commands/families.h"
#include "server/structures/bit_rows.h"

namespace vedette {
namespace {

enum class Overflow : uint8_t { kWrap, kSaturate, kFail };
enum class Kind : uint8_t { kGet, kSet, kIncrement };

// An integer type: i1 to i64, u1 to u63.
struct FieldType {
  bool is_signed = false;
  unsigned width = 0;

  int64_t max() const { return int64_t((uint64_t(1) << (width - is_signed)) - 1); }
  int64_t min() const { return is_signed ? -max() - 1 : 0; }
  // The integer that the low `width` bits stand for.
  int64_t from_bits(uint64_t bits) const {
    const unsigned above = 64 - width;
    return is_signed ? int64_t(bits << above) >> above : int64_t(bits << above >> above);
  }
};

std::optional<FieldType> field_type_from(std::string_view text) {
  if (text.empty() || (text[0] != 'i' && text[0] != 'u')) return std::nullopt;
  const bool is_signed = text[0] == 'i';
  const auto width = parse_integer(text.substr(1));
  if (!width || *width < 1 || *width > (is_signed ? 64 : 63)) return std::nullopt;
  return FieldType{is_signed, unsigned(*width)};
}

__extension__ using Wide = __int128;

struct Operation {
  Kind kind = Kind::kGet;
  Overflow overflow = Overflow::kWrap;
  FieldType type;
  uint64_t offset = 0;
  int64_t operand = 0;

  // What the field becomes; nothing if it overflows and must not. 128 bits, because every sum fits there. A negative number
  // that an unsigned field is set to counts as a great one, as clients know it.
  std::optional<int64_t> result_for(int64_t held) const {
    const bool reads_unsigned = kind == Kind::kSet && !type.is_signed;
    Wide sum = reads_unsigned ? Wide(uint64_t(operand)) : Wide(operand);
    if (kind == Kind::kIncrement) sum += held;
    if (sum >= type.min() && sum <= type.max()) return int64_t(sum);
    switch (overflow) {
      case Overflow::kWrap: return type.from_bits(uint64_t(sum));
      case Overflow::kSaturate: return sum < type.min() && !is_too_low_to_tell(sum) ? type.min() : type.max();
      case Overflow::kFail: break;
    }
    return std::nullopt;
  }

 private:
  // A number so low that its distance from the greatest one is beyond 64 bits: setting a field to it gives the greatest. So it is in
  // Redis, and a copy of the dataset there must come out the same.
  bool is_too_low_to_tell(Wide sum) const {
    return kind == Kind::kSet && type.is_signed && type.width < 64 && type.max() - sum > std::numeric_limits<int64_t>::max();
  }
};

struct Program {
  std::vector<Operation> operations;
  uint64_t end = 0;  // of the farthest field that is written, in bits; 0: none is
};

Status read_operation(const CommandContext& ctx, size_t& i, Operation operation, Program& program) {
  const auto type = field_type_from(ctx.arg(i + 1));
  if (!type) return failure("Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.");
  const auto offset = bit_offset_from(ctx, ctx.arg(i + 2), type->width);
  if (!offset) return offset.error();
  operation.type = *type;
  operation.offset = *offset;
  i += 3;
  if (operation.kind != Kind::kGet) {
    program.end = std::max(program.end, *offset + type->width);
    const auto operand = parse_integer(ctx.arg(i++));
    if (!operand) return errors::not_an_integer();
    operation.operand = *operand;
  }
  program.operations.push_back(operation);
  return Status::ok();
}

Result<Program> program_from(const CommandContext& ctx) {
  Program program;
  program.operations.reserve(ctx.argc() / 3);
  Overflow overflow = Overflow::kWrap;
  for (size_t i = 2; i < ctx.argc();) {
    const std::string_view word = ctx.arg(i);
    const size_t left = ctx.argc() - i - 1;
    if (left >= 1 && equals_ignoring_case(word, "overflow")) {
      const std::string_view name = ctx.arg(i + 1);
      if (equals_ignoring_case(name, "wrap")) overflow = Overflow::kWrap;
      else if (equals_ignoring_case(name, "sat")) overflow = Overflow::kSaturate;
      else if (equals_ignoring_case(name, "fail")) overflow = Overflow::kFail;
      else return failure("Invalid OVERFLOW type specified");
      i += 2;
      continue;
    }
    Kind kind;
    if (left >= 2 && equals_ignoring_case(word, "get")) kind = Kind::kGet;
    else if (left >= 3 && equals_ignoring_case(word, "set")) kind = Kind::kSet;
    else if (left >= 3 && equals_ignoring_case(word, "incrby")) kind = Kind::kIncrement;
    else return errors::syntax();
    Operation operation;
    operation.kind = kind;
    operation.overflow = overflow;
    if (Status status = read_operation(ctx, i, operation, program); !status) return status.error();
  }
  return program;
}

Status run_reads(CommandContext& ctx, const Program& program) {
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kString);
  if (!entry) return entry.error();
  IntegerText text;
  const std::string_view bytes = *entry ? string_bytes(**entry, text) : std::string_view();
  ctx.reply().array(program.operations.size());
  for (const Operation& operation : program.operations)
    ctx.reply().integer(operation.type.from_bits(bits::read(bytes, operation.offset, operation.type.width)));
  return Status::ok();
}

// Growth alone is a change too: the string is longer even if every operation has overflowed.
Status run_writes(CommandContext& ctx, const Program& program) {
  auto entry = ctx.write_as(ctx.key(1), ValueType::kString);
  if (!entry) return entry.error();
  const size_t held = *entry ? string_size(**entry) : 0, size = std::max<size_t>(held, (program.end + 7) / 8);
  char* bytes = entry->resize_string(size);
  const bool grew = size != held;
  uint64_t changes = 0;
  ctx.reply().array(program.operations.size());
  for (const Operation& operation : program.operations) {
    const FieldType type = operation.type;
    const int64_t before = type.from_bits(bits::read({bytes, size}, operation.offset, type.width));
    if (operation.kind == Kind::kGet) {
      ctx.reply().integer(before);
      continue;
    }
    const auto after = operation.result_for(before);
    if (!after) {
      ctx.reply().null();
      continue;
    }
    bits::write(bytes, operation.offset, type.width, uint64_t(*after));
    if (grew || *after != before) changes++;
    ctx.reply().integer(operation.kind == Kind::kSet ? before : *after);
  }
  if (grew) changes = std::max<uint64_t>(changes, 1);
  if (changes == 0) return Status::ok();
  ctx.changed(entry->key(), kNotifyString, "setbit");
  if (changes > 1) ctx.dirty(changes - 1);
  return Status::ok();
}

// BITFIELD key [operation ...]. Replies: an array with an element for each GET (the field), SET (the field before) and INCRBY (the field
// after), null for what overflowed under OVERFLOW FAIL. Errors: syntax; WRONGTYPE; types, offsets and numbers that are none.
Status bitfield(CommandContext& ctx) {
  const auto program = program_from(ctx);
  if (!program) return program.error();
  return program->end > 0 ? run_writes(ctx, *program) : run_reads(ctx, *program);
}

// BITFIELD_RO key [GET encoding offset ...]. Replies and errors: as BITFIELD; and an error for any other operation.
Status bitfield_ro(CommandContext& ctx) {
  const auto program = program_from(ctx);
  if (!program) return program.error();
  if (program->end > 0) return failure("BITFIELD_RO only supports the GET subcommand");
  return run_reads(ctx, *program);
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "BITFIELD",
      .usage = "key [<GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] "
               "<SET encoding offset value | INCRBY encoding offset increment>> ...]",
      .arity = -2, .flags = kWrite | kDenyOom,
      .keys = {{.begin = KeySpec::Begin::kIndex, .flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags,
                .index = 1, .notes = "This command allows both access and modification of the key"}},
      .category = "bitmap", .since = "3.2.0", .complexity = "O(1) for each operation.",
      .summary = "Reads, sets and increments integers of any width within a string.",
      .examples = "BITFIELD k SET u8 0 255 INCRBY u8 #0 2 OVERFLOW SAT INCRBY u8 #1 300 GET i4 4 -> [0, 1, 255, 1]; "
                  "BITFIELD k OVERFLOW FAIL INCRBY u8 #1 1 -> [nil]; BITFIELD k GET u64 0 -> (error) ERR Invalid bitfield type"},
     bitfield},
    {{.name = "BITFIELD_RO", .usage = "key [GET encoding offset [GET encoding offset ...]]", .arity = -2, .flags = kReadOnly | kFast,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "bitmap", .since = "6.0.0", .complexity = "O(1) for each operation.",
      .summary = "Reads integers of any width within a string.",
      .examples = "SET k abc -> OK; BITFIELD_RO k GET u8 8 GET i4 #0 -> [98, 6]; "
                  "BITFIELD_RO k SET u8 0 1 -> (error) ERR BITFIELD_RO only supports the GET subcommand"}, bitfield_ro},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> bitfield_commands() { return kCommands; }

}  // namespace vedette
