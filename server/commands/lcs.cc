// LCS: the longest common subsequence of two strings, its length, or where it lies in both.
//
// The classic table of lengths of common subsequences of all prefixes is never held: two rows of it suffice to compute
// the next, and the way back through it asks one question of a cell, which neighbour is longer, so one bit a cell
// is kept. That is a 32nd of the table; the length alone needs no bits at all.
#include <algorithm>
#include <vector>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

struct LcsOptions {
  bool length_only = false, ranges = false, with_lengths = false;
  int64_t match_length_min = 0;
};

Result<LcsOptions> parse_options(const CommandContext& ctx) {
  LcsOptions options;
  for (size_t i = 3; i < ctx.argc(); i++) {
    const std::string_view token = ctx.arg(i);
    if (equals_ignoring_case(token, "IDX")) {
      options.ranges = true;
    } else if (equals_ignoring_case(token, "LEN")) {
      options.length_only = true;
    } else if (equals_ignoring_case(token, "WITHMATCHLEN")) {
      options.with_lengths = true;
    } else if (equals_ignoring_case(token, "MINMATCHLEN") && i + 1 < ctx.argc()) {
      const auto length = parse_integer(ctx.arg(++i));
      if (!length) return errors::not_an_integer();
      options.match_length_min = std::max<int64_t>(*length, 0);
    } else {
      return errors::syntax();
    }
  }
  if (options.ranges && options.length_only) return failure("If you want both the length and indexes, please just use IDX.");
  return options;
}

// For each cell (i, j), prefixes of i and j bytes: whether the way back drops the last byte of `a` (else of `b`).
class Path {
 public:
  void reserve(size_t a_size, size_t b_size) {
    row_bytes_ = b_size / 8 + 1;
    bits_.resize(row_bytes_ * a_size);
  }
  bool reserved() const { return row_bytes_ > 0; }
  void drop_from_a(size_t i, size_t j) { bits_[(i - 1) * row_bytes_ + j / 8] |= uint8_t(1u << (j % 8)); }
  bool drops_from_a(size_t i, size_t j) const { return bits_[(i - 1) * row_bytes_ + j / 8] >> (j % 8) & 1; }

 private:
  size_t row_bytes_ = 0;
  std::vector<uint8_t> bits_;
};

// The length; notes the way back in `path` if it has been reserved. O(a.size() * b.size()).
uint32_t measure(std::string_view a, std::string_view b, Path& path) {
  std::vector<uint32_t> above(b.size() + 1), row(b.size() + 1);
  for (size_t i = 1; i <= a.size(); i++) {
    for (size_t j = 1; j <= b.size(); j++) {
      if (a[i - 1] == b[j - 1]) {
        row[j] = above[j - 1] + 1;
      } else if (above[j] > row[j - 1]) {
        row[j] = above[j];
        if (path.reserved()) path.drop_from_a(i, j);
      } else {
        row[j] = row[j - 1];
      }
    }
    row.swap(above);
  }
  return above[b.size()];
}

// Clients know the bound as one on the memory of a table of 32-bit lengths. Here it bounds the time: nothing else runs
// meanwhile.
bool too_large(const CommandContext& ctx, std::string_view a, std::string_view b) {
  uint64_t bytes = 0;
  return __builtin_mul_overflow(uint64_t(a.size() + 1) * sizeof(uint32_t), uint64_t(b.size() + 1), &bytes) ||
         bytes > ctx.server.settings.limits.bulk_bytes_max;
}

// Calls `visit(i, j)` with the offsets of each byte of the subsequence in both strings, from the last to the first.
template <class Visit>
void walk_back(std::string_view a, std::string_view b, const Path& path, Visit&& visit) {
  for (size_t i = a.size(), j = b.size(); i > 0 && j > 0;) {
    if (a[i - 1] == b[j - 1]) visit(--i, --j);
    else if (path.drops_from_a(i, j)) i--;
    else j--;
  }
}

struct Match {
  size_t a, b, length;  // where it starts
};

// The subsequence as stretches that are contiguous in both strings, the last first.
std::vector<Match> matches_of(std::string_view a, std::string_view b, const Path& path) {
  std::vector<Match> matches;
  walk_back(a, b, path, [&](size_t i, size_t j) {
    if (!matches.empty() && matches.back().a == i + 1 && matches.back().b == j + 1) matches.back() = {i, j, matches.back().length + 1};
    else matches.push_back({i, j, 1});
  });
  return matches;
}

void reply_range(ReplyWriter& reply, size_t start, size_t length) {
  reply.array(2);
  reply.integer(int64_t(start));
  reply.integer(int64_t(start + length - 1));
}

void reply_matches(ReplyWriter& reply, const std::vector<Match>& all, uint32_t length, const LcsOptions& options) {
  const auto long_enough = [&](const Match& match) { return int64_t(match.length) >= options.match_length_min; };
  reply.map(2);
  reply.bulk("matches");
  reply.array(size_t(std::count_if(all.begin(), all.end(), long_enough)));
  for (const Match& match : all) {
    if (!long_enough(match)) continue;
    reply.array(options.with_lengths ? 3 : 2);
    reply_range(reply, match.a, match.length);
    reply_range(reply, match.b, match.length);
    if (options.with_lengths) reply.integer(int64_t(match.length));
  }
  reply.bulk("len");
  reply.integer(length);
}

// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]. Replies: the subsequence; with LEN its length; with IDX a map
// of the matches' ranges and the length. An absent key is an empty string. Errors: not strings; syntax; too long.
Status lcs(CommandContext& ctx) {
  const Entry* entries[2] = {ctx.read(ctx.key(1)), ctx.read(ctx.key(2))};
  std::string_view bytes[2];
  IntegerText texts[2];
  for (int i = 0; i < 2; i++) {
    if (!entries[i]) continue;
    if (entries[i]->type() != ValueType::kString) return failure("The specified keys must contain string values");
    bytes[i] = string_bytes(*entries[i], texts[i]);
    if (bytes[i].size() >= UINT32_MAX - 1) return failure("String too long for LCS");
  }
  const auto options = parse_options(ctx);
  if (!options) return options.error();
  const std::string_view a = bytes[0], b = bytes[1];
  if (too_large(ctx, a, b)) return failure("Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  Path path;
  if (!options->length_only) path.reserve(a.size(), b.size());
  const uint32_t length = measure(a, b, path);
  if (options->length_only) {
    ctx.reply().integer(length);
  } else if (options->ranges) {
    reply_matches(ctx.reply(), matches_of(a, b, path), length, *options);
  } else {
    std::string common(length, 0);
    size_t at = length;
    walk_back(a, b, path, [&](size_t i, size_t) { common[--at] = a[i]; });
    ctx.reply().bulk(common);
  }
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "LCS", .usage = "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]", .arity = -3,
      .flags = kReadOnly, .keys = {keys_at(1, 2, 1, kKeyRO | kKeyAccess)}, .category = "string", .since = "7.0.0",
      .complexity = "O(N*M) where N and M are the lengths of s1 and s2, respectively",
      .summary = "Finds the longest common subsequence of two strings.",
      .examples = "MSET a ohmytext b mynewtext -> OK; LCS a b -> mytext; LCS a b LEN -> 6; "
                  "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN -> [matches, [[[4, 7], [5, 8], 4]], len, 6]"}, lcs},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> lcs_commands() { return kCommands; }

}  // namespace vedette
