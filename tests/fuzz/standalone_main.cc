// Runs a fuzz target on a bounded number of inputs bred from its corpus: bytes flipped, cut, doubled,
// spliced. Every run follows from the seed, which is printed first: `reply_parser_fuzz --runs 100000 --seed
// 7`.
#include <cstdio>
#include <cstring>
#include <string>

#include "common/base/numbers.h"
#include "common/base/rng.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using vedette::Rng;
using namespace std::string_view_literals;

constexpr size_t kInputBytesMax = 4096;
// Bytes that mean something to text protocols are tried more often than others.
constexpr std::string_view kTelling = "\r\n $*+-:,#(_=!%~>|?0123456789\"'\\\0\x7f\xff"sv;

std::string_view pick(std::span<const std::string_view> corpus, Rng& rng) { return corpus[rng.below(corpus.size())]; }

void mutate(std::string& input, std::span<const std::string_view> corpus, Rng& rng) {
  const size_t at = rng.below(input.size() + 1);
  const size_t length = rng.below(16) + 1;
  switch (rng.below(7)) {
    case 0: input.insert(at, 1, kTelling[rng.below(kTelling.size())]); break;
    case 1: input.erase(at, length); break;
    case 2: input.insert(at, std::string(input, at, length)); break;
    case 3: input.insert(at, pick(corpus, rng)); break;
    case 4: input.resize(at); break;
    case 5:
      if (at < input.size()) input[at] = char(rng.next());
      break;
    default:
      if (at < input.size()) input[at] = kTelling[rng.below(kTelling.size())];
  }
  if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t runs = 20'000, seed = vedette::machine_seed();
  for (int i = 1; i < argc; i += 2) {
    const auto number = i + 1 < argc ? vedette::parse_unsigned(argv[i + 1]) : std::nullopt;
    if (!number || (std::strcmp(argv[i], "--runs") != 0 && std::strcmp(argv[i], "--seed") != 0)) {
      std::fprintf(stderr, "usage: %s [--runs N] [--seed S]\n", argv[0]);
      return 1;
    }
    (std::strcmp(argv[i], "--runs") == 0 ? runs : seed) = *number;
  }
  std::printf("seed %llu, %llu runs\n", static_cast<unsigned long long>(seed), static_cast<unsigned long long>(runs));
  std::fflush(stdout);
  Rng rng(seed);
  const auto corpus = fuzz_corpus();
  for (uint64_t run = 0; run < runs; run++) {
    std::string input(pick(corpus, rng));
    for (uint64_t turns = rng.below(8); turns > 0; turns--) mutate(input, corpus, rng);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  }
  return 0;
}
