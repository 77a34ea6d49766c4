// SORT: the elements of a list, a set or a sorted set in another order, or what other keys hold for them.
//
// What is ordered are views of the elements and what they are compared by. A text that lives nowhere else (an integer that had to
// be printed, everything if the result is stored, because the destination may be one of the keys that were read) is kept aside for
// the length of the call. Elements that compare as equal keep their order.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "common/base/collation.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/execution/commit.h"
#include "server/execution/context.h"
#include "server/store/hash_value.h"
#include "server/store/list_value.h"
#include "server/store/set_value.h"
#include "server/store/sorted_set_value.h"

namespace vedette {
namespace {

// Copies of texts in blocks that do not move.
class KeptTexts {
 public:
  std::string_view keep(std::string_view text) {
    if (left_ < text.size()) {
      left_ = std::max(kBlockBytes, text.size());
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
      at_ = blocks_.back().get();
    }
    char* copy = at_;
    std::copy(text.begin(), text.end(), copy);
    at_ += text.size();
    left_ -= text.size();
    return {copy, text.size()};
  }

 private:
  static constexpr size_t kBlockBytes = 16 * 1024;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  size_t left_ = 0;
};

// What follows BY and GET: "weight_*", "object_*->field", "#" for the element itself. Without an asterisk it names nothing. What
// has a meaning in it ends at a zero byte.
struct SortPattern {
  bool is_element = false, names_keys = false;
  std::string_view before, behind, field;

  explicit SortPattern(std::string_view pattern) {
    const std::string_view meaning = pattern.substr(0, pattern.find('\0'));
    is_element = meaning == "#";
    const size_t star = meaning.find('*');
    names_keys = star != std::string_view::npos;
    if (!names_keys) return;
    before = pattern.substr(0, star);
    behind = pattern.substr(star + 1);
    const size_t arrow = meaning.find("->", star + 1);
    if (arrow == std::string_view::npos || arrow + 2 == meaning.size()) return;
    behind = pattern.substr(star + 1, arrow - star - 1);
    field = pattern.substr(arrow + 2);
  }
};

struct SortOptions {
  int64_t offset = 0, count = -1;  // -1: all
  bool descending = false, alpha = false, sorts = true;
  std::optional<SortPattern> by;
  std::vector<SortPattern> gets;
  size_t destination = 0;  // its argument; 0: the result is a reply
};

// What the patterns name is not known before, so that they take a permission for all keys.
bool may_look_up(CommandContext& ctx) { return ctx.access().reads_all_keys(ctx.session, ctx.command, ctx.args()); }

SortOptions sort_options_from(CommandContext& ctx, ArgReader& args, bool may_store) {
  SortOptions options;
  while (args.more()) {
    if (args.token("ASC")) {
      options.descending = false;
    } else if (args.token("DESC")) {
      options.descending = true;
    } else if (args.token("ALPHA")) {
      options.alpha = true;
    } else if (args.token_with("LIMIT", 2)) {
      options.offset = args.integer();
      options.count = args.integer();
    } else if (may_store && args.token_with("STORE")) {
      options.destination = args.position();
      args.text();
    } else if (args.token_with("BY")) {
      options.by.emplace(args.text());
      options.sorts = options.by->names_keys;
      if (options.sorts && !may_look_up(ctx)) args.fail("ERR BY option of SORT denied due to insufficient ACL permissions.");
    } else if (args.token_with("GET")) {
      options.gets.emplace_back(args.text());
      if (!may_look_up(ctx)) args.fail("ERR GET option of SORT denied due to insufficient ACL permissions.");
    } else {
      args.fail_syntax();
    }
  }
  return options;
}

struct Item {
  std::string_view element;
  std::string_view text;  // that it is compared by, with ALPHA and BY
  double score = 0;
  uint64_t place = 0;  // that it had
  bool has_text = false;
};

// The elements from `first` on up to `last`.
struct Range {
  size_t first, last;
};

class Sorting {
 public:
  Sorting(CommandContext& ctx, SortOptions& options) : ctx_(ctx), options_(options) {}

  Status run(const Entry* source) {
    if (source && source->type() == ValueType::kSet && (options_.destination || ctx_.session.has(kScript)) && !options_.sorts) {
      // A set has no order of its own: replicas are to store the same one, and a script is to find the same one everywhere.
      options_.sorts = options_.alpha = true;
      options_.by.reset();
    }
    Range range{0, 0};
    if (source) range = wanted_range(kind_of(*source).elements(*source));
    // All are weighed even if none is wanted, so that what is no number is refused.
    if (source && (options_.sorts || range.first < range.last)) {
      range = collect(*source, range);
      if (options_.sorts)
        if (Status status = sort(range); !status) return status;
    }
    const std::span<const Item> found = std::span(items_).subspan(range.first, range.last - range.first);
    options_.destination ? store(found) : reply(found);
    return Status::ok();
  }

 private:
  Range wanted_range(size_t size) const {
    const auto clamp = [size](int64_t value) { return size_t(std::clamp<int64_t>(value, 0, int64_t(size))); };
    const size_t first = clamp(options_.offset), count = options_.count < 0 ? size : clamp(options_.count);
    return {first, std::max(first, std::min(size, first + count))};
  }

  void add(std::string_view element, bool lasting) {
    Item item;
    item.element = lasting && !options_.destination ? element : texts_.keep(element);
    item.place = items_.size();
    items_.push_back(item);
  }

  // Takes the elements in. Where they have an order that counts, only those of the range; returns where the range is among them.
  Range collect(const Entry& source, Range range) {
    const size_t size = kind_of(source).elements(source), wanted = range.last - range.first;
    const bool in_order = !options_.sorts && source.type() != ValueType::kSet;
    items_.reserve(in_order ? wanted : size);
    switch (source.type()) {
      case ValueType::kList: collect_list(source, in_order ? range : Range{0, size}, in_order && options_.descending); break;
      case ValueType::kSortedSet: {
        const bool reverse = in_order && options_.descending;
        RankRange ranks{0, size};
        if (in_order) ranks = {reverse ? size - range.last : range.first, wanted};
        const bool lasting = source.is_large();
        SortedSetReader(source).for_each(ranks, reverse, [&](std::string_view member, double) { add(member, lasting); });
        break;
      }
      default: for_each_member(source, [&, lasting = source.is_large()](Member& member) { add(member.text(), lasting); });
    }
    return in_order ? Range{0, items_.size()} : range;
  }

  void collect_list(const Entry& source, Range range, bool reverse) {
    const ListView list(source);
    const auto take = [&](const listpack::Element& element) {
      char digits[20];
      if (element.is_integer) add({digits, print_integer(digits, element.integer)}, false);
      else add(element.bytes, true);
    };
    const size_t wanted = range.last - range.first;
    if (reverse) list.for_each_backwards(list.seek(-1 - int64_t(range.first)), wanted, take);
    else list.for_each(list.seek(int64_t(range.first)), wanted, take);
  }

  // What a pattern stands for with this element, good until the next call or as long as the dataset stays as it is; `lasting`
  // says which. Nothing if there is no such key, or no such field.
  std::optional<std::string_view> look_up(const SortPattern& pattern, std::string_view element, bool& lasting) {
    lasting = true;
    if (pattern.is_element) return element;
    if (!pattern.names_keys) return std::nullopt;
    name_ = pattern.before;
    name_ += element;
    name_ += pattern.behind;
    const Entry* entry = read(ctx_.key_of(name_));
    if (!entry) return std::nullopt;
    if (pattern.field.empty()) {
      if (entry->type() != ValueType::kString) return std::nullopt;
      lasting = entry->encoding() != Encoding::kInteger;
      return string_bytes(*entry, number_);
    }
    if (entry->type() != ValueType::kHash) return std::nullopt;
    const auto value = HashView(entry, ctx_.now_ms()).find(pattern.field, field_number_);
    lasting = !value || value->data() != field_number_.digits;
    return value;
  }

  // As CommandContext::read(), but a miss is told at once: the key's name does not outlive the call.
  const Entry* read(const Key& key) {
    KeyspaceStats& stats = ctx_.server.keyspace.stats;
    Entry* entry = ctx_.peek(key);
    (entry ? stats.hits : stats.misses)++;
    if (!entry) notify_keyspace_event(ctx_.server, kNotifyKeyMiss, "keymiss", key.bytes, ctx_.session.db);
    else if (!ctx_.session.has(kNoTouch)) ctx_.server.keyspace.access.touch(*entry, ctx_.server.keyspace.rng);
    return entry;
  }

  // The number that a text is to whoever counts in floating point: blanks before it and other bases pass, and no text is 0.
  static bool score_of(std::string_view text, double& score) {
    if (const auto integer = parse_integer(text)) return score = double(*integer), true;
    const std::string terminated(text);
    char* end = nullptr;
    errno = 0;
    score = std::strtod(terminated.c_str(), &end);
    return *end == '\0' && errno != ERANGE && !std::isnan(score);
  }

  bool weigh(Item& item) {
    std::optional<std::string_view> text = item.element;
    bool lasting = true;
    if (options_.by) text = look_up(*options_.by, item.element, lasting);
    if (!text) return true;  // without a weight: 0, or before all texts
    if (!options_.alpha) return score_of(*text, item.score);
    if (collates_) item.text = texts_.keep(collation_key(*text));
    else item.text = lasting ? *text : texts_.keep(*text);
    item.has_text = true;
    return true;
  }

  // Orders the items as far as the range goes.
  Status sort(Range range) {
    bool numbers = true;
    for (Item& item : items_) numbers &= weigh(item);
    if (!numbers) return failure("One or more scores can't be converted into double");
    const auto before = [alpha = options_.alpha, descending = options_.descending](const Item& a, const Item& b) {
      int order = 0;
      if (!alpha) order = a.score != b.score ? (a.score < b.score ? -1 : 1) : a.element.compare(b.element);
      else order = a.has_text && b.has_text ? a.text.compare(b.text) : int(a.has_text) - int(b.has_text);
      return order == 0 ? a.place < b.place : descending ? order > 0 : order < 0;
    };
    if (range.last < items_.size() / 4) std::partial_sort(items_.begin(), items_.begin() + ptrdiff_t(range.last), items_.end(), before);
    else std::sort(items_.begin(), items_.end(), before);
    return Status::ok();
  }

  using Texts = std::vector<std::optional<std::string_view>>;

  // The elements, or what GET asks for. All of it is looked up before the reply begins: an expired key that is met is told of.
  Texts result_of(std::span<const Item> found) {
    Texts result;
    result.reserve(found.size() * std::max<size_t>(options_.gets.size(), 1));
    for (const Item& item : found) {
      if (options_.gets.empty()) result.emplace_back(item.element);
      for (const SortPattern& pattern : options_.gets) {
        bool lasting = true;
        const auto text = look_up(pattern, item.element, lasting);
        result.push_back(!text || (lasting && !options_.destination) ? text : texts_.keep(*text));
      }
    }
    return result;
  }

  void reply(std::span<const Item> found) {
    const Texts result = result_of(found);
    ctx_.reply().array(result.size());
    for (const auto& text : result) text ? ctx_.reply().bulk(*text) : ctx_.reply().null();
  }

  // The result becomes a list; what is missing is an empty element of it. An empty result leaves no key.
  void store(std::span<const Item> found) {
    std::vector<std::string_view> texts;
    for (const auto& text : result_of(found)) texts.push_back(text.value_or(""));
    WriteEntry destination = ctx_.write(ctx_.key(options_.destination));
    const bool existed = bool(destination);
    if (existed) destination.erase(ctx_.server.settings.lazy_server_delete);
    if (!texts.empty()) {
      push_to_list(destination, ctx_.server.keyspace.packing, ListEnd::kBack, texts);
      ctx_.changed(destination.key(), kNotifyList, "sortstore");
      ctx_.dirty(texts.size() - 1);
    } else if (existed) {
      ctx_.changed(destination.key(), kNotifyGeneric, "del");
    }
    ctx_.reply().integer(int64_t(texts.size()));
  }

  CommandContext& ctx_;
  SortOptions& options_;
  const bool collates_ = ctx_.server.settings.collates && !options_.destination;  // what is stored is ordered alike everywhere
  std::vector<Item> items_;
  KeptTexts texts_;
  std::string name_;
  IntegerText number_;
  listpack::Text field_number_;
};

bool has_elements(ValueType type) { return type == ValueType::kList || type == ValueType::kSet || type == ValueType::kSortedSet; }

Status sort_with(CommandContext& ctx, bool may_store) {
  ArgReader args(ctx.args(), 2);
  SortOptions options = sort_options_from(ctx, args, may_store);
  if (!args.is_ok()) return args.status();
  const Entry* source = ctx.read(ctx.key(1));
  if (source && !has_elements(source->type())) return errors::wrong_type();
  return Sorting(ctx, options).run(source);
}

// SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination]. Replies: an array, or
// with STORE how many elements the destination has now. Errors: WRONGTYPE; a syntax error; an element or a weight that is no number.
Status sort(CommandContext& ctx) { return sort_with(ctx, true); }
Status sort_ro(CommandContext& ctx) { return sort_with(ctx, false); }

constexpr KeySpec unknown_keys(unsigned flags, std::string_view notes) {
  KeySpec spec;
  spec.begin = KeySpec::Begin::kUnknown;
  spec.find = KeySpec::Find::kUnknown;
  spec.flags = uint16_t(flags);
  spec.notes = notes;
  return spec;
}
constexpr KeySpec kSource = key_at(1, kKeyRO | kKeyAccess);
constexpr KeySpec kLookedUp = unknown_keys(
    kKeyRO | kKeyAccess, "What follows BY and GET is a pattern: the names of the keys depend on the elements that are sorted");
constexpr KeySpec kDestination = unknown_keys(kKeyOW | kKeyUpdate, "STORE may stand anywhere among the options");
constexpr std::string_view kComplexity =
    "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the "
    "elements are not sorted, complexity is O(N).";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "SORT",
      .usage = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] [STORE destination]",
      .arity = -2, .flags = kWrite | kDenyOom | kMovableKeys, .keys = {kSource, kLookedUp, kDestination}, .category = "generic",
      .acl = "-keyspace set sortedset list dangerous", .since = "1.0.0", .complexity = kComplexity,
      .summary = "Sorts the elements in a list, a set, or a sorted set, optionally storing the result.",
      .examples = "SADD s 3 1 2 -> 3; SORT s -> [1, 2, 3]; SORT s DESC LIMIT 0 2 -> [3, 2]; SET w_1 9 -> OK; SET w_2 5 -> OK; "
                  "SORT s BY w_* GET # GET w_* -> [3, nil, 2, 5, 1, 9]; SORT s STORE l -> 3; TYPE l -> list"}, sort},
    {{.name = "SORT_RO", .usage = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]",
      .arity = -2, .flags = kReadOnly | kMovableKeys, .keys = {kSource, kLookedUp}, .category = "generic",
      .acl = "-keyspace set sortedset list dangerous", .since = "7.0.0", .complexity = kComplexity,
      .summary = "Returns the sorted elements of a list, a set, or a sorted set.",
      .examples = "SADD s b a -> 2; SORT_RO s -> (error) ERR One or more scores can't be converted into double; "
                  "SORT_RO s ALPHA -> [a, b]; SORT_RO s STORE l -> (error) ERR syntax error"}, sort_ro},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> sort_commands() { return kCommands; }

}  // namespace vedette
