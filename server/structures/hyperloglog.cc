// Dense registers are taken apart eight at a time, 48 bits spread over a word by shifts. The estimate needs only how many registers have
// which value, so a dense form is counted in one pass into a histogram.
#include "server/structures/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "common/base/assert.h"
#include "common/base/numbers.h"

namespace vedette::hyperloglog {
namespace {

constexpr unsigned kIndexBits = 14, kRankBits = 64 - kIndexBits;
constexpr uint64_t kSeed = 0xadc83b19;
constexpr std::string_view kMagic = "HYLL";
constexpr size_t kEncodingAt = 4, kCacheAt = 8;
constexpr uint8_t kDense = 0, kSparse = 1;
constexpr uint8_t kSparseRankMax = 32;
static_assert(kRegisters == size_t(1) << kIndexBits);

uint64_t load_word(const void* from, size_t size = 8) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t word = 0;
  std::memcpy(&word, from, size);
  return word;
}

// MurmurHash2 of 64 bits (A. Appleby, public domain): which hash it is belongs to the format.
uint64_t murmur_hash(std::string_view bytes) {
  constexpr uint64_t kFactor = 0xc6a4a7935bd1e995;
  constexpr int kShift = 47;
  uint64_t hash = kSeed ^ (bytes.size() * kFactor);
  while (bytes.size() >= 8) {
    uint64_t word = load_word(bytes.data()) * kFactor;
    word = (word ^ word >> kShift) * kFactor;
    hash = (hash ^ word) * kFactor;
    bytes.remove_prefix(8);
  }
  if (!bytes.empty()) hash = (hash ^ load_word(bytes.data(), bytes.size())) * kFactor;
  hash = (hash ^ hash >> kShift) * kFactor;
  return hash ^ hash >> kShift;
}

// --- dense registers

constexpr size_t kGroup = 8, kGroupBytes = 6;

// Eight registers of 6 bits, lowest first, as the bytes of a word; and back.
uint64_t spread(uint64_t group) {
  group = (group & 0xffffff) | (group & 0xffffff000000) << 8;
  group = (group & 0x00000fff00000fff) | (group & 0x00fff00000fff000) << 4;
  return (group & 0x003f003f003f003f) | (group & 0x0fc00fc00fc00fc0) << 2;
}
uint64_t gather(uint64_t values) {
  values = (values & 0x003f003f003f003f) | (values & 0x3f003f003f003f00) >> 2;
  values = (values & 0x00000fff00000fff) | (values & 0x0fff00000fff0000) >> 4;
  return (values & 0xffffff) | (values & 0x00ffffff00000000) >> 8;
}

uint64_t dense_group(const char* registers, size_t group) { return spread(load_word(registers + group * kGroupBytes, kGroupBytes)); }

uint8_t dense_register(const char* registers, unsigned index) {
  const size_t bit = size_t(index) * 6, byte = bit / 8;
  const unsigned word = uint8_t(registers[byte]) | (bit % 8 > 2 ? unsigned(uint8_t(registers[byte + 1])) << 8 : 0);
  return word >> bit % 8 & 63;
}

void set_dense_register(char* registers, unsigned index, uint8_t rank) {
  const size_t bit = size_t(index) * 6, byte = bit / 8;
  const unsigned shift = bit % 8, mask = 63u << shift, value = unsigned(rank) << shift;
  registers[byte] = char((uint8_t(registers[byte]) & ~mask) | value);
  if (shift > 2) registers[byte + 1] = char((uint8_t(registers[byte + 1]) & ~(mask >> 8)) | value >> 8);
}

void write_dense(char* to, const Registers& registers) {
  for (size_t group = 0; group < kRegisters / kGroup; group++) {
    const uint64_t packed = gather(load_word(registers.values + group * kGroup));
    std::memcpy(to + group * kGroupBytes, &packed, kGroupBytes);
  }
}

Outcome add_dense(char* bytes, const Observation& seen) {
  char* registers = bytes + kHeaderBytes;
  if (dense_register(registers, seen.index) >= seen.rank) return Outcome::kUnchanged;
  set_dense_register(registers, seen.index, seen.rank);
  invalidate_cache(bytes);
  return Outcome::kChanged;
}

// --- sparse registers

struct Run {
  unsigned length;
  uint8_t value;  // 0: zeros
  uint8_t size;   // bytes it is written in
};

constexpr unsigned kShortZerosMax = 64, kValueRunMax = 4;

bool is_value(char opcode) { return opcode & 0x80; }
unsigned value_run_length(char opcode) { return (unsigned(opcode) & 3) + 1; }
uint8_t run_value(char opcode) { return uint8_t((unsigned(opcode) >> 2 & 31) + 1); }

// The run at `at`, which may need a byte more than there is: then its size reaches past the end.
Run run_at(std::string_view bytes, size_t at) {
  const unsigned opcode = uint8_t(bytes[at]);
  if (opcode & 0x80) return {value_run_length(bytes[at]), run_value(bytes[at]), 1};
  if (!(opcode & 0x40)) return {opcode + 1, 0, 1};
  const unsigned low = at + 1 < bytes.size() ? uint8_t(bytes[at + 1]) : 0;
  return {((opcode & 0x3f) << 8 | low) + 1, 0, 2};
}

// Calls visit(first register, run) for each run; whether they cover all registers exactly.
template <class Visit>
bool for_each_run(std::string_view bytes, Visit&& visit) {
  size_t first = 0, at = kHeaderBytes;
  while (at < bytes.size()) {
    const Run run = run_at(bytes, at);
    at += run.size;
    if (at > bytes.size() || run.length > kRegisters - first) return false;
    visit(first, run);
    first += run.length;
  }
  return first == kRegisters;
}

// Up to three runs in the place of one.
struct Sequence {
  char bytes[5];
  size_t size = 0;

  void zeros(unsigned length) {
    if (length > kShortZerosMax) {
      bytes[size++] = char(0x40 | (length - 1) >> 8);
      bytes[size++] = char(length - 1);
    } else if (length > 0) {
      bytes[size++] = char(length - 1);
    }
  }
  void values(uint8_t value, unsigned length) {
    if (length > 0) bytes[size++] = char(0x80 | (value - 1) << 2 | (length - 1));
  }
  void repeat(const Run& run, unsigned length) { run.value ? values(run.value, length) : zeros(length); }
};

// Where a search may begin: at a run, and the register that it begins with.
struct SparseCursor {
  size_t at = kHeaderBytes;
  unsigned first = 0;
};

struct SparsePlace {
  SparseCursor here, before;
  bool has_before = false;
  Run run = {};
};

std::optional<SparsePlace> locate(std::string_view bytes, unsigned index, SparseCursor from) {
  SparsePlace place;
  place.here = from;
  while (place.here.at < bytes.size()) {
    place.run = run_at(bytes, place.here.at);
    if (index < place.here.first + place.run.length) {
      if (place.here.at + place.run.size > bytes.size()) return std::nullopt;
      return place;
    }
    place.before = place.here;
    place.has_before = true;
    place.here.at += place.run.size;
    place.here.first += place.run.length;
  }
  return std::nullopt;
}

// Joins neighbours of one value where the joint run is not too long, looking at five runs from `at` on.
void join_values(ByteStore& store, size_t at) {
  for (int left = 5; left > 0 && at < store.bytes().size(); left--) {
    const std::string_view bytes = store.bytes();
    if (!is_value(bytes[at])) {
      at += run_at(bytes, at).size;
      continue;
    }
    if (at + 1 < bytes.size() && is_value(bytes[at + 1]) && run_value(bytes[at]) == run_value(bytes[at + 1])) {
      const unsigned length = value_run_length(bytes[at]) + value_run_length(bytes[at + 1]);
      if (length <= kValueRunMax) {
        Sequence joint;
        joint.values(run_value(bytes[at]), length);
        store.splice(at, 2, 1)[0] = joint.bytes[0];
        continue;
      }
    }
    at++;
  }
}

Outcome add_as_dense(ByteStore& store, const Observation& seen) {
  return make_dense(store) ? add_dense(store.data(), seen) : Outcome::kCorrupt;
}

// `cursor` is where the search begins, and where one for a higher register may begin afterwards.
Outcome add_sparse(ByteStore& store, const Observation& seen, size_t bytes_max, SparseCursor& cursor) {
  if (seen.rank > kSparseRankMax) return add_as_dense(store, seen);
  auto place = locate(store.bytes(), seen.index, cursor);
  if (place && !place->has_before && cursor.at != kHeaderBytes) place = locate(store.bytes(), seen.index, {});
  if (!place) return Outcome::kCorrupt;
  const Run run = place->run;
  if (run.value >= seen.rank) return Outcome::kUnchanged;

  Sequence sequence;
  const unsigned before = seen.index - place->here.first;
  sequence.repeat(run, before);
  sequence.values(seen.rank, 1);
  sequence.repeat(run, run.length - before - 1);
  if (sequence.size > run.size && store.bytes().size() + (sequence.size - run.size) > bytes_max) return add_as_dense(store, seen);
  char* to = sequence.size == run.size ? store.data() + place->here.at : store.splice(place->here.at, run.size, sequence.size);
  std::memcpy(to, sequence.bytes, sequence.size);

  cursor = place->has_before ? place->before : SparseCursor{};
  join_values(store, cursor.at);
  invalidate_cache(store.data());
  return Outcome::kChanged;
}

// --- the estimate

struct Histogram {
  uint32_t counts[64] = {};
};

// Four histograms in turn: equal registers in a row do not wait for each other's sums.
struct Tally {
  uint32_t counts[4][64] = {};

  void add(uint64_t group) {
    for (unsigned i = 0; i < kGroup; i++) counts[i % 4][group >> 8 * i & 63]++;
  }
  Histogram sum() const {
    Histogram histogram;
    for (const auto& part : counts)
      for (size_t i = 0; i < 64; i++) histogram.counts[i] += part[i];
    return histogram;
  }
};

// Ertl's sigma and tau, series that end when they no longer change.
double sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double sum = x, last, weight = 1.0;
  do {
    x *= x;
    last = sum;
    sum += x * weight;
    weight += weight;
  } while (sum != last);
  return sum;
}

double tau(double x) {
  if (x == 0.0 || x == 1.0) return 0.0;
  double sum = 1.0 - x, last, weight = 1.0;
  do {
    x = std::sqrt(x);
    last = sum;
    weight *= 0.5;
    sum -= (1.0 - x) * (1.0 - x) * weight;
  } while (sum != last);
  return sum / 3.0;
}

uint64_t estimate(const Histogram& histogram) {
  constexpr double kCount = double(kRegisters), kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  double sum = kCount * tau((kCount - histogram.counts[kRankBits + 1]) / kCount);
  for (unsigned rank = kRankBits; rank >= 1; rank--) sum = 0.5 * (sum + histogram.counts[rank]);
  sum += kCount * sigma(histogram.counts[0] / kCount);
  return uint64_t(std::llround(kAlpha * kCount * kCount / sum));
}

}  // namespace

bool is_valid(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return false;
  const uint8_t encoding = uint8_t(bytes[kEncodingAt]);
  return encoding == kSparse || (encoding == kDense && bytes.size() == kDenseBytes);
}

bool is_sparse(std::string_view bytes) { return bytes[kEncodingAt] == char(kSparse); }

void assign_empty(ByteStore& store) {
  Sequence all;
  all.zeros(kRegisters);
  char* to = store.splice(0, store.bytes().size(), kHeaderBytes + all.size);
  std::memset(to, 0, kHeaderBytes);
  std::memcpy(to, kMagic.data(), kMagic.size());
  to[kEncodingAt] = char(kSparse);
  std::memcpy(to + kHeaderBytes, all.bytes, all.size);
}

Observation observe(std::string_view element) {
  const uint64_t hash = murmur_hash(element);
  const uint64_t rest = hash >> kIndexBits | uint64_t(1) << kRankBits;
  return {unsigned(hash & (kRegisters - 1)), uint8_t(std::countr_zero(rest) + 1)};
}

Outcome add(ByteStore& store, std::string_view element, size_t sparse_bytes_max) {
  const Observation seen = observe(element);
  if (!is_sparse(store.bytes())) return add_dense(store.data(), seen);
  SparseCursor cursor;
  return add_sparse(store, seen, sparse_bytes_max, cursor);
}

bool make_dense(ByteStore& store) {
  if (!is_sparse(store.bytes())) return true;
  Registers registers;
  if (!merge_into(registers, store.bytes())) return false;
  write_dense(store.splice(kHeaderBytes, store.bytes().size() - kHeaderBytes, kDenseBytes - kHeaderBytes), registers);
  store.data()[kEncodingAt] = char(kDense);
  return true;
}

bool merge_into(Registers& registers, std::string_view bytes) {
  if (is_sparse(bytes))
    return for_each_run(bytes, [&](size_t first, const Run& run) {
      if (run.value == 0) return;
      for (size_t i = first; i < first + run.length; i++) registers.values[i] = std::max(registers.values[i], run.value);
    });
  Registers others;
  for (size_t group = 0; group < kRegisters / kGroup; group++) {
    const uint64_t values = dense_group(bytes.data() + kHeaderBytes, group);
    std::memcpy(others.values + group * kGroup, &values, kGroup);
  }
  for (size_t i = 0; i < kRegisters; i++) registers.values[i] = std::max(registers.values[i], others.values[i]);
  return true;
}

bool merge_from(ByteStore& store, const Registers& registers, bool dense, size_t sparse_bytes_max) {
  SparseCursor cursor;
  for (unsigned i = 0; i < kRegisters && !dense && is_sparse(store.bytes()); i++)
    if (registers.values[i] > 0 && add_sparse(store, {i, registers.values[i]}, sparse_bytes_max, cursor) == Outcome::kCorrupt) return false;
  if (!dense && is_sparse(store.bytes())) return true;
  if (!make_dense(store)) return false;
  Registers all = registers;
  if (!merge_into(all, store.bytes())) return false;
  write_dense(store.data() + kHeaderBytes, all);
  return true;
}

std::optional<uint64_t> cached_cardinality(std::string_view bytes) {
  const uint64_t cached = load_word(bytes.data() + kCacheAt);
  if (cached >> 63) return std::nullopt;
  return cached;
}

void cache_cardinality(char* bytes, uint64_t cardinality) { std::memcpy(bytes + kCacheAt, &cardinality, sizeof cardinality); }

void invalidate_cache(char* bytes) { bytes[kCacheAt + 7] = char(uint8_t(bytes[kCacheAt + 7]) | 0x80); }

std::optional<uint64_t> cardinality(std::string_view bytes) {
  if (!is_sparse(bytes)) {
    Tally tally;
    for (size_t group = 0; group < kRegisters / kGroup; group++) tally.add(dense_group(bytes.data() + kHeaderBytes, group));
    return estimate(tally.sum());
  }
  Histogram histogram;
  if (!for_each_run(bytes, [&](size_t, const Run& run) { histogram.counts[run.value] += run.length; })) return std::nullopt;
  return estimate(histogram);
}

uint64_t cardinality(const Registers& registers) {
  Tally tally;
  for (size_t group = 0; group < kRegisters / kGroup; group++) tally.add(load_word(registers.values + group * kGroup));
  return estimate(tally.sum());
}

std::string describe_sparse(std::string_view bytes) {
  std::string text;
  for (size_t at = kHeaderBytes; at < bytes.size();) {
    const Run run = run_at(bytes, at);
    if (!text.empty()) text += ' ';
    if (run.value) text += "v:" + to_text(int64_t(run.value)) + ',' + to_text(int64_t(run.length));
    else text += (run.size == 2 ? "Z:" : "z:") + to_text(int64_t(run.length));
    at += run.size;
  }
  return text;
}

}  // namespace vedette::hyperloglog
