// Streams against a map of entries: adding, deleting, trimming and walking; groups; random, with a printed seed.
#include "server/store/stream_value.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/unit/seed.h"

using namespace vedette;

namespace {

using Texts = std::vector<std::string>;
using Content = std::map<StreamId, Texts>;

Texts random_fields(Rng& rng) {
  Texts fields;
  if (rng.below(2)) {
    fields = {"name", "x" + std::to_string(rng.below(1000)), "age", std::to_string(int64_t(rng.next()))};
  } else {
    for (uint64_t i = 0; i <= rng.below(4); i++) {
      fields.push_back(std::string(rng.below(3) ? rng.below(10) : rng.below(5000), 'f'));
      fields.push_back(std::to_string(int64_t(rng.below(300)) - 150));
    }
  }
  return fields;
}

bool append(StreamValue& stream, StreamId id, const Texts& fields, const PackingLimits& limits) {
  const std::vector<std::string_view> views(fields.begin(), fields.end());
  return stream.append(id, views, limits);
}

Content content_of(const StreamValue& stream, StreamId from = {}, StreamId to = kStreamIdMax, bool backwards = false) {
  Content content;
  StreamWalk walk(stream, from, to, backwards);
  std::optional<StreamId> last;
  while (walk.next()) {
    if (last) REQUIRE((backwards ? walk.id() < *last : walk.id() > *last));
    last = walk.id();
    Texts& fields = content[walk.id()];
    walk.entry().for_each_field([&](std::string_view field, std::string_view value) {
      fields.emplace_back(field);
      fields.emplace_back(value);
    });
  }
  return content;
}

Content part(const Content& content, StreamId from, StreamId to) {
  if (from > to) return {};
  return Content(content.lower_bound(from), content.upper_bound(to));
}

// Every block is one that a check of foreign bytes would let pass.
void check_blocks(const StreamValue& stream) {
  uint64_t live = 0;
  const StreamBlocks& all = stream.blocks();
  for (auto place = all.begin(); place != all.end(); place = all.next(place)) {
    const auto facts = check_stream_block(all.at(place)->first, all.at(place)->pack());
    REQUIRE(facts.has_value());
    REQUIRE(facts->live > 0);
    live += facts->live;
  }
  REQUIRE(live == stream.length());
}

void check_all(const StreamValue& stream, const Content& content) {
  REQUIRE(stream.length() == content.size());
  REQUIRE(stream.first_id() == (content.empty() ? StreamId{} : content.begin()->first));
  REQUIRE(stream.last_entry_id() == (content.empty() ? std::nullopt : std::optional(content.rbegin()->first)));
  REQUIRE(content_of(stream) == content);
  REQUIRE(content_of(stream, {}, kStreamIdMax, true) == content);
  check_blocks(stream);
}

void trim(StreamValue& stream, Content& content, Rng& rng) {
  StreamTrim trim;
  trim.approximate = rng.below(2);
  trim.limit = trim.approximate && rng.below(2) ? 1 + rng.below(20) : 0;
  if (rng.below(2)) {
    trim.kind = StreamTrim::Kind::kLength;
    trim.length_max = rng.below(content.size() + 5);
  } else {
    trim.kind = StreamTrim::Kind::kMinId;
    trim.id_min = {stream.last_id.ms - std::min(stream.last_id.ms, rng.below(30)), rng.below(3)};
  }
  uint64_t would = 0;
  for (const auto& [id, fields] : content)
    would += trim.kind == StreamTrim::Kind::kLength ? content.size() - would > trim.length_max : id < trim.id_min;
  const uint64_t trimmed = stream.trim(trim);
  if (trim.approximate) REQUIRE(trimmed <= would);
  else REQUIRE(trimmed == would);
  if (trim.limit) REQUIRE(trimmed <= trim.limit);
  content.erase(content.begin(), std::next(content.begin(), ptrdiff_t(trimmed)));
}

}  // namespace

TEST_CASE("a stream holds what a map holds") {
  Rng rng(test_seed("streams"));
  for (int round = 0; round < 40; round++) {
    StreamValue stream;
    Content content;
    PackingLimits limits;
    limits.stream_node_entries = rng.below(3) ? 1 + rng.below(20) : 0;
    limits.stream_node_bytes = rng.below(3) ? 100 + rng.below(4000) : 0;
    const uint64_t deletes = rng.below(4);
    for (int i = 0; i < 600; i++) {
      if (rng.below(6) >= deletes) {
        StreamId id = stream.last_id;
        rng.below(2) ? void(id.advance()) : void((id.ms += 1 + rng.below(5), id.seq = rng.below(10)));
        const Texts fields = random_fields(rng);
        REQUIRE(append(stream, id, fields, limits));
        Texts& held = content[id];
        held = fields;
      } else {
        const StreamId id{rng.below(stream.last_id.ms + 2), rng.below(10)};
        auto there = rng.below(2) && !content.empty() ? std::next(content.begin(), ptrdiff_t(rng.below(content.size()))) : content.find(id);
        const StreamId wanted = there == content.end() ? id : there->first;
        REQUIRE(stream.contains(wanted) == (there != content.end()));
        REQUIRE(stream.erase(wanted) == (there != content.end()));
        if (there != content.end()) content.erase(there);
      }
      if (rng.below(40) == 0) trim(stream, content, rng);
      const StreamId from{rng.below(stream.last_id.ms + 2), rng.below(10)}, to{from.ms + rng.below(20), rng.below(10)};
      REQUIRE(content_of(stream, from, to) == part(content, from, to));
      REQUIRE(content_of(stream, from, to, true) == part(content, from, to));
      if (i % 100 == 0) check_all(stream, content);
    }
    check_all(stream, content);
    const std::unique_ptr<StreamValue> copy(stream.duplicate());
    check_all(*copy, content);
    while (!content.empty()) {
      REQUIRE(stream.erase(content.begin()->first));
      content.erase(content.begin());
    }
    check_all(stream, content);
    CHECK(stream.memory_bytes() < 2048);
  }
}

TEST_CASE("a block that is not whole is refused, wherever it is cut or changed") {
  Rng rng(test_seed("damaged blocks"));
  StreamValue stream;
  for (uint64_t i = 1; i < 30; i++) REQUIRE(append(stream, {i, i % 3}, random_fields(rng), {}));
  stream.erase({5, 2});
  const StreamBlock& block = *stream.blocks().first();
  const std::string whole(block.pack());
  REQUIRE(check_stream_block(block.first, whole));
  for (int i = 0; i < 20'000; i++) {
    std::string damaged = whole;
    for (uint64_t n = 0; n <= rng.below(3); n++) damaged[rng.below(damaged.size())] = char(rng.next());
    if (rng.below(4) == 0) damaged.resize(rng.below(damaged.size()));
    const auto facts = check_stream_block(block.first, damaged);
    if (!facts) continue;
    // What passes can be read to its end in both directions.
    StreamBlock* copy = StreamBlock::copy_of(block.first, damaged);
    StreamBlockReader reader(*copy);
    size_t there = 0, back = 0;
    for (bool more = reader.to_first(); more; more = reader.next(), there++)
      reader.for_each_field([](std::string_view, std::string_view) {});
    for (bool more = reader.to_last(); more; more = reader.previous()) back++;
    REQUIRE(there == back);
    StreamBlock::free(copy);
  }
}

TEST_CASE("what is pending stands in the orders of its group and of its consumer") {
  Rng rng(test_seed("pending entries"));
  StreamValue stream;
  StreamGroup& group = *stream.groups.create("g", {}, 0);
  CHECK(stream.groups.create("g", {}, 0) == nullptr);
  std::vector<StreamConsumer*> consumers;
  for (const char* name : {"b", "a", "c"}) consumers.push_back(stream.groups.create_consumer(group, name, 7));
  CHECK(group.consumers[0]->name == "a");
  std::map<StreamId, StreamConsumer*> model;
  const size_t empty = stream.groups.memory_bytes();
  for (int i = 0; i < 5000; i++) {
    const StreamId id{rng.below(500), 0};
    StreamConsumer* owner = rng.below(5) ? consumers[rng.below(3)] : nullptr;
    if (StreamPending* pending = group.pending.find(id)) {
      REQUIRE(pending->owner == model.at(id));
      if (rng.below(2)) {
        stream.groups.give(*pending, owner);
        model[id] = owner;
      } else {
        REQUIRE(stream.groups.acknowledge(group, id));
        model.erase(id);
      }
    } else {
      REQUIRE_FALSE(stream.groups.acknowledge(group, id));
      stream.groups.add_pending(group, owner, {id, 1, 1, nullptr});
      model[id] = owner;
    }
    REQUIRE(group.pending.size() == model.size());
    for (StreamConsumer* consumer : consumers)
      REQUIRE(consumer->pending.size() ==
              size_t(std::count_if(model.begin(), model.end(), [&](const auto& one) { return one.second == consumer; })));
  }
  const std::unique_ptr<StreamValue> copy(stream.duplicate());
  CHECK(copy->groups.memory_bytes() == stream.groups.memory_bytes());
  CHECK(copy->groups.find("g")->pending.size() == model.size());
  for (StreamConsumer* consumer : consumers) stream.groups.remove_consumer(group, *consumer);
  while (!group.pending.empty()) stream.groups.acknowledge(group, group.pending.first()->id);
  CHECK(stream.groups.memory_bytes() < empty);
  CHECK(copy->groups.destroy("g"));
  CHECK(copy->groups.memory_bytes() == 0);
  CHECK_FALSE(copy->groups.destroy("g"));
}
